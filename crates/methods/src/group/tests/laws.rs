//! What must hold for any input.

use consilience_stats::noncentral::{student_t_cdf, unbiasing_factor};
use ndarray::{Array2, Axis, array};
use proptest::prelude::*;

use super::super::{Alternative, GroupParams, GroupTest, GroupTests, group_tests, ln_bayes_factor};
use super::normals;
use crate::NanPolicy;
use crate::rsa::Correction;

const SIDES: [Alternative; 3] = [
    Alternative::Greater,
    Alternative::Less,
    Alternative::TwoSided,
];

fn run(scores: &Array2<f64>, alternative: Alternative) -> GroupTests {
    let params = GroupParams {
        alternative,
        pair_alternative: alternative,
        flips: 1024,
        ..GroupParams::default()
    };
    group_tests(scores.view(), &params).unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(1.0)
}

/// All numbers of a test but mean, spread and interval, which have the unit of the scores.
fn unitless(test: &GroupTest) -> Vec<f64> {
    let (s, r, f) = (
        test.student.unwrap(),
        test.signed_rank.unwrap(),
        test.sign_flip.unwrap(),
    );
    let [low, high] = s.d_interval;
    vec![
        s.t,
        s.p,
        s.p_corrected.unwrap(),
        s.cohens_d,
        s.hedges_g.unwrap(),
        low,
        high,
        s.ln_bayes_factor,
        r.p,
        r.p_corrected.unwrap(),
        r.rank_biserial,
        f.p,
        f.p_corrected.unwrap(),
        f.p_fwe,
    ]
}

