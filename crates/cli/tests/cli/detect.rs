//! `consilience detect`, `faces` and `boxes`.

use std::path::Path;

use consilience::io::image;

use crate::support::{Scratch, assert_no_partial_files, encode, real_data};

fn scratch(data: &Path) -> Scratch {
    let scratch = Scratch::new();
    for (name, photograph) in [
        ("pictures/dog.jpg", "yolo_fastest/photos/dog.jpg"),
        ("pictures/eagle.jpg", "yolo_fastest/photos/eagle.jpg"),
        ("people/astronaut.png", "sample_photos/astronaut.png"),
        ("people/coffee.png", "sample_photos/coffee.png"),
    ] {
        scratch.put(name, &std::fs::read(data.join(photograph)).unwrap());
    }
    scratch
}

fn path(data: &Path, name: &str) -> String {
    data.join(name).to_str().unwrap().to_owned()
}

#[test]
fn detect_writes_boxes_that_boxes_reads_again() {
    let test = "detect_writes_boxes_that_boxes_reads_again";
    let Some(data) = real_data(test) else { return };
    let scratch = scratch(&data);
    let weights = path(&data, "yolox_nano/yolox_nano.onnx");
    let base = [
        "detect",
        "--model",
        "yolox_nano",
        "--weights",
        &weights,
        "--images",
        "pictures",
    ];
    let detect = |more: &[&str]| scratch.ok(&[&base[..], more].concat());
    assert_eq!(
        detect(&["--out", "boxes.csv", "--overlay", "drawn"]),
        "boxes.csv\n"
    );
    let table = std::fs::read_to_string(scratch.path("boxes.csv")).unwrap();
    let classes: Vec<&str> = table
        .lines()
        .map(|line| line.split(',').nth(1).unwrap())
        .collect();
    assert_eq!(classes, ["class", "dog", "car", "bicycle", "cat", "bird"]);
    assert!(table.starts_with("image,class,score,x_min,y_min,x_max,y_max\ndog.jpg,dog,0.82"));
    for name in ["dog", "eagle"] {
        let drawn = image::read(scratch.path(&format!("drawn/{name}.png"))).unwrap();
        let photograph = image::read(scratch.path(&format!("pictures/{name}.jpg"))).unwrap();
        assert_eq!(
            (drawn.width, drawn.height),
            (photograph.width, photograph.height)
        );
        assert_ne!(drawn.pixels, photograph.pixels);
    }
    detect(&["--out", "one.csv", "--threads", "1"]);
    assert_eq!(
        std::fs::read_to_string(scratch.path("one.csv")).unwrap(),
        table
    );

    detect(&["--out", "boxes.json", "--score", "0.5"]);
    let boxes = [
        "boxes",
        "boxes.json",
        "--images",
        "pictures",
        "--out",
        "again.csv",
    ];
    assert_eq!(scratch.ok(&boxes), "again.csv\n");
    let again = std::fs::read_to_string(scratch.path("again.csv")).unwrap();
    assert_eq!(again.lines().count(), 1 + 4);
    scratch.refused(
        &[
            "boxes",
            "boxes.csv",
            "--images",
            "people",
            "--out",
            "no.csv",
        ],
        &["row 2", "dog.jpg"],
    );
    assert!(!scratch.path("no.csv").exists());
}

