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
