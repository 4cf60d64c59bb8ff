//! Selective units and geometry of valence and arousal.

use anyhow::{Context, Result};
use consilience_methods::emotion::{
    BinParams, BinSelectivityParams, Edges, EmotionModel, Geometry, GeometryParams,
    bin_selectivity, bins, emotion_rdm,
};
use consilience_methods::rdm::Patterns;
use ndarray::{Array1, Axis};

use super::{Work, matrix, single};

pub(super) fn prepare(task: &str, inputs: &[&str]) -> Result<Option<Work>> {
    Ok(Some(match (task, inputs) {
        ("bin-selectivity", &[responses, ratings, resamples]) => {
            selectivity(responses, ratings, resamples)?
        }
        ("geometry", &[patterns, ratings, sets]) => geometry(patterns, ratings, sets)?,
        _ => return Ok(None),
    }))
}

/// The numbers are the counts of all bins, then their standard errors.
fn selectivity(responses: &str, ratings: &str, resamples: &str) -> Result<Work> {
    let (responses, ratings) = (matrix(responses)?, matrix(ratings)?);
    let params = BinParams {
        valence: Edges::Tertiles,
        arousal: Edges::Tertiles,
        ..BinParams::default()
    };
    let [valence, arousal] = [0, 1].map(|axis| ratings.column(axis).to_vec());
    let bins = bins(&valence, Some(&arousal), &params)?;
    let params = BinSelectivityParams {
        resamples: resamples.parse().context("RESAMPLES is a whole number")?,
        ..BinSelectivityParams::default()
    };
    Ok(Box::new(move || {
        let found = bin_selectivity(responses.view(), &bins, &[], &params)?;
        let counts = &found.layers[0].bins;
        let n = counts.iter().map(|count| count.n as f64);
        let sem = counts.iter().map(|count| count.sem.unwrap_or(f64::NAN));
        Ok(n.chain(sem).collect())
    }))
}

/// One set of patterns as often as there are layers and epochs; its RDM is made anew each time.
fn geometry(patterns: &str, ratings: &str, sets: &str) -> Result<Work> {
    let (patterns, ratings) = (single(patterns)?, matrix(ratings)?);
    let n_sets: usize = sets.parse().context("SETS is a whole number")?;
    let [valence, arousal] = [0, 1].map(|axis| ratings.column(axis).to_vec());
    let bins = bins(&valence, Some(&arousal), &BinParams::default())?;
    Ok(Box::new(move || {
        let model = emotion_rdm(EmotionModel::Plane, &valence, &arousal, &bins)?;
        let model = Array1::from(model).insert_axis(Axis(0));
        let geometry = Geometry::new(model.view(), &GeometryParams::default())?;
        let sets = vec![Patterns::F32(patterns.view()); n_sets];
        Ok(geometry.scores(&sets)?.into_iter().collect())
    }))
}
