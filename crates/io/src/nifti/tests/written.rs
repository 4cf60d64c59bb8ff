use ndarray::{Array4, ArrayView1};
use proptest::prelude::*;

use super::*;

fn oblique() -> Affine {
    let [c, s] = [0.6, 0.8];
    Affine([
        [2.0 * c, -3.0 * s, 0.0, 10.0],
        [2.0 * s, 3.0 * c, 0.0, -20.5],
        [0.0, 0.0, -4.0, 30.25],
    ])
}

fn skewed() -> Affine {
    let mut affine = oblique();
    affine.0[0][1] += 0.5;
    affine
}

fn params() -> WriteParams {
    WriteParams {
        space: Space::Mni,
        repetition_time: Some(2.5),
        description: "Prüfung".into(),
    }
}

fn ramp(shape: [usize; 4]) -> Array4<f32> {
    let mut values = Array4::from_shape_fn(shape, |(x, y, z, t)| {
        (x + 10 * y + 100 * z) as f32 + 0.1 * t as f32
    });
    values[[0, 0, 0, 0]] = f32::NAN;
    values[[1, 0, 0, 0]] = f32::NEG_INFINITY;
    values
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    for (name, affine) in [
        ("a.nii", oblique()),
        ("b.nii.gz", skewed()),
        ("deep/er/C.NII.GZ", oblique()),
    ] {
        let path = folder.path().join(name);
        let grid = Grid {
            shape: [3, 4, 5],
            affine,
        };
        let values = ramp([3, 4, 5, 2]);
        write(&path, values.view(), &grid, &params()).unwrap();
        let image = Nifti::open(&path).unwrap();
        let found = image.read::<f32>().unwrap();
        assert!(same_bits(
            found.values.iter().map(|value| f64::from(*value)),
            values.iter().map(|value| f64::from(*value)),
        ));
        assert_eq!((found.n_nan, found.n_infinite), (1, 1));
        let header = image.header();
        assert_eq!(header.affine_source, AffineSource::Sform(Space::Mni));
        assert_eq!(header.repetition_time(), Some(2.5));
        assert_eq!(
            (header.version, header.description.as_str()),
            (1, "Prüfung")
        );
        assert!(header.grid().is_same(&grid), "{header:?}");
        // The bytes say neither when nor where.
        let again = folder.path().join(format!(
            "again{}",
            if name == "a.nii" { ".nii" } else { ".nii.gz" }
        ));
        write(&again, values.view(), &grid, &params()).unwrap();
        assert_eq!(
            std::fs::read(&path).unwrap(),
            std::fs::read(&again).unwrap()
        );
    }
}

#[test]
fn memory_order_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let [c, f] = ["c.nii", "f.nii"].map(|name| folder.path().join(name));
    let values = ramp([3, 4, 5, 2]);
    let mut turned = Array4::zeros([3, 4, 5, 2].f());
    turned.assign(&values);
    let grid = Grid {
        shape: [3, 4, 5],
        affine: oblique(),
    };
    write(&c, values.view(), &grid, &params()).unwrap();
    write(&f, turned.view(), &grid, &params()).unwrap();
    assert_eq!(std::fs::read(c).unwrap(), std::fs::read(f).unwrap());
}

#[test]
fn long_axes_make_the_second_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.nii.gz");
    let values = Array3::from_shape_fn((40_000, 1, 1), |(x, _, _)| x as f32);
    let grid = Grid {
        shape: [40_000, 1, 1],
        affine: skewed(),
    };
    write(&path, values.view(), &grid, &WriteParams::default()).unwrap();
    let image = Nifti::open(&path).unwrap();
    assert_eq!(
        (image.header().version, image.header().affine),
        (2, skewed())
    );
    assert_eq!(image.volume::<f32>(0).unwrap().values, values);
}

#[test]
fn a_qform_is_written_for_right_angles_only() {
    let folder = tempfile::tempdir().unwrap();
    for (name, affine, has_qform) in [("a.nii", oblique(), true), ("b.nii", skewed(), false)] {
        let path = folder.path().join(name);
        let grid = Grid {
            shape: [3, 4, 5],
            affine,
        };
        write(&path, ramp([3, 4, 5, 1]).view(), &grid, &params()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes[252] == 4, has_qform);
        // Without a code of the sform, the qform is the affine.
        bytes[254] = 0;
        let found = parse(&bytes).unwrap().header().grid();
        assert_eq!(found.is_same(&grid), has_qform, "{found}, expected {grid}");
    }
}

