//! Options of encoding models.

use ndarray::Array2;

use super::{EncodingError, Folds};
use crate::Result;
use crate::error::at_least;
use crate::names::named;

/// Options of [`ridge`](super::ridge()).
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeParams {
    /// Penalties to choose from, in any order; default: 13 powers of ten from 10⁻⁶ to 10⁶.
    pub alphas: Vec<f64>,
    /// How rows are divided; default: five contiguous blocks.
    pub folds: Folds,
    /// Whether features and targets are centred at the means of each training set (default), which is
    /// an intercept that costs no penalty.
    pub intercept: bool,
    /// Whether the penalty that predicts a fold is chosen without it, from the remaining folds. By
    /// default one penalty is chosen from all folds.
    pub nested: bool,
}

impl Default for RidgeParams {
    fn default() -> Self {
        Self {
            alphas: (-6..=6).map(|exponent| 10_f64.powi(exponent)).collect(),
            folds: Folds::default(),
            intercept: true,
            nested: false,
        }
    }
}

impl RidgeParams {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`](crate::MethodsError::TooFew) without a penalty, [`EncodingError::InvalidAlpha`].
    pub fn validate(&self) -> Result<()> {
        at_least("penalties (alphas)", 1, self.alphas.len())?;
        let valid = |alpha: &f64| alpha.is_finite() && *alpha >= 0.0;
        if let Some(idx) = self.alphas.iter().position(|alpha| !valid(alpha)) {
            return Err(EncodingError::InvalidAlpha {
                idx,
                value: self.alphas[idx],
            }
            .into());
        }
        Ok(())
    }
}

/// How the shares of bands and the penalty of a target are searched for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum BandedSearch {
    /// The best of given or drawn shares, and of the penalties.
    #[default]
    Random,
    /// From the best penalty under equal shares (or the best of those given), damped steps down the gradient of the cross-validated error
    /// by the logarithm of each band's share over the penalty.
    Gradient {
        /// Most steps (default of himalaya: 10).
        steps: usize,
        /// The logarithm may change by less than this in a step that is the last (0.01).
        tolerance: f64,
    },
}

impl BandedSearch {
    /// By the gradient, with himalaya's number of steps and tolerance.
    pub const GRADIENT: Self = Self::Gradient {
        steps: 10,
        tolerance: 1e-2,
    };
}

/// Options of [`banded`](super::banded()).
#[derive(Debug, Clone, PartialEq)]
pub struct BandedParams {
    /// Penalties to choose from, all above 0; default as for [`RidgeParams`].
    pub alphas: Vec<f64>,
    /// How rows are divided; default: five contiguous blocks.
    pub folds: Folds,
    /// Whether features and targets are centred at the means of each training set (default).
    pub intercept: bool,
    /// How shares and penalty are searched for (default: at random).
    pub search: BandedSearch,
    /// Shares of the bands to try at random (default 100), the first equal; without [`shares`](Self::shares).
    pub n_samples: usize,
    /// Concentrations of the Dirichlet distributions that they are drawn from in turn; default 0.1, which gives
    /// nearly all to one band, and 1, which is uniform.
    pub concentrations: Vec<f64>,
    /// Shares to try instead, `(n_samples, n_bands)`.
    pub shares: Option<Array2<f64>>,
    /// Seed of the draws (default 1).
    pub seed: u64,
}

impl Default for BandedParams {
    fn default() -> Self {
        let RidgeParams {
            alphas,
            folds,
            intercept,
            ..
        } = RidgeParams::default();
        Self {
            alphas,
            folds,
            intercept,
            search: BandedSearch::default(),
            n_samples: 100,
            concentrations: vec![0.1, 1.0],
            shares: None,
            seed: 1,
        }
    }
}

impl BandedParams {
    /// The same without bands.
    pub(super) fn ridge(&self) -> RidgeParams {
        RidgeParams {
            alphas: self.alphas.clone(),
            folds: self.folds.clone(),
            intercept: self.intercept,
            nested: false,
        }
    }
}

/// Which components features are reduced to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ComponentsKind {
    /// Principal components: the directions in which features vary most, whatever the targets.
    #[default]
    Principal,
    /// Partial least squares (NIPALS, all targets together): each direction covaries most with the targets, and the
    /// features then lose what it explains of them.
    PartialLeastSquares,
}

impl ComponentsKind {
    const NAMES: [(&'static str, Self); 2] = [
        ("principal", Self::Principal),
        ("partial-least-squares", Self::PartialLeastSquares),
    ];
}

named!(ComponentsKind, "kind of components");

/// Options of [`components`](super::components()).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentsParams {
    /// Which components (default: principal).
    pub kind: ComponentsKind,
    /// Numbers of components to choose from; default: 25, the habit of the field.
    pub counts: Vec<usize>,
    /// How rows are divided; default: five contiguous blocks.
    pub folds: Folds,
}

impl Default for ComponentsParams {
    fn default() -> Self {
        Self {
            kind: ComponentsKind::default(),
            counts: vec![25],
            folds: Folds::default(),
        }
    }
}

impl ComponentsParams {
    /// Checks what can be checked without data.
    ///
    /// # Errors
    ///
    /// [`MethodsError::TooFew`](crate::MethodsError::TooFew) without a number of components, or for 0 of them.
    pub fn validate(&self) -> Result<()> {
        for (what, found) in [
            ("numbers of components to choose from", self.counts.len()),
            ("components", self.counts.iter().copied().min().unwrap_or(1)),
        ] {
            at_least(what, 1, found)?;
        }
        Ok(())
    }
}
