//! The definition on dense matrices: likelihood, generalised least squares, degrees of freedom.

use ndarray::{Array1, Array2, s};
use proptest::prelude::*;

use super::super::mixed_model;
use super::{OMIT, close, scores, with_gaps};

/// Inverse and logarithm of the determinant of a symmetric, positive definite matrix, by elimination.
fn inverse(matrix: &Array2<f64>) -> (Array2<f64>, f64) {
    let n = matrix.nrows();
    let mut work = ndarray::concatenate![ndarray::Axis(1), *matrix, Array2::<f64>::eye(n)];
    let mut ln_determinant = 0.0;
    for k in 0..n {
        let pivot = work[[k, k]];
        ln_determinant += pivot.ln();
        work.row_mut(k).mapv_inplace(|v| v / pivot);
        let row = work.row(k).to_owned();
        for i in (0..n).filter(|&i| i != k) {
            let factor = work[[i, k]];
            work.row_mut(i).scaled_add(-factor, &row);
        }
    }
    (work.slice(s![.., n..]).to_owned(), ln_determinant)
}

fn trace_of_product(a: &Array2<f64>, b: &Array2<f64>) -> f64 {
    (a * &b.t()).sum()
}

/// Scores in one column, with their design and who shares a subject.
struct Dense {
    y: Array1<f64>,
    x: Array2<f64>,
    same: Array2<f64>,
}

/// Of given variances.
struct Solved {
    ln_likelihood: f64,
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
    information: [[f64; 2]; 2],
}

impl Dense {
    fn new(table: &Array2<f64>, covariate: &Array2<f64>) -> Self {
        let present: Vec<((usize, usize), f64)> = table
            .indexed_iter()
            .filter(|(_, v)| !v.is_nan())
            .map(|(at, v)| (at, *v))
            .collect();
        let (n, n_models) = (present.len(), table.nrows());
        let centre = present.iter().map(|(at, _)| covariate[*at]).sum::<f64>() / n as f64;
        Self {
            y: present.iter().map(|(_, v)| *v).collect(),
            x: Array2::from_shape_fn((n, n_models + 1), |(i, j)| {
                if j < n_models {
                    f64::from(u8::from(present[i].0.0 == j))
                } else {
                    covariate[present[i].0] - centre
                }
            }),
            same: Array2::from_shape_fn((n, n), |(i, j)| {
                f64::from(u8::from(present[i].0.1 == present[j].0.1))
            }),
        }
    }

    fn solve(&self, [between, within]: [f64; 2]) -> Solved {
        let n = self.y.len();
        let eye = Array2::<f64>::eye(n);
        let (v, ln_v) = inverse(&(&self.same * between + &eye * within));
        let (covariance, ln_x) = inverse(&self.x.t().dot(&v).dot(&self.x));
        let vx = v.dot(&self.x);
        let p = &v - &vx.dot(&covariance).dot(&vx.t());
        let parts = [&self.same, &eye].map(|part| p.dot(part));
        let dof = (n - self.x.ncols()) as f64;
        let square = self.y.dot(&p.dot(&self.y));
        Solved {
            ln_likelihood: -0.5 * (dof * std::f64::consts::TAU.ln() + ln_v + ln_x + square),
            coefficients: covariance.dot(&vx.t()).dot(&self.y),
            information: [0, 1]
                .map(|a| [0, 1].map(|b| 0.5 * trace_of_product(&parts[a], &parts[b]))),
            covariance,
        }
    }

    /// 2·f²/(g′·I⁻¹·g), with differences in place of the gradient g.
    fn dof(&self, variances: [f64; 2], contrast: &Array1<f64>) -> f64 {
        let at = |v: [f64; 2]| contrast.dot(&self.solve(v).covariance.dot(contrast));
        let step = 1e-4 * (variances[0] + variances[1]);
        // One-sided, of second order, because a variance may be 0.
        let gradient = [0, 1].map(|k| {
            let moved = |steps: f64| {
                let mut v = variances;
                v[k] += steps * step;
                at(v)
            };
            (4.0 * moved(1.0) - 3.0 * moved(0.0) - moved(2.0)) / (2.0 * step)
        });
        let [[a, b], [_, d]] = self.solve(variances).information;
        let [g, h] = gradient;
        let spread = (d * g * g - 2.0 * b * g * h + a * h * h) / (a * d - b * b);
        2.0 * at(variances).powi(2) / spread
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn definitions_are_met(
        index in 0..10_000_u64, n_models in 2..5_usize, n_subjects in 4..9_usize, sd in 0.0..3.0_f64, missing in 0.0..0.4_f64,
    ) {
        let covariate = scores(index + 20_000, n_models, n_subjects, 1.0, 0.5);
        let table = with_gaps(scores(index, n_models, n_subjects, sd, 0.3), index, missing) + &covariate * 0.4;
        // A table may have lost too much.
        let Ok(found) = mixed_model(table.view(), &[covariate.view()], &OMIT) else { return Ok(()) };
        let dense = Dense::new(&table, &covariate);
        let variances = [found.subject_variance, found.residual_variance];
        let solved = dense.solve(variances);
        prop_assert!(close(found.ln_likelihood, solved.ln_likelihood, 1e-9));
        // No other variances are more likely.
        for between in [0.0, 0.01, 0.3, 1.0, 4.0] {
            for within in [0.7, 0.99, 1.0, 1.01, 1.5] {
                let other = dense.solve([between * variances[0].max(0.1), within * variances[1]]);
                prop_assert!(other.ln_likelihood <= solved.ln_likelihood + 1e-9);
            }
        }
        let mut contrast = Array1::zeros(n_models + 1);
        let mut check = |test: &super::super::MixedTest, entries: &[(usize, f64)]| {
            contrast.fill(0.0);
            for &(i, v) in entries {
                contrast[i] = v;
            }
            let variance = contrast.dot(&solved.covariance.dot(&contrast));
            close(test.estimate, contrast.dot(&solved.coefficients), 1e-8)
                && close(test.sem, variance.sqrt(), 1e-8)
                && close(test.dof, dense.dof(variances, &contrast), 1e-4)
        };
        for (m, test) in found.models.iter().enumerate() {
            prop_assert!(check(test, &[(m, 1.0)]), "{test:?}");
        }
        for pair in &found.pairs {
            prop_assert!(check(&pair.test, &[(pair.models[0], 1.0), (pair.models[1], -1.0)]), "{pair:?}");
        }
        prop_assert!(check(&found.covariates[0], &[(n_models, 1.0)]));
    }
}
