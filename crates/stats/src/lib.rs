//! Numbers only: ranks, correlations, RDM kernels, resampling, p-values.

pub mod correction;
pub mod correlation;
pub mod counts;
pub mod dense;
pub mod fourier;
pub mod gram;
pub mod logistic;
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

/// Work with loops that are to be compiled for wide vectors: its `call`, and every function in it that holds
/// such a loop, must be `#[inline(always)]`.
pub use pulp::NullaryFnOnce as VectorWork;

/// Does the work in a copy that is compiled for the widest vectors this processor has.
///
/// Results are the same: no compiler reorders additions of floats.
pub fn with_wide_vectors<W: VectorWork>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}
