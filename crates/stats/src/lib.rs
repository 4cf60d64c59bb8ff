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

/// Runs `work` in a copy that is compiled for the widest vectors this processor has.
///
/// What is to profit must be inlined into `work` and be a loop that vectorises. Results are the same: no
/// compiler reorders additions of floats.
pub fn with_wide_vectors<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
