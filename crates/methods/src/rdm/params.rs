//! Options of RDM estimation.

use crate::error::same_count;
use crate::names::named;

use ndarray::Array2;

use crate::{MethodsError, NanPolicy, Result};

/// How two patterns are compared.
///
/// # Definition
///
/// For patterns x and y over p channels, with means x̄ and ȳ over channels:
///
/// | name | value |
/// |---|---|
/// | `correlation` | 1 − Σ(xₖ − x̄)(yₖ − ȳ) / √(Σ(xₖ − x̄)²·Σ(yₖ − ȳ)²), 0…2 |
/// | `spearman` | the same on ranks; ties share their mean rank |
/// | `cosine` | 1 − Σxₖyₖ / √(Σxₖ²·Σyₖ²), 0…2 |
/// | `euclidean` | √Σ(xₖ − yₖ)²; per channel: √(Σ(xₖ − yₖ)²/p) |
/// | `sqeuclidean` | Σ(xₖ − yₖ)²; per channel: Σ(xₖ − yₖ)²/p |
/// | `mahalanobis` | (x − y)ᵀP(x − y)/p, where P is the noise precision (identity when none is given) |
/// | `crossnobis` | meanₘ (x⁻ᵐ − y⁻ᵐ)ᵀP(xᵐ − yᵐ)/p, where xᵐ is the mean of the repetitions in run m and x⁻ᵐ of those in all other runs; unbiased, so negative values occur |
/// | `poisson-kl` | Σ(aₖ − bₖ)(ln aₖ − ln bₖ)/p with a = (x + λw)/(1 + w), b likewise from y, prior λ = 1 of weight w = 0.1: the symmetrised Kullback–Leibler divergence of Poisson rates |
/// | `poisson-kl-cv` | meanₘ Σ(aₖ⁻ᵐ − bₖ⁻ᵐ)(ln aₖᵐ − ln bₖᵐ)/p with the rates of run m and of all others as in `poisson-kl`; negative values occur |
///
/// # References
///
/// Kriegeskorte, Mur & Bandettini 2008, doi:10.3389/neuro.06.004.2008; Walther et al. 2016,
/// doi:10.1016/j.neuroimage.2015.12.012 (crossnobis); Schütt et al. 2023, doi:10.7554/eLife.82566
/// (poisson-kl).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Dissimilarity {
    /// 1 − Pearson's r.
    #[default]
    Correlation,
    /// 1 − Spearman's ρ.
    Spearman,
    /// 1 − cosine of the angle between the patterns.
    Cosine,
    /// Euclidean distance.
    Euclidean,
    /// Squared Euclidean distance.
    Sqeuclidean,
    /// Squared Mahalanobis distance over channels.
    Mahalanobis,
    /// Cross-validated squared Mahalanobis distance over channels.
    Crossnobis,
    /// Symmetrised Kullback–Leibler divergence of Poisson rates over channels.
    PoissonKl,
    /// Cross-validated symmetrised Kullback–Leibler divergence of Poisson rates over channels.
    PoissonKlCv,
}

impl Dissimilarity {
    const NAMES: [(&'static str, Self); 9] = [
        ("correlation", Self::Correlation),
        ("spearman", Self::Spearman),
        ("cosine", Self::Cosine),
        ("euclidean", Self::Euclidean),
        ("sqeuclidean", Self::Sqeuclidean),
        ("mahalanobis", Self::Mahalanobis),
        ("crossnobis", Self::Crossnobis),
        ("poisson-kl", Self::PoissonKl),
        ("poisson-kl-cv", Self::PoissonKlCv),
    ];

    /// Every dissimilarity, in the order of the reference.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::NAMES.into_iter().map(|(_, value)| value)
    }

    /// Whether it is cross-validated over runs.
    #[must_use]
    pub fn is_crossvalidated(self) -> bool {
        matches!(self, Self::Crossnobis | Self::PoissonKlCv)
    }

    /// Its name in study files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Correlation => "correlation",
            Self::Spearman => "spearman",
            Self::Cosine => "cosine",
            Self::Euclidean => "euclidean",
            Self::Sqeuclidean => "sqeuclidean",
            Self::Mahalanobis => "mahalanobis",
            Self::Crossnobis => "crossnobis",
            Self::PoissonKl => "poisson-kl",
            Self::PoissonKlCv => "poisson-kl-cv",
        }
    }
}

named!(Dissimilarity, "dissimilarity");

/// What to do when a run does not hold every condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IncompleteRuns {
    /// Refuse the input.
    #[default]
    Refuse,
    /// Cross-validate each pair of conditions over the runs that hold both. What a run adds to all its
    /// patterns cancels.
    CommonRuns,
    /// Average products of all rows of different runs, `crossnobis` only. What a run adds to all its
    /// patterns does not cancel, nor does the mean pattern; each row counts the same.
    AllRows,
}

