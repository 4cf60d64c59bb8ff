//! Simulated subjects: brain regions and raters that follow a layer of a network.
//!
//! A simulated region knows nothing but the layer's correlation RDM, so the answer that an
//! analysis should find is known: that layer, at a score set by the number of voxels and by noise.

use consilience_core::pairs;
use ndarray::{Array2, ArrayView2, Axis};

use super::{DemoError, dice::Dice};

/// Streams of one seed that regions and raters draw from; pictures use the numbers below.
const FIRST_SUBJECT_STREAM: u64 = 1 << 32;
const FIRST_RATER_STREAM: u64 = 2 << 32;

/// How a brain region is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectParams {
    /// Number of subjects.
    pub n_subjects: usize,
    /// Number of voxels of the region in each subject.
    pub n_voxels: usize,
    /// Number of runs whose responses are averaged.
    pub n_runs: usize,
    /// Standard deviation of the noise of a run over that of the signal between stimuli.
    pub noise_sd: f64,
    /// Seed; each subject has a stream of its own.
    pub seed: u64,
}

impl Default for SubjectParams {
    /// Eight subjects with 100 voxels and two runs whose noise is 1.5 times as strong as the
    /// signal.
    fn default() -> Self {
        Self {
            n_subjects: 8,
            n_voxels: 100,
            n_runs: 2,
            noise_sd: 1.5,
            seed: 1,
        }
    }
}

/// How dissimilarity judgements are simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct RaterParams {
    /// Number of raters.
    pub n_raters: usize,
    /// Standard deviation of a judgement's noise over that of the dissimilarities.
    pub noise_sd: f64,
    /// Seed; each rater has a stream of its own.
    pub seed: u64,
}

impl Default for RaterParams {
    /// Ten raters whose noise is as strong as the differences between pairs.
    fn default() -> Self {
        Self {
            n_raters: 10,
            noise_sd: 1.0,
            seed: 1,
        }
    }
}

/// RDMs of a brain region whose voxels are random mixtures of a layer's features.
///
/// # Shapes
///
/// `layer_patterns` `(n_stimuli, n_features)` → `(n_subjects, n_pairs)`.
///
/// # Definition
///
/// Let zₛ be the features of stimulus s, centred over features and scaled to length 1, so that
/// zₛ·zₜ = rₛₜ, the Pearson correlation of the patterns. The signal of voxel v is wᵥ·zₛ with
/// weights wᵥ from a standard normal distribution, drawn anew for every voxel and subject. Over
/// stimuli this is a draw from the multivariate normal distribution N(0, R) with R = (rₛₜ), and
/// that is how it is drawn: L·g with L·Lᵀ = R and g standard normal, whatever the number of
/// features. The variance of the signal is σ² = (tr R − 1ᵀR1 / n) / (n − 1), the expected variance
/// over the n stimuli. Each run adds independent noise N(0, (`noise_sd`·σ)²); runs are averaged. An
/// RDM holds 1 − Pearson r over voxels. Without noise it tends to the layer's own correlation RDM
/// as the number of voxels grows.
///
/// # Errors
///
/// [`DemoError::TooFew`] for fewer than 3 stimuli or voxels, or no run or subject;
/// [`DemoError::InvalidNoise`]; [`DemoError::NoPattern`] for a stimulus with equal features.
///
/// # Example
///
/// ```
/// use consilience_study::demo::subjects::{SubjectParams, simulate};
///
/// let patterns = ndarray::array![[0.0, 1.0, 2.0], [2.0, 1.0, 0.5], [0.0, 3.0, 1.0]];
/// let rdms = simulate(patterns.view(), &SubjectParams::default())?;
/// assert_eq!(rdms.dim(), (8, 3));
/// # Ok::<(), consilience_study::demo::DemoError>(())
/// ```
///
/// # References
///
/// Kriegeskorte & Diedrichsen 2016, doi:10.1098/rstb.2016.0278, on random mixtures of features in
/// voxels and what they leave of an RDM.
pub fn simulate(
    layer_patterns: ArrayView2<'_, f32>,
    params: &SubjectParams,
) -> Result<Array2<f64>, DemoError> {
    at_least("subjects", params.n_subjects, 1)?;
    at_least("voxels", params.n_voxels, 3)?;
    at_least("runs", params.n_runs, 1)?;
    valid_noise(params.noise_sd)?;
    let correlations = pattern_correlations(layer_patterns)?;
    let n = correlations.nrows();
    let root = triangular_root(&correlations);
    let variance = (n as f64 - correlations.sum() / n as f64) / (n - 1) as f64;
    // Independent noise of several runs averages to noise of one, weaker by the root of their number.
    let noise = params.noise_sd * (variance.max(0.0) / params.n_runs as f64).sqrt();

    let mut rdms = Array2::zeros((params.n_subjects, pairs::n_pairs(n)));
    for (stream, mut rdm) in (FIRST_SUBJECT_STREAM..).zip(rdms.rows_mut()) {
        let mut dice = Dice::new(params.seed, stream);
        let sources = Array2::from_shape_simple_fn((n, params.n_voxels), || dice.normal());
        let mut voxels = root.dot(&sources);
        voxels.mapv_inplace(|signal| signal + noise * dice.normal());
        let similarities = unit_rows(voxels)?;
        rdm.assign(&dissimilarities(&similarities.dot(&similarities.t())));
    }
    Ok(rdms)
}

