//! RDMs by the conventions of other toolboxes.

use super::method::{RdmOutcome, rdm};
use super::patterns::Patterns;
use super::{Dissimilarity, RdmParams};
use crate::compat::Compat;
use crate::{MethodsError, NanPolicy, Result};

/// An RDM as another toolbox would have it, and what its convention changes.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerRdm {
    /// The RDM with that toolbox's numbers.
    pub outcome: RdmOutcome,
    /// How they differ from [`rdm`]; `None` where they do not.
    pub difference: Option<&'static str>,
}

/// Compares every pair of conditions by the conventions of another toolbox.
///
/// # Shapes
///
/// As [`rdm`].
///
/// # Definition
///
/// | toolbox | dissimilarity | value, for patterns x and y over p channels |
/// |---|---|---|
/// | rsatoolbox | `euclidean` | Σ(xₖ − yₖ)²/p |
/// | mne-rsa, cosmo | `mahalanobis` | √((x − y)ᵀP(x − y)), as SciPy's with VI = P; NaN is refused |
///
/// Everything else that both have is equal.
///
/// # Errors
///
/// As [`rdm`]; [`MethodsError::NotInPeer`] for a dissimilarity that the toolbox has not or defines in another way
/// (rsatoolbox's `poisson_cv`), and for nilearn, which makes no RDMs.
///
/// # Example
///
/// ```
/// use consilience_methods::Compat;
/// use consilience_methods::rdm::{Dissimilarity, RdmParams, rdm_as};
/// use ndarray::array;
///
/// let patterns = array![[0.0, 0.0], [3.0, 4.0]];
/// let params = RdmParams { dissimilarity: Dissimilarity::Euclidean, ..RdmParams::default() };
/// let found = rdm_as(Compat::Rsatoolbox, patterns.view(), &params)?;
/// assert_eq!(found.outcome.vector, [12.5]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// rsatoolbox 0.3.2 `calc_rdm`, mne-rsa 1.0 `compute_rdm`, to 1e-9. `CoSMoMVPA` was read, not run.
pub fn rdm_as<'a>(
    peer: Compat,
    patterns: impl Into<Patterns<'a>>,
    params: &RdmParams,
) -> Result<PeerRdm> {
    let patterns = patterns.into();
    use Dissimilarity::{Cosine, PoissonKl, PoissonKlCv, Spearman};
    let missing = match (peer, params.dissimilarity) {
        (Compat::Nilearn, _) => true,
        (Compat::Rsatoolbox, d) => matches!(d, Spearman | Cosine | PoissonKlCv),
        (Compat::MneRsa, d) => d.is_crossvalidated() || matches!(d, PoissonKl | Spearman),
        (Compat::Cosmo, d) => d.is_crossvalidated() || d == PoissonKl,
    };
    if missing {
        return Err(MethodsError::NotInPeer {
            peer: peer.name(),
            dissimilarity: params.dissimilarity.name(),
        });
    }
    match (peer, params.dissimilarity) {
        (Compat::Rsatoolbox, Dissimilarity::Euclidean) => {
            let params = RdmParams {
                dissimilarity: Dissimilarity::Sqeuclidean,
                per_channel: true,
                ..params.clone()
            };
            Ok(PeerRdm {
                outcome: rdm(patterns, &params)?,
                difference: Some(
                    "euclidean is squared and divided by the number of channels, as our sqeuclidean --per-channel",
                ),
            })
        }
        (Compat::MneRsa | Compat::Cosmo, Dissimilarity::Mahalanobis) => {
            let n_channels = match patterns {
                Patterns::F32(x) => x.ncols(),
                Patterns::F64(x) => x.ncols(),
            } as f64;
            // With channels missing, each pair has another number of them.
            let params = RdmParams {
                nan: NanPolicy::Refuse,
                ..params.clone()
            };
            let mut outcome = rdm(patterns, &params)?;
            for d in &mut outcome.vector {
                *d = (*d * n_channels).sqrt();
            }
            Ok(PeerRdm {
                outcome,
                difference: Some(
                    "mahalanobis is a distance: the root of ours times the number of channels",
                ),
            })
        }
        _ => Ok(PeerRdm {
            outcome: rdm(patterns, params)?,
            difference: None,
        }),
    }
}
