//! What an Object2Brain analysis of a layer gives.

use consilience_methods::objects::{
    CategoryImportance, ModelEffect, NoEffect, NoRandomTest, ObjectImportance, ObjectsError,
    RandomFilterTest, SelectedFilters, Spread,
};
use ndarray::Array2;

/// Outcome for one layer.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerOutcome {
    /// Filters of the layer.
    pub n_filters: usize,
    /// Ratings of the intact networks, `(n_runs, n_stimuli)`.
    pub intact: Array2<f64>,
    /// Categories in the given order.
    pub categories: Vec<CategoryOutcome>,
    /// Importance of each object of each stimulus in each run's map of the whole layer, `[run][stimulus][object]`.
    pub boxes: Vec<Vec<Vec<ObjectImportance>>>,
}

/// Outcome for one category of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryOutcome {
    /// Name.
    pub name: String,
    /// Filters that each run selected; or that the category is in too few pictures.
    pub filters: Result<Vec<SelectedFilters>, ObjectsError>,
    /// Effects of switching them off, `(n_subsets, n_targets)`.
    pub effects: Array2<CategoryEffect>,
    /// Importance over the stimuli of what boxes get from the map of the whole layer, averaged over the runs (`EmoCAM`).
    pub importance: CategoryImportance,
}

impl CategoryOutcome {
    /// Mean number of selected filters over the runs; 0 for a category in too few pictures.
    #[must_use]
    pub fn mean_n_filters(&self) -> f64 {
        match &self.filters {
            Ok(runs) if !runs.is_empty() => {
                let n: usize = runs.iter().map(|run| run.filters.len()).sum();
                n as f64 / runs.len() as f64
            }
            _ => 0.0,
        }
    }
}

/// Why a run has no effect of a lesion.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoLesion {
    /// No filter was selected.
    #[error("no filter is sensitive to the category, so there is no lesion; lower the threshold")]
    NoFilter,
    /// Nothing that the rating could follow is left.
    #[error(
        "the {n_filters} selected filters are all that the rating follows, so a constant is left; raise the threshold"
    )]
    NothingLeft {
        /// Selected filters.
        n_filters: usize,
    },
    /// The category is in too few pictures.
    #[error(transparent)]
    Rare(ObjectsError),
    /// A correlation is undefined.
    #[error(transparent)]
    Effect(NoEffect),
}

/// Why an effect was not compared with those of random filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoTest {
    /// Nobody asked.
    #[error("no sets of random filters were asked for")]
    NotAsked,
    /// Fewer other filters than selected ones.
    #[error(
        "{n_selected} of {n_filters} filters are selected by some run, which leaves fewer to draw as many from; raise the threshold, or draw from all filters"
    )]
    TooFewOthers {
        /// Filters that any run selected.
        n_selected: usize,
        /// Filters of the layer.
        n_filters: usize,
    },
    /// Undefined effects.
    #[error(transparent)]
    Undefined(#[from] NoRandomTest),
}

/// What switching a category's filters off does to the correlation with one target over one subset.
#[derive(Debug, Clone, PartialEq)]
pub struct CategoryEffect {
    /// Of each run, or why there is none.
    pub runs: Vec<Result<ModelEffect, NoLesion>>,
    /// Correlations of the intact networks; as the next two over the runs that have an effect, `None` if none has.
    pub r: Option<Spread>,
    /// Correlations without the filters.
    pub r_lesioned: Option<Spread>,
    /// Effects: below 0 when the correlation falls without the filters.
    pub delta: Option<Spread>,
    /// The mean effect over these runs against that of random filters.
    pub test: Result<RandomFilterTest, NoTest>,
    /// Two-sided p of the mean effect when the stimuli of the target are permuted within the subset: whether it could be had of a target that has
    /// nothing to do with the stimuli. `None` without an effect or permutations.
    pub p_target: Option<f64>,
}

impl CategoryEffect {
    /// What is undefined and why, each reason once; `None` when all runs have an effect and the effect a test, or no test was asked for.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        let mut reasons: Vec<(String, usize)> = Vec::new();
        for reason in self.runs.iter().filter_map(|run| run.as_ref().err()) {
            let reason = reason.to_string();
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, n)) => *n += 1,
                None => reasons.push((reason, 1)),
            }
        }
        let n_runs = self.runs.len();
        let of_runs = reasons.into_iter().map(|(reason, n)| match n {
            n if n == n_runs => reason,
            n => format!("{n} of {n_runs} runs: {reason}"),
        });
        let of_test = match &self.test {
            Err(NoTest::NotAsked | NoTest::Undefined(NoRandomTest::UndefinedEffect)) | Ok(_) => {
                None
            }
            Err(reason) => Some(reason.to_string()),
        };
        let all: Vec<String> = of_runs.chain(of_test).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}