/// RDMs of raters who judge the dissimilarity of every pair of stimuli.
///
/// # Shapes
///
/// `layer_patterns` `(n_stimuli, n_features)` → `(n_raters, n_pairs)`.
///
/// # Definition
///
/// max(0, dₛₜ + `noise_sd`·σ·ε), where dₛₜ is 1 − the Pearson correlation of the layer's patterns,
/// σ the standard deviation (ddof 0) of d over pairs and ε standard normal, independent for every
/// pair and rater.
///
/// # Errors
///
/// As [`simulate`], with raters for subjects.
///
/// # Example
///
/// ```
/// use consilience_study::demo::subjects::{RaterParams, simulate_behaviour};
///
/// let patterns = ndarray::array![[0.0, 1.0, 2.0], [2.0, 1.0, 0.5], [0.0, 3.0, 1.0]];
/// let rdms = simulate_behaviour(patterns.view(), &RaterParams::default())?;
/// assert_eq!(rdms.dim(), (10, 3));
/// # Ok::<(), consilience_study::demo::DemoError>(())
/// ```
pub fn simulate_behaviour(
    layer_patterns: ArrayView2<'_, f32>,
    params: &RaterParams,
) -> Result<Array2<f64>, DemoError> {
    at_least("raters", params.n_raters, 1)?;
    valid_noise(params.noise_sd)?;
    let truth = dissimilarities(&pattern_correlations(layer_patterns)?);
    let noise = params.noise_sd * truth.std(0.0);
    let mut rdms = Array2::zeros((params.n_raters, truth.len()));
    for (stream, mut rdm) in (FIRST_RATER_STREAM..).zip(rdms.rows_mut()) {
        let mut dice = Dice::new(params.seed, stream);
        rdm.assign(&truth.mapv(|d| (d + noise * dice.normal()).max(0.0)));
    }
    Ok(rdms)
}

fn at_least(what: &'static str, found: usize, needed: usize) -> Result<(), DemoError> {
    if found < needed {
        return Err(DemoError::TooFew {
            what,
            found,
            needed,
        });
    }
    Ok(())
}

fn valid_noise(found: f64) -> Result<(), DemoError> {
    if !(found.is_finite() && found >= 0.0) {
        return Err(DemoError::InvalidNoise { found });
    }
    Ok(())
}

/// Pearson correlations between all pairs of rows, accumulated in f64.
fn pattern_correlations(patterns: ArrayView2<'_, f32>) -> Result<Array2<f64>, DemoError> {
    at_least("stimuli", patterns.nrows(), 3)?;
    let rows = unit_rows(patterns.mapv(f64::from))?;
    Ok(rows.dot(&rows.t()))
}

/// Rows centred and scaled to length 1.
fn unit_rows(mut rows: Array2<f64>) -> Result<Array2<f64>, DemoError> {
    let n_columns = rows.ncols() as f64;
    for (stimulus_idx, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
        let mean = row.sum() / n_columns;
        row.mapv_inplace(|v| v - mean);
        let length = row.dot(&row).sqrt();
        // Equal values leave rounding errors of the mean, not exact zeros.
        if !length.is_finite() || length <= 1e-12 * mean.abs() || length == 0.0 {
            return Err(DemoError::NoPattern { stimulus_idx });
        }
        row.mapv_inplace(|v| v / length);
    }
    Ok(rows)
}

/// 1 − r for every pair in the order of an RDM vector.
fn dissimilarities(correlations: &Array2<f64>) -> ndarray::Array1<f64> {
    pairs::iter(correlations.nrows())
        .map(|(i, j)| 1.0 - correlations[[i, j]])
        .collect()
}

