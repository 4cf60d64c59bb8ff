//! Which picture each volume shows.

use std::path::Path;

use crate::error::AtPath;
use crate::long::is_missing;
use crate::table::Table;
use crate::{IoError, Result};

/// A table of trials: which picture each volume (or row) of betas shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialTable {
    /// For each row of the table the picture, `None` where none was shown.
    pictures: Vec<Option<String>>,
    /// For each row the 0-based volume; without, rows are volumes.
    volumes: Option<Vec<usize>>,
}

impl TrialTable {
    /// Reads a table: `picture` is the column of the pictures' names or files, `volume` that of the volumes' numbers, counted
    /// from 0. Without it, the rows are the volumes in their order.
    ///
    /// A cell of `picture` that is empty or holds `NA`, `NaN` or `n/a` (in any case) is a volume without a picture, such as a fixation.
    ///
    /// # Errors
    ///
    /// [`IoError`] as [`Table::read`]; [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a volume that is no
    /// number, [`IoError::Repeated`] for one that stands in two rows.
    pub fn read(path: impl AsRef<Path>, picture: &str, volume: Option<&str>) -> Result<Self> {
        let path = path.as_ref();
        let table = Table::read(path)?;
        Self::from_table(&table, picture, volume).at(path)
    }

    /// Takes a table that was read.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_table(table: &Table, picture: &str, volume: Option<&str>) -> Result<Self> {
        let pictures = table.column(picture)?.into_iter().map(shown).collect();
        let volumes = volume.map(|column| numbers(table, column)).transpose()?;
        Ok(Self { pictures, volumes })
    }

    /// The picture of each of so many volumes.
    pub(super) fn of_volumes(&self, n_volumes: usize) -> Result<Vec<Option<&str>>> {
        let pictures = self.pictures.iter().map(Option::as_deref);
        let Some(volumes) = &self.volumes else {
            if self.pictures.len() != n_volumes {
                return Err(IoError::VolumeCount {
                    found: n_volumes,
                    expected: self.pictures.len(),
                    of: "rows of the table of trials",
                    cure: "give a row for each volume (without a name where no picture was shown), or name a column that numbers the volumes",
                });
            }
            return Ok(pictures.collect());
        };
        let mut shown = vec![None; n_volumes];
        for (row, (&volume, picture)) in volumes.iter().zip(pictures).enumerate() {
            *shown.get_mut(volume).ok_or_else(|| IoError::OutOfRange {
                what: format!("the volume of row {} of the trials,", row + 2),
                index: volume,
                len: n_volumes,
            })? = picture;
        }
        Ok(shown)
    }
}

/// What a cell holds, unless it is empty or says that there is nothing.
pub(crate) fn shown(cell: &str) -> Option<String> {
    let cell = cell.trim();
    (!is_missing(cell) && !cell.eq_ignore_ascii_case("n/a")).then(|| cell.to_owned())
}

fn numbers(table: &Table, column: &str) -> Result<Vec<usize>> {
    let mut rows_of = std::collections::HashMap::new();
    let cells = table.column(column)?.into_iter().enumerate();
    let of_row = |(row_idx, cell): (usize, &str)| {
        let row = row_idx as u64 + 2;
        let volume = cell.trim().parse().map_err(|_| IoError::Cell {
            row,
            column: column.to_owned(),
            found: cell.to_owned(),
            expected: "the number of a volume, counted from 0",
        })?;
        match rows_of.insert(volume, row) {
            None => Ok(volume),
            Some(before) => Err(IoError::Repeated {
                row,
                of: format!("volume {volume} (first in row {before})"),
            }),
        }
    };
    cells.map(of_row).collect()
}
