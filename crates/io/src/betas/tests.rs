//! Betas against plain loops; what is left out is counted, what is wrong is named.

use ndarray::{Array4, array};
use proptest::prelude::*;

use super::*;
use crate::nifti::{self, Affine, Grid, WriteParams};
use crate::table::Table;

fn trials(text: &str, volume: Option<&str>) -> Result<TrialTable> {
    let table = Table::from_bytes(text.as_bytes(), b',', &Limits::default()).unwrap();
    TrialTable::from_table(&table, "picture", volume)
}

const GRID: Grid = Grid {
    shape: [2, 2, 1],
    affine: Affine([
        [2.0, 0.0, 0.0, 0.0],
        [0.0, 2.0, 0.0, 0.0],
        [0.0, 0.0, 2.0, 0.0],
    ]),
};

fn mask(inside: [bool; 4]) -> Mask {
    let [a, b, c, d] = inside;
    Mask::new(GRID, array![[[a], [b]], [[c], [d]]].view()).unwrap()
}

/// Voxel (x, y) of volume t is 100·x + 10·y + t², but voxel (0, 0) never changes.
fn image() -> Array4<f32> {
    Array4::from_shape_fn((2, 2, 1, 5), |(x, y, _, t)| match (x, y) {
        (0, 0) => 7.0,
        _ => (100 * x + 10 * y + t * t) as f32,
    })
}

#[test]
fn volumes_go_through_united_masks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("betas.nii.gz");
    nifti::write(&path, image().view(), &GRID, &WriteParams::default()).unwrap();
    let source = Source::parse(path.to_str().unwrap());
    let trials = trials("picture\nb\na\nn/a\nb.png\nx\n", None).unwrap();
    let masks = [
        mask([true, true, false, false]),
        mask([false, true, false, true]),
    ];
    let names = ["a", "never", "b"];
    // The same picture under two names of the trials is not guessed at.
    let error = Betas::read(&source, &masks, Some(&trials), &["b.jpg"]).unwrap_err();
    assert!(error.to_string().contains("\"b.png\""), "{error}");

    let trials = self::trials("picture\nb\na\nn/a\nb\nx\n", None).unwrap();
    let betas = Betas::read(&source, &masks, Some(&trials), &names).unwrap();
    let expected = array![[11.0, 111.0], [10.0 + 4.5, 110.0 + 4.5]];
    assert_eq!(betas.patterns, expected);
    assert_eq!((betas.pictures, betas.missing), (vec![0, 2], vec![1]));
    assert_eq!((betas.n_trials, betas.voxels), (vec![1, 2], vec![1, 2]));
    assert_eq!(
        (betas.n_without_picture, betas.n_other, betas.n_constant),
        (1, 1, 1)
    );

    let whole = Betas::read(&source, &[], Some(&trials), &names).unwrap();
    assert_eq!(whole.patterns.ncols(), 3);
    let names = ["p0", "p1", "p2", "p3", "p4"];
    let in_order = Betas::read(&source, &masks[1..], None, &names).unwrap();
    assert_eq!(
        in_order.patterns.column(0).to_vec(),
        [10.0, 11.0, 14.0, 19.0, 26.0]
    );

    let shifted = Grid {
        affine: Affine::from_sizes([3.0; 3]),
        ..GRID
    };
    let shifted = Mask::new(shifted, array![[[true], [true]], [[true], [true]]].view()).unwrap();
    let both = [masks[0].clone(), shifted];
    let message = Betas::read(&source, &both, None, &names)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the grids differ") && message.contains("betas.nii.gz"),
        "{message}"
    );
    assert!(Mask::united(&both).is_err() && Mask::united(&[]).is_err());
    let message = Betas::read(&source, &[mask([true, false, false, false])], None, &names);
    let message = message.unwrap_err().to_string();
    assert!(
        message.contains("none of the 1 voxels is left: 1 are the same in all trials"),
        "{message}"
    );
}

