use ndarray::{Array2, Axis};

use super::normals;
use crate::appraise::exact;

/// Weights and intercept by Gaussian elimination of the normal equations, with the intercept as a column.
fn eliminated(x: &Array2<f64>, y: &[f64], w: &[f64], alpha: f64) -> Vec<f64> {
    let (n, p) = x.dim();
    let column = |i: usize, j: usize| if j < p { x[[i, j]] } else { 1.0 };
    let mut system = Array2::<f64>::zeros((p + 1, p + 2));
    for a in 0..=p {
        for i in 0..n {
            for b in 0..=p {
                system[[a, b]] += w[i] * column(i, a) * column(i, b);
            }
            system[[a, p + 1]] += w[i] * column(i, a) * y[i];
        }
        system[[a, a]] += if a < p { alpha } else { 0.0 };
    }
    for a in 0..=p {
        for b in (0..=p).filter(|b| *b != a) {
            let factor = system[[b, a]] / system[[a, a]];
            for c in 0..p + 2 {
                system[[b, c]] -= factor * system[[a, c]];
            }
        }
    }
    (0..=p)
        .map(|a| system[[a, p + 1]] / system[[a, a]])
        .collect()
}

#[test]
fn the_exact_solution_is_that_of_the_normal_equations() {
    for (n, p) in [(12, 3), (8, 8), (6, 15)] {
        let x = normals(n, p, 7).mapv(f64::from);
        let y: Vec<f64> = normals(n, 1, 8).iter().map(|&v| f64::from(v)).collect();
        let w: Vec<f64> = (0..n).map(|i| 0.5 + (i % 3) as f64).collect();
        for decay in [0.05, 2.0] {
            let found = exact::ridge(x.view(), &y, &w, Some(decay)).unwrap();
            let expected = eliminated(&x, &y, &w, 0.5 * n as f64 * decay);
            for (f, e) in found.weights.iter().chain([&found.bias]).zip(&expected) {
                assert!((f - e).abs() < 1e-9, "{n} × {p}: {f} {e}");
            }
            assert!((found.weight_decay - decay).abs() < 1e-12);
        }
    }
}

#[test]
fn the_penalty_is_chosen_by_leaving_out_each_picture() {
    for (n, p) in [(14, 3), (10, 16)] {
        let x = normals(n, p, 9).mapv(f64::from);
        let noise = normals(n, 1, 10);
        let y: Vec<f64> = (0..n)
            .map(|i| x[[i, 0]] + f64::from(noise[[i, 0]]))
            .collect();
        let w: Vec<f64> = (0..n).map(|i| 0.5 + (i % 4) as f64).collect();
        let total: f64 = w.iter().sum();
        let means: Vec<f64> = (0..p)
            .map(|j| (0..n).map(|i| w[i] * x[[i, j]]).sum::<f64>() / total)
            .collect();
        let trace: f64 = x
            .indexed_iter()
            .map(|((i, j), v)| w[i] * (v - means[j]).powi(2))
            .sum();
        let unit = trace / p.min(n - 1) as f64;
        let error = |alpha: f64| -> f64 {
            let of_row = |left_out: usize| {
                let rest: Vec<usize> = (0..n).filter(|&i| i != left_out).collect();
                let pick = |values: &[f64]| rest.iter().map(|&i| values[i]).collect::<Vec<f64>>();
                let x_rest = x.select(Axis(0), &rest);
                let head = eliminated(&x_rest, &pick(&y), &pick(&w), alpha);
                let rating: f64 = (0..p).map(|j| head[j] * x[[left_out, j]]).sum();
                w[left_out] * (y[left_out] - rating - head[p]).powi(2)
            };
            (0..n).map(of_row).sum()
        };
        let alphas = (-8..=8).map(|k| unit * 10_f64.powf(0.5 * f64::from(k)));
        let best = alphas
            .min_by(|a, b| error(*a).total_cmp(&error(*b)))
            .unwrap();
        let found = exact::ridge(x.view(), &y, &w, None).unwrap();
        let alpha = 0.5 * n as f64 * found.weight_decay;
        assert!(
            (alpha / best - 1.0).abs() < 1e-9,
            "{n} × {p}: {alpha} {best}"
        );
    }
}

#[derive(serde::Deserialize)]
struct Case {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
    w: Vec<f64>,
    given: Option<f64>,
    alpha: f64,
    weights: Vec<f64>,
    bias: f64,
}

#[derive(serde::Deserialize)]
struct Fixture {
    cases: Vec<Case>,
}

/// Expected values: `fixtures/generate/appraisal.py`.
#[test]
fn penalties_and_weights_are_those_of_scikit_learn() {
    let text = include_str!("../../../../../fixtures/appraisal/ridge.json");
    let fixture: Fixture = serde_json::from_str(text).unwrap();
    for case in fixture.cases {
        let (n, p) = (case.x.len(), case.x[0].len());
        let x = Array2::from_shape_fn((n, p), |(i, j)| case.x[i][j]);
        let decay = case.given.map(|alpha| 2.0 * alpha / n as f64);
        let found = exact::ridge(x.view(), &case.y, &case.w, decay).unwrap();
        let alpha = 0.5 * n as f64 * found.weight_decay;
        assert!(
            (alpha / case.alpha - 1.0).abs() < 1e-9,
            "{n} × {p}: {alpha} {}",
            case.alpha
        );
        let expected = case.weights.iter().chain([&case.bias]);
        for (f, e) in found.weights.iter().chain([&found.bias]).zip(expected) {
            assert!((f - e).abs() < 1e-9, "{n} × {p}: {f} {e}");
        }
    }
}
