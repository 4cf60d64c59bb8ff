//! Welch's test of two groups.

use consilience_stats::tails::{student_t_isf, student_t_two_sided};
use ndarray::{ArrayView1, Axis};

use super::BehaviourError;
use super::correlations::check_finite;
use crate::Result;
use crate::error::at_least;

/// Two groups compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// Values of each group.
    pub n: [usize; 2],
    /// Mean of each group.
    pub means: [f64; 2],
    /// Standard deviation of each group (denominator n − 1).
    pub sds: [f64; 2],
    /// Mean of the first group minus that of the second.
    pub difference: f64,
    /// Its 95 % interval.
    pub interval: [f64; 2],
    /// Welch's t.
    pub t: f64,
    /// Degrees of freedom of Welch and Satterthwaite.
    pub dof: f64,
    /// Two-sided p.
    pub p: f64,
    /// Cohen's d: the difference over the pooled standard deviation.
    pub cohens_d: f64,
    /// Hedges' g: d·(1 − 3/(4(n₁ + n₂) − 9)), which is less biased for small groups.
    pub hedges_g: f64,
    /// The difference over √((s₁² + s₂²)/2), which does not assume equal variances.
    pub d_average: f64,
}

/// Compares the means of two groups whose variances may differ.
///
/// # Shapes
///
/// `first` is `(n₁,)`, `second` is `(n₂,)`.
///
/// # Definition
///
/// With variances s² (denominator n − 1) and u = s²/n of each group: t = (x̄₁ − x̄₂)/√(u₁ + u₂) with
/// (u₁ + u₂)² / (u₁²/(n₁ − 1) + u₂²/(n₂ − 1)) degrees of freedom; p is two-sided. The pooled variance is ((n₁ −
/// 1)s₁² + (n₂ − 1)s₂²)/(n₁ + n₂ − 2).
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) values of a group (2), [`MethodsError::NonFinite`](crate::MethodsError::NonFinite),
/// [`BehaviourError::NoVariance`].
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::welch;
/// use ndarray::array;
///
/// let found = welch(array![1.0, 2.0, 3.0].view(), array![4.0, 6.0, 8.0].view())?;
/// assert!((found.t + 3.098387).abs() < 1e-6 && (found.dof - 2.941176).abs() < 1e-6);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Welch 1947, doi:10.1093/biomet/34.1-2.28; Hedges 1981, doi:10.3102/10769986006002107.
///
/// # Peers
///
/// SciPy 1.17.1 `ttest_ind(equal_var=False)` with its interval, statsmodels 0.15.0 `CompareMeans`, pingouin 0.7.0
/// `compute_effsize` (cohen, hedges), to 1e-9.
pub fn welch(first: ArrayView1<'_, f64>, second: ArrayView1<'_, f64>) -> Result<Welch> {
    for (what, group) in [
        ("values of the first group", first),
        ("values of the second group", second),
    ] {
        at_least(what, 2, group.len())?;
        check_finite(what, group.insert_axis(Axis(0)))?;
    }
    let summaries = [first, second].map(|group| Summary::of(group.iter().copied()));
    Welch::of(&summaries).ok_or_else(|| BehaviourError::NoVariance.into())
}

/// What is needed of a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Summary {
    pub n: f64,
    pub mean: f64,
    /// With denominator n − 1.
    pub variance: f64,
}

impl Summary {
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let (n, sum) = values
            .clone()
            .fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
        let mean = sum / n;
        let square: f64 = values.clone().map(|v| (v - mean) * (v - mean)).sum();
        let first = values.clone().next();
        // Equal values have no variance, whatever their mean was rounded to.
        let constant = values.into_iter().all(|v| Some(v) == first);
        Self {
            n,
            mean,
            variance: if constant { 0.0 } else { square / (n - 1.0) },
        }
    }
}

/// The difference of two means against its standard error.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contrast {
    difference: f64,
    sem: f64,
    t: f64,
    dof: f64,
    /// The difference over the root of the mean variance.
    pub d_average: f64,
}

impl Contrast {
    /// `None` when neither group varies.
    pub fn of([a, b]: &[Summary; 2]) -> Option<Self> {
        if a.variance + b.variance <= 0.0 {
            return None;
        }
        let difference = a.mean - b.mean;
        let (u, v) = (a.variance / a.n, b.variance / b.n);
        let sem = (u + v).sqrt();
        let (share, rest) = (u / (u + v), v / (u + v));
        Some(Self {
            difference,
            sem,
            t: difference / sem,
            dof: 1.0 / (share * share / (a.n - 1.0) + rest * rest / (b.n - 1.0)),
            d_average: difference / (0.5 * (a.variance + b.variance)).sqrt(),
        })
    }

    /// Two-sided.
    pub fn p(&self) -> f64 {
        student_t_two_sided(self.t, self.dof)
    }
}

impl Welch {
    /// `None` when neither group varies.
    fn of(groups: &[Summary; 2]) -> Option<Self> {
        let contrast = Contrast::of(groups)?;
        let [a, b] = groups;
        let difference = contrast.difference;
        let half = student_t_isf(0.025, contrast.dof) * contrast.sem;
        let pooled = ((a.n - 1.0) * a.variance + (b.n - 1.0) * b.variance) / (a.n + b.n - 2.0);
        let cohens_d = difference / pooled.sqrt();
        Some(Self {
            n: [a.n as usize, b.n as usize],
            means: [a.mean, b.mean],
            sds: [a.variance.sqrt(), b.variance.sqrt()],
            difference,
            interval: [difference - half, difference + half],
            t: contrast.t,
            dof: contrast.dof,
            p: contrast.p(),
            cohens_d,
            hedges_g: cohens_d * (1.0 - 3.0 / (4.0 * (a.n + b.n) - 9.0)),
            d_average: contrast.d_average,
        })
    }
}
