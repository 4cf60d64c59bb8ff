//! The definitions in plain loops, laws, and input that has no answer.

use consilience_core::pairs;
use consilience_stats::rank::average_ranks;
use ndarray::{Array2, ArrayView2, array, s};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Dissimilarity, RdmOutcome, RdmParams, rdm};
use crate::{MethodsError, NanPolicy, PatternId};

/// An RDM problem with an answer by definition.
#[derive(Debug, Clone)]
struct Problem {
    patterns: Array2<f64>,
    params: RdmParams,
}

impl Problem {
    /// Random patterns of the kind a measure is for: `n_runs` runs of `n_conditions` conditions.
    fn new(
        dissimilarity: Dissimilarity,
        seed: u64,
        n_conditions: usize,
        n_channels: usize,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let n_runs = 3;
        // Each condition once a run, then some more of either.
        let mut rows: Vec<(i64, i64)> = (0..n_conditions as i64)
            .flat_map(|c| (0..n_runs).map(move |r| (3 * c - 4, r)))
            .collect();
        for _ in 0..rng.random_range(0..6) {
            rows.push(rows[rng.random_range(0..rows.len())]);
        }
        for i in (1..rows.len()).rev() {
            rows.swap(i, rng.random_range(0..=i));
        }
        let offset = rng.random_range(-20.0..20.0);
        let patterns = Array2::from_shape_fn((rows.len(), n_channels), |_| match dissimilarity {
            Dissimilarity::PoissonKl => f64::from(rng.random_range(0..12_u8)),
            // Ties, as behind a ReLU.
            Dissimilarity::Spearman => rng.random_range(-1.0..1.0_f64).max(0.0),
            _ => offset + rng.random_range(-1.0..1.0),
        });
        let weighted = matches!(
            dissimilarity,
            Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis
        );
        let precision = weighted.then(|| {
            let root =
                Array2::from_shape_fn((n_channels, n_channels), |_| rng.random_range(-1.0..1.0));
            root.t().dot(&root)
        });
        let crossed = dissimilarity == Dissimilarity::Crossnobis;
        let labelled = crossed || seed.is_multiple_of(2);
        Self {
            patterns,
            params: RdmParams {
                dissimilarity,
                per_channel: seed.is_multiple_of(3)
                    && matches!(
                        dissimilarity,
                        Dissimilarity::Euclidean | Dissimilarity::Sqeuclidean
                    ),
                conditions: labelled.then(|| rows.iter().map(|r| r.0).collect()),
                runs: crossed.then(|| rows.iter().map(|r| r.1).collect()),
                noise_precision: precision,
                nan: NanPolicy::Refuse,
            },
        }
    }

    /// Makes a share of the values missing, and one channel altogether.
    fn with_missing(mut self, seed: u64, share: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        self.patterns
            .mapv_inplace(|v| if rng.random_bool(share) { f64::NAN } else { v });
        self.patterns.column_mut(1).fill(f64::NAN);
        self.params.nan = NanPolicy::Omit;
        self
    }

    /// The mean of the rows that `keep` holds for, NaN left out.
    fn mean(&self, keep: impl Fn(usize) -> bool) -> Vec<f64> {
        self.patterns
            .columns()
            .into_iter()
            .map(|column| {
                let values: Vec<f64> = (0..column.len())
                    .filter(|&row| keep(row) && !column[row].is_nan())
                    .map(|row| column[row])
                    .collect();
                values.iter().sum::<f64>() / values.len() as f64
            })
            .collect()
    }

