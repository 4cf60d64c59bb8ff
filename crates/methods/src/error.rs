//! What can be wrong with the input of a method.

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, MethodsError>;

/// Input that a method refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodsError {
    /// A name that is not among those of an option.
    #[error(
        "unknown {what} {name:?}{}; expected one of: {}",
        suggestion(*nearest),
        known.join(", ")
    )]
    UnknownName {
        /// The option, e.g. `"dissimilarity"`.
        what: &'static str,
        /// What was given.
        name: String,
        /// The known name that looks most like it, if any does.
        nearest: Option<&'static str>,
        /// Every known name.
        known: Vec<&'static str>,
    },
    /// Two things that must agree in size do not.
    #[error("{what}: expected {expected}, found {found}")]
    ShapeMismatch {
        /// What was counted.
        what: &'static str,
        /// The count that was needed.
        expected: usize,
        /// The count that was given.
        found: usize,
    },
    /// Fewer of something than the method can work with.
    #[error("{what}: found {found}, expected at least {needed}")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// The smallest count that works.
        needed: usize,
        /// The count that was given.
        found: usize,
    },
    /// More conditions than RDMs can be compared of.
    #[error(
        "the RDMs are of {found} conditions, expected at most {limit}; average or leave out conditions"
    )]
    TooManyConditions {
        /// The count that was given.
        found: usize,
        /// The largest count that works.
        limit: usize,
    },
    /// A NaN or an infinity where none is allowed.
    #[error("{what} has {value} at row {row}, column {column} (counted from 0); {cure}")]
    NonFinite {
        /// Which array.
        what: &'static str,
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// The value there.
        value: f64,
        /// What to do about it.
        cure: &'static str,
    },
    /// A pattern for which the dissimilarity has no value.
    #[error("{dissimilarity} is undefined for {pattern}: {why}; {cure}")]
    UndefinedPattern {
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
        /// Which pattern.
        pattern: PatternId,
        /// Why it has no value.
        why: &'static str,
        /// What to do about it.
        cure: &'static str,
    },
    /// Two patterns that, once missing values are left out, have no dissimilarity.
    #[error(
        "{dissimilarity} is undefined for {first} with {second} over the {n_common} channels that are present in both: {why}; leave one of them out or fill its missing values"
    )]
    UndefinedPair {
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
        /// One pattern.
        first: PatternId,
        /// The other.
        second: PatternId,
        /// Channels that both have.
        n_common: usize,
        /// Why the dissimilarity has no value.
        why: &'static str,
    },
    /// A dissimilarity that is too large for `f64`.
    #[error(
        "{dissimilarity} of {first} and {second} is too large for a 64-bit number; give the patterns in a larger unit"
    )]
    OutOfRange {
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
        /// One pattern.
        first: PatternId,
        /// The other.
        second: PatternId,
    },
    /// An option that the chosen dissimilarity does not work without.
    #[error("{dissimilarity} needs {option}; {cure}")]
    MissingOption {
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
        /// What is missing.
        option: &'static str,
        /// What to do about it.
        cure: &'static str,
    },
    /// An option that has no meaning for the chosen dissimilarity.
    #[error(
        "{option} has no meaning for the dissimilarity {dissimilarity}; leave it out or choose {instead}"
    )]
    UnusedOption {
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
        /// What was given in vain.
        option: &'static str,
        /// The dissimilarities that use it.
        instead: &'static str,
    },
    /// A condition that a run does not hold.
    #[error(
        "condition {condition} does not occur in run {run}; cross-validation needs every condition in every run: leave out the condition or the run"
    )]
    ConditionMissingInRun {
        /// Label of the condition.
        condition: i64,
        /// Label of the run.
        run: i64,
    },
    /// Two conditions that no two runs have in common.
    #[error(
        "conditions {first} and {second} {found}; cross-validation needs at least 2 runs for each pair: leave out one of them"
    )]
    NoCommonRuns {
        /// Label of one condition.
        first: i64,
        /// Label of the other.
        second: i64,
        /// What they have, as a verb phrase.
        found: &'static str,
    },
    /// A channel without variance.
    #[error(
        "channel {channel} (counted from 0) does not vary, so its noise has no covariance with others; leave it out, or take the estimate shrink-identity"
    )]
    ConstantChannel {
        /// 0-based channel.
        channel: usize,
    },
    /// A covariance without an inverse.
    #[error(
        "the noise covariance of {n_channels} channels has rank {rank} and no inverse; give more rows than channels, or shrink it (shrink-diagonal, shrink-identity)"
    )]
    SingularCovariance {
        /// Channels.
        n_channels: usize,
        /// Directions with variance.
        rank: usize,
    },
    /// A condition without a direction from the centre of a circumplex.
    #[error(
        "condition {condition} (counted from 0) lies at the centre of the circumplex and has no direction from it; leave it out, or give the centre"
    )]
    NoDirection {
        /// 0-based condition.
        condition: usize,
    },
    /// A noise precision matrix that is not symmetric.
    #[error(
        "the noise precision is not symmetric: {upper} at row {row}, column {column}, but {lower} mirrored; give the inverse of a covariance matrix"
    )]
    NotSymmetric {
        /// 0-based row.
        row: usize,
        /// 0-based column.
        column: usize,
        /// Entry at (row, column).
        upper: f64,
        /// Entry at (column, row).
        lower: f64,
    },
    /// A count or rate below what the Poisson model can hold.
    #[error(
        "poisson-kl is undefined for {pattern}: {value} in channel {column} (counted from 0), expected no mean count below 0; give spike counts or firing rates"
    )]
    NegativeRate {
        /// Which pattern.
        pattern: PatternId,
        /// 0-based channel.
        column: usize,
        /// The (mean) rate there.
        value: f64,
    },
    /// Two sets of RDMs over different numbers of pairs.
    #[error(
        "{first} has {n_first} pairs of conditions, {second} has {n_second}; expected RDMs over the same conditions in the same order"
    )]
    PairsMismatch {
        /// One set.
        first: &'static str,
        /// Its number of pairs.
        n_first: usize,
        /// The other set.
        second: &'static str,
        /// Its number of pairs.
        n_second: usize,
    },
    /// An RDM that has no similarity with any other.
    #[error(
        "{similarity} is undefined for RDM {row} (counted from 0) of {what}: {why}; leave it out"
    )]
    UndefinedRdm {
        /// Name of the similarity.
        similarity: &'static str,
        /// Which set of RDMs.
        what: &'static str,
        /// 0-based RDM.
        row: usize,
        /// Why it has no similarity.
        why: &'static str,
    },
    /// Missing pairs under a similarity that needs all of them.
    #[error(
        "{similarity} needs every pair of conditions, but {n_omitted} are NaN; choose another similarity or leave out the conditions concerned"
    )]
    IncompleteRdms {
        /// Name of the similarity.
        similarity: &'static str,
        /// Pairs that are missing.
        n_omitted: usize,
    },
    /// A dissimilarity that another toolbox cannot be followed in.
    #[error(
        "{peer} has no {dissimilarity}, or defines it in a way that is not reproduced; leave out the toolbox or choose another dissimilarity"
    )]
    NotInPeer {
        /// Name of the toolbox.
        peer: &'static str,
        /// Name of the dissimilarity.
        dissimilarity: &'static str,
    },
    /// A toolbox whose inference is not reproduced.
    #[error(
        "the inference of {peer} is not reproduced; leave out the toolbox, or choose rsatoolbox"
    )]
    NoInferenceInPeer {
        /// Name of the toolbox.
        peer: &'static str,
    },
    /// A similarity that cannot do without pairs that folds of conditions lack.
    #[error(
        "{similarity} needs every pair of conditions, which folds of conditions do not have; choose another similarity or 1 fold of the conditions"
    )]
    IncompleteFolds {
        /// Name of the similarity.
        similarity: &'static str,
    },
    /// Cross-validation without a single usable division.
    #[error(
        "{similarity} is undefined in some fold of every division into {n_subject_folds} folds of the subjects and {n_condition_folds} of the conditions: some RDM is constant on the conditions of a fold, or subjects cancel each other; ask for fewer folds"
    )]
    UndefinedFolds {
        /// Name of the similarity.
        similarity: &'static str,
        /// Folds of the subjects.
        n_subject_folds: usize,
        /// Folds of the conditions.
        n_condition_folds: usize,
    },
    /// A model that adds nothing to the others.
    #[error(
        "model RDM {model} (counted from 0) is a weighted sum of the others (and a constant), so its weight is undefined; leave it out"
    )]
    Collinear {
        /// 0-based model.
        model: usize,
    },
    /// Canonical correlations that say nothing of the patterns.
    #[error(
        "{n_forced} of {n_correlations} canonical correlations are 1 whatever the patterns: {} and {} components of {n_stimuli} stimuli; give more stimuli, or keep less variance (svcca)",
        n_components[0], n_components[1]
    )]
    ForcedCorrelations {
        /// Correlations that are 1 by necessity.
        n_forced: usize,
        /// Correlations in all.
        n_correlations: usize,
        /// Components of either set.
        n_components: [usize; 2],
        /// Stimuli.
        n_stimuli: usize,
    },
    /// A covariance of patterns that is none.
    #[error("the covariance of patterns {why}; give a symmetric, positive definite one")]
    SingularPatterns {
        /// What is wrong, as a verb phrase.
        why: &'static str,
    },
    /// No pair of conditions is present in all RDMs.
    #[error(
        "each of the {n_pairs} pairs of conditions is NaN in some RDM, so nothing is left to compare; leave out the RDMs that miss most"
    )]
    NoCommonPairs {
        /// Pairs in all.
        n_pairs: usize,
    },
    /// A noise ceiling of a single subject.
    #[error(
        "the noise ceiling is undefined for {n_subjects} subject RDM: it measures how well subjects predict each other; give at least 2"
    )]
    NoCeiling {
        /// Subject RDMs that were given.
        n_subjects: usize,
    },
    /// Subject RDMs whose pool is constant, so that nothing can be compared with it.
    #[error(
        "the noise ceiling is undefined: the subjects' RDMs cancel each other, so {similarity} with their pool has no value; check that they hold the same conditions in the same order"
    )]
    UndefinedPool {
        /// Name of the similarity.
        similarity: &'static str,
    },
    /// An encoding model that cannot be fitted.
    #[error(transparent)]
    Encoding(#[from] crate::encoding::EncodingError),
    /// A statistic of behaviour that is undefined.
    #[error(transparent)]
    Behaviour(#[from] crate::behaviour::BehaviourError),
    /// A mixed model that is undefined.
    #[error(transparent)]
    Mixed(#[from] crate::group::MixedError),
    /// A reliability that is undefined.
    #[error(transparent)]
    Reliability(#[from] crate::reliability::ReliabilityError),
    /// Objects, filters or lesions that cannot be analysed.
    #[error(transparent)]
    Objects(#[from] crate::objects::ObjectsError),
    /// Ratings that cannot be predicted or compared.
    #[error(transparent)]
    Appraisal(#[from] crate::appraisal::AppraisalError),
    /// Ratings, bins or units of emotion that cannot be analysed.
    #[error(transparent)]
    Emotion(#[from] crate::emotion::EmotionError),
    /// A run whose trials cannot be told apart.
    #[error(transparent)]
    SingleTrial(#[from] crate::single_trial::SingleTrialError),
    /// An option outside its range.
    #[error("{option} is {value}, expected {expected}")]
    OptionOutOfRange {
        /// The option, in words.
        option: &'static str,
        /// What was given.
        value: f64,
        /// What it has to be.
        expected: &'static str,
    },
    /// Pairs of items that were never arranged together.
    #[error(
        "{n_unseen} of {n_pairs} pairs of items are in no trial together: {}{}; arrange them, leave out their items, or ask for missing pairs to be omitted",
        first.iter().map(|(a, b)| format!("{a:?} with {b:?}")).collect::<Vec<_>>().join(", "),
        if *n_unseen > first.len() { " …" } else { "" }
    )]
    UnseenPairs {
        /// Pairs without a trial.
        n_unseen: usize,
        /// Pairs in all.
        n_pairs: usize,
        /// Names of the first of them.
        first: Vec<(String, String)>,
    },
    /// More pairs than memory is meant for.
    #[error(
        "the trials and the RDM hold {found} pairs of items, which is over the limit of {limit} (16 bytes each); fit fewer items, or raise `max_pairs`"
    )]
    TooManyPairs {
        /// Pairs of all trials and of the RDM.
        found: usize,
        /// What is allowed.
        limit: usize,
    },
    /// A vector that is not an RDM.
    #[error(transparent)]
    Rdm(#[from] consilience_core::CoreError),
}

/// Names one pattern in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternId {
    /// A row of the patterns, 0-based.
    Row(usize),
    /// A condition, the mean of its repetitions.
    Condition {
        /// Its label.
        label: i64,
        /// The first row that carries the label, 0-based.
        first_row: usize,
    },
}

impl fmt::Display for PatternId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(row) => write!(f, "row {row} (counted from 0)"),
            Self::Condition { label, first_row } => {
                write!(
                    f,
                    "condition {label} (first in row {first_row}, counted from 0)"
                )
            }
        }
    }
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(", did you mean {name:?}?"))
}

/// That there are as many as are needed.
pub(crate) fn at_least(what: &'static str, needed: usize, found: usize) -> Result<()> {
    if found >= needed {
        return Ok(());
    }
    Err(MethodsError::TooFew {
        what,
        needed,
        found,
    })
}

/// That two numbers of the same thing agree.
pub(crate) fn same_count(what: &'static str, expected: usize, found: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(MethodsError::ShapeMismatch {
        what,
        expected,
        found,
    })
}
