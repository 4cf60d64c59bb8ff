//! Very sparse random projection.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::ReduceError;
use crate::random::{Domain, Stream};

/// Columns that keep all pairwise squared distances of `n_samples` rows within a factor 1 ± ε.
///
/// # Definition
///
/// ⌊4·ln n ÷ (ε²/2 − ε³/3)⌋, the bound of Dasgupta and Gupta.
///
/// # Errors
///
/// [`ReduceError::Epsilon`] for an ε that is not between 0 and 1.
///
/// # Example
///
/// ```
/// use consilience_stats::reduce::johnson_lindenstrauss_min_dim;
///
/// assert_eq!(johnson_lindenstrauss_min_dim(1000, 0.1)?, 5920);
/// # Ok::<(), consilience_stats::reduce::ReduceError>(())
/// ```
///
/// # References
///
/// Dasgupta, Gupta (2003), doi:10.1002/rsa.10073.
///
/// # Peers
///
/// scikit-learn `johnson_lindenstrauss_min_dim`: equal.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the quotient is positive and far below the limit unless ε is tiny; then it saturates"
)]
pub fn johnson_lindenstrauss_min_dim(n_samples: usize, eps: f64) -> Result<usize, ReduceError> {
    if !(eps > 0.0 && eps < 1.0) {
        return Err(ReduceError::Epsilon { found: eps });
    }
    let denominator = eps.powi(2) / 2.0 - eps.powi(3) / 3.0;
    Ok((4.0 * (n_samples.max(1) as f64).ln() / denominator) as usize)
}

/// A random matrix of few ±v and many zeros, kept as the places of the former.
///
/// # Definition
///
/// y_c = v · Σ_j s_cj · x_j, where s_cj is +1 or −1 with probability d/2 each and else 0, d is the
/// density, and v = 1/√(d·k) for k components: squared lengths and distances are kept on average.
/// Sums run over ascending j in 64 bits.
///
/// The places are drawn from the gaps between them (geometric, from one ChaCha8 stream), so the
/// work and the memory are k·p·d for p features, and the dense matrix never exists.
///
/// # Example
///
/// ```
/// use consilience_stats::reduce::SparseProjection;
/// use ndarray::Array2;
///
/// let projection = SparseProjection::new(10_000, 50, None, 1, 0)?;
/// assert_eq!(projection.density(), 0.01);
/// let rows = Array2::<f32>::ones((3, 10_000));
/// assert_eq!(projection.project(rows.view()).dim(), (3, 50));
/// # Ok::<(), consilience_stats::reduce::ReduceError>(())
/// ```
///
/// # References
///
/// Achlioptas (2003), doi:10.1016/S0022-0000(03)00025-4; Li, Hastie, Church (2006),
/// doi:10.1145/1150402.1150436.
///
/// # Peers
///
/// scikit-learn `SparseRandomProjection`: the same distribution and the same default density;
/// other random numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct SparseProjection {
    n_features: usize,
    density: f64,
    /// Where the entries of each component begin, and where the last ones end.
    starts: Vec<usize>,
    /// Feature, and whether its sign is minus in the lowest bit.
    entries: Vec<u64>,
}

impl SparseProjection {
    /// Draws the projection of `n_features` to `n_components` columns; `density` is 1/√`n_features`
    /// when not given. Projections of one seed and different streams are independent.
    ///
    /// # Errors
    ///
    /// [`ReduceError::Components`] when there is nothing to reduce, [`ReduceError::Density`].
    pub fn new(
        n_features: usize,
        n_components: usize,
        density: Option<f64>,
        seed: u64,
        stream: u64,
    ) -> Result<Self, ReduceError> {
        if n_components == 0 || n_components > n_features {
            return Err(ReduceError::Components {
                n_components,
                n_features,
            });
        }
        let density = density.unwrap_or(1.0 / (n_features as f64).sqrt());
        if !(density > 0.0 && density <= 1.0) {
            return Err(ReduceError::Density { found: density });
        }
        let mut random = Stream::new(seed, Domain::Projection, stream);
        let mut starts = Vec::with_capacity(n_components + 1);
        let mut entries = Vec::new();
        let mut feature = gap(&mut random, density);
        for _ in 0..n_components {
            starts.push(entries.len());
            while feature < n_features as u64 {
                entries.push(feature << 1 | u64::from(random.below(2)));
                feature = feature
                    .saturating_add(1)
                    .saturating_add(gap(&mut random, density));
            }
            // The gap that began in this row of the matrix ends in a later one.
            feature -= n_features as u64;
        }
        starts.push(entries.len());
        Ok(Self {
            n_features,
            density,
            starts,
            entries,
        })
    }

    /// Number of columns that come out.
    #[must_use]
    pub fn n_components(&self) -> usize {
        self.starts.len() - 1
    }

    /// Expected share of weights that are not zero.
    #[must_use]
    pub fn density(&self) -> f64 {
        self.density
    }

    /// Weight of the entries.
    fn weight(&self) -> f64 {
        1.0 / (self.density * self.n_components() as f64).sqrt()
    }

