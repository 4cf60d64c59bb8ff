//! The figures of RSA.

mod bars;
mod curves;

use consilience_core::{RsaRecord, RsaTarget, StimulusRecord};

use super::scores;
use crate::{
    figures::{Order, Plate, mds, rdms},
    view,
};

pub(crate) fn plates(analysis: &str, rsa: &RsaRecord, stimuli: &[StimulusRecord]) -> Vec<Plate> {
    vec![
        curves::plate(analysis, rsa),
        bars::plate(analysis, rsa),
        rdms::plate(analysis, &rsa.rdms, stimuli, Order::Categories),
        mds::plate(analysis, &rsa.maps, stimuli, Order::Categories),
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
