//! Why a statistic of behaviour does not exist.

/// A statistic of behaviour that is undefined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BehaviourError {
    /// A list of items that names one that is not there, or one twice.
    #[error(
        "subset {subset} (counted from 0) names item {item} {found}; expected different items from 0 to {}",
        n_items - 1
    )]
    BadSubset {
        /// 0-based subset.
        subset: usize,
        /// The item.
        item: usize,
        /// What is wrong with it, as an adverbial.
        found: &'static str,
        /// Items that there are.
        n_items: usize,
    },
    /// A configuration of a single point.
    #[error("Procrustes is undefined: all points of {what} are the same")]
    OnePoint {
        /// Which configuration.
        what: &'static str,
    },
    /// Ratings that do not vary.
    #[error("there are no quantiles: all values of {what} are the same")]
    OneValue {
        /// Which column.
        what: &'static str,
    },
    /// Two groups without variance.
    #[error(
        "Welch's test is undefined: neither group varies, so their difference has no standard error; give values that vary"
    )]
    NoVariance,
    /// Sensitivity to what never occurred.
    #[error("d′ is undefined without {what}; give at least one trial of it")]
    NoTrials {
        /// Which trials are missing.
        what: &'static str,
    },
    /// A rate whose z-score is infinite.
    #[error(
        "d′ is infinite: the rate of {what} is {rate}; choose the correction log-linear, which adds half a response to each cell, or give more trials"
    )]
    ExtremeRate {
        /// Which rate.
        what: &'static str,
        /// 0 or 1.
        rate: f64,
    },
    /// No category with enough items to compare.
    #[error(
        "{n_kept} of {n_categories} categories have at least {min_items} items, expected 2; lower the least number of items or join categories"
    )]
    TooFewCategories {
        /// Categories with enough items.
        n_kept: usize,
        /// Categories in all.
        n_categories: usize,
        /// Items that one needs.
        min_items: usize,
    },
    /// A triplet that is none.
    #[error(
        "triplet {row} (counted from 0) is {found:?}, expected three different items from 0 to {}",
        n_items - 1
    )]
    BadTriplet {
        /// 0-based row.
        row: usize,
        /// What stands there.
        found: [usize; 3],
        /// Items that there are.
        n_items: usize,
    },
    /// No triplet was judged twice.
    #[error(
        "the ceiling of odd-one-out choices is undefined: none of the {n_triplets} different triplets was judged twice; give repeated triplets"
    )]
    NoRepeatedTriplet {
        /// Different triplets.
        n_triplets: usize,
    },
    /// Observers whose agreement says nothing.
    #[error(
        "error consistency is undefined for observers {first} and {second} (counted from 0): {why}, so they agree on all trials by necessity; leave one out or take harder trials"
    )]
    NoErrors {
        /// 0-based observer.
        first: usize,
        /// 0-based observer.
        second: usize,
        /// What they do.
        why: &'static str,
    },
    /// Two subsets that are not independent samples.
    #[error(
        "item {item} (counted from 0) is in both subsets; their correlations are compared as those of independent items: leave it out of one"
    )]
    SharedItem {
        /// 0-based item.
        item: usize,
    },
}