    /// The definition, in loops.
    fn reference(&self) -> Vec<f64> {
        let n_rows = self.patterns.nrows();
        let labels = self
            .params
            .conditions
            .clone()
            .unwrap_or_else(|| (0..n_rows as i64).collect());
        let mut conditions = labels.clone();
        conditions.sort_unstable();
        conditions.dedup();
        let folds: Vec<Vec<[Vec<f64>; 2]>> = match &self.params.runs {
            None => vec![
                conditions
                    .iter()
                    .map(|&c| {
                        let mean = self.mean(|row| labels[row] == c);
                        [mean.clone(), mean]
                    })
                    .collect(),
            ],
            Some(runs) => (0..3)
                .map(|run| {
                    conditions
                        .iter()
                        .map(|&c| {
                            [
                                self.mean(|row| labels[row] == c && runs[row] != run),
                                self.mean(|row| labels[row] == c && runs[row] == run),
                            ]
                        })
                        .collect()
                })
                .collect(),
        };
        pairs::iter(conditions.len())
            .map(|(i, j)| {
                let common: Vec<usize> = (0..self.patterns.ncols())
                    .filter(|&k| {
                        folds.iter().all(|fold| {
                            [&fold[i], &fold[j]]
                                .iter()
                                .all(|sides| sides.iter().all(|s| !s[k].is_nan()))
                        })
                    })
                    .collect();
                let pick = |v: &[f64]| -> Vec<f64> { common.iter().map(|&k| v[k]).collect() };
                let values: Vec<f64> = folds
                    .iter()
                    .map(|fold| {
                        let [x, x_other] = [&fold[i][0], &fold[i][1]].map(|v| pick(v));
                        let [y, y_other] = [&fold[j][0], &fold[j][1]].map(|v| pick(v));
                        self.dissimilarity(&x, &y, &x_other, &y_other, &common)
                    })
                    .collect();
                values.iter().sum::<f64>() / values.len() as f64
            })
            .collect()
    }

    fn dissimilarity(
        &self,
        x: &[f64],
        y: &[f64],
        x_other: &[f64],
        y_other: &[f64],
        common: &[usize],
    ) -> f64 {
        let p = x.len() as f64;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let cosine = |a: &[f64], b: &[f64]| 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
        let centred = |a: &[f64]| -> Vec<f64> {
            let mean = a.iter().sum::<f64>() / p;
            a.iter().map(|v| v - mean).collect()
        };
        let minus =
            |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let difference = minus(x, y);
        let divisor = if self.params.per_channel { p } else { 1.0 };
        match self.params.dissimilarity {
            Dissimilarity::Correlation => cosine(&centred(x), &centred(y)),
            Dissimilarity::Spearman => {
                cosine(&centred(&average_ranks(x)), &centred(&average_ranks(y)))
            }
            Dissimilarity::Cosine => cosine(x, y),
            Dissimilarity::Euclidean => (dot(&difference, &difference) / divisor).sqrt(),
            Dissimilarity::Sqeuclidean => dot(&difference, &difference) / divisor,
            Dissimilarity::Mahalanobis | Dissimilarity::Crossnobis => {
                let other = minus(x_other, y_other);
                let precision = self.params.noise_precision.as_ref().unwrap();
                let mut total = 0.0;
                for (a, &k) in common.iter().enumerate() {
                    for (b, &l) in common.iter().enumerate() {
                        total += difference[a] * precision[[k, l]] * other[b];
                    }
                }
                total / p
            }
            Dissimilarity::PoissonKl => {
                let rate = |v: f64| (v + 0.1) / 1.1;
                x.iter()
                    .zip(y)
                    .map(|(&x, &y)| (rate(x) - rate(y)) * (rate(x) / rate(y)).ln())
                    .sum::<f64>()
                    / p
            }
        }
    }

    fn solve(&self) -> RdmOutcome {
        rdm(self.patterns.view(), &self.params).unwrap()
    }
}

/// Compares with a tolerance relative to each value, or to the mean size where values pass zero.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, signed: bool) {
    assert_eq!(found.len(), expected.len());
    let mean = expected.iter().map(|v| v.abs()).sum::<f64>() / expected.len() as f64;
    for (k, (f, e)) in found.iter().zip(expected).enumerate() {
        let scale = if signed { mean.max(e.abs()) } else { e.abs() };
        assert!(
            (f - e).abs() <= tolerance * scale,
            "pair {k}: found {f}, expected {e}"
        );
    }
}

