use std::collections::BTreeMap;

use super::*;

fn picture(width: usize, height: usize, pixel: [u8; 3]) -> RgbImage {
    RgbImage {
        width,
        height,
        pixels: pixel.repeat(width * height),
    }
}

fn plain(resize: Resize, crop: Option<[usize; 2]>) -> Preprocessing {
    Preprocessing {
        resize,
        crop,
        range: Range::Bytes,
        mean: [0.0; 3],
        std: [1.0; 3],
        ..Preprocessing::imagenet()
    }
}

fn letterbox(align: Align, fill: f32) -> Preprocessing {
    let resize = Resize::Letterbox {
        height: 8,
        width: 8,
        filter: Filter::Bilinear,
        align,
        fill,
    };
    plain(resize, None)
}

#[test]
fn crops_begin_where_torchvision_begins() {
    // int(round((extent - crop) / 2)) in Python for surpluses 0…6.
    let offsets: Vec<isize> = (0..7)
        .map(|surplus| layout::crop_offset(10 + surplus, 10))
        .collect();
    assert_eq!(offsets, [0, 0, 1, 2, 2, 2, 3]);
    // Padding puts the odd pixel after the image.
    let paddings: Vec<isize> = (0..4)
        .map(|short| layout::crop_offset(10 - short, 10))
        .collect();
    assert_eq!(paddings, [0, 0, -1, -1]);
}

#[test]
fn threads_of_pixels_and_empty_pictures_are_refused() {
    let error = Preprocessing::imagenet()
        .apply(&picture(1, 60_000, [0; 3]))
        .unwrap_err();
    assert!(matches!(error, ModelError::Elongated { width: 1, .. }));
    for preprocessing in [Preprocessing::imagenet(), letterbox(Align::Centre, 0.0)] {
        let error = preprocessing.apply(&picture(0, 3, [0; 3])).unwrap_err();
        assert!(matches!(error, ModelError::EmptyPicture));
    }
}

#[test]
fn the_long_side_is_rounded_down() {
    let preprocessing = Preprocessing::imagenet();
    assert_eq!(preprocessing.resize.resized([175, 175]), [256, 256]);
    assert_eq!(preprocessing.resize.resized([333, 500]), [256, 384]);
    assert_eq!(preprocessing.resize.resized([500, 333]), [384, 256]);
    assert_eq!(preprocessing.output_size([9, 9]), [224, 224]);
}

#[test]
fn a_small_image_is_padded_with_black_and_normalised() {
    let preprocessing = Preprocessing {
        range: Range::Unit,
        mean: [0.5, 0.0, 0.0],
        std: [0.5, 1.0, 1.0],
        ..plain(Resize::Keep, Some([2, 3]))
    };
    let out = preprocessing.apply(&picture(1, 1, [255, 51, 0])).unwrap();
    assert_eq!(out.dim(), (3, 2, 3));
    let red: Vec<f32> = out.index_axis(Axis(0), 0).iter().copied().collect();
    assert_eq!(red, [-1.0, 1.0, -1.0, -1.0, -1.0, -1.0]);
    assert!((out[[1, 0, 1]] - 0.2).abs() < 1e-7);
}

#[test]
fn channels_can_come_in_the_other_order_and_as_bytes() {
    let preprocessing = Preprocessing {
        order: ChannelOrder::Bgr,
        mean: [100.0, 50.0, 25.0],
        ..plain(Resize::Keep, None)
    };
    let out = preprocessing.apply(&picture(1, 1, [101, 52, 28])).unwrap();
    assert_eq!(out.iter().copied().collect::<Vec<_>>(), [3.0, 2.0, 1.0]);
}

