//! Units of trained modules for pictures of a second set.

use ndarray::{Array2, ArrayView2, Axis};

use super::fold::Scaling;
use super::{Division, FoldRun, Learning, Pictures, Wired};

/// Units of all nuclei for pictures that no module of a repeat learnt from, `(n, n_units)`.
///
/// # Shapes
///
/// `features` is as those of `pictures`; `module_of` has for each row the module that sees it, a position among `runs`
/// ([`dealt`](super::dealt)).
///
/// # Panics
///
/// When the weights are not those of the module, or a picture is dealt to none.
#[must_use]
pub fn second_units(
    wired: &Wired,
    pictures: &Pictures<'_>,
    (features, module_of): (ArrayView2<'_, f32>, &[usize]),
    (divisions, runs): (&[Division], &[FoldRun]),
    learning: &Learning,
) -> Array2<f32> {
    let mut all = Array2::zeros((features.nrows(), wired.n_units()));
    for (module, (division, run)) in divisions.iter().zip(runs).enumerate() {
        let rows = module_of.iter().enumerate();
        let rows = rows.filter(|(_, of)| **of == module).map(|(row, _)| row);
        let rows: Vec<usize> = rows.collect();
        if rows.is_empty() {
            continue;
        }
        let scaling = Scaling::of(pictures, &division.training, learning);
        let own = scaling.features(features.select(Axis(0), &rows).view());
        let (units, _) = wired.read(&run.weights, own.view());
        for (units, row) in units.rows().into_iter().zip(rows) {
            all.row_mut(row).assign(&units);
        }
    }
    all
}