#[test]
fn what_cannot_be_written_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let values = ramp([3, 4, 5, 1]);
    let grid = Grid {
        shape: [3, 4, 5],
        affine: oblique(),
    };
    let plain = WriteParams::default();
    let path = folder.path().join("a.nii");
    let other = Grid {
        shape: [3, 4, 6],
        ..grid
    };
    let lost = Grid {
        affine: Affine([[f64::NAN; 4]; 3]),
        ..grid
    };
    let slow = WriteParams {
        repetition_time: Some(0.0),
        ..plain.clone()
    };
    for (refused, part) in [
        (write(&path, values.view(), &other, &plain), "[3, 4, 5, 1]"),
        (write(&path, values.view(), &lost, &plain), "NaN"),
        (
            write(&path, values.view(), &grid, &slow),
            "repetition time is 0",
        ),
        (
            write(folder.path().join("a.img"), values.view(), &grid, &plain),
            ".nii.gz",
        ),
    ] {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_long_description_is_cut_between_characters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    let grid = Grid {
        shape: [1, 1, 1],
        affine: oblique(),
    };
    let params = WriteParams {
        description: "ä".repeat(100),
        ..WriteParams::default()
    };
    write(&path, Array3::zeros((1, 1, 1)).view(), &grid, &params).unwrap();
    assert_eq!(header(&path).unwrap().description, "ä".repeat(39));
}

/// Turns about the axes in the order x, y, z with voxels of these sizes.
fn turned(angles: [f64; 3], sizes: [f64; 3], mirrored: bool) -> Affine {
    let product = |a: [[f64; 3]; 3], b: [[f64; 3]; 3]| {
        [0, 1, 2].map(|r| [0, 1, 2].map(|k| (0..3).map(|m| a[r][m] * b[m][k]).sum::<f64>()))
    };
    let [[sx, cx], [sy, cy], [sz, cz]] = angles.map(|angle| [angle.sin(), angle.cos()]);
    let turn = product(
        [[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]],
        product(
            [[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]],
            [[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]],
        ),
    );
    let mut affine = Affine([[0.0; 4]; 3]);
    for (r, row) in affine.0.iter_mut().enumerate() {
        for k in 0..3 {
            row[k] = turn[r][k] * sizes[k] * if mirrored && k == 0 { -1.0 } else { 1.0 };
        }
        row[3] = 10.0 * r as f64 - 7.0;
    }
    affine
}