#[test]
fn trials_may_number_volumes() {
    let values = array![[1.0, 5.0], [2.0, 6.0], [4.0, f64::NAN], [f64::NAN, 7.0]];
    let numbered = trials("volume,picture\n2,a\n0,a\n1,b\n", Some("volume")).unwrap();
    let betas = Betas::from_matrix(values.clone(), Some(&numbered), &["a", "b"]).unwrap();
    // The NaN of the volume without a trial does not count.
    assert_eq!(betas.patterns, array![[2.5], [2.0]]);
    assert_eq!((betas.n_not_finite, betas.n_without_picture), (1, 1));
    for (text, part) in [
        (
            "volume,picture\n4,a\n",
            "row 2 of the trials, [4] does not exist: there are 4",
        ),
        (
            "volume,picture\n-1,a\n",
            "row 2, column volume: found \"-1\"",
        ),
        (
            "volume,picture\n1,a\n1,b\n",
            "row 3 is the second one of volume 1 (first in row 2)",
        ),
        ("volume,name\n1,a\n", "no column \"picture\""),
        ("volume,picture\n1,c\n", "without any of the 2 pictures"),
    ] {
        let found = trials(text, Some("volume"))
            .and_then(|trials| Betas::from_matrix(values.clone(), Some(&trials), &["a", "b"]));
        let message = found.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let values = array![[1.0, 5.0], [2.0, 6.0]];
    let three = trials("picture\na\nb\na\n", None).unwrap();
    for (trials, part) in [
        (
            Some(&three),
            "2 volumes of betas, expected 3, as many as rows of the table of trials",
        ),
        (
            None,
            "2 volumes of betas, expected 1, as many as pictures; give a table",
        ),
    ] {
        let message = Betas::from_matrix(values.clone(), trials, &["a"])
            .unwrap_err()
            .to_string();
        assert!(message.contains(part), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("betas.npy");
    crate::npy::write(&path, ndarray::Array3::<f64>::zeros((2, 2, 2)).view()).unwrap();
    let source = Source::parse(path.to_str().unwrap());
    let message = Betas::read(&source, &[], None, &["a"])
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("[2, 2, 2]") && message.contains("betas.npy"),
        "{message}"
    );
    let masks = [mask([true; 4])];
    let message = Betas::read(&source, &masks, None, &["a"])
        .unwrap_err()
        .to_string();
    assert!(message.contains("leave out the masks"), "{message}");
}

proptest! {
    /// Means over trials, in plain loops.
    #[test]
    fn patterns_are_means_over_trials(shown in prop::collection::vec(0..5_usize, 2..12), seed in 1..1000_usize) {
        let names = ["p0", "p1", "p2", "p3"];
        let values = Array2::from_shape_fn((shown.len(), 3), |(i, j)| ((i * 7 + j * 3) * seed % 101) as f64 + i as f64 / 8.0);
        // 4 stands for no picture.
        let text: String = shown.iter().map(|&p| if p < 4 { format!("p{p}.jpg\n") } else { "NA\n".into() }).collect();
        let trials = trials(&format!("picture\n{text}"), None).unwrap();
        let Ok(found) = Betas::from_matrix(values.clone(), Some(&trials), &names) else {
            let first = shown.iter().find(|&&p| p < 4);
            prop_assert!(shown.iter().filter(|&&p| p < 4).count() < 2 || first.is_none());
            return Ok(());
        };
        prop_assert_eq!(found.n_without_picture, shown.iter().filter(|&&p| p == 4).count());
        for (row, &picture) in found.pictures.iter().enumerate() {
            let rows: Vec<usize> = (0..shown.len()).filter(|&i| shown[i] == picture).collect();
            prop_assert_eq!(rows.len(), found.n_trials[row]);
            for (column, &voxel) in found.voxels.iter().enumerate() {
                let mean = rows.iter().map(|&i| values[[i, voxel]]).sum::<f64>() / rows.len() as f64;
                prop_assert!((found.patterns[[row, column]] - mean).abs() < 1e-9);
            }
        }
    }
}
