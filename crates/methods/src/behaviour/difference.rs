//! Whether two correlations differ: of the same items, or of different ones.

use crate::error::same_count;
use crate::names::named;

use consilience_stats::correlation::{pearson, spearman};
use consilience_stats::normal;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::tails::student_t_two_sided;
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::correlations::{
    Correlated, CorrelationKind, CorrelationParams, NoCorrelation, correlation_table,
};
use crate::Result;
use crate::interval::{Scale, Uncertainty};
use crate::rsa::Correction;

/// Test of two correlations that share a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DependentTest {
    /// Williams's t, which Steiger recommends.
    #[default]
    Williams,
    /// Steiger's Z of Fisher's z with the mean correlation.
    Steiger,
}

impl DependentTest {
    const NAMES: [(&'static str, Self); 2] =
        [("williams", Self::Williams), ("steiger", Self::Steiger)];
}

named!(DependentTest, "test of dependent correlations");

/// Options of the tests of differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DifferenceParams {
    /// Which correlation (default: Pearson).
    pub kind: CorrelationKind,
    /// Test of correlations that share a variable (default: Williams).
    pub test: DependentTest,
    /// Resamples of items (default 0: no bootstrap).
    pub resamples: usize,
    /// Seed of the resamples (default 1).
    pub seed: u64,
    /// Correction over all differences of a table (default: none).
    pub correction: Correction,
}

impl Default for DifferenceParams {
    fn default() -> Self {
        Self {
            kind: CorrelationKind::default(),
            test: DependentTest::default(),
            resamples: 0,
            seed: 1,
            correction: Correction::None,
        }
    }
}

/// A difference of two correlations, first minus second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CorrelationDifference {
    /// Both correlations.
    pub r: [f64; 2],
    /// Correlation of the two predictions; `None` for different items.
    pub r_between: Option<f64>,
    /// Items of each correlation.
    pub n: [usize; 2],
    /// Difference.
    pub difference: f64,
    /// 95 % interval of the difference (Zou).
    pub interval: [f64; 2],
    /// t (Williams) or z.
    pub statistic: f64,
    /// Degrees of freedom of t; `None` for z.
    pub dof: Option<f64>,
    /// Two-sided p.
    pub p: f64,
    /// The same, corrected over a table.
    pub p_corrected: Option<f64>,
    /// The same question by bootstrap over items, if asked for and defined.
    pub bootstrap: Option<BootstrapDifference>,
}

/// How sure a difference is by bootstrap over items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BootstrapDifference {
    /// Standard error of the difference.
    pub sem: f64,
    /// 95 % interval: Student's on the artanh of half the difference.
    pub interval: [f64; 2],
    /// Two-sided p of difference / standard error under Student's t with n − 1 degrees of freedom.
    pub p: f64,
    /// Resamples in which a correlation was undefined, left out.
    pub n_undefined: usize,
}

/// Why two correlations have no difference that could be tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoDifference {
    /// The first correlation is undefined.
    #[error("first correlation: {0}")]
    First(NoCorrelation),
    /// The second correlation is undefined.
    #[error("second correlation: {0}")]
    Second(NoCorrelation),
    /// Too few items for a variance.
    #[error("{found} items, expected at least 4")]
    TooFewItems {
        /// Items.
        found: usize,
    },
    /// A correlation of 1 or −1, whose z is infinite.
    #[error("a correlation is 1 or −1, so its difference has no standard error")]
    Perfect,
    /// Predictions that cannot be told apart.
    #[error("the predictions are the same up to scale, so their difference has no variance")]
    SamePredictions,
}

type Difference = std::result::Result<CorrelationDifference, NoDifference>;

