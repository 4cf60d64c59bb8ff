#![no_main]

use consilience_io::Limits;
use consilience_io::nifti::{Atlas, Mask, Nifti};
use libfuzzer_sys::fuzz_target;

// The first byte says whether the rest is one file, or a header of 348 or 540 bytes and its data.
fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let limits = Limits {
        max_array_bytes: 1 << 20,
        ..Limits::default()
    };
    let n_header = if kind % 4 == 1 { 348 } else { 540 };
    let image = match rest.split_at_checked(n_header) {
        Some((header, data)) if matches!(kind % 4, 1 | 2) => {
            Nifti::from_pair(header.to_vec(), data.to_vec(), &limits)
        }
        _ => Nifti::from_bytes(rest.to_vec(), &limits),
    };
    let Ok(image) = image else {
        return;
    };
    let header = image.header();
    assert!(header.affine.is_finite() && header.shape.len() >= 3);
    let n_volumes = header.n_volumes();
    if let Ok(all) = image.read::<f64>() {
        assert_eq!(all.values.len(), header.n_voxels() * n_volumes);
        assert!(all.n_nan + all.n_infinite <= all.values.len());
    }
    let _ = image.volume::<f32>(n_volumes - 1);
    let _ = Atlas::from_image(&image).map(|atlas| atlas.labels());
    if let Ok(mask) = Mask::from_image(&image)
        && let Ok(voxels) = image.voxels::<f32>(&mask)
    {
        assert_eq!(voxels.values.dim(), (n_volumes, mask.n_voxels()));
    }
});
