//! Plausible records of visual emotion of several shapes.

use consilience_core::{
    AnalysisRecord, CategoryReadOut, Ceiling, ConnectionLesion, DimensionCurve, DisplayRdm,
    EmotionBaseline, EmotionBin, EmotionEpoch, EmotionModule, EmotionQuantiles, EmotionRating,
    EmotionRecord, EmotionRegion, EmotionRun, EmotionSettings, EmotionTrainingSet, Estimate,
    GainCurve, GainedReadOut, GeometryCurve, MdsMap, ModuleComparison, NucleusInfo,
    NucleusSelectivity, PlaneScore, PredictionScore, Record, RegionAgreement, SelectiveCount,
    pairs,
};

use super::{Shape, hash, valence::noise};

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

/// Bins with their stimuli; the second last has too few.
const BINS: [(&str, usize); 9] = [
    ("HN", 16),
    ("HM", 11),
    ("HP", 12),
    ("MN", 18),
    ("MM", 22),
    ("MP", 21),
    ("LN", 4),
    ("LM", 10),
    ("LP", 10),
];

fn nuclei(shape: &Emotion, structure: &str, width: usize) -> Vec<NucleusInfo> {
    let all = "LA BA BL";
    let known: Vec<(&str, &str, &str, &str)> = match structure {
        "I" | "II" => vec![
            ("LA", "visual", "", ""),
            ("BA", "LA", "", ""),
            ("BL", "BA", "", ""),
            ("CE", "BL", "", ""),
        ],
        "III" | "IV" => vec![
            ("LA", "visual", "", ""),
            ("BA", "LA", "", ""),
            ("BL", "LA", "", ""),
            ("CE", all, "", ""),
        ],
        _ => shape.nuclei.clone(),
    };
    let unit = match structure {
        "I" | "III" => "linear",
        _ => "transformer and linear",
    };
    let words = |names: &str| -> Vec<String> {
        let names = names.split(' ').filter(|n| !n.is_empty());
        names
            .map(|n| match n {
                "intercalated" => "intercalated cells".into(),
                n => n.into(),
            })
            .collect()
    };
    let attends = shape.tokens && unit != "linear";
    known
        .iter()
        .enumerate()
        .map(|(idx, (name, reads, inhibited_by, feedback))| NucleusInfo {
            name: (*name).into(),
            width: [width, 256, 256, width + 512][idx % 4],
            unit: unit.into(),
            reads: words(reads),
            inhibited_by: words(inhibited_by),
            feedback: words(feedback),
            attention_entropy: attends.then_some(0.9 - 0.05 * idx as f64),
        })
        .collect()
}

fn ratings(shape: &Emotion) -> Vec<EmotionRating> {
    let of = |(idx, name): (usize, &&str)| EmotionRating {
        name: (*name).into(),
        scale: [1.0, 7.0],
        values: (0..shape.n_stimuli).map(|s| given(idx, s)).collect(),
        ceiling: (!shape.gaps || idx == 0).then_some(0.996 - 0.016 * idx as f64),
    };
    shape.ratings.iter().enumerate().map(of).collect()
}

fn given(rating: usize, stimulus: usize) -> f64 {
    let at = noise(&[rating, stimulus, 7]) + noise(&[rating, stimulus, 8]);
    4.3 - 0.6 * rating as f64 + (3.0 - 1.2 * rating as f64) * at
}

/// How well a module does, 0…1.
fn strength(shape: &Emotion, module: usize, rating: usize) -> f64 {
    let structure = module % shape.structures.len();
    let encoder = module / shape.structures.len();
    0.45 + 0.06 * structure as f64 + 0.1 * encoder as f64 - 0.1 * rating as f64
}

/// Mean over runs of the correlation of given and predicted ratings.
fn mean_r(runs: &[EmotionRun], rating: usize, rows: fn(&EmotionRun) -> &[Vec<f64>]) -> f64 {
    let of = |run: &EmotionRun| {
        let y = &rows(run)[rating];
        let n = y.len() as f64;
        let x: Vec<f64> = (0..y.len()).map(|s| given(rating, s)).collect();
        let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
        let sum = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            x.iter().zip(y).map(|(x, y)| f(x - mx, y - my)).sum()
        };
        sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt()
    };
    runs.iter().map(of).sum::<f64>() / runs.len() as f64
}

