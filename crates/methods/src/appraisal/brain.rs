//! Ratings of pictures read from patterns of the brain.

use consilience_stats::correlation::pearson;
use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rayon::prelude::*;

use super::{AppraisalError, BrainModel, BrainRatingsParams, FoldMeans, SubjectPooling};
use crate::encoding::{Folds, components_held_out, ridge_held_out};
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Ratings that voxels predict.
#[derive(Debug, Clone, PartialEq)]
pub struct BrainRatings {
    /// Prediction of each picture by models that did not see it, `(n_subjects, n_pictures)`; one row when voxels of
    /// subjects are pooled.
    pub predictions: Array2<f64>,
    /// One number for each picture: the mean over subjects.
    pub mean: Vec<f64>,
    /// Pearson correlation of the mean with the ratings; `None` when it is the same for all pictures.
    pub r: Option<f64>,
    /// What is behind each row of the predictions.
    pub subjects: Vec<SubjectRatings>,
    /// What was left out, and where the choices reached an end.
    pub notes: Vec<String>,
}

/// How well the voxels of a subject predict ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectRatings {
    /// Pearson correlation of predictions with ratings; `None` when they are the same for all pictures.
    pub r: Option<f64>,
    /// Voxels.
    pub n_voxels: usize,
    /// Voxels that do not vary in at least one training set, and are left out there.
    pub n_constant: usize,
    /// What was chosen for each fold: the penalty for one voxel, or the number of components; 0 for least squares.
    pub chosen: Vec<f64>,
    /// Folds that chose the smallest of several choices.
    pub n_smallest: usize,
    /// Folds that chose the largest of several choices.
    pub n_largest: usize,
}

