//! What cannot be done says so.

use super::*;
use crate::visual_emotion::elsewhere;

#[test]
fn more_folds_than_pictures_allow_are_refused() {
    let ratings: Vec<f64> = (0..9).map(f64::from).collect();
    let text = folds(&ratings, 5, 0.1, 1).unwrap_err().to_string();
    assert_eq!(
        text,
        "9 pictures for 5 folds, expected at least 14; take fewer folds or more pictures"
    );
    assert!(folds(&ratings, 1, 0.1, 1).is_err());
    assert!(elsewhere(4, 10, 0.1, 1).is_err());
}

#[test]
fn shares_that_leave_nothing_are_refused() {
    let ratings: Vec<f64> = (0..30).map(f64::from).collect();
    for share in [0.0, 1.0, f64::NAN] {
        let text = folds(&ratings, 5, share, 1).unwrap_err().to_string();
        assert!(text.contains("above 0 and below 1"), "{text}");
    }
}

#[test]
fn a_diverging_training_says_where() {
    let data = Data::new(24, 5, 10);
    let wired = structure().wired(5, 2).unwrap();
    let mut learning = learning();
    learning.params.optimizer = Optimizer::sgd();
    learning.params.learning_rate = 1e30;
    let folder = tempfile::tempdir().unwrap();
    let error = train_fold(
        &wired,
        &data.pictures(),
        &data.divisions(1)[0],
        &learning,
        1,
        false,
        folder.path(),
    )
    .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("epoch") && text.contains("learning rate"),
        "{text}"
    );
}

#[test]
fn nuclei_that_cannot_be_are_refused() {
    let mut structure = structure();
    structure.nuclei.read_out = "CX".to_owned();
    let text = structure.wired(5, 2).unwrap_err().to_string();
    assert!(text.contains("CX"), "{text}");
}
