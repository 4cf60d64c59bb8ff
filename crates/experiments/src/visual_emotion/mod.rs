//! Modules that read valence and arousal out of the features of a frozen network, such as a model of the amygdala: how well they
//! predict, which of their units are selective, whether what is rated alike is represented alike, and what lesions do.
//!
//! - [`Structure`], [`Wired`]: a module of nuclei on features, whole or behind a linear map to fewer
//! - [`folds`], [`elsewhere`], [`train_fold`], [`Repeat`]: trainings, put together so that every stimulus is seen by a module that did
//!   not learn from it
//! - [`scores`], [`quantiles()`], [`plane`], [`history`], [`ridge`], [`comparisons`]: predictions, their baseline, and differences between modules
//! - [`selective_units`], [`geometry_of`], [`region`], [`gains()`], [`connection_lesions`], [`read_outs`]: units, geometry, the brain, gains and lesions
//! - [`second_units`], [`consistency()`]: the same units on pictures of a second set
//!
//! # Same units in all folds
//!
//! All trainings of a repeat begin with the same weights. Unit i of one fold is therefore taken for unit i of the others, and
//! activations of all stimuli are put together from those of the modules that did not learn from them. Trainings
//! that part far from their beginnings make this a mixture of different units, which lowers selectivity and
//! agreement, and never raises them.
//!
//! # Tokens
//!
//! With [`Structure::tokens`], nuclei read a row of numbers for each token of a stimulus (such as a patch), and transformers attend from each
//! to all. Units and ratings of a stimulus are means over its tokens. Features of several tokens lie side by side, `(n, tokens · channels)`,
//! and are z-scored by channel over stimuli and tokens; the baseline reads their mean over tokens ([`token_means`]).
//!
//! # Same bytes
//!
//! Everything drawn depends on seeds, nothing on the number of threads.
//!
//! # References
//!
//! - Liu P, Bo K, Chen Y, Keil A, Ding M, Fang R 2025, doi:10.1101/2025.10.20.683439
//! - Liu P, Bo K, Ding M, Fang R 2024, doi:10.1371/journal.pcbi.1011943, for gains and lesions
//!
//! # Not here
//!
//! Files and study options, features and those of other [views](Views) (the callers').

mod baseline;
mod changed;
mod changed_units;
mod compare;
mod connections;
mod consistency;
mod division;
mod error;
mod fold;
mod forward;
mod gains;
mod geometry;
mod module;
mod quantiles;
mod read_out;
mod region;
mod repeat;
mod score;
mod second;
#[cfg(test)]
mod tests;
mod tokens;
mod units;
mod views;
mod workers;

pub use baseline::ridge;
pub use changed::TrainedRepeat;
pub use changed_units::ChangedUnits;
pub use compare::{Compared, Measure, comparisons};
pub use connections::connection_lesions;
pub use consistency::{Consistency, Units, consistency};
pub use division::{Division, dealt, elsewhere, folds};
pub use error::VisualEmotionError;
pub use fold::{FoldRun, Learning, Pictures, Scaling, train_fold};
pub use gains::{GainParams, gains};
pub use geometry::{
    ModelRdms, RepeatGeometry, curve_of_all, curves, dimension_curves, geometry_of, mean_rdms,
};
pub use module::{Connection, Link, Structure, Wired};
pub use quantiles::{N_QUANTILES, quantiles};
pub use read_out::{CATEGORIES, Categories, RepeatReadOuts, read_outs, repeat_read_outs};
pub use region::{Candidate, Named, region};
pub use repeat::Repeat;
pub use score::{disparities, history, measures, plane, scores};
pub use second::second_units;
pub use tokens::token_means;
pub use units::{UnitsFound, bin_records, selective_units};
pub use views::Views;
pub use workers::side_by_side;