proptest! {
    #[test]
    fn a_mask_and_its_values_come_back(
        shape in [1_usize..20, 1_usize..20, 1_usize..20],
        n_volumes in 1_usize..4,
        seed in any::<u64>(),
        density in 1_u64..100,
    ) {
        let grid = Grid { shape, affine: oblique() };
        let draw = |k: usize| (k as u64 ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let mut inside = Array3::from_shape_fn(shape, |(x, y, z)| {
            draw(grid.index_of(Voxel([x, y, z]))) % 100 < density
        });
        inside[[shape[0] - 1, 0, 0]] = true;
        let mask = Mask::new(grid, inside.view()).unwrap();
        let values = Array2::from_shape_fn((n_volumes, mask.n_voxels()), |(t, v)| {
            draw(1000 * t + v) as f32
        });
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.nii", "a.nii.gz"] {
            let path = folder.path().join(name);
            write_masked(&path, &mask, values.view(), f32::NAN, &params()).unwrap();
            let image = Nifti::open(&path).unwrap();
            let found = image.voxels::<f32>(&mask).unwrap();
            prop_assert_eq!(&found.values, &values);
            prop_assert_eq!(found.n_nan, 0);
            // As NumPy selects: C order of the whole volume.
            for t in 0..n_volumes {
                let volume = image.volume::<f32>(t).unwrap();
                let naive: Vec<f32> = volume
                    .values
                    .indexed_iter()
                    .filter(|(at, _)| inside[*at])
                    .map(|(_, value)| *value)
                    .collect();
                prop_assert_eq!(ArrayView1::from(&naive), values.row(t));
                prop_assert_eq!(volume.n_nan, grid.n_voxels() - mask.n_voxels());
                let row = values.row(t).to_vec();
                let filled = mask.volume(&row, f32::NAN).unwrap();
                prop_assert!(filled.iter().zip(&volume.values).all(|(a, b)| a == b || a.is_nan()));
            }
            // The mask as an image is itself again.
            write(&path, inside.mapv(f32::from).view(), &grid, &params()).unwrap();
            let read = Mask::read(&path).unwrap();
            prop_assert!(read.voxels().eq(mask.voxels()));
        }
    }

    #[test]
    fn indices_and_places_are_inverse(
        shape in [1_usize..30, 1_usize..30, 1_usize..30],
        at in [any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<prop::sample::Index>()],
        angles in [-4.0..4.0_f64, -4.0..4.0, -4.0..4.0],
        sizes in [0.1..5.0_f64, 0.1..5.0, 0.1..5.0],
        mirrored in any::<bool>(),
    ) {
        let grid = Grid { shape, affine: turned(angles, sizes, mirrored) };
        let voxel = Voxel([0, 1, 2].map(|k| at[k].index(shape[k])));
        prop_assert_eq!(grid.voxel(grid.index_of(voxel)), voxel);
        prop_assert_eq!(grid.voxel_at(grid.to_millimetres(voxel)), Some(voxel));
        let Voxel([x, y, z]) = voxel;
        let beyond = grid.affine.apply([x as f64 + shape[0] as f64, y as f64, z as f64]);
        prop_assert_eq!(grid.voxel_at(Millimetres(beyond)), None);
        let found = grid.affine.voxel_sizes();
        prop_assert!(found.iter().zip(sizes).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn rotations_survive_as_quaternions(
        angles in [-4.0..4.0_f64, -4.0..4.0, -4.0..4.0],
        sizes in [0.1..5.0_f64, 0.1..5.0, 0.1..5.0],
        mirrored in any::<bool>(),
    ) {
        let grid = Grid { shape: [30, 2, 2], affine: turned(angles, sizes, mirrored) };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii");
        write(&path, Array3::zeros((30, 2, 2)).view(), &grid, &params()).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[254] = 0;
        let image = parse(&bytes).unwrap();
        prop_assert_eq!(image.header().affine_source, AffineSource::Qform(Space::Mni));
        let found = image.header().affine.0;
        for (a, b) in found.as_flattened().iter().zip(grid.affine.0.as_flattened()) {
            prop_assert!((a - b).abs() < 1e-2, "{:?}, expected {:?}", found, grid.affine);
        }
    }
}

/// Writes what `tests/peers/nifti.py` opens, to `CONSILIENCE_NIFTI_OUT` if that is a folder.
#[test]
fn images_for_nibabel_are_written() {
    let own = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("CONSILIENCE_NIFTI_OUT")
        .map_or_else(|| own.path().to_owned(), PathBuf::from);
    let values = Array4::from_shape_fn([3, 4, 5, 2], |(x, y, z, t)| {
        (x + 10 * y + 100 * z) as f32 + 0.5 * t as f32
    });
    for (name, affine) in [
        ("ramp.nii", oblique()),
        ("ramp.nii.gz", oblique()),
        ("skewed.nii", skewed()),
    ] {
        let grid = Grid {
            shape: [3, 4, 5],
            affine,
        };
        write(folder.join(name), values.view(), &grid, &params()).unwrap();
    }
    let long = Array3::from_shape_fn((40_000, 1, 1), |(x, _, _)| x as f32);
    let grid = Grid {
        shape: [40_000, 1, 1],
        affine: skewed(),
    };
    write(folder.join("long.nii.gz"), long.view(), &grid, &params()).unwrap();
    let grid = Grid {
        shape: [3, 4, 5],
        affine: oblique(),
    };
    let inside = Array3::from_shape_fn((3, 4, 5), |(x, y, z)| (x + 2 * y + 3 * z) % 3 == 0);
    let mask = Mask::new(grid, inside.view()).unwrap();
    let n = mask.n_voxels();
    let values = Array2::from_shape_fn((2, n), |(t, v)| (t * n + v) as f32);
    let path = folder.join("masked.nii.gz");
    write_masked(path, &mask, values.view(), f32::NAN, &params()).unwrap();
    for name in [
        "ramp.nii",
        "ramp.nii.gz",
        "skewed.nii",
        "long.nii.gz",
        "masked.nii.gz",
    ] {
        Nifti::open(folder.join(name)).unwrap();
    }
}
