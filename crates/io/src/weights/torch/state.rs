//! The state dict in what a file holds.

use super::FORMAT;
use crate::weights::pickle::{Item, Pickle, Tensor, Value};
use crate::{IoError, Limits, Named, Result};

/// Longest name of a tensor in bytes.
const MAX_NAME: usize = 4096;

/// Names and tensors of the state dict called `entry`, or of the only one.
///
/// # Definition
///
/// A state dict is a dict with tensors under text keys. A checkpoint may hold it under keys such as
/// `state_dict`, `model` or `teacher`, nested with `/`; what else a checkpoint holds (epoch,
/// optimizer) is passed over. A dict that has tensors of its own and state dicts with as many inside
/// is a checkpoint. A module of TorchScript is a state dict of its attributes.
///
/// # Errors
///
/// [`IoError::Ambiguous`] when there are several and none is named, [`IoError::Missing`] when there is
/// none of that name, [`IoError::WrongKind`] when there is none at all.
pub(super) fn dict<'a>(
    pickle: &'a Pickle,
    entry: Option<&str>,
    limits: &Limits,
) -> Result<Vec<(String, &'a Tensor)>> {
    let mut search = Search {
        pickle,
        limits,
        n_visits: 0,
    };
    let found = search.dicts(pickle.root, "", 0)?;
    let mut available: Vec<String> = found.iter().map(|found| found.path.clone()).collect();
    let chosen = match entry {
        Some(entry) => found.into_iter().find(|found| found.path == entry),
        None if found.len() > 1 => {
            return Err(IoError::Ambiguous {
                kind: Named::StateDict,
                available,
            });
        }
        None => found.into_iter().next(),
    };
    let tensors = match (chosen, entry) {
        (Some(found), _) => found.tensors,
        (None, Some(entry)) => {
            available.retain(|path| !path.is_empty());
            return Err(IoError::Missing {
                kind: Named::StateDict,
                name: entry.to_owned(),
                available,
            });
        }
        (None, None) => {
            return Err(IoError::WrongKind {
                what: "the object of the PyTorch file".into(),
                found: "without a dict of named tensors".into(),
                expected: "a state_dict, alone or in a checkpoint",
            });
        }
    };
    if tensors.len() > limits.max_entries {
        return Err(IoError::OverLimit {
            what: "tensors of the file",
            found: tensors.len() as u64,
            limit: limits.max_entries as u64,
            raise: "max_entries",
        });
    }
    Ok(tensors)
}

struct Found<'a> {
    path: String,
    tensors: Vec<(String, &'a Tensor)>,
}

struct Search<'a, 'l> {
    pickle: &'a Pickle,
    limits: &'l Limits,
    n_visits: usize,
}

impl<'a> Search<'a, '_> {
    /// Whether to go on into a container; hostile ones refer to one another without end.
    fn enters(&mut self, depth: usize) -> Result<bool> {
        self.n_visits += 1;
        if self.n_visits > self.limits.max_entries {
            return Err(IoError::OverLimit {
                what: "dicts of the PyTorch file",
                found: self.n_visits as u64,
                limit: self.limits.max_entries as u64,
                raise: "max_entries",
            });
        }
        Ok(depth <= self.limits.max_depth)
    }

    /// The state dicts in `value`, in file order.
    fn dicts(&mut self, value: Value, path: &str, depth: usize) -> Result<Vec<Found<'a>>> {
        if !self.enters(depth)? {
            return Ok(Vec::new());
        }
        let found = |tensors| Found {
            path: path.to_owned(),
            tensors,
        };
        let entries = match self.pickle.item(value) {
            Some(Item::Dict(entries)) => entries,
            Some(Item::Module(_)) => {
                let mut tensors = Vec::new();
                self.attributes(value, "", 0, &mut tensors)?;
                return Ok(if tensors.is_empty() {
                    Vec::new()
                } else {
                    vec![found(tensors)]
                });
            }
            _ => return Ok(Vec::new()),
        };
        let mut tensors = Vec::new();
        let mut nested = Vec::new();
        for (key, value) in entries {
            let Some(key) = self.pickle.text(*key) else {
                continue;
            };
            let name = joined(path, '/', key)?;
            match self.pickle.item(*value) {
                Some(Item::Tensor(tensor)) => tensors.push((key.to_owned(), tensor)),
                Some(Item::Dict(_) | Item::Module(_)) => {
                    nested.extend(self.dicts(*value, &name, depth + 1)?);
                }
                _ => {}
            }
        }
        let n_inside = nested.iter().map(|found| found.tensors.len()).max();
        if tensors.len() > n_inside.unwrap_or(0) {
            return Ok(vec![found(tensors)]);
        }
        Ok(nested)
    }

    /// Tensors of a TorchScript module and of those inside it, named by their attributes.
    fn attributes(
        &mut self,
        module: Value,
        path: &str,
        depth: usize,
        tensors: &mut Vec<(String, &'a Tensor)>,
    ) -> Result<()> {
        let Some(Item::Module(state)) = self.pickle.item(module) else {
            return Ok(());
        };
        let Some(Item::Dict(attributes)) = self.pickle.item(*state) else {
            return Ok(());
        };
        if !self.enters(depth)? {
            return Ok(());
        }
        for (key, value) in attributes {
            let Some(key) = self.pickle.text(*key) else {
                continue;
            };
            let name = joined(path, '.', key)?;
            match self.pickle.item(*value) {
                Some(Item::Tensor(tensor)) => tensors.push((name, tensor)),
                Some(Item::Module(_)) => self.attributes(*value, &name, depth + 1, tensors)?,
                _ => {}
            }
        }
        Ok(())
    }
}

fn joined(path: &str, separator: char, key: &str) -> Result<String> {
    if path.len() + key.len() >= MAX_NAME {
        return Err(IoError::malformed(
            FORMAT,
            "the name of a tensor",
            format!("{} bytes long", path.len() + key.len()),
            "a shorter one",
        ));
    }
    Ok(match path {
        "" => key.to_owned(),
        path => format!("{path}{separator}{key}"),
    })
}
