//! Arrangements of items on a screen: tables and JSON of trials, exports of Meadows.
//!
//! [`read`] takes every form below, told by the ending and by what is in the file.
//!
//! | file | holds |
//! |---|---|
//! | `.csv`, `.tsv` | a row for each place, with the columns `trial`, `item`, `x`, `y` |
//! | `.json` | trials as described in [`json`] |
//! | Meadows `…_tree.json` | trials and RDM of one task, of the tasks of one participant, or of several participants |
//! | Meadows `…_1D.mat` | the RDM of one participant, or of several; no trials |
//!
//! Items come in ascending order of their names (of their values, when all are whole numbers), the same for
//! every form, so that RDMs of several files fit each other; an RDM that a file stores is brought to that
//! order. Only a list `items` of the own JSON form sets another order.
//!
//! # Peers
//!
//! rsatoolbox 0.3.2 `io.meadows.load_rdms` (single and several participants of `.mat`, several tasks of
//! `.json`): the same RDMs in the same order. It reads no trials, no JSON of one task and none of several
//! participants; for several participants of a `.mat` file it takes the order of stimuli of the first.

use std::path::Path;

use consilience_core::{CoreError, Trials, pairs};

use crate::error::AtPath;
use crate::mat::MatFile;
use crate::source::read_file;
use crate::{IoError, Limits, Result};

pub mod json;
mod meadows;
mod places;

/// What one subject did in one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// The subject, when the file or its name tells.
    pub participant: Option<String>,
    /// The task, when the file or its name tells.
    pub task: Option<String>,
    /// Names of the items, in the order of the RDM.
    pub items: Vec<String>,
    /// The trials; `None` when the file holds none for this session.
    pub trials: Option<Trials>,
    /// The RDM that the file stores, `(n_pairs,)`.
    pub rdm: Option<Vec<f64>>,
    /// Places without coordinates that were left out.
    pub n_omitted: usize,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Column of a table that tells subjects apart (default: one subject).
    pub participant_column: Option<String>,
    /// Whether places without coordinates (NaN, in JSON null) are left out, and trials that are left with
    /// fewer than two items (default: they are refused).
    pub omit_missing: bool,
    /// How much a file may ask for.
    pub limits: Limits,
}

impl Session {
    /// The session in words, for messages.
    #[must_use]
    pub fn describe(&self) -> String {
        let named = |kind: &str, name: &Option<String>| {
            name.as_ref().map(|name| format!("{kind} {name:?}"))
        };
        let parts = [
            named("participant", &self.participant),
            named("task", &self.task),
        ];
        let text: Vec<String> = parts.into_iter().flatten().collect();
        if text.is_empty() {
            "the session".into()
        } else {
            text.join(" in ")
        }
    }
}

/// Reads the sessions of a file, at least one.
///
/// # Errors
///
/// [`IoError`] when the file cannot be read, is none of the forms above, or is damaged;
/// [`IoError::NotTrials`] for trials that are no arrangements.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("trials.csv");
/// # std::fs::write(&path, "trial,item,x,y\n1,cat,0,0\n1,dog,3,4\n").unwrap();
/// use consilience_io::arrangement::{ReadOptions, read};
///
/// let sessions = read(&path, &ReadOptions::default())?;
/// let trials = sessions[0].trials.as_ref().unwrap();
/// assert_eq!(trials.items(), ["cat", "dog"]);
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<Vec<Session>> {
    let path = path.as_ref();
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_ascii_lowercase();
    let limits = &options.limits;
    let mut sessions = match ending.as_str() {
        "csv" | "tsv" => read_file(path, limits).and_then(|bytes| {
            places::from_table(&bytes, crate::table::delimiter(path), options).at(path)
        }),
        "json" => {
            let limits = Limits {
                max_file_bytes: limits.max_file_bytes.min(limits.max_json_bytes),
                ..*limits
            };
            read_file(path, &limits).and_then(|bytes| json::from_bytes(&bytes, options).at(path))
        }
        "mat" => MatFile::read_with(path, limits)
            .and_then(|file| meadows::from_mat(&file))
            .at(path),
        _ => Err(IoError::Unsupported {
            what: format!("a file ending in {ending:?} as arrangements"),
            cure: "give a .csv or .tsv table of trials, a .json file, or a .mat file of Meadows",
        }
        .at(path)),
    }?;
    let named = meadows::FileName::of(path);
    for session in &mut sessions {
        session.participant = session.participant.take().or(named.participant.clone());
        session.task = session.task.take().or(named.task.clone());
    }
    Ok(sessions)
}

