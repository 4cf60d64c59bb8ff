//! RDMs from whatever a file holds.

use consilience_core::{CoreError, Rdms, pairs};
use ndarray::{Array2, ArrayD, ArrayView2, ArrayViewD, Axis, IxDyn};

use crate::error::AtPath;
use crate::mat::{MatFile, MatValue};
use crate::source::{Format, Source, read_array};
use crate::{IoError, Limits, Named, Result, table};

/// RDMs as a file arranges them.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedRdms {
    /// The RDMs; the first of `dims` runs fastest.
    pub rdms: Rdms,
    /// How the RDMs are arranged: empty for a single one, `[16]` for 16 subjects, `[4, 2]` for 4
    /// subjects × 2 sessions, where RDM (s, t) is row s + 4·t. Their product is the number of RDMs.
    pub dims: Vec<usize>,
    /// A name for each RDM, from the field `name` of a struct array.
    pub names: Option<Vec<String>>,
    /// A name for each condition, from the header or the first column of a table.
    pub conditions: Option<Vec<String>>,
}

/// Which axes of an array of squares count RDMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stacking {
    /// The axes in front, as NumPy has it: `(k, n, n)`.
    Front,
    /// The axes behind, as MATLAB has it: `(n, n, k)`.
    Back,
}

/// Reads the RDMs that an argument names, within the default [`Limits`].
///
/// # Shapes
///
/// | in the file | `dims` |
/// |---|---|
/// | vector of n·(n−1)/2 values, also as a single row or column | `[]` |
/// | square `(n, n)`, symmetric with a zero diagonal | `[]` |
/// | matrix `(k, n_pairs)` | `[k]` |
/// | squares `(k, …, n, n)` in `.npy` and `.npz`; `(n, n, k, …)` in `.mat` | `[k, …]` |
/// | vectors `(1, n_pairs, k)` in `.mat` (the RSA toolbox for MATLAB) | `[k]` |
/// | struct array or cell array of one RDM each | its axes |
///
/// MATLAB has no arrays of one axis: of a struct or cell array with axes `1×k…` the first is dropped, of
/// `k×1` the second. A struct array gives its field `RDM`. Where both readings fit, other squares than
/// `(n, n)` are stacked as the format has it, and a matrix is a square unless its diagonal is not zero.
///
/// # Errors
///
/// [`IoError::NotRdms`] when the numbers are none of these; else as
/// [`load_array`](crate::source::load_array).
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("rdm.csv");
/// # std::fs::write(&path, "cat,dog\n0,0.3\n0.3,0\n").unwrap();
/// let loaded = consilience_io::rdms::load_rdms(path.to_str().unwrap())?;
/// assert_eq!(loaded.rdms.vectors()[[0, 0]], 0.3);
/// assert_eq!(loaded.conditions.unwrap(), ["cat", "dog"]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn load_rdms(spec: &str) -> Result<LoadedRdms> {
    read_rdms(&Source::parse(spec), &Limits::default())
}

/// [`load_rdms`] for a parsed argument and other limits.
///
/// # Errors
///
/// As [`load_rdms`].
pub fn read_rdms(source: &Source, limits: &Limits) -> Result<LoadedRdms> {
    match source.format()? {
        Format::Npy | Format::Npz => {
            let array = read_array(source, limits)?.into_f64();
            from_array(array, Stacking::Front).at(source.to_string())
        }
        Format::Mat => MatFile::read_with(&source.path, limits)?
            .select_or_only(source.selector.as_deref())
            .and_then(from_mat)
            .at(source.to_string()),
        Format::Table => {
            let matrix = table::read_matrix_with(&source.path, limits)?;
            let n_columns = matrix.values.ncols();
            let mut loaded =
                from_array(matrix.values.into_dyn(), Stacking::Front).at(&source.path)?;
            if loaded.rdms.n_conditions() == n_columns {
                loaded.conditions = matrix.columns.or(matrix.rows);
            } else {
                loaded.names = matrix.rows;
            }
            Ok(loaded)
        }
    }
}

