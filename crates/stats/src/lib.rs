//! Numbers only: ranks, correlations, RDM kernels, resampling, p-values.