fn any_dissimilarity() -> impl Strategy<Value = Dissimilarity> {
    (0..8_usize).prop_map(|idx| Dissimilarity::all().nth(idx).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn f64_follows_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..8_usize, p in 12..150_usize
    ) {
        let problem = Problem::new(dissimilarity, seed, n, p);
        let signed = dissimilarity == Dissimilarity::Crossnobis;
        assert_close(&problem.solve().vector, &problem.reference(), 1e-9, signed);
    }

    #[test]
    fn f32_follows_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..8_usize, p in 12..150_usize
    ) {
        let mut problem = Problem::new(dissimilarity, seed, n, p);
        let narrow = problem.patterns.mapv(|v| v as f32);
        problem.patterns = narrow.mapv(f64::from);
        let found = rdm(narrow.view(), &problem.params).unwrap().vector;
        let signed = dissimilarity == Dissimilarity::Crossnobis;
        assert_close(&found, &problem.reference(), 1e-5, signed);
    }

    #[test]
    fn missing_values_follow_the_definition(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, n in 2..6_usize, p in 40..80_usize,
        share in prop_oneof![Just(0.0), Just(0.1)],
    ) {
        let problem = Problem::new(dissimilarity, seed, n, p).with_missing(seed, share);
        let outcome = problem.solve();
        let signed = dissimilarity == Dissimilarity::Crossnobis;
        assert_close(&outcome.vector, &problem.reference(), 1e-9, signed);
        let n_missing = problem.patterns.iter().filter(|v| v.is_nan()).count();
        prop_assert_eq!(outcome.n_omitted, n_missing);
    }

    /// Another order of the rows gives the same RDM in another order.
    #[test]
    fn reordering_rows_reorders_the_rdm(
        dissimilarity in any_dissimilarity(), seed in 0..u64::MAX, p in 12..150_usize
    ) {
        let mut problem = Problem::new(dissimilarity, seed, 5, p);
        let n_rows = problem.patterns.nrows();
        let original = problem.solve();
        let flip = |labels: &mut Option<Vec<i64>>| labels.iter_mut().for_each(|l| l.reverse());
        problem.patterns = problem.patterns.slice(s![..;-1, ..]).to_owned();
        flip(&mut problem.params.conditions);
        flip(&mut problem.params.runs);
        let flipped = problem.solve();
        prop_assert_eq!(&original.conditions, &flipped.conditions);
        let expected: Vec<f64> = if problem.params.conditions.is_some() {
            original.vector
        } else {
            pairs::iter(n_rows)
                .map(|(i, j)| original.vector[pairs::pair_idx(n_rows - 1 - j, n_rows - 1 - i, n_rows)])
                .collect()
        };
        let signed = dissimilarity == Dissimilarity::Crossnobis;
        assert_close(&flipped.vector, &expected, 1e-9, signed);
    }

    #[test]
    fn invariances(seed in 0..u64::MAX, p in 12..150_usize) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array2::from_shape_fn((6, p), |_| rng.random_range(-1.0..1.0));
        let of = |x: &Array2<f64>, dissimilarity| {
            let params = RdmParams { dissimilarity, ..RdmParams::default() };
            rdm(x.view(), &params).unwrap().vector
        };
        let mut scaled = x.clone();
        let mut affine = x.clone();
        for i in 0..6 {
            let factor = rng.random_range(0.1..10.0);
            scaled.row_mut(i).mapv_inplace(|v| v * factor);
            let shift = rng.random_range(-5.0..5.0);
            affine.row_mut(i).mapv_inplace(|v| v * factor + shift);
        }
        let cubed = x.mapv(|v| v * v * v);
        let shifted = &x + &affine.row(0);
        for (dissimilarity, other) in [
            (Dissimilarity::Correlation, &affine),
            (Dissimilarity::Spearman, &cubed),
            (Dissimilarity::Cosine, &scaled),
            (Dissimilarity::Euclidean, &shifted),
        ] {
            assert_close(&of(other, dissimilarity), &of(&x, dissimilarity), 1e-9, false);
        }
        let d = of(&x, Dissimilarity::Euclidean);
        let at = |i: usize, j: usize| d[pairs::pair_idx(i.min(j), i.max(j), 6)];
        for (i, j) in pairs::iter(6) {
            for k in (0..6).filter(|&k| k != i && k != j) {
                prop_assert!(at(i, j) <= at(i, k) + at(k, j) + 1e-12);
            }
        }
    }
}