/// RDMs from an array of numbers; shapes as in [`load_rdms`].
///
/// # Errors
///
/// As [`load_rdms`].
pub fn from_array(array: ArrayD<f64>, stacking: Stacking) -> Result<LoadedRdms> {
    let shape = array.shape().to_vec();
    let unfit = || IoError::WrongKind {
        what: "the array of RDMs".into(),
        found: format!("of shape {shape:?}"),
        expected: "a vector of n·(n−1)/2 values, (RDMs, pairs), or squares",
    };
    // Without elements, nothing backs the lengths of the axes.
    if array.is_empty() {
        return Err(unfit());
    }
    match *shape.as_slice() {
        [n_pairs] => vectors(array, 1, n_pairs, Vec::new()),
        [1, n_pairs] | [n_pairs, 1] => vectors(array, 1, n_pairs, Vec::new()),
        [rows, columns] if rows == columns && !is_matrix_of_vectors(&array) => {
            squares(array.view(), &[0, 1], Vec::new())
        }
        [n_rdms, n_pairs] => vectors(array, n_rdms, n_pairs, vec![n_rdms]),
        [1, n_pairs, n_rdms]
            if stacking == Stacking::Back && pairs::n_conditions(n_pairs).is_ok() =>
        {
            let rows = array.permuted_axes(IxDyn(&[2, 0, 1]));
            vectors(rows, n_rdms, n_pairs, vec![n_rdms])
        }
        [first, second, .., before, last] if first == second || before == last => {
            let n_axes = shape.len();
            let front = match stacking {
                Stacking::Front => before == last,
                Stacking::Back => first != second,
            };
            if front {
                let dims = shape[..n_axes - 2].to_vec();
                squares(array.view(), &[n_axes - 2, n_axes - 1], dims)
            } else {
                squares(array.view(), &[0, 1], shape[2..].to_vec())
            }
        }
        [first, second, third] if first == second || second == third => {
            let front = match stacking {
                Stacking::Front => second == third,
                Stacking::Back => first != second,
            };
            if front {
                squares(array.view(), &[1, 2], vec![first])
            } else {
                squares(array.view(), &[0, 1], vec![third])
            }
        }
        _ => Err(unfit()),
    }
}

/// RDMs from a value of a MATLAB file; shapes as in [`load_rdms`].
///
/// # Errors
///
/// As [`load_rdms`].
pub fn from_mat(value: MatValue) -> Result<LoadedRdms> {
    match value {
        MatValue::Struct(value) => {
            let one = |field: &str| {
                value
                    .fields
                    .iter()
                    .position(|name| name == field)
                    .map(|field_idx| value.values[field_idx].clone())
            };
            let Some(values) = one("RDM") else {
                return Err(IoError::Missing {
                    kind: Named::Field,
                    name: "RDM".into(),
                    available: value.fields,
                });
            };
            let names = one("name").and_then(|names| {
                names
                    .into_iter()
                    .map(|name| Some(name.into_texts().ok()?.join(" ")))
                    .collect()
            });
            let mut loaded = from_cells(values, &value.dims)?;
            loaded.names = names;
            Ok(loaded)
        }
        MatValue::Cell(cell) => from_cells(cell.values, &cell.dims),
        other => from_array(other.into_array()?.into_f64(), Stacking::Back),
    }
}

/// One RDM from each value. A single value may hold several.
fn from_cells(mut values: Vec<MatValue>, dims: &[usize]) -> Result<LoadedRdms> {
    if values.len() == 1 {
        return from_mat(values.swap_remove(0));
    }
    let mut rows: Vec<f64> = Vec::new();
    let n_rdms = values.len();
    let mut n_pairs = 0;
    for (rdm_idx, value) in values.into_iter().enumerate() {
        let found = value.describe();
        let one = from_array(value.into_array()?.into_f64(), Stacking::Back)?;
        let length = one.rdms.vectors().ncols();
        if one.rdms.n_rdms() != 1 || (rdm_idx > 0 && length != n_pairs) {
            return Err(IoError::WrongKind {
                what: format!("element {rdm_idx} of the array of RDMs"),
                found,
                expected: "one RDM, over as many conditions as the others",
            });
        }
        n_pairs = length;
        rows.extend(one.rdms.vectors().iter());
    }
    let array = ArrayD::from_shape_vec(IxDyn(&[n_rdms, n_pairs]), rows)
        .expect("every row has as many values as the first");
    let dims = match dims {
        [1, rest @ ..] => rest.to_vec(),
        [n, 1] => vec![*n],
        other => other.to_vec(),
    };
    vectors(array, n_rdms, n_pairs, dims)
}

