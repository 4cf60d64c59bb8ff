//! Tables of places.

use super::{Place, ReadOptions, Session, session};
use crate::table::Table;
use crate::{IoError, Result};

/// Sessions of a table with the columns `trial`, `item`, `x`, `y`; others are ignored.
pub(super) fn from_table(
    bytes: &[u8],
    delimiter: u8,
    options: &ReadOptions,
) -> Result<Vec<Session>> {
    let table = Table::from_bytes(bytes, delimiter, &options.limits)?;
    let (trials, items) = (table.column("trial")?, table.column("item")?);
    let (x, y) = (table.numbers("x")?, table.numbers("y")?);
    let participants = match &options.participant_column {
        Some(column) => Some(table.column(column)?),
        None => None,
    };
    let mut sessions: Vec<(Option<&str>, Vec<Place>)> = Vec::new();
    let mut session_of = std::collections::BTreeMap::new();
    for row in 0..table.n_rows() {
        let cell = |column: &'static str, value: f64| -> Result<f64> {
            if value.is_finite() || (value.is_nan() && options.omit_missing) {
                return Ok(value);
            }
            Err(IoError::Cell {
                // Row 1 is the header.
                row: row as u64 + 2,
                column: column.into(),
                found: value.to_string(),
                expected: "a finite coordinate; fill missing places, or ask for them to be omitted",
            })
        };
        let name = |column: &'static str, text: &str| -> Result<String> {
            let text = text.trim();
            if text.is_empty() {
                return Err(IoError::Cell {
                    row: row as u64 + 2,
                    column: column.into(),
                    found: text.into(),
                    expected: "a name or number",
                });
            }
            Ok(text.to_owned())
        };
        let place = Place {
            trial: name("trial", trials[row])?,
            item: name("item", items[row])?,
            position: [cell("x", x[row])?, cell("y", y[row])?],
        };
        let participant = participants.as_ref().map(|names| names[row].trim());
        let idx = *session_of.entry(participant).or_insert_with(|| {
            sessions.push((participant, Vec::new()));
            sessions.len() - 1
        });
        sessions[idx].1.push(place);
    }
    if sessions.is_empty() {
        return Err(IoError::NotTrials {
            problem: consilience_core::CoreError::NoTrials,
        });
    }
    sessions
        .into_iter()
        .map(|(participant, places)| {
            Ok(Session {
                participant: participant.map(str::to_owned),
                ..session(places, None, options.omit_missing)?
            })
        })
        .collect()
}
