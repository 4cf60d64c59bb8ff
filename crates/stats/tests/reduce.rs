//! Principal components and random projection against scikit-learn; numbers by
//! `fixtures/generate/reduce.py`.

use consilience_stats::reduce::{
    Pca, ReduceError, SparseProjection, johnson_lindenstrauss_min_dim,
};
use ndarray::{Array2, s};
use serde_json::Value;

fn golden() -> Value {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/reduce/reduce.json"
    );
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap().iter();
    items.map(|v| v.as_f64().unwrap()).collect()
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(list).collect();
    let shape = (rows.len(), rows[0].len());
    Array2::from_shape_vec(shape, rows.concat()).unwrap()
}

fn assert_close<'a>(
    found: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) {
    for (a, b) in found.into_iter().zip(expected) {
        assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{a} and {b}");
    }
}

#[test]
fn principal_components_are_those_of_scikit_learn() {
    for case in golden()["pca"].as_array().unwrap() {
        #[allow(
            clippy::cast_possible_truncation,
            reason = "they were written from f32"
        )]
        let narrow = |value: &Value| matrix(value).mapv(|v| v as f32);
        let data = narrow(&case["data"]);
        let k = case["n_components"].as_u64().unwrap() as usize;
        let pca = Pca::fit(data.dim(), k, |columns| {
            Ok::<_, ReduceError>(data.slice(s![.., columns]).to_owned())
        })
        .unwrap();
        let wide = |array: Array2<f32>| array.mapv(f64::from).into_iter().collect::<Vec<_>>();
        assert_close(
            wide(pca.components.clone()),
            &matrix(&case["components"]),
            1e-6,
        );
        let scores = pca.transform(narrow(&case["more"]).view());
        assert_close(wide(scores), &matrix(&case["scores"]), 1e-5);
        let (variance, ratio) = (
            &case["explained_variance"],
            &case["explained_variance_ratio"],
        );
        assert_close(pca.explained_variance.clone(), &list(variance), 1e-9);
        assert_close(pca.explained_variance_ratio.clone(), &list(ratio), 1e-9);
    }
}

#[test]
fn dimensions_and_weights_are_those_of_scikit_learn() {
    let golden = golden();
    for case in golden["dimensions"].as_array().unwrap() {
        let n_samples = case["n_samples"].as_u64().unwrap() as usize;
        let found = johnson_lindenstrauss_min_dim(n_samples, case["eps"].as_f64().unwrap());
        assert_eq!(found.unwrap() as u64, case["n"].as_u64().unwrap());
    }
    for case in golden["projections"].as_array().unwrap() {
        let n = |key: &str| case[key].as_u64().unwrap() as usize;
        let (p, k) = (n("n_features"), n("n_components"));
        let projection = SparseProjection::new(p, k, None, 1, 0).unwrap();
        let density = case["density"].as_f64().unwrap();
        assert!((projection.density() - density).abs() < 1e-12);
        // A row with a single one shows that feature's weights.
        let unit = Array2::from_shape_fn((1, p), |(_, j)| f32::from(u8::from(j == 0)));
        let weight = case["weight"].as_f64().unwrap();
        let shown = (0..20).flat_map(|stream| {
            let projection = SparseProjection::new(p, k, None, 1, stream).unwrap();
            projection
                .project(unit.view())
                .into_iter()
                .collect::<Vec<_>>()
        });
        let weights: Vec<f64> = shown
            .filter(|w| *w != 0.0)
            .map(|w| f64::from(w.abs()))
            .collect();
        assert!(!weights.is_empty());
        assert!(weights.iter().all(|w| (w / weight - 1.0).abs() < 1e-6));
    }
}