impl IncompleteRuns {
    const NAMES: [(&'static str, Self); 3] = [
        ("refuse", Self::Refuse),
        ("common-runs", Self::CommonRuns),
        ("all-rows", Self::AllRows),
    ];
}

named!(IncompleteRuns, "treatment of incomplete runs");

/// Options of [`rdm`](super::rdm).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RdmParams {
    /// How two patterns are compared (default `correlation`).
    pub dissimilarity: Dissimilarity,
    /// Whether `euclidean` and `sqeuclidean` are divided by the number of channels, inside the
    /// root (default no).
    pub per_channel: bool,
    /// A condition label for each row; rows with the same label are averaged (default: each row
    /// is its own condition).
    pub conditions: Option<Vec<i64>>,
    /// A run label for each row; `crossnobis` and `poisson-kl-cv` cross-validate over runs.
    pub runs: Option<Vec<i64>>,
    /// What to do when a run does not hold every condition (default: refuse).
    pub incomplete_runs: IncompleteRuns,
    /// Noise precision, `(n_channels, n_channels)` and symmetric, for `mahalanobis` and
    /// `crossnobis` (default: the identity).
    pub noise_precision: Option<Array2<f64>>,
    /// A noise precision for each run, ascending by label, in place of one for all, for `crossnobis`. Each
    /// pair of runs is then compared under the inverse of the mean of their covariances.
    pub run_noise_precisions: Option<Vec<Array2<f64>>>,
    /// What to do about NaN (default: refuse). When it is omitted, repetitions are averaged without
    /// it and each pair of conditions is compared over the channels that both have (in every run,
    /// for crossnobis); sums are not rescaled, and "per channel" means per channel that both have.
    pub nan: NanPolicy,
}

impl RdmParams {
    /// Checks the options against patterns of `n_rows` rows and `n_channels` channels.
    ///
    /// # Errors
    ///
    /// [`MethodsError::ShapeMismatch`], [`MethodsError::MissingOption`],
    /// [`MethodsError::UnusedOption`], [`MethodsError::NonFinite`] or
    /// [`MethodsError::NotSymmetric`] (the last two for the noise precision).
    pub(super) fn validate(&self, n_rows: usize, n_channels: usize) -> Result<()> {
        self.check_use()?;
        let n_conditions = self.conditions.as_ref().map_or(n_rows, Vec::len);
        same_count(
            "condition labels, one for each row of the patterns",
            n_rows,
            n_conditions,
        )?;
        let n_runs = self.runs.as_ref().map_or(n_rows, Vec::len);
        same_count(
            "run labels, one for each row of the patterns",
            n_rows,
            n_runs,
        )?;
        let each = self.run_noise_precisions.iter().flatten();
        for precision in self.noise_precision.iter().chain(each) {
            check_precision(precision, n_channels)?;
        }
        Ok(())
    }

    fn check_use(&self) -> Result<()> {
        use Dissimilarity::{Crossnobis, Euclidean, Mahalanobis, PoissonKlCv, Sqeuclidean};
        let dissimilarity = self.dissimilarity.name();
        if self.dissimilarity.is_crossvalidated() {
            for (option, given, cure) in [
                (
                    "runs",
                    self.runs.is_some(),
                    "give a run label for each row of the patterns",
                ),
                (
                    "conditions",
                    self.conditions.is_some(),
                    "give a condition label for each row, so that repetitions can be told",
                ),
            ] {
                if !given {
                    return Err(MethodsError::MissingOption {
                        dissimilarity,
                        option,
                        cure,
                    });
                }
            }
        }
        for (option, given, users, instead) in [
            (
                "a division by channels",
                self.per_channel,
                &[Euclidean, Sqeuclidean][..],
                "euclidean or sqeuclidean",
            ),
            (
                "a run label for each row",
                self.runs.is_some(),
                &[Crossnobis, PoissonKlCv],
                "crossnobis or poisson-kl-cv",
            ),
            (
                "a treatment of incomplete runs",
                self.incomplete_runs != IncompleteRuns::Refuse,
                &[Crossnobis, PoissonKlCv],
                "crossnobis or poisson-kl-cv",
            ),
            (
                "the treatment all-rows of incomplete runs",
                self.incomplete_runs == IncompleteRuns::AllRows,
                &[Crossnobis],
                "crossnobis",
            ),
            (
                "a noise precision for each run",
                self.run_noise_precisions.is_some(),
                &[Crossnobis],
                "crossnobis",
            ),
            (
                "a noise precision",
                self.noise_precision.is_some(),
                &[Mahalanobis, Crossnobis],
                "mahalanobis or crossnobis",
            ),
        ] {
            if given && !users.contains(&self.dissimilarity) {
                return Err(MethodsError::UnusedOption {
                    dissimilarity,
                    option,
                    instead,
                });
            }
        }
        Ok(())
    }
}

fn check_precision(precision: &Array2<f64>, n_channels: usize) -> Result<()> {
    same_count("rows of the noise precision", n_channels, precision.nrows())?;
    same_count(
        "columns of the noise precision",
        n_channels,
        precision.ncols(),
    )?;
    let mut largest = 0.0_f64;
    for ((row, column), &value) in precision.indexed_iter() {
        if !value.is_finite() {
            return Err(MethodsError::NonFinite {
                what: "the noise precision",
                row,
                column,
                value,
                cure: "give the inverse of a covariance matrix that has full rank",
            });
        }
        largest = largest.max(value.abs());
    }
    // An inverse is symmetric only up to rounding, which a badly conditioned covariance amplifies.
    let tolerance = 1e-6 * largest;
    for ((row, column), &upper) in precision.indexed_iter() {
        let lower = precision[[column, row]];
        if (upper - lower).abs() > tolerance {
            return Err(MethodsError::NotSymmetric {
                row,
                column,
                upper,
                lower,
            });
        }
    }
    Ok(())
}
