//! Tables of units in two sets of pictures.

use consilience_core::EmotionRecord;

use super::picture_set;
use crate::csv::{Rows, field, number};

pub(super) const SETS: &str = "analysis,set,images,scale_low,scale_high,n_pictures,n_unrated,n_absent,n_repeated,n_stimuli,n_learnt";

pub(super) const OVERLAPS: &str =
    "analysis,nucleus,n_units,bin,first,second,both,both_sd,expected,kept,jaccard,p";

pub(super) const PREFERENCES: &str =
    "analysis,nucleus,n_units,same,shuffled,shuffled_sd,p,genuine,genuine_expected";

pub(super) fn sets(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    if let Some(second) = &emotion.second {
        let mut row = picture_set(analysis, &second.set).to_vec();
        row.push(second.n_learnt.to_string());
        rows.push(&row);
    }
}

pub(super) fn bins(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    if let Some(second) = &emotion.second {
        for bin in &second.bins {
            rows.push(&[
                analysis.to_owned(),
                field(&second.set.name),
                field(&bin.name),
                bin.n.to_string(),
                bin.is_kept.to_string(),
                second.shared.contains(&bin.name).to_string(),
            ]);
        }
    }
}

pub(super) fn overlaps(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for of in emotion.second.iter().flat_map(|set| &set.nuclei) {
        for overlap in &of.overlaps {
            rows.push(&[
                analysis.to_owned(),
                field(&of.nucleus),
                of.n_units.to_string(),
                field(&overlap.bin),
                number(Some(overlap.first)),
                number(Some(overlap.second)),
                number(Some(overlap.both)),
                number(overlap.both_sd),
                number(Some(overlap.expected)),
                number(overlap.kept),
                number(overlap.jaccard),
                number(Some(overlap.p)),
            ]);
        }
    }
}

pub(super) fn preferences(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for of in emotion.second.iter().flat_map(|set| &set.nuclei) {
        let found = &of.preference;
        rows.push(&[
            analysis.to_owned(),
            field(&of.nucleus),
            of.n_units.to_string(),
            number(found.same),
            number(found.shuffled),
            number(found.shuffled_sd),
            number(found.p),
            number(Some(found.genuine)),
            number(Some(found.genuine_expected)),
        ]);
    }
}
