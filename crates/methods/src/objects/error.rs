//! What can be wrong with objects, filters and lesions.

/// Objects or filters that cannot be analysed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectsError {
    /// A picture without pixels.
    #[error("the picture measures {width} × {height}, expected finite numbers above 0")]
    BadPicture {
        /// Width in pixels.
        width: f64,
        /// Height in pixels.
        height: f64,
    },
    /// A map without cells.
    #[error("{what} is empty: it has {rows} × {columns} cells; give at least 1")]
    EmptyMap {
        /// Which map.
        what: &'static str,
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// A box or score that is not made of numbers.
    #[error(
        "object {object} (counted from 0) of picture {picture} has the edges {edges:?} and the score {score}; expected finite numbers"
    )]
    BadObject {
        /// 0-based picture.
        picture: usize,
        /// 0-based object.
        object: usize,
        /// Left, upper, right, lower.
        edges: [f64; 4],
        /// Score of the detector.
        score: f64,
    },
    /// A class that is not there.
    #[error(
        "object {object} (counted from 0) of picture {picture} is of class {class}; expected 0 to {}: add the class to the map from classes to categories, or leave the object out",
        n_classes.saturating_sub(1)
    )]
    UnknownClass {
        /// 0-based picture.
        picture: usize,
        /// 0-based object.
        object: usize,
        /// Its class.
        class: usize,
        /// Classes that there are.
        n_classes: usize,
    },
    /// An option that signed maps have no use for.
    #[error(
        "{option} has no meaning for signed maps; choose another, or the sign positive or absolute"
    )]
    SignedMap {
        /// The option.
        option: &'static str,
    },
    /// Parts of a corpus that were read differently.
    #[error("the parts of the corpus were read with different options; read both with the same")]
    OtherOptions,
    /// A category of no class, or of one that is not there.
    #[error(
        "category of classes {classes:?}: expected at least one, each different and from 0 to {}",
        n_classes.saturating_sub(1)
    )]
    BadCategory {
        /// What was given.
        classes: Vec<usize>,
        /// Classes that there are.
        n_classes: usize,
    },
    /// A category in too few pictures.
    #[error(
        "no class of the category is in at least {min_images} pictures: the most frequent is in {found}; give more pictures, or lower the least number"
    )]
    RareCategory {
        /// Pictures that a class needs.
        min_images: usize,
        /// Pictures of its most frequent class.
        found: usize,
    },
    /// Filters that are listed twice or are not there.
    #[error(
        "filter {filter} is selected {found}; expected different filters from 0 to {}",
        n_filters.saturating_sub(1)
    )]
    BadFilter {
        /// The filter.
        filter: usize,
        /// What is wrong with it, as an adverbial.
        found: &'static str,
        /// Filters that there are.
        n_filters: usize,
    },
    /// A lesion of nothing.
    #[error("no filter is selected, so there is no lesion to compare; lower the threshold")]
    NoFilter,
    /// A lesion of everything.
    #[error(
        "all {n_filters} filters are selected, so there are no others to compare them with; raise the threshold"
    )]
    AllFilters {
        /// Filters of the layer.
        n_filters: usize,
    },
    /// Fewer other filters than selected ones.
    #[error(
        "{n_selected} of {n_filters} filters are selected, which leaves fewer to draw as many from; raise the threshold, or draw from all filters"
    )]
    TooFewOthers {
        /// Selected filters.
        n_selected: usize,
        /// Filters of the layer.
        n_filters: usize,
    },
}
