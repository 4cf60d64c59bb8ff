//! Modules that learn from other views of the pictures in every epoch.

use std::time::Duration;

use serde_json::{Value, json};

use super::{notes, run, study, study_of_others};
use crate::support::{Scratch, assert_same_files, listing, npy_header};

const VIEWS: &str =
    "turned by up to 20° (p 0.5), mirrored (p 0.5), blurred by 0.1 to 2 pixels (p 0.2)";

/// The study in folds, whose 30 pictures are seen in another view in each of three epochs.
fn augmented() -> Scratch {
    let scratch = study();
    scratch.edit(
        "study.toml",
        "repeats = 2",
        "repeats = 2\naugment = true\nepoch = \"last\"",
    );
    scratch
}

/// Headers of the files of views.
fn views(scratch: &Scratch) -> Vec<String> {
    let folder = scratch.cache().join("views");
    let files = listing(&folder).into_keys();
    files.map(|name| npy_header(&folder.join(name))).collect()
}

#[test]
fn folds_repeats_and_structures_learn_from_the_same_views() {
    let scratch = augmented();
    scratch.edit("study.toml", "[\"III\"]", "[\"I\", \"III\"]");
    let plan = scratch.ok(&["check", "study.toml"]);
    for line in [
        "consilience_demo sees 90 views (30 pictures in each of 3 epochs)",
        &format!("views: {VIEWS}"),
    ] {
        assert!(plan.contains(line), "no {line:?} in {plan}");
    }
    let emotion = run(&scratch);
    assert_eq!(emotion["settings"]["augmentation"], VIEWS);
    // One pass of each picture in each epoch, for two structures in two repeats of two folds.
    let headers = views(&scratch);
    assert_eq!(headers.len(), 3);
    assert!(
        headers.iter().all(|header| header.contains("(30, 32)")),
        "{headers:?}"
    );
    let page = std::fs::read_to_string(scratch.path("out/report.html")).unwrap();
    assert!(page.contains("was seen in a new view"));

    // What judges is not changed: before training all is as without views, and so is the baseline.
    scratch.edit("study.toml", "augment = true\n", "");
    scratch.ok(&["run", "study.toml", "--out", "plain"]);
    let plain = scratch.record("plain")["analyses"][0].take();
    assert_eq!(plain["settings"].get("augmentation"), None);
    assert_eq!(plain["baselines"], emotion["baselines"]);
    let at = |emotion: &Value, epoch: usize| emotion["modules"][1]["history"][epoch].clone();
    assert!(at(&plain, 0)["validation"].is_number());
    assert_eq!(at(&plain, 0), at(&emotion, 0));
    assert_ne!(at(&plain, 1)["training"], at(&emotion, 1)["training"]);
    for module in 0..2 {
        let (plain, emotion) = (&plain["modules"][module], &emotion["modules"][module]);
        assert_eq!(plain["before"], emotion["before"]);
        assert_ne!(plain["runs"][0]["after"], emotion["runs"][0]["after"]);
    }
}

#[test]
fn pictures_of_training_sets_are_seen_in_other_views() {
    let scratch = study_of_others();
    scratch.edit(
        "study.toml",
        "repeats = 2",
        "repeats = 2\naugment = true\npreset = \"paper2025\"",
    );
    let plan = scratch.ok(&["check", "study.toml"]);
    assert!(
        plan.contains("sees 72 views (24 pictures in each of 3 epochs)"),
        "{plan}"
    );
    // The text of 2025 blurs nothing.
    let emotion = run(&scratch);
    let told = "turned by up to 20° (p 0.5), mirrored (p 0.5)";
    assert_eq!(emotion["settings"]["augmentation"], told);
    let headers = views(&scratch);
    assert_eq!(headers.len(), 3);
    assert!(
        headers.iter().all(|header| header.contains("(24, 32)")),
        "{headers:?}"
    );
}