fn score(shape: &Emotion, r: f64, seed: usize) -> PredictionScore {
    let undefined = shape.gaps && seed % 3 == 1;
    let kept = |value: f64| (!undefined).then_some(value);
    let over = |value: f64| kept(value).filter(|_| shape.n_repeats > 1);
    PredictionScore {
        r: kept(r),
        r_sd: over(0.02),
        r_interval: kept(r).map(|r| [r - 0.12, r + 0.1]),
        spearman: kept(r - 0.02),
        spearman_sd: over(0.025),
        rmse: 1.4 - 0.6 * r,
        r2: r * r - 0.1,
        rmse_refit: kept(1.3 - 0.6 * r),
        r2_refit: kept(r * r),
    }
}

fn connections(shape: &Emotion, of: &EmotionModule) -> Vec<ConnectionLesion> {
    let kinds = |to: &NucleusInfo| -> Vec<(String, &str)> {
        let of = |sources: &[String], kind| -> Vec<(String, &str)> {
            let nuclei = sources.iter().filter(|s| *s != "visual");
            nuclei.map(|s| (s.clone(), kind)).collect()
        };
        [
            of(&to.reads, "reads"),
            of(&to.inhibited_by, "inhibition"),
            of(&to.feedback, "feedback"),
        ]
        .concat()
    };
    let mut out = Vec::new();
    for to in &of.nuclei {
        for (from, kind) in kinds(to) {
            for (k, rating) in shape.ratings.iter().enumerate() {
                let is_there = !(shape.gaps && out.len() % 3 == 1);
                out.push(ConnectionLesion {
                    from: from.clone(),
                    to: to.name.clone(),
                    kind: kind.into(),
                    rating: (*rating).into(),
                    r: is_there.then_some(0.4 - 0.1 * k as f64),
                    r_sd: (shape.n_repeats > 1).then_some(0.03),
                    change: is_there.then_some(-0.15),
                    change_sd: (shape.n_repeats > 1).then_some(0.02),
                });
            }
        }
    }
    out
}

fn read_outs(shape: &Emotion, of: &EmotionModule) -> Vec<CategoryReadOut> {
    let nuclei = of.nuclei.iter().map(|n| n.name.as_str()).chain(["all"]);
    let gained = |gain, f1, p| GainedReadOut {
        gain,
        f1: Some(f1),
        random: (!shape.gaps).then_some(0.55),
        random_sd: (!shape.gaps).then_some(0.02),
        p: (!shape.gaps).then_some(p),
    };
    let mut out = Vec::new();
    for (at, nucleus) in nuclei.enumerate() {
        for (k, category) in ["negative", "middle", "positive"].into_iter().enumerate() {
            let is_there = !(shape.gaps && k == 1);
            out.push(CategoryReadOut {
                nucleus: nucleus.into(),
                category: category.into(),
                n_stimuli: shape.n_stimuli / 3,
                n_units: 3.5 * at as f64,
                chance: 0.5,
                f1: is_there.then_some(0.6 + 0.02 * at as f64),
                f1_sd: (shape.n_repeats > 1).then_some(0.01),
                lesioned: gained(-1.0, 0.4, 0.01),
                enhanced: is_there.then(|| gained(0.5, 0.63, 0.3)),
            });
        }
    }
    out
}

/// Other pictures, where there is no cross-validation to speak of.
fn training(shape: &Emotion) -> Vec<EmotionTrainingSet> {
    let set = |name: &str, scale| EmotionTrainingSet {
        name: name.into(),
        images: format!("{name}/*.jpg"),
        scale,
        n_pictures: 700,
        n_unrated: 3,
        n_absent: 2,
        n_repeated: 1,
        n_stimuli: 4,
    };
    match shape.simulated {
        true => vec![],
        false => vec![set("naps", [1.0, 9.0]), set("video frames", [0.0, 100.0])],
    }
}

/// Five bins of given ratings.
fn quantiles(shape: &Emotion, rating: usize, seed: usize) -> EmotionQuantiles {
    let edges: Vec<f64> = (0..6).map(|k| 1.5 + f64::from(k)).collect();
    let given: Vec<f64> = edges[1..].iter().map(|edge| edge - 0.5).collect();
    EmotionQuantiles {
        counts: vec![shape.n_stimuli / 5; 5],
        predicted: given.iter().map(|g| 2.5 + 0.4 * g).collect(),
        predicted_sd: vec![(shape.n_repeats > 1).then_some(0.1); 5],
        score: PredictionScore {
            r_interval: None,
            ..score(shape, 0.95, rating + seed)
        },
        given,
        edges,
    }
}

