use std::path::Path;

use consilience_io::npz;
use ndarray::{Array3, Ix3};
use proptest::prelude::*;

use super::*;
use crate::preprocess::Resize;

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/preprocess/transforms.npz")
}

fn picture(key: &str) -> RgbImage {
    let array = npz::read(fixture(), Some(key)).unwrap().into_f64();
    let array = array.into_dimensionality::<Ix3>().unwrap();
    RgbImage {
        width: array.dim().1,
        height: array.dim().0,
        pixels: array.iter().map(|&value| value as u8).collect(),
    }
}

fn plain() -> Preprocessing {
    Preprocessing {
        resize: Resize::Keep,
        crop: None,
        range: Range::Unit,
        mean: [0.0; 3],
        std: [1.0; 3],
        ..Preprocessing::imagenet()
    }
}

fn seen(changes: &Changes, image: &RgbImage, idx: u64) -> Array3<f32> {
    let mut out = Array3::zeros((3, image.height, image.width));
    changes
        .apply_into(&plain(), image, idx, out.view_mut())
        .unwrap();
    out
}

fn of(change: &str) -> Changes {
    Changes {
        fixed: vec![change.parse().unwrap()],
        ..Changes::default()
    }
}

#[test]
fn changes_are_torchvision_s() {
    let mut n = 0;
    for key in npz::keys(fixture()).unwrap() {
        let Some((name, change)) = key.split_once('_') else {
            continue;
        };
        let expected = picture(&key);
        let found = change.parse::<Change>().unwrap().apply(picture(name));
        let bound = i16::from(change.starts_with("blur"));
        let far = found.pixels.iter().zip(&expected.pixels);
        let far = far.filter(|(a, b)| (i16::from(**a) - i16::from(**b)).abs() > bound);
        assert_eq!(far.count(), 0, "{key}");
        n += 1;
    }
    assert_eq!(n, 46);
}

#[test]
fn noise_has_its_variance_and_its_seed() {
    let image = RgbImage {
        width: 100,
        height: 80,
        pixels: vec![128; 24_000],
    };
    let mut changes = of("noise=0.01");
    let found = seen(&changes, &image, 3);
    let level = 128.0 / 255.0;
    let mean = f64::from(found.mean().unwrap());
    let variance = found
        .mapv(|v| (f64::from(v) - mean).powi(2))
        .mean()
        .unwrap();
    // Five standard errors; cutting at 0 and 1, five deviations away, takes nothing.
    assert!(
        (mean - level).abs() < 5.0 * 0.1 / 24_000.0_f64.sqrt(),
        "{mean}"
    );
    assert!(
        (variance - 0.01).abs() < 5.0 * 0.01 * (2.0 / 24_000.0_f64).sqrt(),
        "{variance}"
    );
    assert_eq!(found, seen(&changes, &image, 3));
    assert_ne!(found, seen(&changes, &image, 4));
    changes.epoch = 1;
    assert_ne!(found, seen(&changes, &image, 3));
    // Much noise stays between black and white.
    let wild = seen(&of("noise=4"), &image, 0);
    assert!(wild.iter().all(|v| (0.0..=1.0).contains(v)) && wild.iter().any(|v| *v == 0.0));
}

#[test]
fn views_are_drawn_as_often_as_they_should_be() {
    let augmentation = Augmentation::default();
    let n = 4000;
    let mut counts = [0.0_f64; 3];
    for idx in 0..n {
        for change in augmentation.draw(&mut Draws::new(1, 2, idx)) {
            match change {
                Change::Rotation { degrees } => {
                    assert!(degrees.abs() <= 20.0);
                    counts[0] += 1.0;
                }
                Change::Flip => counts[1] += 1.0,
                Change::Blur { sigma } => {
                    assert!((0.1..=2.0).contains(&sigma));
                    counts[2] += 1.0;
                }
                other => panic!("{other}"),
            }
        }
    }
    for (count, p) in counts.iter().zip([0.5, 0.5, 0.2]) {
        let deviation = (f64::from(n as u32) * p * (1.0 - p)).sqrt();
        assert!(
            (count - f64::from(n as u32) * p).abs() < 5.0 * deviation,
            "{count} {p}"
        );
    }
}

#[test]
fn words_that_are_no_change_are_refused() {
    for wrong in [
        "grey",
        "noise",
        "noise=-1",
        "hue=0.6",
        "lighting=nan",
        "blur=0",
        "gray=1",
        "rotation=inf",
        "",
    ] {
        let message = wrong.parse::<Change>().unwrap_err().to_string();
        assert!(message.contains("lighting=FACTOR"), "{wrong}: {message}");
    }
    for right in [
        "gray",
        "noise=0.01",
        "hue=-0.5",
        "lighting=1.3",
        "rotation=-20",
        "flip",
        "blur=2",
    ] {
        assert_eq!(right.parse::<Change>().unwrap().to_string(), right);
    }
}

#[test]
fn channels_come_in_the_network_s_order() {
    let image = picture("image");
    let bgr = Preprocessing {
        order: ChannelOrder::Bgr,
        ..Preprocessing::imagenet()
    };
    for preprocessing in [plain(), bgr] {
        let expected = preprocessing.apply(&image).unwrap();
        let mut found = Array3::zeros(expected.dim());
        Changes::default()
            .apply_into(&preprocessing, &image, 0, found.view_mut())
            .unwrap();
        assert_eq!(found, expected);
    }
}

proptest! {
    #[test]
    fn laws_of_changes(width in 1..9_usize, height in 1..9_usize, seed in 0..1000_u64) {
        let mut draws = Draws::new(seed, 0, 0);
        let pixels = (0..3 * width * height).map(|_| (draws.uniform() * 256.0) as u8).collect();
        let image = RgbImage { width, height, pixels };
        let after = |text: &str, image: RgbImage| text.parse::<Change>().unwrap().apply(image);
        for nothing in ["rotation=0", "rotation=360", "lighting=1"] {
            prop_assert_eq!(&after(nothing, image.clone()), &image);
        }
        prop_assert_eq!(&after("flip", after("flip", image.clone())), &image);
        prop_assert_eq!(&after("rotation=180", after("rotation=180", image.clone())), &image);
        let gray = after("gray", image.clone());
        prop_assert_eq!(&after("gray", gray.clone()), &gray);
        prop_assert_eq!(&after("hue=0.3", gray.clone()), &gray);
        // A blur is a mean of what is there.
        let blurred = after("blur=1.5", image.clone());
        for channel in 0..3 {
            let of = |image: &RgbImage| image.pixels.iter().skip(channel).step_by(3).copied().collect::<Vec<u8>>();
            let (before, after) = (of(&image), of(&blurred));
            prop_assert!(after.iter().min() >= before.iter().min() && after.iter().max() <= before.iter().max());
        }
    }
}
