//! What must hold whatever the data.

use consilience_core::GainCurve;
use ndarray::{Array2, Axis, s};
use proptest::prelude::*;

use super::*;
use crate::visual_emotion::{
    ChangedUnits, GainParams, ModelRdms, TrainedRepeat, elsewhere, gains, geometry_of, plane,
    scores,
};
use consilience_methods::emotion::{BinParams, bins};
use consilience_methods::rdm::Dissimilarity;

/// Every third unit is called selective.
fn thirds(wired: &Wired) -> [ChangedUnits; 1] {
    let selective = Array2::from_shape_fn((1, wired.n_units()), |(_, unit)| unit % 3 == 0);
    [ChangedUnits::selective(&["HP".to_owned()], &[selective])]
}

fn repeat_of(data: &Data, wired: &Wired, seed: u64) -> (TrainedRepeat, Repeat) {
    let divisions = data.divisions(seed);
    let (runs, repeat) = trained(wired, data, &divisions, seed);
    let trained = TrainedRepeat::of(wired, &data.pictures(), &divisions, &runs, &learning());
    (trained, repeat)
}

#[test]
fn a_gain_of_0_changes_nothing() {
    let data = Data::new(24, 5, 4);
    let wired = structure().wired(5, 2).unwrap();
    let (trained, repeat) = repeat_of(&data, &wired, 2);
    let all: Vec<usize> = (0..wired.n_units()).collect();
    assert_eq!(trained.ratings(&wired, &all, 0.0), repeat.after);
    assert_eq!(trained.ratings(&wired, &[], -1.0), repeat.after);
    let found = gains(
        &wired,
        &[trained],
        data.ratings.view(),
        &names(),
        &thirds(&wired),
        &GainParams {
            gains: vec![-1.0, 0.0, 1.0],
            random_sets: 5,
            seed: 1,
            bins_within_nuclei: false,
        },
        &|_, _| {},
    );
    let intact = scores(data.ratings.view(), &[repeat.after.view()], 0, 1).unwrap();
    for curve in found.iter().filter(|curve| curve.units == "any") {
        let rating = usize::from(curve.rating == "arousal");
        let at_0 = curve.gains.iter().position(|a| *a == 0.0).unwrap();
        assert_eq!(curve.r[at_0], intact[rating].r, "{curve:?}");
        assert_eq!(curve.random[at_0], None);
        assert!(curve.p[0].is_some_and(|p| (1.0 / 6.0..=1.0).contains(&p)));
    }
    assert_eq!(found.len(), 2 * (4 + 1 + 3));
    // There is a single bin, so that selective for any is selective for it.
    for (of_bin, of_any) in found[8..10].iter().zip(&found[6..8]) {
        let expected = GainCurve {
            units: "HP".to_owned(),
            ..of_any.clone()
        };
        assert_eq!(*of_bin, expected);
        assert!(of_bin.nucleus == "all" && of_bin.n_units == 6.0);
    }
}