/// Lower triangular L with L·Lᵀ = `gram`, which may be singular: a layer with fewer features than
/// stimuli has a Gram matrix of low rank. Directions without variance get a column of zeros.
fn triangular_root(gram: &Array2<f64>) -> Array2<f64> {
    let n = gram.nrows();
    let mut root = Array2::<f64>::zeros((n, n));
    for j in 0..n {
        let left = |i: usize, k: usize| root.slice(ndarray::s![i, ..k]);
        let pivot = gram[[j, j]] - left(j, j).dot(&left(j, j));
        if pivot < 1e-10 {
            continue;
        }
        let column: Vec<f64> = (j..n)
            .map(|i| (gram[[i, j]] - left(i, j).dot(&left(j, j))) / pivot.sqrt())
            .collect();
        for (i, value) in (j..n).zip(column) {
            root[[i, j]] = value;
        }
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn layer(n_stimuli: usize, n_features: usize) -> Array2<f32> {
        let mut dice = Dice::new(9, 0);
        Array2::from_shape_simple_fn((n_stimuli, n_features), || dice.normal() as f32)
    }

    #[test]
    fn the_root_reconstructs_full_and_low_rank_matrices() {
        for n_features in [4, 60] {
            let gram = pattern_correlations(layer(12, n_features).view()).unwrap();
            let root = triangular_root(&gram);
            let error = (&root.dot(&root.t()) - &gram).mapv(f64::abs);
            assert!(error.iter().all(|&e| e < 1e-9), "{n_features} features");
        }
    }

    #[test]
    fn many_voxels_without_noise_show_the_layer() {
        let patterns = layer(10, 6);
        let truth = dissimilarities(&pattern_correlations(patterns.view()).unwrap());
        let params = SubjectParams {
            n_subjects: 2,
            n_voxels: 20_000,
            noise_sd: 0.0,
            ..SubjectParams::default()
        };
        for rdm in simulate(patterns.view(), &params).unwrap().rows() {
            for (found, expected) in rdm.iter().zip(&truth) {
                assert!((found - expected).abs() < 0.05, "{found} {expected}");
            }
        }
    }

    #[test]
    fn noise_has_the_strength_that_was_asked_for() {
        // Uncorrelated stimuli all lie at 1; with equal correlation r, signal variance 1 − r and
        // noise variance (1 − r)·s²/2, the expected correlation is r / (1 + (1 − r)·s²/2).
        let mut patterns = Array2::<f32>::zeros((4, 5));
        for i in 0..4 {
            patterns[[i, i]] = 1.0;
            patterns[[i, 4]] = 2.0;
        }
        let r = pattern_correlations(patterns.view()).unwrap()[[0, 1]];
        let params = SubjectParams {
            n_voxels: 40_000,
            n_runs: 2,
            noise_sd: 1.2,
            ..SubjectParams::default()
        };
        let expected = 1.0 - r / (1.0 + (1.0 - r) * 1.44 / 2.0);
        for found in simulate(patterns.view(), &params).unwrap() {
            assert!((found - expected).abs() < 0.02, "{found} {expected}");
        }
    }

    #[test]
    fn judgements_scatter_around_the_layer() {
        let patterns = layer(12, 40);
        let truth = dissimilarities(&pattern_correlations(patterns.view()).unwrap());
        let params = RaterParams {
            n_raters: 4000,
            noise_sd: 0.5,
            seed: 3,
        };
        let rdms = simulate_behaviour(patterns.view(), &params).unwrap();
        let errors = &rdms - &truth;
        assert!(errors.mean().unwrap().abs() < 2e-3);
        let ratio = errors.std(0.0) / truth.std(0.0);
        assert!((ratio - 0.5).abs() < 5e-3, "{ratio}");
    }

    #[test]
    fn seeds_repeat_and_subjects_differ() {
        let patterns = layer(8, 20);
        let params = SubjectParams::default();
        let rdms = simulate(patterns.view(), &params).unwrap();
        assert_eq!(rdms, simulate(patterns.view(), &params).unwrap());
        assert_ne!(rdms.row(0), rdms.row(1));
        let other = SubjectParams {
            seed: 2,
            ..params.clone()
        };
        assert_ne!(rdms, simulate(patterns.view(), &other).unwrap());
        // More subjects leave the first ones as they are.
        let more = SubjectParams {
            n_subjects: 9,
            ..params
        };
        assert_eq!(
            simulate(patterns.view(), &more).unwrap().row(3),
            rdms.row(3)
        );
    }

    #[test]
    fn what_cannot_be_simulated_is_refused() {
        let params = SubjectParams::default();
        let flat = array![[1.0_f32, 2.0], [0.3, 0.3], [2.0, 1.0]];
        assert_eq!(
            simulate(flat.view(), &params),
            Err(DemoError::NoPattern { stimulus_idx: 1 })
        );
        let missing = array![[1.0_f32, 2.0], [0.3, f32::NAN], [2.0, 1.0]];
        assert_eq!(
            simulate_behaviour(missing.view(), &RaterParams::default()),
            Err(DemoError::NoPattern { stimulus_idx: 1 })
        );
        let two = layer(2, 5);
        assert!(matches!(
            simulate(two.view(), &params),
            Err(DemoError::TooFew {
                what: "stimuli",
                found: 2,
                needed: 3
            })
        ));
        let noise = SubjectParams {
            noise_sd: -1.0,
            ..params
        };
        assert!(matches!(
            simulate(layer(4, 5).view(), &noise),
            Err(DemoError::InvalidNoise { .. })
        ));
    }
}
