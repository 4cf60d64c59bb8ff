//! Ratings of pictures: tables of one or several raters, and the ratings of the pictures that a study asks for.
//!
//! Columns are chosen by name, blanks around cells do not count, and a cell that is empty or holds `NA` or `NaN` is a rating
//! that was not given. Which row belongs to a picture: equal names, else equal file names whose folders agree as far
//! as both have some, else the same without the endings of pictures; case counts.

use std::path::Path;

use crate::error::AtPath;
use crate::long::{Repeats, is_missing, positions};
use crate::table::Table;
use crate::{IoError, Limits, Result};

mod aligned;

#[cfg(test)]
mod tests;

pub use aligned::Aligned;

const RATING: &str = "a finite number with a decimal point (empty, NA or NaN where one is missing)";

/// How a table holds ratings; columns by their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RatingsForm {
    /// A row for each picture, a column for each rater.
    Wide {
        /// Columns of the raters.
        ratings: Vec<String>,
    },
    /// A row for each picture with the mean over raters, as in OASIS.
    Means {
        /// Column of the mean.
        mean: String,
        /// Column of the standard deviation over raters.
        sd: Option<String>,
        /// Column of the number of raters.
        n: Option<String>,
    },
    /// A row for each rating, as in FindingEmo.
    Long {
        /// Column of the rating.
        rating: String,
        /// Column that says whose it is.
        rater: String,
        /// Column that says whether the row is rejected: it is kept when the cell is empty or holds `Keep`, `False`,
        /// `No`, `0` or a missing value (in any case), and left out whatever else it holds.
        reject: Option<String>,
    },
}

/// Options of [`RatingsTable::read`].
#[derive(Debug, Clone, PartialEq)]
pub struct RatingsParams {
    /// Column of the pictures' names or files.
    pub picture: String,
    /// Where ratings stand.
    pub form: RatingsForm,
    /// Ends of the rating scale: a rating outside is refused.
    pub scale: Option<[f64; 2]>,
    /// What to do when a rater rated a picture several times. A table of means holds each picture once.
    pub repeats: Repeats,
}

impl RatingsParams {
    /// Ratings in columns of a row for each picture, without a scale.
    #[must_use]
    pub fn wide(picture: &str, ratings: &[&str]) -> Self {
        let ratings = ratings.iter().map(|&name| name.to_owned()).collect();
        Self::new(picture, RatingsForm::Wide { ratings })
    }

    /// The columns of FindingEmo's annotations: `user`, `image_path`, `reject` and `rating`, which is `"valence"` or `"arousal"`.
    #[must_use]
    pub fn findingemo(rating: &str) -> Self {
        let form = RatingsForm::Long {
            rating: rating.to_owned(),
            rater: "user".to_owned(),
            reject: Some("reject".to_owned()),
        };
        Self::new("image_path", form)
    }

    /// The columns of `OASIS.csv`: `Theme`, and mean, standard deviation and number of raters of `"Valence"` or `"Arousal"`.
    #[must_use]
    pub fn oasis(rating: &str) -> Self {
        let form = RatingsForm::Means {
            mean: format!("{rating}_mean"),
            sd: Some(format!("{rating}_SD")),
            n: Some(format!("{rating}_N")),
        };
        Self::new("Theme", form)
    }

    fn new(picture: &str, form: RatingsForm) -> Self {
        Self {
            picture: picture.to_owned(),
            form,
            scale: None,
            repeats: Repeats::default(),
        }
    }

    fn validate(&self) -> Result<()> {
        if let RatingsForm::Wide { ratings } = &self.form
            && ratings.is_empty()
        {
            return Err(IoError::WrongKind {
                what: "the list of columns with ratings".into(),
                found: "empty".into(),
                expected: "the name of a column for each rater",
            });
        }
        match self.scale {
            Some([low, high]) if !(low < high && low.is_finite() && high.is_finite()) => {
                Err(IoError::WrongKind {
                    what: "the rating scale".into(),
                    found: format!("from {low} to {high}"),
                    expected: "two numbers, the lower one first",
                })
            }
            _ => Ok(()),
        }
    }
}

/// Ratings of pictures.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingsTable {
    pictures: Vec<Rated>,
    raters: Vec<String>,
    n_rejected: usize,
    n_missing: usize,
    max_cells: usize,
}

/// A picture with at least one rating.
#[derive(Debug, Clone, PartialEq)]
struct Rated {
    name: String,
    /// Rater and rating, raters ascending.
    ratings: Vec<(usize, f64)>,
    /// Standard deviation and number of raters, where the table says them.
    spread: Option<(Option<f64>, Option<usize>)>,
}

