//! What degenerate input is answered with.

use ndarray::{Array2, Array3, array};

use super::super::*;
use super::{nine_bins, normals};
use crate::behaviour::{SelectivityParams, selectivity};
use crate::{MethodsError, Result};

#[track_caller]
fn refused<T: std::fmt::Debug>(found: Result<T>, words: &str) {
    let message = found.unwrap_err().to_string();
    assert!(message.contains(words), "{message}");
}

#[test]
fn predictions() {
    let params = PredictionParams::default();
    let y = array![1.0, 2.0, 4.0, 3.0];
    let (same, hole) = (array![2.0, 2.0, 2.0, 2.0], array![1.0, f64::NAN, 2.0, 3.0]);
    refused(
        prediction(same.view(), y.view(), &params),
        "the same rating",
    );
    refused(prediction(y.view(), hole.view(), &params), "column 1");
    let two = array![1.0, 2.0];
    refused(prediction(two.view(), two.view(), &params), "at least 3");
    refused(
        prediction(y.view(), two.view(), &params),
        "expected 4, found 2",
    );
    // Predictions that are all the same have errors, but follow nothing.
    let flat = prediction(y.view(), same.view(), &params).unwrap();
    assert_eq!(
        (flat.values.r, flat.values.refit, flat.r_interval),
        (None, None, None)
    );
    assert!((flat.values.rmse - 1.5_f64.sqrt()).abs() < 1e-12);
    let intervals = flat.intervals.unwrap();
    assert_eq!((intervals.r, intervals.n_resamples[1]), (None, 0));
}

#[test]
fn scales_and_bins() {
    let seven = RatingScale::new(1.0, 7.0).unwrap();
    refused(RatingScale::new(7.0, 1.0), "from 7 to 1");
    refused(RatingScale::new(f64::NAN, 1.0), "none");
    refused(
        seven.mapped(&[1.0, 7.5], &RatingScale::default()),
        "item 1 (counted from 0) has the rating 7.5",
    );
    refused(seven.check(&[f64::NAN]), "NaN");
    let with = |valence| BinParams {
        valence,
        ..BinParams::default()
    };
    let v = [1.0, 5.0, 9.0];
    refused(bins(&[10.0], None, &BinParams::default()), "from 1 to 9");
    refused(
        bins(&v, Some(&[0.0; 3]), &BinParams::default()),
        "the rating 0",
    );
    refused(
        bins(&v, Some(&[1.0]), &BinParams::default()),
        "expected 3, found 1",
    );
    refused(bins(&[], None, &BinParams::default()), "at least 1");
    refused(
        bins(&v, None, &with(Edges::At([5.0, 3.0]))),
        "edges 5 and 3 of valence",
    );
    refused(
        bins(&v, None, &with(Edges::At([3.0, f64::NAN]))),
        "leave nothing",
    );
    refused(
        bins(&[2.0; 4], None, &with(Edges::Tertiles)),
        "leave nothing",
    );
    let gap = |gap| {
        with(Edges::Gap {
            cuts: [4.0, 6.0],
            gap,
        })
    };
    refused(bins(&v, None, &gap(1.0)), "leave nothing");
    refused(bins(&v, None, &gap(0.0)), "a positive number");
    refused("thrids".parse::<Edges>(), "expected thirds");
    refused("3,5,6,7".parse::<Edges>(), "unknown edges");
}

