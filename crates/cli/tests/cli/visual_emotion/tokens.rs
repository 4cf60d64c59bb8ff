//! Modules that attend to the tokens of a layer.

use serde_json::{Value, json};

use super::{notes, run, study};
use crate::support::{Scratch, assert_same_files};

/// A study whose modules attend to the positions of the network's last map.
fn study_of_tokens() -> Scratch {
    let scratch = study();
    for (old, new) in [
        ("pool2", "pool3"),
        ("pool = \"mean\"", "pool = \"none\""),
        ("structures = [\"III\"]", "structures = [\"III\", \"IV\"]"),
        ("width = 12", "width = 12\ntokens = true"),
    ] {
        scratch.edit("study.toml", old, new);
    }
    scratch
}

#[test]
fn modules_attend_to_the_tokens_of_a_map() {
    let scratch = study_of_tokens();
    let plan = scratch.ok(&["check", "study.toml"]);
    assert!(
        plan.contains("consilience_demo IV: ") && plan.contains(" units, 64 tokens"),
        "{plan}"
    );
    let emotion = run(&scratch);
    let modules = emotion["modules"].as_array().unwrap();
    for module in modules {
        assert_eq!(
            (&module["n_tokens"], &module["n_features"]),
            (&json!(64), &json!(64))
        );
    }
    let entropy = |module: &Value| -> Vec<Option<f64>> {
        let nuclei = module["nuclei"].as_array().unwrap().iter();
        nuclei.map(|n| n["attention_entropy"].as_f64()).collect()
    };
    assert_eq!(entropy(&modules[0]), [None; 4]);
    for (found, nucleus) in entropy(&modules[1])
        .into_iter()
        .zip(["LA", "BA", "BL", "CE"])
    {
        let found = found.unwrap_or_else(|| panic!("{nucleus} attends"));
        assert!(found > 0.0 && found <= 1.0, "{nucleus}: {found}");
    }
    let told = "64 tokens of 64 channels each";
    assert!(notes(&emotion).iter().any(|note| note.contains(told)));
    let page = std::fs::read_to_string(scratch.path("out/report.html")).unwrap();
    assert!(page.contains("64 tokens of 64 features") && page.contains(">entropy 0."));
    assert!(!page.contains("one token"));
    let table = std::fs::read_to_string(scratch.path("out/nuclei.csv")).unwrap();
    let with_entropy = table.lines().skip(1).filter(|line| !line.ends_with(','));
    assert_eq!(with_entropy.count(), 4, "{table}");
    // Another run on what is in the cache, and ridge regression on the mean over tokens, which is what is pooled.
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    assert_same_files(&scratch.path("out"), &scratch.path("again"));
    scratch.edit("study.toml", "tokens = true\n", "");
    scratch.edit("study.toml", "pool = \"none\"", "pool = \"mean\"");
    scratch.ok(&["run", "study.toml", "--out", "pooled"]);
    let pooled = scratch.record("pooled")["analyses"][0].take();
    assert_eq!(pooled["baselines"], emotion["baselines"]);
    assert_ne!(pooled["modules"][1]["after"], modules[1]["after"]);
    assert_eq!(pooled["modules"][1].get("n_tokens"), None);
}

#[test]
fn tokens_that_cannot_be_attended_to_are_refused() {
    for (old, new, phrases) in [
        (
            "pool = \"none\"",
            "pool = \"mean\"",
            &["tokens", "consilience_demo is pooled", "`pool = \"none\"`"][..],
        ),
        (
            "pool = \"none\"",
            "reduce = \"sparse=50\"",
            &["tokens", "reduced", "leave `reduce` out"],
        ),
        (
            "\"pool3\"",
            "\"fc\"",
            &["fc of consilience_demo", "one token", "`layers`"],
        ),
        // 4096 positions.
        (
            "\"pool3\"",
            "\"relu1\"",
            &["4096 tokens", "GiB", "fewer tokens", "`batch`"],
        ),
    ] {
        let scratch = study_of_tokens();
        scratch.edit("study.toml", old, new);
        scratch.refused(&["check", "study.toml"], phrases);
    }
}
