//! Metric scaling by majorisation.

use consilience_core::pairs;
use rayon::prelude::*;

use super::classical;
use crate::{MethodsError, Result};

/// Options of [`mds`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MdsParams {
    /// Most iterations to make (default 500).
    pub max_iterations: usize,
    /// The iteration ends when the stress falls by less than this share of itself (default 1e-6).
    pub tolerance: f64,
}

impl Default for MdsParams {
    fn default() -> Self {
        Self {
            max_iterations: 500,
            tolerance: 1e-6,
        }
    }
}

/// An arrangement and how well it shows the RDM.
#[derive(Debug, Clone, PartialEq)]
pub struct MdsOutcome {
    /// A point for each condition, the largest coordinate at 1 or −1.
    pub points: Vec<[f64; 2]>,
    /// Squared Pearson correlation of the map's distances with the dissimilarities, 0…1; `None`
    /// when either are all the same.
    pub fit: Option<f64>,
    /// Normalised stress Σ(d − δ)² / Σδ² before the map was scaled; 0 when every δ is 0.
    pub stress: f64,
    /// Iterations made.
    pub n_iterations: usize,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

/// Arranges conditions in the plane so that distances are close to dissimilarities.
///
/// # Shapes
///
/// `rdm` is one RDM vector, `(n_pairs,)`; the outcome has a point for each condition.
///
/// # Definition
///
/// The points minimise Σ(dᵢⱼ − δᵢⱼ)² over i < j, where d are distances in the plane and δ the
/// dissimilarities; a negative δ (crossnobis) counts as 0 there, while the fit is taken with δ as
/// given. The start is classical scaling, each step X ← B(X)·X/n (SMACOF) lowers the stress. The
/// result is centred, turned to its principal axes (the first the longer), mirrored so that the
/// coordinate of largest size is positive on each axis, and scaled into −1…1. Nothing is random.
///
/// Time is O(n³) for the start and O(n²) for a step; memory four n × n matrices of `f64`.
///
/// # Errors
///
/// [`MethodsError::Rdm`] when the length fits no number of conditions,
/// [`MethodsError::NonFinite`] for a NaN or an infinity.
///
/// # Example
///
/// ```
/// use consilience_methods::mds::{MdsParams, mds};
///
/// // A rectangle of 4 by 2.
/// let diagonal = 20.0_f64.sqrt();
/// let map = mds(&[4.0, diagonal, 2.0, 2.0, diagonal, 4.0], MdsParams::default())?;
/// assert!(map.fit.is_some_and(|fit| fit > 0.999_999));
/// assert!((map.points[0][0].abs() - 1.0).abs() < 1e-6);
/// assert!((map.points[0][1].abs() - 0.5).abs() < 1e-6);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Torgerson 1952, doi:10.1007/BF02288916; De Leeuw 1977, Applications of convex analysis to
/// multidimensional scaling; Borg & Groenen 2005, doi:10.1007/0-387-28981-X.
///
/// # Peers
///
/// `sklearn.manifold.smacof` from the same start: the stress to 1e-4 at the default tolerance.
pub fn mds(rdm: &[f64], params: MdsParams) -> Result<MdsOutcome> {
    let n = pairs::n_conditions(rdm.len())?;
    let worst = pairs::iter(n).zip(rdm).find(|(_, d)| !d.is_finite());
    if let Some(((row, column), &value)) = worst {
        return Err(MethodsError::NonFinite {
            what: "the RDM",
            row,
            column,
            value,
            cure: "leave out the conditions that have no dissimilarity",
        });
    }
    // In units of the largest value no square overflows or vanishes.
    let largest = rdm.iter().fold(0.0_f64, |largest, d| largest.max(d.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    let targets: Vec<f64> = rdm.iter().map(|d| d.max(0.0) / unit).collect();
    let total: f64 = targets.iter().map(|d| d * d).sum();
    let square = square(&targets, n);

    let mut points = classical::points(&targets, n);
    let mut step = Step::from(&points, &square);
    let mut n_iterations = 0;
    let mut converged = total == 0.0;
    while !converged && n_iterations < params.max_iterations {
        let next = Step::from(&step.points, &square);
        // What is left of a perfect map is rounding, which falls no further.
        converged = step.stress - next.stress <= params.tolerance * step.stress
            || next.stress <= f64::EPSILON * total;
        points = step.points;
        step = next;
        n_iterations += 1;
    }
    let distances = distances(&points);
    orient(&mut points);
    Ok(MdsOutcome {
        points,
        fit: squared_correlation(&distances, rdm),
        stress: if total > 0.0 {
            step.stress / total
        } else {
            0.0
        },
        n_iterations,
        converged,
    })
}

/// Both triangles, row by row.
fn square(rdm: &[f64], n: usize) -> Vec<f64> {
    let mut square = vec![0.0; n * n];
    for ((i, j), &d) in pairs::iter(n).zip(rdm) {
        square[i * n + j] = d;
        square[j * n + i] = d;
    }
    square
}

/// Points from which several threads share a step.
const MANY_POINTS: usize = 200;

/// One majorisation step.
struct Step {
    /// Stress before the step.
    stress: f64,
    /// Points after the step.
    points: Vec<[f64; 2]>,
}

impl Step {
    /// xᵢ ← Σⱼ (δᵢⱼ / dᵢⱼ)·(xᵢ − xⱼ) / n; points that coincide do not push each other.
    fn from(points: &[[f64; 2]], square: &[f64]) -> Self {
        let n = points.len();
        let row = |(&[x, y], targets): (&[f64; 2], &[f64])| {
            let mut stress = 0.0;
            let mut moved = [0.0; 2];
            for (&[other_x, other_y], &target) in points.iter().zip(targets) {
                let (dx, dy) = (x - other_x, y - other_y);
                let distance = (dx * dx + dy * dy).sqrt();
                stress += (distance - target) * (distance - target);
                if distance > 0.0 {
                    let pull = target / distance;
                    moved[0] += pull * dx;
                    moved[1] += pull * dy;
                }
            }
            (stress, moved.map(|v| v / n as f64))
        };
        // Few points are done before a second thread has begun.
        let rows: Vec<(f64, [f64; 2])> = if n < MANY_POINTS {
            points.iter().zip(square.chunks(n)).map(row).collect()
        } else {
            points
                .par_iter()
                .zip(square.par_chunks(n))
                .map(row)
                .collect()
        };
        Self {
            // Each pair was met twice.
            stress: rows.iter().map(|(stress, _)| stress).sum::<f64>() / 2.0,
            points: rows.into_iter().map(|(_, moved)| moved).collect(),
        }
    }
}

fn distances(points: &[[f64; 2]]) -> Vec<f64> {
    pairs::iter(points.len())
        .map(|(i, j)| (points[i][0] - points[j][0]).hypot(points[i][1] - points[j][1]))
        .collect()
}

/// Centres, turns to the principal axes, mirrors and scales.
fn orient(points: &mut [[f64; 2]]) {
    let n = points.len() as f64;
    let centre = [0, 1].map(|axis| points.iter().map(|p| p[axis]).sum::<f64>() / n);
    for point in points.iter_mut() {
        *point = [point[0] - centre[0], point[1] - centre[1]];
    }
    let moment = |a: usize, b: usize| points.iter().map(|p| p[a] * p[b]).sum::<f64>();
    let angle = 0.5 * (2.0 * moment(0, 1)).atan2(moment(0, 0) - moment(1, 1));
    let (sin, cos) = angle.sin_cos();
    for point in points.iter_mut() {
        *point = [
            cos * point[0] + sin * point[1],
            cos * point[1] - sin * point[0],
        ];
    }
    let mut largest = 0.0_f64;
    for axis in 0..2 {
        let extreme = points.iter().fold(0.0_f64, |extreme, p| {
            if p[axis].abs() > extreme.abs() {
                p[axis]
            } else {
                extreme
            }
        });
        if extreme < 0.0 {
            points.iter_mut().for_each(|p| p[axis] = -p[axis]);
        }
        largest = largest.max(extreme.abs());
    }
    if largest > 0.0 {
        points.iter_mut().flatten().for_each(|v| *v /= largest);
    }
}

fn squared_correlation(x: &[f64], y: &[f64]) -> Option<f64> {
    let constant = |v: &[f64]| v.iter().all(|&value| value == v[0]);
    if constant(x) || constant(y) {
        return None;
    }
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        let (x, y) = (x - mean_x, y - mean_y);
        xy += x * y;
        xx += x * x;
        yy += y * y;
    }
    Some((xy * xy / (xx * yy)).min(1.0))
}
