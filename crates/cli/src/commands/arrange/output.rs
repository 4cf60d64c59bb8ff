//! What `consilience arrange` says of its results.

use std::io::Write;
use std::path::{Path, PathBuf};

use consilience::core::Trials;
use consilience::io::arrangement::Session;
use consilience::methods::arrangement::{Arrangement, ArrangementParams, ScreenUnit, Weighting};
use ndarray::{Array2, ArrayView1};
use serde_json::{Value, json};

/// Distances on the screen beyond which coordinates are hardly in units of the arena, whose diameter is at
/// most 2 of them.
const LARGEST_IN_ARENA: f64 = 2.5;

/// A row for each session.
pub(super) fn stacked(found: &[Arrangement], part: fn(&Arrangement) -> &Vec<f64>) -> Array2<f64> {
    let values: Vec<f64> = found.iter().flat_map(|f| part(f).iter().copied()).collect();
    Array2::from_shape_vec((found.len(), part(&found[0]).len()), values)
        .expect("sessions have the same items")
}

/// One list for one session, else a list of lists; NaN becomes null.
pub(super) fn rows(array: &Array2<f64>) -> Value {
    let list = |row: ArrayView1<'_, f64>| Value::from_iter(row.iter().copied());
    match array.nrows() {
        1 => list(array.row(0)),
        _ => array.rows().into_iter().map(list).collect(),
    }
}

pub(super) fn summary(
    sessions: &[Session],
    found: &[Arrangement],
    params: &ArrangementParams,
) -> Value {
    let listed: Vec<Value> = sessions
        .iter()
        .zip(found)
        .map(|(session, found)| {
            let trials: Vec<Value> = session
                .trials
                .iter()
                .flat_map(Trials::trials)
                .zip(found.scales.iter().zip(&found.misfits))
                .map(|(trial, (scale, misfit))| {
                    json!({
                        "trial": trial.name,
                        "n_items": trial.items.len(),
                        "scale": scale,
                        "misfit": misfit,
                    })
                })
                .collect();
            let least = found.evidence.iter().copied().fold(f64::INFINITY, f64::min);
            json!({
                "participant": session.participant,
                "task": session.task,
                "trials": trials,
                "least_evidence": least,
                "n_unseen": found.n_unseen,
                "n_omitted": session.n_omitted,
                "n_groups": found.n_groups,
                "largest_distance": found.largest_distance,
                "n_iterations": found.n_iterations,
                "change": found.change,
                "converged": found.converged,
            })
        })
        .collect();
    json!({
        "items": sessions[0].items,
        "sessions": listed,
        "weighting": params.weighting.to_string(),
        "arena": params.unit.to_string(),
        "floor": params.floor,
        "estimator": params.estimator.to_string(),
    })
}

/// Says what a reader of the RDM has to know.
pub(super) fn report(
    session: &Session,
    found: &Arrangement,
    params: &ArrangementParams,
    several: bool,
) {
    let of = if several {
        format!("{}: ", session.describe())
    } else {
        String::new()
    };
    if session.n_omitted > 0 {
        note(&format!("{of}{} places were left out", session.n_omitted));
    }
    if found.n_unseen > 0 {
        note(&format!(
            "{of}{} pairs are in no trial and have no dissimilarity (NaN, evidence 0)",
            found.n_unseen
        ));
    }
    if found.n_groups > 1 {
        note(&format!(
            "{of}the trials fall into {} groups that share no pair; the scale between them is that of the screen",
            found.n_groups
        ));
    }
    if !found.converged {
        note(&format!(
            "{of}not at rest after {} iterations (last mean squared change {:.1e}); raise --max-iterations",
            found.n_iterations, found.change
        ));
    }
    let in_evidence = params.weighting == Weighting::Evidence;
    if in_evidence && matches!(params.unit, ScreenUnit::Length(_)) {
        let largest = found.largest_distance;
        if largest > LARGEST_IN_ARENA {
            note(&format!(
                "{of}distances of up to {largest:.4} on the screen; evidence is meant for units of the arena, so that its floor has a meaning: give the size of the arena with --arena"
            ));
        }
    }
}

pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "note: {text}");
}

/// `D.weights.npy` for `D.npy`.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npy"))
    {
        path.with_extension("")
    } else {
        path.to_owned()
    }
    .into_os_string();
    name.push(".weights.npy");
    name.into()
}
