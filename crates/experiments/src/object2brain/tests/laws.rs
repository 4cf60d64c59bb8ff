use consilience_methods::objects::{Cut, Scaling};
use proptest::prelude::*;

use super::super::random::RandomFilters;
use super::super::{CutLayer, CutScan, LesionWith, Object2BrainParams, Pool};
use super::{N_STIMULI, SHAPE, Study, few_sets};
use crate::head::HeadOutput;

fn top(n: usize) -> Object2BrainParams {
    let mut params = few_sets();
    params.select.cut = Cut::Top(n);
    params
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let study = Study::new(11, Pool::Flat, HeadOutput::Linear);
    let with = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| study.outcome(few_sets()).unwrap())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn runs_that_are_the_same_give_the_test_of_one() {
    let mut study = Study::new(12, Pool::Mean, HeadOutput::Linear);
    study.runs.truncate(1);
    let one = study.outcome(top(3)).unwrap();
    study.runs = vec![study.runs[0].clone(); 4];
    let four = study.outcome(top(3)).unwrap();
    for (one, four) in one.categories.iter().zip(&four.categories) {
        for (one, four) in one.effects.iter().zip(&four.effects) {
            assert_eq!(four.delta.unwrap().sd.map(|sd| sd < 1e-12), Some(true));
            let (one, four) = (one.test.unwrap(), four.test.unwrap());
            assert_eq!(one.p, four.p);
            assert!((one.sd.unwrap() - four.sd.unwrap()).abs() < 1e-12);
        }
    }
}

#[test]
fn a_larger_head_sees_the_same_objects() {
    let mut study = Study::new(13, Pool::Flat, HeadOutput::Linear);
    let small = study.outcome(few_sets()).unwrap();
    for head in study.runs.iter_mut().flat_map(|run| &mut run.heads) {
        head.weights.iter_mut().for_each(|w| *w *= 4.0);
        head.bias *= 4.0;
    }
    let large = study.outcome(few_sets()).unwrap();
    for (small, large) in small.categories.iter().zip(&large.categories) {
        assert_eq!(small.filters, large.filters);
        assert_eq!(small.importance, large.importance);
        for (small, large) in small.effects.iter().zip(&large.effects) {
            assert!((small.delta.unwrap().mean - large.delta.unwrap().mean).abs() < 1e-12);
        }
    }
    // Unscaled maps follow the head.
    let mut unscaled = few_sets();
    unscaled.sensitivity.map.scaling = Scaling::None;
    let found = study.outcome(unscaled).unwrap();
    assert_ne!(found.categories[0].filters, large.categories[0].filters);
}

#[test]
fn a_lesion_to_the_mean_of_constant_filters_does_nothing() {
    let mut study = Study::new(14, Pool::Mean, HeadOutput::Linear);
    study
        .runs
        .iter_mut()
        .for_each(|run| run.head_of = vec![0; N_STIMULI]);
    let filters = study.outcome(top(2)).unwrap().categories[0]
        .filters
        .clone()
        .unwrap();
    for activation in &mut study.activations {
        for &filter in filters.iter().flat_map(|run| &run.filters) {
            let mut map = activation.index_axis_mut(ndarray::Axis(0), filter);
            let off = 0.5 - map.mean().unwrap();
            map.mapv_inplace(|v| v + off);
        }
    }
    let params = Object2BrainParams {
        lesion: LesionWith::Mean,
        ..top(2)
    };
    let found = study.outcome(params).unwrap();
    let same = found.categories[0].filters.as_ref().unwrap();
    for (run, filters) in same.iter().zip(&filters) {
        if run.filters == filters.filters {
            let delta = found.categories[0].effects[[0, 0]].delta.unwrap();
            assert!(delta.mean.abs() < 1e-5, "{delta:?}");
        }
    }
}

proptest! {
    #[test]
    fn random_sets_keep_sizes_and_what_runs_share(
        first in prop::collection::btree_set(0..12_usize, 0..7),
        second in prop::collection::btree_set(0..12_usize, 0..7),
        only_others in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let (a, b): (Vec<usize>, Vec<usize>) = (first.iter().copied().collect(), second.iter().copied().collect());
        let union = first.union(&second).count();
        match RandomFilters::new(&[&a, &b], 12, only_others, seed) {
            Err(few) => {
                prop_assert!(only_others && 2 * union > 12);
                prop_assert_eq!(few.n_selected, union);
            }
            Ok(random) => for i in 0..10 {
                let sets = random.set(i, &[&a, &b]);
                prop_assert_eq!(&sets, &random.set(i, &[&a, &b]));
                for (set, own) in sets.iter().zip([&a, &b]) {
                    prop_assert_eq!(set.len(), own.len());
                    prop_assert!(set.windows(2).all(|pair| pair[0] < pair[1]));
                    prop_assert!(set.iter().all(|k| *k < 12));
                    prop_assert!(!only_others || set.iter().all(|k| !first.contains(k) && !second.contains(k)));
                }
                let shared = sets[0].iter().filter(|k| sets[1].contains(k)).count();
                prop_assert_eq!(shared, first.intersection(&second).count());
            },
        }
    }
}

/// With one head for each run, other pictures that are the stimuli select the same filters.
#[test]
fn other_pictures_may_choose_the_filters() {
    let mut study = Study::new(41, Pool::Mean, HeadOutput::Linear);
    for run in &mut study.runs {
        run.heads.truncate(1);
        run.head_of.fill(0);
    }
    let own = study.outcome(few_sets()).unwrap();
    let params = Object2BrainParams {
        elsewhere: true,
        ..few_sets()
    };
    let layer = CutLayer {
        runs: &study.runs,
        pool: study.pool,
    };
    let scanned = |n_others: usize| {
        let mut scan = CutScan::new(layer, SHAPE, study.inputs(), params).unwrap();
        for activation in &study.activations {
            scan.add(activation.view()).unwrap();
        }
        for (activation, picture) in study.activations.iter().zip(&study.pictures).take(n_others) {
            scan.add_elsewhere(activation.view(), picture).unwrap();
        }
        scan.finish().unwrap()
    };
    assert_eq!(scanned(N_STIMULI), own);
    let without = scanned(0);
    assert!(without.categories.iter().all(|c| c.filters.is_err()));
    assert_eq!(without.boxes, own.boxes);
}
