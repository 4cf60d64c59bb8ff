//! Effects of switching the filters of categories off, and of random filters in their place.

use consilience_methods::objects::{
    LesionEffect, ModelEffect, NoRandomTest, ObjectsError, SelectedFilters, Spread, lesion_effect,
    random_filter_tests,
};
use ndarray::{Array2, ArrayView2, aview1};
use rayon::prelude::*;

use super::correlate::Correlator;
use super::random::{RandomFilters, TooFewOthers};
use super::{CategoryEffect, NoLesion, NoTest, Object2BrainParams, ObjectInputs};
use crate::Result;

/// Ratings of a run without some filters (ascending); `None` when nothing is left that they could follow.
pub(super) type Lesion<'a> = dyn Fn(usize, &[usize]) -> Result<Option<Vec<f64>>> + Sync + 'a;

/// Filters of a category in each run, or why there are none.
pub(super) type Selected = std::result::Result<Vec<SelectedFilters>, ObjectsError>;

/// Effects for each category, `(n_subsets, n_targets)`.
pub(super) fn effects(
    inputs: &ObjectInputs<'_>,
    params: &Object2BrainParams,
    n_filters: usize,
    intact: ArrayView2<'_, f64>,
    selected: &[Selected],
    lesioned: &Lesion<'_>,
) -> Result<Vec<Array2<CategoryEffect>>> {
    let correlator = Correlator::new(inputs, params.correlation);
    let lesions = Lesions {
        inputs,
        params,
        n_filters,
        intact,
        lesioned,
        orders: correlator.orders(params.permutations, params.seed),
        correlator,
    };
    let mut found = Vec::with_capacity(selected.len());
    let (mut deltas, mut random) = (Vec::new(), Vec::new());
    for selected in selected {
        let mut category = lesions.of_filters(selected)?;
        random.extend(lesions.of_random_filters(selected, &mut category)?);
        deltas.extend(category.iter().map(|effect| effect.delta.map(|d| d.mean)));
        found.push(category);
    }
    if params.random_sets == 0 || deltas.is_empty() {
        return Ok(found);
    }
    let shape = (deltas.len(), params.random_sets);
    let random = Array2::from_shape_vec(shape, random).expect("a row for each effect");
    let tests = random_filter_tests(&deltas, random.view(), &params.test)?;
    let effects = found.iter_mut().flat_map(|category| category.iter_mut());
    for (effect, test) in effects.zip(tests) {
        // That nothing could be drawn says more than that there is nothing to compare with.
        if !matches!(effect.test, Err(NoTest::TooFewOthers { .. })) {
            effect.test = test.map_err(NoTest::Undefined);
        }
    }
    Ok(found)
}

struct Lesions<'a, 'b> {
    inputs: &'a ObjectInputs<'b>,
    params: &'a Object2BrainParams,
    n_filters: usize,
    intact: ArrayView2<'a, f64>,
    lesioned: &'a Lesion<'a>,
    correlator: Correlator,
    /// Permutations of the stimuli of each subset.
    orders: Vec<Vec<Vec<usize>>>,
}

impl Lesions<'_, '_> {
    /// Effects of one category's filters, yet untested.
    fn of_filters(&self, selected: &Selected) -> Result<Array2<CategoryEffect>> {
        let mut ratings = self.intact.to_owned();
        let mut missing = Vec::with_capacity(self.intact.nrows());
        for (run, mut row) in ratings.rows_mut().into_iter().enumerate() {
            let rated = self.ratings(run, selected)?;
            missing.push(rated.as_ref().err().cloned());
            if let Ok(rated) = rated {
                row.assign(&aview1(&rated));
            }
        }
        let (targets, subsets) = (self.inputs.targets, self.inputs.subsets);
        let kind = self.params.correlation;
        let found = lesion_effect(self.intact, ratings.view(), targets, subsets, kind)?;
        let untested = match self.params.random_sets {
            0 => NoTest::NotAsked,
            _ => NoTest::Undefined(NoRandomTest::UndefinedEffect),
        };
        let mut found = found.map(|effect| category_effect(effect, &missing, untested));
        for ((subset, target), effect) in found.indexed_iter_mut() {
            let runs = effect
                .runs
                .iter()
                .enumerate()
                .filter(|(_, run)| run.is_ok());
            let pairs: Vec<_> = runs
                .map(|(run, _)| [ratings.row(run), self.intact.row(run)])
                .collect();
            let at = [subset, target];
            effect.p_target = self.correlator.p_of_difference(at, &pairs, &self.orders);
        }
        Ok(found)
    }

