//! Models with and without free parameters.

use crate::error::at_least;
use crate::names::named;

use ndarray::ArrayView2;

use crate::{MethodsError, Result};

/// How a model predicts an RDM from its component RDMs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ModelKind {
    /// Its one RDM, as it is.
    #[default]
    Fixed,
    /// A weighted sum, no weight below 0.
    Weighted,
    /// A weighted sum, weights of any sign.
    WeightedAnySign,
    /// One of them.
    Selected,
    /// A point between two that follow each other.
    Interpolated,
}

impl ModelKind {
    const NAMES: [(&'static str, Self); 5] = [
        ("fixed", Self::Fixed),
        ("weighted", Self::Weighted),
        ("weighted-any-sign", Self::WeightedAnySign),
        ("selected", Self::Selected),
        ("interpolated", Self::Interpolated),
    ];

    /// The name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        super::name_of(self, &Self::NAMES)
    }

    /// Whether it has parameters that are fitted to data.
    #[must_use]
    pub fn is_flexible(self) -> bool {
        self != Self::Fixed
    }
}

named!(ModelKind, "kind of model");

/// A model: its component RDMs and how it predicts from them.
///
/// # Shapes
///
/// `rdms` is `(n_components, n_pairs)`: one for [`ModelKind::Fixed`], two or more, in their order, for
/// [`ModelKind::Interpolated`], one or more otherwise.
///
/// # Definition
///
/// What is fitted maximises the mean similarity with the subjects' RDMs that it is fitted to, so only the
/// direction of the weights counts:
///
/// | kind | prediction | fitted by |
/// |---|---|---|
/// | `fixed` | its RDM | – |
/// | `weighted` | Σ wⱼ·dⱼ, wⱼ ≥ 0, Σ wⱼ² = 1 | non-negative least squares |
/// | `weighted-any-sign` | Σ wⱼ·dⱼ, Σ wⱼ² = 1 | least squares |
/// | `selected` | dⱼ of one j | the largest mean similarity |
/// | `interpolated` | w·dⱼ + (1 − w)·dⱼ₊₁, 0 ≤ w ≤ 1 | as `weighted`, for each two neighbours |
///
/// Least squares of the mean of the subjects' RDMs, after centring, whitening and scaling to length 1 as the
/// similarity asks for, on the components: that is the exact maximum for `pearson`, `cosine`,
/// `whitened-pearson` and `whitened-cosine`. Where no component has a positive similarity with the data,
/// the best single component is the maximum of `weighted` and `interpolated`. Similarities of ranks are
/// constant in steps and have no unique maximum: there weights are fitted for `pearson`, and for `cosine`
/// under `bures`; `selected` uses the similarity itself. A component that is a weighted sum of those before
/// it gets weight 0.
///
/// # References
///
/// Khaligh-Razavi & Kriegeskorte 2014, doi:10.1371/journal.pcbi.1003915; Jozwik, Kriegeskorte & Mur 2016,
/// doi:10.1016/j.neuropsychologia.2015.10.023.
///
/// # Peers
///
/// Not compared with a peer yet. Meant to agree with rsatoolbox 0.3.2 `fit_regress`, `fit_regress_nn` and
/// `fit_select` for `pearson` and `cosine`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model<'a> {
    /// How it predicts.
    pub kind: ModelKind,
    /// Its components.
    pub rdms: ArrayView2<'a, f64>,
}

impl Model<'_> {
    /// Checks the number of components.
    ///
    /// # Errors
    ///
    /// [`MethodsError::ShapeMismatch`] for a fixed model that has not exactly one RDM,
    /// [`MethodsError::TooFew`] components otherwise.
    pub fn validate(&self) -> Result<()> {
        let found = self.rdms.nrows();
        let needed = match self.kind {
            ModelKind::Fixed if found != 1 => {
                return Err(MethodsError::ShapeMismatch {
                    what: "RDMs of a fixed model",
                    expected: 1,
                    found,
                });
            }
            ModelKind::Interpolated => 2,
            _ => 1,
        };
        at_least("component RDMs of a model", needed, found)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn names_round_trip() {
        for (name, kind) in ModelKind::NAMES {
            assert_eq!(name.parse::<ModelKind>().unwrap(), kind);
            assert_eq!(kind.to_string(), name);
        }
    }

    #[test]
    fn components_are_counted() {
        let rdms = Array2::zeros((2, 3));
        let model = |kind, n| Model {
            kind,
            rdms: rdms.slice(ndarray::s![..n, ..]),
        };
        assert!(model(ModelKind::Fixed, 2).validate().is_err());
        assert!(model(ModelKind::Fixed, 1).validate().is_ok());
        assert!(model(ModelKind::Interpolated, 1).validate().is_err());
        assert!(model(ModelKind::Selected, 0).validate().is_err());
        assert!(model(ModelKind::Weighted, 2).validate().is_ok());
    }
}
