use super::*;
use proptest::prelude::*;

fn pictures() -> Vec<Picture> {
    ["a.png", "b, \"c\".png"]
        .map(|name| Picture {
            name: name.into(),
            width: 40,
            height: 30,
        })
        .into()
}

fn row(row: &str) -> Result<Boxes, BoxesError> {
    let text = format!("{}\na.png,cat,0.5,1,2,3,4\n{row}\n", csv::COLUMNS.join(","));
    csv::parse(text.as_bytes(), &pictures(), None)
}

#[test]
fn a_table_names_the_row_that_cannot_be_used() {
    assert_eq!(
        row("a.png,dog,1,0,0,40,30").unwrap().classes,
        ["cat", "dog"]
    );
    assert_eq!(
        row("a.png,dog,1,-0.005,0,40.009,30").unwrap().pictures[0].1[1].bounds,
        BoxXyxy::new(0.0, 0.0, 40.0, 30.0)
    );
    for (text, expected) in [
        ("x.png,cat,0.5,1,2,3,4", "row 3: no picture is called x.png"),
        (
            "a.png,cat,0.5,NaN,2,3,4",
            "row 3: an edge of the box is NaN",
        ),
        (
            "a.png,cat,0.5,inf,2,3,4",
            "row 3: an edge of the box is inf",
        ),
        (
            "a.png,cat,0.5,-1,2,3,4",
            "not within the picture of 40 × 30",
        ),
        ("a.png,cat,0.5,1,2,41,4", "not within the picture"),
        ("a.png,cat,0.5,3,2,3,4", "is 0 wide"),
        ("a.png,cat,0.5,3,4,5,2", "-2 high"),
        ("a.png,cat,1.5,1,2,3,4", "the score is 1.5"),
        ("a.png,cat,NaN,1,2,3,4", "the score is NaN"),
        ("a.png,cat,x,1,2,3,4", "row 3, column score"),
    ] {
        let message = row(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
    let known = ["cat".to_owned()];
    let text = format!("{}\na.png,dog,0.5,1,2,3,4\n", csv::COLUMNS.join(","));
    let error = csv::parse(text.as_bytes(), &pictures(), Some(&known)).unwrap_err();
    assert!(
        error.to_string().contains("row 2: no class is called dog"),
        "{error}"
    );
    let error = csv::parse(b"image,class\n", &pictures(), None).unwrap_err();
    assert!(error.to_string().contains("score"), "{error}");
}

const IMAGES: &str = r#"[{"id": 3, "file_name": "a.png", "width": 40, "height": 30}]"#;
const CATEGORIES: &str = r#"[{"id": 9, "name": "cat"}, {"id": 2, "name": "dog"}]"#;

fn annotated(images: &str, annotations: &str, categories: &str) -> String {
    format!(
        r#"{{"images": {images}, "annotations": {annotations}, "categories": {categories}, "info": 1}}"#
    )
}

#[test]
fn annotations_are_read_or_refused_by_their_number() {
    let read = |annotations: &str| {
        let text = annotated(IMAGES, annotations, CATEGORIES);
        coco::parse(text.as_bytes(), Some(&pictures()))
    };
    let boxes = read(
        r#"[{"id": 5, "image_id": 3, "category_id": 2, "bbox": [1, 2, 3, 4], "segmentation": []}]"#,
    );
    let boxes = boxes.unwrap();
    assert_eq!(boxes.pictures.len(), 2, "a picture without boxes stays");
    assert_eq!(
        boxes.pictures[0].1,
        [Detection {
            class_idx: 1,
            class: "dog".into(),
            score: 1.0,
            bounds: BoxXyxy::new(1.0, 2.0, 4.0, 6.0),
        }]
    );
    let one = |image: i64, category: i64, bbox: &str, score: &str| {
        format!(
            r#"[{{"id": 5, "image_id": {image}, "category_id": {category}, "bbox": {bbox}, "score": {score}}}]"#
        )
    };
    for (text, expected) in [
        (
            one(4, 2, "[1, 2, 3, 4]", "1"),
            "annotation 5: no picture is called number 4",
        ),
        (
            one(3, 1, "[1, 2, 3, 4]", "1"),
            "annotation 5: no class is called number 1",
        ),
        (one(3, 2, "[1, 2, 39.5, 4]", "1"), "not within"),
        (one(3, 2, "[1, 2, -3, 4]", "1"), "-3 wide"),
        (one(3, 2, "[1, 2, NaN, 4]", "1"), "not COCO boxes"),
        (one(3, 2, "[1, 2, 3]", "1"), "not COCO boxes"),
        (one(3, 2, "[1, 2, 1e999, 4]", "1"), "not COCO boxes"),
        (one(3, 2, "[1, 2, 3, 4]", "-0.1"), "score is -0.1"),
    ] {
        let message = read(&text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}: {message}");
    }
    for (images, categories, expected) in [
        (
            r#"[{"id": 3, "file_name": "z.png", "width": 40, "height": 30}]"#,
            CATEGORIES,
            "z.png",
        ),
        (
            r#"[{"id": 3, "file_name": "a.png", "width": 41, "height": 30}]"#,
            CATEGORIES,
            "[41, 30]",
        ),
        (
            IMAGES,
            r#"[{"id": 3, "name": "x"}, {"id": 3, "name": "y"}]"#,
            "category id 3",
        ),
        (
            IMAGES,
            r#"[{"id": 3, "name": "x"}, {"id": 4, "name": "x"}]"#,
            "category x",
        ),
    ] {
        let text = annotated(images, "[]", categories);
        let error = coco::parse(text.as_bytes(), Some(&pictures())).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn results_take_their_numbers_from_an_annotation_file() {
    let index = annotated(IMAGES, "[]", CATEGORIES);
    let results = r#" [{"image_id": 3, "category_id": 9, "bbox": [1, 2, 3, 4], "score": 0.25}]"#;
    assert!(coco::is_results(results.as_bytes()) && !coco::is_results(index.as_bytes()));
    let boxes = coco::parse_results(results.as_bytes(), index.as_bytes(), None).unwrap();
    assert_eq!(boxes.pictures[0].1[0].class, "cat");
    assert_eq!(boxes.pictures[0].1[0].score, 0.25);
    let error = coco::parse_results(index.as_bytes(), index.as_bytes(), None).unwrap_err();
    assert!(
        error.to_string().contains("a result file is a list"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(
        all in prop::collection::vec((0..2_usize, 0..2_usize, 0..=1000_u32, 0.0..20.0_f64, 0.0..15.0_f64, 0.1..20.0_f64, 0.1..15.0_f64), 0..9)
    ) {
        let classes: Vec<String> = ["cat, wild".into(), "dog".into()].into();
        let mut boxes = Boxes {
            classes: classes.clone(),
            pictures: pictures().into_iter().map(|picture| (picture, Vec::new())).collect(),
        };
        for (picture, class_idx, score, x, y, width, height) in all {
            boxes.pictures[picture].1.push(Detection {
                class_idx,
                class: classes[class_idx].clone(),
                score: f64::from(score) / 1000.0,
                bounds: BoxXyxy::new(x, y, x + width, y + height),
            });
        }
        let table = csv::text(&boxes);
        prop_assert_eq!(&csv::parse(table.as_bytes(), &pictures(), Some(&classes)).unwrap(), &boxes);
        // Widths are differences, so the far edges come back to rounding.
        let json = coco::text(&boxes);
        let back = coco::parse(json.as_bytes(), None).unwrap();
        prop_assert_eq!(&back.classes, &boxes.classes);
        for ((_, back), (_, found)) in back.pictures.iter().zip(&boxes.pictures) {
            prop_assert_eq!(back.len(), found.len());
            for (back, found) in back.iter().zip(found) {
                prop_assert_eq!((back.class_idx, back.score), (found.class_idx, found.score));
                prop_assert!((back.bounds.x_max - found.bounds.x_max).abs() < 1e-12);
                prop_assert!((back.bounds.y_max - found.bounds.y_max).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn damaged_json_is_read_or_refused(at in 0..300_usize, text in "[\\[\\]{},:0-9\"eN.-]{0,6}") {
        let whole = annotated(IMAGES, r#"[{"id": 5, "image_id": 3, "category_id": 2, "bbox": [1, 2, 3, 4]}]"#, CATEGORIES);
        let at = at.min(whole.len());
        let damaged = format!("{}{text}{}", &whole[..at], &whole[at..]);
        if let Ok(boxes) = coco::parse(damaged.as_bytes(), None) {
            prop_assert!(boxes.pictures.iter().flat_map(|(_, all)| all).all(|one| one.bounds.area() > 0.0));
        }
    }
}
