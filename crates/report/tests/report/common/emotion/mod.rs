//! Plausible records of visual emotion of several shapes.

mod geometry;
mod modules;
mod second;
mod units;

use consilience_core::{
    AnalysisRecord, DimensionCurve, EmotionBaseline, EmotionBin, EmotionModule, EmotionRecord,
    EmotionSettings, Record,
};

use super::Shape;
use geometry::{curve, map, rdm, region};
use modules::{comparisons, module, ratings, score, training};
use second::second;
use units::{BINS, connections, gains, read_outs, selectivity};

/// What a record of visual emotion should look like.
#[derive(Debug, Clone)]
pub struct Emotion {
    pub encoders: Vec<(&'static str, &'static str)>,
    pub structures: Vec<&'static str>,
    /// Nuclei of structures that are not I to IV: name, what it reads, what inhibits it, what feeds back.
    pub nuclei: Vec<(&'static str, &'static str, &'static str, &'static str)>,
    pub ratings: Vec<&'static str>,
    pub regions: Vec<&'static str>,
    pub simulated: bool,
    pub n_stimuli: usize,
    pub n_epochs: usize,
    pub n_repeats: usize,
    /// Everything beside predictions is there.
    pub full: bool,
    /// Every seventh number is undefined.
    pub gaps: bool,
    /// Attention over several tokens.
    pub tokens: bool,
    /// A second set of pictures.
    pub second: bool,
    /// Gains change units that are selective in both sets, and in the stimuli only.
    pub consistent: bool,
}

impl Default for Emotion {
    fn default() -> Self {
        Self {
            encoders: vec![
                ("squeezenet1_1", "features.12"),
                ("mobilenet_v2", "features.18"),
            ],
            structures: vec!["I", "II", "III", "IV"],
            nuclei: vec![],
            ratings: vec!["valence", "arousal"],
            regions: vec!["amygdala"],
            simulated: true,
            n_stimuli: 120,
            n_epochs: 30,
            n_repeats: 5,
            full: true,
            gaps: false,
            tokens: false,
            second: true,
            consistent: false,
        }
    }
}

/// The shapes that a report must bear, by name.
pub fn emotions() -> Vec<(&'static str, Emotion)> {
    let plain = Emotion::default();
    vec![
        ("emotion", plain.clone()),
        (
            "emotion-wide",
            Emotion {
                encoders: vec![
                    ("vgg16", "classifier.4"),
                    ("resnet50", "avgpool"),
                    (
                        "convnext_tiny_imagenet22k_384_finetuned",
                        "head.pre_logits.activation",
                    ),
                    ("clip_vit_b_32", "visual.projection"),
                    ("densenet161[p365]", "features.norm5"),
                ],
                structures: vec!["I", "IV", "amygdala-with-intercalated-cells.toml"],
                nuclei: vec![
                    ("LA", "visual", "", "LA"),
                    ("B", "LA", "", "AB"),
                    ("AB", "LA", "", "B"),
                    ("intercalated cells", "LA", "", ""),
                    ("CeL", "LA B", "", ""),
                    ("CeM", "B AB LA", "CeL intercalated", ""),
                    ("BNST", "CeM AB", "", ""),
                    ("hypothalamus", "BNST CeM", "", ""),
                    ("PAG", "hypothalamus", "CeM", ""),
                    ("LC", "PAG visual", "", "PAG"),
                ],
                regions: vec![
                    "amygdala, both hemispheres, mean over five sessions of free viewing",
                    "V1",
                    "lateral occipital complex",
                ],
                simulated: false,
                n_stimuli: 900,
                n_epochs: 50,
                n_repeats: 3,
                tokens: true,
                consistent: true,
                ..plain.clone()
            },
        ),
        (
            "emotion-gaps",
            Emotion {
                encoders: vec![("net", "last")],
                structures: vec!["III", "IV"],
                n_stimuli: 30,
                n_epochs: 6,
                n_repeats: 1,
                gaps: true,
                ..plain.clone()
            },
        ),
        (
            "emotion-bare",
            Emotion {
                encoders: vec![("net", "last")],
                structures: vec!["I"],
                ratings: vec!["valence"],
                regions: vec![],
                n_stimuli: 4,
                n_epochs: 0,
                n_repeats: 1,
                full: false,
                second: false,
                ..plain.clone()
            },
        ),
        (
            "emotion-hostile",
            Emotion {
                encoders: vec![("</script><img src=x onerror=alert(1)>", "<b>,\n\"x\"\u{0}")],
                structures: vec!["<svg/onload=alert(2)>", "]]>"],
                nuclei: vec![("<!--", "visual", "", "\"&'"), ("\"&'", "<!--", "<!--", "")],
                regions: vec!["<i>amygdala</i>\u{0}"],
                n_stimuli: 12,
                n_epochs: 3,
                n_repeats: 2,
                ..plain
            },
        ),
    ]
}

