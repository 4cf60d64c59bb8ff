//! Features and targets of an encoding model, and the rows that count.

use anyhow::Result;
use consilience::io::{AnyArray, source};
use consilience::methods::MethodsError;
use consilience::methods::encoding::{EncodingSize, Folds};
use consilience::methods::rdm::Patterns;
use ndarray::{Array2, ArrayView2, Axis, CowArray, Ix2};

use super::Common;
use crate::{arrays, places, tables};

/// Numbers of either width, in rows and columns.
pub enum Matrix {
    F32(Array2<f32>),
    F64(Array2<f64>),
}

impl Matrix {
    pub fn load(spec: &str, what: &str) -> Result<Self> {
        Self::of(arrays::matrix(spec, what)?)
    }

    pub fn of(array: AnyArray) -> Result<Self> {
        Ok(match array {
            AnyArray::F32(x) => Self::F32(x.into_dimensionality::<Ix2>()?),
            other => Self::F64(other.into_f64().into_dimensionality::<Ix2>()?),
        })
    }

    /// Targets; a single axis is one target.
    fn load_targets(spec: &str) -> Result<Self> {
        let array = match source::load_array(spec)?.into_f32_or_f64() {
            AnyArray::F32(y) if y.ndim() == 1 => AnyArray::F32(y.insert_axis(Axis(1))),
            AnyArray::F64(y) if y.ndim() == 1 => AnyArray::F64(y.insert_axis(Axis(1))),
            array => arrays::check_matrix(array, spec, "the target matrix")?,
        };
        Self::of(array)
    }

    pub fn shape(&self) -> (usize, usize) {
        match self {
            Self::F32(x) => x.dim(),
            Self::F64(x) => x.dim(),
        }
    }

    pub fn patterns(&self) -> Patterns<'_> {
        match self {
            Self::F32(x) => x.view().into(),
            Self::F64(x) => x.view().into(),
        }
    }

    /// After [`Problem::widen`].
    pub fn view_f64(&self) -> ArrayView2<'_, f64> {
        match self {
            Self::F32(_) => unreachable!("widened before"),
            Self::F64(x) => x.view(),
        }
    }

    fn widen(&mut self) {
        if let Self::F32(x) = self {
            *self = Self::F64(x.mapv(f64::from));
        }
    }

    pub fn select(&self, axis: Axis, places: &[usize]) -> Self {
        match self {
            Self::F32(x) => Self::F32(x.select(axis, places)),
            Self::F64(x) => Self::F64(x.select(axis, places)),
        }
    }

    /// The first column of a row that has NaN.
    pub fn gap(&self, row: usize) -> Option<usize> {
        match self {
            Self::F32(x) => x.row(row).iter().position(|v| v.is_nan()),
            Self::F64(x) => x.row(row).iter().position(|v| v.is_nan()),
        }
    }
}

/// Rows of files that lack nothing.
pub struct Rows {
    /// Their places.
    pub kept: Vec<usize>,
    /// Rows of the files.
    pub n: usize,
}

impl Rows {
    pub fn all(n: usize) -> Self {
        let kept = (0..n).collect();
        Self { kept, n }
    }

    /// Rows that were left out.
    pub fn n_omitted(&self) -> usize {
        self.n - self.kept.len()
    }

    /// How they are divided; a file numbers all rows.
    pub fn folds(&self, spec: &str) -> Result<Folds> {
        let Ok(n_folds) = spec.parse() else {
            let numbers = arrays::labels(spec, "--folds")?;
            let mismatch = MethodsError::ShapeMismatch {
                what: "fold numbers, one for each row",
                expected: self.n,
                found: numbers.len(),
            };
            if numbers.len() != self.n {
                return arrays::in_files(Err(mismatch), &[spec]);
            }
            return Ok(Folds::Given(tables::at_rows(&numbers, &self.kept)));
        };
        Ok(Folds::Contiguous(n_folds))
    }

    /// Predictions of all rows: NaN where a row was left out.
    pub fn spread<'a>(&self, predictions: ArrayView2<'a, f64>) -> CowArray<'a, f64, Ix2> {
        if self.n_omitted() == 0 {
            return predictions.into();
        }
        let mut all = Array2::from_elem((self.n, predictions.ncols()), f64::NAN);
        for (&row, found) in self.kept.iter().zip(predictions.rows()) {
            all.row_mut(row).assign(&found);
        }
        all.into()
    }
}

/// Features and targets of the rows that lack nothing.
pub struct Problem {
    pub x: Vec<Matrix>,
    pub y: Matrix,
    pub rows: Rows,
}

impl Problem {
    /// `names` says for each of `x` what it is called, `files` where they come from.
    pub fn load(x: Vec<Matrix>, names: &[String], files: &[&str], common: &Common) -> Result<Self> {
        let y = Matrix::load_targets(&common.y)?;
        let n_rows = y.shape().0;
        for x in &x {
            let mismatch = MethodsError::ShapeMismatch {
                what: "rows of the targets, one for each row of the features",
                expected: x.shape().0,
                found: n_rows,
            };
            if x.shape().0 != n_rows {
                return arrays::in_files(Err(mismatch), &[files, &[&common.y]].concat());
            }
        }
        let named = || x.iter().zip(names).chain([(&y, &common.y)]);
        let gaps = (0..n_rows).map(|row| {
            let mut places = named().filter_map(|(values, name)| Some((values.gap(row)?, name)));
            places.next().map(|(column, name)| {
                format!("row {row}, column {column} (counted from 0) of {name} is NaN")
            })
        });
        let kept = tables::complete(common.nan, "rows", gaps)?.rows;
        let rows = Rows { kept, n: n_rows };
        if rows.n_omitted() == 0 {
            return Ok(Self { x, y, rows });
        }
        let select = |values: &Matrix| values.select(Axis(0), &rows.kept);
        Ok(Self {
            x: x.iter().map(select).collect(),
            y: select(&y),
            rows,
        })
    }

    /// Makes all numbers f64, for methods that know nothing else.
    pub fn widen(&mut self) {
        self.x.iter_mut().for_each(Matrix::widen);
        self.y.widen();
    }

    pub fn size(&self) -> EncodingSize {
        EncodingSize {
            n_rows: self.rows.kept.len(),
            n_features: self.x.iter().map(|x| x.shape().1).sum(),
            n_targets: self.y.shape().1,
        }
    }

    /// Refuses what needs more memory than is free.
    pub fn check_memory(&self, needed: f64) -> Result<()> {
        let size = self.size();
        places::check_memory(
            needed,
            &format!(
                "a model of {} rows × {} features for {} targets",
                size.n_rows, size.n_features, size.n_targets
            ),
            "use fewer features, targets, folds or threads",
        )
    }
}