/// t, d and the two tests by counting, from nothing but their definitions.
fn naive(x: &[f64], alternative: Alternative) -> [f64; 5] {
    let n = x.len();
    let t_of = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / n as f64;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0);
        (mean / (variance / n as f64).sqrt(), mean / variance.sqrt())
    };
    let rank = |v: f64| {
        let below = x.iter().filter(|w| w.abs() < v.abs()).count() as f64;
        let same = x.iter().filter(|w| w.abs() == v.abs()).count() as f64;
        below + (same + 1.0) / 2.0
    };
    let w_of = |x: &[f64]| -> f64 { x.iter().filter(|v| **v > 0.0).map(|v| rank(*v)).sum() };
    let flipped = |flip: usize| -> Vec<f64> {
        (0..n)
            .map(|i| if flip >> i & 1 == 1 { -x[i] } else { x[i] })
            .collect()
    };
    let all: Vec<Vec<f64>> = (0..1 << n).map(flipped).collect();
    let share = |of: &dyn Fn(&[f64]) -> bool| {
        all.iter().filter(|x| of(x)).count() as f64 / all.len() as f64
    };
    let (t, d) = t_of(x);
    let w = w_of(x);
    let ranks = [
        share(&|x| w_of(x) <= w + 1e-9),
        share(&|x| w_of(x) >= w - 1e-9),
    ];
    let ends = [
        share(&|x| t_of(x).0 <= t + 1e-9),
        share(&|x| t_of(x).0 >= t - 1e-9),
    ];
    let both = share(&|x| t_of(x).0.abs() >= t.abs() - 1e-9);
    let (by_rank, by_flip) = match alternative {
        Alternative::Greater => (ranks[1], ends[1]),
        Alternative::Less => (ranks[0], ends[0]),
        Alternative::TwoSided => ((2.0 * ranks[0].min(ranks[1])).min(1.0), both),
    };
    [t, d, w, by_rank, by_flip]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn definitions_are_met(n in 3..9_usize, index in 0..1000_u64, ties in any::<bool>()) {
        let scores = normals(index, 2, n).mapv(|v| if ties { (3.0 * v).round() } else { v } + 0.25);
        for alternative in SIDES {
            let found = run(&scores, alternative);
            let difference = &scores.row(0) - &scores.row(1);
            let rows = [scores.row(0).to_owned(), scores.row(1).to_owned(), difference];
            let tests = found.models.iter().chain(found.pairs.iter().map(|p| &p.test));
            for (row, test) in rows.iter().zip(tests) {
                let Some(student) = test.student else { continue };
                if row.iter().any(|v| *v == 0.0) {
                    continue;
                }
                let [t, d, w, by_rank, by_flip] = naive(row.as_slice().unwrap(), alternative);
                prop_assert!(close(student.t, t) && close(student.cohens_d, d));
                let ranks = test.signed_rank.unwrap();
                prop_assert!(close(ranks.w_plus, w) && close(ranks.p, by_rank), "{} {by_rank}", ranks.p);
                prop_assert!(close(test.sign_flip.unwrap().p, by_flip));
                prop_assert!(close(test.mean.unwrap(), row.mean().unwrap()));
                // The ends of the interval of d are where t would be as extreme as it is.
                let dof = n as f64 - 1.0;
                for (bound, p) in student.d_interval.iter().zip([0.975, 0.025]) {
                    prop_assert!(close(student_t_cdf(t, dof, bound * (n as f64).sqrt()), p));
                }
                prop_assert!(close(student.hedges_g.unwrap(), d * unbiasing_factor(dof)));
            }
        }
    }

    /// A unit changes no p, effect size or Bayes factor.
    #[test]
    fn scale_has_no_say(n in 3..14_usize, index in 0..1000_u64, scale in 1e-6..1e6_f64) {
        let scores = normals(index, 3, n) + 0.3;
        for alternative in SIDES {
            let (plain, scaled) = (run(&scores, alternative), run(&(&scores * scale), alternative));
            let pairs = |found: &GroupTests| found.pairs.iter().map(|p| p.test.clone()).collect::<Vec<_>>();
            let both = plain.models.iter().zip(&scaled.models);
            for (a, b) in both.map(|(a, b)| (a.clone(), b.clone())).chain(pairs(&plain).into_iter().zip(pairs(&scaled))) {
                prop_assert!(unitless(&a).iter().zip(unitless(&b)).all(|(a, b)| close(*a, b)));
                prop_assert!(close(a.mean.unwrap() * scale / b.mean.unwrap(), 1.0));
                prop_assert!(close(a.student.unwrap().sd * scale / b.student.unwrap().sd, 1.0));
            }
        }
    }

    /// Mirrored scores have mirrored effects, the same two-sided p and exchanged one-sided ones.
    #[test]
    fn signs_are_symmetric(n in 3..14_usize, index in 0..1000_u64) {
        let scores = normals(index, 3, n) + 0.2;
        for (there, back) in [
            (Alternative::TwoSided, Alternative::TwoSided),
            (Alternative::Greater, Alternative::Less),
        ] {
            let (plain, mirrored) = (run(&scores, there), run(&-&scores, back));
            for (a, b) in plain.models.iter().zip(&mirrored.models) {
                let (s, m) = (a.student.unwrap(), b.student.unwrap());
                prop_assert!(close(s.t, -m.t) && close(s.p, m.p) && close(s.cohens_d, -m.cohens_d));
                prop_assert!(close(s.d_interval[0], -m.d_interval[1]) && close(s.interval[0], -m.interval[1]));
                prop_assert!(close(s.ln_bayes_factor, m.ln_bayes_factor));
                let (r, q) = (a.signed_rank.unwrap(), b.signed_rank.unwrap());
                prop_assert!(close(r.p, q.p) && close(r.rank_biserial, -q.rank_biserial));
                // Random flips of more than ten subjects are not mirrored themselves, but the same.
                prop_assert!(close(a.sign_flip.unwrap().p, b.sign_flip.unwrap().p));
                prop_assert!(close(a.sign_flip.unwrap().p_fwe, b.sign_flip.unwrap().p_fwe));
            }
        }
    }

    /// Chance is an origin: shifting both scores and chance moves the mean only.
    #[test]
    fn chance_is_an_origin(n in 3..12_usize, index in 0..1000_u64, chance in -3.0..3.0_f64) {
        let scores = normals(index, 2, n);
        let params = GroupParams { chance, flips: 256, ..GroupParams::default() };
        let at_zero = group_tests(scores.view(), &GroupParams { chance: 0.0, ..params }).unwrap();
        let moved = group_tests((&scores + chance).view(), &params).unwrap();
        for (a, b) in at_zero.models.iter().zip(&moved.models) {
            prop_assert!(unitless(a).iter().zip(unitless(b)).all(|(a, b)| (a - b).abs() < 1e-7 * a.abs().max(1.0)));
            prop_assert!(close(a.mean.unwrap() + chance, b.mean.unwrap()));
        }
    }

    /// What is corrected is never smaller, and a single test needs no correction.
    #[test]
    fn corrections_only_add(n in 3..20_usize, n_models in 1..6_usize, index in 0..1000_u64) {
        let scores = normals(index, n_models, n) + 0.4;
        for correction in [Correction::None, Correction::Fdr, Correction::FdrAny, Correction::Fwe, Correction::Bonferroni] {
            let params = GroupParams { correction, flips: 512, ..GroupParams::default() };
            let found = group_tests(scores.view(), &params).unwrap();
            prop_assert_eq!(found.pairs.len(), n_models * (n_models - 1) / 2);
            for family in [found.models.clone(), found.pairs.iter().map(|p| p.test.clone()).collect()] {
                for test in &family {
                    let (s, r, f) = (test.student.unwrap(), test.signed_rank.unwrap(), test.sign_flip.unwrap());
                    let tests = [(s.p, s.p_corrected), (r.p, r.p_corrected), (f.p, f.p_corrected), (f.p, Some(f.p_fwe))];
                    for (p, corrected) in tests {
                        let corrected = corrected.unwrap();
                        prop_assert!(corrected >= p - 1e-15 && corrected <= 1.0);
                        if family.len() == 1 || correction == Correction::None && corrected != f.p_fwe {
                            prop_assert!(close(p, corrected));
                        }
                    }
                }
            }
        }
    }

    /// A subject without a score is as if he had not been there.
    #[test]
    fn omitted_subjects_take_no_part(n in 5..12_usize, index in 0..1000_u64) {
        let scores = normals(index, 2, n) + 0.3;
        let mut holed = scores.clone();
        holed[[0, 1]] = f64::NAN;
        let params = GroupParams { nan: NanPolicy::Omit, flips: 4096, ..GroupParams::default() };
        let found = group_tests(holed.view(), &params).unwrap();
        let left: Vec<usize> = (0..n).filter(|&s| s != 1).collect();
        let without = group_tests(scores.select(Axis(1), &left).view(), &params).unwrap();
        for (a, b) in [(&found.models[0], &without.models[0]), (&found.pairs[0].test, &without.pairs[0].test)] {
            prop_assert_eq!((a.n, a.n_omitted), (n - 1, 1));
            let (s, r) = (a.student.unwrap(), b.student.unwrap());
            prop_assert!(s.t == r.t && s.p == r.p && s.ln_bayes_factor == r.ln_bayes_factor);
            prop_assert!(close(a.signed_rank.unwrap().p, b.signed_rank.unwrap().p));
            prop_assert!(close(a.sign_flip.unwrap().p, b.sign_flip.unwrap().p));
        }
        prop_assert_eq!(found.models[1].n_omitted, 0);
        prop_assert_eq!(found.notes.len(), 2 + usize::from(n < 6));
        // The largest t over models of different numbers of subjects, counted.
        let t_of = |row: usize, flip: usize| {
            let x: Vec<f64> = (0..n)
                .map(|i| holed[[row, i]] * if flip >> i & 1 == 1 { -1.0 } else { 1.0 })
                .filter(|v| !v.is_nan())
                .collect();
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let square: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
            mean / (square / (x.len() as f64 - 1.0) / x.len() as f64).sqrt()
        };
        for row in 0..2 {
            let n_most = (0..1 << n).filter(|&flip| t_of(0, flip).max(t_of(1, flip)) >= t_of(row, 0) - 1e-9).count();
            let expected = n_most as f64 / f64::from(1 << n);
            prop_assert!(close(found.models[row].sign_flip.unwrap().p_fwe, expected));
        }
    }

    /// One side and the other make twice the whole, and a larger t speaks more for its side.
    #[test]
    fn bayes_factors_add_up(t in -40.0..40.0_f64, n in 2..300_usize, scale in 0.1..3.0_f64) {
        let of = |t, alternative| ln_bayes_factor(t, n, scale, alternative);
        let [above, below, both] = SIDES.map(|side| of(t, side));
        let sum = 0.5 * ((above - both).exp() + (below - both).exp());
        prop_assert!((sum - 1.0).abs() < 1e-10, "{sum}");
        prop_assert!((of(-t, Alternative::Less) - above).abs() < 1e-10 * above.abs().max(1.0));
        prop_assert!(of(t + 0.1, Alternative::Greater) > above);
    }
}

