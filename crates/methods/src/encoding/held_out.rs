//! One target, one training set: what is chosen inside it, and what it then predicts for the rows held out.

use consilience_stats::dense::Svd;
use consilience_stats::ridge::{Design, Form, Predictor, RidgeError, Side, Targets};
use faer::Mat;
use ndarray::{Array2, ArrayView2, Axis};

use super::components::Centred;
use super::ridge::choose;
use super::{ComponentsKind, EncodingError};
use crate::Result;

/// Predictions of rows by a training set that does not hold them.
pub(crate) struct HeldOut {
    /// One for each row that was held out, less the mean of the training set.
    pub deviations: Vec<f64>,
    /// Position of what was chosen among the choices.
    pub choice: usize,
}

/// Ridge regression of `y`, `(n_rows, 1)`, on the rows that are not in `test`; the penalty is the one that predicts the rows of
/// each inner fold best from the other rows of the training set (of equals the largest).
pub(crate) fn ridge_held_out(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    test: &[usize],
    inner: &[Vec<usize>],
    alphas: &[f64],
) -> Result<HeldOut> {
    let train = without(x.nrows(), &[test]);
    let side = Side::of(train.len(), x.ncols());
    let design = Design::new(x, true, side).map_err(EncodingError::from)?;
    let targets = Targets::<f64>::new(y, true);
    let predictor = |train: &[usize], rows: &[usize], alphas: &[f64]| {
        let factor = design.factor(train)?;
        let form = Form::of(train.len(), rows.len(), factor.rank(), alphas.len());
        Predictor::<f64>::new(&design, &factor, rows, alphas, form)
    };
    let mut choice = 0;
    if alphas.len() > 1 {
        let mut sums = vec![0.0; alphas.len()];
        for fold in inner {
            let train = without(x.nrows(), &[test, fold]);
            let predictor = predictor(&train, fold, alphas).map_err(EncodingError::from)?;
            predictor.add_errors(&targets, &predictor.fit(&targets), &mut sums);
        }
        choice = choose(&sums, alphas, 1)[0];
    }
    let predictor =
        predictor(&train, test, &alphas[choice..=choice]).map_err(EncodingError::from)?;
    let found = predictor.predict(&targets, &predictor.fit(&targets), &[0]);
    let mean = mean(y, &train);
    Ok(HeldOut {
        deviations: found.into_iter().map(|value| value - mean).collect(),
        choice,
    })
}

/// The same by regression on principal components: the number of components is chosen (of equals the first).
pub(crate) fn components_held_out(
    x: ArrayView2<'_, f64>,
    y: ArrayView2<'_, f64>,
    test: &[usize],
    inner: &[Vec<usize>],
    counts: &[usize],
) -> Result<HeldOut> {
    let coordinates;
    let x = match x.ncols() > x.nrows() {
        true => {
            coordinates = in_own_directions(x)?;
            coordinates.view()
        }
        false => x,
    };
    let largest = counts.iter().copied().max().unwrap_or(1);
    let fit = |train: &[usize], rows: &[usize]| {
        let rows = x.select(Axis(0), rows);
        Centred::of(x, y, train).fit(rows.view(), ComponentsKind::Principal, largest)
    };
    let mut choice = 0;
    if counts.len() > 1 {
        let mut sums = vec![0.0; counts.len()];
        for fold in inner {
            let fit = fit(&without(x.nrows(), &[test, fold]), fold)?;
            for (sum, &k) in sums.iter_mut().zip(counts) {
                let errors = &y.select(Axis(0), fold) - &fit.predict(k);
                *sum += errors.iter().map(|e| e * e).sum::<f64>();
            }
        }
        for (at, sum) in sums.iter().enumerate() {
            if *sum < sums[choice] {
                choice = at;
            }
        }
    }
    let train = without(x.nrows(), &[test]);
    let mean = mean(y, &train);
    let found = fit(&train, test)?.predict(counts[choice]);
    Ok(HeldOut {
        deviations: found.iter().map(|value| value - mean).collect(),
        choice,
    })
}

/// The rows in as many directions as there are rows, where all their products are the same.
fn in_own_directions(x: ArrayView2<'_, f64>) -> Result<Array2<f64>> {
    let matrix = Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[[i, j]]);
    let svd = Svd::of(matrix.as_ref()).ok_or(EncodingError::Ridge(RidgeError::NotConverged))?;
    Ok(Array2::from_shape_fn(
        (x.nrows(), svd.values.len()),
        |(i, j)| svd.left[(i, j)] * svd.values[j],
    ))
}

fn without(n_rows: usize, left_out: &[&[usize]]) -> Vec<usize> {
    let mut kept = vec![true; n_rows];
    for &row in left_out.iter().copied().flatten() {
        kept[row] = false;
    }
    (0..n_rows).filter(|&row| kept[row]).collect()
}

fn mean(y: ArrayView2<'_, f64>, rows: &[usize]) -> f64 {
    rows.iter().map(|&row| y[[row, 0]]).sum::<f64>() / rows.len() as f64
}