fn module(shape: &Emotion, idx: usize) -> EmotionModule {
    let (encoder, layer) = shape.encoders[idx / shape.structures.len()];
    let structure = shape.structures[idx % shape.structures.len()];
    let n_ratings = shape.ratings.len();
    let nuclei = nuclei(shape, structure, 512);
    let r_at = |epoch: usize, rating: usize| {
        let share = 1.0 - (-(epoch as f64) / 5.0).exp();
        -0.1 + (strength(shape, idx, rating) + 0.1) * share + 0.02 * noise(&[idx, epoch, rating])
    };
    let disparity = |epoch| 0.97 - 0.5 * r_at(epoch, 0).max(0.0);
    let several = shape.n_repeats > 1;
    let history = (0..=shape.n_epochs)
        .filter(|_| shape.n_epochs > 0)
        .map(|epoch| {
            let is_there = !(shape.gaps && epoch == 2);
            EmotionEpoch {
                epoch,
                training: (epoch > 0).then(|| 0.4 + 1.2 * (-(epoch as f64) / 4.0).exp()),
                validation: (!shape.gaps).then(|| 0.7 + 1.0 * (-(epoch as f64) / 4.0).exp()),
                r: (0..n_ratings)
                    .map(|k| is_there.then(|| r_at(epoch, k)))
                    .collect(),
                r_sd: (0..n_ratings)
                    .map(|k| several.then_some(0.03 + 0.01 * k as f64))
                    .collect(),
                disparity: (n_ratings > 1 && is_there).then(|| disparity(epoch)),
                disparity_sd: several.then_some(0.02),
            }
        })
        .collect();
    let runs: Vec<EmotionRun> = (0..shape.n_repeats)
        .map(|run| {
            let row = |rating: usize, share: f64| -> Vec<f64> {
                let of = |s: usize| {
                    let signal = given(rating, s) - 4.3;
                    let of_picture = noise(&[idx, s, rating]);
                    let of_run = noise(&[idx, run, s, rating]);
                    share * (4.3 + 0.35 * signal + 1.6 * (1.3 - share) * of_picture + 0.5 * of_run)
                        + (1.0 - share) * (of_picture + 0.3 * of_run)
                };
                (0..shape.n_stimuli).map(of).collect()
            };
            EmotionRun {
                seed: 40 + run as u64,
                epochs: (0..5)
                    .map(|fold| (shape.n_epochs * (3 + fold % 3)) / 6)
                    .collect(),
                before: (0..n_ratings).map(|k| row(k, 0.0)).collect(),
                after: (0..n_ratings)
                    .map(|k| row(k, 0.7 + 0.05 * (idx % 4) as f64))
                    .collect(),
            }
        })
        .collect();
    let plane = |disparity: f64| PlaneScore {
        disparity: Some(disparity),
        disparity_sd: several.then_some(0.015),
        energy: 3.0 * disparity,
    };
    EmotionModule {
        encoder: encoder.into(),
        layer: layer.into(),
        n_features: 512,
        n_tokens: None,
        structure: structure.into(),
        n_parameters: 18_131_458 / (4 - idx % 4),
        read_out: nuclei.last().unwrap().name.clone(),
        nuclei,
        before: (0..n_ratings)
            .map(|k| score(shape, mean_r(&runs, k, |run| &run.before), idx + k))
            .collect(),
        after: (0..n_ratings)
            .map(|k| score(shape, mean_r(&runs, k, |run| &run.after), idx * 2 + k))
            .collect(),
        quantiles: (0..n_ratings)
            .map(|k| shape.full.then(|| quantiles(shape, k, idx)))
            .collect(),
        plane: (n_ratings > 1).then(|| [plane(0.97), plane(disparity(40))]),
        history,
        runs,
    }
}