#[test]
fn detect_runs_a_darknet_cfg() {
    let test = "detect_runs_a_darknet_cfg";
    let Some(data) = real_data(test) else { return };
    let scratch = scratch(&data);
    let (cfg, weights) = (
        path(&data, "yolo_fastest/yolo-fastest-1.1.cfg"),
        path(&data, "yolo_fastest/yolo-fastest-1.1.weights"),
    );
    let base = ["detect", "--images", "pictures", "--out", "boxes.csv"];
    let with = |model: &str, weights: &str| -> Vec<String> {
        let more = ["--model", model, "--weights", weights];
        base.iter()
            .chain(&more)
            .map(|word| (*word).to_owned())
            .collect()
    };
    fn words(all: &[String]) -> Vec<&str> {
        all.iter().map(String::as_str).collect()
    }
    scratch.ok(&words(&with(&cfg, &weights)));
    let table = std::fs::read_to_string(scratch.path("boxes.csv")).unwrap();
    for class in ["dog.jpg,bicycle", "dog.jpg,dog", "eagle.jpg,bird"] {
        assert!(table.contains(class), "{table}");
    }
    std::fs::remove_file(scratch.path("boxes.csv")).unwrap();

    let coffee = path(&data, "sample_photos/coffee.png");
    for (model, weights, phrases) in [
        ("yolov3_coco", weights.as_str(), ["346062", "62001757"]),
        ("yolov4", &weights, ["yolov4", "yolox_nano"]),
        (&cfg, &coffee, ["another kind of file", "coffee.png"]),
        ("yolox_nano", &weights, ["ONNX", ".weights"]),
    ] {
        scratch.refused(&words(&with(model, weights)), &phrases);
    }
    assert!(!scratch.path("boxes.csv").exists());
    assert_no_partial_files(&scratch.path("."));
}

#[test]
fn faces_writes_aligned_faces_and_a_table() {
    let test = "faces_writes_aligned_faces_and_a_table";
    let Some(data) = real_data(test) else { return };
    let scratch = scratch(&data);
    let (detector, landmarks) = (
        path(&data, "face_openvino/face_detection_0004.onnx"),
        path(&data, "face_openvino/landmarks_0009.onnx"),
    );
    let base = [
        "faces",
        "--detector",
        &detector,
        "--landmarks",
        &landmarks,
        "--images",
        "people",
    ];
    let more = ["--out", "faces", "--overlay", "drawn"];
    assert_eq!(
        scratch.ok(&[&base[..], &more].concat()),
        "faces/faces.csv\n"
    );
    let table = std::fs::read_to_string(scratch.path("faces/faces.csv")).unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(rows.len(), 2, "{table}");
    assert_eq!(rows[1][..3], ["astronaut.png", "0", "astronaut_0.png"]);
    let face = image::read(scratch.path("faces/astronaut_0.png")).unwrap();
    assert_eq!((face.width, face.height), (112, 112));
    assert!(
        scratch.path("drawn/coffee.png").exists(),
        "also a picture without a face"
    );

    let more = ["--out", "reid", "--template", "reidentification"];
    scratch.ok(&[&base[..], &more].concat());
    let face = image::read(scratch.path("reid/astronaut_0.png")).unwrap();
    assert_eq!((face.width, face.height), (128, 128));
    scratch.refused(
        &[
            "faces",
            "--detector",
            &landmarks,
            "--landmarks",
            &landmarks,
            "--images",
            "people",
            "--out",
            "no",
        ],
        &["48 × 48", "ssd 300 × 300"],
    );
    scratch.put("people/unreadable.png", b"no picture");
    let more = ["--out", "no", "--overlay", "no/drawn"];
    scratch.refused(&[&base[..], &more].concat(), &["unreadable.png"]);
}

/// A JPEG file whose orientation tag says that it has to be turned by a quarter.
fn turned(jpeg: &[u8]) -> Vec<u8> {
    let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let segment = [&b"Exif\0\0"[..], tiff].concat();
    let length = u16::try_from(segment.len() + 2).unwrap().to_be_bytes();
    let (start, rest) = jpeg.split_at(2);
    [start, &[0xff, 0xe1], &length, &segment, rest].concat()
}

