//! Long tables, with a trial or a rating a row, as matrices.
//!
//! Files of trials differ in their columns and in what stands beside them; here columns are chosen by name and all
//! others are ignored. [`numbers`] and [`answers`] read a column, [`agree`] says where two columns hold the same, such as a
//! choice and what was right; [`widen`] makes a matrix of one column, such as ratings by item and rater.
//!
//! A cell that is empty or holds `NA` or `NaN` (in any case) is a missing value. Cells are compared without the blanks around
//! them.

use std::collections::HashMap;

use ndarray::Array2;

use crate::table::Table;
use crate::{IoError, Limits, Named, Result};

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
/// Values are those of [`numbers`]; a missing one counts as one that is not there.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a value that is none,
/// or an empty name, [`IoError::Malformed`] for a table without rows, [`IoError::Repeated`],
/// [`IoError::OverLimit`] for a matrix of too many cells.
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
    let values = numbers(table, value)?;
    widen_values(table, [row, column], &values, repeats, limits)
}

/// The same for values that are no column of the table, one a row, NaN where one is missing.
///
/// # Errors
///
/// As [`widen`]; [`IoError::WrongCount`] for another number of values than rows.
pub fn widen_values(
    table: &Table,
    [row, column]: [&str; 2],
    values: &[f64],
    repeats: Repeats,
    limits: &Limits,
) -> Result<Wide> {
    if values.len() != table.n_rows() {
        return Err(IoError::WrongCount {
            shape: vec![table.n_rows()],
            expected: table.n_rows() as u64,
            found: values.len() as u64,
        });
    }
    let (row_of, rows) = positions(table, row)?;
    let (column_of, columns) = positions(table, column)?;
    if values.is_empty() {
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
    for (idx, &number) in values.iter().enumerate() {
        if number.is_nan() {
            continue;
        }
        let at = [row_of[idx], column_of[idx]];
        if counts[at] > 0 && repeats == Repeats::Refuse {
            return Err(IoError::Repeated {
                row: idx as u64 + 2,
                of: format!("{row} {:?} and {column} {:?}", rows[at[0]], columns[at[1]]),
            });
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

/// The numbers of a column, NaN where one is missing; besides numbers, `true` and `false` (in any case) are 1 and 0.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a cell that is none of these.
pub fn numbers(table: &Table, column: &str) -> Result<Vec<f64>> {
    let number = |cell: &str| match cell.to_ascii_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => cell.parse().ok(),
    };
    let expected =
        "a number with a decimal point, true or false (empty, NA or NaN where one is missing)";
    let cells = read(table, column, expected, number)?;
    Ok(cells
        .into_iter()
        .map(|cell| cell.unwrap_or(f64::NAN))
        .collect())
}

/// Yes or no for each row, `None` where the answer is missing.
///
/// With `yes`, a cell that holds it means yes and any other one no. Without, 1, true and yes (in any case) mean yes; 0, false
/// and no mean no.
///
/// # Errors
///
/// As [`numbers`]; [`IoError::Missing`] for a `yes` that stands in no row.
pub fn answers(table: &Table, column: &str, yes: Option<&str>) -> Result<Vec<Option<bool>>> {
    let Some(yes) = yes.map(str::trim) else {
        let answer = |cell: &str| match cell.to_ascii_lowercase().as_str() {
            "1" | "1.0" | "true" | "yes" => Some(true),
            "0" | "0.0" | "false" | "no" => Some(false),
            _ => None,
        };
        let expected = "1, true or yes, or 0, false or no (or say which value means yes)";
        return read(table, column, expected, answer);
    };
    let found = read(table, column, "", |cell| Some(same(cell, yes)))?;
    if !found.contains(&Some(true)) {
        let mut available: Vec<String> = Vec::new();
        for cell in table.column(column)? {
            let cell = cell.trim();
            if !is_missing(cell) && !available.iter().any(|known| known == cell) {
                available.push(cell.to_owned());
            }
        }
        return Err(IoError::Missing {
            kind: Named::Value,
            name: yes.to_owned(),
            available,
        });
    }
    Ok(found)
}

/// Whether two columns hold the same in each row: as numbers where both are, else as text. `None` where either is missing.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there.
pub fn agree(table: &Table, first: &str, second: &str) -> Result<Vec<Option<bool>>> {
    let pairs = table.column(first)?.into_iter().zip(table.column(second)?);
    Ok(pairs
        .map(|(a, b)| {
            let (a, b) = (a.trim(), b.trim());
            (!is_missing(a) && !is_missing(b)).then(|| same(a, b))
        })
        .collect())
}

/// Whether a cell stands for a value that is not there.
#[must_use]
pub fn is_missing(cell: &str) -> bool {
    let cell = cell.trim();
    cell.is_empty() || cell.eq_ignore_ascii_case("na") || cell.eq_ignore_ascii_case("nan")
}

fn same(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(x), Ok(y)) => x == y,
        _ => a == b,
    }
}

/// What each cell of a column means, `None` where it is missing.
fn read<T>(
    table: &Table,
    column: &str,
    expected: &'static str,
    meaning: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let of_cell = |(idx, cell): (usize, &str)| {
        if is_missing(cell) {
            return Ok(None);
        }
        match meaning(cell.trim()) {
            Some(value) => Ok(Some(value)),
            None => Err(IoError::Cell {
                // The header is the first row of the file.
                row: idx as u64 + 2,
                column: column.to_owned(),
                found: cell.to_owned(),
                expected,
            }),
        }
    };
    table
        .column(column)?
        .into_iter()
        .enumerate()
        .map(of_cell)
        .collect()
}

/// The position of each cell of a column among the different ones, and these in the order in which they first occur.
///
/// # Errors
///
/// [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for an empty cell.
pub fn positions(table: &Table, column: &str) -> Result<(Vec<usize>, Vec<String>)> {
    let cells = table.column(column)?;
    let mut known = HashMap::new();
    let mut names = Vec::new();
    let mut found = Vec::with_capacity(cells.len());
    for (idx, cell) in cells.iter().enumerate() {
        let name = cell.trim();
        if name.is_empty() {
            return Err(IoError::Cell {
                row: table.row_number(idx),
                column: column.to_owned(),
                found: (*cell).to_owned(),
                expected: "a name in every row",
            });
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
        assert!(
            message.contains("row 2, column item") && message.contains("a name"),
            "{message}"
        );
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
        assert_eq!(
            found,
            [Some(true), Some(false), Some(true), Some(false), None]
        );
    }

    #[test]
    fn columns_are_numbers_or_answers_with_gaps() {
        let text = b"n,yes,word\n1,YES,old\n, no ,new\nNA,true,\nTrue,0,old\nnan,na,new\n";
        let table = Table::from_bytes(text, b',', &Limits::default()).unwrap();
        let found = numbers(&table, "n").unwrap();
        assert_eq!((found[0], found[3]), (1.0, 1.0));
        assert!([1, 2, 4].iter().all(|row| found[*row].is_nan()));
        let yes = [Some(true), Some(false), Some(true), Some(false), None];
        assert_eq!(answers(&table, "yes", None).unwrap(), yes);
        let old = [Some(true), Some(false), None, Some(true), Some(false)];
        assert_eq!(answers(&table, "word", Some("old")).unwrap(), old);
        let message = answers(&table, "word", None).unwrap_err().to_string();
        assert!(
            message.contains("row 2, column word") && message.contains("means yes"),
            "{message}"
        );
        let message = answers(&table, "word", Some("olt"))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("did you mean \"old\"") && message.contains("\"new\""),
            "{message}"
        );
        assert!(
            numbers(&table, "word")
                .unwrap_err()
                .to_string()
                .contains("\"old\"")
        );
        assert!(
            widen_values(
                &table,
                ["n", "yes"],
                &[1.0],
                Repeats::Refuse,
                &Limits::default()
            )
            .is_err()
        );
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
