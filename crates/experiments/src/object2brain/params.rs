//! Options of an Object2Brain analysis.

use std::fmt;
use std::str::FromStr;

use consilience_methods::MethodsError;
use consilience_methods::behaviour::CorrelationKind;
use consilience_methods::objects::{RandomFilterParams, SelectParams, SensitivityParams};

use crate::names::parse;
use crate::{ExperimentError, Result};

/// What becomes of the positions of a layer before the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// Their mean: a weight for each filter.
    #[default]
    Mean,
    /// All are kept, channel by channel, row by row: a weight for each position of each filter.
    Flat,
}

/// What a lesion leaves of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LesionWith {
    /// Zeros.
    #[default]
    Zero,
    /// At each position its mean over all stimuli.
    Mean,
}

/// In which network filters are looked at and switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LesionedNetwork {
    /// The network that ends at the layer, with heads of its own: [`CutScan`](super::CutScan).
    #[default]
    Cut,
    /// The whole network, whose heads are at its end: [`WholeScan`](super::WholeScan).
    Whole,
}

impl LesionedNetwork {
    const NAMES: [(&'static str, Self); 2] = [("cut", Self::Cut), ("whole", Self::Whole)];
}

impl fmt::Display for LesionedNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(*self, &Self::NAMES))
    }
}

impl FromStr for LesionedNetwork {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        parse("network", name, &Self::NAMES)
    }
}

impl Pool {
    const NAMES: [(&'static str, Self); 2] = [("mean", Self::Mean), ("none", Self::Flat)];
}

impl LesionWith {
    const NAMES: [(&'static str, Self); 2] = [("zero", Self::Zero), ("mean", Self::Mean)];
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(*self, &Self::NAMES))
    }
}

impl FromStr for Pool {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        parse("pooling before the head", name, &Self::NAMES)
    }
}

impl fmt::Display for LesionWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(name_of(*self, &Self::NAMES))
    }
}

impl FromStr for LesionWith {
    type Err = ExperimentError;

    fn from_str(name: &str) -> Result<Self> {
        parse("lesion", name, &Self::NAMES)
    }
}

fn name_of<T: PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    let named = names.iter().find(|(_, named)| *named == value);
    named.map_or("", |&(name, _)| name)
}

/// Options of [`CutScan`](super::CutScan) and [`WholeScan`](super::WholeScan).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object2BrainParams {
    /// How maps of filters are read, and the least score of a box, which importance shares (default: positive, min-max over each
    /// filter, mean in the box, the largest box; score 0).
    pub sensitivity: SensitivityParams,
    /// Measure sensitivity on other pictures than the stimuli, which are added by `add_elsewhere` (default: no).
    pub elsewhere: bool,
    /// Which filters are sensitive (default: any class above 0.3).
    pub select: SelectParams,
    /// What a lesion leaves (default: zeros).
    pub lesion: LesionWith,
    /// Which correlation (default: Pearson).
    pub correlation: CorrelationKind,
    /// Sets of random filters that each lesion is compared with (default 1000; 0 for none).
    pub random_sets: usize,
    /// Draw them only from filters that no run selected (default: no, see [`random_filters`](consilience_methods::objects::random_filters)).
    pub only_others: bool,
    /// How a lesion is tested against them (default: two-sided, uncorrected).
    pub test: RandomFilterParams,
    /// Permutations of each target's stimuli (default 1000; 0 for none).
    pub permutations: usize,
    /// Seed of the random sets and permutations (default 1).
    pub seed: u64,
}

impl Default for Object2BrainParams {
    fn default() -> Self {
        Self {
            sensitivity: SensitivityParams::default(),
            elsewhere: false,
            select: SelectParams::default(),
            lesion: LesionWith::default(),
            correlation: CorrelationKind::default(),
            random_sets: 1000,
            only_others: false,
            test: RandomFilterParams::default(),
            permutations: 1000,
            seed: 1,
        }
    }
}

impl Object2BrainParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError`] for an option outside its range or options that exclude each other.
    pub fn validate(&self) -> Result<()> {
        self.sensitivity.map.validate()?;
        self.select.validate()?;
        let score = self.sensitivity.min_score;
        if score.is_finite() {
            return Ok(());
        }
        Err(MethodsError::OptionOutOfRange {
            option: "the least score",
            value: score,
            expected: "a finite number",
        }
        .into())
    }
}
