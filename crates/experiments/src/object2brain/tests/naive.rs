use consilience_learn::Filters;
use consilience_learn::gradcam;
use consilience_methods::behaviour::CorrelationKind;
use consilience_methods::objects::{
    FilterSensitivity, MapParams, Sign, importance, lesion_effect, random_filters,
    sensitive_filters,
};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, Array2, Array3, ArrayView1, Axis};

use super::super::{LesionWith, Object2BrainParams, Pool, layer_map};
use super::{N_STIMULI, SHAPE, Study, few_sets};
use crate::head::{HeadOutput, RatingHead};

const SIGMOID: HeadOutput = HeadOutput::Sigmoid {
    low: -3.0,
    high: 3.0,
};

/// Features of an activation, pooled.
fn features(activation: &Array3<f32>, pool: Pool) -> Array1<f32> {
    match pool {
        Pool::Mean => activation
            .outer_iter()
            .map(|map| map.iter().map(|&v| f64::from(v)).sum::<f64>() as f32 / map.len() as f32)
            .collect(),
        Pool::Flat => activation.iter().copied().collect(),
    }
}

/// ∂sum/∂A by pushing each unit.
fn gradient(activation: &Array3<f32>, head: &RatingHead, pool: Pool) -> Array3<f32> {
    let sum = |activation: &Array3<f32>| head.sum(features(activation, pool).view()).unwrap();
    Array3::from_shape_fn(activation.dim(), |at| {
        let (mut up, mut down) = (activation.clone(), activation.clone());
        up[at] += 0.5;
        down[at] -= 0.5;
        (sum(&up) - sum(&down)) as f32
    })
}

/// Ratings of the stimuli by one run when activations are changed before.
fn ratings(study: &Study, run: usize, change: impl Fn(&mut Array3<f32>)) -> Array1<f64> {
    let rate = |(idx, activation): (usize, &Array3<f32>)| {
        let mut activation = activation.clone();
        change(&mut activation);
        let head = study.runs[run].of(idx);
        let row = features(&activation, study.pool).insert_axis(Axis(0));
        head.rate(row.view()).unwrap()[0]
    };
    study.activations.iter().enumerate().map(rate).collect()
}

/// Ratings when the filters of the activations are switched off.
fn lesioned(study: &Study, run: usize, filters: &[usize], with: LesionWith) -> Array1<f64> {
    let mut mean = Array3::<f64>::zeros(study.activations[0].dim());
    for activation in &study.activations {
        mean += &activation.mapv(f64::from);
    }
    let mean = mean.mapv(|v| (v / N_STIMULI as f64) as f32);
    ratings(study, run, |activation| {
        for &k in filters {
            let mut map = activation.index_axis_mut(Axis(0), k);
            match with {
                LesionWith::Zero => map.fill(0.0),
                LesionWith::Mean => map.assign(&mean.index_axis(Axis(0), k)),
            }
        }
    })
}

fn close(found: ArrayView1<'_, f64>, expected: ArrayView1<'_, f64>, tolerance: f64) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found} {expected}");
    }
}

fn cases() -> impl Iterator<Item = (Study, Object2BrainParams)> {
    let pools = [
        (Pool::Mean, HeadOutput::Linear),
        (Pool::Flat, SIGMOID),
        (Pool::Mean, SIGMOID),
    ];
    let variants = [
        (
            LesionWith::Zero,
            CorrelationKind::Pearson,
            Sign::Positive,
            0.0,
        ),
        (
            LesionWith::Mean,
            CorrelationKind::Spearman,
            Sign::Absolute,
            0.4,
        ),
    ];
    pools
        .into_iter()
        .enumerate()
        .flat_map(move |(seed, (pool, output))| {
            variants.map(move |(lesion, correlation, sign, min_score)| {
                let mut params = Object2BrainParams {
                    lesion,
                    correlation,
                    ..few_sets()
                };
                params.sensitivity.map.sign = sign;
                params.sensitivity.min_score = min_score;
                (Study::new(seed as u64, pool, output), params)
            })
        })
}

