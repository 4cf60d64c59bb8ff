//! Public data sets that can be fetched: where they lie, their hashes, licence and citation.

use serde::{Deserialize, Serialize};

use crate::{IoError, Named, Result};

/// Where addresses start unless another base is asked for.
pub const BASE: &str = "https://raw.githubusercontent.com";

const TOML: &str = include_str!("catalogue.toml");

/// A data set of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DataSet {
    /// Name to ask for, and folder that it is put into.
    pub name: String,
    /// What it is, in one line.
    pub title: String,
    /// Whether the terms have to be accepted first.
    pub terms: Terms,
    /// Licence in words.
    pub licence: String,
    /// Works to cite.
    pub citation: String,
    #[serde(rename = "source")]
    origins: Vec<Origin>,
}

/// How free a data set or published weights are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Terms {
    /// An open licence at the source.
    Permissive,
    /// Non-commercial, share-alike, or not stated: the user has to accept.
    Restricted,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Origin {
    repository: String,
    commit: String,
    files: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    path: String,
    n_bytes: u64,
    sha256: String,
    at: Option<String>,
}

/// A file of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile<'a> {
    /// Path within the data set, with `/`.
    pub path: &'a str,
    /// Path of the address, without [`BASE`]; starts with `/`.
    pub address: String,
    /// Size in bytes.
    pub n_bytes: u64,
    /// Pinned SHA-256, hexadecimal.
    pub sha256: &'a str,
}

impl DataSet {
    /// The files, in the order of the catalogue.
    pub fn files(&self) -> impl Iterator<Item = RemoteFile<'_>> {
        self.origins.iter().flat_map(|origin| {
            origin.files.iter().map(|file| RemoteFile {
                path: &file.path,
                address: format!(
                    "/{}/{}/{}",
                    origin.repository,
                    origin.commit,
                    percent_encoded(file.at.as_deref().unwrap_or(&file.path))
                ),
                n_bytes: file.n_bytes,
                sha256: &file.sha256,
            })
        })
    }

    /// Size of all files in bytes.
    #[must_use]
    pub fn n_bytes(&self) -> u64 {
        self.files().map(|file| file.n_bytes).sum()
    }

    /// The repositories it comes from, with the pinned commit.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.origins
            .iter()
            .map(|origin| (origin.repository.as_str(), origin.commit.as_str()))
    }
}

/// All data sets, in the order of the catalogue.
///
/// # Example
///
/// ```
/// let sets = consilience_io::catalogue::data_sets();
/// assert!(sets.iter().any(|set| set.name == "kriegeskorte92"));
/// ```
#[must_use]
pub fn data_sets() -> Vec<DataSet> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Catalogue {
        data_set: Vec<DataSet>,
    }
    let catalogue: Catalogue = toml::from_str(TOML).expect("the embedded catalogue is well formed");
    catalogue.data_set
}

/// The data set of that name.
///
/// # Errors
///
/// [`IoError::Missing`] lists the names.
pub fn find(name: &str) -> Result<DataSet> {
    let sets = data_sets();
    let available = sets.iter().map(|set| set.name.clone()).collect();
    sets.into_iter()
        .find(|set| set.name == name)
        .ok_or_else(|| IoError::Missing {
            kind: Named::DataSet,
            name: name.to_owned(),
            available,
        })
}

/// A path of an address: all but letters, digits, `-`, `.`, `_`, `~` and `/` as `%XX`.
fn percent_encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded += &format!("%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::{Component, Path};

    #[test]
    fn every_entry_is_pinned_and_stays_in_its_folder() {
        let sets = data_sets();
        let names: BTreeSet<_> = sets.iter().map(|set| &set.name).collect();
        assert_eq!(names.len(), sets.len());
        for set in &sets {
            assert!(!set.title.is_empty() && !set.licence.is_empty() && !set.citation.is_empty());
            for (repository, commit) in set.sources() {
                assert_eq!(repository.split('/').count(), 2, "{repository}");
                assert!(commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit()));
            }
            let mut paths = BTreeSet::new();
            for file in set.files() {
                assert!(paths.insert(file.path), "{} twice", file.path);
                assert!(
                    Path::new(file.path)
                        .components()
                        .all(|part| matches!(part, Component::Normal(_)))
                );
                assert!(file.sha256.len() == 64 && file.n_bytes > 0, "{}", file.path);
            }
        }
    }

    #[test]
    fn addresses_are_encoded() {
        let oasis = find("oasis_affective").unwrap();
        let file = oasis
            .files()
            .find(|file| file.path == "images/Acorns 1.jpg");
        let address = file.unwrap().address;
        assert_eq!(
            address,
            "/bkurdi/shiny-server/1a3bcada01115bbe651bf0e69f7410c8ef63cc94/images/Acorns%201.jpg"
        );
    }

    #[test]
    fn an_unknown_name_gets_a_suggestion() {
        let message = find("kriegeskorte").unwrap_err().to_string();
        assert!(
            message.contains("did you mean \"kriegeskorte92\""),
            "{message}"
        );
    }
}
