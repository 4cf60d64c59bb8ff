//! Real images from the data folder: values and affines against nibabel.

use std::collections::BTreeMap;

use consilience_io::hash;
use consilience_io::nifti::{Mask, Nifti};
use serde::Deserialize;

use crate::data::data;

#[derive(Deserialize)]
struct Expected {
    images: BTreeMap<String, Image>,
    masked: Selected,
}

#[derive(Deserialize)]
struct Image {
    shape: Vec<usize>,
    affine: [[f64; 4]; 4],
    sha256: String,
    zooms: Vec<f64>,
}

#[derive(Deserialize)]
struct Selected {
    shape: Vec<usize>,
    sha256: String,
}

fn expected() -> Expected {
    let fixtures = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/nifti/real.json"
    );
    serde_json::from_slice(&std::fs::read(fixtures).unwrap()).unwrap()
}

/// Hash of doubles, first axis fastest.
fn digest<'a>(values: impl Iterator<Item = &'a f64>) -> String {
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    hash::sha256(&bytes)
}

#[test]
fn real_images_are_those_of_nibabel() {
    for (name, expected) in expected().images {
        let Some(path) = data(&name) else { return };
        let image = Nifti::open(path).unwrap();
        let header = image.header();
        assert_eq!(header.shape, expected.shape, "{name}");
        assert_eq!(header.spacing, expected.zooms, "{name}");
        for (row, nibabel) in header.affine.0.iter().zip(expected.affine) {
            for (value, nibabel) in row.iter().zip(nibabel) {
                assert!((value - nibabel).abs() <= 1e-12, "{name}: {value}");
            }
        }
        let values = image.read::<f64>().unwrap().values;
        assert_eq!(digest(values.t().iter()), expected.sha256, "{name}");
    }
}

#[test]
fn a_real_mask_selects_what_numpy_selects() {
    let Some(folder) = data("haxby2001/one_slice") else {
        return;
    };
    let mask = Mask::read(folder.join("mask.nii.gz")).unwrap();
    assert_eq!(mask.n_voxels(), 530);
    let image = Nifti::open(folder.join("bold.nii.gz")).unwrap();
    assert_eq!(image.header().repetition_time(), Some(2.5));
    let found = image.voxels::<f64>(&mask).unwrap().values;
    let expected = expected().masked;
    assert_eq!(found.shape(), expected.shape);
    assert_eq!(digest(found.t().iter()), expected.sha256);
}

#[test]
fn every_real_image_is_read() {
    for folder in ["nifti_gifti_samples", "mni_fsaverage", "haxby2001"] {
        let Some(folder) = data(folder) else { return };
        let mut folders = vec![folder];
        let mut n_read = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.to_string_lossy();
                if path.is_dir() {
                    folders.push(path);
                } else if name.ends_with(".nii") || name.ends_with(".nii.gz") {
                    Nifti::open(&path).unwrap().read::<f32>().unwrap();
                    n_read += 1;
                }
            }
        }
        assert!(n_read >= 3, "{n_read}");
    }
}
