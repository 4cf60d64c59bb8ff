//! Plausible records of several shapes, drawn by arithmetic and never by a random number.

pub mod emotion;
pub mod valence;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consilience_core::{
    AnalysisRecord, Ceiling, Citation, DisplayRdm, Estimate, Expectation, InputFile, MdsMap,
    ModelProvenance, Predictor, Provenance, Record, RsaRecord, RsaScore, RsaSettings, RsaTarget,
    StimulusRecord, StudyInfo, TargetKind, Warning, pairs,
};

/// What a record should look like.
#[derive(Debug, Clone)]
pub struct Shape {
    pub title: &'static str,
    pub models: Vec<(&'static str, usize)>,
    pub targets: Vec<&'static str>,
    pub categories: Vec<&'static str>,
    pub n_stimuli: usize,
    pub n_subjects: usize,
    pub layer_suffix: &'static str,
    pub ceiling: bool,
    pub bootstrap: bool,
    pub permutations: bool,
    pub thumbnails: bool,
    /// Every fifth score, the first target's best and its differences are missing.
    pub gaps: bool,
    /// Scores lie on both sides of zero.
    pub negative: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            title: "SqueezeNet against human and monkey IT, 92 images",
            models: vec![("squeezenet1_1", 26)],
            targets: vec!["human IT", "monkey IT", "arrangement"],
            categories: vec![
                "human face",
                "human body",
                "animal face",
                "animal body",
                "natural",
                "artificial",
            ],
            n_stimuli: 92,
            n_subjects: 4,
            layer_suffix: "",
            ceiling: true,
            bootstrap: true,
            permutations: true,
            thumbnails: true,
            gaps: false,
            negative: false,
        }
    }
}

/// The shapes that a report must bear, by name.
pub fn shapes() -> Vec<(&'static str, Shape)> {
    let plain = Shape::default();
    vec![
        ("usual", plain.clone()),
        (
            "models",
            Shape {
                title: "Six networks, two regions",
                models: vec![
                    ("alexnet", 8),
                    ("resnet50", 18),
                    ("vgg16_bn", 16),
                    ("squeezenet1_1", 26),
                    ("convnext_tiny_imagenet22k_384_finetuned", 12),
                    ("vit_b_16", 12),
                ],
                targets: vec![
                    "early visual cortex",
                    "inferior temporal cortex, human, mean over both sessions and hemispheres",
                ],
                n_subjects: 9,
                ..plain.clone()
            },
        ),
        (
            "deep",
            Shape {
                title: "Seventy layers with long names, eight targets",
                models: vec![("inception_v3_with_a_long_name", 70)],
                targets: vec![
                    "V1",
                    "V2",
                    "V3",
                    "V4",
                    "LOC",
                    "FFA",
                    "PPA",
                    "similarity judgements",
                ],
                layer_suffix: ".branch7x7dbl_3.conv.activation",
                categories: (0..14)
                    .map(|i| {
                        [
                            "faces",
                            "bodies of animals",
                            "houses",
                            "tools",
                            "vehicles",
                            "plants",
                            "food",
                            "letters",
                            "toys",
                            "insects",
                            "musical instruments",
                            "clothes",
                            "furniture",
                            "scenes",
                        ][i]
                    })
                    .collect(),
                n_stimuli: 140,
                n_subjects: 16,
                ..plain.clone()
            },
        ),
        (
            "bare",
            Shape {
                title: "One layer, nothing else",
                models: vec![("net", 1)],
                targets: vec!["IT"],
                categories: vec![],
                n_stimuli: 3,
                n_subjects: 1,
                ceiling: false,
                bootstrap: false,
                permutations: false,
                thumbnails: false,
                ..plain.clone()
            },
        ),
        (
            "gaps",
            Shape {
                title: "Missing values, negative scores",
                models: vec![("small", 5), ("large", 11)],
                targets: vec!["amygdala", "hippocampus", "ratings"],
                categories: vec!["pleasant", "unpleasant"],
                n_stimuli: 24,
                n_subjects: 6,
                permutations: false,
                thumbnails: false,
                gaps: true,
                negative: true,
                ..plain.clone()
            },
        ),
        (
            "hostile",
            Shape {
                title: "<script>alert(1)</script> & \"quotes\" 'too'",
                models: vec![("</script><img src=x onerror=alert(1)>", 4)],
                targets: vec!["<b>IT</b>,\n\"x\"\u{0}", "http://example.org/?a=1&b=2"],
                categories: vec!["]]>", "<!--"],
                n_stimuli: 12,
                n_subjects: 3,
                layer_suffix: "<svg/onload=alert(2)>",
                ..plain
            },
        ),
    ]
}

