//! CSV and TSV tables.
//!
//! Fields are split at commas, or at tabs in a file ending in `.tsv`; where the first line of another file has no comma, at the
//! tabs or semicolons that it has instead, as spreadsheets write them (in a `.txt` file also at single blanks). Quotes as in RFC 4180; line ends LF, CRLF or a bare CR;
//! UTF-8 with or without a byte order mark. Every row has as many fields as the first.

use std::path::Path;

use ndarray::Array2;

use crate::atomic::write_atomically;
use crate::error::AtPath;
use crate::source::read_file;
use crate::{IoError, Limits, Named, Result};

const FORMAT: &str = "table";

/// What a cell of numbers has to be.
const NUMBER: &str = "a number with a decimal point (NaN where a value is missing)";

/// A table with a header row; every cell as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Row>,
}

/// The cells of a row and its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    number: u64,
    cells: Vec<String>,
}

impl Table {
    /// Reads a file, within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// [`IoError`] when the file cannot be read, has no header, is no UTF-8 text, or a row has
    /// another number of cells than the header.
    ///
    /// # Example
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("ratings.csv");
    /// # std::fs::write(&path, "image,valence\na.png,3.5\n").unwrap();
    /// let table = consilience_io::table::Table::read(&path)?;
    /// assert_eq!(table.column("image")?, ["a.png"]);
    /// assert_eq!(table.numbers("valence")?, [3.5]);
    /// # Ok::<(), consilience_io::IoError>(())
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let limits = Limits::default();
        let bytes = read_file(path, &limits)?;
        Self::from_bytes(&bytes, delimiter_of(path, &bytes), &limits).at(path)
    }

    /// Takes the bytes of a file whose fields are split at `delimiter`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_bytes(bytes: &[u8], delimiter: u8, limits: &Limits) -> Result<Self> {
        let mut rows = split(bytes, delimiter, limits)?;
        if rows.is_empty() {
            return Err(IoError::malformed(
                FORMAT,
                "the file",
                "empty",
                "a header row",
            ));
        }
        let columns = rows.remove(0).cells;
        Ok(Self { columns, rows })
    }

    /// The same cells under other names: what was taken for the header is a row too.
    ///
    /// # Panics
    ///
    /// Unless there is a name for each column.
    pub(crate) fn without_header(self, names: &[&str]) -> Self {
        assert_eq!(names.len(), self.columns.len(), "a name for each column");
        let first = Row {
            number: 1,
            cells: self.columns,
        };
        Self {
            columns: names.iter().map(|&name| name.to_owned()).collect(),
            rows: [first].into_iter().chain(self.rows).collect(),
        }
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The place of a row in the file, 1-based, a header counted.
    pub(crate) fn row_number(&self, idx: usize) -> u64 {
        self.rows[idx].number
    }

    /// Number of rows under the header.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The cells of a column.
    ///
    /// # Errors
    ///
    /// [`IoError::Missing`] lists the columns there.
    pub fn column(&self, name: &str) -> Result<Vec<&str>> {
        let column = self.position(name)?;
        Ok(self
            .rows
            .iter()
            .map(|row| row.cells[column].as_str())
            .collect())
    }

    /// The cells of a column as numbers; `NaN` is one, an empty cell is not.
    ///
    /// # Errors
    ///
    /// [`IoError::Cell`] names the first row that holds something else; as [`column`](Self::column).
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let column = self.position(name)?;
        self.rows
            .iter()
            .map(|row| number(row, column, name))
            .collect()
    }

    fn position(&self, name: &str) -> Result<usize> {
        self.columns
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| IoError::Missing {
                kind: Named::Column,
                name: name.to_owned(),
                available: self.columns.clone(),
            })
    }
}

/// A table of numbers, with the names around it if there are any.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    /// The numbers.
    pub values: Array2<f64>,
    /// Names of the columns of `values`, from a header row.
    pub columns: Option<Vec<String>>,
    /// Names of the rows, from a first column that does not hold numbers.
    pub rows: Option<Vec<String>>,
}

