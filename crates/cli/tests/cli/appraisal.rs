//! Networks as raters, and the objects behind their ratings.

use std::fmt::Write;

use ndarray::Array2;

use crate::support::{DEMO_WEIGHTS, Scratch, assert_same_files, encode, noise};

const N: usize = 24;

const STUDY: &str = r#"[study]
title = "Ratings"

[stimuli]
images = "pictures/*.png"
table = "stimuli.csv"
condition-column = "condition"

[[model]]
name = "consilience_demo"
weights = "consilience_demo.safetensors"
layers = ["pool1", "pool2"]
pool = "mean"

[[behaviour]]
name = "True"
ratings = "ratings.csv"
columns = ["ann", "bob", "cid"]
scale = [-3, 3]

[[brain]]
name = "LLR"
simulate-from = "True"
simulate-noise = 2.0

[[brain]]
name = "HLR"
responses = ["one.npy", "two.npy"]

[[analysis]]
kind = "appraisal"
runs = 2
permutations = 50

[[analysis]]
kind = "object2brain"
boxes = "boxes.csv"
top = 3
random-sets = 20
permutations = 20
"#;

/// Pictures whose left half is the lighter the better they are rated, with a person or a car in each.
fn valence() -> Scratch {
    let scratch = Scratch::new();
    let rating = |idx: usize| (idx * 7 % N) as f64 / N as f64 * 4.0 - 2.0;
    let mut stimuli = "file,condition\n".to_owned();
    let mut ratings = "file,ann,bob,cid\n".to_owned();
    let mut boxes = "image,class,score,x_min,y_min,x_max,y_max\n".to_owned();
    for idx in 0..N {
        let light = 40.0 * (rating(idx) + 2.0);
        let picture = encode(64, |row, column| {
            let texture = ((row * 13 + column * 29 + idx * 31) % 23) as f64 * 3.0;
            let level = if column < 32 {
                light + texture
            } else {
                60.0 + texture
            };
            [level as u8, texture as u8, (level / 2.0) as u8]
        });
        scratch.put(&format!("pictures/p{idx}.png"), &picture);
        let condition = ["congruent", "incongruent"][idx % 2];
        let _ = writeln!(stimuli, "p{idx}.png,{condition}");
        let [ann, bob, cid] = [0.0, 0.4, -0.3].map(|bias| rating(idx) + bias * (idx % 3) as f64);
        let _ = writeln!(ratings, "p{idx},{ann},{bob},{cid}");
        let class = ["person", "car"][idx / 2 % 2];
        let _ = writeln!(boxes, "p{idx}.png,{class},0.9,4,8,30,60");
    }
    scratch.put("stimuli.csv", stimuli.as_bytes());
    scratch.put("ratings.csv", ratings.as_bytes());
    scratch.put("boxes.csv", boxes.as_bytes());
    scratch.put(
        "consilience_demo.safetensors",
        &std::fs::read(DEMO_WEIGHTS).unwrap(),
    );
    for (name, seed) in [("one.npy", 3), ("two.npy", 4)] {
        let mut voxels = noise(N, 15, seed);
        for idx in 0..N {
            for voxel in 0..5 {
                voxels[[idx, voxel]] += rating(idx);
            }
        }
        scratch.put_npy(name, &voxels);
    }
    scratch.put("study.toml", STUDY.as_bytes());
    scratch
}