#[test]
fn filters_are_those_of_gradients_found_by_pushing() {
    for (study, params) in cases() {
        let found = study.outcome(params).unwrap();
        for run in 0..study.runs.len() {
            let mut all = FilterSensitivity::new(SHAPE[0], 5, params.sensitivity).unwrap();
            for (idx, activation) in study.activations.iter().enumerate() {
                let gradient = gradient(activation, study.runs[run].of(idx), study.pool);
                let maps =
                    gradcam::filter_maps(activation.view(), gradient.view(), Filters::Signed);
                let picture = &study.pictures[idx];
                all.add(maps.unwrap().view(), picture.size, &picture.objects)
                    .unwrap();
            }
            for (category, outcome) in study.categories.iter().zip(&found.categories) {
                let mut expected =
                    sensitive_filters(&all, &category.classes, &params.select).unwrap();
                let mut found = outcome.filters.as_ref().unwrap()[run].clone();
                close(
                    ArrayView1::from(&found.sensitivity),
                    ArrayView1::from(&expected.sensitivity),
                    1e-4,
                );
                (found.sensitivity, expected.sensitivity) = (Vec::new(), Vec::new());
                assert_eq!(found, expected);
            }
        }
    }
}

#[test]
fn effects_are_those_of_lesions_of_the_activations() {
    for (study, params) in cases() {
        let found = study.outcome(params).unwrap();
        let n_runs = study.runs.len();
        let rows = |of_run: &dyn Fn(usize) -> Array1<f64>| {
            let mut all = Array2::zeros((n_runs, N_STIMULI));
            (0..n_runs).for_each(|run| all.row_mut(run).assign(&of_run(run)));
            all
        };
        let intact = rows(&|run| ratings(&study, run, |_| ()));
        close(
            ArrayView1::from(found.intact.as_slice().unwrap()),
            ArrayView1::from(intact.as_slice().unwrap()),
            1e-5,
        );
        for category in &found.categories {
            let filters = category.filters.as_ref().unwrap();
            let lesioned = rows(&|run| lesioned(&study, run, &filters[run].filters, params.lesion));
            let expected = lesion_effect(
                intact.view(),
                lesioned.view(),
                study.targets.view(),
                study.subsets.view(),
                params.correlation,
            )
            .unwrap();
            for (found, expected) in category.effects.iter().zip(&expected) {
                for (found, expected) in found.runs.iter().zip(&expected.models) {
                    let (found, expected) = (found.as_ref().unwrap(), expected.unwrap());
                    assert!((found.r_lesioned - expected.r_lesioned).abs() < 1e-5);
                    assert!((found.delta - expected.delta).abs() < 1e-5);
                }
                let (found, expected) = (found.delta.unwrap(), expected.delta.unwrap());
                assert!((found.mean - expected.mean).abs() < 1e-5);
                assert!((found.sd.unwrap() - expected.sd.unwrap()).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn random_lesions_are_those_of_random_filters() {
    let mut study = Study::new(4, Pool::Mean, HeadOutput::Linear);
    study.runs.truncate(1);
    let params = few_sets();
    let found = study.outcome(params).unwrap();
    for category in &found.categories {
        let filters = &category.filters.as_ref().unwrap()[0].filters;
        let (n, seed) = (params.random_sets, params.seed);
        let sets = random_filters(SHAPE[0], filters, n, params.only_others, seed).unwrap();
        let delta = |set: &Vec<usize>| {
            let lesioned = lesioned(&study, 0, set, LesionWith::Zero);
            let lesioned = lesioned.insert_axis(Axis(0));
            let (intact, kind) = (found.intact.view(), params.correlation);
            let (targets, subsets) = (study.targets.view(), study.subsets.view());
            let effects = lesion_effect(intact, lesioned.view(), targets, subsets, kind).unwrap();
            effects.map(|effect| effect.delta.unwrap().mean)
        };
        let all: Vec<Array2<f64>> = sets.iter().map(delta).collect();
        for (at, effect) in category.effects.indexed_iter() {
            let test = effect.test.unwrap();
            let mean = all.iter().map(|deltas| deltas[at]).sum::<f64>() / n as f64;
            assert!((test.mean - mean).abs() < 1e-5);
            let own = effect.delta.unwrap().mean;
            let least = all.iter().filter(|deltas| deltas[at] <= own + 1e-6).count();
            let most = all.iter().filter(|deltas| deltas[at] >= own - 1e-6).count();
            let p = 2.0 * (1 + least.min(most)) as f64 / (1 + n) as f64;
            assert!((test.p - p.min(1.0)).abs() < 1e-12);
        }
    }
}

#[test]
fn importance_is_that_of_grad_cam_maps() {
    for (study, params) in cases() {
        let found = study.outcome(params).unwrap();
        let map_params = MapParams {
            sign: Sign::Positive,
            ..params.sensitivity.map
        };
        let mut sums = [0.0; 2];
        let mut n_images = [0; 2];
        for (idx, activation) in study.activations.iter().enumerate() {
            let picture = &study.pictures[idx];
            let mut means = vec![0.0; picture.objects.len()];
            for (run, heads) in study.runs.iter().enumerate() {
                let head = heads.of(idx);
                let gradient = gradient(activation, head, study.pool);
                let map = gradcam::map(activation.view(), gradient.view()).unwrap();
                let own = layer_map(activation.view(), head, study.pool).unwrap();
                let largest = map.iter().fold(0.0_f32, |a, &b| a.max(b));
                for (own, map) in own.iter().zip(&map) {
                    assert!((own - map).abs() <= 1e-4 * largest);
                }
                let boxes =
                    importance(map.view(), picture.size, &picture.objects, &map_params).unwrap();
                for (object, expected) in boxes.iter().enumerate() {
                    let found = found.boxes[run][idx][object].importance.unwrap();
                    assert!((found - expected.importance.unwrap()).abs() < 1e-4);
                    means[object] += found / study.runs.len() as f64;
                }
            }
            for (category, classes) in study.categories.iter().map(|c| &c.classes).enumerate() {
                let own = picture.objects.iter().zip(&means).filter(|(object, _)| {
                    classes.contains(&object.class) && object.score >= params.sensitivity.min_score
                });
                if let Some(largest) = own.map(|(_, &mean)| mean).reduce(f64::max) {
                    sums[category] += largest;
                    n_images[category] += 1;
                }
            }
        }
        for (category, outcome) in found.categories.iter().enumerate() {
            let importance = outcome.importance;
            assert_eq!(importance.n_images, n_images[category]);
            let mean = sums[category] / n_images[category] as f64;
            assert!((importance.mean.unwrap() - mean).abs() < 1e-12);
        }
    }
}

#[test]
fn permuted_targets_are_those_of_other_stimuli() {
    for (study, params) in cases() {
        let found = study.outcome(params).unwrap();
        for category in &found.categories {
            let filters = category.filters.as_ref().unwrap();
            let mut off = found.intact.clone();
            for (run, mut row) in off.rows_mut().into_iter().enumerate() {
                row.assign(&lesioned(&study, run, &filters[run].filters, params.lesion));
            }
            for ((subset, target), effect) in category.effects.indexed_iter() {
                let items: Vec<usize> = (0..N_STIMULI)
                    .filter(|&i| study.subsets[[subset, i]])
                    .collect();
                let mask = study.subsets.row(subset).insert_axis(Axis(0));
                let delta = |order: &[usize]| {
                    let mut permuted = study.targets.row(target).to_owned();
                    for (&item, &from) in items.iter().zip(order) {
                        permuted[item] = study.targets[[target, items[from]]];
                    }
                    let permuted = permuted.insert_axis(Axis(0));
                    let (x, y, kind) = (found.intact.view(), off.view(), params.correlation);
                    let effects = lesion_effect(x, y, permuted.view(), mask, kind).unwrap();
                    effects[[0, 0]].delta.unwrap().mean
                };
                let unchanged: Vec<usize> = (0..items.len()).collect();
                let least = delta(&unchanged).abs() - 1e-9;
                let n = params.permutations;
                let orders = (0..n as u64).map(|i| {
                    Stream::new(params.seed, Domain::Permutations, i).permutation(items.len())
                });
                let n_as_large = orders.filter(|order| delta(order).abs() >= least).count();
                let p = (1 + n_as_large) as f64 / (1 + n) as f64;
                assert!((effect.p_target.unwrap() - p).abs() < 1e-12);
            }
        }
    }
}