/// Rows that differ by little beside a large mean: products alone would lose every digit.
#[test]
fn close_patterns_keep_their_digits() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let common: Vec<f32> = (0..3_000)
        .map(|_| rng.random_range(900.0..1100.0))
        .collect();
    let x = Array2::from_shape_fn((12, 3_000), |(row, k)| {
        common[k]
            + if row == 0 {
                0.0
            } else {
                rng.random_range(-0.01..0.01) * row as f32
            }
    });
    let mut twins = x.clone();
    twins.row_mut(7).assign(&x.row(3));
    for dissimilarity in Dissimilarity::all().take(5) {
        let params = RdmParams {
            dissimilarity,
            ..RdmParams::default()
        };
        let problem = Problem {
            patterns: x.mapv(f64::from),
            params: params.clone(),
        };
        let reference = problem.reference();
        // The reference itself subtracts 1 − r; only its absolute digits can be trusted there.
        for (found, expected) in rdm(x.view(), &params).unwrap().vector.iter().zip(reference) {
            assert!(
                (found - expected).abs() <= 1e-6 * expected + 1e-14,
                "{dissimilarity}"
            );
        }
        let vector = rdm(twins.view(), &params).unwrap().vector;
        assert_eq!(vector[pairs::pair_idx(3, 7, 12)], 0.0, "{dissimilarity}");
        assert!(vector.iter().all(|d| *d >= 0.0));
    }
}

/// Behind a ReLU most values are equal; their rounding errors must not add up.
#[test]
fn single_precision_holds_on_rectified_patterns() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let x = Array2::from_shape_fn((20, 30_000), |(row, k)| {
        let shared = ((k * 31 + 7) % 101) as f32 / 101.0 - 0.6;
        (shared + rng.random_range(-1.0..1.0_f32) * (0.02 + 0.05 * row as f32)).max(0.0)
    });
    for dissimilarity in Dissimilarity::all().take(5) {
        let params = RdmParams {
            dissimilarity,
            ..RdmParams::default()
        };
        let problem = Problem {
            patterns: x.mapv(f64::from),
            params: params.clone(),
        };
        let found = rdm(x.view(), &params).unwrap().vector;
        assert_close(&found, &problem.reference(), 1e-5, false);
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let bits = |n_threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            Dissimilarity::all()
                .flat_map(|dissimilarity| {
                    let problem = Problem::new(dissimilarity, 8, 50, 130);
                    let wide = problem.solve().vector;
                    let narrow = problem.patterns.mapv(|v| v as f32);
                    let narrow = rdm(narrow.view(), &problem.params).unwrap().vector;
                    let missing = problem.with_missing(1, 0.05).solve().vector;
                    [wide, narrow, missing].concat()
                })
                .map(f64::to_bits)
                .collect()
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(3));
}

/// Without any effect, crossnobis distances spread around zero.
#[test]
fn crossnobis_is_unbiased_under_the_null() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let (n_conditions, n_runs, n_channels, n_samples) = (5_usize, 4_usize, 20, 400);
    let params = RdmParams {
        dissimilarity: Dissimilarity::Crossnobis,
        conditions: Some((0..20).map(|row| row % n_conditions as i64).collect()),
        runs: Some((0..20).map(|row| row / n_conditions as i64).collect()),
        ..RdmParams::default()
    };
    let values: Vec<f64> = (0..n_samples)
        .flat_map(|_| {
            let noise = Array2::from_shape_fn((n_conditions * n_runs, n_channels), |_| {
                rng.random_range(-1.0..1.0)
            });
            rdm(noise.view(), &params).unwrap().vector
        })
        .collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let spread = (values.iter().map(|v| v * v).sum::<f64>() / n).sqrt();
    // Pairs that share a condition are correlated, so samples count, not pairs.
    assert!(
        mean.abs() < 4.0 * spread / f64::from(n_samples).sqrt(),
        "{mean} {spread}"
    );
    let n_negative = values.iter().filter(|v| **v < 0.0).count() as f64;
    assert!((0.4..0.65).contains(&(n_negative / n)), "{n_negative}");
}