#[test]
fn boxes_are_those_of_the_turned_picture_on_demand() {
    let test = "boxes_are_those_of_the_turned_picture_on_demand";
    let Some(data) = real_data(test) else { return };
    let scratch = Scratch::new();
    let photograph = std::fs::read(data.join("yolo_fastest/photos/dog.jpg")).unwrap();
    scratch.put("pictures/dog.jpg", &turned(&photograph));
    let stored = image::read(scratch.path("pictures/dog.jpg")).unwrap();
    let weights = path(&data, "yolox_nano/yolox_nano.onnx");
    let (detector, landmarks) = (
        path(&data, "face_openvino/face_detection_0004.onnx"),
        path(&data, "face_openvino/landmarks_0009.onnx"),
    );
    let detect = ["detect", "--model", "yolox_nano", "--weights", &weights];
    let detect = [&detect[..], &["--out", "boxes.json", "--score", "0.05"]].concat();
    let faces = ["faces", "--detector", &detector, "--landmarks", &landmarks];
    let faces = [&faces[..], &["--out", "faces"]].concat();
    let boxes = ["boxes", "boxes.json", "--out", "boxes.csv"];
    for (orientation, size) in [
        ("ignore", (stored.width, stored.height)),
        ("exif", (stored.height, stored.width)),
    ] {
        for command in [&detect[..], &faces, &boxes] {
            let more = ["--images", "pictures", "--overlay", "drawn"];
            scratch.ok(&[command, &more, &["--orientation", orientation]].concat());
            let drawn = image::read(scratch.path("drawn/dog.png")).unwrap();
            assert_eq!(
                (drawn.width, drawn.height),
                size,
                "{command:?} {orientation}"
            );
        }
    }
    let more = ["--images", "pictures", "--orientation", "ignore"];
    let refused = [&boxes[..], &more].concat();
    scratch.refused(&refused, &["dog.jpg"]);
}

#[test]
fn boxes_reads_both_forms_of_coco_and_refuses_what_does_not_fit() {
    let scratch = Scratch::new();
    scratch.put(
        "pictures/a.png",
        &encode(40, |row, column| [row as u8, column as u8, 9]),
    );
    let images = r#""images": [{"id": 5, "file_name": "a.png", "width": 40, "height": 40}]"#;
    let categories = r#""categories": [{"id": 3, "name": "cat"}]"#;
    let one = r#"{"id": 1, "image_id": 5, "category_id": 3, "bbox": [1, 2, 10, 20], "score": 0.5}"#;
    let text = format!("{{{images}, {categories}, \"annotations\": [{one}]}}");
    scratch.put("truth.json", text.as_bytes());
    scratch.put("results.json", format!("[{one}]").as_bytes());
    let boxes = |file: &str, more: &[&str]| {
        let base = ["boxes", file, "--images", "pictures", "--out", "out.csv"];
        [&base[..], more]
            .concat()
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    fn words(all: &[String]) -> Vec<&str> {
        all.iter().map(String::as_str).collect()
    }
    let expected = "image,class,score,x_min,y_min,x_max,y_max\na.png,cat,0.5,1,2,11,22\n";
    for (file, more) in [
        ("truth.json", &["--overlay", "drawn"][..]),
        ("results.json", &["--annotations", "truth.json"]),
    ] {
        scratch.ok(&words(&boxes(file, more)));
        assert_eq!(
            std::fs::read_to_string(scratch.path("out.csv")).unwrap(),
            expected
        );
        std::fs::remove_file(scratch.path("out.csv")).unwrap();
    }
    assert!(scratch.path("drawn/a.png").exists());
    scratch.put("far.json", text.replace("10, 20", "10, 200").as_bytes());
    scratch.put("half.json", &text.as_bytes()[..60]);
    scratch.put("boxes.xml", b"<a/>");
    scratch.put("words.txt", b"dog\ndog\n");
    for (file, more, phrases) in [
        ("results.json", &[][..], ["results.json", "--annotations"]),
        (
            "far.json",
            &[],
            ["annotation 1", "not within the picture of 40 × 40"],
        ),
        ("half.json", &[], ["half.json", "not COCO boxes"]),
        ("boxes.xml", &[], [".csv or .json", "boxes.xml"]),
        (
            "truth.json",
            &["--classes", "words.txt"],
            ["line 2", "words.txt"],
        ),
    ] {
        scratch.refused(&words(&boxes(file, more)), &phrases);
        assert!(!scratch.path("out.csv").exists());
    }
}