/// Cells of one bin within one nucleus, and cells without units.
#[test]
fn single_bins_are_changed_within_nuclei() {
    let data = Data::new(24, 5, 4);
    let wired = structure().wired(5, 2).unwrap();
    let (trained, repeat) = repeat_of(&data, &wired, 2);
    // The first bin has every third unit, the second those of the last nucleus that are not.
    let last = wired.ranges()[2].clone();
    let selective = Array2::from_shape_fn((2, wired.n_units()), |(bin, unit)| match bin {
        0 => unit % 3 == 0,
        _ => last.contains(&unit) && unit % 3 == 1,
    });
    let bins = ["HP", "LN"].map(str::to_owned);
    let units = [ChangedUnits::selective(
        &bins,
        std::slice::from_ref(&selective),
    )];
    let params = GainParams {
        gains: vec![-1.0, 0.0, 1.0],
        random_sets: 5,
        seed: 1,
        bins_within_nuclei: true,
    };
    let jobs = std::sync::atomic::AtomicUsize::new(0);
    let count = |_, of| jobs.store(of, std::sync::atomic::Ordering::Relaxed);
    let ratings = data.ratings.view();
    let trained = [trained];
    let found = gains(&wired, &trained, ratings, &names(), &units, &params, &count);
    // Any bin in 3 nuclei and all, each of two in all, and in 3 nuclei, 3 whole nuclei; two ratings.
    assert_eq!(found.len(), 2 * (4 + 2 + 6 + 3));
    let curve = |nucleus: &str, units: &str| {
        let is_it = |c: &&GainCurve| c.nucleus == nucleus && c.units == units;
        found.iter().find(is_it).unwrap()
    };
    // All units of a cell without units are intact, and cost nothing: 10 sets with two gains and six sets each, less the two without, and lesions.
    let r = scores(ratings, &[repeat.after.view()], 0, 1).unwrap()[0].r;
    for empty in ["LA", "BA"] {
        let of = curve(empty, "LN");
        assert_eq!((of.n_units, &of.r), (0.0, &vec![r; 3]));
        assert_eq!((&of.random, &of.p), (&vec![None; 3], &vec![None; 3]));
    }
    assert_eq!(jobs.into_inner(), 10 * 2 * 6 + 3);
    // What a cell does is what its units do.
    let units: Vec<usize> = last.filter(|unit| selective[[1, *unit]]).collect();
    let silent = trained[0].ratings(&wired, &units, -1.0);
    let expected = scores(ratings, &[silent.view()], 0, 1).unwrap()[0].r;
    let of = curve("CE", "LN");
    assert_eq!((of.n_units, of.r[0]), (units.len() as f64, expected));
    assert!(of.random[0].is_some() && of.p[0].is_some());
    assert_eq!(curve("all", "LN").r[0], of.r[0]);
}

#[test]
fn without_the_nucleus_that_ratings_are_read_from_only_the_bias_is_left() {
    let data = Data::new(24, 5, 5);
    let wired = structure().wired(5, 2).unwrap();
    let (trained, _) = repeat_of(&data, &wired, 3);
    let last: Vec<usize> = wired.ranges()[2].clone().collect();
    let found = trained.ratings(&wired, &last, -1.0);
    for division in data.divisions(3) {
        let first = found.row(division.tested[0]).to_owned();
        for &stimulus in &division.tested {
            assert_eq!(found.row(stimulus), first);
        }
    }
    // A lesion further back is not that of its readers.
    let first: Vec<usize> = wired.ranges()[0].clone().collect();
    assert_ne!(trained.ratings(&wired, &first, -1.0), found);
}

#[test]
fn gains_are_those_of_the_values_themselves() {
    let data = Data::new(24, 5, 6);
    let wired = structure().wired(5, 2).unwrap();
    let (trained, repeat) = repeat_of(&data, &wired, 4);
    // Ratings are linear in the units of the last nucleus.
    let last: Vec<usize> = wired.ranges()[2].clone().collect();
    let at = |alpha: f64| trained.ratings(&wired, &last, alpha);
    let (silent, double) = (at(-1.0), at(1.0));
    for ((double, silent), intact) in double.iter().zip(&silent).zip(&repeat.after) {
        assert!((double - (2.0 * intact - silent)).abs() < 1e-4);
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let data = Data::new(24, 5, 7);
    let wired = structure().wired(5, 2).unwrap();
    let run = |n_threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads);
        pool.build().unwrap().install(|| {
            let (trained, repeat) = repeat_of(&data, &wired, 5);
            let params = GainParams {
                gains: vec![-1.0, 2.0],
                random_sets: 3,
                seed: 1,
                bins_within_nuclei: true,
            };
            let curves = gains(
                &wired,
                &[trained],
                data.ratings.view(),
                &names(),
                &thirds(&wired),
                &params,
                &|_, _| {},
            );
            (repeat, format!("{:?}", curves))
        })
    };
    assert_eq!(run(1), run(4));
}