#[test]
fn conditions_come_out_in_ascending_order() {
    let x = array![[1.0, 0.0], [0.0, 4.0], [3.0, 0.0], [0.0, 0.0]];
    let params = RdmParams {
        dissimilarity: Dissimilarity::Euclidean,
        conditions: Some(vec![9, -1, 9, 5]),
        ..RdmParams::default()
    };
    let outcome = rdm(x.view(), &params).unwrap();
    assert_eq!(outcome.conditions, [-1, 5, 9]);
    assert_eq!(outcome.vector, [4.0, 20.0_f64.sqrt(), 2.0]);
}

#[test]
fn any_memory_layout_will_do() {
    let x = Problem::new(Dissimilarity::Correlation, 1, 4, 70).patterns;
    let expected = rdm(x.view(), &RdmParams::default()).unwrap();
    let columns_first = x.t().as_standard_layout().to_owned();
    assert_eq!(
        rdm(columns_first.t(), &RdmParams::default()).unwrap(),
        expected
    );
    let mut spaced = Array2::zeros((2 * x.nrows(), x.ncols()));
    spaced.slice_mut(s![..;2, ..]).assign(&x);
    assert_eq!(
        rdm(spaced.slice(s![..;2, ..]), &RdmParams::default()).unwrap(),
        expected
    );
}

#[test]
fn names_round_trip_and_a_wrong_one_is_helped() {
    for dissimilarity in Dissimilarity::all() {
        assert_eq!(dissimilarity.to_string().parse(), Ok(dissimilarity));
    }
    let message = "corelation"
        .parse::<Dissimilarity>()
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "unknown dissimilarity \"corelation\", did you mean \"correlation\"?; expected one of: \
         correlation, spearman, cosine, euclidean, sqeuclidean, mahalanobis, crossnobis, poisson-kl"
    );
}

fn refused(x: ArrayView2<'_, f64>, params: RdmParams) -> MethodsError {
    rdm(x, &params).unwrap_err()
}

fn with(dissimilarity: Dissimilarity) -> RdmParams {
    RdmParams {
        dissimilarity,
        ..RdmParams::default()
    }
}

#[test]
fn undefined_patterns_are_named() {
    let x = array![[0.1, 0.2, 0.3], [0.1, 0.1, 0.1], [0.0, 0.0, 0.0]];
    let error = refused(x.view(), RdmParams::default());
    assert_eq!(
        error.to_string(),
        "correlation is undefined for row 1 (counted from 0): all its values are the same; leave \
         the pattern out or use euclidean"
    );
    let labelled = RdmParams {
        conditions: Some(vec![7, 4, 2]),
        ..with(Dissimilarity::Spearman)
    };
    assert!(matches!(
        refused(x.view(), labelled),
        MethodsError::UndefinedPattern {
            pattern: PatternId::Condition {
                label: 2,
                first_row: 2
            },
            ..
        }
    ));
    assert!(matches!(
        refused(x.view(), with(Dissimilarity::Cosine)),
        MethodsError::UndefinedPattern {
            pattern: PatternId::Row(2),
            ..
        }
    ));
    assert!(rdm(x.view(), &with(Dissimilarity::Euclidean)).is_ok());
    let rates = array![[1.0, 2.0], [3.0, -0.5]];
    assert!(matches!(
        refused(rates.view(), with(Dissimilarity::PoissonKl)),
        MethodsError::NegativeRate {
            pattern: PatternId::Row(1),
            column: 1,
            ..
        }
    ));
}

