//! What a mixed model finds.

/// Outcome of [`mixed_model`](super::mixed_model).
#[derive(Debug, Clone, PartialEq)]
pub struct MixedModel {
    /// Each model's mean against chance.
    pub models: Vec<MixedTest>,
    /// Each two models, in the order (0, 1), (0, 2), …, (1, 2), ….
    pub pairs: Vec<MixedPair>,
    /// The slope of each covariate against 0.
    pub covariates: Vec<MixedTest>,
    /// Scores that took part.
    pub n_scores: usize,
    /// Scores that are missing.
    pub n_missing: usize,
    /// Subjects with a score.
    pub n_subjects: usize,
    /// Variance of the subjects' intercepts, σ_b².
    pub subject_variance: f64,
    /// Variance of scores within subjects, σ².
    pub residual_variance: f64,
    /// Intraclass correlation σ_b²/(σ_b² + σ²): how much two scores of a subject have in common.
    pub icc: f64,
    /// Whether the variance of subjects came out as 0, the end of its range.
    pub at_boundary: bool,
    /// Restricted log-likelihood.
    pub ln_likelihood: f64,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Two models compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedPair {
    /// 0-based models.
    pub models: [usize; 2],
    /// The test of the difference of their means, first minus second.
    pub test: MixedTest,
}

/// An estimate with its test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MixedTest {
    /// Mean, difference or slope.
    pub estimate: f64,
    /// Standard error.
    pub sem: f64,
    /// 95 % interval, two-sided whatever the alternative.
    pub interval: [f64; 2],
    /// (estimate − value to test against)/sem.
    pub t: f64,
    /// Degrees of freedom (Satterthwaite).
    pub dof: f64,
    /// p under the alternative.
    pub p: f64,
    /// The same, corrected by Holm over models, over pairs or over covariates.
    pub p_corrected: f64,
}
