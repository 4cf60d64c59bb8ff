//! Naive versions of what is read from boxes, and what must hold for any input.

use ndarray::{Array2, Array3, ArrayView2, Axis};
use proptest::prelude::*;

use super::super::{
    BinarySimilarity, BoxSummary, CorpusParams, DetectedObject, FilterSensitivity, MapParams,
    NoImportance, ObjectImportance, OverBoxes, OverlapParams, Pairing, ScaleOver, Scaling,
    SensitivityParams, Sign, co_occurrence, corpus_importance, importance, occurrences, overlap,
};
use super::{PICTURE, maps, object, objects};

const PLAIN: MapParams = MapParams {
    sign: Sign::Signed,
    scaling: Scaling::None,
    scale_over: ScaleOver::Filter,
    summary: BoxSummary::Mean,
};

/// Mean over a box, each cell by the area that the box covers of it.
fn naive_mean(map: ArrayView2<'_, f64>, object: &DetectedObject) -> Option<f64> {
    let (n_rows, n_columns) = map.dim();
    let (width, height) = (PICTURE[0] / n_columns as f64, PICTURE[1] / n_rows as f64);
    let (mut sum, mut area) = (0.0, 0.0);
    for ((y, x), value) in map.indexed_iter() {
        let (x, y) = (x as f64 * width, y as f64 * height);
        let b = &object.bounds;
        let across = (b.right.min(x + width) - b.left.max(x)).max(0.0);
        let down = (b.bottom.min(y + height) - b.top.max(y)).max(0.0);
        sum += value * across * down;
        area += across * down;
    }
    (area > 0.0).then(|| sum / area)
}

fn values(found: &[ObjectImportance]) -> Vec<Option<f64>> {
    found.iter().map(|o| o.importance.ok()).collect()
}

fn assert_same(found: &[Option<f64>], expected: &[Option<f64>], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        match (found, expected) {
            (Some(f), Some(e)) => assert!((f - e).abs() < tolerance, "{f} {e}"),
            (found, expected) => assert_eq!(found, expected),
        }
    }
}

proptest! {
    #[test]
    fn boxes_follow_the_definition(index in any::<u64>(), h in 1..40_usize, w in 1..40_usize) {
        let map = maps(index, (1, h, w)).index_axis_move(Axis(0), 0);
        let objects = objects(index, 12, 3);
        let found = importance(map.view(), PICTURE, &objects, &PLAIN).unwrap();
        let wide = map.mapv(f64::from);
        let expected: Vec<_> = objects.iter().map(|o| naive_mean(wide.view(), o)).collect();
        assert_same(&values(&found), &expected, 1e-11);
    }

    #[test]
    fn a_map_of_ones_gives_one_to_any_box(index in any::<u64>(), h in 1..30_usize, w in 1..30_usize) {
        let map = Array2::from_elem((h, w), 1.0_f32);
        for summary in [BoxSummary::Mean, BoxSummary::Max] {
            for scaling in [Scaling::None, Scaling::Max] {
                let params = MapParams { summary, scaling, ..MapParams::default() };
                for value in values(&importance(map.view(), PICTURE, &objects(index, 9, 2), &params).unwrap()) {
                    prop_assert!(value.is_none_or(|v| (v - 1.0).abs() < 1e-12));
                }
            }
        }
    }

    #[test]
    fn shares_of_tiles_make_one(index in any::<u64>(), cut in 1.0..99.0_f64, h in 1..20_usize, w in 1..20_usize) {
        let map = maps(index, (1, h, w)).index_axis_move(Axis(0), 0).mapv(|v| v.abs() + 0.1);
        let params = MapParams { summary: BoxSummary::Share, scaling: Scaling::None, ..MapParams::default() };
        let tiles = [object(0, [-5.0, -5.0, cut, 200.0]), object(0, [cut, 0.0, 100.0, 80.0])];
        let sum: f64 = values(&importance(map.view(), PICTURE, &tiles, &params).unwrap()).iter().flatten().sum();
        prop_assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }

    #[test]
    fn the_size_of_the_picture_changes_nothing(index in any::<u64>(), scale in 0.1..50.0_f64) {
        let map = maps(index, (1, 7, 9)).index_axis_move(Axis(0), 0);
        let small = objects(index, 8, 2);
        let large: Vec<_> = small.iter().map(|o| {
            let b = o.bounds;
            object(o.class, [b.left, b.top, b.right, b.bottom].map(|e| e * scale))
        }).collect();
        let params = MapParams::default();
        let a = importance(map.view(), PICTURE, &small, &params).unwrap();
        let b = importance(map.view(), PICTURE.map(|s| s * scale), &large, &params).unwrap();
        assert_same(&values(&a), &values(&b), 1e-9);
    }

    #[test]
    fn overlap_is_within_bounds(index in any::<u64>()) {
        let images: Vec<_> = (0..4).map(|i| objects(index.wrapping_add(i), 6, 3)).collect();
        let of = |pairing| overlap(&images, 3, &OverlapParams { pairing, ..OverlapParams::default() }).unwrap();
        for found in [of(Pairing::Boxes), of(Pairing::Unions)] {
            prop_assert!(found.share.iter().flatten().all(|s| (0.0..=1.0 + 1e-12).contains(s)));
            prop_assert_eq!(&found.n_images, &found.n_images.t());
            prop_assert_eq!(&found.n_pairs, &found.n_pairs.t());
        }
        prop_assert!(of(Pairing::Unions).share.diag().iter().flatten().all(|s| (s - 1.0).abs() < 1e-12));
    }
}

