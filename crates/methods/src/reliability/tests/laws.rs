//! What must hold for any ratings.

use ndarray::{Array2, Axis, s};
use proptest::prelude::*;

use super::super::{
    Coefficient, RatingScale, ReliabilityParams, SnrParams, Unit, noise_ceiling_snr,
    rater_reliability, response_reliability,
};
use super::{COEFFICIENTS, bare, ratings, responses};

fn value(ratings: &Array2<f64>, params: &ReliabilityParams) -> f64 {
    rater_reliability(ratings.view(), params).unwrap().value
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Order of items and raters, a common scale and each rater's offset change nothing.
    #[test]
    fn order_and_offsets_change_nothing(
        n in 4..20_usize, k in 2..7_usize, index in 0..1000_u64, scale in 0.01..100.0_f64, signal in 0.0..3.0_f64,
    ) {
        let x = ratings(index, n, k, signal);
        let items: Vec<usize> = (0..n).map(|i| (i * (n - 1) + 2) % n).collect();
        let raters: Vec<usize> = (0..k).rev().collect();
        let mut moved = x.select(Axis(0), &items).select(Axis(1), &raters) * scale;
        for (rater, mut column) in moved.columns_mut().into_iter().enumerate() {
            column += rater as f64 * 7.0;
        }
        for coefficient in COEFFICIENTS {
            let params = bare(coefficient);
            let (a, b) = (value(&x, &params), value(&moved, &params));
            prop_assert!((a - b).abs() < 1e-8 * a.abs().max(1.0), "{coefficient} {a} {b}");
        }
    }

    /// Z-scores forget the scale of each rater, ranks every increasing map. (Of few items, two raters
    /// may have opposite ranks, whose mean is constant.)
    #[test]
    fn scales_forget_what_they_should(n in 10..20_usize, k in 2..6_usize, index in 0..1000_u64) {
        let x = ratings(index, n, k, 1.0);
        let mut gained = x.clone();
        for (rater, mut column) in gained.columns_mut().into_iter().enumerate() {
            column *= 1.0 + rater as f64;
        }
        for coefficient in COEFFICIENTS {
            let z = ReliabilityParams { scale: RatingScale::ZScores, ..bare(coefficient) };
            prop_assert!((value(&x, &z) - value(&gained, &z)).abs() < 1e-8);
            let ranks = ReliabilityParams { scale: RatingScale::Ranks, ..bare(coefficient) };
            prop_assert!((value(&x, &ranks) - value(&x.mapv(f64::exp), &ranks)).abs() < 1e-9);
        }
    }

    /// Two raters of equal variance: everything is a function of their correlation.
    #[test]
    fn two_raters_have_one_correlation(n in 4..30_usize, index in 0..1000_u64) {
        let x = ratings(index, n, 2, 1.0);
        let z = |coefficient| ReliabilityParams { scale: RatingScale::ZScores, ..bare(coefficient) };
        let r = value(&x, &z(Coefficient::Pairwise));
        let stepped = 2.0 * r / (1.0 + r);
        prop_assert!((value(&x, &z(Coefficient::LeaveOneOut)) - r).abs() < 1e-10);
        prop_assert!((value(&x, &z(Coefficient::SplitHalf)) - stepped).abs() < 1e-8 * stepped.abs().max(1.0));
        prop_assert!((value(&x, &z(Coefficient::Alpha)) - stepped).abs() < 1e-8 * stepped.abs().max(1.0));
    }

    /// A rater agrees with the mean that holds him at least as well as with that of the others.
    #[test]
    fn the_lower_ceiling_is_below_the_upper(n in 4..20_usize, k in 2..7_usize, index in 0..1000_u64) {
        let found = rater_reliability(ratings(index, n, k, 1.0).view(), &bare(Coefficient::LeaveOneOut)).unwrap();
        prop_assert!(found.value <= found.ceiling.unwrap() + 1e-12);
    }

    /// Channels are analysed as if they were alone, and scale and offset change nothing.
    #[test]
    fn signal_ignores_scale(n in 4..20_usize, r in 2..5_usize, index in 0..1000_u64, scale in 0.01..100.0_f64) {
        let x = responses(index, (r, n, 2), 1.0);
        let params = SnrParams { resamples: 20, permutations: 20, ..SnrParams::default() };
        let both = noise_ceiling_snr(x.view(), &params).unwrap();
        let moved = x.slice(s![.., .., 1..]).mapv(|v| 3.0 - scale * v);
        let alone = noise_ceiling_snr(moved.view(), &params).unwrap();
        let (a, b) = (both[1].as_ref().unwrap(), alone[0].as_ref().unwrap());
        prop_assert!((a.signal_variance - b.signal_variance).abs() < 1e-9);
        prop_assert!((a.explainable_variance - b.explainable_variance).abs() < 1e-9);
        prop_assert_eq!(a.p, b.p);
        prop_assert!((a.signal_variance + a.noise_variance - 1.0).abs() < 1e-12);
    }
}

