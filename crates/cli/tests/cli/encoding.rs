//! `consilience banded-ridge`, `encode` and `partition`.

use consilience::io::npy;
use consilience::methods::encoding::{
    BandedParams, BandedSearch, ComponentsKind, ComponentsParams, Folds, PartitionBy, RidgeParams,
    banded, components, partition, ridge,
};
use ndarray::{Array1, Array2, Axis, array, concatenate};
use serde_json::{Value, json};

use crate::support::{Scratch, assert_close, noise, npy_header, npy_values, words};

const BANDED: &str = "banded-ridge --x a.npy --x b.npy --y y.npy --folds 4 --out out";
const ENCODE: &str = "encode --x a.npy --y y.npy --folds 4 --out out --method";
const PARTITION: &str = "partition --x a.npy --x b.npy --y y.npy --out out";

/// Twenty-four rows of two bands of features, and three targets that follow the first, the second and neither.
struct Data {
    scratch: Scratch,
    a: Array2<f64>,
    b: Array2<f64>,
    y: Array2<f64>,
}

impl Data {
    fn new() -> Self {
        let (a, b) = (noise(24, 3, 1), noise(24, 4, 2));
        let mut y = noise(24, 3, 3) * array![0.1, 0.1, 1.0];
        let (of_a, of_b) = (a.dot(&noise(3, 1, 4)), b.dot(&noise(4, 1, 5)));
        y.column_mut(0).scaled_add(1.0, &of_a.column(0));
        y.column_mut(1).scaled_add(1.0, &of_b.column(0));
        let scratch = Scratch::new();
        for (name, values) in [("a.npy", &a), ("b.npy", &b), ("y.npy", &y)] {
            scratch.put_npy(name, values);
        }
        Self { scratch, a, b, y }
    }