/// The part of visual emotion.
pub fn emotion(shape: &Emotion) -> EmotionRecord {
    let n_modules = shape.encoders.len() * shape.structures.len();
    let modules: Vec<EmotionModule> = (0..n_modules).map(|idx| module(shape, idx)).collect();
    let main = shape.structures.len() - 1;
    let of = &modules[main];
    let full = |n: usize| if shape.full { n } else { 0 };
    let models = ["valence and arousal", "valence", "arousal", "categories"];
    let mut geometry = Vec::new();
    let names: Vec<&str> = of.nuclei.iter().map(|n| n.name.as_str()).collect();
    for (n, nucleus) in names.iter().copied().chain(["mean"]).enumerate() {
        for (m, model) in models.iter().enumerate().take(full(4)) {
            geometry.push(curve(shape, nucleus, model, n * 4 + m));
        }
    }
    let dimensionality = names
        .iter()
        .take(full(names.len()))
        .enumerate()
        .map(|(n, nucleus)| {
            let epochs: Vec<usize> = (0..=shape.n_epochs).collect();
            let mean = |e: &usize| Some(3.0 + 14.0 * (-(*e as f64) / (6.0 + n as f64)).exp());
            DimensionCurve {
                nucleus: (*nucleus).into(),
                means: epochs.iter().map(mean).collect(),
                epochs,
            }
        });
    let titles: Vec<String> = ["valence and arousal"]
        .into_iter()
        .chain(names.iter().copied())
        .take(full(9))
        .map(str::to_owned)
        .collect();
    let numbered = || titles.iter().enumerate();
    EmotionRecord {
        settings: EmotionSettings {
            trained_on: format!("{} stimuli", shape.n_stimuli),
            validation: "5-fold cross-validation".into(),
            preset: "release2026".into(),
            changes: vec!["batch 16".into()],
            augmentation: None,
            repeats: shape.n_repeats,
            epochs: shape.n_epochs,
            dissimilarity: "correlation".into(),
            edges: "thirds of the scale".into(),
            min_images: 10,
            threshold: 0.65,
            alpha: 0.05,
            resamples: 1000,
            permutations: 200,
            random_sets: 50,
            units: if shape.consistent {
                "consistent"
            } else {
                "selective"
            }
            .into(),
            unit_correction: "none".into(),
            correction: "bonferroni".into(),
        },
        training: training(shape),
        ratings: ratings(shape),
        main,
        baselines: shape
            .encoders
            .iter()
            .enumerate()
            .map(|(idx, (encoder, layer))| EmotionBaseline {
                encoder: (*encoder).into(),
                layer: (*layer).into(),
                scores: (0..shape.ratings.len())
                    .map(|k| score(shape, 0.5 + 0.1 * idx as f64 - 0.1 * k as f64, 3 * idx))
                    .collect(),
            })
            .collect(),
        comparisons: comparisons(shape, n_modules),
        bins: BINS
            .iter()
            .take(full(9))
            .map(|&(name, n)| EmotionBin {
                name: name.into(),
                n,
                is_kept: n >= 10,
            })
            .collect(),
        selectivity: match shape.full {
            true => selectivity(shape, &of.nuclei),
            false => vec![],
        },
        second: shape.second.then(|| second(shape, &of.nuclei)),
        geometry,
        dimensionality: dimensionality.collect(),
        regions: (0..shape.regions.len())
            .map(|idx| region(shape, idx, of))
            .collect(),
        gains: match shape.full {
            true => gains(shape, of),
            false => vec![],
        },
        connections: match shape.full {
            true => connections(shape, of),
            false => vec![],
        },
        read_outs: match shape.full {
            true => read_outs(shape, of),
            false => vec![],
        },
        rdms: numbered()
            .map(|(seed, title)| rdm(shape, title, seed))
            .collect(),
        maps: numbered()
            .map(|(seed, title)| map(shape, title, seed))
            .collect(),
        notes: match shape.gaps {
            true => vec!["2 stimuli without arousal were left out".into()],
            false => vec![],
        },
        modules,
    }
}

/// A record with it.
pub fn record(shape: &Emotion) -> Record {
    let plain = Shape {
        title: "Valence and arousal of everyday pictures",
        models: shape.encoders.iter().map(|(name, _)| (*name, 1)).collect(),
        targets: vec![],
        categories: vec!["person", "animal", "scene", "object"],
        n_stimuli: shape.n_stimuli,
        thumbnails: shape.n_stimuli == 30,
        ..Shape::default()
    };
    let mut record = super::record(&plain);
    record.answer = "The module on squeezenet1_1 predicts valence with r = 0.63.".into();
    record.analyses = vec![AnalysisRecord::VisualEmotion(Box::new(emotion(shape)))];
    record
}
