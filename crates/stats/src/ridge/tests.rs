use ndarray::{Array2, ArrayView2};

use super::{Design, Form, Predictor, Side, Targets};
use crate::random::{Domain, Stream};

fn normals(n_rows: usize, n_columns: usize, index: u64) -> Array2<f64> {
    let mut stream = Stream::new(1, Domain::Simulation, index);
    Array2::from_shape_fn((n_rows, n_columns), |_| stream.normal())
}

const ALPHAS: [f64; 3] = [0.1, 10.0, 1.0];

/// Errors and predictions of rows 0…3 from the others.
fn outcome(design: &Design, y: ArrayView2<'_, f64>, form: Form) -> (Vec<f64>, Vec<f64>) {
    let (test, train): (Vec<usize>, Vec<usize>) = (0..y.nrows()).partition(|&row| row < 4);
    let factor = design.factor(&train).unwrap();
    let predictor = Predictor::<f64>::new(design, &factor, &test, &ALPHAS, form).unwrap();
    let targets = Targets::new(y, design.has_intercept());
    let fitted = predictor.fit(&targets);
    let mut errors = vec![0.0; ALPHAS.len() * y.ncols()];
    predictor.add_errors(&targets, &fitted, &mut errors);
    (
        errors,
        predictor.predict(&targets, &fitted, &[2, 0, 1, 1, 2]),
    )
}

fn assert_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 1e-11 * e.abs().max(1.0), "{f} {e}");
    }
}

#[test]
fn sides_forms_and_products_agree() {
    let y = normals(14, 5, 2) + 3.0;
    for n_columns in [3, 10, 25] {
        let x = normals(14, n_columns, n_columns as u64) + 1.0;
        for intercept in [true, false] {
            let primal = Design::new(x.view(), intercept, Side::Primal).unwrap();
            let dual = Design::new(x.view(), intercept, Side::Dual).unwrap();
            let products = x.dot(&x.t());
            let given = Design::from_products(products.view(), n_columns, intercept).unwrap();
            let expected = outcome(&primal, y.view(), Form::Direct);
            for design in [&primal, &dual, &given] {
                for form in [Form::Direct, Form::Factored] {
                    let found = outcome(design, y.view(), form);
                    assert_close(&found.0, &expected.0);
                    assert_close(&found.1, &expected.1);
                }
            }
        }
    }
}

/// Errors are those of the predictions.
#[test]
fn errors_are_in_units_of_the_targets() {
    let (x, y) = (normals(14, 3, 1), normals(14, 5, 2));
    let design = Design::new(x.view(), true, Side::Primal).unwrap();
    let (errors, predictions) = outcome(&design, y.view(), Form::Direct);
    for (target, choice) in [2, 0, 1, 1, 2].into_iter().enumerate() {
        let found: f64 = (0..4)
            .map(|row| (y[[row, target]] - predictions[row * 5 + target]).powi(2))
            .sum();
        let mean = y.column(target).mean().unwrap();
        let unit = y
            .column(target)
            .iter()
            .fold(0.0_f64, |m, v| m.max((v - mean).abs()));
        let expected = errors[choice * 5 + target] * unit * unit;
        assert!(
            (found - expected).abs() < 1e-12 * expected,
            "{found} {expected}"
        );
    }
}

#[test]
fn a_design_without_variation_predicts_the_mean() {
    let x = Array2::from_elem((14, 3), 2.0);
    let y = normals(14, 5, 2);
    for side in [Side::Primal, Side::Dual] {
        let design = Design::new(x.view(), true, side).unwrap();
        for form in [Form::Direct, Form::Factored] {
            let (_, predictions) = outcome(&design, y.view(), form);
            for (at, found) in predictions.iter().enumerate() {
                let mean = (4..14).map(|row| y[[row, at % 5]]).sum::<f64>() / 10.0;
                assert!((found - mean).abs() < 1e-14);
            }
        }
    }
}

#[test]
fn the_cheaper_form_is_chosen() {
    assert_eq!(Side::of(800, 4096), Side::Dual);
    assert_eq!(Side::of(800, 800), Side::Primal);
    // Twenty penalties of a fifth of the rows cost less than the projection of all; few features do not.
    assert_eq!(Form::of(800, 200, 799, 20), Form::Direct);
    assert_eq!(Form::of(800, 200, 20, 20), Form::Factored);
    assert_eq!(Form::of(999, 1, 999, 20), Form::Direct);
}