fn comparisons(shape: &Emotion, n_modules: usize) -> Vec<ModuleComparison> {
    let per = shape.structures.len();
    let measures: Vec<String> = shape
        .ratings
        .iter()
        .map(|r| format!("r of {r}"))
        .chain((shape.ratings.len() > 1).then(|| "disparity".to_owned()))
        .collect();
    let mut out = Vec::new();
    for a in 0..n_modules {
        for b in a + 1..n_modules {
            let (same_encoder, same_structure) = (a / per == b / per, a % per == b % per);
            let adjacent = (same_encoder && b == a + 1) || (same_structure && b == a + per);
            if !adjacent || shape.n_repeats < 2 {
                continue;
            }
            for (k, measure) in measures.iter().enumerate() {
                let p = hash((a * 31 + b * 7 + k) as u64).powi(6);
                let difference = strength(shape, a, 0) - strength(shape, b, 0);
                out.push(ModuleComparison {
                    a,
                    b,
                    differ_in: if same_encoder { "structure" } else { "encoder" }.into(),
                    measure: measure.clone(),
                    difference,
                    t: Some(difference / 0.02),
                    p: Some(p),
                    p_corrected: Some((3.0 * p).min(1.0)),
                    d: Some(difference / 0.04),
                });
            }
        }
    }
    out
}

fn selectivity(shape: &Emotion, nuclei: &[NucleusInfo]) -> Vec<NucleusSelectivity> {
    let kept: Vec<&str> = BINS.iter().filter(|b| b.1 >= 10).map(|b| b.0).collect();
    let several = nuclei.iter().map(|n| (n.name.as_str(), n.width));
    let total: usize = nuclei.iter().map(|n| n.width).sum();
    several
        .chain([("all", total)])
        .enumerate()
        .map(|(idx, (nucleus, n_units))| {
            let count = |(k, bin): (usize, &str)| {
                let before = n_units as f64 * 0.03 * (hash((idx * 17 + k) as u64) + 0.2);
                let more = if k % 3 == 1 {
                    1.02
                } else {
                    2.5 + k as f64 * 0.3
                };
                let undefined = shape.gaps && k == 2;
                SelectiveCount {
                    bin: bin.into(),
                    before,
                    before_sem: (!undefined).then_some(before * 0.2),
                    after: before * more,
                    after_sem: (!undefined).then_some(before * 0.25),
                    shuffled: (!undefined).then_some(n_units as f64 * 0.002),
                    p_shuffled: (!undefined).then_some(if k % 3 == 1 { 0.4 } else { 0.001 }),
                    p_change: (!undefined).then_some(if k % 3 == 1 { 0.7 } else { 0.004 / more }),
                }
            };
            let tuning = |k: usize| {
                let with = !(shape.gaps && (k + idx).is_multiple_of(2)) && k != 5;
                with.then(|| {
                    let value = |j: usize| {
                        if j == k {
                            0.9
                        } else {
                            0.5 * noise(&[idx, k, j]) - 0.1
                        }
                    };
                    (0..kept.len()).map(value).collect()
                })
            };
            NucleusSelectivity {
                nucleus: nucleus.into(),
                n_units,
                counts: kept
                    .iter()
                    .copied()
                    .chain(["any"])
                    .enumerate()
                    .map(count)
                    .collect(),
                tuning: (0..kept.len()).map(tuning).collect(),
            }
        })
        .collect()
}

fn curve(shape: &Emotion, nucleus: &str, model: &str, seed: usize) -> GeometryCurve {
    let epochs: Vec<usize> = (0..=shape.n_epochs).collect();
    let top = 0.15 + 0.45 * hash(seed as u64 + 3);
    let mean = |epoch: usize| {
        let share = 1.0 - (-(epoch as f64) / 8.0).exp();
        let value = 0.02 + top * share + 0.02 * noise(&[seed, epoch]);
        (!(shape.gaps && epoch == 3)).then_some(value)
    };
    GeometryCurve {
        nucleus: nucleus.into(),
        model: model.into(),
        means: epochs.iter().map(|&e| mean(e)).collect(),
        sems: epochs
            .iter()
            .map(|&e| (shape.n_repeats > 1).then(|| 0.01 + 0.01 * hash(e as u64)))
            .collect(),
        epochs,
    }
}