/// Reads a table of numbers, within the default [`Limits`].
///
/// The first row is a header when none of its cells behind the first is a number; the first column holds
/// names when none of its cells under the header is one. An empty first cell means that both are there,
/// so that numbers can be names. A single text among numbers is therefore an error, never a name.
///
/// # Errors
///
/// [`IoError::Cell`] names the first cell that is no number; as [`Table::read`].
pub fn read_matrix(path: impl AsRef<Path>) -> Result<Matrix> {
    read_matrix_with(path.as_ref(), &Limits::default())
}

pub(crate) fn read_matrix_with(path: &Path, limits: &Limits) -> Result<Matrix> {
    let bytes = read_file(path, limits)?;
    matrix_from_bytes(&bytes, delimiter_of(path, &bytes), limits).at(path)
}

/// [`read_matrix`] from the bytes of a file.
///
/// # Errors
///
/// As [`read_matrix`].
pub fn matrix_from_bytes(bytes: &[u8], delimiter: u8, limits: &Limits) -> Result<Matrix> {
    let mut rows = split(bytes, delimiter, limits)?;
    let Some(first) = rows.first() else {
        return Err(IoError::malformed(FORMAT, "the file", "empty", "numbers"));
    };
    let is_text = |cell: &String| cell.trim().parse::<f64>().is_err();
    let corner = first.cells[0].trim().is_empty() && first.cells.len() > 1;
    let n_skipped = usize::from(first.cells.len() > 1);
    let has_header = corner || first.cells[n_skipped..].iter().all(is_text);
    let header = has_header.then(|| rows.remove(0).cells);
    let several_columns = rows.first().is_some_and(|row| row.cells.len() > 1);
    let all_names = || rows.iter().all(|row| is_text(&row.cells[0]));
    let n_names = usize::from(several_columns && (corner || all_names()));
    let n_columns = rows.first().map_or(0, |row| row.cells.len() - n_names);
    let mut values = Vec::with_capacity(rows.len() * n_columns);
    for row in &rows {
        for column in n_names..row.cells.len() {
            let name = match &header {
                Some(header) => header[column].clone(),
                None => (column + 1).to_string(),
            };
            values.push(number(row, column, &name)?);
        }
    }
    let values = Array2::from_shape_vec((rows.len(), n_columns), values)
        .expect("every row has as many cells as the first");
    Ok(Matrix {
        values,
        columns: header.map(|mut cells| cells.split_off(n_names)),
        rows: (n_names == 1).then(|| {
            rows.into_iter()
                .map(|mut row| row.cells.swap_remove(0))
                .collect()
        }),
    })
}

/// Writes a table, tab-separated when `path` ends in `.tsv`.
///
/// # Errors
///
/// [`IoError::Os`], naming `path`; a row of another length than `columns` is one.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("scores.csv");
/// consilience_io::table::write(&path, &["layer", "score"], [["conv1", "0.11"]])?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), "layer,score\nconv1,0.11\n");
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn write<R>(
    path: impl AsRef<Path>,
    columns: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> Result<()>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let path = path.as_ref();
    write_atomically(path, |file| {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter(path))
            .from_writer(file);
        writer.write_record(columns)?;
        for row in rows {
            writer.write_record(row)?;
        }
        writer.flush()
    })
}

pub(crate) fn delimiter(path: &Path) -> u8 {
    match path.extension() {
        Some(ending) if ending.eq_ignore_ascii_case("tsv") => b'\t',
        _ => b',',
    }
}

