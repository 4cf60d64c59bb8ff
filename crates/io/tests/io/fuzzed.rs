//! The inputs that fuzzing kept (`fuzz/run`): each ends in a value or an error, never in a panic.

use consilience_io::Limits;
use consilience_io::nifti::{Atlas, Mask, Nifti};
use consilience_io::weights::{Weights, darknet};

/// Inputs packed by `fuzz/pack.py`.
fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fuzz");
    let packed = std::fs::read(format!("{folder}/{target}.bin")).unwrap();
    let mut inputs = Vec::new();
    let mut rest = packed.as_slice();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (one, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        inputs.push(one.to_vec());
        rest = after;
    }
    assert!(rest.is_empty() && !inputs.is_empty(), "{target}");
    inputs
}

/// How many inputs are files, and how many are not.
fn outcomes(target: &str, read: impl Fn(&[u8]) -> bool) -> (usize, usize) {
    let inputs = inputs(target);
    let n_read = inputs.iter().filter(|bytes| read(bytes)).count();
    (n_read, inputs.len() - n_read)
}

#[test]
fn pytorch_files() {
    let limits = Limits {
        max_array_bytes: 1 << 20,
        max_values: 1 << 16,
        ..Limits::default()
    };
    let (n_read, n_refused) = outcomes("pth", |bytes| {
        Weights::from_bytes(bytes, None, &limits).is_ok()
    });
    assert!(n_read > 0 && n_refused > 0, "{n_read}, {n_refused}");
}

#[test]
fn safetensors_files() {
    let (n_read, n_refused) = outcomes("safetensors", |bytes| {
        Weights::from_bytes(bytes, None, &Limits::default()).is_ok()
    });
    assert!(n_read > 0 && n_refused > 0, "{n_read}, {n_refused}");
}

#[test]
fn darknet_files() {
    let (n_read, n_refused) = outcomes("darknet", |bytes| darknet::from_bytes(bytes).is_ok());
    assert!(n_read > 0 && n_refused > 0, "{n_read}, {n_refused}");
}

#[test]
fn nifti_files() {
    let limits = Limits {
        max_array_bytes: 1 << 20,
        ..Limits::default()
    };
    // As in the target, the first byte says how the rest is taken.
    let open = |bytes: &[u8]| {
        let (kind, rest) = bytes.split_first()?;
        let n_header = if kind % 4 == 1 { 348 } else { 540 };
        let image = match rest.split_at_checked(n_header) {
            Some((header, data)) if matches!(kind % 4, 1 | 2) => {
                Nifti::from_pair(header.to_vec(), data.to_vec(), &limits)
            }
            _ => Nifti::from_bytes(rest.to_vec(), &limits),
        };
        image.ok()
    };
    let (n_read, n_refused) = outcomes("nifti", |bytes| {
        open(bytes).is_some_and(|image| {
            let _ = Mask::from_image(&image).map(|mask| image.voxels::<f64>(&mask));
            let _ = Atlas::from_image(&image);
            let _ = image.volume::<f32>(image.header().n_volumes() - 1);
            image.read::<f32>().is_ok()
        })
    });
    assert!(n_read > 0 && n_refused > 0, "{n_read}, {n_refused}");
}
