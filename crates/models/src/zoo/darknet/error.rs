//! What can be wrong with a `.cfg` file or its weights.

/// A darknet network that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CfgError {
    /// A file that is no description of a network.
    #[error("a .cfg file has at most {limit} bytes, found {found}; give the .cfg of the network")]
    TooLarge {
        /// Bytes of the file.
        found: u64,
        /// Most bytes.
        limit: u64,
    },
    /// A line that is neither a section nor a setting.
    #[error("line {line}: found {found:?}, expected {expected}")]
    Line {
        /// Line, counted from 1.
        line: usize,
        /// What stands there.
        found: String,
        /// What should.
        expected: &'static str,
    },
    /// A layer that is not known.
    #[error("line {line}: a [{section}] layer is not supported; there are {known}")]
    Section {
        /// Line, counted from 1.
        line: usize,
        /// Kind of layer.
        section: String,
        /// Kinds that are supported.
        known: &'static str,
    },
    /// A setting with a value that cannot be used.
    #[error("line {line}: {key} is {found:?}, expected {expected}")]
    Setting {
        /// Line of the setting, or of the layer when it is missing; counted from 1.
        line: usize,
        /// Name of the setting.
        key: &'static str,
        /// Its value; `(missing)` when there is none.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// Layers that do not fit together.
    #[error("line {line}: layer {layer}: {what} is {found}, expected {expected}")]
    Shape {
        /// Line of the layer, counted from 1; 0 for a network by name.
        line: usize,
        /// Number of the layer, counted from 0 as darknet does.
        layer: usize,
        /// What does not fit.
        what: &'static str,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// Another count of weights than the network has.
    #[error(
        "the weights hold {found} numbers, the network has {expected}; give the .weights file of this .cfg"
    )]
    Weights {
        /// Numbers that the network has.
        expected: usize,
        /// Numbers in the file.
        found: usize,
    },
}