#[test]
fn a_training_that_was_interrupted_ends_the_same() {
    let data = Data::new(24, 5, 8);
    let wired = structure().wired(5, 2).unwrap();
    let division = &data.divisions(1)[0];
    let train = |folder: &std::path::Path| {
        train_fold(
            &wired,
            &data.pictures(),
            division,
            &learning(),
            1,
            true,
            folder,
        )
        .unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let whole = train(folder.path());
    // All epochs are in the folder; going on from them trains nothing.
    assert_eq!(train(folder.path()), whole);
}

#[test]
fn epochs_of_all_nuclei_have_a_geometry() {
    let data = Data::new(24, 5, 9);
    let wired = structure().wired(5, 2).unwrap();
    let (_, repeat) = repeat_of(&data, &wired, 6);
    let (valence, arousal) = (
        data.ratings.column(0).to_vec(),
        data.ratings.column(1).to_vec(),
    );
    let params = BinParams {
        scale: consilience_methods::emotion::RatingScale::new(-20.0, 30.0).unwrap(),
        valence: "tertiles".parse().unwrap(),
        arousal: "tertiles".parse().unwrap(),
        min_items: 2,
    };
    let binned = bins(&valence, Some(&arousal), &params).unwrap();
    let models = ModelRdms::of(&valence, Some(&arousal), &binned).unwrap();
    assert_eq!(models.names.len(), 4);
    let found = geometry_of(
        &wired,
        &repeat,
        &models,
        models.rdms.slice(s![..1, ..]),
        Dissimilarity::Euclidean,
    )
    .unwrap();
    assert_eq!((found.scores.len(), found.scores[0].len()), (5, 3));
    let all = found.scores.iter().flatten().flatten().copied();
    assert!(all.flatten().all(|score| (-1.0..=1.0).contains(&score)));
    // Alone, arousal has no part.
    let alone = ModelRdms::of(&valence, None, &binned).unwrap();
    assert_eq!(alone.names, ["valence", "categories"]);
    assert_eq!(alone.rdms.row(0), models.rdms.row(1));
    // The first nucleus of the last epoch, by hand.
    let units: Array2<f64> = repeat.units.slice(s![4, .., 0..6]).mapv(f64::from);
    let mut distances = Vec::new();
    for a in 0..24_usize {
        for b in a + 1..24 {
            let d: f64 = (0..6_usize)
                .map(|k| (units[[a, k]] - units[[b, k]]).powi(2))
                .sum();
            distances.push(d.sqrt());
        }
    }
    let expected =
        consilience_stats::correlation::spearman(&distances, &models.rdms.row(0).to_vec());
    let own = found.scores[4][0][0];
    assert!((own.unwrap() - expected.unwrap()).abs() < 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn every_stimulus_is_tested_once_by_a_module_that_did_not_see_it(
        n in 20usize..60,
        n_folds in 2usize..6,
        seed in 0u64..1000,
    ) {
        let ratings: Vec<f64> = (0..n).map(|i| ((i * 7919) % 31) as f64).collect();
        let found = folds(&ratings, n_folds, 0.1, seed).unwrap();
        prop_assert_eq!(&found, &folds(&ratings, n_folds, 0.1, seed).unwrap());
        let mut times = vec![0; n];
        for division in &found {
            division.tested.iter().for_each(|&row| times[row] += 1);
            let mut all = [
                division.training.clone(),
                division.validation.clone(),
                division.tested.clone(),
            ]
            .concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
            prop_assert!(!division.validation.is_empty());
        }
        prop_assert!(times.iter().all(|&n| n == 1));
    }

    #[test]
    fn the_order_of_stimuli_does_not_count(seed in 0u64..200) {
        let data = Data::new(20, 5, seed);
        let other = Data::new(20, 5, seed + 1000);
        let order = Stream::new(seed, Domain::Permutations, 0).permutation(20);
        let found = scores(data.ratings.view(), &[other.ratings.view()], 0, 1).unwrap();
        let (a, b) = (
            data.ratings.select(Axis(0), &order),
            other.ratings.select(Axis(0), &order),
        );
        let moved = scores(a.view(), &[b.view()], 0, 1).unwrap();
        for (one, two) in found.iter().zip(&moved) {
            prop_assert!((one.r.unwrap() - two.r.unwrap()).abs() < 1e-12);
            prop_assert!((one.rmse - two.rmse).abs() < 1e-12);
        }
        let one = plane(data.ratings.view(), &[other.ratings.view()]).unwrap().unwrap();
        let two = plane(a.view(), &[b.view()]).unwrap().unwrap();
        prop_assert!((one.disparity.unwrap() - two.disparity.unwrap()).abs() < 1e-9);
        prop_assert!((one.energy - two.energy).abs() < 1e-9);
    }
}

#[test]
fn other_pictures_leave_all_stimuli_to_be_tested() {
    let found = elsewhere(50, 12, 0.1, 3).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].tested, (0..12).collect::<Vec<_>>());
    assert_eq!(
        (found[0].training.len(), found[0].validation.len()),
        (45, 5)
    );
}
