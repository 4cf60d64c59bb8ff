//! Which units are selective when items count several times or have other bins.

use consilience_stats::correction::{Procedure, corrected};
use consilience_stats::{VectorWork, with_wide_vectors};
use ndarray::{Array2, ArrayView2, Axis};

use crate::behaviour::{Contrast, Sums};

/// When a unit is selective.
#[derive(Debug, Clone, Copy)]
pub(super) struct Criterion {
    pub threshold: f64,
    pub alpha: f64,
    pub correction: Option<Procedure>,
}

/// Responses in the form in which their sums over items cost least.
pub(super) struct Tallies {
    /// Responses without the mean of each unit, `(n_items, n_units)`, row by row.
    centred: Array2<f64>,
    n_bins: usize,
    criterion: Criterion,
}

impl Tallies {
    pub fn new(responses: ArrayView2<'_, f64>, n_bins: usize, criterion: Criterion) -> Self {
        let mut centred = responses.as_standard_layout().into_owned();
        for mut unit in centred.axis_iter_mut(Axis(1)) {
            let first = unit[0];
            // Equal responses leave exactly nothing, not the rounding of their mean.
            let centre = match unit.iter().all(|v| *v == first) {
                true => first,
                false => unit.sum() / unit.len() as f64,
            };
            unit -= centre;
        }
        Self {
            centred,
            n_bins,
            criterion,
        }
    }

    /// Whether each unit is selective for each bin, `(n_bins, n_units)`, when item i counts as often and in such a bin as `draw` says.
    ///
    /// Sums over the items of a bin take one pass over the rows; all that follows is of bins and units.
    pub fn selective(
        &self,
        draw: impl Iterator<Item = (usize, Option<usize>, u32)>,
    ) -> Array2<bool> {
        let n_units = self.centred.ncols();
        // What is in no bin that counts is in the last.
        let mut n = vec![0.0; self.n_bins + 1];
        let mut sums = Array2::<f64>::zeros((self.n_bins + 1, n_units));
        let mut squares = sums.clone();
        for (item, bin, times) in draw.filter(|&(_, _, times)| times > 0) {
            let bin = bin.unwrap_or(self.n_bins);
            let times = f64::from(times);
            n[bin] += times;
            let rows = (sums.row_mut(bin), squares.row_mut(bin));
            if let (Some(sums), Some(squares), Some(values)) = (
                rows.0.into_slice(),
                rows.1.into_slice(),
                self.centred.row(item).to_slice(),
            ) {
                with_wide_vectors(Row {
                    times,
                    values,
                    sums,
                    squares,
                });
            }
        }
        let of = |bin: usize, unit: usize| Sums {
            n: n[bin],
            sum: sums[[bin, unit]],
            square: squares[[bin, unit]],
        };
        let mut contrasts = Array2::from_elem((self.n_bins, n_units), None);
        for unit in 0..n_units {
            let all = (0..=self.n_bins).fold(Sums::default(), |all, bin| all.with(&of(bin, unit)));
            for bin in 0..self.n_bins {
                contrasts[[bin, unit]] = of(bin, unit).contrast(&all);
            }
        }
        self.judged(&contrasts)
    }

    fn judged(&self, contrasts: &Array2<Option<Contrast>>) -> Array2<bool> {
        let Criterion {
            threshold,
            alpha,
            correction,
        } = self.criterion;
        let passes = |c: &Contrast| c.d_average > threshold;
        let Some(procedure) = correction else {
            // p is found only where d′ passes, which is rare.
            return contrasts.mapv(|c| c.is_some_and(|c| passes(&c) && c.p() < alpha));
        };
        let family: Vec<f64> = contrasts.iter().flatten().map(Contrast::p).collect();
        let mut p = corrected(&family, procedure).into_iter();
        contrasts.mapv(|contrast| {
            let Some(contrast) = contrast else {
                return false;
            };
            let p = p.next().unwrap_or(1.0);
            passes(&contrast) && p < alpha
        })
    }
}

/// Adds a row of responses, as often as it counts, and their squares.
struct Row<'a> {
    times: f64,
    values: &'a [f64],
    sums: &'a mut [f64],
    squares: &'a mut [f64],
}

impl VectorWork for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let sums = self.sums.iter_mut().zip(self.squares);
        for (&value, (sum, square)) in self.values.iter().zip(sums) {
            let counted = self.times * value;
            *sum += counted;
            *square += counted * value;
        }
    }
}
