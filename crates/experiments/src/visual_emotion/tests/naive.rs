//! The driver against loops that follow its definitions word by word.

use consilience_learn::train::{self, Arrays, TrainParams};
use consilience_stats::correlation::{pearson, spearman};
use ndarray::{Array2, Array3};

use super::*;
use crate::visual_emotion::{Compared, comparisons, history, plane, ridge, scores};

/// Mean and standard deviation with denominator n.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    (mean, (squares / n).sqrt())
}

#[test]
fn a_repeat_is_what_each_fold_makes_of_its_stimuli() {
    let data = Data::new(30, 5, 1);
    let divisions = data.divisions(7);
    let wired = structure().wired(5, 2).unwrap();
    let (runs, repeat) = trained(&wired, &data, &divisions, 7);
    let mut expected = Array3::<f64>::zeros((5, 30, 2));
    let mut after = Array2::<f64>::zeros((30, 2));
    for (division, run) in divisions.iter().zip(&runs) {
        let column = |j: usize| -> Vec<f64> {
            let rows = division.training.iter();
            rows.map(|&i| f64::from(data.features[[i, j]])).collect()
        };
        let of_features: Vec<(f64, f64)> = (0..5).map(|j| moments(&column(j))).collect();
        let of_ratings: Vec<(f64, f64)> = (0..2)
            .map(|j| {
                let rows = division.training.iter();
                moments(&rows.map(|&i| data.ratings[[i, j]]).collect::<Vec<_>>())
            })
            .collect();
        let x = |rows: &[usize]| {
            Array2::from_shape_fn((rows.len(), 5), |(i, j)| {
                let (mean, sd) = of_features[j];
                ((f64::from(data.features[[rows[i], j]]) - mean) / sd) as f32
            })
        };
        let y = |rows: &[usize]| {
            Array2::from_shape_fn((rows.len(), 2), |(i, j)| {
                let (mean, sd) = of_ratings[j];
                ((data.ratings[[rows[i], j]] - mean) / sd) as f32
            })
        };
        let mut network = wired.graph.clone();
        let weights = train::torch_weights(&wired.parameters, &wired.copies, 7);
        network.initialisers.extend(weights);
        let (x1, y1) = (x(&division.training), y(&division.training));
        let (x2, y2) = (x(&division.validation), y(&division.validation));
        let params = TrainParams {
            seed: 7,
            ..learning().params
        };
        // One epoch more at a time: the same steps, begun anew.
        for epochs in 0..=4 {
            let params = TrainParams {
                epochs,
                ..params.clone()
            };
            let learnt = Arrays::new(x1.view().into_dyn(), y1.view()).unwrap();
            let found = train::train(&network, &learnt, None, &params, None, |_| {}).unwrap();
            let outputs = train::outputs(
                &found.network(&network),
                x(&division.tested).view().into_dyn(),
            );
            let outputs = outputs.unwrap();
            for (row, &stimulus) in division.tested.iter().enumerate() {
                for (j, (mean, sd)) in of_ratings.iter().enumerate() {
                    let value = mean + sd * f64::from(outputs[[row, j]]);
                    expected[[epochs, stimulus, j]] = value;
                    if epochs == run.epoch {
                        after[[stimulus, j]] = value;
                    }
                }
            }
        }
        let validation = Arrays::new(x2.view().into_dyn(), y2.view()).unwrap();
        let learnt = Arrays::new(x1.view().into_dyn(), y1.view()).unwrap();
        let chosen = train::train(&network, &learnt, Some(&validation), &params, None, |_| {});
        assert_eq!(chosen.unwrap().epoch, run.epoch);
    }
    let far = |a: f64, b: f64| (a - b).abs() > 1e-4;
    assert!(
        !repeat
            .ratings
            .iter()
            .zip(&expected)
            .any(|(a, b)| far(*a, *b))
    );
    assert!(!repeat.after.iter().zip(&after).any(|(a, b)| far(*a, *b)));
    // The last units are those that the ratings are read out of.
    assert_eq!(repeat.units.dim(), (5, 30, 18));
    assert!(repeat.units.iter().all(|unit| *unit >= 0.0));
}

