//! RDMs from arrangements.

use anyhow::Result;
use consilience_core::{Trial, Trials};
use consilience_io::npy;
use consilience_methods::arrangement::{ArrangementParams, Estimator, fit};
use ndarray::{Array3, Axis};

use super::Work;

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("inverse-mds", &[positions]) => inverse_mds(positions)?,
        _ => return Ok(None),
    }))
}

/// Places `(n_trials, n_items, 2)`, NaN for items that a trial lacks; the numbers are the RDM.
fn inverse_mds(positions: &str) -> Result<Work> {
    let positions: Array3<f64> = npy::read(positions)?.into_f64().into_dimensionality()?;
    let names = (0..positions.dim().1).map(|idx| idx.to_string()).collect();
    let placed = positions.axis_iter(Axis(0)).enumerate().map(|(t, places)| {
        let (items, positions) = (places.rows().into_iter().enumerate())
            .filter(|(_, place)| !place[0].is_nan())
            .map(|(item, place)| (item, [place[0], place[1]]))
            .unzip();
        Trial {
            name: t.to_string(),
            items,
            positions,
        }
    });
    let trials = Trials::new(names, placed.collect())?;
    let params = ArrangementParams {
        estimator: Estimator::InverseMds,
        ..ArrangementParams::default()
    };
    Ok(Box::new(move || Ok(fit(&trials, &params)?.vector)))
}
