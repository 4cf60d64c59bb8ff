//! Units of trained modules on pictures of a second set.

use consilience_methods::emotion::{
    BinParams, BinSelectivityParams, Bins, bin_selectivity, bins, overlap,
};
use ndarray::{Array2, Axis, s};
use proptest::prelude::*;

use super::*;
use crate::visual_emotion::consistency::merged;
use crate::visual_emotion::{ChangedUnits, Units, consistency, dealt, second_units};

fn thirds(n: usize) -> Bins {
    let valence: Vec<f64> = (0..n).map(|i| [2.0, 5.0, 8.0][i % 3]).collect();
    bins(&valence, None, &BinParams::default()).unwrap()
}

/// Noise, in which each of some units answers to one bin.
fn units(n: usize, n_units: usize, planted: &[(usize, usize)], seed: u64) -> Array2<f32> {
    let mut stream = Stream::new(seed, Domain::Simulation, 11);
    let mut found = Array2::from_shape_simple_fn((n, n_units), || stream.normal() as f32);
    for &(unit, bin) in planted {
        for row in (0..n).filter(|row| row % 3 == bin) {
            found[[row, unit]] += 3.0;
        }
    }
    found
}

fn params() -> BinSelectivityParams {
    BinSelectivityParams {
        shuffles: 99,
        ..BinSelectivityParams::default()
    }
}

/// Pictures of the second set that are the stimuli, each shown to the module that did not learn from it, have the stimuli's units.
#[test]
fn a_second_set_is_seen_as_stimuli_are() {
    let data = Data::new(30, 5, 1);
    let divisions = data.divisions(7);
    let wired = structure().wired(5, 2).unwrap();
    let (runs, repeat) = trained(&wired, &data, &divisions, 7);
    let of = |row: usize| divisions.iter().position(|d| d.tested.contains(&row));
    let module_of: Vec<usize> = (0..30).map(|row| of(row).unwrap()).collect();
    let pictures = data.pictures();
    let second = (data.features.view(), module_of.as_slice());
    let found = second_units(&wired, &pictures, second, (&divisions, &runs), &learning());
    assert_eq!(found, repeat.units_after);
    // And dealt as stimuli are, by their ratings.
    let valence = data.ratings.column(0).to_vec();
    assert_eq!(dealt(&valence, 3, 7), module_of);
    assert_eq!(dealt(&valence, 1, 7), [0; 30]);
    let few = (data.features.slice(s![..1, ..]), &[2][..]);
    let one = second_units(&wired, &pictures, few, (&divisions, &runs), &learning());
    assert_eq!(one.dim(), (1, wired.n_units()));
}

/// Planted units are kept, others are not, and every number is what a loop over repeats gives.
#[test]
fn planted_units_are_in_both_sets() {
    let wired = structure().wired(5, 2).unwrap();
    // Two units of LA for negative, three of CE for positive pictures in both sets; one of BA that changes its mind, one that loses it.
    let kept = [(0, 0), (1, 0), (15, 2), (16, 2), (17, 2)];
    let [first, second] = [(90, [(7, 0), (8, 0)]), (60, [(7, 1), (7, 1)])].map(|(n, others)| {
        let of = |seed| {
            units(
                n,
                wired.n_units(),
                &[&kept[..], &others[..]].concat(),
                seed + n as u64,
            )
        };
        [of(1), of(2)]
    });
    let (a, b) = (thirds(90), thirds(60));
    let [of_first, of_second] =
        [&first, &second].map(|all| all.iter().map(|u| u.view()).collect::<Vec<_>>());
    let sets = |of_repeats, bins| Units { of_repeats, bins };
    let found = consistency(
        &wired,
        sets(of_first.as_slice(), &a),
        sets(of_second.as_slice(), &b),
        &params(),
    )
    .unwrap();
    assert_eq!(found.bins, ["N", "M", "P"]);
    let nucleus = |name: &str| found.nuclei.iter().find(|n| n.nucleus == name).unwrap();
    let both = |name: &str, row: usize| nucleus(name).overlaps[row].both;
    assert_eq!(
        (both("LA", 0), both("CE", 2), both("all", 0)),
        (2.0, 3.0, 2.0)
    );
    assert_eq!(
        (both("BA", 0), both("BA", 3), both("all", 3)),
        (0.0, 0.0, 5.0)
    );
    let any = &nucleus("all").overlaps[3];
    assert!(
        any.bin == "any" && any.first >= 7.0 && any.p < 0.05,
        "{any:?}"
    );
    // Of 6 units both of 2: one way of 15.
    let of_la = &nucleus("LA").overlaps[0];
    assert!(
        of_la.first > 2.0 || (of_la.p - 2.0 / 15.0).abs() < 1e-12,
        "{of_la:?}"
    );
    for (row, (name, range)) in wired.nuclei.iter().zip(wired.ranges()).enumerate() {
        for bin in 0..3 {
            let mut all = Vec::new();
            for repeat in 0..2 {
                let sets = [(&first[repeat], &a), (&second[repeat], &b)].map(|(units, bins)| {
                    let units = units.mapv(f64::from);
                    let found = bin_selectivity(units.view(), bins, &[], &params()).unwrap();
                    found.units.selective.slice(s![bin, range.clone()]).to_vec()
                });
                all.push(overlap(&sets[0], &sets[1]).unwrap());
            }
            let of = &found.nuclei[row].overlaps[bin];
            let mean = |value: &dyn Fn(usize) -> f64| (value(0) + value(1)) / 2.0;
            assert_eq!(of.both, mean(&|r| all[r].n_both as f64), "{name:?}");
            assert_eq!(of.first, mean(&|r| all[r].n[0] as f64), "{name:?}");
            assert!((of.expected - mean(&|r| all[r].expected)).abs() < 1e-12);
            let p = (2.0 * all[0].p.min(all[1].p)).min(1.0);
            assert!((of.p - p).abs() < 1e-12, "{name:?} {bin}: {} {p}", of.p);
        }
    }
    // Every planted unit prefers its bin, and the rule of 2024 finds them.
    let all = &nucleus("all").preference;
    assert!(all.same.unwrap() > 1.2 * all.shuffled.unwrap(), "{all:?}");
    assert!(
        all.genuine >= 5.0 && all.genuine > all.genuine_expected,
        "{all:?}"
    );
}

