//! Units on a second set of pictures, and gains of those that are selective in both.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{N, notes, picture, rated, run, study, study_of_others};
use crate::support::Scratch;

const SECOND: &str = r#"
[analysis.second-set]
name = "others"
images = "second-set/*.png"
ratings = "second-set.csv"
picture-column = "image"
valence-column = "pleasure"
arousal-column = "activation"
scale = [0, 100]
"#;

/// A study with as many pictures of a second set, rated from 0 to 100.
fn with_second(scratch: Scratch) -> Scratch {
    let mut table = "image,pleasure,activation\n".to_owned();
    for idx in 300..300 + N {
        scratch.put(&format!("second-set/{idx}.png"), &picture(idx));
        let [valence, arousal] = rated(idx).map(|r| (r - 1.0) / 8.0 * 100.0);
        writeln!(table, "{idx}.png,{valence},{arousal}").unwrap();
    }
    scratch.put("second-set.csv", table.as_bytes());
    let mut text = std::fs::read_to_string(scratch.path("study.toml")).unwrap();
    // Options of the analysis end where a table below it begins.
    text = text.replacen(
        "controls = [\"encoder\"]\n",
        "controls = [\"encoder\"]\nunits = \"selective\"\n",
        1,
    );
    text.push_str(SECOND);
    scratch.put("study.toml", text.as_bytes());
    scratch
}

fn list<'a>(of: &'a Value, name: &str) -> &'a Vec<Value> {
    of[name].as_array().unwrap()
}

