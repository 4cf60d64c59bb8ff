//! Logistic regression with a penalty on squared weights.

use ndarray::{Array1, ArrayView1, ArrayView2};

/// Most steps of Newton's method; a few are enough.
const MAX_STEPS: usize = 100;
/// Size of the gradient, per unit of weight of the items, at which it ends.
const TOLERANCE: f64 = 1e-9;

/// What separates items of a class from others.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// One for each feature, `(n_features,)`.
    pub weights: Array1<f64>,
    /// What is added.
    pub intercept: f64,
    /// Whether the gradient came down to nothing.
    pub has_converged: bool,
}

impl Logistic {
    /// The log odds of an item, above 0 where it is rather in the class than not; `x` is `(n_features,)`.
    #[must_use]
    pub fn log_odds(&self, x: ArrayView1<'_, f64>) -> f64 {
        self.weights.dot(&x) + self.intercept
    }
}

/// Fits the odds that an item is in a class.
///
/// # Shapes
///
/// `x` is `(n_items, n_features)`; `is_in` and `weights` have an entry for each item.
///
/// # Definition
///
/// Least Σ sᵢ log(1 + exp(−zᵢ(xᵢ·w + b))) + ½ λ |w|², where z is 1 in the class and −1 outside, s are `weights` and λ > 0 is `penalty`; b has no
/// penalty. Newton's method, whose steps are solved by conjugate gradients and halved until they help. `None` when all items of any weight
/// are in the class or none is, as b has no least then.
///
/// # Panics
///
/// When the shapes differ.
///
/// # Peers
///
/// scikit-learn 1.9.1 `LogisticRegression(C=1/λ)` with `sample_weight`, to 1e-6.
#[must_use]
pub fn logistic(
    x: ArrayView2<'_, f64>,
    is_in: &[bool],
    weights: &[f64],
    penalty: f64,
) -> Option<Logistic> {
    assert_eq!(x.nrows(), is_in.len(), "a class for each item");
    assert_eq!(x.nrows(), weights.len(), "a weight for each item");
    let has = |class: bool| (is_in.iter().zip(weights)).any(|(&is, &s)| is == class && s > 0.0);
    if !(has(true) && has(false)) {
        return None;
    }
    let z = Array1::from_iter(is_in.iter().map(|&is| if is { 1.0 } else { -1.0 }));
    let s = ArrayView1::from(weights);
    let total: f64 = s.sum();
    let mut at = Point::new(x, Array1::zeros(x.ncols()), 0.0, &z, s, penalty);
    for _ in 0..MAX_STEPS {
        if at.size() <= TOLERANCE * total {
            break;
        }
        let (step, step_b) = at.newton_step(x, s, penalty);
        let slope = at.gradient.dot(&step) + at.gradient_b * step_b;
        let mut share = 1.0;
        let next = loop {
            let w = &at.w + &(&step * share);
            let next = Point::new(x, w, at.b + share * step_b, &z, s, penalty);
            if next.loss <= at.loss + 1e-4 * share * slope {
                break Some(next);
            }
            share /= 2.0;
            if share < 1e-10 {
                break None;
            }
        };
        match next {
            Some(next) => at = next,
            // No step helps any more: rounding.
            None => break,
        }
    }
    Some(Logistic {
        has_converged: at.size() <= 1e3 * TOLERANCE * total,
        weights: at.w,
        intercept: at.b,
    })
}

/// Where the search is.
struct Point {
    w: Array1<f64>,
    b: f64,
    loss: f64,
    gradient: Array1<f64>,
    gradient_b: f64,
    /// Probability of the class for each item.
    p: Array1<f64>,
}

impl Point {
    fn new(
        x: ArrayView2<'_, f64>,
        w: Array1<f64>,
        b: f64,
        z: &Array1<f64>,
        s: ArrayView1<'_, f64>,
        penalty: f64,
    ) -> Self {
        let f = x.dot(&w) + b;
        let losses = f
            .iter()
            .zip(z)
            .zip(s)
            .map(|((f, z), s)| s * softplus(-z * f));
        let loss = losses.sum::<f64>() + 0.5 * penalty * w.dot(&w);
        let p = f.mapv(sigmoid);
        // The derivative by f: p in the class less what it is.
        let error = Array1::from_iter(
            p.iter()
                .zip(z)
                .zip(s)
                .map(|((p, z), s)| s * (p - if *z > 0.0 { 1.0 } else { 0.0 })),
        );
        Self {
            gradient: x.t().dot(&error) + &w * penalty,
            gradient_b: error.sum(),
            w,
            b,
            loss,
            p,
        }
    }

    /// Largest entry of the gradient.
    fn size(&self) -> f64 {
        let all = self.gradient.iter().chain([&self.gradient_b]);
        all.fold(0.0, |most, g| g.abs().max(most))
    }

