//! Tests that need files; [`peer`] against nibabel, [`hostile`] on damaged bytes, [`written`] on our own.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::ArrayD;

use super::*;
use crate::{AnyArray, npz};

mod hostile;
mod peer;
mod written;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/nifti/");

/// All images in bytes, by name.
fn images() -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(format!("{FIXTURES}images.zip")).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|k| {
            let mut entry = archive.by_index(k).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn values(key: &str) -> ArrayD<f64> {
    match npz::read(format!("{FIXTURES}values.npz"), Some(key)).unwrap() {
        AnyArray::F64(values) => values,
        other => panic!("{key} is {:?}", other.dtype()),
    }
}

/// A folder with all images as files.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in images() {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

fn same_bits(
    found: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
) -> bool {
    let is_same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    found.into_iter().zip(expected).all(|(a, b)| is_same(a, b))
}

fn parse(bytes: &[u8]) -> Result<Nifti> {
    Nifti::from_bytes(bytes.to_vec(), &Limits::default())
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
