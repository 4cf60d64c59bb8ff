//! Long tables, with a trial or a rating a row, as matrices.
//!
//! Files of trials differ in their columns and in what stands beside them; here columns are chosen by name and all
//! others are ignored. [`widen`] makes a matrix of one column, such as ratings by item and rater; [`agree`] says where two
//! columns hold the same, such as a choice and what was right.

use std::collections::HashMap;

use ndarray::Array2;

use crate::table::Table;
use crate::{IoError, Limits, Result};

const FORMAT: &str = "long table";

/// What to do about several values of one row and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repeats {
    /// Refuse them.
    #[default]
    Refuse,
    /// Take their mean.
    Mean,
}

/// A matrix with names, from a long table.
#[derive(Debug, Clone, PartialEq)]
pub struct Wide {
    /// `(n_rows, n_columns)`; NaN where the table has no value.
    pub values: Array2<f64>,
    /// Names of the rows, in the order in which they first occur.
    pub rows: Vec<String>,
    /// Names of the columns, in the order in which they first occur.
    pub columns: Vec<String>,
    /// Cells without a value.
    pub n_missing: usize,
}

/// Makes a matrix of the values of a column, whose rows and columns are named by two others.
///
/// Cells are compared without the blanks around them. A value that is NaN counts as one that is not there; besides numbers, `true` and
/// `false` (in any case) are 1 and 0.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a value that is none,
/// [`IoError::Malformed`] for a table without rows, an empty name or a repeated value, [`IoError::OverLimit`] for a matrix of too many cells.
///
/// # Example
///
/// ```
/// use consilience_io::long::{Repeats, widen};
/// use consilience_io::{Limits, table::Table};
///
/// let text = b"rater,image,valence,note\nann,a.png,3,\nann,b.png,5,?\nbob,b.png,4,\n";
/// let table = Table::from_bytes(text, b',', &Limits::default())?;
/// let wide = widen(&table, ["image", "rater", "valence"], Repeats::Refuse, &Limits::default())?;
/// assert_eq!((wide.rows, wide.columns), (vec!["a.png".into(), "b.png".into()], vec!["ann".into(), "bob".into()]));
/// assert_eq!((wide.values[[1, 1]], wide.n_missing), (4.0, 1));
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn widen(
    table: &Table,
    [row, column, value]: [&str; 3],
    repeats: Repeats,
    limits: &Limits,
) -> Result<Wide> {
    let cells = table.column(value)?;
    let (row_of, rows) = positions(&table.column(row)?)?;
    let (column_of, columns) = positions(&table.column(column)?)?;
    if cells.is_empty() {
        return Err(IoError::malformed(
            FORMAT,
            "the table",
            "a header only",
            "a row for each trial",
        ));
    }
    let n_cells = rows.len() as u64 * columns.len() as u64;
    if n_cells > limits.max_cells as u64 {
        return Err(IoError::OverLimit {
            what: "cells of the matrix of a long table",
            found: n_cells,
            limit: limits.max_cells as u64,
            raise: "max_cells",
        });
    }
    let mut sums = Array2::zeros((rows.len(), columns.len()));
    let mut counts = Array2::from_elem(sums.dim(), 0_u32);
    for (idx, cell) in cells.iter().enumerate() {
        let number = number(cell).ok_or_else(|| IoError::Cell {
            // The header is the first row of the file.
            row: idx as u64 + 2,
            column: value.to_owned(),
            found: (*cell).to_owned(),
            expected: "a number, true or false (NaN where a value is missing)",
        })?;
        if number.is_nan() {
            continue;
        }
        let at = [row_of[idx], column_of[idx]];
        if counts[at] > 0 && repeats == Repeats::Refuse {
            return Err(IoError::malformed(
                FORMAT,
                "the values",
                format!(
                    "row {} is the second one of {row} {:?} and {column} {:?}",
                    idx + 2,
                    rows[at[0]],
                    columns[at[1]]
                ),
                "one value for each of them, or that means are asked for",
            ));
        }
        counts[at] += 1;
        sums[at] += number;
    }
    let n_missing = counts.iter().filter(|count| **count == 0).count();
    // 0/0 is NaN, the value of a cell that is not there.
    ndarray::Zip::from(&mut sums)
        .and(&counts)
        .for_each(|sum, &count| *sum /= f64::from(count));
    Ok(Wide {
        values: sums,
        rows,
        columns,
        n_missing,
    })
}

/// Whether two columns hold the same in each row: as numbers where both are, else as text without the blanks around
/// it.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there.
pub fn agree(table: &Table, first: &str, second: &str) -> Result<Vec<bool>> {
    let (first, second) = (table.column(first)?, table.column(second)?);
    let same = |(a, b): (&str, &str)| {
        let (a, b) = (a.trim(), b.trim());
        match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(x), Ok(y)) => x == y,
            _ => a == b,
        }
    };
    Ok(first.into_iter().zip(second).map(same).collect())
}

