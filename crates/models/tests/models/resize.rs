//! Resizing gives Pillow's bytes; the numbers come from `fixtures/generate/resize.py`.

use consilience_io::{AnyArray, image::RgbImage, npz};
use consilience_models::preprocess::{Filter, Preprocessing, Range, Resize};
use ndarray::{Array3, Ix3};

fn array(key: &str) -> Array3<u8> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/resize/pillow.npz"
    );
    match npz::read(path, Some(key)).unwrap() {
        AnyArray::U8(array) => array.into_dimensionality::<Ix3>().unwrap(),
        other => panic!("{key} holds {}", other.dtype()),
    }
}

#[test]
fn every_filter_gives_pillows_bytes() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/resize/pillow.npz"
    );
    let source = array("image");
    let image = RgbImage {
        width: source.dim().1,
        height: source.dim().0,
        pixels: source.iter().copied().collect(),
    };
    let cases: Vec<String> = npz::keys(path)
        .unwrap()
        .into_iter()
        .filter(|k| k != "image")
        .collect();
    assert_eq!(cases.len(), 72);
    for case in cases {
        let (filter, size) = case.split_once('_').unwrap();
        let filter = match filter {
            "nearest" => Filter::Nearest,
            "hamming" => Filter::Hamming,
            "box" => Filter::Box,
            "bilinear" => Filter::Bilinear,
            "bicubic" => Filter::Bicubic,
            "lanczos" => Filter::Lanczos,
            other => panic!("{other}"),
        };
        let (height, width) = size.split_once('x').unwrap();
        let preprocessing = Preprocessing {
            resize: Resize::Exact {
                height: height.parse().unwrap(),
                width: width.parse().unwrap(),
                filter,
            },
            crop: None,
            range: Range::Bytes,
            mean: [0.0; 3],
            std: [1.0; 3],
            ..Preprocessing::imagenet()
        };
        let found = preprocessing
            .apply(&image)
            .unwrap()
            .permuted_axes([1, 2, 0]);
        let found = found.mapv(|value| value as u8);
        let expected = array(&case);
        let n_wrong = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(
            n_wrong,
            0,
            "{case}: {n_wrong} of {} bytes differ",
            expected.len()
        );
    }
}
