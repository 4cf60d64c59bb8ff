//! Error rates on simulated data.

use super::super::*;
use super::{nine_bins, normals};

/// Units that prefer nothing: shuffles find as many as there are, and p of the counts is no smaller than it says.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn nothing_is_found_where_there_is_nothing() {
    let mut n_small = 0;
    let (mut found, mut chance) = (0.0, 0.0);
    let n_runs = 60;
    for run in 0..n_runs {
        let bins = nine_bins(100 + run, 180, 10);
        let params = BinSelectivityParams {
            threshold: 0.3,
            shuffles: 99,
            seed: run,
            ..BinSelectivityParams::default()
        };
        let x = normals(200 + run, 180, 40);
        let counts = bin_selectivity(x.view(), &bins, &[], &params).unwrap();
        let any = counts.layers[0].any;
        found += any.n as f64;
        chance += any.by_chance.unwrap();
        n_small += usize::from(any.p.unwrap() <= 0.05);
    }
    assert!((found / chance - 1.0).abs() < 0.15, "{found} {chance}");
    // 60 runs at 0.05: more than 8 happen in 1 of 300.
    assert!(n_small <= 8, "{n_small} of {n_runs}");
}

/// The partial test where model and region share nothing but the control.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn partial_tests_keep_their_level() {
    let n_runs = 100;
    let n_small = (0..n_runs)
        .filter(|&run| {
            let pairs = 12 * 11 / 2;
            // Model and region share the control, and nothing else.
            let x = normals(300 + run, 4, pairs);
            let control = x.row(0).insert_axis(ndarray::Axis(0)).to_owned();
            let model = (&x.row(1) + &x.row(0)).insert_axis(ndarray::Axis(0));
            let group = (&x.row(2) + &x.row(0)).to_vec();
            let test = super::super::partial::PartialTest::new(&group, control.view()).unwrap();
            test.of(0, model.row(0), 99, run).unwrap().1 <= 0.05
        })
        .count();
    assert!(n_small <= 13, "{n_small} of {n_runs}");
}

/// The standard error over resamples of items against the spread of counts over new items.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn errors_of_counts_are_those_of_new_items() {
    let n_runs = 60;
    let slopes = normals(400, 1, 60);
    let (mut counts, mut sems) = (Vec::new(), Vec::new());
    for run in 0..n_runs {
        let [valence, arousal] = super::ratings(500 + run, 240);
        let params = BinParams {
            min_items: 10,
            ..BinParams::default()
        };
        let bins = bins(&valence, Some(&arousal), &params).unwrap();
        let mut x = normals(600 + run, 240, 60);
        for (mut row, v) in x.rows_mut().into_iter().zip(&valence) {
            row += &(&slopes.row(0) * (0.25 * (v - 5.0)));
        }
        let params = BinSelectivityParams {
            resamples: 100,
            seed: run,
            ..BinSelectivityParams::default()
        };
        let any = bin_selectivity(x.view(), &bins, &[], &params)
            .unwrap()
            .layers[0]
            .any;
        counts.push(any.n as f64);
        sems.push(any.sem.unwrap());
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let centre = mean(&counts);
    let squares: f64 = counts.iter().map(|n| (n - centre).powi(2)).sum();
    let spread = (squares / (n_runs as f64 - 1.0)).sqrt();
    let ratio = mean(&sems) / spread;
    assert!((0.7..1.4).contains(&ratio), "{ratio}: {spread} {centre}");
}
