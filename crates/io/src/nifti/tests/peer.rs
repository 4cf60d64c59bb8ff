use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

/// What nibabel says of the images.
#[derive(Deserialize)]
struct Expected {
    images: BTreeMap<String, ExpectedImage>,
    masks: BTreeMap<String, ExpectedMask>,
}

#[derive(Deserialize)]
struct ExpectedImage {
    values: String,
    shape: Vec<usize>,
    affine: [[f64; 4]; 4],
    dtype: String,
    big_endian: bool,
    version: u8,
    scaling: Option<[f64; 2]>,
    units: [String; 2],
    zooms: Vec<f64>,
    intent: (i64, String),
    description: String,
}

#[derive(Deserialize)]
struct ExpectedMask {
    places: String,
    selected: BTreeMap<String, String>,
}

fn expected() -> Expected {
    let bytes = std::fs::read(format!("{FIXTURES}expected.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn values_are_those_of_nibabel() {
    let folder = folder();
    for (name, expected) in expected().images {
        let image = Nifti::open(folder.path().join(&name)).unwrap();
        let nibabel = values(&expected.values);
        let found = image.read::<f64>().unwrap();
        assert_eq!(found.values.len(), nibabel.len(), "{name}");
        // Dropped and added axes of length one do not move values.
        assert!(
            same_bits(
                found.values.t().iter().copied(),
                nibabel.t().iter().copied()
            ),
            "{name}: {:?}, expected {nibabel:?}",
            found.values
        );
        let n_nan = nibabel.iter().filter(|value| value.is_nan()).count();
        let n_infinite = nibabel.iter().filter(|value| value.is_infinite()).count();
        assert_eq!(
            (found.n_nan, found.n_infinite),
            (n_nan, n_infinite),
            "{name}"
        );
        let narrow = image.read::<f32>().unwrap().values;
        assert!(
            same_bits(
                narrow.t().iter().map(|value| f64::from(*value)),
                nibabel.t().iter().map(|value| f64::from(*value as f32)),
            ),
            "{name}"
        );
        for volume_idx in 0..image.header().n_volumes() {
            let volume = image.volume::<f64>(volume_idx).unwrap();
            let n = image.header().n_voxels();
            let part = nibabel
                .t()
                .iter()
                .copied()
                .skip(volume_idx * n)
                .take(n)
                .collect::<Vec<_>>();
            assert!(same_bits(volume.values.t().iter().copied(), part), "{name}");
        }
    }
}

#[test]
fn headers_are_those_of_nibabel() {
    let folder = folder();
    for (name, expected) in expected().images {
        let path = folder.path().join(&name);
        let found = header(&path).unwrap();
        assert_eq!(&found, Nifti::open(&path).unwrap().header(), "{name}");
        let n_kept = found.shape.len().min(expected.shape.len());
        assert_eq!(found.shape[..n_kept], expected.shape[..n_kept], "{name}");
        assert!(
            found.shape[n_kept..]
                .iter()
                .chain(&expected.shape[n_kept..])
                .all(|n| *n == 1)
        );
        for (row, nibabel) in found.affine.0.iter().zip(expected.affine) {
            for (value, nibabel) in row.iter().zip(nibabel) {
                assert!(
                    (value - nibabel).abs() <= 1e-12,
                    "{name}: {value}, expected {nibabel}"
                );
            }
        }
        assert_eq!(found.dtype.to_string(), expected.dtype, "{name}");
        assert_eq!(
            (found.version, found.big_endian),
            (expected.version, expected.big_endian)
        );
        let scaling = found
            .scaling
            .map(|scaling| [scaling.slope, scaling.intercept]);
        assert_eq!(scaling, expected.scaling, "{name}");
        let space = match found.units.space {
            SpaceUnit::Unknown => "unknown",
            SpaceUnit::Metre => "meter",
            SpaceUnit::Millimetre => "mm",
            SpaceUnit::Micrometre => "micron",
        };
        let time = match found.units.time {
            TimeUnit::Unknown => "unknown",
            TimeUnit::Second => "sec",
            TimeUnit::Millisecond => "msec",
            TimeUnit::Microsecond => "usec",
            TimeUnit::Hertz => "hz",
            other => panic!("{other:?}"),
        };
        assert_eq!(
            [space, time],
            [&expected.units[0], &expected.units[1]].map(String::as_str)
        );
        assert_eq!(
            (found.intent.code, found.intent.name),
            expected.intent,
            "{name}"
        );
        assert_eq!(found.description, expected.description, "{name}");
        // nibabel mends sizes of zero and below; the file's own are kept here.
        if name != "sizes_mended.nii" && name != "size_0.nii" {
            assert_eq!(found.spacing[..n_kept], expected.zooms[..n_kept], "{name}");
        }
    }
}

#[test]
fn times_are_in_seconds_and_places_in_millimetres() {
    let folder = folder();
    let read = |name: &str| header(folder.path().join(name)).unwrap();
    assert_eq!(read("header_big_1.nii").repetition_time(), Some(1.5));
    assert_eq!(read("header_little_2.nii").intent.parameters[0], 19.0);
    assert_eq!(read("units_meter_sec.nii").repetition_time(), Some(1.0));
    assert_eq!(read("units_micron_usec.nii").repetition_time(), Some(1e-6));
    assert_eq!(read("units_mm_hz.nii").repetition_time(), None);
    assert_eq!(read("units_unknown_unknown.nii").repetition_time(), None);
    assert_eq!(read("mask_one.nii.gz").repetition_time(), None);
    let plain = read("pair_little_1.hdr").grid();
    for (name, factor) in [
        ("units_meter_sec.nii", 1e3),
        ("units_micron_usec.nii", 1e-3),
    ] {
        assert_eq!(read(name).grid().affine, plain.affine.scaled(factor));
    }
}

#[test]
fn masks_select_what_numpy_selects() {
    let folder = folder();
    for (name, expected) in expected().masks {
        let mask = Mask::read(folder.path().join(format!("mask_{name}.nii.gz"))).unwrap();
        let places = values(&expected.places)
            .into_dimensionality::<ndarray::Ix2>()
            .unwrap();
        assert_eq!(mask.millimetres().dim(), places.dim());
        assert!(
            (mask.millimetres() - places)
                .iter()
                .all(|d| d.abs() <= 1e-12),
            "{name}"
        );
        for (image, key) in expected.selected {
            let numpy = values(&key).into_dimensionality::<ndarray::Ix2>().unwrap();
            let found = Nifti::open(folder.path().join(&image))
                .unwrap()
                .voxels::<f64>(&mask);
            assert_eq!(found.unwrap().values, numpy, "{name} of {image}");
        }
    }
    let atlas = Atlas::read(folder.path().join("atlas.nii.gz")).unwrap();
    assert_eq!(atlas.labels(), [1, 2, 3, 4, 1207]);
    let mask = atlas.mask(3).unwrap();
    for name in ["masked.nii", "masked.nii.gz"] {
        let image = Nifti::open(folder.path().join(name)).unwrap();
        let found = image.voxels::<f64>(&mask).unwrap().values.into_dyn();
        assert_eq!(found, values("masked_label"), "{name}");
    }
    let message = atlas.mask(7).unwrap_err().to_string();
    assert!(
        message.contains("no label \"7\"") && message.contains("\"1207\""),
        "{message}"
    );
}

#[test]
fn masks_that_do_not_fit_are_refused() {
    let folder = folder();
    let image = Nifti::open(folder.path().join("masked.nii")).unwrap();
    let grid = image.header().grid();
    let everywhere =
        |grid: Grid| Mask::new(grid, Array3::from_elem(grid.shape, true).view()).unwrap();
    let mut near = grid;
    near.affine.0[0][3] += 1e-3;
    image.voxels::<f32>(&everywhere(near)).unwrap();
    let mut far = grid;
    far.affine.0[0][0] += 1e-3;
    let message = image
        .voxels::<f32>(&everywhere(far))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("[-2.999, 0.25") && message.contains("[-3.0, 0.25"),
        "{message}"
    );
    assert!(message.ends_with("masked.nii"), "{message}");
    let other = Grid {
        shape: [5, 4, 7],
        ..grid
    };
    let message = image
        .voxels::<f32>(&everywhere(other))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("5 × 4 × 7") && message.contains("5 × 4 × 6"),
        "{message}"
    );

    let refused = |name: &str| {
        Mask::read(folder.path().join(name))
            .unwrap_err()
            .to_string()
    };
    assert!(refused("masked.nii").contains("[5, 4, 6, 3]"));
    assert!(refused("float32_little_1.nii").contains("1 NaN among 24"));
    let nothing = Array3::from_elem(grid.shape, false);
    assert!(
        Mask::new(grid, nothing.view())
            .unwrap_err()
            .to_string()
            .contains("empty")
    );
    assert!(Mask::new(other, nothing.view()).is_err());
    let atlas = Atlas::read(folder.path().join("scaling_slope_float.nii"));
    assert!(atlas.unwrap_err().to_string().contains("interpolation"));
}

