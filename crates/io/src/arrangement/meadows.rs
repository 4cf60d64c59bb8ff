//! What Meadows puts into `.mat` files and into the names of files.

use std::path::Path;

use super::{Session, sorted_rdm};
use crate::mat::MatFile;
use crate::{IoError, Named, Result};

/// The parts of `Meadows_<experiment>_v_v<version>_…_<structure>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FileName {
    pub(super) participant: Option<String>,
    pub(super) task: Option<String>,
}

impl FileName {
    /// `…_<participant>_<number of the task>_<structure>`, `…_<participant>_<structure>` (names of
    /// participants are two words with a dash), or `…_<task>_<structure>`.
    pub(super) fn of(path: &Path) -> Self {
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        let parts: Vec<&str> = stem.unwrap_or_default().split('_').collect();
        let [first, .., before, last, _structure] = parts.as_slice() else {
            return Self::default();
        };
        if *first != "Meadows" || parts.len() < 6 {
            return Self::default();
        }
        let is_participant = |name: &str| name.split('-').count() == 2;
        let name = |name: &str| Some(name.to_owned());
        if last.bytes().all(|b| b.is_ascii_digit()) && !last.is_empty() {
            Self {
                participant: name(before),
                task: None,
            }
        } else if is_participant(last) {
            Self {
                participant: name(last),
                task: None,
            }
        } else {
            Self {
                participant: None,
                task: name(last),
            }
        }
    }
}

/// Sessions of a `.mat` file: `stimuli` and `rdmutv`, or `stimuli_<name>` and `rdmutv_<name>` for each
/// participant.
pub(super) fn from_mat(file: &MatFile) -> Result<Vec<Session>> {
    let names = file.names();
    let mut sessions = Vec::new();
    for variable in &names {
        let Some(suffix) = variable.strip_prefix("rdmutv") else {
            continue;
        };
        let items = file.variable(&format!("stimuli{suffix}"))?.into_texts()?;
        let rdm = file.variable(variable)?.into_array()?.into_f64();
        let rdm: Vec<f64> = rdm.iter().copied().collect();
        if let Some(idx) = rdm.iter().position(|v| !v.is_finite()) {
            return Err(IoError::WrongKind {
                what: format!("{variable}[{idx}]"),
                found: rdm[idx].to_string(),
                expected: "a finite dissimilarity",
            });
        }
        let (items, rdm) = sorted_rdm(&items, &rdm)?;
        let participant = suffix.strip_prefix('_').map(|name| name.replace('_', "-"));
        sessions.push(Session {
            participant,
            task: None,
            items,
            trials: None,
            rdm: Some(rdm),
            n_omitted: 0,
        });
    }
    if sessions.is_empty() {
        return Err(IoError::Missing {
            kind: Named::Variable,
            name: "rdmutv".into(),
            available: names,
        });
    }
    Ok(sessions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_participant_or_the_task() {
        let of = |name: &str| {
            let found = FileName::of(Path::new(name));
            (found.participant, found.task)
        };
        let some = |name: &str| Some(name.to_owned());
        for (name, expected) in [
            (
                "Meadows_myExp_v_v1_cuddly-bunny_3_1D.mat",
                (some("cuddly-bunny"), None),
            ),
            (
                "a/Meadows_myExp_v_v1_cuddly-bunny_3_tree.json",
                (some("cuddly-bunny"), None),
            ),
            (
                "Meadows_two_v_v1_informed-mole_tree.json",
                (some("informed-mole"), None),
            ),
            (
                "Meadows_myExp_v_v1_arrangement_1D.mat",
                (None, some("arrangement")),
            ),
            ("trials.csv", (None, None)),
            ("Meadows_x.json", (None, None)),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }
}
