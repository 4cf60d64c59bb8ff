//! Modules, what they learn, how they predict, and how they differ.

use consilience_core::{
    EmotionEpoch, EmotionModule, EmotionPictureSet, EmotionQuantiles, EmotionRating, EmotionRun,
    ModuleComparison, NucleusInfo, PlaneScore, PredictionScore,
};

use super::Emotion;
use crate::common::{hash, valence::noise};

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

pub fn ratings(shape: &Emotion) -> Vec<EmotionRating> {
    let of = |(idx, name): (usize, &&str)| EmotionRating {
        name: (*name).into(),
        scale: [1.0, 7.0],
        values: (0..shape.n_stimuli).map(|s| given(idx, s)).collect(),
        ceiling: (!shape.gaps || idx == 0).then_some(0.996 - 0.016 * idx as f64),
    };
    shape.ratings.iter().enumerate().map(of).collect()
}

pub fn given(rating: usize, stimulus: usize) -> f64 {
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

pub fn score(shape: &Emotion, r: f64, seed: usize) -> PredictionScore {
    let undefined = shape.gaps && seed % 3 == 1;
    let kept = |value: f64| (!undefined).then_some(value);
    let over = |value: f64| kept(value).filter(|_| shape.n_repeats > 1);
    PredictionScore {
        r: kept(r),
        r_sd: over(0.02),
        r_of_mean: kept(r + 0.02),
        r_interval: kept(r).map(|r| [r - 0.12, r + 0.1]),
        spearman: kept(r - 0.02),
        spearman_sd: over(0.025),
        spearman_of_mean: kept(r + 0.01),
        rmse: 1.4 - 0.6 * r,
        r2: r * r - 0.1,
        rmse_refit: kept(1.3 - 0.6 * r),
        r2_refit: kept(r * r),
    }
}

/// Other pictures, where there is no cross-validation to speak of.
pub fn training(shape: &Emotion) -> Vec<EmotionPictureSet> {
    let set = |name: &str, scale| EmotionPictureSet {
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

pub fn module(shape: &Emotion, idx: usize) -> EmotionModule {
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

pub fn comparisons(shape: &Emotion, n_modules: usize) -> Vec<ModuleComparison> {
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