    fn ok(&self, line: &str) -> Value {
        assert_eq!(self.scratch.ok(&words(line)), "out/summary.json\n");
        let bytes = std::fs::read(self.scratch.path("out/summary.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    fn refused(&self, line: &str, phrases: &[&str]) {
        self.scratch.refused(&words(line), phrases);
    }

    /// Values that the last run wrote.
    fn values(&self, name: &str) -> Vec<f64> {
        npy_values(&self.scratch.path("out").join(name))
    }

    #[track_caller]
    fn assert_wrote(&self, name: &str, expected: impl IntoIterator<Item = f64>) {
        let expected: Vec<f64> = expected.into_iter().collect();
        assert_eq!(self.values(name), expected, "{name}");
    }
}

#[test]
fn bands_are_those_of_the_library() {
    let data = Data::new();
    let summary = data.ok(&format!("{BANDED} --samples 12 --seed 7"));
    let bands = [data.a.view().into(), data.b.view().into()];
    let mut params = BandedParams {
        folds: Folds::Contiguous(4),
        n_samples: 12,
        seed: 7,
        ..BandedParams::default()
    };
    let found = banded(&bands, data.y.view().into(), &params).unwrap();
    data.assert_wrote("alpha.npy", found.alpha);
    data.assert_wrote("shares.npy", found.shares);
    data.assert_wrote("r.npy", found.r);
    data.assert_wrote("r2.npy", found.r2.clone());
    data.assert_wrote("baseline.npy", found.baseline);
    data.assert_wrote("product_measure.npy", found.product_measure.clone());
    data.assert_wrote("predictions.npy", found.predictions);
    assert_eq!(
        npy_header(&data.scratch.path("out/shares.npy")),
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }"
    );
    assert_eq!(summary["bands"][1]["name"], "b.npy");
    assert_eq!(summary["search"]["kind"], "random");
    let measure = &found.product_measure;
    assert!(
        measure[[0, 0]] > 0.8 && measure[[1, 1]] > 0.8,
        "each target follows its band"
    );

    params.search = BandedSearch::Gradient {
        steps: 3,
        tolerance: 0.01,
    };
    let summary = data.ok(&format!("{BANDED} --search gradient --steps 3"));
    let found = banded(&bands, data.y.view().into(), &params).unwrap();
    data.assert_wrote("r2.npy", found.r2);
    assert_eq!(
        summary["search"],
        json!({ "kind": "gradient", "steps": 3, "tolerance": 0.01 })
    );
}

#[test]
fn bands_of_one_file_are_those_of_several() {
    let data = Data::new();
    let line = format!("{BANDED} --samples 5");
    data.ok(&line);
    let expected = data.values("predictions.npy");
    // Columns of both bands in turn; those of one keep their order.
    let joined = concatenate(Axis(1), &[data.b.view(), data.a.view()]).unwrap();
    data.scratch
        .put_npy("ab.npy", &joined.select(Axis(1), &[0, 4, 1, 5, 2, 6, 3]));
    let bands = array![9_i64, 2, 9, 2, 9, 2, 9];
    npy::write(data.scratch.path("bands.npy"), bands.view()).unwrap();
    let summary = data.ok(&line.replace("--x a.npy --x b.npy", "--x ab.npy --bands bands.npy"));
    data.assert_wrote("predictions.npy", expected);
    assert_eq!(summary["bands"][0]["name"], "2");
}

#[test]
fn methods_without_penalty_are_those_of_the_library() {
    let data = Data::new();
    let summary = data.ok(&format!("{ENCODE} pls --components 1,2,3"));
    let params = |kind| ComponentsParams {
        kind,
        counts: vec![1, 2, 3],
        folds: Folds::Contiguous(4),
    };
    let by_components = |kind| components(data.a.view(), data.y.view(), &params(kind)).unwrap();
    let found = by_components(ComponentsKind::PartialLeastSquares);
    data.assert_wrote("predictions.npy", found.predictions);
    data.assert_wrote("components.npy", found.count.iter().map(|&k| k as f64));
    assert_eq!(summary["components"], json!([1, 2, 3]));

    data.ok(&format!("{ENCODE} pcr --components 1,2,3"));
    let found = by_components(ComponentsKind::Principal);
    data.assert_wrote("r.npy", found.r);
    data.assert_wrote("r2.npy", found.r2);

    let summary = data.ok(&format!("{ENCODE} ols"));
    let params = RidgeParams {
        alphas: vec![0.0],
        folds: Folds::Contiguous(4),
        ..RidgeParams::default()
    };
    let found = ridge(data.a.view().into(), data.y.view().into(), &params).unwrap();
    data.assert_wrote("predictions.npy", found.predictions);
    assert_eq!(summary["components"], Value::Null);
    assert!(
        !data.scratch.path("out/components.npy").exists(),
        "of another run"
    );
    assert_close(
        &[summary["mean_r2"].as_f64().unwrap()],
        &[found.r2.iter().sum::<f64>() / 3.0],
        1e-12,
    );
}

#[test]
fn parts_are_those_of_the_library() {
    let data = Data::new();
    let summary = data.ok(PARTITION);
    let sets = [data.a.view(), data.b.view()];
    let found = partition(&sets, data.y.view(), &PartitionBy::Adjusted).unwrap();
    data.assert_wrote("r2.npy", found.r2);
    data.assert_wrote("parts.npy", found.parts);
    data.assert_wrote("shapley.npy", found.shapley);
    let subsets: Vec<&Value> = (0..3).map(|row| &summary["subsets"][row]["sets"]).collect();
    assert_eq!(subsets, [&json!([0]), &json!([1]), &json!([0, 1])]);
    assert_eq!(summary["sets"][0]["name"], "a.npy");

    let summary = data.ok(&format!("{PARTITION} --by cross-validated --folds 4"));
    let by = PartitionBy::CrossValidated(RidgeParams {
        folds: Folds::Contiguous(4),
        ..RidgeParams::default()
    });
    let found = partition(&sets, data.y.view(), &by).unwrap();
    data.assert_wrote("parts.npy", found.parts);
    assert_eq!(summary["by"], "cross-validated");
}

#[test]
fn rows_that_lack_a_value_are_left_out_on_demand() {
    let data = Data::new();
    let folds: Array1<i64> = (0..24).map(|row| row % 4).collect();
    npy::write(data.scratch.path("f.npy"), folds.view()).unwrap();
    let line = ENCODE.replace("--folds 4", "--folds f.npy") + " ols";
    let (mut a, mut y) = (data.a.clone(), data.y.clone());
    a[[3, 1]] = f64::NAN;
    y[[10, 2]] = f64::NAN;
    data.scratch.put_npy("a.npy", &a);
    data.scratch.put_npy("y.npy", &y);
    data.refused(&line, &["row 3, column 1", "a.npy is NaN", "--nan omit"]);
    assert!(!data.scratch.path("out").exists());
    let summary = data.ok(&format!("{line} --nan omit"));
    assert_eq!(summary["n_rows"], 22);
    assert_eq!(summary["n_rows_omitted"], 2);
    let kept: Vec<usize> = (0..24).filter(|row| ![3, 10].contains(row)).collect();
    let params = RidgeParams {
        alphas: vec![0.0],
        folds: Folds::Given(kept.iter().map(|&row| folds[row]).collect()),
        ..RidgeParams::default()
    };
    let [x, y] = [&a, &y].map(|m| m.select(Axis(0), &kept));
    let found = ridge(x.view().into(), y.view().into(), &params).unwrap();
    data.assert_wrote("r2.npy", found.r2.clone());
    let predictions = data.values("predictions.npy");
    assert!(predictions[3 * 3..4 * 3].iter().all(|v| v.is_nan()));
    assert_eq!(predictions[4 * 3], found.predictions[[3, 0]]);

    let zero = array![0.0];
    npy::write(data.scratch.path("zero.npy"), zero.view()).unwrap();
    let ridge = "ridge --x a.npy --y y.npy --alphas zero.npy --folds f.npy --nan omit --out out";
    assert_eq!(data.ok(ridge)["n_rows_omitted"], 2);
    data.assert_wrote("r2.npy", found.r2);
    assert_eq!(
        format!("{:?}", data.values("predictions.npy")),
        format!("{predictions:?}")
    );
}

#[test]
fn threads_change_nothing() {
    let data = Data::new();
    for line in [
        format!("{BANDED} --samples 4"),
        format!("{ENCODE} pls --components 2"),
        format!("{PARTITION} --by cross-validated"),
    ] {
        data.scratch.ok(&words(&format!("{line} --threads 1")));
        let two = line.replace("--out out", "--out two");
        data.scratch.ok(&words(&format!("{two} --threads 2")));
        let [one, two] = ["out", "two"].map(|folder| data.scratch.path(folder));
        crate::support::assert_same_files(&one, &two);
    }
}

#[test]
fn bad_input_is_refused_with_cause_and_cure() {
    let data = Data::new();
    data.refused(
        &format!("{BANDED} --search gradient --samples 5"),
        &["--samples", "leave it out"],
    );
    data.refused(
        &format!("{BANDED} --bands a.npy"),
        &["--bands", "one --x, found 2"],
    );
    data.refused(
        &format!("{ENCODE} ols --components 3"),
        &["--components", "choose pls or pcr"],
    );
    data.refused(
        &format!("{ENCODE} pls --no-intercept"),
        &["--no-intercept", "choose ols"],
    );
    data.refused(
        &format!("{ENCODE} pcr --components 4"),
        &["a.npy", "rank 3", "ask for at most 3"],
    );
    data.refused(
        &format!("{PARTITION} --folds 4"),
        &["--folds", "--by cross-validated"],
    );
    data.refused(
        &PARTITION.replace("--x b.npy ", ""),
        &["one set of features", "a.npy", "several --x"],
    );
    data.refused(
        &BANDED.replace("--folds 4", "--folds 25"),
        &["25 folds of 24 rows"],
    );
    let ones = Array1::<i64>::ones(2);
    npy::write(data.scratch.path("bands.npy"), ones.view()).unwrap();
    data.refused(
        &BANDED.replace("--x b.npy", "--bands bands.npy"),
        &["bands.npy", "expected 3, found 2"],
    );
    data.scratch.put_npy("b.npy", &noise(23, 4, 2));
    data.refused(BANDED, &["b.npy", "y.npy", "expected 23, found 24"]);
    data.scratch.put_npy("a.npy", &noise(24, 30, 2));
    data.refused(
        &format!("{ENCODE} ols"),
        &["a.npy", "rank 17 in 30 columns", "penalties above 0"],
    );
    data.scratch.put_npy("y.npy", &noise(23, 3, 2));
    data.refused(PARTITION, &["expected 24, found 23"]);
}
