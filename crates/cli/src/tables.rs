//! Tables of trials and ratings in, results that can be read out: the same for every command on behaviour.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::ValueEnum;
use consilience::io::table::{self, Table};
use consilience::io::{IoError, long, source};
use consilience::methods::NanPolicy;
use consilience::study::Progress;
use ndarray::{Array2, Axis, Ix1, Ix2};
use serde::Serialize;

use crate::Format;
use crate::arrays;
use crate::console::Console;

/// What to do with missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Missing {
    /// A missing value is an error
    Refuse,
    /// Leave out the whole item or trial, and say how many
    Omit,
}

impl From<Missing> for NanPolicy {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Refuse => Self::Refuse,
            Missing::Omit => Self::Omit,
        }
    }
}

/// Whether an argument names a table, by its ending.
pub fn is_table(spec: &str) -> bool {
    Path::new(spec)
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| ["csv", "tsv", "txt"].contains(&ending.to_ascii_lowercase().as_str()))
}

/// A table with a header, and the file that it stands in.
pub struct Sheet {
    pub file: String,
    pub table: Table,
}

impl Sheet {
    pub fn read(file: &str) -> Result<Self> {
        if !is_table(file) {
            bail!("expected a table with a header, a .csv, .tsv or .txt file: {file}");
        }
        Ok(Self {
            file: file.to_owned(),
            table: Table::read(file)?,
        })
    }

    /// Puts the file behind what is wrong with it.
    pub fn at<T>(&self, outcome: Result<T, IoError>) -> Result<T> {
        Ok(outcome.map_err(|problem| problem.at(&self.file))?)
    }

    /// The first column with one of the usual names, whatever their case.
    pub fn usual(&self, usual: &[&str]) -> Option<String> {
        usual.iter().find_map(|name| {
            let mut columns = self.table.columns().iter();
            columns.find(|c| c.eq_ignore_ascii_case(name)).cloned()
        })
    }

    /// The column that `option` names, by default one with a usual name.
    pub fn choose(&self, option: &str, given: Option<&str>, usual: &[&str]) -> Result<String> {
        if let Some(name) = given {
            self.at(self.table.column(name))?;
            return Ok(name.to_owned());
        }
        let Some(name) = self.usual(usual) else {
            bail!(
                "no column is called {}; name one of {} with {option} COLUMN: {}",
                usual.join(" or "),
                self.table.columns().join(", "),
                self.file
            );
        };
        Ok(name)
    }

    /// The numbers of a column, NaN where one is missing.
    pub fn numbers(&self, column: &str) -> Result<Vec<f64>> {
        self.at(long::numbers(&self.table, column))
    }

    /// Yes or no for each row; `yes` is the value that means yes, given by `option`.
    pub fn answers(
        &self,
        column: &str,
        yes: Option<&str>,
        option: &str,
    ) -> Result<Vec<Option<bool>>> {
        self.at(long::answers(&self.table, column, yes))
            .map_err(|error| match yes {
                None => error.context(format!("{option} VALUE says which value means yes")),
                Some(_) => error.context(format!("{option}, column {column}")),
            })
    }

    /// A gap in a row of the table (counted from 0), as a place that a person finds.
    pub fn gap(&self, row: usize, column: &str) -> String {
        // The header is the first row of the file.
        format!(
            "row {}, column {column}: the value is missing ({})",
            row + 2,
            self.file
        )
    }
}

/// What is left when missing values are dealt with.
pub struct Kept {
    /// Positions from 0 of the rows (items, trials) without a gap.
    pub rows: Vec<usize>,
    pub n_omitted: usize,
}