#[test]
fn views_are_the_same_for_any_number_of_threads_and_after_a_kill() {
    let scratch = augmented();
    let one = ["run", "study.toml", "--threads", "1", "--out", "one"];
    scratch.ok(&one);
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--threads", "2", "--out", "two"]);
    assert_same_files(&scratch.path("one"), &scratch.path("two"));

    // Killed as soon as views of an epoch are there, then as soon as one of the trainings has a checkpoint.
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    for folder in ["views", "emotion-checkpoints"] {
        let args = ["run", "study.toml", "--out", "again"];
        let mut child = scratch
            .command(&args)
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let is_there = || !listing(&scratch.cache().join(folder)).is_empty();
        while !is_there() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    assert_same_files(&scratch.path("one"), &scratch.path("again"));

    // Trainings that are done need no views; those that are not make them again.
    std::fs::remove_dir_all(scratch.cache().join("views")).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    assert!(!scratch.cache().join("views").exists());
    std::fs::remove_dir_all(scratch.cache().join("emotion")).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    assert_eq!(views(&scratch).len(), 3);
    assert_same_files(&scratch.path("one"), &scratch.path("again"));
}

#[test]
fn views_are_reduced_and_have_tokens_as_pictures_have() {
    let scratch = augmented();
    scratch.edit(
        "study.toml",
        "pool = \"mean\"",
        "pool = \"none\"\nreduce = \"sparse=40\"",
    );
    let reduced = run(&scratch);
    assert_eq!(reduced["modules"][0]["n_features"], 40);
    assert!(
        views(&scratch)
            .iter()
            .all(|header| header.contains("(30, 40)"))
    );
    std::fs::remove_dir_all(scratch.path("out")).unwrap();
    scratch.edit("study.toml", "reduce = \"sparse=40\"\n", "");
    scratch.edit("study.toml", "pool2", "pool3");
    scratch.edit("study.toml", "width = 12", "width = 12\ntokens = true");
    let of_tokens = run(&scratch);
    assert_eq!(of_tokens["modules"][0]["n_tokens"], 64);
    let plain = [
        "run",
        "study.toml",
        "--set",
        "analysis.augment=false",
        "--out",
        "plain",
    ];
    scratch.ok(&plain);
    let plain = scratch.record("plain")["analyses"][0].take();
    assert_eq!(
        plain["modules"][0]["before"],
        of_tokens["modules"][0]["before"]
    );
    assert_ne!(
        plain["modules"][0]["after"],
        of_tokens["modules"][0]["after"]
    );
}

#[test]
fn what_has_no_views_is_refused() {
    let scratch = augmented();
    scratch.edit("study.toml", "augment = true", "augment = \"yes\"");
    scratch.refused(&["check", "study.toml"], &["augment", "boolean"]);
    scratch.edit("study.toml", "augment = \"yes\"", "augmentation = true");
    scratch.refused(
        &["check", "study.toml"],
        &["unknown field `augmentation`", "`augment`"],
    );
    // A film in the place of a picture.
    scratch.edit("study.toml", "augmentation = true", "augment = true");
    scratch.edit("study.toml", "pictures/*.png", "pictures/*");
    let film = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/video/plain.mp4"
    );
    scratch.put("pictures/p3.mp4", &std::fs::read(film).unwrap());
    std::fs::remove_file(scratch.path("pictures/p3.png")).unwrap();
    scratch.refused(
        &["check", "study.toml"],
        &["films", "a view of its own", "leave `augment` out"],
    );
    scratch.edit("study.toml", "augment = true\n", "");
    scratch.ok(&["check", "study.toml"]);
    // Features that were made before are nothing that a study reads, nor that a module alone sees other views of.
    scratch.put("features.csv", b"1,2\n3,4\n");
    let alone = [
        "module",
        "train",
        "features.csv",
        "--ratings",
        "features.csv",
        "--augment",
        "--out",
        "module",
    ];
    scratch.refused(&alone, &["--images"]);
}

#[test]
fn a_study_says_where_epoch_0_is_judged_best() {
    let scratch = study();
    // Steps that are too short to change anything.
    scratch.edit(
        "study.toml",
        "learning-rate = 3e-3",
        "learning-rate = 1e-30",
    );
    let emotion = run(&scratch);
    assert_eq!(emotion["modules"][0]["runs"][0]["epochs"], json!([0, 0]));
    let told = "consilience_demo III: epoch 0 is used in 4 of 4 trainings: no later one was better by the validation pictures than the module \
                before training. Epochs are judged by r², which does not see the sign: a module before training may predict the wrong way \
                round. Try more epochs, a higher learning rate, or `epoch = \"last\"`.";
    assert!(
        notes(&emotion).contains(&told.to_owned()),
        "{:?}",
        notes(&emotion)
    );
    let page = std::fs::read_to_string(scratch.path("out/report.html")).unwrap();
    assert!(page.contains("epoch 0 is used in 4 of 4 trainings"));
    std::fs::remove_dir_all(scratch.path("out")).unwrap();
    scratch.edit("study.toml", "repeats = 2", "repeats = 2\nepoch = \"last\"");
    let notes = notes(&run(&scratch));
    assert!(
        notes.iter().all(|note| !note.contains("epoch 0")),
        "{notes:?}"
    );
}