/// Rouder's integral over g itself, by the midpoint rule on a fine grid of g/(1 + g).
#[test]
fn bayes_factor_of_rouder() {
    for (t, n, scale) in [(0.3, 6, 0.7_f64), (2.4, 15, 1.0), (-3.1, 40, 0.4)] {
        let (count, dof) = (n as f64, n as f64 - 1.0);
        let steps = 2_000_000;
        let sum: f64 = (0..steps)
            .map(|i| {
                let share = (f64::from(i) + 0.5) / f64::from(steps);
                let g = share / (1.0 - share);
                let spread = 1.0 + count * g * scale * scale;
                let prior = g.powf(-1.5) * (-0.5 / g).exp() / std::f64::consts::TAU.sqrt();
                let marginal =
                    spread.powf(-0.5) * (1.0 + t * t / (spread * dof)).powf(-count / 2.0);
                prior * marginal / (1.0 - share).powi(2)
            })
            .sum();
        let expected = sum / f64::from(steps) / (1.0 + t * t / dof).powf(-count / 2.0);
        let found = ln_bayes_factor(t, n, scale, Alternative::TwoSided).exp();
        assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
    }
}

/// Far beyond what a number can hold, either way.
#[test]
fn logarithms_of_bayes_factors_stay_finite() {
    let of = |t, n, alternative| ln_bayes_factor(t, n, 0.5_f64.sqrt(), alternative);
    let mut last = 0.0;
    for t in [10.0, 1e2, 1e4, 1e8, 1e15] {
        let [for_it, against, both] = SIDES.map(|side| of(t, 10_000, side));
        assert!(both > last && both.is_finite() && (for_it - both - 2.0_f64.ln()).abs() < 1e-9);
        // Against it speaks the size of the effect only, not its evidence.
        assert!(against < 0.0 && against > -80.0, "{t}: {against}");
        last = both;
    }
    let small = of(0.0, 1_000_000, Alternative::TwoSided);
    assert!((-8.0..-5.0).contains(&small), "{small}");
}

