//! Plausible records of raters and objects of several shapes.

use consilience_core::{
    AnalysisRecord, AppraisalRecord, AppraisalSettings, CategoryImportance, CategoryMatrix,
    DifferenceOf, LesionEffect, LesionedLayer, ObjectCategory, ObjectOverlay, ObjectTarget,
    ObjectsRecord, ObjectsSettings, OverlayBox, Rater, RaterRun, RatingCorrelation,
    RatingDifference, RatingReliability, RatingTarget, Record, Subset, TargetKind,
};

use super::{Shape, hash, thumbnail};

/// What a record of raters and objects should look like.
#[derive(Debug, Clone)]
pub struct Valence {
    pub models: Vec<(&'static str, usize)>,
    /// The first is behaviour.
    pub targets: Vec<&'static str>,
    pub categories: Vec<&'static str>,
    pub subsets: Vec<&'static str>,
    pub n_stimuli: usize,
    pub n_runs: usize,
    pub layer_suffix: &'static str,
    /// Targets of the brain are simulated.
    pub simulated: bool,
    /// Every seventh number is undefined.
    pub gaps: bool,
    /// Permutations, corrections, random filters.
    pub tests: bool,
}

impl Default for Valence {
    fn default() -> Self {
        Self {
            models: vec![("squeezenet1_1", 6), ("alexnet", 5), ("resnet18", 4)],
            targets: vec!["True", "LLR", "MLR", "HLR"],
            categories: vec!["Body Parts", "Human", "Transport", "Places", "Animals"],
            subsets: vec!["all", "congruent", "incongruent"],
            n_stimuli: 40,
            n_runs: 3,
            layer_suffix: "",
            simulated: true,
            gaps: false,
            tests: true,
        }
    }
}

/// The shapes that a report must bear, by name.
pub fn valences() -> Vec<(&'static str, Valence)> {
    let plain = Valence::default();
    vec![
        ("valence", plain.clone()),
        (
            "valence-wide",
            Valence {
                models: vec![
                    ("inception_v3_with_a_long_name", 14),
                    ("vgg16[p365]", 2),
                    ("convnext_tiny_imagenet22k_384_finetuned", 2),
                    ("alexnet", 1),
                    ("resnet50", 1),
                    ("densenet161[p365]", 1),
                ],
                targets: vec![
                    "True",
                    "LLR",
                    "MLR",
                    "HLR",
                    "inferior temporal cortex, mean over both hemispheres",
                ],
                categories: vec![
                    "Body Parts",
                    "Human",
                    "Transport",
                    "Places",
                    "Animals",
                    "Musical instruments and other things that make sounds",
                    "Furniture",
                    "Sports",
                ],
                layer_suffix: ".branch7x7dbl_3.conv.activation",
                simulated: false,
                ..plain.clone()
            },
        ),
        (
            "valence-gaps",
            Valence {
                models: vec![("small", 2)],
                targets: vec!["True", "HLR"],
                gaps: true,
                ..plain.clone()
            },
        ),
        (
            "valence-bare",
            Valence {
                models: vec![("net", 1)],
                targets: vec!["True"],
                categories: vec!["Human"],
                subsets: vec!["all"],
                n_stimuli: 4,
                n_runs: 1,
                tests: false,
                ..plain.clone()
            },
        ),
        (
            "valence-hostile",
            Valence {
                models: vec![("</script><img src=x onerror=alert(1)>", 2)],
                targets: vec!["<b>True</b>,\n\"x\"\u{0}", "]]>"],
                categories: vec!["<!--", "<svg/onload=alert(2)>"],
                subsets: vec!["all", "\"&'"],
                n_stimuli: 6,
                ..plain
            },
        ),
    ]
}

/// A number in −0.5…0.5.
pub fn noise(parts: &[usize]) -> f64 {
    let seed = parts.iter().fold(17_u64, |seed, &part| {
        seed.wrapping_mul(1009).wrapping_add(part as u64 + 1)
    });
    hash(seed.wrapping_mul(0x9e37_79b9)) - 0.5
}

fn subsets(shape: &Valence) -> Vec<Subset> {
    let n = |idx| {
        if idx == 0 {
            shape.n_stimuli
        } else {
            shape.n_stimuli / 2
        }
    };
    let names = shape.subsets.iter().enumerate();
    names
        .map(|(idx, name)| Subset {
            name: (*name).into(),
            n_stimuli: n(idx),
        })
        .collect()
}

fn layers(shape: &Valence) -> Vec<(&'static str, String, bool)> {
    let of = |&(model, n): &(&'static str, usize)| {
        let name = move |k| format!("features.{}{}", 3 * k, shape.layer_suffix);
        (0..n).map(move |k| (model, name(k), k + 1 == n))
    };
    shape.models.iter().flat_map(of).collect()
}

fn kind(target: usize) -> TargetKind {
    match target {
        0 => TargetKind::Behaviour,
        _ => TargetKind::Brain,
    }
}

fn correlation(shape: &Valence, subset: usize, rater: usize, target: usize) -> RatingCorrelation {
    let base = [0.45, 0.30, 0.15, -0.05][target % 4] - 0.12 * subset as f64;
    let r = base + 0.25 * noise(&[subset, rater, target]);
    let undefined = shape.gaps && (rater * 5 + target + subset) % 7 == 3;
    let kept = |value: f64| (!undefined).then_some(value);
    let n = subsets(shape)[subset].n_stimuli;
    let p = (-(r * r) * n as f64 / 2.0).exp();
    RatingCorrelation {
        subset,
        rater,
        target,
        n,
        runs: (0..shape.n_runs)
            .map(|run| kept(r + 0.05 * noise(&[rater, target, run])))
            .collect(),
        mean: kept(r - 0.01),
        sd: kept(0.02 + 0.02 * noise(&[rater])).filter(|_| shape.n_runs > 1),
        of_mean: kept(r),
        interval: kept(0.0).map(|_| [r - 0.17, r + 0.15]),
        p: kept(p),
        p_permutation: kept((p + 1e-4).min(1.0)).filter(|_| shape.tests),
        p_corrected: kept((1.6 * p + 1e-4).min(1.0)).filter(|_| shape.tests),
        p_ceiling: kept(0.002).filter(|_| shape.tests),
        note: undefined.then(|| "all ratings are equal, so there is no correlation".into()),
    }
}

fn difference(
    of: DifferenceOf,
    first: usize,
    second: usize,
    within: usize,
    target: usize,
    gaps: bool,
) -> RatingDifference {
    let value = 0.12 + 0.5 * noise(&[first, second, within, target]);
    let undefined = gaps && target == 1;
    let p = (-(value / 0.09_f64).powi(2) / 2.0).exp();
    RatingDifference {
        of,
        first,
        second,
        within,
        target,
        difference: (!undefined).then_some(value),
        interval: (!undefined).then_some([value - 0.18, value + 0.18]),
        p: (!undefined).then_some(p),
        p_corrected: (!undefined).then_some((1.5 * p).min(1.0)),
        note: undefined.then(|| "one of both is undefined".into()),
    }
}

/// The raters' part.
pub fn appraisal(shape: &Valence) -> AppraisalRecord {
    let raters: Vec<Rater> = layers(shape)
        .into_iter()
        .enumerate()
        .map(|(idx, (model, layer, is_whole))| Rater {
            model: model.into(),
            layer,
            is_whole,
            n_features: 64,
            runs: (0..shape.n_runs)
                .map(|run| RaterRun {
                    seed: 100 + run as u64,
                    mae: 0.8 + 0.1 * noise(&[idx, run]),
                    r: Some(0.5 + 0.1 * noise(&[idx, run, 1])),
                    r2: (!shape.gaps).then(|| 0.2 + 0.1 * noise(&[idx, run, 2])),
                    predictions: (0..shape.n_stimuli)
                        .map(|s| 2.0 * noise(&[idx, run, s]))
                        .collect(),
                })
                .collect(),
        })
        .collect();
    let (n_raters, n_targets) = (raters.len(), shape.targets.len());
    let targets = (0..n_targets)
        .map(|idx| RatingTarget {
            name: shape.targets[idx].into(),
            kind: kind(idx),
            n_subjects: (idx != 2).then_some(20),
            is_simulated: shape.simulated && idx > 0,
            values: (0..shape.n_stimuli)
                .map(|s| 3.0 * noise(&[idx, s]))
                .collect(),
            reliability: (idx != 2).then_some(RatingReliability {
                reliability: 0.86 - 0.1 * idx as f64,
                interval: Some([0.8 - 0.1 * idx as f64, 0.9 - 0.1 * idx as f64]),
                ceiling: Some((0.86 - 0.1 * idx as f64).sqrt()),
            }),
            notes: match shape.gaps {
                true => vec!["2 subjects with constant ratings were left out".into()],
                false => vec![],
            },
        })
        .collect();
    let whole: Vec<usize> = (0..n_raters).filter(|&r| raters[r].is_whole).collect();
    let mut differences = Vec::new();
    for target in 0..n_targets {
        if shape.subsets.len() > 2 && shape.tests {
            differences.extend(
                (0..n_raters)
                    .map(|r| difference(DifferenceOf::Subsets, 1, 2, r, target, shape.gaps)),
            );
        }
        for (i, &a) in whole.iter().enumerate() {
            for &b in &whole[i + 1..] {
                differences.push(difference(DifferenceOf::Raters, a, b, 0, target, false));
            }
        }
    }
    AppraisalRecord {
        settings: AppraisalSettings {
            trained_on: format!("valence of {} stimuli", shape.n_stimuli),
            head: "sigmoid".into(),
            loss: "weighted-mse".into(),
            pool: "mean".into(),
            scale: Some([-3.0, 3.0]),
            validation: "5-fold cross-validation".into(),
            runs: shape.n_runs,
            correlation: "pearson".into(),
            permutations: if shape.tests { 10_000 } else { 0 },
            correction: if shape.tests { "fdr" } else { "none" }.into(),
            alpha: 0.05,
        },
        correlations: (0..shape.subsets.len())
            .flat_map(|s| (0..n_raters).flat_map(move |r| (0..n_targets).map(move |t| (s, r, t))))
            .map(|(s, r, t)| correlation(shape, s, r, t))
            .collect(),
        raters,
        targets,
        subsets: subsets(shape),
        differences,
        notes: match shape.gaps {
            true => vec!["Ratings of some runs are constant".into()],
            false => vec![],
        },
    }
}

fn effect(shape: &Valence, place: [usize; 4], n_filters: usize) -> LesionEffect {
    let [layer, category, subset, target] = place;
    let undefined = shape.gaps && (layer + category * 3 + target + subset) % 7 == 2;
    let kept = |value: f64| (!undefined).then_some(value);
    let strength = if category == 1 { 0.16 } else { 0.05 };
    let delta = strength * (noise(&[layer, category, subset, target]) - 0.1);
    let p = (-(delta / 0.015_f64).powi(2) / 2.0).exp();
    LesionEffect {
        layer,
        category,
        subset,
        target,
        n_filters: 0.25 * n_filters as f64 + 0.2 * category as f64,
        n_runs: if undefined { 0 } else { shape.n_runs },
        r: kept(0.4),
        r_lesioned: kept(0.4 + delta),
        delta: kept(delta),
        delta_sd: kept(0.004 + 0.02 * (noise(&[layer, target, subset]) + 0.5))
            .filter(|_| shape.n_runs > 1),
        p_random: kept(p).filter(|_| shape.tests),
        p_corrected: kept((1.5 * p).min(1.0)).filter(|_| shape.tests),
        p_permutation: kept((1.2 * p).min(1.0)).filter(|_| shape.tests),
        random_mean: kept(-0.004).filter(|_| shape.tests),
        random_sd: kept(0.015).filter(|_| shape.tests),
        note: undefined.then(|| "all filters are sensitive, so that ratings are constant".into()),
    }
}

fn matrix(shape: &Valence, seed: usize, diagonal: Option<f64>) -> CategoryMatrix {
    let n = shape.categories.len();
    let value = |a: usize, b: usize| match a == b {
        true => diagonal,
        false if shape.gaps && a + b == 3 => None,
        false => Some((0.45 + 0.9 * noise(&[seed, a, b])).clamp(0.0, 1.0)),
    };
    let count = |a: usize, b: usize| {
        let (a, b) = (a.min(b), a.max(b));
        (40.0 + 60.0 * noise(&[a, b])) as usize
    };
    CategoryMatrix {
        values: (0..n)
            .map(|a| (0..n).map(|b| value(a, b)).collect())
            .collect(),
        n_stimuli: (0..n)
            .map(|a| (0..n).map(|b| count(a, b)).collect())
            .collect(),
    }
}

fn overlay(shape: &Valence, idx: usize) -> ObjectOverlay {
    let n = shape.categories.len();
    let size = [[320, 240], [240, 320]][idx % 2];
    let mark = |k: usize| {
        let at =
            |part: usize, extent: u32| f64::from(extent) * (0.45 * (noise(&[idx, k, part]) + 0.5));
        let (left, top) = (at(0, size[0]), at(1, size[1]));
        OverlayBox {
            edges: [
                left,
                top,
                left + 20.0 + at(2, size[0]),
                top + 20.0 + at(3, size[1]),
            ],
            class: ["Person", "Human face", "Car", "Beach"][k % 4].into(),
            category: (k != 3).then_some(k % n),
            importance: (k != 2).then_some(0.9 - 0.2 * k as f64),
        }
    };
    ObjectOverlay {
        stimulus: format!("{:03}", idx + 1),
        map: "squeezenet1_1 features.12".into(),
        picture: thumbnail(idx, idx),
        size,
        boxes: (0..4).map(mark).collect(),
    }
}

/// The objects' part.
pub fn objects(shape: &Valence) -> ObjectsRecord {
    let layers: Vec<LesionedLayer> = layers(shape)
        .into_iter()
        .map(|(model, layer, is_last)| LesionedLayer {
            model: model.into(),
            layer,
            is_last,
            n_filters: 128,
            n_runs: shape.n_runs,
        })
        .collect();
    let (n_layers, n_categories) = (layers.len(), shape.categories.len());
    let (n_subsets, n_targets) = (shape.subsets.len(), shape.targets.len());
    let mut effects = Vec::new();
    let mut importance = Vec::new();
    for layer in 0..n_layers {
        for category in 0..n_categories {
            for subset in 0..n_subsets {
                for target in 0..n_targets {
                    effects.push(effect(shape, [layer, category, subset, target], 128));
                }
            }
            let is_there = !(shape.gaps && category == 2);
            importance.push(CategoryImportance {
                layer,
                category,
                mean: is_there.then(|| 0.4 + 0.4 * noise(&[layer, category])),
                sd: is_there.then(|| 0.12 + 0.1 * noise(&[layer, category, 1])),
                n_stimuli: if is_there { 33 } else { 0 },
            });
        }
    }
    ObjectsRecord {
        settings: ObjectsSettings {
            boxes: "yolov3-openimages".into(),
            min_score: 0.3,
            sign: "positive".into(),
            scaling: "max".into(),
            scale_over: "layer".into(),
            summary: "mean".into(),
            over_boxes: "max".into(),
            classes: "any".into(),
            cut: "above 0.3".into(),
            min_images: 5,
            lesion: "zero".into(),
            elsewhere: None,
            network: "cut".into(),
            correlation: "pearson".into(),
            random_sets: if shape.tests { 200 } else { 0 },
            permutations: if shape.tests { 200 } else { 0 },
            correction: if shape.tests { "fdr" } else { "none" }.into(),
            alpha: 0.05,
        },
        categories: (0..n_categories)
            .map(|idx| ObjectCategory {
                name: shape.categories[idx].into(),
                classes: vec!["Person".into(); idx + 1],
                n_stimuli: 30 + idx,
                n_boxes: 60 + idx,
            })
            .collect(),
        layers,
        targets: (0..n_targets)
            .map(|idx| ObjectTarget {
                name: shape.targets[idx].into(),
                kind: kind(idx),
                is_simulated: shape.simulated && idx > 0,
            })
            .collect(),
        subsets: subsets(shape),
        effects,
        importance,
        overlap: matrix(shape, 1, None),
        co_occurrence: matrix(shape, 2, Some(1.0)),
        overlays: (0..5).map(|idx| overlay(shape, idx)).collect(),
        notes: match shape.gaps {
            true => vec!["3 classes are shown by too few stimuli".into()],
            false => vec![],
        },
    }
}

/// A record with both parts.
pub fn valence(shape: &Valence) -> Record {
    let plain = Shape {
        title: "Valence of social scenes",
        models: shape.models.clone(),
        targets: vec![],
        categories: shape.subsets.iter().skip(1).copied().collect(),
        n_stimuli: shape.n_stimuli,
        thumbnails: false,
        ..Shape::default()
    };
    let mut record = super::record(&plain);
    record.answer = "The ratings of squeezenet1_1 follow True best.".into();
    record.analyses = vec![
        AnalysisRecord::Appraisal(Box::new(appraisal(shape))),
        AnalysisRecord::Objects(Box::new(objects(shape))),
    ];
    record
}
