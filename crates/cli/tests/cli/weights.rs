//! `FILE.pth:ENTRY`: one of several state dicts, wherever weights are read.
//!
//! `fixtures/generate/weights.py` writes the files: in `networks.pth` two sets of weights of the demo
//! network, of which the student's are twice the teacher's; in `heads.pth` two heads of opposite sign.

use crate::support::{DEMO_WEIGHTS, Scratch, assert_close, encode, listing, npy_values};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/weights/");

fn scratch() -> Scratch {
    let scratch = Scratch::small_study();
    for name in ["networks.pth", "heads.pth"] {
        let bytes = std::fs::read(format!("{FIXTURES}{name}")).unwrap();
        scratch.put(name, &bytes);
    }
    let one = encode(64, |row, column| [(row * 3) as u8, (column * 3) as u8, 9]);
    scratch.put("one/p.png", &one);
    scratch
}

fn extract<'a>(weights: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base = [
        "extract",
        "--model",
        "consilience_demo",
        "--weights",
        weights,
    ];
    let rest = ["--images", "one", "--executor", "rten"];
    [&base[..], &rest, more].concat()
}

#[test]
fn every_command_takes_one_of_several_state_dicts() {
    let scratch = scratch();
    let conv1 = |out: &str| npy_values(&scratch.path(out).join("conv1.npy"));
    let to = |out: &'static str| ["--layers", "conv1", "--out", out];
    scratch.refused(
        &extract("networks.pth", &to("none")),
        &[
            "networks.pth",
            "FILE:NAME",
            "\"teacher\"",
            "\"nested/student\"",
        ],
    );
    scratch.refused(
        &extract("networks.pth:pupil", &to("none")),
        &["networks.pth", "no state dict \"pupil\"", "teacher"],
    );
    scratch.refused(&extract("gone.pth:teacher", &to("none")), &["gone.pth"]);
    scratch.ok(&extract("networks.pth:teacher", &to("teacher")));
    scratch.ok(&extract("networks.pth:nested/student", &to("student")));
    let twice: Vec<f64> = conv1("teacher").iter().map(|value| 2.0 * value).collect();
    assert!(twice.iter().any(|value| value.abs() > 0.01));
    assert_close(&conv1("student"), &twice, 1e-5);
    let manifest = std::fs::read(scratch.path("teacher/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["weights"], "networks.pth:teacher");
    let hash = manifest["weights_blake3"].as_str().unwrap();
    assert!(hash.ends_with(":teacher") && hash.len() == 64 + 8, "{hash}");

    let gradcam = ["gradcam", "--model", "consilience_demo", "--images", "one"];
    let more = ["--layer", "relu4", "--target", "0", "--out", "cam"];
    let weights = ["--weights", "networks.pth:teacher"];
    scratch.ok(&[&gradcam[..], &more, &weights].concat());
    let manifest = std::fs::read_to_string(scratch.path("cam/manifest.json")).unwrap();
    assert!(manifest.contains("networks.pth:teacher"), "{manifest}");
    let verify = [
        "models",
        "verify",
        "consilience_demo",
        "--image",
        "one/p.png",
    ];
    let told = scratch.ok(&[&verify[..], &weights].concat());
    assert!(told.contains("agree"), "{told}");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_called_so_goes_first() {
    let scratch = scratch();
    let conv1 = |weights: &str, out: &str| {
        scratch.ok(&extract(weights, &["--layers", "conv1", "--out", out]));
        npy_values(&scratch.path(out).join("conv1.npy"))
    };
    let demo = conv1(DEMO_WEIGHTS, "demo");
    let teacher = conv1("networks.pth:teacher", "teacher");
    std::fs::copy(scratch.path("networks.pth"), scratch.path("a:b.pth")).unwrap();
    assert_eq!(conv1("a:b.pth:teacher", "colon"), teacher);
    std::fs::copy(DEMO_WEIGHTS, scratch.path("networks.pth:teacher")).unwrap();
    assert_eq!(conv1("networks.pth:teacher", "whole"), demo);
    assert_ne!(demo, teacher);
}

#[test]
fn a_study_takes_one_of_several_state_dicts() {
    let scratch = scratch();
    scratch.edit("study.toml", "[\"pool1\", \"fc\"]", "[\"pool1\"]");
    scratch.edit("study.toml", "consilience_demo.safetensors", "networks.pth");
    scratch.refused(
        &["check", "study.toml"],
        &["study.toml:10:", "\"teacher\"", "FILE:NAME"],
    );
    scratch.edit("study.toml", "networks.pth", "networks.pth:teacher");
    scratch.ok(&["run", "study.toml", "--out", "teacher"]);
    let n_entries = listing(&scratch.cache()).len();
    scratch.edit("study.toml", "pth:teacher", "pth:nested/student");
    scratch.ok(&["run", "study.toml", "--out", "student"]);
    // Other weights of the same file are not taken from the cache.
    assert!(listing(&scratch.cache()).len() > n_entries);
    let [teacher, student] =
        ["teacher", "student"].map(|out| scratch.record(out)["provenance"].clone());
    let hash = |provenance: &serde_json::Value| {
        let hash = provenance["models"][0]["weights_blake3"].as_str().unwrap();
        hash.split_once(':')
            .map(|(hash, entry)| (hash.to_owned(), entry.to_owned()))
    };
    let (teacher_hash, entry) = hash(&teacher).unwrap();
    assert_eq!(entry, "teacher");
    assert_eq!(
        hash(&student),
        Some((teacher_hash.clone(), "nested/student".to_owned()))
    );
    let inputs = teacher["inputs"].as_array().unwrap();
    let file = inputs.iter().find(|input| input["path"] == "networks.pth");
    assert_eq!(file.unwrap()["blake3"], teacher_hash.as_str());
    scratch.edit("study.toml", "nested/student", "pupil");
    scratch.refused(
        &["check", "study.toml"],
        &["study.toml:10:", "no state dict \"pupil\""],
    );
}

#[test]
fn a_new_head_is_one_of_several_state_dicts() {
    let scratch = scratch();
    let edit = |entry: &str| format!("replace-head layer=fc weights=heads.pth{entry}");
    let head = |entry: &str, out: &str| {
        let edit = edit(entry);
        scratch.ok(&extract(
            DEMO_WEIGHTS,
            &["--layers", "fc", "--out", out, "--edit", &edit],
        ));
        npy_values(&scratch.path(out).join("fc.npy"))
    };
    let positive = head(":positive", "positive");
    let negative: Vec<f64> = head(":negative", "negative").iter().map(|v| -v).collect();
    assert_eq!(positive.len(), 2);
    assert_close(&positive, &negative, 1e-6);
    let whole = edit("");
    scratch.refused(
        &extract(
            DEMO_WEIGHTS,
            &["--layers", "fc", "--out", "x", "--edit", &whole],
        ),
        &["heads.pth", "FILE:NAME", "\"positive\"", "\"negative\""],
    );
    scratch.edit(
        "study.toml",
        "layers = [",
        "edits = [{ kind = \"replace-head\", layer = \"fc\", weights = \"heads.pth:positive\" }]\nlayers = [",
    );
    let plan = scratch.ok(&["check", "study.toml"]);
    assert!(plan.contains("weights=heads.pth:positive"), "{plan}");
    scratch.edit("study.toml", "heads.pth:positive", "heads.pth");
    scratch.refused(
        &["check", "study.toml"],
        &["study.toml:11:", "\"positive\""],
    );
}
