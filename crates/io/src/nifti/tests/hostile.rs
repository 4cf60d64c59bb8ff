use proptest::prelude::*;

use super::*;

#[test]
fn what_is_not_read_is_named() {
    let images = images();
    for (name, part) in [
        ("complex64.nii", "complex64"),
        ("complex128.nii", "complex128"),
        ("rgb.nii", "RGB"),
        ("float128.nii", "float128"),
        ("surface.nii", "FreeSurfer"),
        ("cifti.nii", "CIFTI-2"),
        ("intercept_nan.nii", "scl_inter is NaN beside the slope 2"),
        ("quaternion.nii", "quatern_b"),
        ("pair_little_1.hdr", "NAME.hdr and NAME.img"),
    ] {
        let message = parse(&images[name]).unwrap_err().to_string();
        assert!(message.contains(part), "{name}: {message}");
    }
}

/// A file of one byte a voxel, 2 × 3 × 4, with some bytes changed.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = images().remove("neither.nii").unwrap();
    file[at..at + bytes.len()].copy_from_slice(bytes);
    file
}

#[test]
fn a_wrong_field_is_named() {
    let offset = |value: f32| changed(108, &value.to_le_bytes());
    for (bytes, part) in [
        (changed(0, &[1, 2, 3]), "not a NIfTI file"),
        (changed(344, b"nope"), "magic is \"nope\""),
        (changed(344, &[0; 4]), "Analyze 7.5"),
        (changed(40, &[0, 0]), "dim[0], the number of axes, is 0"),
        (changed(40, &[8, 0]), "is 8"),
        (changed(42, &[0, 0]), "dim is [0, 3, 4]"),
        (changed(44, &[0xff, 0xff]), "dim is [2, -1, 4]"),
        (
            changed(44, &[0xff, 0x7f]),
            "should have 262136 bytes, but 24 are left",
        ),
        (changed(46, &[3, 0]), "the size of the data is 24 bytes"),
        (changed(70, &[3, 0]), "datatype is 3"),
        (offset(351.0), "vox_offset is 351"),
        (offset(352.5), "vox_offset is 352.5"),
        (offset(-16.0), "vox_offset is -16"),
        (offset(f32::NAN), "vox_offset is NaN"),
        (offset(1e30), "vox_offset is 1"),
        (offset(1e6), "but 0 are left"),
        (changed(80, &f32::INFINITY.to_le_bytes()), "pixdim is [["),
    ] {
        let message = parse(&bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{message}, expected {part}");
    }
    // Zero means directly behind the header.
    assert_eq!(parse(&offset(0.0)).unwrap().header().data_offset, 352);
    let mut two = images().remove("neither_2.nii").unwrap();
    two[8] = b'\n';
    assert!(
        parse(&two)
            .unwrap_err()
            .to_string()
            .contains("sent as text")
    );
    let message = parse(b"").unwrap_err().to_string();
    assert!(message.contains("nothing (it is empty)"), "{message}");
}

/// A header of NIfTI-2 that asks for axes of these lengths.
fn huge(lengths: [i64; 4]) -> Vec<u8> {
    let mut file = images().remove("neither_2.nii").unwrap();
    file[16..24].copy_from_slice(&4_i64.to_le_bytes());
    for (k, length) in lengths.into_iter().enumerate() {
        file[24 + 8 * k..][..8].copy_from_slice(&length.to_le_bytes());
    }
    file
}

#[test]
fn claims_beyond_the_file_reserve_nothing() {
    for lengths in [
        [i64::MAX; 4],
        [1 << 31, 1 << 31, 1 << 31, 1],
        [i64::MAX, 1, 1, 1],
        [1 << 20, 1 << 20, 1, 1],
    ] {
        let file = huge(lengths);
        assert!(parse(&file).is_err(), "{lengths:?}");
        let message = parse(&gz(&file)).unwrap_err().to_string();
        assert!(
            message.contains("are left") || message.contains("memory can address"),
            "{message}"
        );
    }
    // An offset near 2⁶³ may not overflow either.
    let mut file = huge([2, 3, 4, 1]);
    file[168..176].copy_from_slice(&i64::MAX.to_le_bytes());
    assert!(parse(&file).is_err());
}

#[test]
fn compressed_files_have_to_be_whole_and_no_longer() {
    let plain = images().remove("masked.nii").unwrap();
    let longer = gz(&[plain.as_slice(), &[0]].concat());
    let message = parse(&longer)
        .unwrap()
        .read::<f32>()
        .unwrap_err()
        .to_string();
    assert!(message.contains("more bytes"), "{message}");
    let shorter = gz(&plain[..plain.len() - 1]);
    let message = parse(&shorter)
        .unwrap()
        .read::<f32>()
        .unwrap_err()
        .to_string();
    assert!(message.contains("cut short"), "{message}");
    let mut damaged = gz(&plain);
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    let image = parse(&damaged).unwrap();
    assert!(
        image
            .read::<f32>()
            .unwrap_err()
            .to_string()
            .contains("gzip")
    );
    // What comes before is as good as it can be known to be.
    image.volume::<f32>(0).unwrap();
}

#[test]
fn limits_bind_what_is_asked_for() {
    let limits = Limits {
        max_array_bytes: 500,
        ..Limits::default()
    };
    let image = Nifti::from_bytes(images().remove("masked.nii").unwrap(), &limits).unwrap();
    let mask = Mask::from_image(&parse(&images()["mask_one.nii.gz"]).unwrap()).unwrap();
    assert_eq!(image.voxels::<f64>(&mask).unwrap().values.dim(), (3, 1));
    image.volume::<f32>(2).unwrap();
    for message in [
        image.volume::<f64>(0).unwrap_err().to_string(),
        image.read::<f32>().unwrap_err().to_string(),
    ] {
        assert!(message.contains("max_array_bytes"), "{message}");
    }
    let message = image.volume::<f32>(3).unwrap_err().to_string();
    assert!(
        message.contains("volume [3] does not exist: there are 3"),
        "{message}"
    );
}

/// Reads all that can be read.
fn exhaust(bytes: &[u8], pair: Option<&[u8]>) {
    let limits = Limits {
        max_array_bytes: 1 << 20,
        ..Limits::default()
    };
    let image = match pair {
        Some(data) => Nifti::from_pair(bytes.to_vec(), data.to_vec(), &limits),
        None => Nifti::from_bytes(bytes.to_vec(), &limits),
    };
    let Ok(image) = image else { return };
    let _ = image.read::<f32>();
    let _ = image.volume::<f64>(image.header().n_volumes() - 1);
    let _ = Mask::from_image(&image).map(|mask| image.voxels::<f32>(&mask));
    let _ = Atlas::from_image(&image).map(|atlas| atlas.labels());
    let _ = image.header().repetition_time();
}

#[test]
fn every_truncation_is_an_error() {
    let images = images();
    for name in [
        "masked_real.nii",
        "int16_big_2.nii",
        "header_little_1.nii",
        "members.nii.gz",
        "masked.nii.gz",
    ] {
        let whole = &images[name];
        for n in 0..whole.len() {
            let read = parse(&whole[..n]).and_then(|image| image.read::<f32>());
            assert!(read.is_err(), "{n} bytes of {name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_bytes_never_panic(
        which in any::<prop::sample::Index>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
        in_header in any::<bool>(),
    ) {
        // Reading the archive takes longer than a case.
        static IMAGES: std::sync::LazyLock<Vec<(String, Vec<u8>)>> =
            std::sync::LazyLock::new(|| images().into_iter().collect());
        let (name, bytes) = &IMAGES[which.index(IMAGES.len())];
        let mut bytes = bytes.clone();
        let n = if in_header { bytes.len().min(540) } else { bytes.len() };
        for (position, value) in flips {
            bytes[position.index(n)] = value;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        exhaust(&bytes, name.contains(".hdr").then_some(&[7; 64]));
    }
}
