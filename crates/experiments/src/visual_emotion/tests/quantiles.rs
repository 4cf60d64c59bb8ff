//! Bins of given ratings.

use consilience_stats::random::{Domain, Stream};
use ndarray::Array2;

use super::views;
use crate::visual_emotion::{N_QUANTILES, quantiles, scores};

fn drawn(n: usize, n_columns: usize, index: u64) -> Array2<f64> {
    let mut stream = Stream::new(5, Domain::Simulation, index);
    Array2::from_shape_simple_fn((n, n_columns), || stream.normal())
}

/// 100 different ratings: bins of four neighbours each.
#[test]
fn bins_are_neighbours_and_their_means_are_scored() {
    let given = drawn(100, 2, 0);
    let repeats: Vec<Array2<f64>> = (1..4).map(|index| &given + &drawn(100, 2, index)).collect();
    let found = quantiles(given.view(), &views(&repeats)).unwrap();
    for (column, found) in found.into_iter().enumerate() {
        let found = found.unwrap();
        let mut order: Vec<usize> = (0..100).collect();
        order.sort_by(|&a, &b| given[[a, column]].total_cmp(&given[[b, column]]));
        assert_eq!(found.counts, [4; N_QUANTILES]);
        let mean = |of: &Array2<f64>, bin: usize| {
            order[4 * bin..4 * bin + 4]
                .iter()
                .map(|&i| of[[i, column]])
                .sum::<f64>()
                / 4.0
        };
        let binned = |of: &Array2<f64>| Array2::from_shape_fn((25, 1), |(bin, _)| mean(of, bin));
        let of_repeats: Vec<Array2<f64>> = repeats.iter().map(&binned).collect();
        let expected = scores(binned(&given).view(), &views(&of_repeats), 0, 1).unwrap();
        for (a, b) in [
            (found.score.r, expected[0].r),
            (found.score.r_sd, expected[0].r_sd),
            (found.score.r2_refit, expected[0].r2_refit),
            (Some(found.score.rmse), Some(expected[0].rmse)),
        ] {
            assert!((a.unwrap() - b.unwrap()).abs() < 1e-9, "{a:?} {b:?}");
        }
        let of_items = scores(given.view(), &views(&repeats), 0, 1).unwrap();
        assert!(found.score.r > of_items[column].r && found.score.r_interval.is_none());
        for bin in 0..25 {
            let three: Vec<f64> = of_repeats.iter().map(|r| r[[bin, 0]]).collect();
            let centre = three.iter().sum::<f64>() / 3.0;
            let variance = three.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / 2.0;
            assert!((found.predicted[bin] - centre).abs() < 1e-9);
            assert!((found.predicted_sd[bin].unwrap() - variance.sqrt()).abs() < 1e-9);
            assert!((found.given[bin] - mean(&given, bin)).abs() < 1e-9);
            assert!(
                found.edges[bin] <= found.given[bin] && found.given[bin] <= found.edges[bin + 1]
            );
        }
    }
}

#[test]
fn few_stimuli_have_fewer_bins_and_equal_ones_share_theirs() {
    let given = drawn(31, 1, 0);
    let repeats = [drawn(31, 1, 1)];
    let found = quantiles(given.view(), &views(&repeats))
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!(
        (found.counts.len(), found.counts.iter().sum::<usize>()),
        (15, 31)
    );
    assert_eq!(found.predicted_sd, [None; 15]);
    // Three values are three bins or fewer; two bins have no line through them.
    let few = |n: usize| Array2::from_shape_fn((31, 1), |(row, _)| (row % n) as f64);
    let of = |n: usize| {
        quantiles(few(n).view(), &views(&repeats))
            .unwrap()
            .remove(0)
    };
    assert_eq!(of(5).unwrap().counts.iter().sum::<usize>(), 31);
    assert_eq!(of(2), None);
    // Constant predictions have no correlation.
    let flat = [Array2::ones((31, 1))];
    let found = quantiles(given.view(), &views(&flat))
        .unwrap()
        .remove(0)
        .unwrap();
    assert_eq!((found.score.r, found.predicted[0]), (None, 1.0));
}