#[test]
fn scores_are_means_over_repeats() {
    let given = ndarray::array![[1.0, 5.0], [2.0, 3.0], [4.0, 4.0], [7.0, 1.0]];
    let first = ndarray::array![[1.5, 4.0], [2.0, 3.5], [3.0, 3.0], [5.0, 2.0]];
    let second = ndarray::array![[2.0, 4.5], [1.0, 3.0], [5.0, 4.5], [6.0, 3.0]];
    let all = [first, second];
    let found = scores(given.view(), &views(&all), 50, 1).unwrap();
    let n = 4.0;
    for (rating, score) in found.iter().enumerate() {
        let y = given.column(rating).to_vec();
        let (mut rs, mut rmses) = (Vec::new(), Vec::new());
        for repeat in &all {
            let p = repeat.column(rating).to_vec();
            let ((my, sy), (mp, sp)) = (moments(&y), moments(&p));
            let both = y.iter().zip(&p);
            let covariance = both.clone().map(|(y, p)| (y - my) * (p - mp)).sum::<f64>() / n;
            rs.push(covariance / sy / sp);
            rmses.push((both.map(|(y, p)| (y - p) * (y - p)).sum::<f64>() / n).sqrt());
        }
        let mean = |v: &[f64]| (v[0] + v[1]) / 2.0;
        let together = (&all[0].column(rating) + &all[1].column(rating)) / 2.0;
        let together = together.to_vec();
        assert_eq!(score.r_of_mean, pearson(&y, &together));
        assert_eq!(score.spearman_of_mean, spearman(&y, &together));
        assert!((score.r.unwrap() - mean(&rs)).abs() < 1e-12);
        let sd = (rs[0] - rs[1]).abs() / 2.0_f64.sqrt();
        assert!((score.r_sd.unwrap() - sd).abs() < 1e-12);
        assert!((score.rmse - mean(&rmses)).abs() < 1e-12);
        let squares: Vec<f64> = rs.iter().map(|r| r * r).collect();
        assert!((score.r2_refit.unwrap() - mean(&squares)).abs() < 1e-12);
    }
    let in_plane = plane(given.view(), &views(&all)).unwrap().unwrap();
    assert!((0.0..=1.0).contains(&in_plane.disparity.unwrap()));
    let one = given.select(ndarray::Axis(1), &[0]);
    assert_eq!(plane(one.view(), &[one.view()]).unwrap(), None);
}

#[test]
fn histories_begin_before_training_and_end_after_it() {
    let data = Data::new(30, 5, 2);
    let wired = structure().wired(5, 2).unwrap();
    let repeats: Vec<Repeat> = [3, 4]
        .map(|seed| trained(&wired, &data, &data.divisions(seed), seed).1)
        .to_vec();
    let found = history(data.ratings.view(), &repeats);
    assert_eq!(found.len(), 5);
    assert_eq!(found[0].training, None);
    let last: Vec<Array2<f64>> = repeats
        .iter()
        .map(|r| r.ratings.index_axis(ndarray::Axis(0), 4).to_owned())
        .collect();
    let expected = scores(data.ratings.view(), &views(&last), 0, 1).unwrap();
    for (rating, score) in expected.iter().enumerate() {
        assert!((found[4].r[rating].unwrap() - score.r.unwrap()).abs() < 1e-12);
    }
    assert!(found[4].training.unwrap() < found[1].training.unwrap());
}

#[test]
fn comparisons_are_of_neighbours() {
    let module = |encoder, structure, r: [f64; 3]| Compared {
        encoder,
        structure,
        measures: vec![("r of valence".to_owned(), r.map(Some).to_vec())],
    };
    let modules = [
        module(0, 0, [0.1, 0.2, 0.3]),
        module(0, 1, [0.4, 0.6, 0.8]),
        module(0, 2, [0.5, 0.5, 0.5]),
        module(1, 0, [0.2, 0.2, 0.2]),
        module(1, 1, [0.2, 0.2, 0.2]),
        module(1, 2, [0.3, 0.4, 0.5]),
    ];
    let found = comparisons(&modules, consilience_methods::rsa::Correction::Bonferroni);
    let pairs: Vec<(usize, usize, &str)> = (found.iter())
        .map(|c| (c.a, c.b, c.differ_in.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            (0, 1, "structure"),
            (0, 3, "encoder"),
            (1, 2, "structure"),
            (1, 4, "encoder"),
            (2, 5, "encoder"),
            (3, 4, "structure"),
            (4, 5, "structure"),
        ]
    );
    let first = &found[0];
    // Means 0.2 and 0.6, variances 0.01 and 0.04.
    let t = -0.4 / (0.01_f64 / 3.0 + 0.04 / 3.0).sqrt();
    assert!((first.difference + 0.4).abs() < 1e-12);
    assert!((first.t.unwrap() - t).abs() < 1e-9);
    assert!((first.d.unwrap() + 0.4 / 0.025_f64.sqrt()).abs() < 1e-9);
    let n_tested = found.iter().filter(|c| c.p.is_some()).count();
    assert_eq!(n_tested, 6);
    let corrected = (first.p.unwrap() * 6.0).min(1.0);
    assert!((first.p_corrected.unwrap() - corrected).abs() < 1e-12);
    // Two modules that never vary have no test.
    assert_eq!((found[5].t, found[5].p_corrected), (None, None));
}

#[test]
fn the_baseline_learns_from_what_modules_see() {
    let data = Data::new(30, 5, 3);
    let divisions = data.divisions(1);
    let found = ridge(&data.pictures(), &divisions).unwrap();
    let score = scores(data.ratings.view(), &[found.view()], 0, 1).unwrap();
    assert!(score.iter().all(|s| s.r.unwrap() > 0.9), "{score:?}");
    // A stimulus has no part in its own prediction.
    let tested = divisions[0].tested[0];
    let mut other = Data {
        features: data.features.clone(),
        ratings: data.ratings.clone(),
    };
    other.ratings[[tested, 0]] += 3.0;
    let changed = ridge(&other.pictures(), &divisions).unwrap();
    assert_eq!(changed[[tested, 0]], found[[tested, 0]]);
    let elsewhere = divisions[1].tested[0];
    assert_ne!(changed[[elsewhere, 0]], found[[elsewhere, 0]]);
}
