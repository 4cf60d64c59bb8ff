//! What a MATLAB variable holds.

use ndarray::{ArrayD, Axis, stack};

use super::FORMAT;
use crate::array::each;
use crate::{AnyArray, IoError, Named, Result};

/// One value of a MATLAB file.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum MatValue {
    /// Numbers or truth values; at least two axes, as MATLAB has it.
    Numeric(AnyArray),
    /// Text.
    Text(MatText),
    /// A cell array.
    Cell(MatCell),
    /// A struct or an array of structs.
    Struct(MatStruct),
    /// A value of a class that is not read.
    Unsupported {
        /// What it is, in words.
        class: &'static str,
    },
}

/// A character array, one text for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatText {
    /// Length of each axis.
    pub dims: Vec<usize>,
    /// The rows, with the blanks that pad them to equal length.
    pub rows: Vec<String>,
}

/// A cell array.
#[derive(Debug, Clone, PartialEq)]
pub struct MatCell {
    /// Length of each axis.
    pub dims: Vec<usize>,
    /// The cells, first axis fastest (MATLAB's linear index).
    pub values: Vec<MatValue>,
}

/// An array of structs with the same fields.
#[derive(Debug, Clone, PartialEq)]
pub struct MatStruct {
    /// Length of each axis.
    pub dims: Vec<usize>,
    /// Names of the fields, in file order.
    pub fields: Vec<String>,
    /// The values of each field, in the order of `fields`; within a field one for each element,
    /// first axis fastest.
    pub values: Vec<Vec<MatValue>>,
}

impl MatValue {
    /// What this is, in words, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        let of = |what: &str, dims: &[usize]| {
            let dims: Vec<String> = dims.iter().map(usize::to_string).collect();
            format!("{what} of {}", dims.join("×"))
        };
        match self {
            Self::Numeric(array) => of(&format!("{} array", array.dtype()), array.shape()),
            Self::Text(text) => of("text", &text.dims),
            Self::Cell(cell) => of("cell array", &cell.dims),
            Self::Struct(value) => {
                let fields = value.fields.join(", ");
                format!("{} with the fields {fields}", of("struct", &value.dims))
            }
            Self::Unsupported { class } => (*class).to_owned(),
        }
    }

    /// The field of a struct; of an array of structs, the field of each as a cell array.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongKind`] when this is no struct; [`IoError::Missing`] lists the fields.
    pub fn into_field(self, field: &str) -> Result<Self> {
        let Self::Struct(mut value) = self else {
            return Err(IoError::WrongKind {
                what: format!("what .{field} is taken of"),
                found: self.describe(),
                expected: "a struct",
            });
        };
        let Some(field_idx) = value.fields.iter().position(|name| name == field) else {
            return Err(IoError::Missing {
                kind: Named::Field,
                name: field.to_owned(),
                available: value.fields,
            });
        };
        let mut values = value.values.swap_remove(field_idx);
        if values.len() == 1 {
            return Ok(values.remove(0));
        }
        Ok(Self::Cell(MatCell {
            dims: value.dims,
            values,
        }))
    }

    /// Element `index` of a cell, struct or numeric array or row of a text, counted from 0 with the
    /// first axis fastest.
    ///
    /// # Errors
    ///
    /// [`IoError::OutOfRange`] beyond the end; [`IoError::Unsupported`] for a class that is not read.
    pub fn into_element(self, index: usize) -> Result<Self> {
        let out_of_range = |what: String, len: usize| IoError::OutOfRange { what, index, len };
        let what = self.describe();
        match self {
            Self::Cell(mut cell) => match cell.values.len() {
                len if index < len => Ok(cell.values.swap_remove(index)),
                len => Err(out_of_range(what, len)),
            },
            Self::Struct(value) => {
                let len = value.dims.iter().product();
                if index >= len {
                    return Err(out_of_range(what, len));
                }
                Ok(Self::Struct(MatStruct {
                    dims: vec![1, 1],
                    fields: value.fields,
                    values: value
                        .values
                        .into_iter()
                        .map(|mut values| vec![values.swap_remove(index)])
                        .collect(),
                }))
            }
            Self::Numeric(array) => {
                let len = array.len();
                each!(array, array => {
                    // Axes reversed, logical order is MATLAB's linear order.
                    let value = array.t().iter().nth(index).copied();
                    let value = value.ok_or_else(|| out_of_range(what, len))?;
                    Ok(Self::Numeric(ArrayD::from_elem(vec![1, 1], value).into()))
                })
            }
            Self::Text(mut text) => match text.rows.len() {
                len if index < len => {
                    let row = text.rows.swap_remove(index);
                    Ok(Self::Text(MatText {
                        dims: vec![1, row.chars().count()],
                        rows: vec![row],
                    }))
                }
                len => Err(out_of_range(what, len)),
            },
            Self::Unsupported { class } => Err(unsupported(class)),
        }
    }

    /// The numbers of this value as one array.
    ///
    /// # Shapes
    ///
    /// A numeric value keeps its axes. A cell array (so a field of a struct array) whose n cells hold
    /// single numbers is `(n,)`; one whose cells hold arrays of one shape is `(n, …)`, cells in
    /// MATLAB's linear order. A struct or text has no numbers.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongKind`] when there are no numbers or the cells differ in shape;
    /// [`IoError::Unsupported`] for a class that is not read.
    pub fn into_array(self) -> Result<AnyArray> {
        match self {
            Self::Numeric(array) => Ok(array),
            Self::Cell(cell) => stack_cells(cell),
            Self::Unsupported { class } => Err(unsupported(class)),
            other => Err(IoError::WrongKind {
                what: "the selected value".into(),
                found: other.describe(),
                expected: "numbers",
            }),
        }
    }

    /// The texts of a character array (one a row) or of a cell array of texts, without trailing
    /// blanks.
    ///
    /// # Errors
    ///
    /// [`IoError::WrongKind`] when this is something else.
    pub fn into_texts(self) -> Result<Vec<String>> {
        match self {
            Self::Text(text) => Ok(text
                .rows
                .iter()
                .map(|row| row.trim_end_matches([' ', '\0']).to_owned())
                .collect()),
            Self::Cell(cell) => {
                let mut texts = Vec::with_capacity(cell.values.len());
                for value in cell.values {
                    let found = value.describe();
                    match (value, texts.len()) {
                        (value @ Self::Text(_), _) => {
                            let rows = value.into_texts()?;
                            texts.push(rows.join("\n"));
                        }
                        (_, cell_idx) => {
                            return Err(IoError::WrongKind {
                                what: format!("cell {cell_idx}"),
                                found,
                                expected: "text",
                            });
                        }
                    }
                }
                Ok(texts)
            }
            other => Err(IoError::WrongKind {
                what: "the selected value".into(),
                found: other.describe(),
                expected: "text",
            }),
        }
    }
}