    /// The solution of H·step = −gradient, by conjugate gradients.
    fn newton_step(
        &self,
        x: ArrayView2<'_, f64>,
        s: ArrayView1<'_, f64>,
        penalty: f64,
    ) -> (Array1<f64>, f64) {
        let curvature = Array1::from_iter(self.p.iter().zip(s).map(|(p, s)| s * p * (1.0 - p)));
        let product = |v: &Array1<f64>, b: f64| {
            let weighted = (x.dot(v) + b) * &curvature;
            (x.t().dot(&weighted) + v * penalty, weighted.sum())
        };
        let (mut step, mut step_b) = (Array1::zeros(x.ncols()), 0.0);
        let (mut rest, mut rest_b) = (-&self.gradient, -self.gradient_b);
        let (mut way, mut way_b) = (rest.clone(), rest_b);
        let mut square = rest.dot(&rest) + rest_b * rest_b;
        // The next step mends what this one leaves.
        let enough = square * 1e-6;
        for _ in 0..2 * (x.ncols() + 1) {
            if square <= enough {
                break;
            }
            let (moved, moved_b) = product(&way, way_b);
            let curved = way.dot(&moved) + way_b * moved_b;
            if curved <= 0.0 {
                break;
            }
            let share = square / curved;
            step.scaled_add(share, &way);
            step_b += share * way_b;
            rest.scaled_add(-share, &moved);
            rest_b -= share * moved_b;
            let next = rest.dot(&rest) + rest_b * rest_b;
            way = &rest + &(&way * (next / square));
            way_b = rest_b + way_b * next / square;
            square = next;
        }
        (step, step_b)
    }
}

fn sigmoid(f: f64) -> f64 {
    if f >= 0.0 {
        1.0 / (1.0 + (-f).exp())
    } else {
        f.exp() / (1.0 + f.exp())
    }
}

/// log(1 + exp(f)).
fn softplus(f: f64) -> f64 {
    f.max(0.0) + (-f.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Domain, Stream};
    use ndarray::Array2;
    use serde_json::Value;

    fn numbers(value: &Value) -> Vec<f64> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn weights_are_those_of_scikit_learn() {
        let text = include_str!("../../../fixtures/logistic/logistic.json");
        let cases: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 3);
        for case in cases {
            let rows: Vec<Vec<f64>> = serde_json::from_value(case["x"].clone()).unwrap();
            let x = Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap();
            let is_in: Vec<bool> = serde_json::from_value(case["y"].clone()).unwrap();
            let penalty = case["penalty"].as_f64().unwrap();
            let found = logistic(x.view(), &is_in, &numbers(&case["sample_weight"]), penalty);
            let found = found.unwrap();
            assert!(found.has_converged);
            let mut expected = numbers(&case["weights"]);
            expected.push(case["intercept"].as_f64().unwrap());
            for (a, b) in found
                .weights
                .iter()
                .chain([&found.intercept])
                .zip(&expected)
            {
                assert!((a - b).abs() < 1e-6, "{a} {b}");
            }
        }
    }

    /// At the least, no small move of a weight or the intercept helps.
    #[test]
    fn no_move_from_the_solution_helps() {
        let mut stream = Stream::new(1, Domain::Simulation, 0);
        let x = Array2::from_shape_simple_fn((12, 30), || stream.normal());
        let is_in: Vec<bool> = (0..12).map(|i| i % 3 == 0).collect();
        let s = vec![1.5; 12];
        let found = logistic(x.view(), &is_in, &s, 0.3).unwrap();
        let loss = |w: &Array1<f64>, b: f64| {
            let f = x.dot(w) + b;
            let items = f
                .iter()
                .zip(&is_in)
                .map(|(f, &is)| 1.5 * (1.0 + (if is { -f } else { *f }).exp()).ln());
            items.sum::<f64>() + 0.15 * w.dot(w)
        };
        let least = loss(&found.weights, found.intercept);
        for step in [-1e-3, 1e-3] {
            assert!(loss(&found.weights, found.intercept + step) > least);
            for feature in 0..30 {
                let mut moved = found.weights.clone();
                moved[feature] += step;
                assert!(loss(&moved, found.intercept) > least);
            }
        }
    }

    #[test]
    fn one_class_has_no_solution_and_no_feature_has_the_odds() {
        let x = Array2::from_elem((4, 1), 2.0);
        assert_eq!(logistic(x.view(), &[true; 4], &[1.0; 4], 1.0), None);
        let mixed = [true, true, true, false];
        assert_eq!(logistic(x.view(), &mixed, &[1.0, 1.0, 1.0, 0.0], 1.0), None);
        let none = Array2::zeros((4, 0));
        let found = logistic(none.view(), &mixed, &[1.0; 4], 1.0).unwrap();
        assert!((found.intercept - 3.0_f64.ln()).abs() < 1e-9);
        assert!((found.log_odds(none.row(0)) - found.intercept).abs() < 1e-12);
    }
}