/// Tests whether two predictions of the same items correlate differently with a target.
///
/// # Shapes
///
/// All have a value for each of n items.
///
/// # Definition
///
/// With r₁, r₂ the correlations with the target, r₁₂ that of the predictions, r̄ = (r₁ + r₂)/2 and zᵢ = artanh rᵢ:
///
/// - Williams: t = (r₁ − r₂)·√((n − 1)(1 + r₁₂) / (2·R·(n − 1)/(n − 3) + r̄²·(1 − r₁₂)³)) with n − 3 degrees of freedom, where R = 1 − r₁² − r₂² −
///   r₁₂² + 2·r₁·r₂·r₁₂
/// - Steiger: z = (z₁ − z₂)·√((n − 3) / (2 − 2c)), where c = (r₁₂(1 − 2r̄²) − ½·r̄²·(1 − 2r̄² − r₁₂²)) / (1 − r̄²)²
/// - interval (Zou): from the limits l and u of either correlation, r₁ − r₂ − √((r₁ − l₁)² + (u₂ − r₂)² − 2c′(r₁ − l₁)(u₂ − r₂)), and likewise
///   above, where c′ = ((r₁₂ − ½·r₁·r₂)(1 − r₁² − r₂² − r₁₂²) + r₁₂³) / ((1 − r₁²)(1 − r₂²))
///
/// For Spearman the same of ranks, with Bonett and Wright's limits.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch), [`MethodsError::NonFinite`](crate::MethodsError::NonFinite). A difference that is undefined says why itself.
///
/// # Example
///
/// ```
/// use consilience_methods::behaviour::{DifferenceParams, dependent_difference};
///
/// let target = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let good = [1.0, 3.0, 2.0, 4.0, 6.0, 5.0];
/// let poor = [5.0, 1.0, 4.0, 2.0, 6.0, 3.0];
/// let found = dependent_difference(&good, &poor, &target, &DifferenceParams::default())?.unwrap();
/// assert!(found.difference > 0.7 && found.dof == Some(3.0));
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Williams 1959, Journal of the Royal Statistical Society B 21:396–399; Steiger 1980, doi:10.1037/0033-2909.87.2.245; Zou 2007,
/// doi:10.1037/1082-989X.12.4.399; Diedenhofen & Musch 2015, doi:10.1371/journal.pone.0121945 (cocor).
///
/// # Peers
///
/// The formulas of cocor's documentation in NumPy and SciPy, to 1e-9; R was not at hand.
pub fn dependent_difference(
    first: &[f64],
    second: &[f64],
    target: &[f64],
    params: &DifferenceParams,
) -> Result<Difference> {
    let [a, b, between] = [
        correlated(first, target, params.kind)?,
        correlated(second, target, params.kind)?,
        correlated(first, second, params.kind)?,
    ];
    Ok(of_dependent([a, b, between], params).map(|found| {
        let n = target.len();
        let resampled = |i: u64| {
            let items = draw(params.seed, i, n);
            let [x, y, z] = [first, second, target].map(|v| taken(v, &items));
            Some(coefficient(&x, &z, params.kind)? - coefficient(&y, &z, params.kind)?)
        };
        with_bootstrap(found, n, params, resampled)
    }))
}

/// Tests whether two correlations over different items differ: congruent and incongruent pictures.
///
/// # Shapes
///
/// A prediction and a target of each of n₁ items, and of each of n₂ others.
///
/// # Definition
///
/// z = (z₁ − z₂) / √(s₁² + s₂²), with zᵢ = artanh rᵢ and sᵢ² = 1/(nᵢ − 3) for Pearson, (1 + rᵢ²/2)/(nᵢ − 3) for Spearman. The interval is
/// Zou's without covariance. The bootstrap draws either items on their own and takes the smaller n for its degrees of freedom.
///
/// # Errors
///
/// As [`dependent_difference`].
///
/// # References
///
/// Fisher 1925, Statistical Methods for Research Workers; Zou 2007, doi:10.1037/1082-989X.12.4.399; Bonett & Wright 2000,
/// doi:10.1007/BF02294183.
///
/// # Peers
///
/// The formulas in NumPy and SciPy, to 1e-9.
pub fn independent_difference(
    first: [&[f64]; 2],
    second: [&[f64]; 2],
    params: &DifferenceParams,
) -> Result<Difference> {
    let [a, b] = [
        correlated(first[0], first[1], params.kind)?,
        correlated(second[0], second[1], params.kind)?,
    ];
    Ok(of_independent(a, b, params.kind).map(|found| {
        let of = |[x, y]: [&[f64]; 2], stream: u64| {
            let items = draw(params.seed, stream, x.len());
            coefficient(&taken(x, &items), &taken(y, &items), params.kind)
        };
        let resampled = |i: u64| Some(of(first, 2 * i)? - of(second, 2 * i + 1)?);
        let n = first[0].len().min(second[0].len());
        with_bootstrap(found, n, params, resampled)
    }))
}

type Cell = std::result::Result<Correlated, NoCorrelation>;

fn correlated(x: &[f64], y: &[f64], kind: CorrelationKind) -> Result<Cell> {
    same_count("items to correlate", x.len(), y.len())?;
    let row = |v| ArrayView2::from_shape((1, x.len()), v).expect("a row has as many items");
    let params = CorrelationParams {
        kind,
        ..CorrelationParams::default()
    };
    Ok(correlation_table(row(x), row(y), &[], &params)?[[0, 0, 0]])
}

/// Both correlations with their limits.
fn both(
    first: Cell,
    second: Cell,
) -> std::result::Result<[(Correlated, [f64; 2]); 2], NoDifference> {
    let (a, b) = (
        first.map_err(NoDifference::First)?,
        second.map_err(NoDifference::Second)?,
    );
    let found = a.n.min(b.n);
    if found < 4 {
        return Err(NoDifference::TooFewItems { found });
    }
    // Sums of products round a perfect correlation to one that is nearly so.
    if a.r.abs().max(b.r.abs()) > 1.0 - 1e-14 {
        return Err(NoDifference::Perfect);
    }
    let limits = |of: &Correlated| of.interval.ok_or(NoDifference::Perfect);
    Ok([(a, limits(&a)?), (b, limits(&b)?)])
}

