//! Geometry of nuclei and of regions of the brain.

use consilience_core::{
    Ceiling, DisplayRdm, EmotionModule, EmotionRegion, Estimate, GeometryCurve, MdsMap,
    RegionAgreement, pairs,
};

use super::{Emotion, modules::given};
use crate::common::{hash, valence::noise};

pub fn curve(shape: &Emotion, nucleus: &str, model: &str, seed: usize) -> GeometryCurve {
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

pub fn region(shape: &Emotion, idx: usize, main: &EmotionModule) -> EmotionRegion {
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

pub fn rdm(shape: &Emotion, title: &str, seed: usize) -> DisplayRdm {
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

pub fn map(shape: &Emotion, title: &str, seed: usize) -> MdsMap {
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
