//! Whether a record of RSA fits together.

use consilience_core::{RsaRecord, pairs};

use crate::{
    Result,
    analyses::check::{same, within},
};

pub(crate) fn check(rsa: &RsaRecord, n_stimuli: usize) -> Result<()> {
    let n = rsa.predictors.len();
    for target in &rsa.targets {
        let name = &target.name;
        same(format!("scores of {name:?}"), n, target.scores.len())?;
        let rows = &target.p_difference;
        if !rows.is_empty() {
            same(format!("rows of differences of {name:?}"), n, rows.len())?;
            for row in rows {
                same(format!("columns of differences of {name:?}"), n, row.len())?;
            }
        }
        if let Some(best) = target.best {
            within(format!("best predictor of {name:?}"), best, n)?;
        }
    }
    for rdm in &rsa.rdms {
        let what = format!("pairs of RDM {:?}", rdm.title);
        same(what, pairs::n_pairs(rdm.n), rdm.ranks.len())?;
    }
    for map in &rsa.maps {
        let what = format!("points of map {:?}", map.title);
        same(what, n_stimuli, map.points.len())?;
    }
    Ok(())
}