    /// Projects rows, `(n, n_features)` → `(n, n_components)`; parallel over rows.
    ///
    /// # Panics
    ///
    /// When the rows have another number of features.
    #[must_use]
    pub fn project(&self, rows: ArrayView2<'_, f32>) -> Array2<f32> {
        assert_eq!(rows.ncols(), self.n_features, "one projection, one width");
        let weight = self.weight();
        let rows = rows.as_standard_layout();
        let values = rows.as_slice().expect("standard layout is contiguous");
        let mut out = Array2::zeros((rows.nrows(), self.n_components()));
        let slots = out.as_slice_mut().expect("just made");
        slots
            .par_chunks_mut(self.n_components())
            .zip(values.par_chunks(self.n_features))
            .for_each(|(slots, row)| {
                for (slot, bounds) in slots.iter_mut().zip(self.starts.windows(2)) {
                    let sum: f64 = self.entries[bounds[0]..bounds[1]]
                        .iter()
                        .map(|entry| {
                            let value = f64::from(row[(entry >> 1) as usize]);
                            if entry & 1 == 1 { -value } else { value }
                        })
                        .sum();
                    #[allow(clippy::cast_possible_truncation, reason = "activations are f32")]
                    let projected = (weight * sum) as f32;
                    *slot = projected;
                }
            });
        out
    }
}

/// Zeros before the next entry: geometric with success probability `density`.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the quotient is not negative, and a gap beyond 64 bits saturates"
)]
fn gap(random: &mut Stream, density: f64) -> u64 {
    // 1 − u is in (0, 1], so the logarithm is finite; a density of 1 divides by −∞.
    ((1.0 - random.uniform()).ln() / (-density).ln_1p()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The matrix itself, `(n_components, n_features)`.
    fn dense(projection: &SparseProjection) -> Array2<f64> {
        let mut matrix = Array2::zeros((projection.n_components(), projection.n_features));
        for (component, bounds) in projection.starts.windows(2).enumerate() {
            for entry in &projection.entries[bounds[0]..bounds[1]] {
                let sign = if entry & 1 == 1 { -1.0 } else { 1.0 };
                matrix[[component, (entry >> 1) as usize]] = sign * projection.weight();
            }
        }
        matrix
    }

    fn normals(n: usize, p: usize, seed: u64) -> Array2<f32> {
        let mut random = Stream::new(seed, Domain::Simulation, 0);
        Array2::from_shape_simple_fn((n, p), || random.normal() as f32)
    }

    #[test]
    fn entries_have_the_share_the_signs_and_the_places_they_should() {
        let projection = SparseProjection::new(2500, 400, None, 3, 0).unwrap();
        let matrix = dense(&projection);
        let weight = projection.weight();
        let plus = matrix.iter().filter(|w| **w == weight).count() as f64;
        let minus = matrix.iter().filter(|w| **w == -weight).count() as f64;
        // Five standard deviations of binomial counts.
        let (n, d) = (matrix.len() as f64, 0.02);
        assert!((plus + minus - n * d).abs() < 5.0 * (n * d).sqrt());
        assert!((plus - minus).abs() < 5.0 * (n * d).sqrt());
        let sums = matrix.mapv(|w| f64::from(u8::from(w != 0.0)));
        for (axis, expected) in [(0, 400.0 * d), (1, 2500.0 * d)] {
            let counts = sums.sum_axis(ndarray::Axis(axis));
            let spread = 6.0 * expected.sqrt();
            assert!(counts.iter().all(|c| (c - expected).abs() < spread + 3.0));
        }
    }

    #[test]
    fn a_density_of_one_fills_the_matrix_and_streams_differ() {
        let full = SparseProjection::new(7, 3, Some(1.0), 1, 0).unwrap();
        assert_eq!(full.entries.len(), 21);
        let other = SparseProjection::new(7, 3, Some(1.0), 1, 1).unwrap();
        assert_ne!(full, other);
        for (n_features, n_components) in [(3, 0), (3, 4), (0, 1)] {
            assert!(SparseProjection::new(n_features, n_components, None, 0, 0).is_err());
        }
        assert!(SparseProjection::new(3, 2, Some(0.0), 0, 0).is_err());
    }

    /// What the lemma promises: with the dimension it names, every distance is kept within ε.
    #[test]
    fn distances_are_kept_within_epsilon() {
        let (n, p, eps) = (30, 6000, 0.3);
        let k = johnson_lindenstrauss_min_dim(n, eps).unwrap();
        let rows = normals(n, p, 5);
        for seed in 0..5 {
            let projection = SparseProjection::new(p, k, None, seed, 0).unwrap();
            let projected = projection.project(rows.view());
            let squared = |x: &Array2<f32>, i: usize, j: usize| -> f64 {
                let pairs = x.row(i).to_vec().into_iter().zip(x.row(j).to_vec());
                pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum()
            };
            let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
            let ratios: Vec<f64> = pairs
                .map(|(i, j)| squared(&projected, i, j) / squared(&rows, i, j))
                .collect();
            // The lemma speaks of probabilities: of the 435 pairs a few may lie outside.
            let kept = 1.0 - eps..1.0 + eps;
            let n_outside = ratios.iter().filter(|ratio| !kept.contains(ratio)).count();
            assert!(n_outside <= 4, "{n_outside} of {}", ratios.len());
            let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
            assert!((mean - 1.0).abs() < 0.05, "{mean}");
        }
    }

    proptest! {
        #[test]
        fn projecting_is_the_product_with_the_dense_matrix(
            (p, k) in (2_usize..60).prop_flat_map(|p| (Just(p), 1..=p)),
            n in 1_usize..4,
            seed in 0_u64..1000,
        ) {
            let projection = SparseProjection::new(p, k, Some(0.4), seed, 2).unwrap();
            let rows = normals(n, p, seed);
            let found = projection.project(rows.view());
            let expected = rows.mapv(f64::from).dot(&dense(&projection).t());
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((f64::from(*a) - b).abs() < 1e-5 * (1.0 + b.abs()));
            }
        }
    }
}