fn of_dependent([a, b, between]: [Cell; 3], params: &DifferenceParams) -> Difference {
    let [(a, limits_a), (b, limits_b)] = both(a, b)?;
    let between = between.map_err(|_| NoDifference::SamePredictions)?.r;
    let (x, y, n) = (a.r, b.r, a.n as f64);
    // Of equal predictions (or opposite ones of which neither correlates) the difference cannot vary.
    if between > 1.0 - 1e-12 {
        return Err(NoDifference::SamePredictions);
    }
    let mean = f64::midpoint(x, y);
    let square = mean * mean;
    let (statistic, dof) = match params.test {
        DependentTest::Williams => {
            let determinant = 1.0 - x * x - y * y - between * between + 2.0 * x * y * between;
            let spread = 2.0 * determinant.max(0.0) * (n - 1.0) / (n - 3.0)
                + square * (1.0 - between).powi(3);
            let t = (x - y) * ((n - 1.0) * (1.0 + between) / spread).sqrt();
            (t, Some(n - 3.0))
        }
        DependentTest::Steiger => {
            let covariance = (between * (1.0 - 2.0 * square)
                - 0.5 * square * (1.0 - 2.0 * square - between * between))
                / ((1.0 - square) * (1.0 - square));
            let z = (x.atanh() - y.atanh()) * ((n - 3.0) / (2.0 - 2.0 * covariance)).sqrt();
            (z, None)
        }
    };
    if !statistic.is_finite() {
        return Err(NoDifference::SamePredictions);
    }
    let covariance = ((between - 0.5 * x * y) * (1.0 - x * x - y * y - between * between)
        + between.powi(3))
        / ((1.0 - x * x) * (1.0 - y * y));
    Ok(CorrelationDifference {
        r_between: Some(between),
        ..difference(
            [a, b],
            zou([x, y], [limits_a, limits_b], covariance),
            statistic,
            dof,
        )
    })
}

fn of_independent(a: Cell, b: Cell, kind: CorrelationKind) -> Difference {
    let [(a, limits_a), (b, limits_b)] = both(a, b)?;
    let variance = |of: &Correlated| {
        let share = match kind {
            CorrelationKind::Pearson => 1.0,
            CorrelationKind::Spearman => 1.0 + of.r * of.r / 2.0,
        };
        share / (of.n as f64 - 3.0)
    };
    let z = (a.r.atanh() - b.r.atanh()) / (variance(&a) + variance(&b)).sqrt();
    let interval = zou([a.r, b.r], [limits_a, limits_b], 0.0);
    Ok(difference([a, b], interval, z, None))
}

fn difference(
    both: [Correlated; 2],
    interval: [f64; 2],
    statistic: f64,
    dof: Option<f64>,
) -> CorrelationDifference {
    let [a, b] = both;
    CorrelationDifference {
        r: [a.r, b.r],
        r_between: None,
        n: [a.n, b.n],
        difference: a.r - b.r,
        interval,
        statistic,
        dof,
        p: match dof {
            Some(dof) => student_t_two_sided(statistic, dof),
            None => (2.0 * normal::sf(statistic.abs())).min(1.0),
        },
        p_corrected: None,
        bootstrap: None,
    }
}

fn zou([x, y]: [f64; 2], [of_x, of_y]: [[f64; 2]; 2], covariance: f64) -> [f64; 2] {
    let half = |a: f64, b: f64| (a * a + b * b - 2.0 * covariance * a * b).max(0.0).sqrt();
    [
        x - y - half(x - of_x[0], of_y[1] - y),
        x - y + half(of_x[1] - x, y - of_y[0]),
    ]
}

fn draw(seed: u64, stream: u64, n: usize) -> Vec<usize> {
    let counts = Stream::new(seed, Domain::Conditions, stream).multiplicities(n);
    let repeat = |(item, &count): (usize, &u32)| std::iter::repeat_n(item, count as usize);
    counts.iter().enumerate().flat_map(repeat).collect()
}

fn taken(values: &[f64], items: &[usize]) -> Vec<f64> {
    items.iter().map(|&item| values[item]).collect()
}

fn coefficient(x: &[f64], y: &[f64], kind: CorrelationKind) -> Option<f64> {
    match kind {
        CorrelationKind::Pearson => pearson(x, y),
        CorrelationKind::Spearman => spearman(x, y),
    }
}

fn with_bootstrap(
    found: CorrelationDifference,
    n_units: usize,
    params: &DifferenceParams,
    resampled: impl Fn(u64) -> Option<f64> + Sync,
) -> CorrelationDifference {
    // Half a difference lies where a correlation does, and is brought to its scale.
    let halves: Vec<f64> = (0..params.resamples as u64)
        .into_par_iter()
        .map(|i| resampled(i).map(|d| d / 2.0))
        .collect::<Vec<_>>()
        .into_iter()
        .flatten()
        .collect();
    let half = found.difference / 2.0;
    let sure = Uncertainty::of_resamples(half, &halves, n_units, Scale::Fisher);
    let bootstrap = sure
        .filter(|sure| sure.sem > 0.0)
        .map(|sure| BootstrapDifference {
            sem: 2.0 * sure.sem,
            interval: sure.interval.map(|limit| 2.0 * limit),
            p: student_t_two_sided(half / sure.sem, n_units as f64 - 1.0),
            n_undefined: params.resamples - halves.len(),
        });
    CorrelationDifference { bootstrap, ..found }
}