#[test]
fn units_are_tested_on_a_second_set() {
    let scratch = with_second(study_of_others());
    // A stimulus, a picture that is learnt from, one of the set itself, one without ratings, and ratings without one.
    for (name, idx) in [
        ("stimulus", 3),
        ("learnt", 101),
        ("again", 305),
        ("new", 400),
    ] {
        scratch.put(&format!("second-set/{name}.png"), &picture(idx));
    }
    let mut table = std::fs::read_to_string(scratch.path("second-set.csv")).unwrap();
    table.push_str(
        "stimulus.png,50,50\nlearnt.png,50,50\nagain.png,50,50\ngone.png,20,20\nnew.png,NA,3\n",
    );
    scratch.put("second-set.csv", table.as_bytes());
    let told = [
        "others: 1 picture of the second set is one of the stimuli and was left out, as it would test nothing anew (stimulus.png).",
        "others: 1 picture of the second set is learnt from and was left out (learnt.png).",
        "others: 1 picture of the second set is there twice, of which the first was taken (again.png).",
        "others: 1 picture of the second set has no rating and was left out (new.png).",
        "others: 1 rated picture of the second set has no file (gone.png).",
    ];
    let plan = scratch.ok(&["check", "study.toml"]);
    for line in told {
        assert!(plan.contains(line), "no {line:?} in {plan}");
    }
    assert!(
        plan.contains("tests units on 30 pictures of others (rated from 0 to 100), which consilience_demo sees once; bins in both sets: "),
        "{plan}"
    );
    let emotion = run(&scratch);
    let notes = notes(&emotion);
    for line in told {
        assert!(notes.contains(&line.to_owned()), "no {line:?} in {notes:?}");
    }
    let second = &emotion["second"];
    for (key, value) in [
        ("name", json!("others")),
        ("scale", json!([0.0, 100.0])),
        ("n_pictures", json!(30)),
        ("n_unrated", json!(1)),
        ("n_absent", json!(1)),
        ("n_repeated", json!(1)),
        ("n_stimuli", json!(1)),
        ("n_learnt", json!(1)),
    ] {
        assert_eq!(second[key], value, "{key}");
    }
    // Shared bins are those of both sets, and counts of the stimuli are those of their own part.
    let kept = |of: &Value| -> Vec<String> {
        let bins = list(of, "bins").iter().filter(|bin| bin["is_kept"] == true);
        bins.map(|bin| bin["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let of_second = kept(second);
    let shared: Vec<String> = kept(&emotion)
        .into_iter()
        .filter(|bin| of_second.contains(bin))
        .collect();
    assert_eq!(second["shared"], json!(shared));
    assert!(shared.len() > 2);
    let nuclei = list(second, "nuclei");
    assert_eq!(nuclei.len(), 5);
    let mut n_first = 0.0;
    for (of, selectivity) in nuclei.iter().zip(list(&emotion, "selectivity")) {
        assert_eq!(of["nucleus"], selectivity["nucleus"]);
        for overlap in list(of, "overlaps") {
            let number = |key: &str| overlap[key].as_f64().unwrap();
            assert!(
                number("both") <= number("first").min(number("second")),
                "{overlap}"
            );
            assert!((0.0..=1.0).contains(&number("p")), "{overlap}");
            let counts = list(selectivity, "counts").iter();
            if let Some(count) = counts.clone().find(|c| c["bin"] == overlap["bin"])
                && overlap["bin"] != "any"
            {
                assert_eq!(count["after"], overlap["first"]);
                n_first += number("first");
            }
        }
        assert!(of["preference"]["same"].is_number());
    }
    assert!(n_first > 0.0);
    for (table, row) in [
        (
            "second_set.csv",
            "others,second-set/*.png,0,100,30,1,1,1,1,1",
        ),
        ("consistency.csv", "visual-emotion-1,all,"),
        ("preferences.csv", "visual-emotion-1,LA,"),
    ] {
        let text = std::fs::read_to_string(scratch.path(&format!("out/{table}"))).unwrap();
        assert!(text.contains(row), "{table}: {text}");
    }
    assert!(
        scratch
            .path("out/figures/visual-emotion-1-consistency.svg")
            .exists()
    );
}

/// In folds, with units of both sets changed apart from those of the stimuli alone, on one thread as on several.
#[test]
fn gains_change_units_of_both_sets() {
    let scratch = with_second(study());
    let plain = run(&scratch);
    scratch.edit(
        "study.toml",
        "units = \"selective\"",
        "units = \"consistent\"",
    );
    scratch.ok(&["run", "study.toml", "--out", "both"]);
    let both = scratch.record("both")["analyses"][0].take();
    assert_eq!(both["settings"]["units"], "consistent");
    // What is found is the same, whatever gains change.
    for key in ["second", "selectivity", "modules", "connections"] {
        assert_eq!(plain[key], both[key], "{key}");
    }
    let sets = |of: &Value, which: Value| -> Vec<(String, String, f64)> {
        let curves = list(of, "gains").iter();
        let curves = curves.filter(|c| c["rating"] == "valence" && c["units"] != "whole");
        let curves =
            curves.filter(|c| c.get("selective_in").cloned().unwrap_or(Value::Null) == which);
        curves
            .map(|c| {
                let text = |key: &str| c[key].as_str().unwrap().to_owned();
                (
                    text("nucleus"),
                    text("units"),
                    c["n_units"].as_f64().unwrap(),
                )
            })
            .collect()
    };
    assert!(sets(&plain, json!("both sets")).is_empty());
    assert!(sets(&both, Value::Null).is_empty());
    let [all, kept, only] = [
        sets(&plain, Value::Null),
        sets(&both, json!("both sets")),
        sets(&both, json!("stimuli only")),
    ];
    assert!(!kept.is_empty() && kept.len() == only.len());
    for ((kept, only), of) in kept.iter().zip(&only).map(|pair| {
        let of = all
            .iter()
            .find(|(nucleus, units, _)| (nucleus, units) == (&pair.0.0, &pair.0.1));
        (pair, of.unwrap())
    }) {
        assert_eq!((&kept.0, &kept.1), (&only.0, &only.1));
        // With bins that are not shared, any bin has more units than both kinds.
        assert!(kept.2 + only.2 <= of.2 + 1e-9, "{kept:?} {only:?} {of:?}");
        if kept.1 != "any" {
            assert!(
                (kept.2 + only.2 - of.2).abs() < 1e-9,
                "{kept:?} {only:?} {of:?}"
            );
        }
    }
    // As many are in both as the comparison says.
    let of_second = list(&both["second"], "nuclei").last().unwrap();
    for overlap in list(of_second, "overlaps") {
        let bin = overlap["bin"].as_str().unwrap();
        let of = kept
            .iter()
            .find(|(nucleus, units, _)| nucleus == "all" && units == bin);
        assert_eq!(json!(of.unwrap().2), overlap["both"], "{bin}");
    }
    scratch.ok(&[
        "run",
        "study.toml",
        "--out",
        "alone",
        "--threads",
        "1",
        "--force",
    ]);
    assert_eq!(scratch.record("alone")["analyses"][0], both);
    let note = notes(&both)
        .into_iter()
        .find(|note| note.contains("dealt to the modules"));
    assert!(note.unwrap().starts_with("Pictures of others"));
    // Without bins within nuclei there are fewer curves, and the others are the same.
    scratch.edit(
        "study.toml",
        "units = \"consistent\"",
        "bins-within-nuclei = false",
    );
    scratch.ok(&["run", "study.toml", "--out", "fewer"]);
    let fewer = scratch.record("fewer")["analyses"][0].take();
    let kept: Vec<&Value> = list(&plain, "gains")
        .iter()
        .filter(|c| c["nucleus"] == "all" || c["units"] == "any" || c["units"] == "whole")
        .collect();
    assert!(kept.len() < list(&plain, "gains").len());
    assert_eq!(json!(kept), fewer["gains"]);
}

#[test]
fn second_sets_that_cannot_be_compared_are_refused() {
    for (old, new, phrases) in [
        (
            "units = \"selective\"",
            "units = \"genuine\"",
            &["study.toml", "genuine", "selective, consistent"][..],
        ),
        (
            "min-images = 2",
            "min-images = 14",
            &[
                "at least 14 pictures",
                "of the stimuli",
                "of others",
                "lower `min-images`",
            ],
        ),
        (
            "scale = [0, 100]",
            "scale = [0, 90]",
            &["second-set.csv", "outside the scale from 0 to 90"],
        ),
        (
            "images = \"second-set/*.png\"",
            "images = \"pictures/*.png\"",
            &[
                "none of the 30 pictures",
                "second-set.csv",
                "picture-column",
            ],
        ),
        (
            "images = \"second-set/*.png\"",
            "images = \"nowhere/*.png\"",
            &["no file matches", "nowhere"],
        ),
        (
            "images = \"second-set/*.png\"",
            "pictures = \"second-set/*.png\"",
            &["unknown field `pictures`", "images"],
        ),
        (
            "valence-column = \"pleasure\"",
            "valence-column = \"joy\"",
            &["second-set.csv", "joy", "pleasure"],
        ),
    ] {
        let scratch = with_second(study());
        scratch.edit("study.toml", old, new);
        scratch.refused(&["check", "study.toml"], phrases);
    }
    // A second set of nothing but stimuli, and units of two sets without a second one.
    let scratch = with_second(study());
    for idx in 300..300 + N {
        scratch.put(&format!("second-set/{idx}.png"), &picture(idx - 300));
    }
    scratch.refused(
        &["check", "study.toml"],
        &[
            "every rated picture of others is a stimulus or learnt from",
            "images",
        ],
    );
    let scratch = study();
    scratch.edit(
        "study.toml",
        "controls = [\"encoder\"]",
        "units = \"consistent\"",
    );
    scratch.refused(
        &["check", "study.toml"],
        &["there is one", "[analysis.second-set]"],
    );
}
