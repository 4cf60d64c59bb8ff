//! Selective units, and what becomes of predictions without them.

use consilience_core::{
    CategoryReadOut, ConnectionLesion, EmotionModule, GainCurve, GainedReadOut, NucleusInfo,
    NucleusSelectivity, SelectiveCount,
};

use super::Emotion;
use crate::common::{hash, valence::noise};

/// Bins with their stimuli; the second last has too few.
pub const BINS: [(&str, usize); 9] = [
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

pub fn selectivity(shape: &Emotion, nuclei: &[NucleusInfo]) -> Vec<NucleusSelectivity> {
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

pub fn gains(shape: &Emotion, main: &EmotionModule) -> Vec<GainCurve> {
    let gains: Vec<f64> = (-2..=10).map(|k| 0.5 * f64::from(k)).collect();
    let names = main.nuclei.iter().map(|n| n.name.as_str()).chain(["all"]);
    let mut out = Vec::new();
    for (n, nucleus) in names.enumerate() {
        let kinds = match shape.consistent {
            true => &[Some("both sets"), Some("stimuli only")][..],
            false => &[None],
        };
        // Whole nuclei are of one kind.
        let bins = [
            "HN", "HP", "any", "whole", "HM", "MN", "MM", "MP", "LM", "LP",
        ];
        let sets = bins.into_iter().flat_map(|units| {
            let n = if units == "whole" { 1 } else { kinds.len() };
            kinds[..n].iter().map(move |kind| (units, kind))
        });
        for (set, (units, kind)) in sets.enumerate() {
            let selective_in = kind.filter(|_| units != "whole").map(str::to_owned);
            for (k, rating) in shape.ratings.iter().enumerate() {
                let steep = 0.02 + 0.08 * hash((n * 5 + k + 50 * set) as u64);
                let r = |gain: f64| 0.7 - 0.1 * k as f64 - steep * gain * gain;
                let undefined = |at: usize| shape.gaps && at == 0;
                let is_whole = units == "whole";
                let random = |at: usize| !undefined(at) && !is_whole;
                let each = |f: &dyn Fn(usize) -> Option<f64>| (0..gains.len()).map(f).collect();
                out.push(GainCurve {
                    nucleus: nucleus.into(),
                    units: units.into(),
                    selective_in: selective_in.clone(),
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

pub fn connections(shape: &Emotion, of: &EmotionModule) -> Vec<ConnectionLesion> {
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

pub fn read_outs(shape: &Emotion, of: &EmotionModule) -> Vec<CategoryReadOut> {
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