/// Rows without a gap. `gaps` has an entry a row, which says where its first gap is.
pub fn complete(
    missing: Missing,
    what: &str,
    gaps: impl IntoIterator<Item = Option<String>>,
) -> Result<Kept> {
    let mut rows = Vec::new();
    let mut n_omitted = 0;
    for (row, gap) in gaps.into_iter().enumerate() {
        match gap {
            None => rows.push(row),
            Some(_) if missing == Missing::Omit => n_omitted += 1,
            Some(place) => bail!("{place}; fill it in, or leave out such {what}: --nan omit"),
        }
    }
    if rows.is_empty() {
        bail!("no {what} are left: each of the {n_omitted} lacks a value");
    }
    if n_omitted > 0 {
        note(&format!(
            "{n_omitted} of {} {what} left out, because they lack a value",
            n_omitted + rows.len()
        ));
    }
    Ok(Kept { rows, n_omitted })
}

/// The named values of a list, which has an entry a row.
pub fn at_rows<T: Clone>(values: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| values[row].clone()).collect()
}

/// Tells something about the result that is no part of it.
pub fn note(text: &str) {
    Console::new().note(&format!("note: {text}"));
}

/// Numbers with names around them, positions where the file has none.
pub struct Named {
    pub values: Array2<f64>,
    pub columns: Vec<String>,
    /// Only if the file names them.
    pub rows: Option<Vec<String>>,
}

impl Named {
    /// An array (rows, columns), or a table of numbers with or without names. A single axis is a column.
    pub fn load(spec: &str, what: &str) -> Result<Self> {
        if is_table(spec) {
            let matrix = table::read_matrix(spec)?;
            let columns = matrix
                .columns
                .unwrap_or_else(|| positions(matrix.values.ncols()));
            return Ok(Self {
                values: matrix.values,
                columns,
                rows: matrix.rows,
            });
        }
        let array = source::load_array(spec)?.into_f64();
        let shape = array.shape().to_vec();
        let values = match shape.len() {
            1 => array.into_dimensionality::<Ix1>()?.insert_axis(Axis(1)),
            2 => array.into_dimensionality::<Ix2>()?,
            n => bail!(
                "{what} have {n} dimensions {shape:?}, expected rows and columns, or one column: {spec}"
            ),
        };
        Ok(Self {
            columns: positions(values.ncols()),
            values,
            rows: None,
        })
    }
}

/// Names of what has none: positions from 0.
pub fn positions(n: usize) -> Vec<String> {
    (0..n).map(|k| k.to_string()).collect()
}

/// Refuses two files whose rows have different names.
pub fn check_same_rows(
    first: &Option<Vec<String>>,
    second: &Option<Vec<String>>,
    files: [&str; 2],
) -> Result<()> {
    let (Some(first), Some(second)) = (first, second) else {
        return Ok(());
    };
    if let Some(row) = (0..first.len().min(second.len())).find(|&k| first[k] != second[k]) {
        bail!(
            "row {row} (counted from 0, without the header) is {:?} in {} and {:?} in {}; bring the rows into the same order",
            first[row],
            files[0],
            second[row],
            files[1]
        );
    }
    Ok(())
}

/// Where a result goes, and how it looks there.
#[derive(Debug, Clone, clap::Args)]
pub struct Report {
    /// File for the result, just as it would be printed; `-` prints it
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// How the result looks
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

impl Report {
    pub fn write(&self, json: &impl Serialize, text: &str, out: &mut dyn Write) -> Result<()> {
        if self.out.as_os_str() == "-" {
            return match self.format {
                Format::Json => arrays::print_json(json, out),
                Format::Text => Ok(out.write_all(text.as_bytes())?),
            };
        }
        match self.format {
            Format::Json => arrays::write_json(&self.out, json),
            Format::Text => arrays::write_text(&self.out, text),
        }
    }
}

/// Rows of cells in columns as wide as they need; the first row is the header.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let n_columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let widths = rows.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..n_columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, &width) in row.iter().zip(&widths) {
            line += &format!("{cell:<width$}  ");
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A number for reading, a dash where there is none.
pub fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}

/// An interval for reading.
pub fn interval(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(
        || "–".to_owned(),
        |[low, high]| format!("{low:.4} to {high:.4}"),
    )
}

/// A p for reading, never 0.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 0.00005 => "< 0.0001".to_owned(),
        p => number(p),
    }
}
