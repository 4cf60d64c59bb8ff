use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{AnyArray, npz};

fn fixture(name: &str) -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/image/")
        .parse::<PathBuf>()
        .unwrap()
        .join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn parse(bytes: &[u8]) -> Result<RgbImage> {
    decode(bytes, &Limits::default())
}

#[test]
fn pictures_are_those_of_pillow() {
    let expected = fixture("expected.npz");
    for name in npz::keys(&expected).unwrap() {
        if name == "grey_16.png" || name.starts_with("upright_") {
            continue;
        }
        let AnyArray::U8(pillow) = npz::read(&expected, Some(&name)).unwrap() else {
            panic!("{name}: pictures are bytes");
        };
        let image = read(fixture(&name)).unwrap();
        assert_eq!([image.height, image.width, 3], pillow.shape(), "{name}");
        let of_header = size(fixture(&name), Orientation::Ignore).unwrap();
        assert_eq!(of_header, (image.width, image.height));
        let pillow: Vec<u8> = pillow.iter().copied().collect();
        assert!(image.pixels == pillow, "{name}");
    }
}

#[test]
fn orientation_tags_are_applied_on_demand() {
    let expected = fixture("expected.npz");
    let keys = npz::keys(&expected).unwrap();
    let turned: Vec<&String> = keys
        .iter()
        .filter(|key| key.starts_with("upright_"))
        .collect();
    assert_eq!(turned.len(), 8);
    for key in turned {
        let name = key.trim_start_matches("upright_");
        let AnyArray::U8(pillow) = npz::read(&expected, Some(key)).unwrap() else {
            panic!("{name}: pictures are bytes");
        };
        let image = read_oriented(fixture(name), Orientation::Exif).unwrap();
        assert_eq!([image.height, image.width, 3], pillow.shape(), "{name}");
        let of_header = size(fixture(name), Orientation::Exif).unwrap();
        assert_eq!(of_header, (image.width, image.height), "{name}");
        let pillow: Vec<u8> = pillow.iter().copied().collect();
        assert!(image.pixels == pillow, "{name}");
        assert_eq!(
            read_oriented(fixture(name), Orientation::Ignore).unwrap(),
            read(fixture(name)).unwrap()
        );
    }
}

#[test]
fn sixteen_bits_keep_the_upper_eight() {
    let AnyArray::U8(pillow) = npz::read(fixture("expected.npz"), Some("grey_16.png")).unwrap()
    else {
        panic!("pictures are bytes");
    };
    // Pillow clips all but the 256 darkest of 65,536 levels.
    let n_white = pillow.iter().filter(|byte| **byte == 255).count();
    assert!(n_white * 10 > pillow.len() * 9);
    let ours = read(fixture("grey_16.png")).unwrap();
    let rgb = read(fixture("rgb_16.png")).unwrap();
    assert!(
        ours.pixels
            .chunks(3)
            .zip(rgb.pixels.chunks(3))
            .all(|(grey, rgb)| grey[0] == rgb[0])
    );
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, 2, 1);
    encoder.set_depth(::png::BitDepth::Sixteen);
    encoder.set_color(::png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[0x12, 0xff, 0xff, 0x00]).unwrap();
    writer.finish().unwrap();
    assert_eq!(
        parse(&bytes).unwrap().pixels,
        [0x12, 0x12, 0x12, 255, 255, 255]
    );
}

#[test]
fn other_kinds_are_refused_with_a_cure() {
    for (bytes, name) in [
        (&b"GIF89a"[..], "GIF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
    ] {
        let message = parse(bytes).unwrap_err().to_string();
        assert!(
            message.contains(name) && message.contains("convert"),
            "{message}"
        );
    }
    for bytes in [&b"text"[..], b"", b"\x89PN"] {
        let message = parse(bytes).unwrap_err().to_string();
        assert!(message.contains("not a PNG, JPEG or BMP"), "{message}");
    }
}

#[test]
fn sizes_are_checked_before_memory_is_reserved() {
    // 65535 × 65535 in the header of a tiny file.
    let mut jpeg = bytes("grey.jpg");
    let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let small = Limits {
        max_pixels: 100,
        ..Limits::default()
    };
    let huge = Limits {
        max_pixels: u64::MAX,
        ..Limits::default()
    };
    for limits in [Limits::default(), huge] {
        assert!(decode(&jpeg, &limits).is_err());
    }
    for name in ["rgb.png", "rgb.jpg"] {
        let message = decode(&bytes(name), &small).unwrap_err().to_string();
        assert!(message.contains("max_pixels"), "{message}");
    }
}

#[test]
fn a_picture_without_pixels_is_refused_with_its_size() {
    let frame = |bytes: &[u8]| bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap() + 5;
    let jpeg = bytes("grey.jpg");
    for (name, at, size) in [
        ("rgb.png", 16, "0×"),
        ("grey_16.png", 20, "×0,"),
        ("rgb.bmp", 18, "0×"),
        ("grey.jpg", frame(&jpeg), "×0,"),
    ] {
        let mut bytes = bytes(name);
        let n = if name.ends_with("jpg") { 2 } else { 4 };
        bytes[at..at + n].fill(0);
        let message = parse(&bytes).unwrap_err().to_string();
        assert!(
            message.contains(size) && message.contains("at least one pixel"),
            "{name}: {message}"
        );
    }
}

#[test]
fn every_truncation_of_a_bmp_is_an_error() {
    let whole = bytes("palette.bmp");
    for end in 0..whole.len() - 3 {
        assert!(parse(&whole[..end]).is_err(), "{end}");
    }
}

#[test]
fn every_truncation_of_a_png_is_an_error() {
    let whole = bytes("palette_transparent.png");
    let end = whole.windows(4).rposition(|w| w == b"IEND").unwrap() - 4;
    for n in 0..end {
        assert!(parse(&whole[..n]).is_err(), "{n} bytes");
    }
}

#[test]
fn every_truncation_of_a_jpeg_is_an_error() {
    for name in ["rgb.jpg", "progressive.jpg"] {
        let whole = bytes(name);
        for n in 0..whole.len() - 2 {
            assert!(parse(&whole[..n]).is_err(), "{name}: {n} bytes");
        }
    }
}

#[test]
fn the_number_of_bytes_is_checked_when_encoding() {
    assert!(encode_png_as(2, 2, Channels::Grey, &[0; 3]).is_err());
    assert!(encode_png_as(0, 2, Channels::Grey, &[]).is_err());
    let rgba = encode_png_as(1, 1, Channels::Rgba, &[1, 2, 3, 0]).unwrap();
    assert_eq!(parse(&rgba).unwrap().pixels, [1, 2, 3]);
}

proptest! {
    #[test]
    fn pictures_round_trip(width in 1_usize..20, height in 1_usize..20, seed in any::<u8>()) {
        let pixels = (0..width * height * 3).map(|i| (i as u8).wrapping_mul(seed)).collect();
        let image = RgbImage { width, height, pixels };
        let bytes = encode_png(&image).unwrap();
        prop_assert_eq!(&bytes, &encode_png(&image).unwrap());
        prop_assert_eq!(parse(&bytes).unwrap(), image);
    }

    #[test]
    fn damaged_bytes_never_panic(
        name in prop::sample::select(vec![
            "palette_2bit.png", "rgba.png", "rgb_420.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg",
        ]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = bytes(name);
        for (position, value) in flips {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        let _ = parse(&bytes);
    }
}
