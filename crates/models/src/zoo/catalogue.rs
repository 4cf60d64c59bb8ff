//! Published weights: where they lie, what is known of their content, and under what terms.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Architecture;
use crate::suggest::nearest;
use crate::{ModelError, Preprocessing, Result};

pub use consilience_io::catalogue::Terms;

const TOML: &str = include_str!("catalogue.toml");

/// Folder under the cache that downloads go to.
pub const FOLDER: &str = "weights";

/// Weights that somebody published for an architecture of the zoo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishedWeights {
    /// The architecture.
    pub architecture: String,
    /// Name among the architecture's weights, the publisher's where it gives one.
    pub name: String,
    /// Who published them.
    pub publisher: String,
    /// Where the file lies, when its content is pinned.
    pub address: Option<String>,
    /// SHA-256, hexadecimal: all 64 digits, or the first ones where the publisher states no more.
    pub sha256: Option<String>,
    /// Size of the file in bytes, where it is known.
    pub n_bytes: Option<u64>,
    /// About how many MiB the file has.
    pub megabytes: Option<f64>,
    /// Where to get the file by hand, when no hash of it was published.
    pub by_hand: Option<String>,
    /// Licence in words.
    pub licence: String,
    /// Whether the terms have to be accepted first.
    pub terms: Terms,
    /// Name of the preprocessing ([`Preprocessing::named`]); else it is the architecture's.
    pub preset: Option<String>,
}

impl PublishedWeights {
    /// `ARCHITECTURE.NAME`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.architecture, self.name)
    }

    /// Name of the file, the last part of the address.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.address.as_deref()?.rsplit('/').next()
    }

    /// Where the file is in the cache, once it was fetched.
    #[must_use]
    pub fn path_in(&self, cache: &Path) -> Option<PathBuf> {
        Some(cache.join(FOLDER).join(self.file_name()?))
    }

    /// What these weights expect done to an image, where `architecture` is theirs.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownPreset`] for a preset that is not there.
    pub fn preprocessing(&self, architecture: &Architecture) -> Result<Preprocessing> {
        match &self.preset {
            Some(preset) => Preprocessing::named(preset),
            None => Ok(architecture.preprocessing.clone()),
        }
    }

    /// The architecture as these weights want it: with their preprocessing.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownModel`] when the zoo lacks the architecture.
    pub fn architecture(&self) -> Result<Architecture> {
        let mut architecture = super::find(&self.architecture)?;
        architecture.preprocessing = self.preprocessing(&architecture)?;
        Ok(architecture)
    }
}

/// The weights of an architecture, the usual ones first.
#[must_use]
pub fn of(architecture: &str) -> Vec<PublishedWeights> {
    let mut all = all();
    all.retain(|weights| weights.architecture == architecture);
    all
}

/// All published weights, in the order of the catalogue.
#[must_use]
pub fn all() -> Vec<PublishedWeights> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Catalogue {
        weights: Vec<PublishedWeights>,
    }
    let catalogue: Catalogue = toml::from_str(TOML).expect("the embedded catalogue is well formed");
    catalogue.weights
}

/// An architecture by name, or by `ARCHITECTURE.WEIGHTS` with the preprocessing of those weights; and
/// the weights: those named, or the architecture's usual ones where any are published.
///
/// # Errors
///
/// [`ModelError::UnknownModel`] with the nearest names.
///
/// # Example
///
/// ```
/// use consilience_models::zoo::catalogue;
///
/// let (squeezenet, weights) = catalogue::find("squeezenet1_1")?;
/// assert_eq!(squeezenet.n_classes, 1000);
/// assert_eq!(weights.unwrap().full_name(), "squeezenet1_1.IMAGENET1K_V1");
/// # Ok::<(), consilience_models::ModelError>(())
/// ```
pub fn find(name: &str) -> Result<(Architecture, Option<PublishedWeights>)> {
    if let Ok(architecture) = super::find(name) {
        let usual = of(name).into_iter().next();
        return Ok((architecture, usual));
    }
    let Some((architecture, entry)) = name.split_once('.') else {
        return super::find(name).map(|architecture| (architecture, None));
    };
    super::find(architecture)?;
    let published = of(architecture);
    let names: Vec<String> = published.iter().map(PublishedWeights::full_name).collect();
    let weights = published
        .into_iter()
        .find(|weights| weights.name == entry)
        .ok_or_else(|| ModelError::UnknownModel {
            name: name.to_owned(),
            nearest: nearest(name, names.iter().map(String::as_str), 3),
        })?;
    Ok((weights.architecture()?, Some(weights)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_entry_is_pinned_or_says_where_to_go() {
        let mut names = BTreeSet::new();
        for weights in all() {
            let name = weights.full_name();
            assert!(names.insert(name.clone()), "{name} twice");
            assert!(!weights.licence.is_empty() && !weights.publisher.is_empty());
            match (&weights.address, &weights.sha256, &weights.by_hand) {
                (Some(address), Some(sha256), None) => {
                    assert!(address.starts_with("https://"), "{name}");
                    let hexadecimal = sha256.bytes().all(|b| b.is_ascii_hexdigit());
                    assert!(hexadecimal && (8..=64).contains(&sha256.len()), "{name}");
                }
                (None, None, Some(place)) => assert!(place.starts_with("http"), "{name}"),
                _ => panic!("{name} has neither an address with a hash nor a place to go"),
            }
            if let Some(preset) = &weights.preset {
                assert!(Preprocessing::named(preset).is_ok(), "{preset}");
            }
        }
    }

    #[test]
    fn every_entry_is_for_an_architecture_of_the_zoo() {
        let zoo: BTreeSet<String> = crate::zoo::list().into_iter().map(|a| a.name).collect();
        let absent: BTreeSet<String> = all()
            .into_iter()
            .map(|weights| weights.architecture)
            .filter(|name| !zoo.contains(name))
            .collect();
        assert!(absent.is_empty(), "{absent:?}");
    }

    #[test]
    fn file_names_are_distinct() {
        let mut names = BTreeSet::new();
        for weights in all() {
            if let Some(name) = weights.file_name() {
                assert!(names.insert(name.to_owned()), "{name} twice");
                assert!(weights.path_in(Path::new("c")).unwrap().ends_with(name));
            }
        }
    }

    #[test]
    fn names_are_found_with_their_preprocessing() {
        let (_, weights) = find("squeezenet1_1").unwrap();
        assert_eq!(weights.unwrap().name, "IMAGENET1K_V1");
        let (architecture, weights) = find("squeezenet1_0.IMAGENET1K_V1").unwrap();
        let preset = Preprocessing::named("squeezenet1_0.IMAGENET1K_V1").unwrap();
        assert_eq!(architecture.preprocessing, preset);
        assert_eq!(weights.unwrap().architecture, "squeezenet1_0");
        assert!(find("consilience_demo").unwrap().1.is_none());
        let message = find("squeezenet1_0.V1").unwrap_err().to_string();
        assert!(message.contains("squeezenet1_0.IMAGENET1K_V1"), "{message}");
        assert!(find("resnet18x").is_err());
    }
}