    fn ratings(
        &self,
        run: usize,
        selected: &Selected,
    ) -> Result<std::result::Result<Vec<f64>, NoLesion>> {
        let filters = match selected {
            Ok(runs) => &runs[run].filters,
            Err(rare) => return Ok(Err(NoLesion::Rare(rare.clone()))),
        };
        let nothing_left = NoLesion::NothingLeft {
            n_filters: filters.len(),
        };
        match filters.len() {
            0 => Ok(Err(NoLesion::NoFilter)),
            n if n == self.n_filters => Ok(Err(nothing_left)),
            _ => Ok((self.lesioned)(run, filters)?.ok_or(nothing_left)),
        }
    }

    /// Effects of random filters: a row of sets for each effect of the category.
    fn of_random_filters(
        &self,
        selected: &Selected,
        category: &mut Array2<CategoryEffect>,
    ) -> Result<Vec<Option<f64>>> {
        let n_sets = self.params.random_sets;
        let (n_cells, n_runs) = (category.len(), self.intact.nrows());
        let mut rows = vec![None; n_cells * n_sets];
        let has_effect = |run: usize| category.iter().any(|effect| effect.runs[run].is_ok());
        let filters: Vec<&[usize]> = match selected {
            Ok(runs) => (0..n_runs)
                .map(|run| {
                    if has_effect(run) {
                        runs[run].filters.as_slice()
                    } else {
                        &[]
                    }
                })
                .collect(),
            Err(_) => Vec::new(),
        };
        if n_sets == 0 || filters.iter().all(|filters| filters.is_empty()) {
            return Ok(rows);
        }
        let params = self.params;
        let random = RandomFilters::new(&filters, self.n_filters, params.only_others, params.seed);
        let random = match random {
            Ok(random) => random,
            Err(TooFewOthers { n_selected }) => {
                let n_filters = self.n_filters;
                for effect in category.iter_mut().filter(|effect| effect.delta.is_some()) {
                    effect.test = Err(NoTest::TooFewOthers {
                        n_selected,
                        n_filters,
                    });
                }
                return Ok(rows);
            }
        };
        let effects: Vec<&CategoryEffect> = category.iter().collect();
        let of_sets: Vec<Vec<Option<f64>>> = (0..n_sets)
            .into_par_iter()
            .map(|set| self.of_set(&random.set(set, &filters), &effects))
            .collect::<Vec<_>>()
            .into_iter()
            .collect::<Result<_>>()?;
        for (set, of_set) in of_sets.into_iter().enumerate() {
            for (cell, delta) in of_set.into_iter().enumerate() {
                rows[cell * n_sets + set] = delta;
            }
        }
        Ok(rows)
    }

    /// For each effect, the mean over the runs that it is of; `None` when one of them has no effect without the random filters.
    fn of_set(
        &self,
        filters: &[Vec<usize>],
        effects: &[&CategoryEffect],
    ) -> Result<Vec<Option<f64>>> {
        let correlations = |(run, filters): (usize, &Vec<usize>)| {
            if filters.is_empty() {
                return Ok(None);
            }
            let ratings = (self.lesioned)(run, filters)?;
            Ok(ratings.map(|ratings| self.correlator.correlations(&ratings)))
        };
        let runs: Vec<Option<Vec<Option<f64>>>> = filters
            .iter()
            .enumerate()
            .map(correlations)
            .collect::<Result<_>>()?;
        let of_effect = |(cell, effect): (usize, &&CategoryEffect)| {
            let intact = effect.runs.iter().enumerate();
            let deltas: Vec<f64> = intact
                .filter_map(|(run, intact)| Some((run, intact.as_ref().ok()?.r)))
                .map(|(run, r)| Some(runs[run].as_ref()?[cell]? - r))
                .collect::<Option<_>>()?;
            Spread::of(&deltas).map(|spread| spread.mean)
        };
        Ok(effects.iter().enumerate().map(of_effect).collect())
    }
}

/// The effect over the runs that have a lesion; `missing` says why the others have none.
fn category_effect(
    effect: &LesionEffect,
    missing: &[Option<NoLesion>],
    untested: NoTest,
) -> CategoryEffect {
    let of_run = |(found, missing): (&std::result::Result<_, _>, &Option<NoLesion>)| match missing {
        Some(reason) => Err(reason.clone()),
        None => (*found).map_err(NoLesion::Effect),
    };
    let runs: Vec<std::result::Result<ModelEffect, NoLesion>> =
        effect.models.iter().zip(missing).map(of_run).collect();
    let over = |part: fn(&ModelEffect) -> f64| {
        let values: Vec<f64> = runs.iter().flatten().map(part).collect();
        Spread::of(&values)
    };
    CategoryEffect {
        r: over(|run| run.r),
        r_lesioned: over(|run| run.r_lesioned),
        delta: over(|run| run.delta),
        runs,
        test: Err(untested),
        p_target: None,
    }
}