/// Worked by hand: 1, 2, 3, 4 and −1.5 have ranks 1, 3, 4, 5 and 2.
#[test]
fn hand_computed() {
    let scores = array![[1.0, 2.0, 3.0, 4.0, -1.5]];
    let found = group_tests(scores.view(), &GroupParams::default()).unwrap();
    let test = &found.models[0];
    let ranks = test.signed_rank.unwrap();
    assert_eq!((ranks.w_plus, ranks.n_used, ranks.exact), (13.0, 5, true));
    // Sums of 13 or more leave out nothing, 1 or 2: 3 of 32.
    assert_eq!(ranks.p, 3.0 / 32.0);
    assert!((ranks.rank_biserial - 11.0 / 15.0).abs() < 1e-15);
    // The mean is as large when nothing, 1 or 1.5 is negative.
    assert_eq!(test.sign_flip.unwrap().p, 3.0 / 32.0);
    assert!((test.student.unwrap().t - 1.7 / (4.45_f64 / 5.0).sqrt()).abs() < 1e-12);
}

/// Equal but for rounding: 0.3 − 0.1 is not 0.2 − 0.0, and 0.1 + 0.2 is not 0.3.
#[test]
fn rounding_makes_no_order() {
    let scores = array![[0.3, 0.2, 0.5, 0.1 + 0.2, 0.1], [0.1, 0.0, 0.7, 0.3, 0.5]];
    let found = group_tests(scores.view(), &GroupParams::default()).unwrap();
    let ranks = found.pairs[0].test.signed_rank.unwrap();
    // 0.2, 0.2, −0.2, 0, −0.4: three share rank 2.
    assert_eq!((ranks.n_used, ranks.w_plus), (4, 4.0));
    let shifted = array![[0.1, 0.2, 0.3, 0.7], [0.4, 0.5, 0.6, 1.0]];
    let found = group_tests(shifted.view(), &GroupParams::default()).unwrap();
    assert_eq!(found.pairs[0].test.student, None);
}

/// The same bytes whatever the number of threads; other flips under another seed.
#[test]
fn threads_do_not_matter() {
    let scores = normals(3, 5, 40) + 0.1;
    let params = GroupParams {
        flips: 999,
        ..GroupParams::default()
    };
    let of = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| group_tests(scores.view(), &params).unwrap())
    };
    let one = of(1);
    assert_eq!(one, of(3));
    assert!(!one.all_flips && one.n_flips == 999);
    let reseeded = GroupParams { seed: 2, ..params };
    assert_ne!(one, group_tests(scores.view(), &reseeded).unwrap());
}