fn region(shape: &Emotion, idx: usize, main: &EmotionModule) -> EmotionRegion {
    let encoder = format!("{} {}", main.encoder, main.layer);
    let names = main.nuclei.iter().map(|n| (n.name.clone(), "nucleus"));
    let models = shape.ratings.iter().map(|r| ((*r).to_owned(), "model"));
    let all = names
        .chain([
            ("all nuclei".to_owned(), "nucleus"),
            (encoder.clone(), "encoder"),
        ])
        .chain([("valence and arousal".to_owned(), "model")])
        .chain(models);
    let scores = all
        .enumerate()
        .map(|(k, (name, of))| {
            let rho = 0.24 * hash((idx * 29 + k) as u64) - 0.02;
            let undefined = shape.gaps && k % 3 == 1;
            let kept = |value: f64| (!undefined).then_some(value);
            RegionAgreement {
                name,
                of: of.into(),
                rho: kept(rho),
                p: kept((-(30.0 * rho)).exp().min(1.0)),
                partial: kept(0.6 * rho).filter(|_| of != "encoder"),
                partial_p: kept((-(20.0 * rho)).exp().min(1.0)),
                estimate: kept(0.4 * rho).map(|value| Estimate {
                    value,
                    sem: Some(0.012),
                    interval: Some([value - 0.024, value + 0.024]),
                    p: Some(0.01),
                    p_corrected: None,
                    p_ceiling: None,
                    p_permutation: None,
                    p_permutation_fwe: None,
                }),
            }
        })
        .collect();
    EmotionRegion {
        name: shape.regions[idx].into(),
        is_simulated: shape.simulated,
        n_subjects: 20,
        ceiling: (!shape.gaps).then_some(Ceiling {
            lower: 0.07,
            upper: 0.11,
        }),
        controls: vec![encoder, "pixels".into()],
        scores,
        curve: curve(shape, "all nuclei", "brain", 90 + idx),
    }
}

fn gains(shape: &Emotion, main: &EmotionModule) -> Vec<GainCurve> {
    let gains: Vec<f64> = (-2..=10).map(|k| 0.5 * f64::from(k)).collect();
    let names = main.nuclei.iter().map(|n| n.name.as_str()).chain(["all"]);
    let mut out = Vec::new();
    for (n, nucleus) in names.enumerate() {
        for units in ["HN", "HP", "any", "whole"] {
            for (k, rating) in shape.ratings.iter().enumerate() {
                let steep = 0.02 + 0.08 * hash((n * 5 + k) as u64);
                let r = |gain: f64| 0.7 - 0.1 * k as f64 - steep * gain * gain;
                let undefined = |at: usize| shape.gaps && at == 0;
                let is_whole = units == "whole";
                let random = |at: usize| !undefined(at) && !is_whole;
                let each = |f: &dyn Fn(usize) -> Option<f64>| (0..gains.len()).map(f).collect();
                out.push(GainCurve {
                    nucleus: nucleus.into(),
                    units: units.into(),
                    n_units: if is_whole { 256.0 } else { 31.4 },
                    rating: (*rating).into(),
                    r: each(&|at| (!undefined(at)).then(|| r(gains[at]))),
                    random: each(&|at| {
                        random(at).then(|| 0.7 - 0.1 * k as f64 - 0.01 * gains[at].abs())
                    }),
                    random_sd: each(&|at| random(at).then_some(0.02)),
                    p: each(&|at| {
                        random(at).then(|| if gains[at].abs() > 0.9 { 0.01 } else { 0.6 })
                    }),
                    gains: gains.clone(),
                });
            }
        }
    }
    out
}

fn rdm(shape: &Emotion, title: &str, seed: usize) -> DisplayRdm {
    let n = shape.n_stimuli.min(300);
    let values: Vec<f64> = (0..n).map(|s| given(0, s)).collect();
    let mut ranks = Vec::with_capacity(pairs::n_pairs(n));
    for i in 0..n {
        for j in i + 1..n {
            let apart = (values[i] - values[j]).abs() / 6.0;
            let noise = hash((seed * n * n + i * n + j) as u64);
            ranks.push((0.6 * apart + 0.4 * noise) as f32);
        }
    }
    DisplayRdm {
        title: title.into(),
        n,
        ranks,
    }
}

fn map(shape: &Emotion, title: &str, seed: usize) -> MdsMap {
    let point = |s: usize| {
        let x = (given(0, s) - 4.3) / 3.2 + 0.3 * noise(&[seed, s]);
        let y = (given(1, s) - 3.7) / 2.5 + 0.3 * noise(&[seed, s, 1]);
        [x.clamp(-1.0, 1.0) as f32, y.clamp(-1.0, 1.0) as f32]
    };
    MdsMap {
        title: title.into(),
        points: (0..shape.n_stimuli).map(point).collect(),
        fit: 0.5 + 0.3 * hash(seed as u64),
    }
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
