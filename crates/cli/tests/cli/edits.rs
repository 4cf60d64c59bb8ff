//! Changed networks, from the command line and in a study.

use crate::support::{DEMO_WEIGHTS, Scratch, encode, listing, npy_values};

const MODEL: [&str; 5] = [
    "extract",
    "--model",
    "consilience_demo",
    "--weights",
    DEMO_WEIGHTS,
];

fn with_pictures() -> Scratch {
    let scratch = Scratch::new();
    for idx in [1, 2, 3] {
        let bytes = encode(64, |row, column| {
            [(row * idx) as u8, (column * 3) as u8, idx as u8]
        });
        scratch.put(&format!("pictures/p{idx}.png"), &bytes);
    }
    scratch
}

#[test]
fn an_edit_changes_what_follows_and_is_in_the_manifest() {
    let scratch = with_pictures();
    let extract = |out: &str, edit: &[&str]| {
        let rest = [
            "--images",
            "pictures",
            "--layers",
            "pool1,conv2,fc",
            "--out",
            out,
        ];
        scratch.ok(&[&MODEL[..], &rest, edit].concat());
        ["pool1", "conv2", "fc"]
            .map(|layer| npy_values(&scratch.path(out).join(layer.to_owned() + ".npy")))
    };
    let intact = extract("intact", &[]);
    let edit = "lesion layer=conv2 channels=9-3,1 with=zero";
    let refused = [
        &MODEL[..],
        &["--images", "pictures", "--out", "x", "--edit", edit],
    ]
    .concat();
    scratch.refused(&refused, &["9-3", "both ends"]);
    let edit = "lesion layer=conv2 channels=3-9,1 with=mean";
    let edited = extract("edited", &["--edit", edit]);
    assert_eq!(edited[0], intact[0]);
    assert_ne!(edited[2], intact[2]);
    let (map, n) = (32 * 32, intact[1].len() / 3);
    for unit in 0..n {
        let channel = unit / map;
        for row in 0..3 {
            let found = edited[1][row * n + unit];
            match channel == 1 || (3..10).contains(&channel) {
                true => {
                    let sum: f64 = (0..3).map(|row| intact[1][row * n + unit]).sum();
                    assert!((found - sum / 3.0).abs() < 1e-6 * (1.0 + sum.abs()));
                }
                false => assert_eq!(found, intact[1][row * n + unit]),
            }
        }
    }
    let manifest = std::fs::read(scratch.path("edited/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["edits"][0]["edit"],
        "lesion layer=conv2 channels=1,3-9 with=mean"
    );
}

#[test]
fn edits_of_a_study_change_its_numbers_and_its_cache() {
    let scratch = Scratch::small_study();
    let run = |out: &str| {
        scratch.ok(&["run", "study.toml", "--out", out]);
        scratch.record(out)
    };
    let intact = run("intact");
    let n_entries = listing(&scratch.cache()).len();
    scratch.edit(
        "study.toml",
        "layers = [",
        "edits = [{ kind = \"lesion\", layer = \"conv1\", channels = \"0-7\", with = \"mean\" }]\nlayers = [",
    );
    assert!(
        scratch
            .ok(&["check", "study.toml"])
            .contains("edit: lesion layer=conv1 channels=0-7 with=mean")
    );
    let lesioned = run("lesioned");
    assert_ne!(intact["analyses"], lesioned["analyses"]);
    assert_eq!(
        lesioned["provenance"]["models"][0]["edits"][0],
        "lesion layer=conv1 channels=0-7 with=mean"
    );
    assert!(listing(&scratch.cache()).len() > n_entries);
    let page = std::fs::read_to_string(scratch.path("lesioned/report.html")).unwrap();
    assert!(page.contains("lesion layer=conv1 channels=0-7 with=mean"));
}

#[test]
fn a_study_reduces_features() {
    let scratch = Scratch::small_study();
    let plan = |more: &str| {
        let scratch = Scratch::small_study();
        scratch.edit("study.toml", "layers = [", &format!("{more}\nlayers = ["));
        scratch.json(&["check", "study.toml", "--format", "json"])
    };
    let n_features =
        |plan: &serde_json::Value| plan["models"][0]["layers"][0]["n_features"].clone();
    assert_eq!(n_features(&plan("reduce = \"sparse=900\"")), 900);
    let fitted = "reduce = \"pca=5\"\nreduce-fit = \"pictures/*.png\"";
    assert_eq!(n_features(&plan(fitted)), 5);
    scratch.edit("study.toml", "layers = [", &format!("{fitted}\nlayers = ["));
    scratch.ok(&["run", "study.toml", "--out", "results"]);
    let first = scratch.record("results");
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "again", "--threads", "1"]);
    assert_eq!(first, scratch.record("again"));
    scratch.edit("study.toml", "pca=5", "pca=12");
    scratch.refused(
        &["run", "study.toml", "--out", "x"],
        &["12 rows give at most 11"],
    );
    scratch.edit("study.toml", "reduce-fit = \"pictures/*.png\"\n", "");
    scratch.refused(&["check", "study.toml"], &["study.toml:11:", "reduce-fit"]);
}

#[test]
fn an_edit_that_does_not_fit_is_shown_in_its_line() {
    for (edit, phrases) in [
        (
            "kind = \"lesionn\", layer = \"conv1\"",
            ["lesionn", "did you mean"],
        ),
        ("kind = \"lesion\", layer = \"conv11\"", ["conv11", "conv1"]),
        (
            "kind = \"lesion\", layer = \"conv1\", channel = \"3\"",
            ["channel", "did you mean `channels`"],
        ),
        (
            "kind = \"lesion\", layer = \"conv1\", channels = \"16\"",
            ["16 channels", "found 16"],
        ),
        (
            "kind = \"gain\", layer = \"conv1\"",
            ["needs alpha", "alpha=0.5"],
        ),
        (
            "kind = \"lesion\", layer = \"conv1\", means = \"m.npy\"",
            ["no file \"m.npy\"", "looked in"],
        ),
    ] {
        let scratch = Scratch::small_study();
        let line = format!("edits = [{{ {edit} }}]");
        scratch.edit("study.toml", "layers = [", &format!("{line}\nlayers = ["));
        let message = scratch.refused(&["check", "study.toml"], &phrases);
        assert!(message.contains("study.toml:11:"), "{message}");
        assert!(message.contains(&line), "{message}");
    }
}