/// Whether an n × n matrix must be n RDMs as vectors: the length fits and the diagonal is not that of
/// a square.
fn is_matrix_of_vectors(array: &ArrayD<f64>) -> bool {
    pairs::n_conditions(array.shape()[0]).is_ok() && array.diag().iter().any(|v| *v != 0.0)
}

fn vectors(
    array: ArrayD<f64>,
    n_rdms: usize,
    n_pairs: usize,
    dims: Vec<usize>,
) -> Result<LoadedRdms> {
    // Logical order, whatever the memory order of the file.
    let values = array.iter().copied().collect();
    let vectors = Array2::from_shape_vec((n_rdms, n_pairs), values)
        .expect("the caller splits the array into rows");
    let rdms = Rdms::from_vectors(vectors).map_err(not_rdms)?;
    Ok(loaded(rdms, dims))
}

/// Takes the squares on the two axes of `plane`; the other axes, first fastest, count RDMs.
fn squares(array: ArrayViewD<'_, f64>, plane: &[usize; 2], dims: Vec<usize>) -> Result<LoadedRdms> {
    let n_rdms: usize = dims.iter().product();
    let planes: Vec<ArrayView2<'_, f64>> = (0..n_rdms)
        .map(|rdm_idx| {
            let mut view = array.clone();
            let mut left = rdm_idx;
            // Axes go from the front so that the position of the next one is known.
            let first_axis = if plane[0] == 0 { 2 } else { 0 };
            for n in &dims {
                view.index_axis_inplace(Axis(first_axis), left % n);
                left /= n;
            }
            view.into_dimensionality()
                .expect("two axes are left when all others are indexed")
        })
        .collect();
    let rdms = Rdms::from_squares(&planes).map_err(not_rdms)?;
    Ok(loaded(rdms, dims))
}

fn loaded(rdms: Rdms, dims: Vec<usize>) -> LoadedRdms {
    LoadedRdms {
        rdms,
        dims,
        names: None,
        conditions: None,
    }
}