/// A set against itself keeps everything.
#[test]
fn identical_sets_are_wholly_kept() {
    let wired = structure().wired(5, 2).unwrap();
    let x = units(90, wired.n_units(), &[(0, 0), (9, 1), (16, 2)], 3);
    let (views, bins) = ([x.view()], thirds(90));
    let set = Units {
        of_repeats: &views,
        bins: &bins,
    };
    let found = consistency(&wired, set, set, &params()).unwrap();
    for nucleus in &found.nuclei {
        for of in &nucleus.overlaps {
            assert_eq!((of.first, of.second), (of.both, of.both), "{of:?}");
            assert!(of.kept.is_none_or(|kept| kept == 1.0));
            assert_eq!(of.both_sd, None);
        }
        assert_eq!(nucleus.preference.same, Some(1.0));
    }
    let [first, second] = &found.selective[0];
    assert_eq!(first, second);
}

/// Units whose places are shuffled in the second set are kept by chance alone: over many draws as many as are expected.
#[test]
fn shuffled_units_are_kept_by_chance() {
    let wired = structure().wired(5, 2).unwrap();
    let bins = thirds(90);
    let planted: Vec<(usize, usize)> = (0..18).step_by(2).map(|unit| (unit, unit % 3)).collect();
    let (mut both, mut expected, mut small) = (0.0, 0.0, 0.0);
    let n = 60;
    for seed in 0..n {
        let a = units(90, 18, &planted, seed);
        let b = units(90, 18, &planted, seed + 1000);
        let mut stream = Stream::new(seed, Domain::Simulation, 12);
        let dealt = wired.ranges().into_iter().flat_map(|range| {
            let order = stream.permutation(range.len());
            order
                .into_iter()
                .map(move |unit| range.start + unit)
                .collect::<Vec<_>>()
        });
        let b = b.select(Axis(1), &dealt.collect::<Vec<_>>());
        let (a, b) = ([a.view()], [b.view()]);
        let sets = [&a, &b].map(|views| Units {
            of_repeats: views,
            bins: &bins,
        });
        let found = consistency(&wired, sets[0], sets[1], &params()).unwrap();
        let any = &found.nuclei[3].overlaps[3];
        (both, expected) = (both + any.both, expected + any.expected);
        small += f64::from(u8::from(any.p <= 0.05));
    }
    let n = n as f64;
    // Of nine, about three meet by chance, give or take 1.5; three standard errors of the mean.
    assert!(
        (both - expected).abs() / n < 3.0 * 1.5 / n.sqrt(),
        "{both} {expected}"
    );
    assert!(small / n < 0.05 + 3.0 * (0.05 * 0.95 / n).sqrt(), "{small}");
}

#[test]
fn repeats_that_say_the_same_are_not_counted_twice() {
    assert_eq!(merged(vec![0.01]), 0.01);
    assert_eq!(merged(vec![0.04, 0.01]), 0.02);
    assert!((merged(vec![0.03; 3]) - 0.045).abs() < 1e-12);
    assert!((merged(vec![0.9, 0.01, 0.02, 0.03, 0.8]) - 0.05).abs() < 1e-12);
    assert_eq!((merged(vec![0.9, 0.8]), merged(vec![])), (1.0, 1.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Both kinds of units are those of the stimuli, and no unit is of both kinds.
    #[test]
    fn consistent_and_other_units_are_all_selective_ones(seed in 0..1000_u64) {
        let mut stream = Stream::new(seed, Domain::Simulation, 13);
        let mut set = || Array2::from_shape_simple_fn((3, 20), || stream.uniform() < 0.3);
        let pair = [set(), set()];
        let bins = ["N", "M", "P"].map(str::to_owned);
        let [both, only] = ChangedUnits::consistent(&bins, std::slice::from_ref(&pair));
        let first = ChangedUnits::selective(&bins, std::slice::from_ref(&pair[0]));
        for unit in 0..20 {
            let any = [&both, &only].map(|of| of.any[0][unit]);
            prop_assert_eq!(any[0] || any[1], first.any[0][unit]);
            prop_assert!(!(any[0] && any[1]));
            for bin in 0..3 {
                let of = [&both, &only].map(|of| of.of_bins[0][[bin, unit]]);
                prop_assert_eq!(of[0], pair[0][[bin, unit]] && pair[1][[bin, unit]]);
                prop_assert_eq!(of[1], pair[0][[bin, unit]] && !pair[1][[bin, unit]]);
            }
        }
    }
}
