//! The figures of RSA.

mod bars;
mod curves;
mod mds;
mod rdms;

use consilience_core::{RsaRecord, RsaTarget, StimulusRecord};

use super::scores;
use crate::{
    figures::{KeyEntry, Mark, Plate},
    palette::Ink,
    view,
};

pub(crate) use mds::definitions as thumbnails;

pub(crate) fn plates(analysis: &str, rsa: &RsaRecord, stimuli: &[StimulusRecord]) -> Vec<Plate> {
    vec![
        curves::plate(analysis, rsa),
        bars::plate(analysis, rsa),
        rdms::plate(analysis, rsa, stimuli),
        mds::plate(analysis, rsa, stimuli),
    ]
}

/// The best score of a target as a subtitle.
fn best_line(rsa: &RsaRecord, target: &RsaTarget) -> String {
    let best = target
        .best
        .and_then(|idx| scores::estimate(target, idx).map(|e| (idx, e.value)));
    match best {
        Some((idx, value)) => {
            format!(
                "best: {} ({})",
                scores::predictor_name(rsa, idx),
                view::score(value)
            )
        }
        None if (0..rsa.predictors.len()).any(|idx| scores::estimate(target, idx).is_some()) => {
            "no best layer".to_owned()
        }
        None => "no score could be computed".to_owned(),
    }
}

/// Entries that explain the categories.
fn category_key(stimuli: &[StimulusRecord]) -> Vec<KeyEntry> {
    view::categories(stimuli)
        .into_iter()
        .enumerate()
        .map(|(idx, name)| KeyEntry::new(Mark::Swatch, Ink::Category(idx), name))
        .collect()
}