fn not_rdms(problem: CoreError) -> IoError {
    IoError::NotRdms { problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnyArray;
    use crate::mat::{MatCell, MatStruct, MatText};
    use ndarray::{Array3, Array4, array};

    /// A square over four conditions whose values start at `start`.
    fn square(start: f64) -> Array2<f64> {
        let mut square = Array2::zeros((4, 4));
        for (pair, (i, j)) in pairs::iter(4).enumerate() {
            square[[i, j]] = start + pair as f64;
            square[[j, i]] = square[[i, j]];
        }
        square
    }

    fn starts(loaded: &LoadedRdms) -> Vec<f64> {
        loaded.rdms.vectors().column(0).to_vec()
    }

    #[test]
    fn one_rdm_has_no_axes() {
        let vector: Vec<f64> = (1..=6).map(f64::from).collect();
        for array in [
            ArrayD::from_shape_vec(vec![6], vector.clone()).unwrap(),
            ArrayD::from_shape_vec(vec![1, 6], vector.clone()).unwrap(),
            ArrayD::from_shape_vec(vec![6, 1], vector).unwrap(),
            square(1.0).into_dyn(),
        ] {
            let loaded = from_array(array, Stacking::Front).unwrap();
            assert_eq!(loaded.dims, [0_usize; 0]);
            assert_eq!(loaded.rdms.square(0), square(1.0));
        }
    }

    #[test]
    fn stacks_are_read_either_way() {
        let front = Array3::from_shape_fn((3, 4, 4), |(k, i, j)| {
            if i == j {
                0.0
            } else {
                square(10.0 * k as f64)[[i, j]]
            }
        });
        let back = front.clone().permuted_axes([1, 2, 0]);
        for stacking in [Stacking::Front, Stacking::Back] {
            for stack in [front.clone().into_dyn(), back.clone().into_dyn()] {
                let loaded = from_array(stack, stacking).unwrap();
                assert_eq!(loaded.dims, [3]);
                assert_eq!(starts(&loaded), [0.0, 10.0, 20.0]);
            }
        }
    }

    #[test]
    fn a_cube_is_stacked_as_its_format_has_it() {
        let cube = Array3::from_shape_fn((4, 4, 4), |(k, i, j)| {
            if i == j {
                0.0
            } else {
                square(10.0 * k as f64)[[i, j]]
            }
        });
        let expected = [0.0, 10.0, 20.0, 30.0];
        let front = from_array(cube.clone().into_dyn(), Stacking::Front).unwrap();
        assert_eq!(starts(&front), expected);
        let matlab = cube.permuted_axes([1, 2, 0]).into_dyn();
        let back = from_array(matlab, Stacking::Back).unwrap();
        assert_eq!(starts(&back), expected);
    }

    #[test]
    fn several_axes_are_counted_first_fastest() {
        let value = |s: usize, t: usize, i: usize, j: usize| {
            if i == j {
                0.0
            } else {
                square((10 * s + 100 * t) as f64)[[i, j]]
            }
        };
        let expected = [0.0, 10.0, 20.0, 100.0, 110.0, 120.0];
        let front = Array4::from_shape_fn((3, 2, 4, 4), |(s, t, i, j)| value(s, t, i, j));
        let back = Array4::from_shape_fn((4, 4, 3, 2), |(i, j, s, t)| value(s, t, i, j));
        for (array, stacking) in [(front, Stacking::Front), (back, Stacking::Back)] {
            let loaded = from_array(array.into_dyn(), stacking).unwrap();
            assert_eq!(loaded.dims, [3, 2]);
            assert_eq!(starts(&loaded), expected);
        }
    }

    #[test]
    fn a_square_number_of_vectors_is_told_from_a_square() {
        let vectors = Array2::from_elem((3, 3), 1.0);
        assert_eq!(
            from_array(vectors.into_dyn(), Stacking::Front)
                .unwrap()
                .dims,
            [3]
        );
        let skew = array![[0.0, 1.0, 2.0], [9.0, 0.0, 3.0], [2.0, 3.0, 0.0]];
        let error = from_array(skew.into_dyn(), Stacking::Front).unwrap_err();
        assert!(error.to_string().contains("not symmetric"), "{error}");
    }

    #[test]
    fn vectors_along_the_second_axis_of_three_are_those_of_the_toolbox() {
        let stack = Array3::from_shape_fn((1, 6, 2), |(_, pair, k)| (10 * k + pair) as f64);
        let loaded = from_array(stack.into_dyn(), Stacking::Back).unwrap();
        assert_eq!(
            (loaded.dims.as_slice(), starts(&loaded)),
            (&[2][..], vec![0.0, 10.0])
        );
    }

    #[test]
    fn a_struct_array_gives_its_rdms_and_names() {
        let numeric = |array: Array2<f64>| MatValue::Numeric(AnyArray::F64(array.into_dyn()));
        let text = |text: &str| {
            MatValue::Text(MatText {
                dims: vec![1, text.len()],
                rows: vec![text.into()],
            })
        };
        let value = MatStruct {
            dims: vec![1, 2],
            fields: vec!["name".into(), "RDM".into()],
            values: vec![
                vec![text("IT"), text("V1")],
                vec![numeric(square(1.0)), numeric(square(2.0))],
            ],
        };
        let loaded = from_mat(MatValue::Struct(value.clone())).unwrap();
        assert_eq!(loaded.dims, [2]);
        assert_eq!(loaded.names.unwrap(), ["IT", "V1"]);
        for (dims, expected) in [(vec![1, 1, 2], vec![1, 2]), (vec![2, 1], vec![2])] {
            let cell = MatCell {
                dims,
                values: value.values[1].clone(),
            };
            assert_eq!(from_mat(MatValue::Cell(cell)).unwrap().dims, expected);
        }
    }

    #[test]
    fn what_is_no_rdm_says_what_it_is() {
        for (shape, word) in [
            (vec![1 << 40, 0, 0], "0, 0]"),
            (vec![5], "5 values"),
            (vec![2, 3, 4], "[2, 3, 4]"),
            (vec![], "[]"),
        ] {
            let message = from_array(ArrayD::zeros(shape), Stacking::Front)
                .unwrap_err()
                .to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
