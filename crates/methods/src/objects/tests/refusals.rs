//! What degenerate input is answered with.

use ndarray::{Array2, Array3, array};

use super::super::{
    BoxSummary, CorpusParams, Cut, FilterSensitivity, MapParams, NoImportance, ObjectImportance,
    ObjectsError, OverlapParams, RandomFilterParams, Scaling, SelectParams, SensitivityParams,
    Sign, co_occurrence, corpus_importance, importance, lesion_effect, occurrences, overlap,
    random_filter_tests, random_filters, sensitive_filters,
};
use super::{PICTURE, maps, normals, object};
use crate::behaviour::CorrelationKind;
use crate::{MethodsError, Result};

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>) -> ObjectsError {
    match result.unwrap_err() {
        MethodsError::Objects(error) => error,
        other => panic!("{other}"),
    }
}

const WHOLE: [f64; 4] = [0.0, 0.0, 100.0, 80.0];

#[test]
fn a_box_without_importance_says_why() {
    let map = array![[0.0_f32, 0.0], [0.0, 0.0]];
    let boxes = [
        object(0, [10.0, 10.0, 10.0, 20.0]),
        object(0, [30.0, 10.0, 20.0, 20.0]),
        object(0, [100.0, 0.0, 120.0, 10.0]),
        object(0, [0.0, -9.0, 20.0, 0.0]),
        object(0, WHOLE),
    ];
    let share = MapParams {
        summary: BoxSummary::Share,
        ..MapParams::default()
    };
    let found = importance(map.view(), PICTURE, &boxes, &share).unwrap();
    let why: Vec<_> = found.iter().map(|o| o.importance).collect();
    assert_eq!(
        why,
        [
            Err(NoImportance::NoArea),
            Err(NoImportance::NoArea),
            Err(NoImportance::Outside),
            Err(NoImportance::Outside),
            Err(NoImportance::EmptyMap),
        ]
    );
    // Scaling a map of zeros leaves zeros.
    let found = importance(map.view(), PICTURE, &boxes, &MapParams::default()).unwrap();
    assert_eq!(found[4].importance, Ok(0.0));
    assert!(
        importance(map.view(), PICTURE, &[], &share)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn pictures_maps_and_boxes_must_be_some() {
    let map = array![[1.0_f32, 2.0]];
    let of = |map: &Array2<f32>, picture, edges, params: &MapParams| {
        importance(map.view(), picture, &[object(0, edges)], params)
    };
    let params = MapParams::default();
    for side in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(of(&map, [100.0, side], WHOLE, &params));
        assert!(matches!(error, ObjectsError::BadPicture { .. }));
    }
    let error = refused(of(&Array2::zeros((0, 3)), PICTURE, WHOLE, &params));
    assert!(matches!(error, ObjectsError::EmptyMap { columns: 3, .. }));
    let error = refused(of(&map, PICTURE, [0.0, f64::NAN, 1.0, 1.0], &params));
    assert!(matches!(error, ObjectsError::BadObject { object: 0, .. }));
    let gap = array![[1.0, f32::NAN]];
    assert!(matches!(
        of(&gap, PICTURE, WHOLE, &params),
        Err(MethodsError::NonFinite {
            row: 0,
            column: 1,
            ..
        })
    ));
    for (summary, scaling) in [
        (BoxSummary::Share, Scaling::None),
        (BoxSummary::Mean, Scaling::MinMax),
    ] {
        let signed = MapParams {
            sign: Sign::Signed,
            summary,
            scaling,
            ..params
        };
        let error = refused(of(&map, PICTURE, WHOLE, &signed));
        assert!(matches!(error, ObjectsError::SignedMap { .. }));
    }
}

#[test]
fn classes_must_be_on_the_map() {
    let found = ObjectImportance {
        class: 4,
        score: 1.0,
        importance: Ok(0.5),
    };
    let images = vec![vec![], vec![found]];
    let expected = ObjectsError::UnknownClass {
        picture: 1,
        object: 0,
        class: 4,
        n_classes: 4,
    };
    let params = CorpusParams::default();
    assert_eq!(refused(corpus_importance(&images, 4, &params)), expected);
    assert_eq!(refused(occurrences(&images, 4, 0.1, 0.3)), expected);
    let boxes = vec![vec![], vec![object(4, WHOLE)]];
    assert_eq!(
        refused(overlap(&boxes, 4, &OverlapParams::default())),
        expected
    );
    assert!(expected.to_string().contains("add the class to the map"));
    let not_a_number = CorpusParams {
        min_score: f64::NAN,
        ..params
    };
    assert!(matches!(
        corpus_importance(&images, 5, &not_a_number),
        Err(MethodsError::OptionOutOfRange { .. })
    ));
    let none = Array2::from_elem((0, 3), true);
    assert!(co_occurrence(none.view(), Default::default()).is_err());
}

#[test]
fn a_picture_that_is_refused_adds_nothing() {
    let params = SensitivityParams::default();
    let mut all = FilterSensitivity::new(3, 2, params).unwrap();
    all.add(maps(1, (3, 4, 4)).view(), PICTURE, &[object(0, WHOLE)])
        .unwrap();
    let before = all.clone();
    let mut gap = maps(2, (3, 4, 4));
    gap[[2, 3, 3]] = f32::INFINITY;
    assert!(matches!(
        all.add(gap.view(), PICTURE, &[object(1, WHOLE)]),
        Err(MethodsError::NonFinite { .. })
    ));
    assert!(matches!(
        all.add(maps(3, (4, 4, 4)).view(), PICTURE, &[]),
        Err(MethodsError::ShapeMismatch {
            expected: 3,
            found: 4,
            ..
        })
    ));
    let error = refused(all.add(maps(3, (3, 4, 4)).view(), PICTURE, &[object(2, WHOLE)]));
    assert!(matches!(
        error,
        ObjectsError::UnknownClass { picture: 1, .. }
    ));
    let error = refused(all.add(Array3::zeros((3, 0, 4)).view(), PICTURE, &[]));
    assert!(matches!(error, ObjectsError::EmptyMap { .. }));
    assert_eq!(all, before);

    let other = SensitivityParams {
        min_score: 0.5,
        ..params
    };
    let other = FilterSensitivity::new(3, 2, other).unwrap();
    assert_eq!(refused(all.merge(&other)), ObjectsError::OtherOptions);
    let other = FilterSensitivity::new(3, 1, params).unwrap();
    assert!(matches!(
        all.merge(&other),
        Err(MethodsError::ShapeMismatch { .. })
    ));
    assert!(FilterSensitivity::new(0, 1, params).is_err());
    assert!(FilterSensitivity::new(1, 0, params).is_err());
}

#[test]
fn categories_need_classes_and_pictures() {
    let mut all = FilterSensitivity::new(2, 3, SensitivityParams::default()).unwrap();
    all.add(maps(1, (2, 3, 3)).view(), PICTURE, &[object(0, WHOLE)])
        .unwrap();
    let select = |category: &[usize], cut, min_images| {
        let params = SelectParams {
            cut,
            min_images,
            ..SelectParams::default()
        };
        sensitive_filters(&all, category, &params)
    };
    let cut = Cut::default();
    for category in [&[][..], &[3], &[0, 0]] {
        let error = refused(select(category, cut, 1));
        assert!(matches!(
            error,
            ObjectsError::BadCategory { n_classes: 3, .. }
        ));
    }
    let rare = ObjectsError::RareCategory {
        min_images: 2,
        found: 1,
    };
    assert_eq!(refused(select(&[0, 1], cut, 2)), rare);
    // Nothing has no mean, even if no picture is asked for.
    assert!(select(&[1], cut, 0).is_err());
    for cut in [
        Cut::Above(f64::NAN),
        Cut::TopShare(1.5),
        Cut::TopShare(f64::NAN),
    ] {
        assert!(matches!(
            select(&[0], cut, 1),
            Err(MethodsError::OptionOutOfRange { .. })
        ));
    }
    assert_eq!(select(&[0], Cut::Top(9), 1).unwrap().filters, [0, 1]);
}

#[test]
fn random_filters_need_others() {
    let draw = |selected: &[usize], only_others| random_filters(4, selected, 5, only_others, 1);
    assert_eq!(refused(draw(&[], false)), ObjectsError::NoFilter);
    let all = ObjectsError::AllFilters { n_filters: 4 };
    assert_eq!(refused(draw(&[3, 1, 0, 2], false)), all);
    assert_eq!(refused(draw(&[3, 1, 0, 2], true)), all);
    let few = refused(draw(&[3, 1, 0], true));
    assert!(few.to_string().contains("draw from all filters"), "{few}");
    assert!(draw(&[3, 1, 0], false).is_ok());
    for selected in [[0, 4], [1, 1]] {
        let error = refused(draw(&selected, false));
        assert!(matches!(error, ObjectsError::BadFilter { .. }));
    }
    let params = RandomFilterParams::default();
    let random = Array2::from_elem((2, 3), Some(0.1));
    assert!(random_filter_tests(&[Some(0.2)], random.view(), &params).is_err());
    let none = Array2::from_elem((1, 0), None);
    assert!(random_filter_tests(&[Some(0.2)], none.view(), &params).is_err());
    let infinite = array![[Some(0.1), Some(f64::NAN)]];
    assert!(matches!(
        random_filter_tests(&[Some(0.2)], infinite.view(), &params),
        Err(MethodsError::NonFinite { column: 1, .. })
    ));
}

#[test]
fn lesions_need_the_same_models_and_pictures() {
    let (x, y) = (normals(1, 2, 6), normals(2, 1, 6));
    let all = Array2::from_elem((1, 6), true);
    let of = |x: &Array2<f64>, lesioned: &Array2<f64>, y: &Array2<f64>, subsets: &Array2<bool>| {
        let kind = CorrelationKind::Pearson;
        lesion_effect(x.view(), lesioned.view(), y.view(), subsets.view(), kind)
    };
    assert!(of(&x, &x, &y, &all).is_ok());
    for (lesioned, y, subsets) in [
        (normals(3, 3, 6), y.clone(), all.clone()),
        (normals(3, 2, 5), y.clone(), all.clone()),
        (x.clone(), normals(3, 1, 7), all.clone()),
        (x.clone(), y.clone(), Array2::from_elem((1, 5), true)),
        (x.clone(), y.clone(), Array2::from_elem((0, 6), true)),
        (x.clone(), Array2::zeros((0, 6)), all.clone()),
    ] {
        assert!(of(&x, &lesioned, &y, &subsets).is_err());
    }
    let few = Array2::from_shape_fn((1, 6), |(_, i)| i < 2);
    let found = of(&x, &x, &y, &few).unwrap();
    assert!(
        found[[0, 0]].models[0]
            .unwrap_err()
            .to_string()
            .contains("2 items")
    );
    let mut gap = x.clone();
    gap[[1, 2]] = f64::NAN;
    assert!(matches!(
        of(&x, &gap, &y, &all),
        Err(MethodsError::NonFinite {
            row: 1,
            column: 2,
            ..
        })
    ));
}

#[test]
fn names_round_trip() {
    for name in ["mean", "max", "share"] {
        assert_eq!(name.parse::<BoxSummary>().unwrap().to_string(), name);
    }
    let error = "posative".parse::<Sign>().unwrap_err().to_string();
    assert!(error.contains("did you mean \"positive\"?"), "{error}");
}