/// Predicts the rating of each picture from the patterns of each subject, by models that did not see the picture.
///
/// # Shapes
///
/// A subject is `(n_pictures, n_voxels)`, with voxels of its own; `ratings` has a number for each picture.
///
/// # Definition
///
/// For each fold and subject, voxels are brought to mean 0 and standard deviation 1 (denominator n) over the other pictures, the
/// training set; voxels that do not vary there are left out. A linear model with an intercept is fitted to the
/// training set, and predicts the deviation of the held-out ratings from the mean of the training set:
///
/// - ridge: min ‖y − X·w‖² + a·v·‖w‖² with v voxels, where a is the penalty with the least squared error over inner
///   folds, of equals the largest
/// - least-squares: the same with a = 0
/// - components: least squares on the first k principal components, k chosen in the same way, of equals the smallest
///
/// Inner folds are made of the folds of the training set, dealt out in turn, so that pictures which share a fold stay
/// together. They use the scaling of the training set. The prediction is the deviation plus one mean for all folds, or plus that of
/// the training set ([`FoldMeans`]). Without a signal, the latter correlates with the ratings negatively: in the limit of a large penalty,
/// leaving out one picture at a time, with r = −1. Penalties that are chosen anew for each fold do so too, to a lesser degree; in the
/// plain mean over subjects this cancels in part, in that of z-scores it adds up. A single penalty does not.
///
/// That brain targets of the study of valence appraisal were made this way is a deduction: it says that linear models of fMRI
/// data gave them.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`], [`MethodsError::NonFinite`];
/// [`AppraisalError::ConstantRatings`], [`AppraisalError::ConstantVoxels`], [`AppraisalError::NothingPredicted`];
/// [`EncodingError`](crate::encoding::EncodingError) for folds, for least squares of at least as many voxels as pictures of a training set, and
/// for more components than there are.
///
/// # Example
///
/// ```
/// use consilience_methods::appraisal::{BrainRatingsParams, brain_ratings};
/// use ndarray::Array2;
///
/// let ratings: Vec<f64> = (0..20).map(|i| f64::from(i * 7 % 11)).collect();
/// let voxels = Array2::from_shape_fn((20, 30), |(i, j)| {
///     ratings[i] * (j % 3) as f64 + ((i * (j + 5) * 13) % 17) as f64
/// });
/// let found = brain_ratings(&[voxels.view()], &ratings, &BrainRatingsParams::default())?;
/// assert_eq!(found.subjects[0].chosen.len(), 20);
/// assert!(found.r.unwrap() > 0.8);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Hoerl & Kennard 1970, doi:10.1080/00401706.1970.10488634; Parker, Günter & Bedo 2007, doi:10.1186/1471-2105-8-326 (why
/// training means correlate negatively); Varma & Simon 2006, doi:10.1186/1471-2105-7-91 (why choices are made inside the training set).
///
/// # Peers
///
/// scikit-learn `StandardScaler`, then `Ridge`, `LinearRegression` or `PCA` with `LinearRegression`, in loops over folds: 1e-8.
pub fn brain_ratings(
    subjects: &[ArrayView2<'_, f64>],
    ratings: &[f64],
    params: &BrainRatingsParams,
) -> Result<BrainRatings> {
    params.validate()?;
    check(subjects, ratings)?;
    let n = ratings.len();
    let chooses = params.choices().len() > 1;
    let folds = match &params.folds {
        None => Folds::Contiguous(n).rows(n, chooses)?,
        Some(folds) => folds.rows(n, chooses)?,
    };
    let joined;
    let together;
    let subjects = match params.subjects {
        SubjectPooling::Pooled => {
            joined = concatenate(Axis(1), subjects).expect("all have as many rows");
            together = [joined.view()];
            &together[..]
        }
        SubjectPooling::Mean | SubjectPooling::ZScoredMean => subjects,
    };
    let y = Array2::from_shape_fn((n, 1), |(i, _)| ratings[i]);
    let tasks: Vec<(usize, usize)> = (0..subjects.len())
        .flat_map(|subject| (0..folds.len()).map(move |fold| (subject, fold)))
        .collect();
    let predicted: Vec<OfFold> = tasks
        .into_par_iter()
        .map(|(subject, fold)| {
            of_fold(subjects[subject], y.view(), &folds, fold, params)?
                .ok_or_else(|| AppraisalError::ConstantVoxels { subject, fold }.into())
        })
        .collect::<Result<_>>()?;

    let mut predictions = Array2::zeros((subjects.len(), n));
    let mut found = Vec::with_capacity(subjects.len());
    let mut notes = Vec::new();
    for (subject, of_folds) in predicted.chunks(folds.len()).enumerate() {
        for (rows, of_fold) in folds.iter().zip(of_folds) {
            for (&row, &value) in rows.iter().zip(&of_fold.predictions) {
                predictions[[subject, row]] = value;
            }
        }
        let row = predictions.row(subject).to_vec();
        let of = summary(&row, ratings, of_folds, subjects[subject].ncols(), params);
        of.notes(subject, params, &mut notes);
        found.push(of);
    }
    let mean = mean(&predictions, params.subjects, &mut notes)?;
    Ok(BrainRatings {
        r: pearson(&mean, ratings),
        predictions,
        mean,
        subjects: found,
        notes,
    })
}

fn check(subjects: &[ArrayView2<'_, f64>], ratings: &[f64]) -> Result<()> {
    at_least("subjects", 1, subjects.len())?;
    at_least("pictures with a rating", 3, ratings.len())?;
    let not_finite = |what, row, column, value| MethodsError::NonFinite {
        what,
        row,
        column,
        value,
        cure: "leave out the voxel or the picture",
    };
    if let Some(row) = ratings.iter().position(|v| !v.is_finite()) {
        return Err(not_finite("the ratings", row, 0, ratings[row]));
    }
    if ratings.iter().all(|v| *v == ratings[0]) {
        return Err(AppraisalError::ConstantRatings.into());
    }
    for voxels in subjects {
        let what = "pictures of a subject's patterns, one for each rating";
        same_count(what, ratings.len(), voxels.nrows())?;
        at_least("voxels of a subject", 1, voxels.ncols())?;
        if let Some(((row, column), &value)) = voxels.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(not_finite("a subject's patterns", row, column, value));
        }
    }
    Ok(())
}

/// What one training set of one subject gives.
struct OfFold {
    predictions: Vec<f64>,
    chosen: f64,
    /// Voxels that do not vary.
    constant: Vec<usize>,
}

/// `None` when no voxel varies.
fn of_fold(
    voxels: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    folds: &[Vec<usize>],
    fold: usize,
    params: &BrainRatingsParams,
) -> Result<Option<OfFold>> {
    let test = &folds[fold];
    let others = || (0..folds.len()).filter(|&other| other != fold);
    let mut train: Vec<usize> = others().flat_map(|f| folds[f].iter().copied()).collect();
    train.sort_unstable();
    let mut inner = vec![Vec::new(); params.inner.min(folds.len() - 1)];
    let n_inner = inner.len();
    for (at, other) in others().enumerate() {
        inner[at % n_inner].extend_from_slice(&folds[other]);
    }
    let (x, constant) = scaled(voxels, &train);
    if x.ncols() == 0 {
        return Ok(None);
    }
    let choices = params.choices();
    let held_out = match params.model {
        BrainModel::Ridge | BrainModel::LeastSquares => {
            let n_voxels = x.ncols() as f64;
            let alphas: Vec<f64> = choices.iter().map(|penalty| penalty * n_voxels).collect();
            ridge_held_out(x.view(), y, test, &inner, &alphas)?
        }
        BrainModel::Components => {
            let counts: Vec<usize> = choices.iter().map(|&k| k as usize).collect();
            components_held_out(x.view(), y, test, &inner, &counts)?
        }
    };
    let all: Vec<usize> = (0..y.nrows()).collect();
    let rows = match params.means {
        FoldMeans::Common => &all,
        FoldMeans::Training => &train,
    };
    let mean = rows.iter().map(|&row| y[[row, 0]]).sum::<f64>() / rows.len() as f64;
    Ok(Some(OfFold {
        predictions: (held_out.deviations.iter())
            .map(|deviation| mean + deviation)
            .collect(),
        chosen: choices[held_out.choice],
        constant,
    }))
}

/// All rows in units of the training set, and the voxels that do not vary there, which are left out.
fn scaled(voxels: ArrayView2<'_, f64>, train: &[usize]) -> (Array2<f64>, Vec<usize>) {
    let (mut kept, mut constant) = (Vec::new(), Vec::new());
    for (voxel, column) in voxels.columns().into_iter().enumerate() {
        let n = train.len() as f64;
        let first = column[train[0]];
        let mean = train.iter().map(|&row| column[row]).sum::<f64>() / n;
        let square: f64 = train.iter().map(|&row| (column[row] - mean).powi(2)).sum();
        let sd = (square / n).sqrt();
        let varies = train.iter().any(|&row| column[row] != first);
        match varies && sd > 0.0 && sd.is_finite() {
            true => kept.push((voxel, mean, sd)),
            false => constant.push(voxel),
        }
    }
    let x = Array2::from_shape_fn((voxels.nrows(), kept.len()), |(row, at)| {
        let (voxel, mean, sd) = kept[at];
        (voxels[[row, voxel]] - mean) / sd
    });
    (x, constant)
}

fn summary(
    predictions: &[f64],
    ratings: &[f64],
    of_folds: &[OfFold],
    n_voxels: usize,
    params: &BrainRatingsParams,
) -> SubjectRatings {
    let mut constant: Vec<usize> = (of_folds.iter())
        .flat_map(|of_fold| of_fold.constant.iter().copied())
        .collect();
    constant.sort_unstable();
    constant.dedup();
    let chosen: Vec<f64> = of_folds.iter().map(|of_fold| of_fold.chosen).collect();
    let choices = params.choices();
    let smallest = choices.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = choices.iter().copied().fold(0.0, f64::max);
    let count = |end: f64| match smallest < largest {
        true => chosen.iter().filter(|&&value| value == end).count(),
        false => 0,
    };
    SubjectRatings {
        r: pearson(predictions, ratings),
        n_voxels,
        n_constant: constant.len(),
        n_smallest: count(smallest),
        n_largest: count(largest),
        chosen,
    }
}

impl SubjectRatings {
    fn notes(&self, subject: usize, params: &BrainRatingsParams, notes: &mut Vec<String>) {
        let who = match params.subjects {
            SubjectPooling::Pooled => "all subjects' voxels".to_owned(),
            SubjectPooling::Mean | SubjectPooling::ZScoredMean => format!("subject {subject}"),
        };
        if self.n_constant > 0 {
            notes.push(format!(
                "{who}: {} of {} voxels do not vary in some training set and were left out there",
                self.n_constant, self.n_voxels
            ));
        }
        let n_folds = self.chosen.len();
        // A few folds at an end are no sign of a short grid.
        if params.model == BrainModel::Ridge {
            let least = params.penalties.contains(&0.0);
            for (n, end, why) in [
                (self.n_smallest, "smallest", "extend the grid downwards"),
                (
                    self.n_largest,
                    "largest",
                    "extend the grid upwards, unless there is no signal",
                ),
            ] {
                if 2 * n > n_folds && !(least && end == "smallest") {
                    notes.push(format!(
                        "{who}: {n} of {n_folds} folds chose the {end} penalty; {why}"
                    ));
                }
            }
        }
        if self.r.is_none() {
            notes.push(format!(
                "{who}: the predictions are the same for all pictures and correlate with nothing"
            ));
        }
    }
}

/// The mean over subjects.
fn mean(
    predictions: &Array2<f64>,
    pooling: SubjectPooling,
    notes: &mut Vec<String>,
) -> Result<Vec<f64>> {
    let n = predictions.ncols() as f64;
    let mut sum = vec![0.0; predictions.ncols()];
    let mut n_subjects = 0.0;
    let mut left_out = 0;
    for row in predictions.rows() {
        let (centre, unit) = match pooling {
            SubjectPooling::Mean | SubjectPooling::Pooled => (0.0, 1.0),
            SubjectPooling::ZScoredMean => {
                let mean = row.sum() / n;
                let square: f64 = row.iter().map(|v| (v - mean) * (v - mean)).sum();
                (mean, (square / n).sqrt())
            }
        };
        let is_constant = row.iter().all(|v| *v == row[0]) || unit <= 0.0;
        if pooling == SubjectPooling::ZScoredMean && is_constant {
            left_out += 1;
            continue;
        }
        n_subjects += 1.0;
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += (value - centre) / unit;
        }
    }
    if n_subjects == 0.0 {
        return Err(AppraisalError::NothingPredicted.into());
    }
    if left_out > 0 {
        notes.push(format!(
            "{left_out} of {} subjects were left out of the mean: their predictions have no z-scores",
            predictions.nrows()
        ));
    }
    Ok(sum.into_iter().map(|sum| sum / n_subjects).collect())
}