#[test]
fn units() {
    let params = BinSelectivityParams {
        resamples: 2,
        ..BinSelectivityParams::default()
    };
    let (few, enough) = (nine_bins(4, 60, 60), nine_bins(4, 60, 2));
    let x = normals(0, 60, 4);
    refused(
        bin_selectivity(x.view(), &few, &[], &params),
        "0 of 9 bins have at least 60",
    );
    refused(
        bin_selectivity(normals(0, 59, 4).view(), &enough, &[], &params),
        "expected 60, found 59",
    );
    let layer = |units| {
        [UnitRange {
            name: "CeA".to_owned(),
            units,
        }]
    };
    refused(
        bin_selectivity(x.view(), &enough, &layer(2..5), &params),
        "layer \"CeA\" has the units 2 to 5",
    );
    refused(
        bin_selectivity(x.view(), &enough, &layer(2..2), &params),
        "expected at least one",
    );
    let mut hole = x.clone();
    hole[[3, 1]] = f64::NAN;
    refused(
        bin_selectivity(hole.view(), &enough, &[], &params),
        "row 3, column 1",
    );
    refused(
        tuning_curves(hole.view(), &enough, &[0, 1]),
        "row 3, column 1",
    );
    refused(tuning_curves(x.view(), &enough, &[4]), "unit 4");
    refused(
        tuning_curves(x.view(), &few, &[0]),
        "found 0, expected at least 1",
    );
    // A unit without variance is selective for nothing, in no resample.
    let flat = bin_selectivity(
        Array2::from_elem((60, 1), 0.1).view(),
        &enough,
        &[],
        &params,
    )
    .unwrap();
    assert_eq!((flat.layers[0].any.n, flat.resampled.sum()), (0, 0));
    let none = BinSelectivityParams::default();
    let count = bin_selectivity(x.view(), &enough, &[], &none).unwrap();
    assert_eq!(
        (count.layers[0].any.sem, count.layers[0].any.p),
        (None, None)
    );
    refused(count_changes(&count, &count), "at least 2");
    refused(overlap(&[], &[]), "at least 1");
    refused(overlap(&[true], &[true, false]), "expected 1, found 2");
    assert_eq!(overlap(&[false], &[false]).unwrap().jaccard, None);
    let labels = |k: i64| (0..60).map(|item| item % k).collect::<Vec<i64>>();
    let of = |k| selectivity(x.view(), &labels(k), &SelectivityParams::default()).unwrap();
    refused(consistent_units(&of(2), &of(3), 0.2), "other categories");
    refused(consistent_units(&of(2), &of(2), 1.5), "from 0 to 1");
}

#[test]
fn geometries() {
    let params = GeometryParams::default();
    let model = array![[1.0, 2.0, 3.0]];
    refused(
        Geometry::new(array![[1.0, 1.0, 1.0]].view(), &params),
        "RDM 0",
    );
    refused(
        Geometry::new(array![[1.0, f64::NAN, 1.0]].view(), &params),
        "column 1",
    );
    assert!(Geometry::new(array![[1.0, 2.0]].view(), &params).is_err());
    let geometry = Geometry::new(model.view(), &params).unwrap();
    refused(
        geometry.scores(&[normals(1, 4, 5).view().into()]),
        "6 pairs",
    );
    let flat = Array2::<f64>::zeros((3, 4));
    assert!(matches!(
        geometry.scores(&[flat.view().into()]),
        Err(MethodsError::UndefinedPattern { .. })
    ));
    refused(participation_ratio(flat.view()), "no unit varies");
    refused(participation_ratio(normals(1, 1, 3).view()), "at least 2");
    let scores = ndarray::Array4::from_elem((1, 1, 1, 1), f64::NAN);
    refused(trajectory(scores.view()), "NaN");
}

#[test]
fn attention_and_regions() {
    refused(
        attention_entropy(array![[[0.5, 0.4]]].view()),
        "does not sum to 1",
    );
    refused(
        attention_entropy(array![[[1.5, -0.5]]].view()),
        "is negative",
    );
    refused(
        attention_entropy(array![[[1.0], [f64::NAN]]].view()),
        "query 1 of head 0",
    );
    refused(
        attention_entropy(Array3::zeros((1, 0, 2)).view()),
        "queries",
    );
    let mut x = Array3::from_shape_fn((2, 3, 5), |(s, i, v)| {
        ((s + 2) * (i + 1) * (v + 3) % 7) as f64
    });
    x.slice_mut(ndarray::s![1, 2, ..]).fill(4.0);
    refused(
        region_rdms(x.view()),
        "subject 1 has fewer than two different values for image 2",
    );
    x[[1, 2, 0]] = f64::INFINITY;
    refused(region_rdms(x.view()), "inf at row 2");
    refused(region_rdms(x.slice(ndarray::s![.., ..1, ..])), "at least 2");
}
