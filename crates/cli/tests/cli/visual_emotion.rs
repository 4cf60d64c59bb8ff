//! Studies of valence and arousal that run on pictures made here: in folds and from other pictures, with modules and regions of every kind.

use std::fmt::Write;

use ndarray::Array2;
use serde_json::{Value, json};

mod augment;
mod second;
mod tokens;

use crate::support::{DEMO_WEIGHTS, Scratch, assert_same_files, encode, noise};

const N: usize = 30;

const STUDY: &str = r#"[study]
title = "Feelings"
seed = 2

[stimuli]
images = "pictures/*.png"

[[model]]
name = "consilience_demo"
weights = "consilience_demo.safetensors"
layers = ["pool2"]
pool = "mean"

[[behaviour]]
name = "valence"
ratings = "ratings.csv"
columns = ["v"]
scale = [1, 9]

[[behaviour]]
name = "arousal"
ratings = "ratings.csv"
columns = ["a"]
scale = [1, 9]

[[analysis]]
kind = "visual-emotion"
structures = ["III"]
width = 12
epochs = 3
batch = 8
optimiser = "adam"
learning-rate = 3e-3
repeats = 2
folds = 2
valence-edges = "tertiles"
arousal-edges = "tertiles"
min-images = 2
threshold = 0.3
permutations = 19
resamples = 20
random-sets = 3
gains = [-1, 0, 1]
controls = ["encoder"]
"#;

/// Valence and arousal of a picture, from 1 to 9.
fn rated(idx: usize) -> [f64; 2] {
    [idx * 7 % 17, idx * 5 % 13].map(|k| 1.0 + k as f64 * 0.5)
}

/// A picture that is the lighter the better and the redder the more exciting it is.
fn picture(idx: usize) -> Vec<u8> {
    let [valence, arousal] = rated(idx);
    encode(64, |row, column| {
        let texture = ((row * 13 + column * 29 + idx * 31) % 23) as f64;
        let [light, red] = [20.0 * valence + texture, 20.0 * arousal + texture];
        [red as u8, light as u8, (light / 2.0) as u8]
    })
}

/// A study in folds with everything that it names.
fn study() -> Scratch {
    let scratch = Scratch::new();
    let mut ratings = "file,v,a\n".to_owned();
    for idx in 0..N {
        scratch.put(&format!("pictures/p{idx}.png"), &picture(idx));
        let [valence, arousal] = rated(idx);
        writeln!(ratings, "p{idx},{valence},{arousal}").unwrap();
    }
    scratch.put("ratings.csv", ratings.as_bytes());
    let weights = std::fs::read(DEMO_WEIGHTS).unwrap();
    scratch.put("consilience_demo.safetensors", &weights);
    scratch.put("study.toml", STUDY.as_bytes());
    scratch
}

/// The same with two sets of other pictures: the first rated from 1 to 9 in a table without a header, the second from 0 to 100 in one with it.
fn study_of_others() -> Scratch {
    let scratch = study();
    let mut first = Vec::new();
    let mut second = "image,pleasure,activation".to_owned();
    for idx in 100..124 {
        let [valence, arousal] = rated(idx);
        if idx % 2 == 0 {
            scratch.put(&format!("first/{idx}.png"), &picture(idx));
            first.push(format!("{idx},png,{arousal},{valence}"));
        } else {
            scratch.put(&format!("second/{idx}.png"), &picture(idx));
            let [valence, arousal] = [valence, arousal].map(|r| (r - 1.0) / 8.0 * 100.0);
            write!(second, "\r{idx}.png,{valence},{arousal}").unwrap();
        }
    }
    scratch.put("first.csv", first.join("\r").as_bytes());
    scratch.put("second.csv", second.as_bytes());
    let mut text = STUDY.to_owned();
    text.push_str(
        r#"
[[analysis.training]]
name = "one"
images = "first/*.png"
ratings = "first.csv"
scale = [1, 9]

[[analysis.training]]
images = "second/*.png"
ratings = "second.csv"
picture-column = "image"
valence-column = "pleasure"
arousal-column = "activation"
scale = [0, 100]
"#,
    );
    scratch.put("study.toml", text.as_bytes());
    scratch
}

