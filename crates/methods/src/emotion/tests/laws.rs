//! What must hold for any input, and naive references.

use consilience_stats::correction::Procedure;
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array1, Array2, Array4, Axis, array};
use proptest::prelude::*;

use super::super::*;
use super::{nine_bins, normals, ratings};
use crate::behaviour::{ProcrustesParams, SelectivityParams, selectivity};

/// Responses of which some units prefer a bin.
fn responses(bins: &Bins, n_units: usize) -> Array2<f64> {
    let mut x = normals(bins.of_items.len() as u64, bins.of_items.len(), n_units);
    for (item, bin) in bins.of_items.iter().enumerate() {
        for unit in 0..n_units {
            if *bin == Some(unit % 12) {
                x[[item, unit]] += 0.25 * (unit % 7) as f64;
            }
        }
    }
    x
}

fn halves(n_units: usize) -> Vec<UnitRange> {
    let half = n_units / 2;
    [("first", 0..half), ("second", half..n_units)]
        .map(|(name, units)| UnitRange {
            name: name.to_owned(),
            units,
        })
        .to_vec()
}

/// Counts of each resample by [`selectivity`] of the rows that were drawn, as often as they were.
fn naive(x: &Array2<f64>, bins: &Bins, params: &BinSelectivityParams) -> Vec<Vec<u32>> {
    let kept = bins.kept();
    (0..params.resamples as u64)
        .map(|index| {
            let n = bins.of_items.len();
            let times = Stream::new(params.seed, Domain::Conditions, index).multiplicities(n);
            let rows: Vec<usize> = (0..n).flat_map(|i| vec![i; times[i] as usize]).collect();
            // Bins that are left out share a label: they are outside of all others.
            let label = |&row: &usize| match bins.of_items[row] {
                Some(bin) if kept.contains(&bin) => bin as i64,
                _ => -1,
            };
            let labels: Vec<i64> = rows.iter().map(label).collect();
            let found = selectivity(
                x.select(Axis(0), &rows).view(),
                &labels,
                &SelectivityParams {
                    min_items: 2,
                    ..SelectivityParams::default()
                },
            )
            .unwrap();
            let of_bins: Vec<usize> = (0..found.categories.len())
                .filter(|&e| found.categories[e] >= 0)
                .collect();
            assert_eq!(of_bins.len(), kept.len());
            let mut counts: Vec<u32> = of_bins.iter().map(|&e| found.counts[e] as u32).collect();
            let any = |u: &usize| of_bins.iter().any(|&e| found.selective[[e, *u]]);
            counts.push((0..x.ncols()).filter(any).count() as u32);
            counts
        })
        .collect()
}

#[test]
fn resamples_and_shuffles_are_what_they_say() {
    let bins = nine_bins(1, 90, 9);
    assert!((2..9).contains(&bins.kept().len()));
    let x = responses(&bins, 24);
    let params = BinSelectivityParams {
        resamples: 12,
        shuffles: 20,
        ..BinSelectivityParams::default()
    };
    let found = bin_selectivity(x.view(), &bins, &[], &params).unwrap();
    for (resample, expected) in naive(&x, &bins, &params).into_iter().enumerate() {
        let counts = found.resampled.slice(ndarray::s![resample, 0, ..]);
        assert_eq!(counts.to_vec(), expected);
    }
    // The same shuffles as those of categories.
    let labels: Vec<i64> = bins.of_items.iter().map(|b| b.unwrap() as i64).collect();
    let shuffles = SelectivityParams {
        min_items: 9,
        shuffles: 20,
        ..SelectivityParams::default()
    };
    let peer = selectivity(x.view(), &labels, &shuffles).unwrap();
    let layer = &found.layers[0];
    for (bin, count) in layer.bins.iter().enumerate() {
        assert_eq!(count.n, peer.counts[bin]);
        assert!((count.by_chance.unwrap() - peer.shuffled_counts[bin]).abs() < 1e-12);
        assert_eq!(count.p.unwrap(), peer.p_counts[bin]);
        assert!(count.sem.is_some());
    }
    assert!(layer.bins.iter().any(|count| count.n > 0));
}

