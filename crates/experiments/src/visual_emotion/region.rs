//! How nuclei, encoder and models of emotion agree with a region of the brain.

use consilience_core::{EmotionRegion, GeometryCurve, RegionAgreement};
use consilience_methods::emotion::{RegionRdms, RegionRsaParams, region_rsa};
use ndarray::{Array2, Axis};

use crate::error::Result;

/// An RDM that is compared with a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// What it is of.
    pub name: String,
    /// `"nucleus"`, `"encoder"` or `"model"`.
    pub of: &'static str,
    /// Strict upper triangle.
    pub rdm: Vec<f64>,
    /// Whether partial scores control for it.
    pub is_control: bool,
}

/// A region as it is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// Name in the study.
    pub name: &'a str,
    /// Whether it is simulated.
    pub is_simulated: bool,
}

/// Compares candidates with a region.
///
/// # Definition
///
/// As [`region_rsa`]; a candidate that is a control has no partial score.
///
/// # Errors
///
/// Those of [`region_rsa`].
pub fn region(
    named: &Named<'_>,
    found: &RegionRdms,
    candidates: &[Candidate],
    curve: GeometryCurve,
    params: &RegionRsaParams,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<(EmotionRegion, Vec<String>)> {
    let rows = |which: &[&Candidate]| {
        let mut all = Array2::zeros((which.len(), found.group.len()));
        for (mut row, candidate) in all.axis_iter_mut(Axis(0)).zip(which) {
            row.assign(&ndarray::ArrayView1::from(&candidate.rdm));
        }
        all
    };
    let controls: Vec<&Candidate> = candidates.iter().filter(|c| c.is_control).collect();
    let others: Vec<&Candidate> = candidates.iter().filter(|c| !c.is_control).collect();
    let none = Array2::zeros((0, found.group.len()));
    let (of_controls, of_others) = (rows(&controls), rows(&others));
    let controlled = region_rsa(
        of_others.view(),
        of_controls.view(),
        found,
        params,
        progress,
    )?;
    let bare = match controls.is_empty() {
        true => None,
        false => Some(region_rsa(
            of_controls.view(),
            none.view(),
            found,
            params,
            progress,
        )?),
    };
    let agreement =
        |candidate: &Candidate, rsa: &consilience_methods::emotion::RegionRsa, row: usize| {
            let score = &rsa.models[row];
            RegionAgreement {
                name: candidate.name.clone(),
                of: candidate.of.to_owned(),
                rho: Some(score.score),
                p: Some(score.p),
                partial: score.partial,
                partial_p: score.partial_p,
                estimate: rsa.subjects.models[row].estimate.clone(),
            }
        };
    let (mut next, mut next_control) = (0, 0);
    let scores = candidates
        .iter()
        .map(|candidate| match (&bare, candidate.is_control) {
            (Some(bare), true) => {
                next_control += 1;
                agreement(candidate, bare, next_control - 1)
            }
            _ => {
                next += 1;
                agreement(candidate, &controlled, next - 1)
            }
        });
    let scores = scores.collect();
    let notes = controlled.subjects.notes.iter();
    let notes = notes
        .map(|note| format!("{}: {note}", named.name))
        .collect();
    let region = EmotionRegion {
        name: named.name.to_owned(),
        is_simulated: named.is_simulated,
        n_subjects: found.subjects.nrows(),
        ceiling: controlled.subjects.ceiling,
        controls: controls.iter().map(|c| c.name.clone()).collect(),
        scores,
        curve,
    };
    Ok((region, notes))
}
