//! Why an analysis of emotion has no answer.

/// Ratings, bins or units that cannot be analysed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EmotionError {
    /// A scale that ends where it begins, or before.
    #[error("a rating scale from {low} to {high} is none; give its lowest and its highest rating")]
    BadScale {
        /// Its lowest rating.
        low: f64,
        /// Its highest rating.
        high: f64,
    },
    /// A rating that its scale does not have.
    #[error(
        "item {item} (counted from 0) has the rating {value}, expected one from {low} to {high}; check the declared scale, or leave the item out"
    )]
    OutOfScale {
        /// 0-based item.
        item: usize,
        /// Its rating.
        value: f64,
        /// Lowest rating of the scale.
        low: f64,
        /// Highest rating of the scale.
        high: f64,
    },
    /// Edges of bins that leave no bin between them.
    #[error(
        "the edges {low} and {high} of {axis} leave nothing between them; give the lower one first"
    )]
    BadEdges {
        /// Valence or arousal.
        axis: &'static str,
        /// Where the lowest bin ends.
        low: f64,
        /// Where the highest bin begins.
        high: f64,
    },
    /// Edges of bins that are not written as such.
    #[error(
        "unknown edges {found:?}; expected thirds, tertiles, two edges (3,5), or two edges and a gap around each (4.3,6,0.5)"
    )]
    UnknownEdges {
        /// What was given.
        found: String,
    },
    /// Fewer than two bins with enough items.
    #[error(
        "{n_kept} of {n_bins} bins have at least {min_items} items, expected 2; lower the least number of items or move the edges"
    )]
    TooFewBins {
        /// Bins with enough items.
        n_kept: usize,
        /// Bins in all.
        n_bins: usize,
        /// Items that one needs.
        min_items: usize,
    },
    /// A layer of units that are not there.
    #[error(
        "layer {name:?} has the units {first} to {last}, expected at least one, from 0 to {}",
        n_units.saturating_sub(1)
    )]
    BadLayer {
        /// Name of the layer.
        name: String,
        /// Its first unit.
        first: usize,
        /// The unit behind its last one.
        last: usize,
        /// Units that there are.
        n_units: usize,
    },
    /// A unit that is not there.
    #[error("unit {unit} is not among the {n_units} units, counted from 0")]
    BadUnit {
        /// The unit.
        unit: usize,
        /// Units that there are.
        n_units: usize,
    },
    /// Two counts whose resamples do not belong together.
    #[error(
        "the counts differ in {what}, so their resamples cannot be paired; count both with the same items, bins, layers, resamples and seed"
    )]
    Unpaired {
        /// What differs.
        what: &'static str,
    },
    /// Two measures of units that prefer among other categories.
    #[error(
        "the units were measured on other categories ({first:?} and {second:?}); keep the same in both data sets"
    )]
    OtherCategories {
        /// Categories of the first data set.
        first: Vec<i64>,
        /// Categories of the second one.
        second: Vec<i64>,
    },
    /// Targets without variation.
    #[error(
        "all items have the same rating, so no prediction can follow them; give ratings that vary"
    )]
    ConstantRatings,
    /// A row of attention that is no distribution.
    #[error(
        "query {query} of head {head} (counted from 0) has attention that {why}; give the weights behind the softmax"
    )]
    BadAttention {
        /// 0-based head.
        head: usize,
        /// 0-based query.
        query: usize,
        /// What is wrong with it, as a verb phrase.
        why: &'static str,
    },
    /// A pattern of voxels without variation.
    #[error(
        "subject {subject} has fewer than two different values for image {image} (both counted from 0), so they have no z-scores; leave out the subject or the image"
    )]
    ConstantPattern {
        /// 0-based subject.
        subject: usize,
        /// 0-based image.
        image: usize,
    },
    /// Units or images that do not vary at all.
    #[error(
        "no unit varies over the items, so there is no dimension to count; give responses that vary"
    )]
    NoVariance,
}