/// Refuses sessions whose items differ from those of the first, so that their RDMs can be stacked.
///
/// # Errors
///
/// [`IoError::WrongKind`] names the first item that one has and the other has not.
pub fn check_same_items(sessions: &[Session]) -> Result<()> {
    let Some(first) = sessions.first() else {
        return Ok(());
    };
    let Some(other) = sessions.iter().find(|s| s.items != first.items) else {
        return Ok(());
    };
    let lacks = |a: &Session, b: &Session| {
        let item = a.items.iter().find(|item| !b.items.contains(item))?;
        Some(format!("has no item {item:?}"))
    };
    let found = lacks(first, other)
        .or_else(|| lacks(other, first).map(|_| "has more items".into()))
        .unwrap_or_else(|| "has the items in another order".into());
    Err(IoError::WrongKind {
        what: other.describe(),
        found: format!("another set of items than {}: it {found}", first.describe()),
        expected: "the same items in every session; choose the sessions that belong together",
    })
}

/// One place, as a file has it.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    trial: String,
    item: String,
    /// NaN where there is none.
    position: [f64; 2],
}

/// Makes a session of places; `order` sets the items and their order, else they are those placed,
/// ascending.
fn session(places: Vec<Place>, order: Option<Vec<String>>, omit_missing: bool) -> Result<Session> {
    let missing = |place: &Place| place.position.iter().any(|v| v.is_nan());
    let n_before = places.len();
    let mut kept = places;
    if omit_missing {
        kept.retain(|place| !missing(place));
        // What is left of a trial may be no arrangement any more.
        if kept.len() < n_before {
            let mut n_items = std::collections::BTreeMap::new();
            for place in &kept {
                *n_items.entry(place.trial.clone()).or_insert(0_usize) += 1;
            }
            kept.retain(|place| n_items[&place.trial] >= 2);
        }
    }
    let n_omitted = n_before - kept.len();
    let places = kept
        .iter()
        .map(|place| (place.trial.as_str(), place.item.as_str(), place.position));
    let trials = Trials::from_placements_of(places, order.as_deref())
        .map_err(|problem| IoError::NotTrials { problem })?;
    Ok(Session {
        participant: None,
        task: None,
        items: trials.items().to_vec(),
        trials: Some(trials),
        rdm: None,
        n_omitted,
    })
}

/// Brings a stored RDM to the ascending order of its items.
fn sorted_rdm(items: &[String], rdm: &[f64]) -> Result<(Vec<String>, Vec<f64>)> {
    let n_pairs = pairs::n_pairs(items.len());
    if rdm.len() != n_pairs {
        return Err(IoError::WrongKind {
            what: format!("the stored RDM of {} items", items.len()),
            found: format!("{} values", rdm.len()),
            expected: "n·(n−1)/2 values",
        });
    }
    let sorted = consilience_core::ascending(items.iter().map(String::as_str));
    if sorted.len() != items.len() {
        let mut names = items.to_vec();
        names.sort_unstable();
        let twice = names.windows(2).find(|w| w[0] == w[1]);
        return Err(IoError::NotTrials {
            problem: CoreError::DuplicateItem {
                item: twice.map_or_else(String::new, |w| w[0].clone()),
            },
        });
    }
    let place: std::collections::BTreeMap<&str, usize> = items
        .iter()
        .enumerate()
        .map(|(idx, item)| (item.as_str(), idx))
        .collect();
    let before: Vec<usize> = sorted.iter().map(|item| place[item.as_str()]).collect();
    let values = pairs::iter(items.len())
        .map(|(i, j)| {
            let (a, b) = (before[i].min(before[j]), before[i].max(before[j]));
            rdm[pairs::pair_idx(a, b, items.len())]
        })
        .collect();
    Ok((sorted, values))
}

#[cfg(test)]
mod tests;
