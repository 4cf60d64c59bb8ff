//! Units in two sets of items, against enumeration and definitions word by word.

use std::ops::Range;

use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Axis};
use proptest::prelude::*;

use super::super::*;
use super::{nine_bins, normals};
use crate::behaviour::{SelectivityParams, selectivity};

fn drawn(index: u64, n: usize, share: f64) -> Vec<bool> {
    let mut draw = Stream::new(63, Domain::Simulation, index);
    (0..n).map(|_| draw.uniform() < share).collect()
}

/// One layer of all units.
fn whole(n_units: usize) -> Vec<Range<usize>> {
    std::iter::once(0..n_units).collect()
}

/// All ways to put the second set into a layer, as bits.
fn ways(layer: &[bool]) -> Vec<u32> {
    let n = layer.iter().filter(|in_set| **in_set).count() as u32;
    let all = 0..1_u32 << layer.len();
    all.filter(|bits| bits.count_ones() == n).collect()
}

/// Share of all arrangements of the second set within its layers that overlap at least as much.
fn enumerated(first: &[bool], second: &[bool], layers: [Range<usize>; 2]) -> (f64, f64) {
    let bits = |set: &[bool]| {
        let places = set.iter().enumerate();
        places.fold(0_u32, |bits, (place, &is)| bits | u32::from(is) << place)
    };
    let observed: u32 = (layers.iter())
        .map(|l| (bits(&first[l.clone()]) & bits(&second[l.clone()])).count_ones())
        .sum();
    let [a, b] = layers;
    let (mut n, mut sum, mut as_many) = (0.0, 0.0, 0.0);
    for one in ways(&second[a.clone()]) {
        for other in ways(&second[b.clone()]) {
            let both = (bits(&first[a.clone()]) & one).count_ones()
                + (bits(&first[b.clone()]) & other).count_ones();
            n += 1.0;
            sum += f64::from(both);
            as_many += f64::from(u8::from(both >= observed));
        }
    }
    (sum / n, as_many / n)
}

#[test]
fn one_layer_is_the_plain_overlap() {
    for index in 0..20 {
        let (a, b) = (drawn(index, 40, 0.4), drawn(100 + index, 40, 0.3));
        let (plain, layered) = (overlap(&a, &b), overlap_in_layers(&a, &b, &whole(40)));
        let (plain, layered) = (plain.unwrap(), layered.unwrap());
        assert!((plain.p - layered.p).abs() < 1e-12 && plain.n_both == layered.n_both);
        assert!((plain.expected - layered.expected).abs() < 1e-12);
        assert_eq!(plain.jaccard, layered.jaccard);
    }
}

/// A layer whose units are in both sets and one whose units are in none overlap wholly, and by chance alone.
#[test]
fn layers_that_differ_do_not_pass_for_units_that_are_kept() {
    let set: Vec<bool> = (0..20).map(|unit| unit < 10).collect();
    let plain = overlap(&set, &set).unwrap();
    assert!(plain.p < 1e-4 && plain.expected == 5.0);
    let layered = overlap_in_layers(&set, &set, &[0..10, 10..20]).unwrap();
    assert_eq!(
        (layered.n_both, layered.expected, layered.p),
        (10, 10.0, 1.0)
    );
}

/// Without bins of their own, units that are dealt anew meet as rarely as the pairs say.
#[test]
fn the_same_bin_is_met_by_chance_as_often_as_pairs_say() {
    let layers = [0..30, 30..70];
    let sets = |index: u64| {
        let rows = (0..3)
            .map(|row| drawn(index + row, 70, 0.2))
            .collect::<Vec<_>>();
        Array2::from_shape_fn((3, 70), |(row, unit)| rows[row][unit])
    };
    let n = 400;
    let (mut both, mut expected, mut small) = (0.0, 0.0, 0);
    for index in 0..n {
        let (a, b) = (sets(1000 + 10 * index), sets(9000 + 10 * index));
        let found = same_bin(a.view(), b.view(), &layers, 99, index).unwrap();
        both += found.n_both as f64;
        expected += found.expected;
        small += u64::from(found.p <= 0.05);
    }
    let n = n as f64;
    assert!((both - expected).abs() / n < 0.5, "{both} {expected}");
    // Three standard errors above 5 %.
    assert!(
        small as f64 / n < 0.05 + 3.0 * (0.05 * 0.95 / n).sqrt(),
        "{small}"
    );
}

