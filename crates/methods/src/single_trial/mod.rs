//! Responses to single trials from recordings of a run: a beta for each trial and voxel.
//!
//! Events become expected time courses ([`regressor`], the canonical response of SPM), slow drifts cosines ([`drifts`]), and
//! [`least_squares_separate`] fits each trial beside all others taken together. Everything is of one run; runs are put together by stacking their betas.
//!
//! # Not supported
//!
//! Temporal and dispersion derivatives, fitted responses, autocorrelated noise (ordinary least squares is unbiased under it), spatial
//! smoothing, realignment: recordings come preprocessed.
//!
//! # References
//!
//! Mumford JA, Turner BO, Ashby FG, Poldrack RA 2012, doi:10.1016/j.neuroimage.2011.08.076; Friston KJ et al. 1998,
//! doi:10.1006/nimg.1997.0306 (the canonical response).

mod design;
mod error;
mod response;
mod separate;

#[cfg(test)]
mod tests;

pub use design::{Timing, drifts, regressor};
pub use error::SingleTrialError;
pub use response::Event;
pub use separate::least_squares_separate;