#[test]
fn networks_rate_and_objects_are_told() {
    let scratch = valence();
    let plan = scratch.ok(&["check", "study.toml"]);
    for line in [
        "linear heads learn True by mse",
        "LLR, 10 subjects, simulated",
        "13 categories",
    ] {
        assert!(plan.contains(line), "no {line:?} in {plan}");
    }
    let told = scratch.ok(&["run", "study.toml", "--out", "one", "--threads", "1"]);
    assert!(told.contains("LLR (simulated)"), "{told}");
    let record = scratch.record("one");
    let [appraisal, objects] = [0, 1].map(|idx| &record["analyses"][idx]);
    assert_eq!(appraisal["kind"], "appraisal");
    assert_eq!(appraisal["raters"].as_array().unwrap().len(), 2);
    let names = |of: &serde_json::Value, list: &str| -> Vec<String> {
        let entries = of[list].as_array().unwrap().iter();
        entries
            .map(|e| e["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(appraisal, "targets"), ["True", "LLR", "HLR"]);
    assert_eq!(
        names(appraisal, "subsets"),
        ["all", "congruent", "incongruent"]
    );
    // The first layer knows how light the left half is.
    let first = &appraisal["correlations"][0];
    assert!(first["mean"].as_f64().unwrap() > 0.8, "{first}");
    assert!(
        appraisal["targets"][0]["reliability"]["ceiling"]
            .as_f64()
            .unwrap()
            > 0.9
    );
    assert_eq!(names(objects, "categories"), ["Human", "Transport"]);
    let effect = &objects["effects"][0];
    assert_eq!(effect["n_filters"], 3.0);
    assert!(
        effect["p_random"].is_number() && effect["p_permutation"].is_number(),
        "{effect}"
    );
    let scores = std::fs::read_to_string(scratch.path("one/scores.csv")).unwrap();
    // Two layers, two categories, three subsets, three targets.
    assert_eq!(scores.lines().count(), 1 + 2 * 2 * 3 * 3);
    for column in [
        "r",
        "r_lesioned",
        "delta",
        "delta_sd",
        "n_filters",
        "p_random_filters",
    ] {
        assert!(
            scores
                .lines()
                .next()
                .unwrap()
                .split(',')
                .any(|c| c == column),
            "{column}"
        );
    }
    for table in [
        "correlations.csv",
        "predictions.csv",
        "raters.csv",
        "overlap.csv",
    ] {
        assert!(scratch.path("one").join(table).is_file(), "{table}");
    }

    // Any number of threads, and what the cache holds, change no byte.
    let cached = scratch.run(&["run", "study.toml", "--out", "two", "--threads", "2"]);
    assert!(!cached.stderr.contains("heads of"), "{}", cached.stderr);
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "three", "--threads", "2"]);
    for again in ["two", "three"] {
        assert_same_files(&scratch.path("one"), &scratch.path(again));
    }
}

#[test]
fn heads_may_learn_from_other_pictures() {
    let scratch = valence();
    scratch.edit(
        "study.toml",
        "runs = 2\n",
        "runs = 2\ntraining-images = \"pictures/p1*.png\"\ntraining-ratings = \"ratings.csv\"\nloss = \"weighted-mse\"\nbins = 3\n",
    );
    scratch.ok(&[
        "run",
        "study.toml",
        "--set",
        "analysis.1.random-sets=0",
        "--out",
        "out",
    ]);
    let settings = &scratch.record("out")["analyses"][0]["settings"];
    assert_eq!(
        settings["trained_on"],
        "True of 11 other pictures (pictures/p1*.png)"
    );
    assert_eq!(settings["validation"], "20 % held out");
}

#[test]
fn what_cannot_be_done_is_refused_at_its_line() {
    let check = ["check", "study.toml"];
    for (old, new, phrases) in [
        (
            "scale = [-3, 3]",
            "scale = [-1, 1]",
            ["study.toml:", "ratings.csv"],
        ),
        (
            "columns = [\"ann\", \"bob\", \"cid\"]",
            "columns = [\"eve\"]",
            ["eve", "ann"],
        ),
        (
            "simulate-from = \"True\"",
            "simulate-from = \"Tru\"",
            ["there is: True", "study.toml:"],
        ),
        ("simulate-from = \"True\"", "", ["0 of `rdms`", "give one"]),
        (
            "[\"one.npy\", \"two.npy\"]",
            "[\"one.npy\"]\ntrials = []",
            ["trials", "for each subject"],
        ),
        (
            "boxes = \"boxes.csv\"",
            "",
            ["needs the objects", "detector"],
        ),
        (
            "top = 3",
            "top = 3\nabove = 0.2",
            ["three ways", "give one"],
        ),
        (
            "top = 3",
            "use = [\"Humen\"]",
            ["Humen", "did you mean \"Human\"?"],
        ),
        (
            "kind = \"appraisal\"",
            "kind = \"apraisal\"",
            ["unknown analysis kind", "did you mean `appraisal`?"],
        ),
        (
            "runs = 2",
            "head = \"sigmoid\"\nfolds = 1",
            ["folds", "at least 2"],
        ),
        (
            "pool = \"mean\"",
            "pool = \"mean\"\nreduce = \"sparse=8\"",
            ["filters are known", "no `reduce`"],
        ),
    ] {
        let scratch = valence();
        scratch.edit("study.toml", old, new);
        scratch.refused(&check, &phrases);
    }
    let scratch = valence();
    scratch.edit("ratings.csv", "p5,", "other,");
    scratch.refused(&check, &["1 of 24 pictures have no rating", "p5.png"]);
    let scratch = valence();
    scratch.edit("boxes.csv", "p3.png,", "p99.png,");
    scratch.refused(&check, &["p99.png", "boxes.csv"]);
    let scratch = valence();
    scratch.put_npy("two.npy", &Array2::zeros((N - 1, 4)));
    scratch.refused(&check, &["two.npy", "23", "24"]);
    let scratch = valence();
    scratch.edit("study.toml", "kind = \"appraisal\"", "kind = \"rsa\"");
    scratch.edit("study.toml", "runs = 2\n", "");
    scratch.refused(&check, &["nothing to compare with"]);
}

#[test]
fn rare_categories_and_pictures_without_objects_are_noted() {
    let scratch = valence();
    scratch.edit("boxes.csv", "p0.png,person", "p0.png,banana");
    scratch.edit(
        "boxes.csv",
        "p1.png,person",
        "p1.png,person,0.1,4,8,30,60\np1.png,person",
    );
    scratch.edit("study.toml", "top = 3", "top = 3\nmin-score = 0.95");
    scratch.put(
        "boxes.csv",
        std::fs::read_to_string(scratch.path("boxes.csv"))
            .unwrap()
            .replace("car,0.9", "car,0.99")
            .as_bytes(),
    );
    scratch.ok(&["run", "study.toml", "--out", "out"]);
    let objects = &scratch.record("out")["analyses"][1];
    let notes = objects["notes"].to_string();
    for phrase in [
        "12 of 24 stimuli show no object",
        "left out",
        "Human",
        "Food",
    ] {
        assert!(notes.contains(phrase), "no {phrase:?} in {notes}");
    }
}

#[test]
fn whole_networks_may_be_lesioned() {
    let scratch = valence();
    scratch.edit(
        "study.toml",
        "random-sets = 20",
        "random-sets = 3\nnetwork = \"whole\"",
    );
    let plan = scratch.ok(&["check", "study.toml"]);
    assert!(
        plan.contains("lesions in whole networks (1 inner layers)"),
        "{plan}"
    );
    scratch.ok(&["run", "study.toml", "--out", "whole", "--threads", "1"]);
    let cut = "analysis.1.network=\"cut\"";
    scratch.ok(&["run", "study.toml", "--set", cut, "--out", "cut"]);
    let [whole, cut] = ["whole", "cut"].map(|out| scratch.record(out)["analyses"][1].clone());
    assert_eq!(whole["settings"]["network"], "whole");
    assert_eq!(whole["layers"], cut["layers"]);
    let of_layer = |record: &serde_json::Value, layer: u64| -> Vec<serde_json::Value> {
        let effects = record["effects"].as_array().unwrap().iter();
        let own = effects.filter(|effect| effect["layer"] == layer);
        own.map(|effect| serde_json::json!([effect["r"], effect["delta"], effect["p_random"]]))
            .collect()
    };
    // The heads follow the last layer at once; the first one reaches them through the second.
    assert_eq!(of_layer(&whole, 1), of_layer(&cut, 1));
    assert_ne!(of_layer(&whole, 0), of_layer(&cut, 0));
    // Intact, a whole network is the same wherever it is lesioned.
    let r = |layer: u64| of_layer(&whole, layer)[0][0].as_f64().unwrap();
    assert!((r(0) - r(1)).abs() < 1e-4, "{} {}", r(0), r(1));

    let cached = scratch.run(&["run", "study.toml", "--out", "two", "--threads", "2"]);
    assert!(!cached.stderr.contains("gradients of"), "{}", cached.stderr);
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "three", "--threads", "2"]);
    for again in ["two", "three"] {
        assert_same_files(&scratch.path("whole"), &scratch.path(again));
    }
    scratch.edit("study.toml", "\"pool1\", ", "");
    scratch.refused(
        &["check", "study.toml"],
        &["no layer lies inside", "study.toml:", "network = \"cut\""],
    );
}

