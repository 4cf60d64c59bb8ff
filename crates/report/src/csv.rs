//! Tidy tables as text: one row for each thing that was measured, one column for each variable.

use consilience_core::TargetKind;
pub(crate) use consilience_core::csv::field;

use crate::view;

/// A table as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// File name with ending, unique in the report, e.g. `"scores.csv"`.
    pub name: String,
    /// The first line names the columns; the first column, `analysis`, names the analysis.
    ///
    /// Numbers are the shortest decimals that read back exactly, what could not be computed is an empty field.
    /// Fields are quoted as in RFC 4180; lines end with a line feed.
    pub csv: String,
}

/// A table that grows row by row.
pub(crate) struct Rows {
    name: String,
    csv: String,
    n_columns: usize,
}

impl Rows {
    /// A table with these columns, separated by commas, and no rows.
    pub(crate) fn new(name: &str, columns: &str) -> Self {
        Self {
            name: name.to_owned(),
            csv: format!("{columns}\n"),
            n_columns: columns.split(',').count(),
        }
    }

    /// One more row, whose fields are quoted already.
    pub(crate) fn push(&mut self, fields: &[String]) {
        assert_eq!(fields.len(), self.n_columns, "a field for each column");
        self.csv.push_str(&fields.join(","));
        self.csv.push('\n');
    }

    pub(crate) fn finish(self) -> Table {
        Table {
            name: self.name,
            csv: self.csv,
        }
    }
}

/// A number, or nothing.
pub(crate) fn number(value: Option<f64>) -> String {
    view::finite(value).map_or_else(String::new, |v| v.to_string())
}

/// `brain` or `behaviour`.
pub(crate) fn kind(kind: TargetKind) -> String {
    view::kind(kind).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_only_where_needed() {
        assert_eq!(field("human IT"), "human IT");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(number(Some(f64::NAN)), "");
        assert_eq!(number(Some(0.1)), "0.1");
    }
}
