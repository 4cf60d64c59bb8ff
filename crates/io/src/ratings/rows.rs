//! From rows of a table to ratings of pictures.

use super::Rated;
use crate::long::{Repeats, is_missing, positions};
use crate::table::Table;
use crate::{IoError, Result};

const RATING: &str = "a finite number with a decimal point (empty, NA or NaN where one is missing)";

/// All ratings of a table, in its order.
#[derive(Default)]
pub(super) struct Found {
    ratings: Vec<Cell>,
    pub(super) raters: Vec<String>,
    pub(super) n_rejected: usize,
    pub(super) n_missing: usize,
}

struct Cell {
    picture: usize,
    rater: usize,
    value: f64,
    /// 1-based, the header counted.
    row: u64,
    column: String,
}

impl Found {
    fn take(
        &mut self,
        cell: &str,
        row: u64,
        [picture, rater]: [usize; 2],
        column: &str,
    ) -> Result<()> {
        match number(cell, row, column)? {
            None => self.n_missing += 1,
            Some(value) => self.ratings.push(Cell {
                picture,
                rater,
                value,
                row,
                column: column.to_owned(),
            }),
        }
        Ok(())
    }

    pub(super) fn check_scale(&self, scale: Option<[f64; 2]>) -> Result<()> {
        let Some(scale) = scale else { return Ok(()) };
        let outside = |cell: &&Cell| !(scale[0]..=scale[1]).contains(&cell.value);
        match self.ratings.iter().find(outside) {
            None => Ok(()),
            Some(cell) => Err(IoError::OutsideScale {
                row: cell.row,
                column: cell.column.clone(),
                value: cell.value,
                scale,
            }),
        }
    }
}

/// A rating, `None` where there is none.
fn number(cell: &str, row: u64, column: &str) -> Result<Option<f64>> {
    if is_missing(cell) {
        return Ok(None);
    }
    match cell.trim().parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(IoError::Cell {
            row,
            column: column.to_owned(),
            found: cell.to_owned(),
            expected: RATING,
        }),
    }
}

pub(super) fn wide(table: &Table, picture_of: &[usize], columns: &[String]) -> Result<Found> {
    let mut found = Found::default();
    let cells: Vec<Vec<&str>> = (columns.iter())
        .map(|column| table.column(column))
        .collect::<Result<_>>()?;
    for (row, &picture) in picture_of.iter().enumerate() {
        for (rater, column) in columns.iter().enumerate() {
            let at = table.row_number(row);
            found.take(cells[rater][row], at, [picture, rater], column)?;
        }
    }
    found.raters = columns.to_vec();
    Ok(found)
}

pub(super) fn long(
    table: &Table,
    picture_of: &[usize],
    [rating, rater]: [&str; 2],
    reject: Option<&str>,
) -> Result<Found> {
    let cells = table.column(rating)?;
    let (rater_of, raters) = positions(table, rater)?;
    let rejected = match reject {
        None => vec![""; table.n_rows()],
        Some(reject) => table.column(reject)?,
    };
    let mut found = Found {
        raters,
        ..Found::default()
    };
    for (row, cell) in cells.into_iter().enumerate() {
        if is_rejected(rejected[row]) {
            found.n_rejected += 1;
        } else {
            let at = table.row_number(row);
            found.take(cell, at, [picture_of[row], rater_of[row]], rating)?;
        }
    }
    Ok(found)
}

/// Whether a cell of the column that rejects rows does so.
pub(super) fn is_rejected(cell: &str) -> bool {
    let keeps = ["keep", "false", "no", "0", "0.0"];
    let cell = cell.trim();
    !is_missing(cell) && !keeps.iter().any(|kept| cell.eq_ignore_ascii_case(kept))
}

/// The ratings of each picture, repeats made one or refused.
pub(super) fn by_picture(
    found: Found,
    pictures: &[String],
    raters: &[String],
    repeats: Repeats,
) -> Result<Vec<Rated>> {
    let mut cells = found.ratings;
    // Stable, so that of repeats the first row stays first.
    cells.sort_by_key(|cell| (cell.picture, cell.rater));
    let mut rated: Vec<Rated> = (pictures.iter())
        .map(|name| Rated {
            name: name.clone(),
            ratings: Vec::new(),
            spread: None,
        })
        .collect();
    for same in cells.chunk_by(|a, b| (a.picture, a.rater) == (b.picture, b.rater)) {
        let first = &same[0];
        if let [_, second, ..] = same
            && repeats == Repeats::Refuse
        {
            return Err(IoError::Repeated {
                row: second.row,
                of: format!(
                    "picture {:?} by {:?}",
                    pictures[first.picture], raters[first.rater]
                ),
            });
        }
        let mean = same.iter().map(|cell| cell.value).sum::<f64>() / same.len() as f64;
        rated[first.picture].ratings.push((first.rater, mean));
    }
    Ok(rated)
}

/// Standard deviations and numbers of raters, from their columns.
pub(super) fn add_spread(
    table: &Table,
    picture_of: &[usize],
    columns: [Option<&str>; 2],
    rated: &mut [Rated],
) -> Result<()> {
    let [sds, counts] = columns.map(|column| {
        let of_row =
            |(row, cell): (usize, &str)| number(cell, table.row_number(row), column.unwrap_or(""));
        match column {
            None => Ok(vec![None; table.n_rows()]),
            Some(name) => table
                .column(name)?
                .into_iter()
                .enumerate()
                .map(of_row)
                .collect(),
        }
    });
    let (sds, counts): (Vec<Option<f64>>, Vec<Option<f64>>) = (sds?, counts?);
    let wrong = |row: usize, at: usize, value: f64, expected| IoError::Cell {
        row: table.row_number(row),
        column: columns[at].unwrap_or("").to_owned(),
        found: value.to_string(),
        expected,
    };
    for (row, &picture) in picture_of.iter().enumerate() {
        if let Some(sd) = sds[row].filter(|sd| *sd < 0.0) {
            return Err(wrong(row, 0, sd, "a standard deviation of at least 0"));
        }
        let is_count = |n: f64| n.fract() == 0.0 && (1.0..=2_f64.powi(53)).contains(&n);
        if let Some(n) = counts[row].filter(|n| !is_count(*n)) {
            return Err(wrong(row, 1, n, "a number of raters, whole and at least 1"));
        }
        rated[picture].spread = Some((sds[row], counts[row].map(|n| n as usize)));
    }
    Ok(())
}