#[test]
fn values_that_are_not_numbers_are_refused() {
    let x = array![
        [1.0, 2.0, 4.0],
        [2.0, f64::NAN, 1.0],
        [f64::INFINITY, 0.0, 1.0]
    ];
    let omit = RdmParams {
        nan: NanPolicy::Omit,
        ..RdmParams::default()
    };
    assert!(matches!(
        refused(x.view(), RdmParams::default()),
        MethodsError::NonFinite {
            row: 1,
            column: 1,
            ..
        }
    ));
    assert!(matches!(
        refused(x.view(), omit.clone()),
        MethodsError::NonFinite {
            row: 2,
            column: 0,
            ..
        }
    ));
    let apart = array![[1.0, f64::NAN], [f64::NAN, 2.0]];
    for dissimilarity in [Dissimilarity::Euclidean, Dissimilarity::Mahalanobis] {
        let params = RdmParams {
            dissimilarity,
            ..omit.clone()
        };
        assert!(matches!(
            refused(apart.view(), params),
            MethodsError::UndefinedPair { n_common: 0, .. }
        ));
    }
    let nothing = array![[f64::NAN], [f64::NAN]];
    assert!(matches!(
        refused(nothing.view(), omit),
        MethodsError::TooFew { found: 0, .. }
    ));
}

#[test]
fn options_must_fit_the_measure() {
    let x = array![[1.0, 2.0], [2.0, 1.0], [0.0, 5.0], [3.0, 3.5]];
    let crossnobis = RdmParams {
        conditions: Some(vec![0, 1, 0, 1]),
        runs: Some(vec![0, 0, 1, 1]),
        ..with(Dissimilarity::Crossnobis)
    };
    assert!(rdm(x.view(), &crossnobis).is_ok());
    let change = |edit: fn(&mut RdmParams)| {
        let mut params = crossnobis.clone();
        edit(&mut params);
        refused(x.view(), params)
    };
    assert!(matches!(
        change(|p| p.runs = None),
        MethodsError::MissingOption { option: "runs", .. }
    ));
    assert!(matches!(
        change(|p| p.conditions = None),
        MethodsError::MissingOption {
            option: "conditions",
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.runs = Some(vec![3; 4])),
        MethodsError::TooFew { found: 1, .. }
    ));
    assert!(matches!(
        change(|p| p.runs = Some(vec![0, 0, 1, 2])),
        MethodsError::ConditionMissingInRun {
            condition: 1,
            run: 1
        }
    ));
    assert!(matches!(
        change(|p| p.conditions = Some(vec![0; 3])),
        MethodsError::ShapeMismatch {
            expected: 4,
            found: 3,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(Array2::eye(3))),
        MethodsError::ShapeMismatch {
            expected: 2,
            found: 3,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(array![[1.0, 2.0], [0.0, 1.0]])),
        MethodsError::NotSymmetric {
            row: 0,
            column: 1,
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.noise_precision = Some(array![[f64::NAN, 0.0], [0.0, 1.0]])),
        MethodsError::NonFinite {
            what: "the noise precision",
            ..
        }
    ));
    assert!(matches!(
        change(|p| p.per_channel = true),
        MethodsError::UnusedOption { .. }
    ));
    assert!(matches!(
        change(|p| p.dissimilarity = Dissimilarity::Cosine),
        MethodsError::UnusedOption { .. }
    ));
}

#[test]
fn too_little_data_is_refused() {
    for shape in [(0, 3), (1, 3), (3, 0)] {
        let x = Array2::<f64>::zeros(shape);
        let error = refused(x.view(), with(Dissimilarity::Euclidean));
        assert!(matches!(error, MethodsError::TooFew { .. }), "{shape:?}");
    }
}

#[test]
fn extreme_units_do_not_matter() {
    let x = Problem::new(Dissimilarity::Correlation, 3, 4, 80).patterns;
    for dissimilarity in [Dissimilarity::Correlation, Dissimilarity::Cosine] {
        let params = with(dissimilarity);
        let expected = rdm(x.view(), &params).unwrap().vector;
        for unit in [1e-290, 1e-170, 1e170, 1e290] {
            let found = rdm((&x * unit).view(), &params).unwrap().vector;
            assert_close(&found, &expected, 1e-9, false);
        }
    }
    let huge = &x * 1e290;
    assert!(rdm(huge.view(), &with(Dissimilarity::Euclidean)).is_ok());
    assert!(matches!(
        refused(huge.view(), with(Dissimilarity::Sqeuclidean)),
        MethodsError::OutOfRange { .. }
    ));
}