#[test]
fn files_are_found_by_either_name_of_a_pair() {
    let folder = folder();
    let expected = values("pair");
    for name in [
        "pair_little_1.hdr",
        "pair_big_2.img",
        "pair_little_2.hdr.gz",
        "pair_big_1.img.gz",
    ] {
        let found = Nifti::open(folder.path().join(name))
            .unwrap()
            .read::<f64>()
            .unwrap();
        assert_eq!(found.values, expected, "{name}");
    }
    // The other file may be compressed or not, whatever this one is.
    let path = folder.path().join("mixed.hdr");
    std::fs::write(&path, &images()["pair_big_2.hdr"]).unwrap();
    std::fs::write(
        folder.path().join("mixed.img.gz"),
        &images()["pair_big_2.img.gz"],
    )
    .unwrap();
    assert_eq!(
        Nifti::open(&path).unwrap().read::<f64>().unwrap().values,
        expected
    );
    std::fs::remove_file(folder.path().join("mixed.img.gz")).unwrap();
    let error = Nifti::open(&path).unwrap_err();
    assert!(
        error.is_not_found() && error.to_string().ends_with("mixed.img"),
        "{error}"
    );
    let [header, data] =
        ["hdr", "img"].map(|ending| images()[&format!("pair_offset.{ending}")].clone());
    let found = Nifti::from_pair(header, data, &Limits::default()).unwrap();
    assert_eq!(found.read::<f64>().unwrap().values, expected);
}