/// The mean of the coefficients of Flanagan and Rulon over all splits is alpha (Cronbach 1951).
#[test]
fn alpha_is_the_mean_of_all_split_halves() {
    let x = ratings(3, 12, 6, 1.0);
    let alpha = value(&x, &bare(Coefficient::Alpha));
    let variance = |half: &[usize]| x.select(Axis(1), half).sum_axis(Axis(1)).var(1.0);
    let everyone: Vec<usize> = (0..6).collect();
    let splits = super::super::splits::Splits::new(6, 100, 1);
    let n_splits = splits.first.ncols();
    let mut mean = 0.0;
    for split in 0..n_splits {
        let (a, b): (Vec<usize>, Vec<usize>) =
            (0..6).partition(|&r| splits.first[(r, split)] > 0.0);
        mean += 2.0 * (1.0 - (variance(&a) + variance(&b)) / variance(&everyone));
    }
    assert!((mean / n_splits as f64 - alpha).abs() < 1e-12);
}

/// One rater of a reliability r: m of them have m·r / (1 + (m − 1)·r), however they are divided.
#[test]
fn stepping_up_follows_the_number_of_raters() {
    use super::super::coefficient::step_up;
    let of = |r: f64, m: f64| m * r / (1.0 + (m - 1.0) * r);
    for single in [0.05, 0.3, 0.9] {
        for (first, second) in [(1.0, 1.0), (2.0, 3.0), (1.0, 6.0), (5.0, 5.0)] {
            let correlation = (of(single, first) * of(single, second)).sqrt();
            let p = first / (first + second);
            let found = step_up(correlation, p * (1.0 - p)).unwrap();
            assert!((found - of(single, first + second)).abs() < 1e-12);
        }
    }
    assert_eq!(step_up(1.0, 0.2), Some(1.0));
    assert_eq!(step_up(-1.0, 0.25), None);
}

#[test]
fn random_splits_come_near_all_of_them() {
    let x = ratings(4, 40, 10, 1.0);
    let all = rater_reliability(x.view(), &bare(Coefficient::SplitHalf)).unwrap();
    let some = ReliabilityParams {
        splits: 100,
        ..bare(Coefficient::SplitHalf)
    };
    let some = rater_reliability(x.view(), &some).unwrap();
    assert_eq!((all.n_splits, some.n_splits), (126, 100));
    assert!(
        (all.value - some.value).abs() < 0.01,
        "{} {}",
        all.value,
        some.value
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let x = responses(5, (4, 15, 6), 1.0);
    for unit in [Unit::Items, Unit::Raters] {
        let params = ReliabilityParams {
            unit,
            resamples: 50,
            permutations: 50,
            ..ReliabilityParams::default()
        };
        let run = |n: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n)
                .build()
                .unwrap();
            pool.install(|| response_reliability(x.view(), &params).unwrap())
        };
        assert_eq!(run(1), run(3));
        assert!(
            run(2)
                .iter()
                .all(|c| c.as_ref().is_ok_and(|c| c.interval.is_some()))
        );
    }
}

#[test]
fn agreement_is_told_from_chance() {
    for coefficient in COEFFICIENTS {
        let params = ReliabilityParams {
            coefficient,
            resamples: 200,
            permutations: 199,
            ..ReliabilityParams::default()
        };
        let found = rater_reliability(ratings(6, 30, 5, 2.0).view(), &params).unwrap();
        assert_eq!(found.p, Some(0.005), "{coefficient}");
        let [low, high] = found.interval.unwrap();
        assert!(low < found.value && found.value < high && high <= 1.0);
        assert!(low > 0.3, "{coefficient} {low}");
        let noise = rater_reliability(ratings(7, 30, 5, 0.0).view(), &params).unwrap();
        assert!(noise.p.unwrap() > 0.05, "{coefficient}");
    }
    let found = noise_ceiling_snr(responses(8, (3, 40, 2), 1.5).view(), &SnrParams::default());
    for channel in found.unwrap() {
        let channel = channel.unwrap();
        assert!(channel.p.unwrap() < 0.01 && channel.interval.unwrap()[0] > 0.4);
    }
}
