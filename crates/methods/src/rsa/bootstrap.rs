//! Scores and ceilings on resampled subjects and conditions.

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;
use rayon::prelude::*;

use super::ceiling::Pool;
use super::compare::scores;
use super::params::Bootstrap;
use super::row::{Row, Source};
use super::sample::Sample;
use super::similarity::Similarity;

/// Fewest different conditions with which a resample is evaluated, as in rsatoolbox.
const MIN_DISTINCT_CONDITIONS: usize = 3;

/// Models and subjects over the same conditions.
pub(super) struct Problem<'a> {
    pub models: &'a Source<'a>,
    pub data: &'a Source<'a>,
    pub n_conditions: usize,
    /// Pairs that no RDM lacks.
    pub present: &'a [bool],
    pub similarity: Similarity,
}

/// How often each subject and each condition is drawn.
#[derive(Clone)]
pub(super) struct Draw {
    pub subjects: Vec<u32>,
    pub conditions: Vec<u32>,
}

impl Draw {
    /// The draw of resample `index`.
    pub fn new(seed: u64, index: u64, n_subjects: usize, n_conditions: usize) -> Self {
        Self {
            subjects: Stream::new(seed, Domain::Subjects, index).multiplicities(n_subjects),
            conditions: Stream::new(seed, Domain::Conditions, index).multiplicities(n_conditions),
        }
    }
}

/// The score of each model (mean over subjects), then the lower and the upper ceiling.
pub(super) type Evaluation = Vec<f64>;

/// Models and subjects on one sample of conditions.
struct Scored {
    sample: Sample,
    subjects: Vec<Row>,
    /// `(n_models, n_subjects)`.
    scores: Array2<f64>,
}

impl Scored {
    /// `None` when some RDM is undefined on the sample.
    fn new(problem: &Problem<'_>, sample: Sample) -> Option<Self> {
        let defined = |source: &Source| -> Option<Vec<Row>> {
            source.on(&sample, problem.similarity).into_iter().collect()
        };
        let subjects = defined(problem.data)?;
        let models = defined(problem.models)?;
        let scores = scores(&models, &subjects, &sample, problem.similarity);
        Some(Self {
            sample,
            subjects,
            scores,
        })
    }

    fn pool(&self, problem: &Problem<'_>) -> Pool<'_> {
        Pool::new(
            problem.data,
            &self.subjects,
            &self.sample,
            problem.similarity,
        )
    }

    fn evaluate(&self, pool: &Pool<'_>, multiplicities: &[u32]) -> Option<Evaluation> {
        let ceiling = pool.ceiling(multiplicities)?;
        let n: u32 = multiplicities.iter().sum();
        let mut evaluation: Evaluation = self
            .scores
            .rows()
            .into_iter()
            .map(|row| {
                row.iter()
                    .zip(multiplicities)
                    .map(|(s, &m)| s * f64::from(m))
                    .sum::<f64>()
                    / f64::from(n)
            })
            .collect();
        evaluation.extend([ceiling.lower, ceiling.upper]);
        Some(evaluation)
    }
}

/// Evaluations of every draw; `None` for a draw that had to be skipped.
///
/// A draw gives one evaluation for `subjects` and for `conditions`; for `both` it gives three, of the
/// same draw: both resampled, subjects only, conditions only.
pub(super) fn evaluations(
    problem: &Problem<'_>,
    bootstrap: Bootstrap,
    draws: &[Draw],
    done: &(dyn Fn(usize) + Sync),
) -> Vec<Option<Vec<Evaluation>>> {
    let everyone = vec![1; problem.data.len()];
    let whole = matches!(bootstrap, Bootstrap::Subjects | Bootstrap::Both)
        .then(|| {
            Scored::new(
                problem,
                Sample::whole(problem.n_conditions, problem.present),
            )
        })
        .flatten();
    let whole_pool = whole.as_ref().map(|scored| scored.pool(problem));
    let on_all_conditions = |subjects: &[u32]| -> Option<Evaluation> {
        whole.as_ref()?.evaluate(whole_pool.as_ref()?, subjects)
    };
    let on_drawn_conditions = |conditions: &[u32]| -> Option<Scored> {
        let sample = Sample::resampled(conditions.to_vec(), problem.present);
        let enough = sample.n_distinct() >= MIN_DISTINCT_CONDITIONS;
        enough.then(|| Scored::new(problem, sample)).flatten()
    };
    draws
        .par_iter()
        .map(|draw| {
            let evaluations = match bootstrap {
                Bootstrap::None => Some(Vec::new()),
                Bootstrap::Subjects => on_all_conditions(&draw.subjects).map(|e| vec![e]),
                Bootstrap::Conditions => on_drawn_conditions(&draw.conditions)
                    .and_then(|scored| scored.evaluate(&scored.pool(problem), &everyone))
                    .map(|e| vec![e]),
                Bootstrap::Both => on_drawn_conditions(&draw.conditions).and_then(|scored| {
                    let pool = scored.pool(problem);
                    Some(vec![
                        scored.evaluate(&pool, &draw.subjects)?,
                        on_all_conditions(&draw.subjects)?,
                        scored.evaluate(&pool, &everyone)?,
                    ])
                }),
            };
            done(1);
            evaluations
        })
        .collect()
}
