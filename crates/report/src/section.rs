//! What the page shows of an analysis, whatever its kind: plain strings for the template.

use serde::Serialize;

use crate::view;

/// One analysis.
#[derive(Serialize)]
pub(crate) struct Section {
    /// Short name of the analysis, unique on the page.
    pub(crate) name: String,
    /// Kind of the analysis.
    pub(crate) title: &'static str,
    /// What was compared with what, in one sentence.
    pub(crate) question: String,
    /// Which targets are simulated, in one sentence.
    pub(crate) simulated: Option<String>,
    /// Numbers that stand large below the answer.
    pub(crate) findings: Vec<Finding>,
    /// Findings in full sentences.
    pub(crate) statements: Vec<Note>,
    /// What limits the numbers.
    pub(crate) notes: Vec<Note>,
    pub(crate) tables: Vec<TableView>,
    /// Paragraphs that can stand in a paper.
    pub(crate) methods: Vec<String>,
}

/// A number with what it is of.
#[derive(Serialize)]
pub(crate) struct Finding {
    pub(crate) target: String,
    pub(crate) kind: &'static str,
    /// Layer with the number; `None` when there is none.
    pub(crate) best: Option<String>,
    pub(crate) score: Option<String>,
    /// What the number is, e.g. `"Pearson r"`.
    pub(crate) unit: String,
    pub(crate) details: Vec<String>,
}

/// A sentence with what it is about, which may be nothing.
#[derive(Serialize)]
pub(crate) struct Note {
    pub(crate) about: String,
    pub(crate) text: String,
}

impl Note {
    pub(crate) fn new(about: &str, text: impl Into<String>) -> Self {
        Self {
            about: about.to_owned(),
            text: text.into(),
        }
    }
}

/// A table that can be sorted, filtered and saved.
#[derive(Serialize)]
pub(crate) struct TableView {
    pub(crate) title: &'static str,
    /// File that the button saves the lines of this analysis from.
    pub(crate) file: String,
    pub(crate) columns: Vec<Column>,
    /// At most three, so that rows need no more keys.
    pub(crate) filters: Vec<Filter>,
    pub(crate) rows: Vec<Row>,
    /// What the columns mean.
    pub(crate) legend: String,
}

#[derive(Serialize)]
pub(crate) struct Column {
    pub(crate) label: &'static str,
    pub(crate) sort: Sort,
}

/// By what a column sorts.
#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    /// Its text.
    Text,
    /// The order of the study; cells bear text.
    Order,
    /// Its numbers.
    Number,
}

/// Columns from labels, the first ones of text.
pub(crate) fn columns(head: &[(&'static str, Sort)], numbers: &[&'static str]) -> Vec<Column> {
    let column = |&(label, sort)| Column { label, sort };
    let number = |&label| Column {
        label,
        sort: Sort::Number,
    };
    head.iter()
        .map(column)
        .chain(numbers.iter().map(number))
        .collect()
}

/// A choice that leaves only some rows.
#[derive(Serialize)]
pub(crate) struct Filter {
    pub(crate) label: &'static str,
    pub(crate) options: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Row {
    /// 1-based option of each filter.
    pub(crate) keys: Vec<usize>,
    pub(crate) best: bool,
    pub(crate) cells: Vec<Cell>,
}

/// A field as shown and as sorted.
#[derive(Serialize)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) value: Option<f64>,
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: None,
        }
    }

    /// Text that sorts by its place in the study.
    pub(crate) fn ordered(text: impl Into<String>, order: usize) -> Self {
        Self {
            text: text.into(),
            value: Some(order as f64),
        }
    }

    /// A number, or a dash.
    pub(crate) fn number(value: Option<f64>, format: fn(f64) -> String) -> Self {
        let value = view::finite(value);
        Self {
            text: value.map_or_else(|| "–".to_owned(), format),
            value,
        }
    }
}