fn number(cell: &str) -> Option<f64> {
    let cell = cell.trim();
    if cell.eq_ignore_ascii_case("true") {
        return Some(1.0);
    }
    if cell.eq_ignore_ascii_case("false") {
        return Some(0.0);
    }
    cell.parse().ok()
}

/// The position of each cell among the different ones, and these in the order in which they first occur.
fn positions(cells: &[&str]) -> Result<(Vec<usize>, Vec<String>)> {
    let mut known = HashMap::new();
    let mut names = Vec::new();
    let mut found = Vec::with_capacity(cells.len());
    for (idx, cell) in cells.iter().enumerate() {
        let name = cell.trim();
        if name.is_empty() {
            return Err(IoError::malformed(
                FORMAT,
                "a name",
                format!("an empty cell in row {}", idx + 2),
                "a name in every row",
            ));
        }
        let position = *known.entry(name).or_insert_with(|| {
            names.push(name.to_owned());
            names.len() - 1
        });
        found.push(position);
    }
    Ok((found, names))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 3] = ["item", "rater", "value"];

    fn wide(text: &str, repeats: Repeats) -> Result<Wide> {
        let table = Table::from_bytes(text.as_bytes(), b',', &Limits::default())?;
        widen(&table, NAMES, repeats, &Limits::default())
    }

    #[test]
    fn repeats_are_refused_or_averaged() {
        let text = "rater,value,item\nx, 1,a\ny,2,a\nx,4 , a \nx,TRUE,b\nz,nan,b\n";
        let message = wide(text, Repeats::Refuse).unwrap_err().to_string();
        assert!(
            message.contains("row 4") && message.contains("item \"a\" and rater \"x\""),
            "{message}"
        );
        let found = wide(text, Repeats::Mean).unwrap();
        assert_eq!((found.rows.len(), found.columns.len()), (2, 3));
        assert_eq!(found.values[[0, 0]], 2.5);
        assert_eq!((found.values[[0, 1]], found.values[[1, 0]]), (2.0, 1.0));
        // y did not rate b; z gave nothing at all.
        assert_eq!(found.n_missing, 3);
        assert_eq!(found.values.iter().filter(|v| v.is_nan()).count(), 3);
    }

    #[test]
    fn errors_name_row_and_column() {
        let message = wide("item,rater,value\na,x,1\na,y,n/a\n", Repeats::Refuse)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("row 3, column value") && message.contains("n/a"),
            "{message}"
        );
        let message = wide("item,rater,value\n ,x,1\n", Repeats::Refuse)
            .unwrap_err()
            .to_string();
        assert!(message.contains("empty cell in row 2"), "{message}");
        let message = wide("item,rater\na,x\n", Repeats::Refuse)
            .unwrap_err()
            .to_string();
        assert!(message.contains("value"), "{message}");
        assert!(wide("item,rater,value\n", Repeats::Refuse).is_err());
        let table = Table::from_bytes(
            b"item,rater,value\na,x,1\nb,y,1\n",
            b',',
            &Limits::default(),
        );
        let limits = Limits {
            max_cells: 3,
            ..Limits::default()
        };
        let message = widen(&table.unwrap(), NAMES, Repeats::Refuse, &limits).unwrap_err();
        assert!(message.to_string().contains("max_cells"), "{message}");
    }

    #[test]
    fn choices_are_compared_with_what_is_right() {
        let table = Table::from_bytes(
            b"truth,choice\n5,5.0\n3,1\ncat, cat\ncat,Cat\n,\n",
            b',',
            &Limits::default(),
        );
        let found = agree(&table.unwrap(), "truth", "choice").unwrap();
        assert_eq!(found, [true, false, true, false, true]);
    }

    proptest! {
        /// A matrix written out row by row, in any order, comes back.
        #[test]
        fn matrices_round_trip(n in 1..6_usize, m in 1..6_usize, seed in any::<u64>()) {
            let mut cells: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..m).map(move |j| (i, j))).collect();
            let by = |(i, j): &(usize, usize)| ((i * 31 + j * 17 + 1) as u64).wrapping_mul(seed | 1);
            cells.sort_by_key(by);
            let mut text = "value,other,item,rater\n".to_owned();
            for (i, j) in &cells {
                text += &format!("{},?,i{i},r{j}\n", i * 10 + j);
            }
            let found = wide(&text, Repeats::Refuse).unwrap();
            prop_assert_eq!(found.n_missing, 0);
            for (row, name) in found.rows.iter().enumerate() {
                for (column, rater) in found.columns.iter().enumerate() {
                    let (i, j): (usize, usize) = (name[1..].parse().unwrap(), rater[1..].parse().unwrap());
                    prop_assert_eq!(found.values[[row, column]], (i * 10 + j) as f64);
                }
            }
        }
    }
}