/// A number in 0…1 that looks like noise and is the same everywhere.
fn hash(seed: u64) -> f64 {
    let mut x = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// A small picture: a disc or a square in one of a few colours.
fn thumbnail(kind: usize, idx: usize) -> String {
    const SIDE: usize = 24;
    let colour = [
        (0.35 + 0.6 * hash(kind as u64)) * 255.0,
        (0.35 + 0.6 * hash(kind as u64 + 100)) * 255.0,
        (0.35 + 0.6 * hash(idx as u64 + 200)) * 255.0,
    ];
    let mut pixels = Vec::with_capacity(SIDE * SIDE * 3);
    for y in 0..SIDE {
        for x in 0..SIDE {
            let (dx, dy) = (x as f64 - 11.5, y as f64 - 11.5);
            let inside = if kind.is_multiple_of(2) {
                dx * dx + dy * dy < 70.0
            } else {
                dx.abs() < 7.0 && dy.abs() < 7.0
            };
            pixels.extend(colour.map(|c| if inside { c as u8 } else { 205 }));
        }
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, SIDE as u32, SIDE as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&pixels)
        .unwrap();
    format!("data:image/png;base64,{}", STANDARD.encode(out))
}

fn category(shape: &Shape, stimulus: usize) -> Option<usize> {
    let n = shape.categories.len();
    (n > 0).then(|| stimulus * n / shape.n_stimuli)
}

fn rdm(shape: &Shape, title: &str, seed: u64) -> DisplayRdm {
    let n = shape.n_stimuli;
    let mut order: Vec<(f64, usize)> = pairs::iter(n)
        .enumerate()
        .map(|(k, (i, j))| {
            let apart = if category(shape, i) == category(shape, j) {
                0.0
            } else {
                0.5
            };
            (apart + hash(seed * 100_003 + k as u64), k)
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; order.len()];
    let last = (order.len().max(2) - 1) as f32;
    for (rank, (_, k)) in order.into_iter().enumerate() {
        ranks[k] = rank as f32 / last;
    }
    DisplayRdm {
        title: title.into(),
        n,
        ranks,
    }
}

fn map(shape: &Shape, title: &str, seed: u64) -> MdsMap {
    let points = (0..shape.n_stimuli)
        .map(|idx| {
            let turn = category(shape, idx).map_or(0.0, |c| {
                c as f64 / shape.categories.len() as f64 * std::f64::consts::TAU
            });
            let jitter = |k: u64| 0.45 * (hash(seed + 7 * idx as u64 + k) - 0.5);
            let reach = if shape.categories.is_empty() {
                0.0
            } else {
                0.62
            };
            [
                (reach * turn.cos() + 1.6 * jitter(1)) as f32,
                (reach * turn.sin() + 1.6 * jitter(2)) as f32,
            ]
        })
        .collect();
    MdsMap {
        title: title.into(),
        points,
        fit: 0.41 + 0.2 * hash(seed),
    }
}

fn score(shape: &Shape, target: usize, depth: f64, seed: u64) -> RsaScore {
    if shape.gaps && seed % 5 == 3 {
        return RsaScore {
            estimate: None,
            per_subject: vec![None; shape.n_subjects],
        };
    }
    let peak = 0.3 + 0.25 * (target % 3) as f64;
    let bump = (-(depth - peak).powi(2) / 0.12).exp();
    let offset = if shape.negative { -0.12 } else { 0.05 };
    let value = offset + 0.3 * bump + 0.04 * (hash(seed) - 0.5);
    let sem = 0.015 + 0.02 * hash(seed + 1);
    let tail = 0.5 * (-(value / sem).powi(2) / 3.0).exp();
    let p = if value > 0.0 { tail } else { 1.0 - tail };
    let estimate = Estimate {
        value,
        sem: shape.bootstrap.then_some(sem),
        interval: shape
            .bootstrap
            .then_some([value - 1.96 * sem, value + 1.96 * sem]),
        p: shape.bootstrap.then_some(p),
        p_corrected: shape.bootstrap.then_some((1.4 * p).min(1.0)),
        p_ceiling: (shape.bootstrap && shape.ceiling).then_some(0.08 * hash(seed + 2)),
        p_permutation: shape.permutations.then_some((p + 1e-4).min(1.0)),
        p_permutation_fwe: shape.permutations.then_some((2.0 * p + 1e-4).min(1.0)),
    };
    let subject = |s: usize| {
        (!(shape.gaps && s == 0)).then(|| value + 0.16 * (hash(seed + 10 + s as u64) - 0.5))
    };
    RsaScore {
        estimate: Some(estimate),
        per_subject: (0..shape.n_subjects).map(subject).collect(),
    }
}

fn target(shape: &Shape, idx: usize, predictors: &[Predictor]) -> RsaTarget {
    let mut scores = Vec::new();
    let mut seed = 1000 * idx as u64;
    for (_, n_layers) in &shape.models {
        for layer in 0..*n_layers {
            seed += 1;
            scores.push(score(shape, idx, layer as f64 / *n_layers as f64, seed));
        }
    }
    let value = |idx: usize| scores[idx].estimate.as_ref().map(|e| e.value);
    let best = (0..predictors.len())
        .filter(|&i| value(i).is_some())
        .max_by(|&a, &b| value(a).partial_cmp(&value(b)).unwrap())
        .filter(|_| !(shape.gaps && idx == 0));
    let difference = |a: usize, b: usize| {
        let possible = a != b && shape.bootstrap && !(shape.gaps && idx == 0);
        possible
            .then(|| Some((-(40.0 * (value(a)? - value(b)?)).abs()).exp()))
            .flatten()
    };
    let n = predictors.len();
    RsaTarget {
        name: shape.targets[idx].into(),
        kind: if idx == 2 {
            TargetKind::Behaviour
        } else {
            TargetKind::Brain
        },
        n_subjects: shape.n_subjects,
        n_conditions: shape.n_stimuli,
        ceiling: shape.ceiling.then_some(Ceiling {
            lower: 0.37 - 0.02 * idx as f64,
            upper: 0.52,
        }),
        p_difference: (0..n)
            .map(|a| (0..n).map(|b| difference(a, b)).collect())
            .collect(),
        best,
        notes: if shape.gaps {
            vec!["3 layers with constant activations have no score".into()]
        } else {
            vec![]
        },
        scores,
    }
}

fn provenance(shape: &Shape) -> Provenance {
    let digest = |k: u64| {
        (0..4)
            .map(|part| format!("{:016x}", (hash(k * 4 + part) * 2f64.powi(53)) as u64))
            .collect::<String>()
    };
    Provenance {
        version: "0.1.0".into(),
        plan_blake3: digest(1),
        seed: 1,
        inputs: (0..shape.n_stimuli)
            .map(|idx| InputFile {
                role: "stimulus".into(),
                path: format!("stimuli/{:03}.png", idx + 1),
                n_bytes: 18_000 + idx as u64,
                blake3: digest(100 + idx as u64),
            })
            .collect(),
        models: shape
            .models
            .iter()
            .map(|(name, _)| ModelProvenance {
                name: (*name).into(),
                architecture: (*name).into(),
                weights_blake3: digest(7),
                executor: "rten 0.27".into(),
                edits: Vec::new(),
                preprocessing: "resize 256 (bilinear, antialiased), centre crop 224, ImageNet mean and standard deviation".into(),
            })
            .collect(),
        citations: vec![
            Citation {
                text: "Kriegeskorte N, Mur M, Bandettini P (2008). Representational similarity analysis – connecting the branches of systems neuroscience. Frontiers in Systems Neuroscience 2:4.".into(),
                doi: Some("10.3389/neuro.06.004.2008".into()),
                used_for: "representational similarity analysis".into(),
            },
            Citation {
                text: "Nili H, Wingfield C, Walther A, Su L, Marslen-Wilson W, Kriegeskorte N (2014). A toolbox for representational similarity analysis. PLoS Computational Biology 10:e1003553.".into(),
                doi: Some("10.1371/journal.pcbi.1003553".into()),
                used_for: "noise ceiling".into(),
            },
        ],
    }
}

/// A record of the given shape.
pub fn record(shape: &Shape) -> Record {
    let predictors: Vec<Predictor> = shape
        .models
        .iter()
        .flat_map(|(model, n_layers)| {
            (0..*n_layers).map(move |layer| Predictor {
                model: (*model).into(),
                layer: format!("features.{layer}{}", shape.layer_suffix),
                n_features: 64 * (layer + 1) * 27,
            })
        })
        .collect();
    let targets: Vec<RsaTarget> = (0..shape.targets.len())
        .map(|idx| target(shape, idx, &predictors))
        .collect();
    let mut titles = Vec::new();
    for t in &targets {
        titles.push(format!("{} (mean of {} subjects)", t.name, t.n_subjects));
        if let Some(best) = t.best {
            let p = &predictors[best];
            titles.push(format!("{} {}", p.model, p.layer));
        }
    }
    let numbered = || titles.iter().zip(1..);
    let answer = match targets.iter().find_map(|t| t.best.map(|b| (t, b))) {
        Some((t, best)) => format!(
            "Layer {} of {} agrees best with {}: Spearman ρ = {:.2}, below the noise ceiling.",
            predictors[best].layer,
            predictors[best].model,
            t.name,
            t.scores[best].estimate.as_ref().unwrap().value
        ),
        None => "No layer could be scored.".into(),
    };
    Record {
        schema: Record::SCHEMA,
        study: StudyInfo {
            title: shape.title.into(),
            description: Some(
                "Which layer of the network arranges these pictures as people and monkeys do?"
                    .into(),
            ),
            source: format!(
                "[study]\ntitle = {:?}\nseed = 1\n\n[stimuli]\nimages = \"stimuli/*.png\"\n",
                shape.title
            ),
            overrides: vec!["model.name=it's <b>".into()],
        },
        answer,
        stimuli: (0..shape.n_stimuli)
            .map(|idx| {
                let kind = category(shape, idx);
                StimulusRecord {
                    id: format!("{:03}", idx + 1),
                    category: kind.map(|k| shape.categories[k].into()),
                    clip: None,
                    thumbnail: shape.thumbnails.then(|| thumbnail(kind.unwrap_or(0), idx)),
                }
            })
            .collect(),
        expectations: targets
            .iter()
            .take(2)
            .enumerate()
            .filter_map(|(idx, t)| {
                let found = &predictors[t.best?];
                let found = format!("{} {}", found.model, found.layer);
                Some(Expectation {
                    target: t.name.clone(),
                    expected: if idx == 0 {
                        found.clone()
                    } else {
                        "squeezenet1_1 features.12".into()
                    },
                    met: idx == 0,
                    found,
                })
            })
            .collect(),
        warnings: if shape.gaps {
            vec![Warning {
                about: "amygdala".into(),
                message: "6 subjects are few for a bootstrap over subjects; intervals are likely too narrow.".into(),
            }]
        } else {
            vec![]
        },
        analyses: vec![AnalysisRecord::Rsa(Box::new(RsaRecord {
            settings: RsaSettings {
                dissimilarity: "correlation".into(),
                similarity: "spearman".into(),
                bootstrap: if shape.bootstrap { "both" } else { "none" }.into(),
                resamples: if shape.bootstrap { 1000 } else { 0 },
                permutations: if shape.permutations { 10_000 } else { 0 },
                correction: if shape.bootstrap { "fdr" } else { "none" }.into(),
                alpha: 0.05,
            },
            rdms: numbered().map(|(t, seed)| rdm(shape, t, seed)).collect(),
            maps: numbered().map(|(t, seed)| map(shape, t, seed)).collect(),
            predictors,
            targets,
        }))],
        provenance: provenance(shape),
    }
}
