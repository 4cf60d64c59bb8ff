//! What can be wrong with an edit.

use std::path::PathBuf;

use super::indices::NotIndices;

/// An edit that cannot be read or applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// No edit of that kind.
    #[error(
        "unknown kind of edit {found:?}; kinds are cut, tap, lesion, gain, replace-head{}",
        meant(.nearest)
    )]
    UnknownKind {
        /// The word that was given.
        found: String,
        /// The kind that resembles it.
        nearest: Option<String>,
    },
    /// A word that is not `option=value`.
    #[error("expected option=value, found {found:?}; e.g. {EXAMPLE:?}")]
    NotAnOption {
        /// The word.
        found: String,
    },
    /// An option that the kind of edit does not have.
    #[error("a {kind} has no option {found:?}; it has {}{}", expected.join(", "), meant(.nearest))]
    UnknownOption {
        /// Kind of edit.
        kind: &'static str,
        /// The option that was given.
        found: String,
        /// Options that there are.
        expected: &'static [&'static str],
        /// The option that resembles it.
        nearest: Option<String>,
    },
    /// An option given twice.
    #[error("{option} is given twice; give it once")]
    Twice {
        /// The option.
        option: String,
    },
    /// An option that must be there.
    #[error("a {kind} needs {option}; add it, e.g. {example:?}")]
    Missing {
        /// Kind of edit.
        kind: &'static str,
        /// The option, or what may be chosen.
        option: &'static str,
        /// How it may look.
        example: &'static str,
    },
    /// Two options that exclude each other.
    #[error("{first} and {second} exclude each other; leave one out")]
    Exclusive {
        /// One.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// A list of positions that cannot be read.
    #[error("{option}: {source}")]
    List {
        /// The option.
        option: &'static str,
        /// What is wrong.
        source: NotIndices,
    },
    /// A value that cannot be used.
    #[error("{option}: expected {expected}, found {found:?}")]
    Value {
        /// The option.
        option: &'static str,
        /// What may stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// A position beyond the layer.
    #[error("{layer:?} has {n} {part}, counted from 0; found {found}, expected at most {}", n.saturating_sub(1))]
    OutOfRange {
        /// The layer.
        layer: String,
        /// Kind of part.
        part: &'static str,
        /// The position.
        found: usize,
        /// How many there are.
        n: usize,
    },
    /// A kind of part that the layer does not have.
    #[error("{layer:?} has no {part}: its value has the shape {shape:?}; name units instead")]
    NoSuchPart {
        /// The layer.
        layer: String,
        /// Kind of part.
        part: &'static str,
        /// Shape of one image's value.
        shape: Vec<usize>,
    },
    /// Channels that cannot be shared out equally.
    #[error(
        "{layer:?} has {n_channels} channels, which are not {of} heads of one size; correct `of`"
    )]
    UnevenHeads {
        /// The layer.
        layer: String,
        /// Number of channels.
        n_channels: usize,
        /// Number of heads that was given.
        of: usize,
    },
    /// A layer whose shape is not known, or that does not hold 32-bit floats.
    #[error("{layer:?} is not one 32-bit float pattern for each image; it cannot be edited")]
    NotAPattern {
        /// The layer.
        layer: String,
    },
    /// A mean that was not given.
    #[error("the mean of {layer:?} is needed and no images are there to compute it from")]
    NoMean {
        /// The layer.
        layer: String,
    },
    /// A mean of another size than the layer.
    #[error("{layer:?} has {expected} units, but its mean has {found} values{}", file.as_ref().map_or_else(String::new, |file| format!(": {}", file.display())))]
    MeanSize {
        /// The layer.
        layer: String,
        /// Units of the layer.
        expected: usize,
        /// Values of the mean.
        found: usize,
        /// Where it comes from, if from a file.
        file: Option<PathBuf>,
    },
    /// A layer that is no linear read-out.
    #[error(
        "{layer:?} is no linear layer on a feature vector ({found}), so it cannot be replaced by one; name the last linear layer"
    )]
    NotAHead {
        /// The layer.
        layer: String,
        /// What it is.
        found: String,
    },
    /// Weights of a head that do not fit.
    #[error(
        "{layer:?} reads {n_inputs} features: expected weight (n, {n_inputs}) and bias (n), found {weight:?} and {bias:?}"
    )]
    HeadSize {
        /// The layer.
        layer: String,
        /// Features that it reads.
        n_inputs: usize,
        /// Shape of the new weight.
        weight: Vec<usize>,
        /// Shape of the new bias.
        bias: Vec<usize>,
    },
    /// Weights of a head that were not given.
    #[error("the weights of the new {layer:?} were not given")]
    NoHead {
        /// The layer.
        layer: String,
    },
}

/// Shown where the form of an edit is not understood.
const EXAMPLE: &str = "lesion layer=features.8 channels=3,5-9 with=zero";

impl EditError {
    /// The option at fault, when it is one.
    #[must_use]
    pub fn option(&self) -> Option<&str> {
        match self {
            Self::UnknownKind { .. } => Some("kind"),
            Self::UnknownOption { found, .. } => Some(found),
            Self::Twice { option } => Some(option),
            Self::Exclusive { second, .. } => Some(second),
            Self::List { option, .. } | Self::Value { option, .. } => Some(option),
            Self::OutOfRange { part, .. } | Self::NoSuchPart { part, .. } => Some(part),
            Self::UnevenHeads { .. } => Some("of"),
            Self::MeanSize { .. } => Some("means"),
            Self::HeadSize { .. } => Some("weights"),
            Self::NotAPattern { .. } | Self::NotAHead { .. } => Some("layer"),
            Self::NotAnOption { .. }
            | Self::Missing { .. }
            | Self::NoMean { .. }
            | Self::NoHead { .. } => None,
        }
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean {name:?}?"))
}