fn unsupported(class: &'static str) -> IoError {
    IoError::Unsupported {
        what: class.to_owned(),
        cure: "convert it to a full real array in MATLAB and save again",
    }
}

/// Stacks cells of equal shape along a new first axis. Cells of one type keep it.
fn stack_cells(cell: MatCell) -> Result<AnyArray> {
    let mut arrays = Vec::with_capacity(cell.values.len());
    for (cell_idx, value) in cell.values.into_iter().enumerate() {
        let found = value.describe();
        let expected_shape = arrays.first().map(AnyArray::shape);
        match value {
            MatValue::Numeric(array) if expected_shape.is_none_or(|s| s == array.shape()) => {
                arrays.push(array);
            }
            _ => {
                return Err(IoError::WrongKind {
                    what: format!("cell {cell_idx}"),
                    found,
                    expected: "numbers, of the same shape in every cell",
                });
            }
        }
    }
    let one_dtype = arrays
        .windows(2)
        .all(|pair| pair[0].dtype() == pair[1].dtype());
    if !one_dtype {
        arrays = arrays
            .into_iter()
            .map(|array| AnyArray::F64(array.into_f64()))
            .collect();
    }
    let scalars = arrays.first().is_some_and(|array| array.len() == 1);
    /// The arrays, which are all of type `T`, as one.
    fn join<T: Copy>(arrays: Vec<ArrayD<T>>, scalars: bool) -> Result<ArrayD<T>> {
        if scalars {
            let values = arrays.iter().flatten().copied().collect();
            return Ok(ndarray::Array1::from_vec(values).into_dyn());
        }
        let views: Vec<_> = arrays.iter().map(|array| array.view()).collect();
        stack(Axis(0), &views).map_err(|error| {
            IoError::malformed(FORMAT, "the cell array", error, "cells of one shape")
        })
    }
    macro_rules! join_all {
        ($($variant:ident),*) => {
            match arrays.first() {
                None => Ok(AnyArray::F64(ArrayD::zeros(vec![0]))),
                $(Some(AnyArray::$variant(_)) => {
                    let arrays = arrays
                        .into_iter()
                        .filter_map(|array| match array {
                            AnyArray::$variant(array) => Some(array),
                            _ => None,
                        })
                        .collect();
                    join(arrays, scalars).map(AnyArray::$variant)
                })*
            }
        };
    }
    join_all!(Bool, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64)
}
