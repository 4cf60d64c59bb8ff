//! What ratings are compared with: given numbers, and those that are read from responses.

use consilience_core::{RatingReliability, RatingTarget};
use consilience_methods::NanPolicy;
use consilience_methods::appraisal::{
    BrainRatings, brain_ratings, reliability_of_means, target_reliability,
};
use consilience_methods::reliability::ReliabilityParams;
use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, Key};
use crate::plan::PlannedRating;
use crate::prepare::{Prepared, RatingSource};
use crate::{Result, StudyError};

/// Resamples of stimuli behind the interval of a reliability.
const RELIABILITY_RESAMPLES: usize = 1000;

/// What was read from responses, as the cache keeps it.
#[derive(Serialize, Deserialize)]
struct ReadRatings {
    mean: Vec<f64>,
    /// A list for each subject (or one of all).
    subjects: Vec<Vec<f64>>,
    r: Option<f64>,
    notes: Vec<String>,
}

/// Targets with their numbers, by their positions in the plan.
pub fn rating_targets(
    prepared: &Prepared,
    targets: &[usize],
    cache: &Cache,
) -> Result<Vec<RatingTarget>> {
    let targets = targets.iter();
    targets
        .map(|&target| rating_target(prepared, target, cache))
        .collect()
}

fn rating_target(prepared: &Prepared, idx: usize, cache: &Cache) -> Result<RatingTarget> {
    let planned = &prepared.plan.ratings[idx];
    let loaded = &prepared.ratings[idx];
    let mut notes = loaded.notes.clone();
    let values = match &loaded.source {
        RatingSource::Given(given) => given.mean.clone(),
        RatingSource::Responses(_) => {
            let read = read_ratings(prepared, idx, cache)?;
            notes.push(match read.r {
                Some(r) => {
                    format!("read from responses; correlation with what they were read for: {r:.2}")
                }
                None => "read from responses, without a correlation with what they were read for"
                    .to_owned(),
            });
            notes.extend(read.notes);
            notes.push(
                "without a signal, such predictions correlate a little below 0 with the ratings and with what follows them"
                    .to_owned(),
            );
            read.mean
        }
    };
    let all: Vec<usize> = (0..values.len()).collect();
    let reliability = match reliability(prepared, idx, &all, cache) {
        Ok(found) => found,
        Err(why) => {
            notes.push(format!("no reliability: {why}"));
            None
        }
    };
    Ok(RatingTarget {
        name: planned.name.clone(),
        kind: planned.kind,
        n_subjects: planned.n_subjects,
        is_simulated: planned.is_simulated,
        values,
        reliability,
        notes,
    })
}

fn read_ratings(prepared: &Prepared, idx: usize, cache: &Cache) -> Result<ReadRatings> {
    let planned = &prepared.plan.ratings[idx];
    let (Some((reads, params)), RatingSource::Responses(subjects)) =
        (&planned.reads, &prepared.ratings[idx].source)
    else {
        unreachable!("only responses are read from");
    };
    let read: &PlannedRating = &prepared.plan.ratings[*reads];
    let key = Key::new(
        "brain-ratings",
        &(&planned.blake3, &read.blake3, format!("{params:?}")),
    );
    if let Some(done) = cache.json("ratings", &key) {
        return Ok(done);
    }
    let RatingSource::Given(given) = &prepared.ratings[*reads].source else {
        unreachable!("what is read is given");
    };
    let views: Vec<ArrayView2<'_, f64>> = subjects.iter().map(|s| s.view()).collect();
    let found: BrainRatings =
        brain_ratings(&views, &given.mean, params).map_err(|source| StudyError::Target {
            target: planned.name.clone(),
            source: Box::new(source),
        })?;
    let done = ReadRatings {
        subjects: found
            .predictions
            .rows()
            .into_iter()
            .map(|row| row.to_vec())
            .collect(),
        mean: found.mean,
        r: found.r,
        notes: found.notes,
    };
    cache.put_json("ratings", &key, &done)?;
    Ok(done)
}

/// Reliability of a target over some stimuli; `None` where there are no several raters, or why there is none.
pub fn reliability(
    prepared: &Prepared,
    idx: usize,
    stimuli: &[usize],
    cache: &Cache,
) -> std::result::Result<Option<RatingReliability>, String> {
    let seed = prepared.plan.seed;
    let params = ReliabilityParams {
        resamples: RELIABILITY_RESAMPLES,
        seed,
        nan: NanPolicy::Omit,
        ..ReliabilityParams::default()
    };
    let of_columns = |ratings: Array2<f64>| {
        let found = target_reliability(ratings.select(Axis(0), stimuli).view(), &params);
        found.map(|found| Some(found.reliability))
    };
    let found = match &prepared.ratings[idx].source {
        RatingSource::Given(given) => match &given.spread {
            Some((sds, counts)) => {
                let of = |all: &[f64]| stimuli.iter().map(|&i| all[i]).collect::<Vec<f64>>();
                let counts: Vec<usize> = stimuli.iter().map(|&i| counts[i]).collect();
                let (means, sds) = (of(&given.mean), of(sds));
                reliability_of_means(&means, &sds, &counts, RELIABILITY_RESAMPLES, seed).map(Some)
            }
            None if given.raters.ncols() > 1 => of_columns(given.raters.clone()),
            None => Ok(None),
        },
        RatingSource::Responses(_) => {
            let read = read_ratings(prepared, idx, cache).map_err(|e| e.to_string())?;
            match read.subjects.len() {
                0 | 1 => Ok(None),
                n => of_columns(Array2::from_shape_fn((read.mean.len(), n), |(i, s)| {
                    read.subjects[s][i]
                })),
            }
        }
    };
    found.map_err(|e| e.to_string())
}