impl RatingsTable {
    /// Reads a file, within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`IoError`] as [`Table::read`]; [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a rating that is
    /// no finite number, [`IoError::OutsideScale`], [`IoError::Repeated`], [`IoError::WrongKind`] for a scale that is none and a
    /// table without a single rating.
    ///
    /// # Example
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("ratings.csv");
    /// # std::fs::write(&path, "image,ann,bob\nb.png,2,3\na.png,5,\n").unwrap();
    /// use consilience_io::ratings::{RatingsParams, RatingsTable};
    /// let params = RatingsParams::wide("image", &["ann", "bob"]);
    /// let ratings = RatingsTable::read(&path, &params)?;
    /// let found = ratings.aligned(&["stimuli/a.png", "b", "c"])?;
    /// assert_eq!(found.mean, [Some(5.0), Some(2.5), None]);
    /// assert_eq!((found.missing, found.n_missing), (vec![2], 1));
    /// # Ok::<(), consilience_io::IoError>(())
    /// ```
    pub fn read(path: impl AsRef<Path>, params: &RatingsParams) -> Result<Self> {
        let path = path.as_ref();
        let table = Table::read(path)?;
        Self::from_table(&table, params, &Limits::default()).at(path)
    }

    /// Takes a table that was read.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_table(table: &Table, params: &RatingsParams, limits: &Limits) -> Result<Self> {
        params.validate()?;
        let (picture_of, pictures) = positions(table, &params.picture)?;
        let mut found = match &params.form {
            RatingsForm::Wide { ratings } => wide(table, &picture_of, ratings)?,
            RatingsForm::Means { mean, .. } => {
                wide(table, &picture_of, std::slice::from_ref(mean))?
            }
            RatingsForm::Long {
                rating,
                rater,
                reject,
            } => long(table, &picture_of, [rating, rater], reject.as_deref())?,
        };
        found.check_scale(params.scale)?;
        let repeats = match params.form {
            RatingsForm::Means { .. } => Repeats::Refuse,
            RatingsForm::Wide { .. } | RatingsForm::Long { .. } => params.repeats,
        };
        let n_missing = found.n_missing;
        let n_rejected = found.n_rejected;
        let raters = std::mem::take(&mut found.raters);
        let mut rated = by_picture(found, &pictures, &raters, repeats)?;
        if let RatingsForm::Means { sd, n, .. } = &params.form {
            add_spread(
                table,
                &picture_of,
                [sd.as_deref(), n.as_deref()],
                &mut rated,
            )?;
        }
        rated.retain(|picture| !picture.ratings.is_empty());
        if rated.is_empty() {
            return Err(IoError::WrongKind {
                what: "the table of ratings".into(),
                found: format!(
                    "without a rating ({} rows, {n_rejected} of them rejected)",
                    table.n_rows()
                ),
                expected: "at least one number in the columns of ratings",
            });
        }
        Ok(Self {
            pictures: rated,
            raters,
            n_rejected,
            n_missing,
            max_cells: limits.max_cells,
        })
    }

    /// The pictures with at least one rating, as the table names them, in the order in which they first occur.
    pub fn pictures(&self) -> impl Iterator<Item = &str> {
        self.pictures.iter().map(|picture| picture.name.as_str())
    }

    /// The raters, in the order of the columns or in which they first occur.
    #[must_use]
    pub fn raters(&self) -> &[String] {
        &self.raters
    }

    /// Rows that were left out because the table rejects them.
    #[must_use]
    pub fn n_rejected(&self) -> usize {
        self.n_rejected
    }

    /// Cells of other rows without a rating.
    #[must_use]
    pub fn n_missing(&self) -> usize {
        self.n_missing
    }
}

/// All ratings of a table, in its order.
#[derive(Default)]
struct Found {
    ratings: Vec<Cell>,
    raters: Vec<String>,
    n_rejected: usize,
    n_missing: usize,
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
        [row_idx, picture, rater]: [usize; 3],
        column: &str,
    ) -> Result<()> {
        let row = row_idx as u64 + 2;
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

    fn check_scale(&self, scale: Option<[f64; 2]>) -> Result<()> {
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

fn wide(table: &Table, picture_of: &[usize], columns: &[String]) -> Result<Found> {
    let mut found = Found::default();
    let cells: Vec<Vec<&str>> = (columns.iter())
        .map(|column| table.column(column))
        .collect::<Result<_>>()?;
    for (row, &picture) in picture_of.iter().enumerate() {
        for (rater, column) in columns.iter().enumerate() {
            found.take(cells[rater][row], [row, picture, rater], column)?;
        }
    }
    found.raters = columns.to_vec();
    Ok(found)
}

fn long(
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
            found.take(cell, [row, picture_of[row], rater_of[row]], rating)?;
        }
    }
    Ok(found)
}

/// Whether a cell of the column that rejects rows does so.
fn is_rejected(cell: &str) -> bool {
    let keeps = ["keep", "false", "no", "0", "0.0"];
    let cell = cell.trim();
    !is_missing(cell) && !keeps.iter().any(|kept| cell.eq_ignore_ascii_case(kept))
}

/// The ratings of each picture, repeats made one or refused.
fn by_picture(
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
fn add_spread(
    table: &Table,
    picture_of: &[usize],
    columns: [Option<&str>; 2],
    rated: &mut [Rated],
) -> Result<()> {
    let [sds, counts] = columns.map(|column| {
        let of_row =
            |(row, cell): (usize, &str)| number(cell, row as u64 + 2, column.unwrap_or(""));
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
        row: row as u64 + 2,
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