#[test]
fn a_letterbox_lies_in_the_middle_or_in_the_corner() {
    let middle = letterbox(Align::Centre, 127.5);
    let out = middle.apply(&picture(16, 10, [10, 20, 30])).unwrap();
    let column: Vec<f32> = out.slice(ndarray::s![0, .., 7]).to_vec();
    assert_eq!(column, [127.5, 10.0, 10.0, 10.0, 10.0, 10.0, 127.5, 127.5]);
    let placement = middle.placement([10, 16]);
    assert_eq!(
        (placement.offset, placement.scale),
        ([0.0, 1.0], [2.0, 2.0])
    );
    assert_eq!(placement.to_image([8.0, 6.0]), [16.0, 10.0]);
    assert_eq!(placement.to_input([16.0, 10.0]), [8.0, 6.0]);

    let corner = letterbox(Align::Corner, 114.0);
    let out = corner.apply(&picture(3, 12, [10, 20, 30])).unwrap();
    assert_eq!((out[[1, 7, 1]], out[[1, 7, 2]]), (20.0, 114.0));
    let placement = corner.placement([12, 3]);
    assert_eq!((placement.offset, placement.scale), ([0.0; 2], [1.5; 2]));
    // A thread keeps one pixel.
    assert_eq!(middle.placement([1000, 1]).scale, [1.0, 125.0]);
    assert_eq!(middle.fixed_size(), Some([8, 8]));
}

#[test]
fn a_letterbox_is_the_resized_image_in_its_frame() {
    let mut image = picture(31, 17, [0; 3]);
    for (at, byte) in image.pixels.iter_mut().enumerate() {
        *byte = (at * 37 % 251) as u8;
    }
    for align in [Align::Centre, Align::Corner] {
        let fitted = letterbox(align, 0.0);
        let out = fitted.apply(&image).unwrap();
        let exact = Resize::Exact {
            height: 4,
            width: 8,
            filter: Filter::Bilinear,
        };
        let resized = plain(exact, None).apply(&image).unwrap();
        let top = if align == Align::Centre { 2 } else { 0 };
        assert_eq!(out.slice(ndarray::s![.., top..top + 4, ..]), resized);
    }
}

#[derive(Deserialize)]
struct Stated {
    resize: usize,
    crop: usize,
    interpolation: String,
    mean: [f32; 3],
    std: [f32; 3],
}

#[test]
fn presets_are_those_of_torchvision() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/preprocess/torchvision.json"
    );
    let stated: BTreeMap<String, Stated> =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(stated.len() > 100);
    for (name, stated) in stated {
        let filter = match stated.interpolation.as_str() {
            "bilinear" => Filter::Bilinear,
            "bicubic" => Filter::Bicubic,
            other => panic!("{other}"),
        };
        let expected = Preprocessing {
            resize: Resize::ShortSide {
                size: stated.resize,
                filter,
            },
            crop: Some([stated.crop; 2]),
            mean: stated.mean,
            std: stated.std,
            ..Preprocessing::imagenet()
        };
        assert_eq!(Preprocessing::named(&name).unwrap(), expected, "{name}");
    }
    let message = Preprocessing::named("resnet50.IMAGENET1K_V3")
        .unwrap_err()
        .to_string();
    assert!(message.contains("resnet50.IMAGENET1K_V2"), "{message}");
}

#[test]
fn blocks_hide_what_a_picture_shows_and_keep_its_size_and_mean() {
    let picture = RgbImage {
        width: 40,
        height: 30,
        pixels: (0..40 * 30 * 3).map(|i| (i * 37 % 251) as u8).collect(),
    };
    let hidden = blocks(&picture);
    assert_eq!((hidden.width, hidden.height), (40, 30));
    let colours: std::collections::BTreeSet<&[u8]> = hidden.pixels.chunks(3).collect();
    assert!(colours.len() <= 25, "{}", colours.len());
    let mean = |image: &RgbImage| {
        image.pixels.iter().map(|&v| f64::from(v)).sum::<f64>() / image.pixels.len() as f64
    };
    assert!((mean(&hidden) - mean(&picture)).abs() < 0.5);

    let tiny = RgbImage {
        width: 2,
        height: 1,
        pixels: vec![1, 2, 3, 4, 5, 6],
    };
    assert_eq!(blocks(&tiny), tiny);
}