#[test]
fn counts_do_not_depend_on_threads_or_division() {
    let bins = nine_bins(2, 120, 5);
    let x = responses(&bins, 30);
    let params = BinSelectivityParams {
        resamples: 20,
        shuffles: 10,
        correction: Some(Procedure::BenjaminiHochberg),
        ..BinSelectivityParams::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| bin_selectivity(x.view(), &bins, &halves(30), &params).unwrap())
    };
    let (one, three) = (on(1), on(3));
    assert_eq!(one, three);
    let whole = bin_selectivity(x.view(), &bins, &[], &params).unwrap();
    for bin in 0..one.bins.len() {
        let parts: usize = one.layers.iter().map(|layer| layer.bins[bin].n).sum();
        assert_eq!(parts, whole.layers[0].bins[bin].n);
    }
    assert_eq!(
        one.layers[0].any.n + one.layers[1].any.n,
        whole.layers[0].any.n
    );
    assert!(whole.layers[0].share() <= 1.0);
    // Corrected, no more are selective.
    let plain = BinSelectivityParams {
        correction: None,
        ..params
    };
    let plain = bin_selectivity(x.view(), &bins, &[], &plain).unwrap();
    assert!(plain.layers[0].any.n >= whole.layers[0].any.n);
}

#[test]
fn changes_are_of_paired_resamples() {
    let bins = nine_bins(3, 120, 5);
    let (before, after) = (normals(9, 120, 40), responses(&bins, 40));
    let params = BinSelectivityParams {
        resamples: 50,
        ..BinSelectivityParams::default()
    };
    let count = |x: &Array2<f64>| bin_selectivity(x.view(), &bins, &halves(40), &params).unwrap();
    let (before, after) = (count(&before), count(&after));
    for same in count_changes(&before, &before).unwrap() {
        let none = same.any;
        assert_eq!((none.difference, none.sem, none.p), (0.0, 0.0, None));
    }
    let there = count_changes(&before, &after).unwrap();
    let back = count_changes(&after, &before).unwrap();
    for (there, back) in there.iter().zip(&back) {
        assert_eq!(there.any.difference, -back.any.difference);
        assert_eq!(there.any.sem, back.any.sem);
        assert!(there.any.difference > 0.0 && there.any.p.unwrap() < 0.05);
    }
    let other = BinSelectivityParams { seed: 2, ..params };
    let x = normals(9, 120, 40);
    let other = bin_selectivity(x.view(), &bins, &halves(40), &other).unwrap();
    assert!(count_changes(&before, &other).is_err());
}

#[test]
fn bins_keep_to_their_edges() {
    let params = BinParams {
        valence: Edges::LIU_2024,
        min_items: 1,
        ..BinParams::default()
    };
    let valence = [3.7, 3.8, 4.5, 4.9, 5.5, 6.5, 6.6];
    let found = bins(&valence, None, &params).unwrap();
    let expected = [Some(0), None, None, Some(1), None, None, Some(2)];
    assert_eq!(found.of_items, expected);
    assert_eq!((found.n_between(), found.names.len()), (4, 3));
    assert!(found.kept().is_empty());
    for text in ["thirds", "tertiles", "3,5", "4.3,6,0.5"] {
        assert_eq!(text.parse::<Edges>().unwrap().to_string(), text);
    }
    assert_eq!("4.3, 6.0, .5".parse::<Edges>().unwrap(), Edges::LIU_2024);
}

#[test]
fn genuine_units_prefer_the_same_in_both() {
    let labels: Vec<i64> = (0..60).map(|item| item % 3).collect();
    let mut sets = [normals(20, 60, 10), normals(21, 60, 10)];
    for x in &mut sets {
        for (item, label) in labels.iter().enumerate() {
            for unit in 0..6 {
                x[[item, unit]] += 4.0 * f64::from(u8::from(*label == unit as i64 % 3));
            }
        }
    }
    let [a, b] =
        sets.map(|x| selectivity(x.view(), &labels, &SelectivityParams::default()).unwrap());
    let found = consistent_units(&a, &b, 0.4).unwrap();
    let expected: Vec<Option<usize>> = (0..10).map(|u| (u < 6).then_some(u % 3)).collect();
    assert_eq!(found.genuine, expected);
    assert_eq!((found.counts, found.n_kept), (vec![2, 2, 2], [6, 6]));
    assert_eq!(found.overlaps[1].jaccard, Some(1.0));
    let all = consistent_units(&a, &b, 0.0).unwrap();
    assert_eq!(all.n_kept, [10, 10]);
    assert_eq!(consistent_units(&a, &b, 1.0).unwrap().n_kept, [0, 0]);
}