/// The delimiter that a file is split at: by its name, then by its first line.
fn delimiter_of(path: &Path, bytes: &[u8]) -> u8 {
    let by_name = delimiter(path);
    let mut quoted = false;
    let is_outside = |byte: &&u8| {
        quoted ^= **byte == b'"';
        !quoted
    };
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next();
    let outside: Vec<u8> = line
        .unwrap_or_default()
        .iter()
        .filter(is_outside)
        .copied()
        .collect();
    let is_text = path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("txt"));
    [by_name, b'\t', b';']
        .into_iter()
        .chain(is_text.then_some(b' '))
        .find(|delimiter| outside.contains(delimiter))
        .unwrap_or(by_name)
}

fn split(bytes: &[u8], delimiter: u8, limits: &Limits) -> Result<Vec<Row>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .from_reader(bytes);
    let mut rows = Vec::new();
    let mut n_cells = 0;
    for (record_idx, record) in reader.records().enumerate() {
        let record = record.map_err(|error| malformed(&error))?;
        n_cells += record.len();
        if n_cells > limits.max_cells {
            return Err(IoError::OverLimit {
                what: "cells of the table",
                found: n_cells as u64,
                limit: limits.max_cells as u64,
                raise: "max_cells",
            });
        }
        rows.push(Row {
            number: record_idx as u64 + 1,
            cells: record.iter().map(str::to_owned).collect(),
        });
    }
    Ok(rows)
}

fn malformed(error: &csv::Error) -> IoError {
    let record = error.position().map_or(0, |position| position.record() + 1);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => IoError::malformed(
            FORMAT,
            "the number of cells",
            format!("{len} in row {record} and {expected_len} before"),
            "the same in every row (is the right delimiter used? .tsv files are split at tabs, others at commas, or at the tabs or semicolons of a first line without commas)",
        ),
        csv::ErrorKind::Utf8 { .. } => IoError::malformed(
            FORMAT,
            "the text",
            format!("not UTF-8 in row {record}"),
            "UTF-8 (save it again in that encoding)",
        ),
        _ => IoError::malformed(FORMAT, "the file", error, "rows of cells"),
    }
}

