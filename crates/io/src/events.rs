//! What happened in a run (BIDS `events.tsv`), and what else moved the signal (`confounds.tsv`).

use std::path::Path;

use ndarray::{Array2, Axis};

use crate::betas::shown;
use crate::error::AtPath;
use crate::source::read_file;
use crate::table::Table;
use crate::{IoError, Limits, Result};

/// A row of a table of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Seconds from the beginning of the run.
    pub onset: f64,
    /// Seconds.
    pub duration: f64,
    /// Its kind, `trial_type` in BIDS.
    pub kind: Option<String>,
    /// The picture that was shown; `None` for anything else.
    pub picture: Option<String>,
}

/// Reads a table with the columns `onset` and `duration`; `picture` names the one with pictures, `kind` that with kinds of events, if there is one.
///
/// A cell that is empty or holds `NA`, `NaN` or `n/a` (in any case) is no picture, and no kind.
///
/// # Errors
///
/// [`IoError`] as [`Table::read`]; [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for an onset or duration that is
/// no finite number, or a duration below 0.
pub fn read_events(
    path: impl AsRef<Path>,
    picture: &str,
    kind: Option<&str>,
) -> Result<Vec<EventRow>> {
    let path = path.as_ref();
    let table = Table::read(path)?;
    events(&table, picture, kind).at(path)
}

fn events(table: &Table, picture: &str, kind: Option<&str>) -> Result<Vec<EventRow>> {
    let onsets = seconds(table, "onset", f64::NEG_INFINITY, "a number of seconds")?;
    let durations = seconds(
        table,
        "duration",
        0.0,
        "a number of seconds, 0 for an instant",
    )?;
    let pictures = table.column(picture)?;
    let kinds = kind.map(|column| table.column(column)).transpose()?;
    let row = |row: usize| EventRow {
        onset: onsets[row],
        duration: durations[row],
        kind: kinds.as_ref().and_then(|kinds| shown(kinds[row])),
        picture: shown(pictures[row]),
    };
    Ok((0..table.n_rows()).map(row).collect())
}

/// Finite numbers of a column that are at least `least`.
fn seconds(table: &Table, column: &str, least: f64, expected: &'static str) -> Result<Vec<f64>> {
    let cells = table.column(column)?.into_iter().enumerate();
    let number = |(row, cell): (usize, &str)| match cell.trim().parse::<f64>() {
        Ok(value) if value.is_finite() && value >= least => Ok(value),
        _ => Err(IoError::Cell {
            row: row as u64 + 2,
            column: column.to_owned(),
            found: cell.to_owned(),
            expected,
        }),
    };
    cells.map(number).collect()
}

/// Columns of six parameters of motion, as fMRIPrep calls them.
const MOTION: [&str; 6] = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"];

/// Reads columns of a table with a row a volume, (volumes, columns): those named, else the six parameters of motion if they are there, else all.
///
/// A file whose first line holds nothing but numbers between blanks, as SPM and FSL write them (`rp_*.txt`, `.par`), has no names: all its columns are read.
///
/// A missing cell (empty, `NA`, `NaN`, `n/a`), such as a derivative's first one, becomes the mean of its column.
///
/// # Errors
///
/// [`IoError`] as [`Table::read`]; [`IoError::Missing`] for a column that is not there, [`IoError::Cell`] for a cell that is no finite
/// number, and for the first cell of a column without any.
pub fn read_confounds(path: impl AsRef<Path>, columns: &[String]) -> Result<Array2<f64>> {
    let path = path.as_ref();
    let bytes = read_file(path, &Limits::default())?;
    let text = String::from_utf8_lossy(&bytes);
    if columns.is_empty() && text.lines().next().is_some_and(is_blank_separated) {
        return unnamed(&text).at(path);
    }
    let table = Table::read(path)?;
    confounds(&table, columns).at(path)
}

fn is_blank_separated(line: &str) -> bool {
    let mut cells = line.split_whitespace().peekable();
    cells.peek().is_some() && cells.all(|cell| cell.parse::<f64>().is_ok())
}

/// Rows of numbers between blanks.
fn unnamed(text: &str) -> Result<Array2<f64>> {
    let lines = text.lines().enumerate();
    let mut values = Vec::new();
    let (mut n_rows, mut n_columns) = (0, 0);
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        let row = line as u64 + 1;
        let before = values.len();
        for (column, cell) in text.split_whitespace().enumerate() {
            match cell.parse::<f64>() {
                Ok(value) if value.is_finite() => values.push(value),
                _ => {
                    return Err(IoError::Cell {
                        row,
                        column: (column + 1).to_string(),
                        found: cell.to_owned(),
                        expected: "a number",
                    });
                }
            }
        }
        let found = values.len() - before;
        if n_rows == 0 {
            n_columns = found;
        } else if found != n_columns {
            return Err(IoError::Cell {
                row,
                column: (found.min(n_columns) + 1).to_string(),
                found: format!("{found} numbers"),
                expected: "as many as in the first row",
            });
        }
        n_rows += 1;
    }
    Ok(Array2::from_shape_vec((n_rows, n_columns), values).expect("rows are of one length"))
}