#[test]
fn trajectories_average_over_repeats() {
    let scores = Array4::from_shape_fn((3, 2, 2, 1), |(r, e, l, _)| (r * (1 + e) + l) as f64);
    let found = trajectory(scores.view()).unwrap();
    assert_eq!(found.means, array![[[1.0], [2.0]], [[2.0], [3.0]]]);
    let sems = found.sems.unwrap();
    assert!((sems[[1, 0, 0]] - 2.0 / 3.0_f64.sqrt()).abs() < 1e-15);
    assert_eq!(found.across_layers, array![[1.5], [2.5]]);
    let one = trajectory(scores.slice(ndarray::s![..1, .., .., ..])).unwrap();
    assert_eq!((one.sems, one.across_sems), (None, None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn metrics_follow_their_laws(index in 0..1000_u64, slope in 0.1..5.0_f64, shift in -9.0..9.0_f64) {
        let x = normals(index, 2, 20);
        let (actual, predicted) = (x.row(0), x.row(1));
        let params = PredictionParams { resamples: 20, seed: 3 };
        let plain = prediction(actual, predicted, &params).unwrap();
        let moved: Array1<f64> = predicted.mapv(|p| shift + slope * p);
        let moved = prediction(actual, moved.view(), &params).unwrap();
        let (a, b) = (plain.values.refit.unwrap(), moved.values.refit.unwrap());
        // A refit undoes any scale of the predictions; what is left is no more than before.
        prop_assert!((a.rmse - b.rmse).abs() < 1e-9 && (a.r2 - b.r2).abs() < 1e-9);
        prop_assert!(a.rmse <= plain.values.rmse + 1e-12 && a.r2 >= plain.values.r2 - 1e-12);
        prop_assert!(plain.values.mae <= plain.values.rmse + 1e-12);
        let intervals = plain.intervals.unwrap();
        prop_assert!(intervals.rmse[0] <= intervals.rmse[1] && intervals.n_resamples == [20, 20]);
        let same = prediction(actual, actual, &params).unwrap().values;
        prop_assert!((same.r2, same.rmse, same.mae) == (1.0, 0.0, 0.0));
    }

    #[test]
    fn energy_distance_is_a_distance(index in 0..1000_u64, shift in 0.0..3.0_f64) {
        let (a, b) = (normals(index, 12, 2), normals(index + 5000, 9, 2));
        let d = |a: &Array2<f64>, b: &Array2<f64>| energy_distance(a.view(), b.view()).unwrap();
        prop_assert!(d(&a, &a) < 1e-7 && (d(&a, &b) - d(&b, &a)).abs() < 1e-12);
        prop_assert!((d(&(&a + shift), &(&b + shift)) - d(&a, &b)).abs() < 1e-9);
        let c = normals(index + 9000, 7, 2);
        prop_assert!(d(&a, &c) <= d(&a, &b) + d(&b, &c) + 1e-12);
        let found = plane_agreement(a.view(), (&a + shift).view(), &ProcrustesParams::default()).unwrap();
        prop_assert!(found.disparity < 1e-12 && (found.rmse - shift * 2.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn scales_map_back(index in 0..1000_u64) {
        let [values, _] = ratings(index, 10);
        let (nine, hundred) = (RatingScale::default(), RatingScale::new(0.0, 100.0).unwrap());
        let there = nine.mapped(&values, &hundred).unwrap();
        let back = hundred.mapped(&there, &nine).unwrap();
        prop_assert!(values.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn the_participation_ratio_counts_dimensions(index in 0..1000_u64, k in 1..5_usize, scale in 1e-3..1e3_f64) {
        let low = normals(index, 40, k).dot(&normals(index + 7000, k, 9));
        let found = participation_ratio(low.view()).unwrap();
        prop_assert!((1.0 - 1e-9..=k as f64 + 1e-9).contains(&found));
        prop_assert!((participation_ratio((scale * &low).view()).unwrap() - found).abs() < 1e-9);
        let turned = low.dot(&reflection(index));
        prop_assert!((participation_ratio(turned.view()).unwrap() - found).abs() < 1e-9);
    }
}

/// A reflection: orthogonal, and different for each index.
fn reflection(index: u64) -> Array2<f64> {
    let axis = normals(index + 8000, 9, 1);
    let square = axis.iter().map(|v| v * v).sum::<f64>();
    Array2::eye(9) - axis.dot(&axis.t()) * (2.0 / square)
}