fn run(scratch: &Scratch) -> Value {
    scratch.ok(&["run", "study.toml", "--out", "out"]);
    scratch.record("out")["analyses"][0].take()
}

fn notes(emotion: &Value) -> Vec<String> {
    let notes = emotion["notes"].as_array().unwrap().iter();
    notes
        .map(|note| note.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn modules_learn_from_several_sets_of_other_pictures() {
    let scratch = study_of_others();
    // A stimulus, a picture of the first set, one without ratings, and ratings without one.
    scratch.put("second/copy.png", &picture(3));
    scratch.put("second/again.png", &picture(100));
    scratch.put("second/new.png", &picture(200));
    let mut table = std::fs::read_to_string(scratch.path("second.csv")).unwrap();
    table.push_str(
        "\rcopy.png,50,50\ragain.png,50,50\rgone.png,20,20\rlost.png,20,20\rnew.png,NA,3",
    );
    scratch.put("second.csv", table.as_bytes());
    let told = [
        "second/*.png: 1 training picture is one of the stimuli and was left out, as it would be tested on what was learnt (copy.png).",
        "second/*.png: 1 training picture is there twice, of which the first was taken (again.png).",
        "second/*.png: 1 training picture has no rating and was left out (new.png).",
        "second/*.png: 2 rated pictures have no file (the first is gone.png).",
    ];
    let plan = scratch.ok(&["check", "study.toml"]);
    for line in told {
        assert!(plan.contains(line), "no {line:?} in {plan}");
    }
    assert!(
        plan.contains("learns from 12 pictures of one (rated from 1 to 9)"),
        "{plan}"
    );
    assert!(plan.contains("2 repeats × 1 fold"), "{plan}");
    let emotion = run(&scratch);
    assert_eq!(
        emotion["settings"]["trained_on"],
        "24 other pictures (one, second/*.png)"
    );
    assert_eq!(
        emotion["training"][1],
        json!({
            "name": "second/*.png", "images": "second/*.png", "scale": [0.0, 100.0], "n_pictures": 12,
            "n_unrated": 1, "n_absent": 2, "n_repeated": 1, "n_stimuli": 1,
        })
    );
    let notes = notes(&emotion);
    for line in told {
        assert!(notes.contains(&line.to_owned()), "no {line:?} in {notes:?}");
    }
    let table = std::fs::read_to_string(scratch.path("out/training_sets.csv")).unwrap();
    assert!(
        table.contains("second/*.png,second/*.png,0,100,12,1,2,1,1"),
        "{table}"
    );
}

/// The scale of a set changes nothing of what is learnt from it.
#[test]
fn ratings_are_brought_to_the_scale_of_the_stimuli() {
    let scratch = study_of_others();
    let found = run(&scratch);
    let mut table = "image,pleasure,activation\n".to_owned();
    for idx in (101..124).step_by(2) {
        let [valence, arousal] = rated(idx);
        writeln!(table, "{idx},{valence},{arousal}").unwrap();
    }
    scratch.put("second.csv", table.as_bytes());
    scratch.edit("study.toml", "scale = [0, 100]", "scale = [1, 9]");
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    let again = scratch.record("again")["analyses"][0].take();
    assert_eq!(found["modules"], again["modules"]);
    assert!(found["modules"][0]["runs"][0]["after"][0][0].is_number());
}

#[test]
fn sets_that_cannot_be_learnt_from_are_refused() {
    for (old, new, phrases) in [
        (
            "scale = [0, 100]",
            "scale = [0, 90]",
            &[
                "second.csv",
                "row ",
                "outside the scale from 0 to 90",
                "declare the scale",
            ][..],
        ),
        (
            "scale = [0, 100]",
            "scale = [100, 0]",
            &["study.toml", "100"],
        ),
        ("scale = [0, 100]\n", "", &["study.toml", "scale"]),
        (
            "picture-column = \"image\"",
            "picture-column = \"file\"",
            &["second.csv", "file", "image"],
        ),
        (
            "valence-column = \"pleasure\"",
            "",
            &["second.csv", "valence", "pleasure"],
        ),
        (
            "images = \"second/*.png\"",
            "images = \"third/*.png\"",
            &["no file matches", "third"],
        ),
        (
            "images = \"second/*.png\"",
            "images = \"second/*.png\"\nname = \"one\"",
            &["called \"one\"", "name"],
        ),
        (
            "images = \"second/*.png\"",
            "images = \"first/*.png\"",
            &["none of the 12 pictures", "second.csv", "picture-column"],
        ),
        (
            "images = \"second/*.png\"",
            "pictures = \"second/*.png\"",
            &["unknown field `pictures`", "images"],
        ),
    ] {
        let scratch = study_of_others();
        scratch.edit("study.toml", old, new);
        scratch.refused(&["check", "study.toml"], phrases);
    }
    // Of pictures that are all stimuli nothing is left, and of one feeling nothing is learnt.
    let scratch = study_of_others();
    scratch.put("first.csv", b"100,png,4,5\n102,png,6,5\n");
    scratch.put(
        "second.csv",
        b"image,pleasure,activation\n101,50,50\n103,50,40\n",
    );
    scratch.refused(
        &["check", "study.toml"],
        &["valence of all 4 pictures is the same"],
    );
    scratch.put(
        "second.csv",
        b"image,pleasure,activation\n101,50,50\n103,5,40\n",
    );
    scratch.refused(&["check", "study.toml"], &["4 pictures", "at least 5"]);
    scratch.put("first.csv", b"100,png,4,5\n102,png,12,5\n");
    scratch.refused(
        &["check", "study.toml"],
        &["row 2, column arousal: 12", "first.csv"],
    );
}

/// Quantiles, gains of single bins, lesions of connections and read-outs, in the record and in tables.
#[test]
fn units_connections_and_bins_are_told() {
    let scratch = study();
    let emotion = run(&scratch);
    let list = |of: &Value, name: &str| of[name].as_array().unwrap().clone();
    // 30 stimuli have 15 bins of two, fewer where ratings are equal.
    let quantiles = &emotion["modules"][0]["quantiles"][0];
    let counts: Vec<u64> = serde_json::from_value(quantiles["counts"].clone()).unwrap();
    assert!(
        counts.len() <= 15 && counts.iter().sum::<u64>() == N as u64,
        "{counts:?}"
    );
    assert!(quantiles["score"]["r"].is_number());

    let kept: Vec<Value> = list(&emotion, "bins")
        .into_iter()
        .filter(|bin| bin["is_kept"] == true)
        .map(|bin| bin["name"].clone())
        .collect();
    let of_bins: Vec<Value> = list(&emotion, "gains")
        .into_iter()
        .filter(|gain| gain["units"] != "any" && gain["units"] != "whole")
        .filter(|gain| gain["rating"] == "valence" && gain["nucleus"] == "all")
        .map(|gain| gain["units"].clone())
        .collect();
    assert!(kept.len() > 3 && of_bins == kept, "{of_bins:?} {kept:?}");
    // Each bin within each nucleus, too.
    let is_cell = |gain: &&Value| gain["nucleus"] != "all" && kept.contains(&gain["units"]);
    let cells = list(&emotion, "gains");
    let cells: Vec<&Value> = cells.iter().filter(is_cell).collect();
    assert_eq!(cells.len(), 2 * 4 * kept.len());
    assert!(cells.iter().any(|cell| cell["p"][0].is_number()));

    let connections: Vec<String> = list(&emotion, "connections")
        .into_iter()
        .filter(|c| c["rating"] == "arousal")
        .map(|c| {
            format!(
                "{}{}",
                c["from"].as_str().unwrap(),
                c["to"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(connections, ["LABA", "LABL", "LACE", "BACE", "BLCE"]);
    let read_outs = list(&emotion, "read_outs");
    assert_eq!(read_outs.len(), 5 * 3);
    for read_out in &read_outs {
        assert!(
            read_out["f1"].is_number() && read_out["lesioned"]["gain"] == -1.0,
            "{read_out}"
        );
        assert_eq!(read_out["enhanced"]["gain"], 1.0);
    }
    for table in ["quantiles.csv", "connections.csv", "read_outs.csv"] {
        assert!(scratch.path("out").join(table).is_file(), "{table}");
    }
    // Any number of threads gives the same bytes.
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "again", "--threads", "1"]);
    assert_same_files(&scratch.path("out"), &scratch.path("again"));
}

/// Without a positive picture to learn from, positive stimuli are not read out.
#[test]
fn a_category_without_pictures_is_named() {
    let scratch = study_of_others();
    scratch.edit(
        "study.toml",
        "valence-edges = \"tertiles\"",
        "valence-edges = \"3,8\"",
    );
    for idx in (100..124).filter(|&idx| rated(idx)[0] >= 8.0) {
        let set = ["first", "second"][idx % 2];
        std::fs::remove_file(scratch.path(&format!("{set}/{idx}.png"))).unwrap();
    }
    let emotion = run(&scratch);
    let notes = notes(&emotion);
    assert!(
        notes
            .iter()
            .any(|n| n.contains("positive valence are not read out")),
        "{notes:?}"
    );
    let read_outs = emotion["read_outs"].as_array().unwrap();
    for read_out in read_outs {
        assert_eq!(
            read_out["f1"].is_null(),
            read_out["category"] == "positive",
            "{read_out}"
        );
    }
}

/// Three nuclei with inhibition, feedback and several steps.
const NUCLEI: &str = r#"
read-out = "CE"
steps = 2

[[nucleus]]
name = "LA"
reads = ["visual"]
transformer = { heads = 2, hidden = 8 }

[[nucleus]]
name = "BA"
reads = ["LA"]
widths = [6]
feedback = ["CE"]

[[nucleus]]
name = "CE"
reads = ["LA", "BA"]
widths = [8]
inhibited-by = ["BA"]
"#;

#[test]
fn nuclei_of_a_file_are_trained_and_told() {
    let scratch = study();
    scratch.put("mine.toml", NUCLEI.as_bytes());
    scratch.edit(
        "study.toml",
        "structures = [\"III\"]",
        "nuclei = \"mine.toml\"",
    );
    let emotion = run(&scratch);
    let module = &emotion["modules"][0];
    assert_eq!(
        (&module["structure"], &module["read_out"]),
        (&"mine".into(), &"CE".into())
    );
    let nuclei = module["nuclei"].as_array().unwrap();
    let widths: Vec<(&str, u64)> = (nuclei.iter())
        .map(|n| (n["name"].as_str().unwrap(), n["width"].as_u64().unwrap()))
        .collect();
    assert_eq!(widths, [("LA", 12), ("BA", 6), ("CE", 8)]);
    assert_eq!(nuclei[1]["feedback"], json!(["CE"]));
    assert_eq!(nuclei[2]["inhibited_by"], json!(["BA"]));
    // Both folds of both repeats, on every stimulus.
    assert_eq!(module["runs"].as_array().unwrap().len(), 2);
    assert_eq!(module["runs"][1]["after"][1].as_array().unwrap().len(), N);
    let page = std::fs::read_to_string(scratch.path("out/report.html")).unwrap();
    assert!(
        page.contains("is inhibited by BA"),
        "the methods name no inhibition"
    );
}

#[test]
fn matched_modules_are_of_about_one_size() {
    let scratch = study();
    scratch.edit(
        "study.toml",
        "structures = [\"III\"]",
        "structures = [\"I\", \"II\", \"III\", \"IV\"]\nmatched = true",
    );
    let emotion = run(&scratch);
    let modules = emotion["modules"].as_array().unwrap();
    assert_eq!(modules.len(), 4);
    let n = |module: &Value| module["n_parameters"].as_f64().unwrap();
    for module in &modules[..3] {
        let ratio = n(module) / n(&modules[3]);
        assert!(
            (ratio - 1.0).abs() < 0.1,
            "{}: {ratio}",
            module["structure"]
        );
    }
    // Neighbours differ in their structure: three pairs, of r of both ratings and disparity.
    assert_eq!(emotion["comparisons"].as_array().unwrap().len(), 3 * 3);
    assert_eq!(emotion["main"], 3);
}

/// A region of which RDMs are given, and one with responses, which follow valence.
#[test]
fn regions_are_rdms_or_responses() {
    let scratch = study();
    let valence: Vec<f64> = (0..N).map(|idx| rated(idx)[0]).collect();
    let mut rdms = Array2::zeros((3, N * (N - 1) / 2));
    for (subject, mut row) in rdms.rows_mut().into_iter().enumerate() {
        let error = noise(1, row.len(), 20 + subject as u64);
        let pairs = (0..N).flat_map(|i| (i + 1..N).map(move |j| (i, j)));
        for (pair, (i, j)) in pairs.enumerate() {
            row[pair] = (valence[i] - valence[j]).abs() + error[[0, pair]];
        }
    }
    scratch.put_npy("rdms.npy", &rdms);
    // What is pleasant has one pattern, what is not another, and the rest lies between.
    let patterns = noise(2, 20, 9);
    for subject in 0..3 {
        let mut voxels = noise(N, 20, 30 + subject) * 0.3;
        for (mut row, valence) in voxels.rows_mut().into_iter().zip(&valence) {
            let share = (valence - 1.0) / 8.0;
            row.scaled_add(share, &patterns.row(0));
            row.scaled_add(1.0 - share, &patterns.row(1));
        }
        scratch.put_npy(&format!("s{subject}.npy"), &voxels);
    }
    scratch.edit(
        "study.toml",
        "[[analysis]]",
        r#"[[brain]]
name = "given"
rdms = "rdms.npy"

[[brain]]
name = "measured"
responses = ["s0.npy", "s1.npy", "s2.npy"]

[[analysis]]"#,
    );
    let emotion = run(&scratch);
    let regions = emotion["regions"].as_array().unwrap();
    let named: Vec<&str> = regions
        .iter()
        .map(|r| r["name"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["given", "measured"]);
    for region in regions {
        assert_eq!(region["n_subjects"], 3);
        let scores = region["scores"].as_array().unwrap();
        let score = |name: &str| scores.iter().find(|s| s["name"] == name).unwrap();
        let rho = |name: &str| score(name)["rho"].as_f64().unwrap();
        assert!(
            rho("valence") > 0.5 && rho("valence") > rho("arousal"),
            "{}: {scores:?}",
            region["name"]
        );
        // Nuclei are scored given the encoder, which has no partial score itself.
        assert!(score("all nuclei")["partial"].is_number());
        let encoder = scores.iter().find(|s| s["of"] == "encoder").unwrap();
        assert!(encoder["rho"].is_number() && encoder["partial"].is_null());
        assert!(region["ceiling"]["lower"].is_number());
    }
    // One of them can be chosen.
    let one = [
        "run",
        "study.toml",
        "--out",
        "one",
        "--set",
        "analysis.regions=[\"measured\"]",
    ];
    scratch.ok(&one);
    let emotion = scratch.record("one")["analyses"][0].take();
    assert_eq!(emotion["regions"].as_array().unwrap().len(), 1);
}

#[test]
fn tests_of_units_are_corrected_if_asked() {
    let scratch = study();
    let n_selective = |emotion: &Value| -> f64 {
        let of_nuclei = emotion["selectivity"].as_array().unwrap();
        let of_all = of_nuclei.last().unwrap()["counts"].as_array().unwrap();
        of_all.last().unwrap()["after"].as_f64().unwrap()
    };
    let plain = run(&scratch);
    assert_eq!(plain["settings"]["unit_correction"], "none");
    scratch.edit(
        "study.toml",
        "threshold = 0.3",
        "unit-correction = \"bonferroni\"\nthreshold = 0.3",
    );
    scratch.ok(&["run", "study.toml", "--out", "corrected"]);
    let corrected = scratch.record("corrected")["analyses"][0].take();
    assert_eq!(corrected["settings"]["unit_correction"], "bonferroni");
    assert!(n_selective(&corrected) < n_selective(&plain));
    let page = std::fs::read_to_string(scratch.path("corrected/report.html")).unwrap();
    assert!(page.contains("Welch’s test, family-wise corrected over units and bins"));
}

#[test]
fn what_cannot_be_studied_is_refused() {
    let scratch = study();
    scratch.put("mine.toml", NUCLEI.as_bytes());
    scratch.put(
        "bad.toml",
        NUCLEI.replace("[\"LA\"]", "[\"XX\"]").as_bytes(),
    );
    scratch.put(
        "odd.toml",
        NUCLEI.replace("heads = 2", "heads = 5").as_bytes(),
    );
    scratch.put("text.toml", b"read-out = CE");
    for (old, new, phrases) in [
        (
            "structures = [\"III\"]",
            "nuclei = \"none.toml\"",
            &["no file \"none.toml\""][..],
        ),
        (
            "structures = [\"III\"]",
            "nuclei = \"bad.toml\"",
            &["BA", "does not stand before it"],
        ),
        (
            "structures = [\"III\"]",
            "nuclei = \"odd.toml\"",
            &["LA", "5", "12"],
        ),
        (
            "structures = [\"III\"]",
            "nuclei = \"text.toml\"",
            &["study.toml", "nuclei"],
        ),
        (
            "structures = [\"III\"]",
            "structures = [\"V\"]",
            &["\"V\"", "I, II, III, IV"],
        ),
        (
            "structures = [\"III\"]",
            "main = \"consilience_demo II\"",
            &["consilience_demo II", "study.toml"],
        ),
        (
            "structures = [\"III\"]",
            "regions = [\"amygdala\"]",
            &["amygdala"],
        ),
        ("width = 12", "width = 13", &["13", "multiple of 4"]),
        (
            "folds = 2",
            "folds = 20",
            &["30 pictures for 20 folds", "fewer folds"],
        ),
        ("gains = [-1, 0, 1]", "gains = [-2]", &["-2", "at least −1"]),
        (
            "valence-edges = \"tertiles\"",
            "valence-edges = \"5,3\"",
            &["5", "3"],
        ),
        (
            "controls = [\"encoder\"]",
            "controls = [\"retina\"]",
            &["retina", "gist"],
        ),
        (
            "threshold = 0.3",
            "unit-correction = \"fdrr\"",
            &["fdrr", "did you mean \"fdr\"?"],
        ),
        (
            "optimiser = \"adam\"",
            "optimiser = \"lion\"",
            &["lion", "adam-w"],
        ),
        (
            "batch = 8",
            "batchs = 8",
            &["unknown field `batchs`", "did you mean `batch`?"],
        ),
        (
            "columns = [\"a\"]\nscale = [1, 9]",
            "columns = [\"a\"]\nscale = [1, 10]",
            &["different scales"],
        ),
        (
            "columns = [\"a\"]\nscale = [1, 9]",
            "columns = [\"a\"]",
            &["scale of arousal is not known"],
        ),
        (
            "min-images = 2",
            "min-images = 2\ntraining-images = \"x/*.png\"",
            &["unknown field `training-images`", "training"],
        ),
    ] {
        scratch.put("study.toml", STUDY.as_bytes());
        scratch.edit("study.toml", old, new);
        scratch.refused(&["check", "study.toml"], phrases);
    }
    // What the networks are needed for is refused as `check` does.
    scratch.put("study.toml", STUDY.as_bytes());
    scratch.edit("study.toml", "folds = 2", "folds = 1");
    scratch.refused(
        &["run", "study.toml", "--out", "out"],
        &["folds", "study.toml"],
    );
}