fn number(row: &Row, column: usize, name: &str) -> Result<f64> {
    let cell = &row.cells[column];
    cell.trim().parse().map_err(|_| IoError::Cell {
        row: row.number,
        column: name.to_owned(),
        found: cell.clone(),
        expected: NUMBER,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use proptest::prelude::*;

    fn table(bytes: &[u8]) -> Result<Table> {
        Table::from_bytes(bytes, b',', &Limits::default())
    }

    fn matrix(text: &str) -> Result<Matrix> {
        matrix_from_bytes(text.as_bytes(), b',', &Limits::default())
    }

    #[test]
    fn line_ends_and_byte_order_marks_do_not_matter() {
        let expected = table(b"a,b\n1,\"x, y\"\n2,z\n").unwrap();
        for text in [
            "a,b\r1,\"x, y\"\r2,z",
            "a,b\r\n1,\"x, y\"\r\n2,z\r\n",
            "\u{feff}a,b\n1,\"x, y\"\n2,z",
        ] {
            assert_eq!(table(text.as_bytes()).unwrap(), expected, "{text:?}");
        }
        assert_eq!(expected.column("b").unwrap(), ["x, y", "z"]);
    }

    #[test]
    fn files_say_what_they_are_split_at() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a.csv", "a,b\n1;2,3\n"),
            ("a.csv", "a;\"b,c\"\n1;3,5\n"),
            ("a.txt", "a\tb;c\r\n1\t3\r\n"),
            ("a.tsv", "a,b\tc\n1\t3\n"),
            ("a.tsv", "a;b\n1;3\n"),
            ("a.txt", "a b\n1 3\n"),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let table = Table::read(&path).unwrap();
            assert_eq!((table.columns().len(), table.n_rows()), (2, 1), "{text:?}");
        }
        let path = folder.path().join("one.csv");
        std::fs::write(&path, "value\n1\n2\n").unwrap();
        assert_eq!(
            Table::read(&path).unwrap().numbers("value").unwrap(),
            [1.0, 2.0]
        );
        std::fs::write(&path, "x;y\n1;2\n3;4\n").unwrap();
        assert_eq!(
            read_matrix(&path).unwrap().values,
            array![[1.0, 2.0], [3.0, 4.0]]
        );
        std::fs::write(&path, "x;y\n1;2,5\n").unwrap();
        let message = read_matrix(&path).unwrap_err().to_string();
        assert!(
            message.contains("\"2,5\"") && message.contains("decimal point"),
            "{message}"
        );
    }

    #[test]
    fn errors_name_the_column_and_the_row() {
        let ratings = table(b"valence,n\n1,2\n,3\n").unwrap();
        let message = ratings.column("Valense").unwrap_err().to_string();
        assert!(message.contains("did you mean \"valence\""), "{message}");
        let message = ratings.numbers("valence").unwrap_err().to_string();
        assert!(
            message.contains("row 3") && message.contains("\"\""),
            "{message}"
        );
        assert_eq!(ratings.numbers("n").unwrap(), [2.0, 3.0]);
    }

    #[test]
    fn rows_of_unequal_length_are_refused() {
        let message = table(b"a,b\n1\n").unwrap_err().to_string();
        assert!(message.contains("1 in row 2 and 2 before"), "{message}");
    }

    #[test]
    fn names_around_numbers_are_found() {
        let values = array![[0.0, 1.0], [1.0, 0.0]];
        let names = |a: &str, b: &str| Some(vec![a.to_owned(), b.to_owned()]);
        for (text, columns, rows) in [
            ("0,1\n1,0\n", None, None),
            ("x,y\n0,1\n1,0\n", names("x", "y"), None),
            ("x,0,1\ny,1,0\n", None, names("x", "y")),
            ("id,x,y\nx,0,1\ny,1,0\n", names("x", "y"), names("x", "y")),
            (",1,2\n1,0,1\n2,1,0\n", names("1", "2"), names("1", "2")),
        ] {
            let found = matrix(text).unwrap();
            assert_eq!(
                (&found.values, &found.columns),
                (&values, &columns),
                "{text}"
            );
            assert_eq!(found.rows, rows, "{text}");
        }
    }

    #[test]
    fn a_lone_text_is_never_taken_for_a_name() {
        for text in ["0,NA,1\n1,2,3\n", "0,1\nNA,2\n1,2\n", "x\n1\ny\n"] {
            let error = matrix(text).unwrap_err();
            assert!(matches!(error, IoError::Cell { .. }), "{text}: {error}");
        }
    }

    #[test]
    fn a_table_over_the_limit_is_refused() {
        let limits = Limits {
            max_cells: 3,
            ..Limits::default()
        };
        let message = matrix_from_bytes(b"1,2\n3,4\n", b',', &limits)
            .unwrap_err()
            .to_string();
        assert!(message.contains("max_cells"), "{message}");
    }

    #[test]
    fn a_cell_that_is_no_number_is_named() {
        let message = matrix("x,y\n0,1\n1,NA\n").unwrap_err().to_string();
        assert_eq!(
            message,
            "row 3, column y: found \"NA\", expected a number with a decimal point (NaN where a value is missing)"
        );
    }

    proptest! {
        #[test]
        fn tables_round_trip(cells in prop::collection::vec("[ -~\n\r\u{e9}]{1,8}", 6)) {
            let folder = tempfile::tempdir().unwrap();
            for name in ["x.csv", "x.tsv"] {
                let path = folder.path().join(name);
                write(&path, &["a", "b"], cells.chunks(2)).unwrap();
                let table = Table::read(&path).unwrap();
                for (column, name) in ["a", "b"].into_iter().enumerate() {
                    let expected: Vec<&str> = cells.chunks(2).map(|row| row[column].as_str()).collect();
                    prop_assert_eq!(table.column(name).unwrap(), expected);
                }
            }
        }

        #[test]
        fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = table(&bytes);
            let _ = matrix_from_bytes(&bytes, b'\t', &Limits::default());
        }
    }
}
