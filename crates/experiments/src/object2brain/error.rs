//! What can be wrong with objects, categories and heads.

use consilience_methods::objects::ObjectsError;

/// An Object2Brain analysis that cannot be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Object2BrainError {
    /// A stimulus that is to be rated by a head that is not there.
    #[error(
        "run {run} (counted from 0) rates stimulus {stimulus} by head {head}, but has {n_heads} heads"
    )]
    UnknownHead {
        /// 0-based run.
        run: usize,
        /// 0-based stimulus.
        stimulus: usize,
        /// The head that is asked for, from 0.
        head: usize,
        /// Heads of the run.
        n_heads: usize,
    },
    /// A category of no class, or of one twice or that the detector does not have.
    #[error("category {category:?}: {source}")]
    BadCategory {
        /// Name of the category.
        category: String,
        /// What is wrong with its classes.
        source: ObjectsError,
    },
    /// A layer without filters and positions.
    #[error(
        "layer {layer:?} gives {shape:?}, expected maps of filters, (1, filters, height, width); choose a convolution, or the output of a block"
    )]
    NoMap {
        /// The layer.
        layer: String,
        /// Shape of its value for one picture.
        shape: Vec<usize>,
    },
    /// An activation that is not a number.
    #[error(
        "the activation of filter {filter} for picture {picture} (both counted from 0) is not finite; look for the picture or weights that it comes from"
    )]
    NonFinite {
        /// 0-based picture.
        picture: usize,
        /// 0-based filter.
        filter: usize,
    },
    /// A class in a table of categories that the detector does not have.
    #[error(
        "row {row} of the categories: the detector has no class {class:?}{}; it has {n_classes} classes",
        nearest.as_ref().map_or_else(String::new, |name| format!(", did you mean {name:?}?"))
    )]
    UnknownClass {
        /// Row under the header, from 1.
        row: usize,
        /// The class as it stands there.
        class: String,
        /// The class that looks most like it, if any does.
        nearest: Option<String>,
        /// Classes of the detector.
        n_classes: usize,
    },
    /// A class that is listed twice in a table of categories.
    #[error(
        "row {row} of the categories: class {class:?} is in {category:?} already; a class has one category"
    )]
    ClassTwice {
        /// Row under the header, from 1.
        row: usize,
        /// The class.
        class: String,
        /// The category that it was given first.
        category: String,
    },
    /// A row without a name.
    #[error("row {row} of the categories: the {column} is empty; fill it or leave the row out")]
    EmptyName {
        /// Row under the header, from 1.
        row: usize,
        /// Which column.
        column: &'static str,
    },
    /// A detector whose classes nobody sorted.
    #[error(
        "there is no usual map from these {n_classes} classes to categories (only for COCO's 80 and Open Images' 601); give a table with the columns class and category"
    )]
    NoUsualCategories {
        /// Classes of the detector.
        n_classes: usize,
    },
}
