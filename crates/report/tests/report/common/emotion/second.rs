//! Units in a second set of pictures.

use consilience_core::{
    EmotionBin, EmotionPictureSet, EmotionSecondSet, NucleusConsistency, NucleusInfo, UnitOverlap,
    UnitPreference,
};

use super::{Emotion, units::BINS};
use crate::common::hash;

/// A second set in which one bin more has too few pictures.
pub fn second(shape: &Emotion, nuclei: &[NucleusInfo]) -> EmotionSecondSet {
    let bins: Vec<EmotionBin> = (BINS.iter().enumerate())
        .map(|(k, (name, n))| EmotionBin {
            name: (*name).into(),
            n: if k == 4 { 7 } else { n + 5 },
            is_kept: k != 4,
        })
        .collect();
    let is_shared = |bin: &&EmotionBin| bin.is_kept && bin.name != "LN";
    let shared: Vec<String> = (bins.iter().filter(is_shared))
        .map(|bin| bin.name.clone())
        .collect();
    let total: usize = nuclei.iter().map(|n| n.width).sum();
    let several = nuclei.iter().map(|n| (n.name.as_str(), n.width));
    let all = several.chain([("all", total)]).enumerate();
    EmotionSecondSet {
        set: EmotionPictureSet {
            name: match shape.simulated {
                true => "naps".into(),
                false => "pictures of other everyday scenes, rated in another laboratory".into(),
            },
            images: "naps/*.jpg".into(),
            scale: [1.0, 9.0],
            n_pictures: 350,
            n_unrated: 2,
            n_absent: 3,
            n_repeated: 1,
            n_stimuli: 4,
        },
        n_learnt: 5,
        nuclei: all
            .map(|(idx, (nucleus, n_units))| NucleusConsistency {
                nucleus: nucleus.into(),
                n_units,
                overlaps: (shared.iter().map(String::as_str).chain(["any"]).enumerate())
                    .map(|(k, bin)| overlap(shape, bin, n_units as f64, idx * 17 + k, k % 3 == 1))
                    .collect(),
                preference: preference(shape, n_units as f64, idx),
            })
            .collect(),
        bins,
        shared,
    }
}

/// Sets of about a twentieth of the units, of which half or no more than by chance are in both.
fn overlap(shape: &Emotion, bin: &str, n: f64, seed: usize, is_chance: bool) -> UnitOverlap {
    let size = if bin == "any" { 0.3 } else { 0.05 };
    let first = (n * size * (0.5 + hash(seed as u64))).round();
    let second = (n * size * (0.5 + hash(seed as u64 + 500))).round();
    let expected = first * second / n;
    let both = match is_chance {
        true => expected.round(),
        false => (0.5 * first.min(second)).round(),
    };
    let is_there = !(shape.gaps && is_chance);
    UnitOverlap {
        bin: bin.into(),
        first,
        second,
        both,
        both_sd: (shape.n_repeats > 1).then_some(0.8),
        expected,
        kept: is_there.then_some(both / first),
        jaccard: is_there.then_some(both / (first + second - both)),
        p: if is_chance { 0.41 } else { 0.0004 },
    }
}

fn preference(shape: &Emotion, n: f64, idx: usize) -> UnitPreference {
    let is_there = !(shape.gaps && idx == 1);
    UnitPreference {
        same: is_there.then_some(0.2 + 0.1 * (idx % 3) as f64),
        shuffled: is_there.then_some(0.14),
        shuffled_sd: is_there.then_some(0.03),
        p: is_there.then_some(if idx.is_multiple_of(3) { 0.2 } else { 0.005 }),
        genuine: (0.2 * n).round(),
        genuine_expected: 0.11 * n,
    }
}
