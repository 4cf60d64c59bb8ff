//! What tests over subjects find.

/// Outcome of [`group_tests`](super::group_tests).
#[derive(Debug, Clone, PartialEq)]
pub struct GroupTests {
    /// Each model against chance.
    pub models: Vec<GroupTest>,
    /// Each two models, in the order (0, 1), (0, 2), …, (1, 2), ….
    pub pairs: Vec<PairTest>,
    /// Sign flips of each such test; 0 when none was asked for.
    pub n_flips: usize,
    /// Whether they are all there are, so that their p is exact.
    pub all_flips: bool,
    /// What could not be computed, why, and what to do about it.
    pub notes: Vec<String>,
}

/// Two models compared.
#[derive(Debug, Clone, PartialEq)]
pub struct PairTest {
    /// 0-based models.
    pub models: [usize; 2],
    /// Tests of the differences of their scores, first minus second.
    pub test: GroupTest,
}

/// Tests of the scores of a model, or of the differences between two. What is undefined is `None`, and the notes say
/// why.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupTest {
    /// Subjects that took part.
    pub n: usize,
    /// Subjects that were left out because a score is NaN.
    pub n_omitted: usize,
    /// Mean score, or mean difference.
    pub mean: Option<f64>,
    /// Student's test with effect size and Bayes factor.
    pub student: Option<StudentTest>,
    /// Wilcoxon's test.
    pub signed_rank: Option<SignedRankTest>,
    /// Test by sign flips.
    pub sign_flip: Option<SignFlipTest>,
}

/// Student's test of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StudentTest {
    /// Standard deviation over subjects (n − 1).
    pub sd: f64,
    /// 95 % interval of the mean, two-sided whatever the alternative.
    pub interval: [f64; 2],
    /// t.
    pub t: f64,
    /// Degrees of freedom.
    pub dof: f64,
    /// p under the alternative.
    pub p: f64,
    /// The same, corrected over models or pairs.
    pub p_corrected: Option<f64>,
    /// Cohen's d (d_z for differences): the mean less chance over the standard deviation.
    pub cohens_d: f64,
    /// 95 % interval of the effect that d estimates.
    pub d_interval: [f64; 2],
    /// Hedges' g: d without its bias; `None` for two subjects, where d has no expectation.
    pub hedges_g: Option<f64>,
    /// Natural logarithm of the Bayes factor of the alternative over no effect.
    pub ln_bayes_factor: f64,
    /// The Bayes factor itself; `None` where it exceeds the largest number.
    pub bayes_factor: Option<f64>,
}

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRankTest {
    /// Subjects that differ from chance, or between the models; the others have no sign.
    pub n_used: usize,
    /// Sum of the ranks of positive differences.
    pub w_plus: f64,
    /// p under the alternative.
    pub p: f64,
    /// The same, corrected over models or pairs.
    pub p_corrected: Option<f64>,
    /// Whether p comes from the exact distribution, not from its normal approximation.
    pub exact: bool,
    /// Rank-biserial correlation: the share of ranks that are positive minus that of negative ones, −1 … 1.
    pub rank_biserial: f64,
}

/// Test by flipping the signs of subjects' differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlipTest {
    /// p under the alternative.
    pub p: f64,
    /// The same, corrected over models or pairs.
    pub p_corrected: Option<f64>,
    /// Family-wise p by the largest statistic over models or pairs of each flip.
    pub p_fwe: f64,
}