#[test]
fn sensitivity_may_be_measured_on_other_pictures() {
    let scratch = valence();
    let mut boxes = "image,class,score,x_min,y_min,x_max,y_max\n".to_owned();
    for idx in 0..12 {
        let picture = std::fs::read(scratch.path(&format!("pictures/p{idx}.png"))).unwrap();
        scratch.put(&format!("others/q{idx}.png"), &picture);
        let _ = writeln!(boxes, "q{idx}.png,person,0.9,4,8,30,60");
    }
    scratch.put("others.csv", boxes.as_bytes());
    let images = "top = 3\nsensitivity-images = \"others/*.png\"";
    scratch.edit("study.toml", "top = 3", images);
    let check = ["check", "study.toml"];
    scratch.refused(&check, &["sensitivity-boxes", "study.toml:"]);
    scratch.edit(
        "study.toml",
        images,
        &format!("{images}\nsensitivity-boxes = \"others.csv\""),
    );
    let plan = scratch.ok(&check);
    assert!(plan.contains("measured on 12 other pictures"), "{plan}");
    for network in ["cut", "whole"] {
        let network = format!("analysis.1.network=\"{network}\"");
        let sets = "analysis.1.random-sets=2";
        scratch.ok(&[
            "run",
            "study.toml",
            "--set",
            &network,
            "--set",
            sets,
            "--out",
            "out",
            "--force",
        ]);
        let objects = &scratch.record("out")["analyses"][1];
        // The cars of the stimuli have no filters, because no other picture shows one.
        assert_eq!(objects["categories"].as_array().unwrap().len(), 1);
        assert_eq!(objects["categories"][0]["n_stimuli"], 12);
        let elsewhere = objects["settings"]["elsewhere"].as_str().unwrap();
        assert!(
            elsewhere.contains("12 other pictures (others/*.png)"),
            "{elsewhere}"
        );
        assert!(objects["effects"][0]["delta"].is_number());
        let notes = objects["notes"].to_string();
        assert!(notes.contains("those of 12 other pictures"), "{notes}");
    }
    scratch.edit("others.csv", "q3.png,person", "q3.png,cat");
    scratch.ok(&check);
    scratch.edit("others.csv", "q3.png,cat", "q3.png,unicorn");
    scratch.refused(&check, &["others.csv", "unicorn"]);
}