fn confounds(table: &Table, columns: &[String]) -> Result<Array2<f64>> {
    let has_motion = MOTION
        .iter()
        .all(|name| table.columns().iter().any(|column| column == name));
    let names: Vec<&str> = match (columns.is_empty(), has_motion) {
        (false, _) => columns.iter().map(String::as_str).collect(),
        (true, true) => MOTION.to_vec(),
        (true, false) => table.columns().iter().map(String::as_str).collect(),
    };
    let mut all = Array2::zeros((table.n_rows(), names.len()));
    for (name, mut column) in names.into_iter().zip(all.axis_iter_mut(Axis(1))) {
        for (value, found) in column.iter_mut().zip(numbers_of(table, name)?) {
            *value = found;
        }
    }
    Ok(all)
}

fn numbers_of(table: &Table, name: &str) -> Result<Vec<f64>> {
    let cells = table.column(name)?;
    let wrong = |row: usize, expected| IoError::Cell {
        row: row as u64 + 2,
        column: name.to_owned(),
        found: cells[row].to_owned(),
        expected,
    };
    let mut values = Vec::with_capacity(cells.len());
    for (row, cell) in cells.iter().enumerate() {
        values.push(match shown(cell) {
            None => None,
            Some(text) => match text.parse::<f64>() {
                Ok(value) if value.is_finite() => Some(value),
                _ => return Err(wrong(row, "a number, or n/a where there is none")),
            },
        });
    }
    let present: Vec<f64> = values.iter().flatten().copied().collect();
    if present.is_empty() && !values.is_empty() {
        return Err(wrong(0, "a number in some row of the column"));
    }
    let mean = present.iter().sum::<f64>() / present.len() as f64;
    Ok(values
        .into_iter()
        .map(|value| value.unwrap_or(mean))
        .collect())
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::Named;

    fn table(text: &str) -> Table {
        Table::from_bytes(text.as_bytes(), b'\t', &Limits::default()).unwrap()
    }

    #[test]
    fn events_are_pictures_and_others() {
        let events = events(
            &table("onset\tduration\ttrial_type\tstim_file\n4.5\t3\tpicture\ta.jpg\n9\t0\tresponse\tn/a\n-1\t1\tn/a\t\n"),
            "stim_file",
            Some("trial_type"),
        )
        .unwrap();
        let event = |onset, duration, kind: Option<&str>, picture: Option<&str>| EventRow {
            onset,
            duration,
            kind: kind.map(str::to_owned),
            picture: picture.map(str::to_owned),
        };
        assert_eq!(
            events,
            [
                event(4.5, 3.0, Some("picture"), Some("a.jpg")),
                event(9.0, 0.0, Some("response"), None),
                event(-1.0, 1.0, None, None),
            ]
        );
    }

    #[test]
    fn parameters_of_motion_need_no_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rp_run1.txt");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_confounds(&path, &[])
        };
        assert_eq!(
            read("  1.5e-1  2\n\n -3 4  \n").unwrap(),
            array![[0.15, 2.0], [-3.0, 4.0]]
        );
        for (text, place) in [
            ("1 2\n3\n", "row 2, column 2"),
            ("1 2\n3 4 5\n", "row 2, column 3"),
            ("1 2\n3 inf\n", "row 2, column 2"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.contains(place), "{message}");
        }
        // One column of a table with a header is no such file.
        assert_eq!(read("motion\n1\n2\n").unwrap(), array![[1.0], [2.0]]);
    }

    #[test]
    fn times_that_are_none_are_named() {
        for (cells, place) in [
            ("soon\t1\ta", "row 2, column onset"),
            ("inf\t1\ta", "row 2, column onset"),
            ("1\tn/a\ta", "row 2, column duration"),
            ("1\t-1\ta", "row 2, column duration"),
        ] {
            let table = table(&format!("onset\tduration\tpicture\n{cells}\n"));
            let message = events(&table, "picture", None).unwrap_err().to_string();
            assert!(message.contains(place), "{message}");
        }
        let table = table("onset\tpicture\n1\ta\n");
        assert!(matches!(
            events(&table, "picture", None).unwrap_err(),
            IoError::Missing { kind: Named::Column, name, .. } if name == "duration"
        ));
    }

    #[test]
    fn confounds_are_motion_unless_others_are_named() {
        let motion = table(
            "csf\ttrans_x\ttrans_y\ttrans_z\trot_x\trot_y\trot_z\nn/a\t1\t2\t3\t4\t5\t6\n7\t1\t2\t3\t4\t5\t7\n9\t0\t0\t0\t0\t0\t0\n",
        );
        assert_eq!(confounds(&motion, &[]).unwrap().dim(), (3, 6));
        let named = confounds(&motion, &["csf".to_owned()]).unwrap();
        assert_eq!(named, array![[8.0], [7.0], [9.0]]);
        assert_eq!(
            confounds(&table("a\tb\n1\t2\n3\t4\n"), &[]).unwrap(),
            array![[1.0, 2.0], [3.0, 4.0]]
        );
        for (text, place) in [
            ("a\n1\nx\n", "row 3, column a"),
            ("a\tb\nn/a\t1\nn/a\t2\n", "row 2, column a"),
        ] {
            let message = confounds(&table(text), &[]).unwrap_err().to_string();
            assert!(message.contains(place), "{message}");
        }
    }
}
