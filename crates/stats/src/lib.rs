//! Numbers only: ranks, correlations, RDM kernels, resampling, p-values.

pub mod correction;
pub mod correlation;
pub mod counts;
pub mod dense;
pub mod fourier;
pub mod gram;
pub mod noncentral;
pub mod normal;
pub mod quadrature;
pub mod random;
pub mod rank;
mod real;
pub mod reduce;
pub mod ridge;
pub mod signed_rank;
pub mod tails;

pub use real::Real;
