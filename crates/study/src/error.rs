//! Why a study was not done.

use std::path::{Path, PathBuf};

use consilience_methods::MethodsError;
use consilience_models::ModelError;

use crate::file::{KeyPath, Location, StudyText};

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, StudyError>;

/// A study that could not be planned or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StudyError {
    /// The study file is not TOML, has an unknown key, or a value of the wrong type.
    #[error("{message}")]
    Syntax {
        /// What is wrong, with a suggestion.
        message: String,
        /// Where.
        location: Location,
    },
    /// A `--set` that fits nothing in the study.
    #[error("--set {key}={value}: {why}")]
    Override {
        /// Key as given.
        key: String,
        /// Value as given.
        value: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value of the study file that cannot be used.
    #[error("{message}")]
    Invalid {
        /// The key at fault.
        key: KeyPath,
        /// What was found, what was expected and what to do.
        message: String,
    },
    /// A layer whose activations give no RDM.
    #[error("{model}, layer {layer}{}: {source}", named(picture.as_deref()))]
    Layer {
        /// The key that asks for the layer.
        key: KeyPath,
        /// Model name in the study.
        model: String,
        /// Layer name.
        layer: String,
        /// The picture whose activations are at fault, if it is one.
        picture: Option<PathBuf>,
        /// What is wrong with its activations.
        source: Box<MethodsError>,
    },
    /// A layer whose features cannot be reduced.
    #[error("layer {layer}: {source}")]
    Reduce {
        /// Layer name.
        layer: String,
        /// What is wrong.
        source: consilience_stats::reduce::ReduceError,
    },
    /// Principal components that would not fit into memory.
    #[error(
        "the principal components of all layers would take {found} bytes, at most {limit} are allowed; take fewer layers or components, or pool"
    )]
    ManyComponents {
        /// Bytes they would take.
        found: usize,
        /// Bytes they may take.
        limit: usize,
    },
    /// An experiment on a network that could not be done.
    #[error("{about}: {source}")]
    Experiment {
        /// Network and layer, or stimulus.
        about: String,
        /// What is wrong.
        source: Box<consilience_experiments::ExperimentError>,
    },
    /// A target whose comparison failed.
    #[error("{target}: {source}")]
    Target {
        /// Target name in the study.
        target: String,
        /// What is wrong.
        source: Box<MethodsError>,
    },
    /// A cache entry of the right name that holds something else.
    #[error(
        "the cache entry is damaged; delete the cache folder (that is always safe) and run again: {}",
        path.display()
    )]
    DamagedCache {
        /// The entry.
        path: PathBuf,
    },
    /// A file that could not be read or written.
    #[error(transparent)]
    File(#[from] consilience_io::IoError),
    /// A demo that could not be simulated.
    #[error(transparent)]
    Demo(#[from] crate::demo::DemoError),
    /// A network that could not be run.
    #[error(transparent)]
    Model(#[from] ModelError),
}

fn named(picture: Option<&Path>) -> String {
    picture.map_or_else(String::new, |path| format!(", picture {}", path.display()))
}

/// An error with the place in the study file that it comes from, for printing.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// What went wrong.
    #[source]
    pub error: StudyError,
    /// The line to show, when the error comes from one.
    pub location: Option<Location>,
}

impl Failure {
    /// Looks up the place of `error` in the study file.
    #[must_use]
    pub fn locate(error: StudyError, text: &StudyText) -> Self {
        let location = match &error {
            StudyError::Syntax { location, .. } => Some(location.clone()),
            // What is not in the file at all is reported at its beginning.
            StudyError::Invalid { key, .. } | StudyError::Layer { key, .. } => {
                Some(text.locate(key).unwrap_or_else(|| text.beginning()))
            }
            _ => None,
        };
        Self { error, location }
    }
}
