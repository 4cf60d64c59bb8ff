//! Correction of results in place.

use consilience_stats::correction::corrected;

use crate::rsa::Correction;

/// Fills in corrected values for all p that exist.
pub(crate) fn correct<'a>(
    tests: impl Iterator<Item = (Option<f64>, &'a mut Option<f64>)>,
    correction: Correction,
) {
    let (p, slots): (Vec<f64>, Vec<&mut Option<f64>>) =
        tests.filter_map(|(p, slot)| Some((p?, slot))).unzip();
    let all = correction
        .procedure()
        .map_or_else(|| p.clone(), |procedure| corrected(&p, procedure));
    for (slot, value) in slots.into_iter().zip(all) {
        *slot = Some(value);
    }
}