/// Sensitivity by the definition, from `importance` of each filter's map on its own.
fn naive_sensitivity(
    corpus: &[(Array3<f32>, Vec<DetectedObject>)],
    n_classes: usize,
    params: &SensitivityParams,
) -> Array2<Option<f64>> {
    let n_filters = corpus[0].0.len_of(Axis(0));
    Array2::from_shape_fn((n_filters, n_classes), |(filter, class)| {
        let of_image = |(maps, objects): &(Array3<f32>, Vec<DetectedObject>)| {
            let map = maps.index_axis(Axis(0), filter);
            let found = importance(map, PICTURE, objects, &params.map).unwrap();
            let values: Vec<f64> = found
                .iter()
                .filter(|o| o.class == class && o.importance != Err(NoImportance::Outside))
                .filter(|o| o.importance != Err(NoImportance::NoArea))
                .map(|o| o.importance.unwrap_or(0.0))
                .collect();
            let n = values.len() as f64;
            (n > 0.0).then(|| match params.over_boxes {
                OverBoxes::Max => values.iter().copied().fold(f64::MIN, f64::max),
                OverBoxes::Mean => values.iter().sum::<f64>() / n,
            })
        };
        let values: Vec<f64> = corpus.iter().filter_map(of_image).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    })
}

fn corpus(index: u64, n_images: u64, n_filters: usize) -> Vec<(Array3<f32>, Vec<DetectedObject>)> {
    let of_image = |i: u64| {
        // Sizes differ, and filter 1 is dead in every third picture.
        let mut maps = maps(index + i, (n_filters, 4 + i as usize % 5, 6));
        if i.is_multiple_of(3) {
            maps.index_axis_mut(Axis(0), 1).fill(-1.0);
        }
        (maps, objects(index + i, i as usize % 6, 4))
    };
    (0..n_images).map(of_image).collect()
}

fn sensitivity(
    corpus: &[(Array3<f32>, Vec<DetectedObject>)],
    params: SensitivityParams,
) -> FilterSensitivity {
    let n_filters = corpus[0].0.len_of(Axis(0));
    let mut all = FilterSensitivity::new(n_filters, 5, params).unwrap();
    for (maps, objects) in corpus {
        all.add(maps.view(), PICTURE, objects).unwrap();
    }
    all
}

#[test]
fn sensitivity_follows_the_definition() {
    let corpus = corpus(100, 20, 7);
    for summary in [BoxSummary::Mean, BoxSummary::Max, BoxSummary::Share] {
        for over_boxes in [OverBoxes::Max, OverBoxes::Mean] {
            let map = MapParams {
                summary,
                ..MapParams::default()
            };
            let params = SensitivityParams {
                map,
                over_boxes,
                ..SensitivityParams::default()
            };
            let found = sensitivity(&corpus, params);
            let expected = naive_sensitivity(&corpus, 5, &params);
            assert_same(
                found.means().as_slice().unwrap(),
                expected.as_slice().unwrap(),
                1e-12,
            );
            assert_eq!((found.n_added(), found.n_images()[4]), (20, 0));
            assert!(found.n_empty() >= 4 && found.mean(0, 4).is_none());
        }
    }
}

#[test]
fn a_layer_is_scaled_as_one() {
    let maps = Array3::from_shape_vec((2, 1, 2), vec![0.0, 4.0, 0.0, 1.0]).unwrap();
    let right = [object(0, [50.0, 0.0, 100.0, 80.0])];
    let of = |scale_over| {
        let map = MapParams {
            scale_over,
            ..MapParams::default()
        };
        let params = SensitivityParams {
            map,
            ..SensitivityParams::default()
        };
        let mut found = FilterSensitivity::new(2, 1, params).unwrap();
        found.add(maps.view(), PICTURE, &right).unwrap();
        [0, 1].map(|filter| found.mean(filter, 0).unwrap())
    };
    assert_eq!(of(ScaleOver::Filter), [1.0, 1.0]);
    assert_eq!(of(ScaleOver::Layer), [1.0, 0.25]);
}

