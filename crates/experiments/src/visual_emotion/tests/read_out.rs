//! Categories that are read out of nuclei.

use consilience_stats::logistic::logistic;
use ndarray::{Array2, ArrayView2, Axis, s};

use super::*;
use crate::visual_emotion::{Categories, GainParams, Scaling, read_outs, repeat_read_outs};

fn categories(data: &Data) -> Categories {
    let of: Vec<Option<usize>> = (data.ratings.column(0).iter())
        .map(|&valence| match valence {
            v if v < 4.7 => Some(0),
            // A gap.
            v if v < 4.8 => None,
            v if v < 5.4 => Some(1),
            _ => Some(2),
        })
        .collect();
    Categories {
        learnt: of.clone(),
        tested: of,
    }
}

fn params() -> GainParams {
    GainParams {
        gains: vec![2.0, -1.0, 0.0, 0.5],
        random_sets: 9,
        seed: 1,
        bins_within_nuclei: false,
    }
}

/// Hits, misses and false alarms counted one by one, of units that are multiplied before anything else is done to them.
#[test]
fn read_outs_are_those_of_changed_units() {
    let data = Data::new(60, 5, 4);
    let wired = structure().wired(5, 2).unwrap();
    let divisions = data.divisions(3);
    let (runs, _) = trained(&wired, &data, &divisions, 3);
    let categories = categories(&data);
    let bins = ["HN", "LN", "MP"].map(str::to_owned);
    // Units 0, 7 and 14 for HN, 1, 8 and 15 for LN, 3, 10 and 17 for MP.
    let selective = Array2::from_shape_fn((3, wired.n_units()), |(bin, unit)| {
        unit % 7 == [0, 1, 3][bin]
    });
    let found = repeat_read_outs(
        &wired,
        &data.pictures(),
        (&divisions, &runs),
        &learning(),
        (selective.view(), &bins),
        &categories,
        (&params(), 0),
    );
    let found = read_outs(&wired, &[found], &categories, &params());
    assert_eq!(found.len(), 4 * 3);
    let mut ranges = wired.ranges();
    ranges.push(0..wired.n_units());
    let f1 = |range: &std::ops::Range<usize>, category: usize, units: &[usize], alpha: f32| {
        let (mut hits, mut misses, mut alarms) = (0.0, 0.0, 0.0);
        for (division, run) in divisions.iter().zip(&runs) {
            let scaling = Scaling::of(&data.pictures(), &division.training, &learning());
            let read = |rows: &[usize], alpha: f32| {
                let rows: Vec<usize> = (rows.iter().copied())
                    .filter(|&row| categories.tested[row].is_some())
                    .collect();
                let x = data.features.select(Axis(0), &rows);
                let (mut x, _) = wired.read(&run.weights, scaling.features(x.view()).view());
                for &unit in units {
                    x.column_mut(unit).mapv_inplace(|v| v * (1.0 + alpha));
                }
                let is: Vec<bool> = rows
                    .iter()
                    .map(|&row| categories.tested[row] == Some(category))
                    .collect();
                (x.slice(s![.., range.clone()]).mapv(f64::from), is)
            };
            let (learnt, is) = read(&division.training, 0.0);
            let moments: Vec<(f64, f64)> = (learnt.columns().into_iter())
                .map(|c| (c.mean().unwrap(), c.std(0.0)))
                .collect();
            let scored = |x: ArrayView2<'_, f64>| {
                Array2::from_shape_fn(x.dim(), |(i, j)| match moments[j].1 > 0.0 {
                    true => (x[[i, j]] - moments[j].0) / moments[j].1,
                    false => 0.0,
                })
            };
            let n_in = is.iter().filter(|is| **is).count() as f64;
            let n = is.len() as f64;
            let weights: Vec<f64> = is
                .iter()
                .map(|&is| n / 2.0 / if is { n_in } else { n - n_in })
                .collect();
            let fitted = logistic(scored(learnt.view()).view(), &is, &weights, 1.0).unwrap();
            let (tested, is) = read(&division.tested, alpha);
            for (row, is) in scored(tested.view()).rows().into_iter().zip(is) {
                match (is, fitted.log_odds(row) > 0.0) {
                    (true, true) => hits += 1.0,
                    (true, false) => misses += 1.0,
                    (false, true) => alarms += 1.0,
                    (false, false) => {}
                }
            }
        }
        2.0 * hits / (2.0 * hits + misses + alarms)
    };
    for (cell, read_out) in found.iter().enumerate() {
        let (range, category) = (&ranges[cell / 3], cell % 3);
        let letters = ["N", "M", "P"][category];
        let of_bins = |unit: &usize| {
            (0..3).any(|bin| bins[bin].ends_with(letters) && selective[[bin, *unit]])
        };
        let units: Vec<usize> = range.clone().filter(of_bins).collect();
        assert_eq!(read_out.n_units, units.len() as f64);
        assert_eq!(read_out.f1, Some(f1(range, category, &units, 0.0)));
        assert_eq!(
            read_out.lesioned.f1,
            Some(f1(range, category, &units, -1.0))
        );
        let gains = [0.5, 2.0].map(|alpha| f1(range, category, &units, alpha));
        let enhanced = read_out.enhanced.as_ref().unwrap();
        assert_eq!(enhanced.f1, Some(gains[0].max(gains[1])), "{read_out:?}");
        assert_eq!(enhanced.gain, if gains[1] > gains[0] { 2.0 } else { 0.5 });
        // Without units nothing is compared.
        assert_eq!(enhanced.p.is_some(), !units.is_empty());
        assert_eq!(read_out.lesioned.random.is_some(), !units.is_empty());
    }
    // Valence is told by the features, so the categories at its ends are.
    let all = &found[9..];
    for end in [&all[0], &all[2]] {
        assert!(end.f1.unwrap() > end.chance, "{end:?}");
    }
    let n: usize = all.iter().map(|of| of.n_stimuli).sum();
    assert_eq!(n, categories.tested.iter().flatten().count());
}

#[test]
fn a_category_that_is_not_there_has_no_read_out() {
    let data = Data::new(24, 5, 4);
    let wired = structure().wired(5, 2).unwrap();
    let divisions = data.divisions(3);
    let (runs, _) = trained(&wired, &data, &divisions, 3);
    let two = categories(&data)
        .tested
        .into_iter()
        .map(|c| c.map(|c| c / 2));
    let two: Vec<Option<usize>> = two.collect();
    let categories = Categories {
        learnt: two.clone(),
        tested: two,
    };
    let none = Array2::default((0, wired.n_units()));
    let found = repeat_read_outs(
        &wired,
        &data.pictures(),
        (&divisions, &runs),
        &learning(),
        (none.view(), &[]),
        &categories,
        (&params(), 0),
    );
    let found = read_outs(&wired, &[found], &categories, &params());
    let missing = &found[2];
    assert_eq!(
        (missing.n_stimuli, missing.f1, &missing.enhanced),
        (0, None, &None)
    );
    assert_eq!((missing.chance, missing.lesioned.f1), (0.0, None));
    // Without selective units nothing changes.
    assert!(found[0].f1.is_some());
    assert_eq!(found[0].f1, found[0].lesioned.f1);
}