/// Preference is the largest tuning value of [`selectivity`].
#[test]
fn preferences_are_those_of_tuning_values() {
    let (a, b) = (nine_bins(1, 90, 2), nine_bins(2, 70, 2));
    let shared = shared_bins(&a, &b).unwrap();
    let mut x = [normals(3, 90, 30), normals(4, 70, 30)];
    for (x, bins) in x.iter_mut().zip([&a, &b]) {
        for (item, bin) in bins.of_items.iter().enumerate() {
            for unit in (0..30).filter(|unit| Some(unit % 9) == *bin) {
                x[[item, unit]] += 1.2;
            }
        }
    }
    x[1].column_mut(29).fill(1.0);
    let preferred: Vec<Vec<Option<i64>>> = (x.iter().zip([&a, &b]))
        .map(|(x, bins)| {
            let labels: Vec<i64> = bins.of_items.iter().flatten().map(|b| *b as i64).collect();
            let params = SelectivityParams {
                min_items: 2,
                ..SelectivityParams::default()
            };
            let found = selectivity(x.view(), &labels, &params).unwrap();
            let of_unit = |unit: usize| {
                let tuning = found.tuning.column(unit);
                let of_bins = found.categories.iter().zip(tuning);
                let of_shared = of_bins.filter(|(bin, _)| shared.contains(&(**bin as usize)));
                let mut best: Option<(i64, f64)> = None;
                for (bin, value) in of_shared {
                    let value = (*value)?;
                    if best.is_none_or(|(_, most)| value > most) {
                        best = Some((*bin, value));
                    }
                }
                best.map(|(bin, _)| bin)
            };
            (0..30).map(of_unit).collect()
        })
        .collect();
    let pairs = preferred[0].iter().zip(&preferred[1]);
    let same = pairs.filter(|(a, b)| a.is_some() && a == b).count();
    let layers = [0..30, 0..10];
    let sets = ((x[0].view(), &a), (x[1].view(), &b));
    let found = same_preference(sets.0, sets.1, &layers, 200, 5).unwrap();
    assert_eq!((found[0].n, found[0].n_same), (29, same));
    // Planted preferences are kept more often than shuffled ones.
    let more = found[0].shuffled.iter().filter(|n| **n as usize >= same);
    assert!(same > 6 && more.count() < 10, "{same}");
    // The first set against itself, and against no bin that it shares.
    let own = same_preference(sets.0, sets.0, &layers, 0, 5).unwrap();
    assert_eq!((own[0].n, own[0].n_same, own[1].n_same), (30, 30, 10));
}

#[test]
fn refusals() {
    let set = [true, false, true];
    for layers in [whole(4), vec![0..2, 1..3], vec![0..1, 1..1]] {
        assert!(
            overlap_in_layers(&set, &set, &layers).is_err(),
            "{layers:?}"
        );
    }
    assert!(overlap_in_layers(&[], &[], &[]).is_err());
    let wide = Array2::from_elem((2, 3), true);
    let narrow = wide.select(Axis(0), &[0]);
    assert!(same_bin(wide.view(), narrow.view(), &whole(3), 9, 1).is_err());
    assert!(same_bin(wide.view(), wide.view(), &whole(3), 0, 1).is_err());
    let (bins, few) = (nine_bins(1, 60, 2), nine_bins(1, 60, 50));
    let x = normals(1, 60, 3);
    let own = (x.view(), &bins);
    assert!(same_preference(own, (x.view(), &few), &whole(3), 0, 1).is_err());
    assert!(same_preference(own, own, &whole(5), 0, 1).is_err());
    let nan = x.mapv(|v| if v > 1.0 { f64::NAN } else { v });
    assert!(same_preference(own, (nan.view(), &bins), &whole(3), 0, 1).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn p_is_the_share_of_all_arrangements(index in 0..1000_u64, split in 2..8_usize) {
        let (a, b) = (drawn(index, 10, 0.5), drawn(index + 3000, 10, 0.4));
        let layers = [0..split, split..10];
        let (expected, p) = enumerated(&a, &b, layers.clone());
        let found = overlap_in_layers(&a, &b, &layers).unwrap();
        prop_assert!((found.expected - expected).abs() < 1e-9);
        prop_assert!((found.p - p).abs() < 1e-9, "{} {p}", found.p);
        // The same by dealing units, with a single row.
        let row = |set: &[bool]| Array2::from_shape_fn((1, 10), |(_, unit)| set[unit]);
        let dealt = same_bin(row(&a).view(), row(&b).view(), &layers, 400, index).unwrap();
        prop_assert_eq!((dealt.n, dealt.n_both, dealt.jaccard), (found.n, found.n_both, found.jaccard));
        prop_assert!((dealt.expected - expected).abs() < 1e-9);
        prop_assert!((dealt.p - p).abs() < 0.005 + 4.0 * (p * (1.0 - p) / 400.0).sqrt());
    }

    #[test]
    fn identical_sets_are_wholly_kept(index in 0..1000_u64, n in 3..40_usize) {
        let set = drawn(index, n, 0.4);
        let layers = [0..n / 2, n / 2..n];
        let found = overlap_in_layers(&set, &set, &layers).unwrap();
        let size = set.iter().filter(|in_set| **in_set).count();
        prop_assert_eq!((found.n_both, found.n), (size, [size; 2]));
        prop_assert_eq!(found.jaccard, (size > 0).then_some(1.0));
    }
}
