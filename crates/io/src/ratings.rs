//! Ratings of pictures: tables of one or several raters, and the ratings of the pictures that a study asks for.
//!
//! Columns are chosen by name, blanks around cells do not count, and a cell that is empty or holds `NA` or `NaN` is a rating
//! that was not given. Which row belongs to a picture: equal names, else equal file names whose folders agree as far
//! as both have some, else the same without the endings of pictures; case counts.
//!
//! # Tables without a header
//!
//! A table of four columns whose first row has numbers in the last two has no header; its columns are the picture's name, its ending, arousal
//! and valence, as the program of Liu et al. 2026 reads them. The first is the column of pictures, whatever that is called, and the
//! others are `ending`, `arousal` and `valence`. A header further down, of a table that was put behind another, is refused.

use std::path::Path;

use crate::error::AtPath;
use crate::long::{Repeats, positions};
use crate::table::Table;
use crate::{IoError, Limits, Result};

mod aligned;
mod rows;

#[cfg(test)]
mod tests;

pub use aligned::Aligned;

use rows::{add_spread, by_picture, long, wide};

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

/// The table with names for its columns, if its first row is none.
///
/// # Errors
///
/// [`IoError::WrongKind`] for a header further down.
pub fn with_names(table: Table, picture: &str) -> Result<Table> {
    let is_number = |cell: &String| cell.trim().parse::<f64>().is_ok();
    let [_, _, arousal, valence] = table.columns() else {
        return Ok(table);
    };
    if !(is_number(arousal) && is_number(valence)) {
        return Ok(table);
    }
    let names = [picture, "ending", "arousal", "valence"];
    let table = table.without_header(&names);
    for name in &names[2..] {
        let cells = table.column(name)?;
        let header = (cells.iter()).position(|cell| cell.trim().eq_ignore_ascii_case(name));
        if let Some(row) = header {
            return Err(IoError::WrongKind {
                what: format!("row {} of a table that begins without a header", row + 1),
                found: format!("a header (its column {name})"),
                expected: "a picture with its ratings; give each of the tables that were joined a header, or none of them",
            });
        }
    }
    Ok(table)
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
        let table = with_names(Table::read(path)?, &params.picture).at(path)?;
        Self::from_table(&table, params, &Limits::default()).at(path)
    }

    /// Takes a table that was read, which has a header.
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