#[test]
fn parts_of_a_corpus_make_the_whole() {
    let corpus = corpus(200, 24, 6);
    let params = SensitivityParams::default();
    let whole = sensitivity(&corpus, params);
    for split in [0, 1, 11, 23] {
        let mut merged = FilterSensitivity::new(6, 5, params).unwrap();
        for part in [&corpus[..split], &corpus[split..]] {
            if !part.is_empty() {
                merged.merge(&sensitivity(part, params)).unwrap();
            }
        }
        assert_eq!(merged.n_images(), whole.n_images());
        assert_eq!(merged.n_boxes(), whole.n_boxes());
        assert_eq!(merged.n_empty(), whole.n_empty());
        for filter in 0..6 {
            let of = |s: &FilterSensitivity| {
                let both = |class| [s.mean(filter, class), s.sd(filter, class)];
                (0..5).flat_map(both).collect::<Vec<_>>()
            };
            assert_same(&of(&merged), &of(&whole), 1e-12);
        }
    }
}

#[test]
fn filters_in_another_order_are_rows_in_another_order() {
    let order = [3, 0, 5, 1, 4, 2];
    let corpus = corpus(300, 9, 6);
    let moved: Vec<_> = corpus
        .iter()
        .map(|(maps, objects)| (maps.select(Axis(0), &order), objects.clone()))
        .collect();
    let params = SensitivityParams::default();
    let (a, b) = (sensitivity(&corpus, params), sensitivity(&moved, params));
    assert_eq!(a.means().select(Axis(0), &order), b.means());
}

fn scored(class: usize, score: f64, value: f64) -> ObjectImportance {
    ObjectImportance {
        class,
        score,
        importance: Ok(value),
    }
}

#[test]
fn a_corpus_is_summarised_picture_by_picture() {
    let images = vec![
        vec![
            scored(0, 0.9, 0.2),
            scored(0, 0.9, 0.6),
            scored(1, 0.1, 0.9),
        ],
        vec![scored(0, 0.3, 0.4)],
        vec![],
        vec![ObjectImportance {
            importance: Err(NoImportance::Outside),
            ..scored(1, 0.9, 0.0)
        }],
    ];
    let params = CorpusParams::default();
    let found = corpus_importance(&images, 3, &params).unwrap();
    assert!((found[0].mean.unwrap() - 0.5).abs() < 1e-15);
    assert!((found[0].sd.unwrap() - 0.02_f64.sqrt()).abs() < 1e-15);
    assert_eq!((found[0].n_images, found[0].n_boxes), (2, 3));
    assert_eq!((found[1].mean, found[1].n_left_out), (None, 2));
    assert_eq!((found[2].n_images, found[2].interval), (0, None));
    let mean = CorpusParams {
        over_boxes: OverBoxes::Mean,
        ..params
    };
    let found = corpus_importance(&images, 3, &mean).unwrap();
    assert!((found[0].mean.unwrap() - 0.4).abs() < 1e-15);

    let present = occurrences(&images, 3, 0.1, 0.3).unwrap();
    assert_eq!(present.column(0).to_vec(), [true, true, false, false]);
    assert!(!present.column(1).iter().any(|&p| p));
    for similarity in [
        BinarySimilarity::Dice,
        BinarySimilarity::Jaccard,
        BinarySimilarity::Yule,
    ] {
        let found = co_occurrence(present.view(), similarity).unwrap();
        assert_eq!(found.similarity[[0, 0]], Some(1.0));
        assert_eq!(found.similarity[[1, 2]], None);
    }
}

#[test]
fn threads_change_no_bit() {
    let corpus = corpus(400, 6, 33);
    let on = |n_threads| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .unwrap();
        pool.install(|| {
            let images: Vec<Vec<ObjectImportance>> = corpus
                .iter()
                .map(|(maps, objects)| {
                    let map = maps.index_axis(Axis(0), 0);
                    importance(map, PICTURE, objects, &MapParams::default()).unwrap()
                })
                .collect();
            let params = CorpusParams {
                resamples: 50,
                ..CorpusParams::default()
            };
            (
                sensitivity(&corpus, SensitivityParams::default()),
                corpus_importance(&images, 5, &params).unwrap(),
            )
        })
    };
    assert_eq!(on(1), on(3));
}
