//! Content-addressed store of activations, RDMs and inferences.
//!
//! An entry's name is the hash of everything its content depends on, so an entry is never stale,
//! only absent; it appears by rename, so it is never half there. Deleting the folder is always
//! safe: the next run computes again what it needs.

use std::path::{Path, PathBuf};

use consilience_io::{atomic, npy};
use ndarray::{ArrayView, Dimension};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// Changes whenever a release computes other numbers from the same input.
const NUMERICAL_VERSION: u32 = 1;

/// Name of a cache entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    /// The key of what is computed from `ingredients` by the step called `step`.
    pub fn new(step: &str, ingredients: &impl Serialize) -> Self {
        let bytes = serde_json::to_vec(&(NUMERICAL_VERSION, step, ingredients))
            .expect("ingredients are plain data");
        Self(blake3::hash(&bytes).to_hex().to_string())
    }
}

/// The cache folder.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Uses `root`, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where the entry `key` of `kind` lies or will lie.
    #[must_use]
    pub fn path(&self, kind: &str, key: &Key, ending: &str) -> PathBuf {
        self.root
            .join(kind)
            .join(&key.0[..2])
            .join(format!("{}.{ending}", key.0))
    }

    /// Reads an f64 array of the expected shape; an entry that is not readable counts as absent.
    pub fn array(&self, kind: &str, key: &Key, shape: &[usize]) -> Option<Vec<f64>> {
        let array = npy::read(self.path(kind, key, "npy")).ok()?;
        if array.shape() != shape {
            return None;
        }
        Some(array.into_f64().into_iter().collect())
    }

    /// Stores an f64 array.
    pub fn put_array<D: Dimension>(
        &self,
        kind: &str,
        key: &Key,
        array: ArrayView<'_, f64, D>,
    ) -> Result<()> {
        Ok(npy::write(self.path(kind, key, "npy"), array)?)
    }

    /// Reads a value stored as JSON.
    pub fn json<T: DeserializeOwned>(&self, kind: &str, key: &Key) -> Option<T> {
        let bytes = std::fs::read(self.path(kind, key, "json")).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Stores a value as JSON.
    pub fn put_json<T: Serialize>(&self, kind: &str, key: &Key, value: &T) -> Result<()> {
        let bytes = serde_json::to_vec(value).expect("results are plain data");
        atomic::write_atomically(self.path(kind, key, "json"), |file| {
            std::io::Write::write_all(file, &bytes)
        })?;
        Ok(())
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn keys_depend_on_every_ingredient() {
        let key = Key::new("rdm", &("a", 1));
        assert_eq!(key, Key::new("rdm", &("a", 1)));
        assert_ne!(key, Key::new("rdm", &("a", 2)));
        assert_ne!(key, Key::new("rsa", &("a", 1)));
    }

    #[test]
    fn entries_round_trip_and_damage_counts_as_absent() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::new(folder.path());
        let key = Key::new("t", &1);
        assert_eq!(cache.array("rdms", &key, &[3]), None);
        let values = array![0.1, 1.0 / 3.0, 2e-300];
        cache.put_array("rdms", &key, values.view()).unwrap();
        assert_eq!(cache.array("rdms", &key, &[3]), Some(values.to_vec()));
        assert_eq!(cache.array("rdms", &key, &[4]), None);
        std::fs::write(cache.path("rdms", &key, "npy"), b"\x93NUMPY").unwrap();
        assert_eq!(cache.array("rdms", &key, &[3]), None);

        cache.put_json("rsa", &key, &values.to_vec()).unwrap();
        assert_eq!(cache.json::<Vec<f64>>("rsa", &key), Some(values.to_vec()));
    }
}
