//! Studies that cannot be done: what is said, and the line that is shown.

use ndarray::{Array1, array};

use consilience::io::npy;
use consilience::io::weights::Weights;
use consilience::models::{Network, onnx};

use crate::support::{DEMO_WEIGHTS, N_PICTURES, SMALL_STUDY, Scratch, noise, words};

const N_PAIRS: usize = N_PICTURES * (N_PICTURES - 1) / 2;

/// Changes the small study's text and expects `run` and `check` to refuse it, pointing at `line`.
#[track_caller]
fn refused_at(old: &str, new: &str, line: &str, phrases: &[&str]) {
    let scratch = Scratch::small_study();
    scratch.edit("study.toml", old, new);
    points_at(&scratch, line, phrases);
}

/// `run` and `check` refuse the study and show the line that begins with `line`, numbered.
#[track_caller]
fn points_at(scratch: &Scratch, line: &str, phrases: &[&str]) {
    let text = std::fs::read_to_string(scratch.path("study.toml")).unwrap();
    let number = 1 + text
        .lines()
        .position(|l| l.starts_with(line))
        .expect("the line is in the study");
    for command in ["check", "run"] {
        let message = scratch.refused(&[command, "study.toml"], phrases);
        let place = format!("study.toml:{number}:");
        assert!(message.contains(&place), "no {place:?} in: {message}");
        assert!(message.contains(line), "no {line:?} in: {message}");
    }
}

#[test]
fn a_missing_operator_is_shown_where_its_network_is_named() {
    let scratch = Scratch::small_study();
    let network = Network::from_zoo("consilience_demo", DEMO_WEIGHTS.as_ref()).unwrap();
    let mut graph = network.graph;
    graph.nodes[0].op = "Frobnicate".into();
    scratch.put("odd.onnx", &onnx::write(&graph));
    scratch.edit(
        "study.toml",
        "weights = \"consilience_demo.safetensors\"\nlayers = [\"pool1\", \"fc\"]",
        "onnx = \"odd.onnx\"\nlayers = [\"*\"]",
    );
    points_at(&scratch, "onnx = ", &["odd.onnx: ", "Frobnicate"]);
}

#[test]
fn unknown_names_get_the_nearest() {
    refused_at(
        "seed = 3",
        "sead = 3",
        "sead = 3",
        &["unknown field `sead`", "did you mean `seed`?", "`title`"],
    );
    refused_at(
        "permutations = 50",
        "permutation = 50",
        "permutation = 50",
        &["did you mean `permutations`?"],
    );
    refused_at(
        "[stimuli]",
        "[stimulus]",
        "[stimulus]",
        &["unknown field `stimulus`", "did you mean `stimuli`?"],
    );
    refused_at(
        "kind = \"rsa\"",
        "kind = \"rsaa\"",
        "kind = \"rsaa\"",
        &["unknown analysis kind `rsaa`", "`rsa`"],
    );
    refused_at(
        "\"pool1\"",
        "\"pol1\"",
        "layers = ",
        &["no layer matches \"pol1\"", "pool1"],
    );
    refused_at(
        "name = \"consilience_demo\"",
        "name = \"consilience_dem\"",
        "name = \"consilience_dem\"",
        &["\"consilience_dem\"", "\"consilience_demo\""],
    );
    for (key, wrong, right) in [
        ("dissimilarity", "corelation", "correlation"),
        ("similarity", "spearmann", "spearman"),
        ("bootstrap", "subject", "subjects"),
        ("correction", "fdrr", "fdr"),
    ] {
        let line = format!("{key} = \"{wrong}\"");
        refused_at(
            "resamples = 40",
            &line,
            &line,
            &[&format!("{wrong:?}"), "did you mean", right],
        );
    }
    refused_at(
        "resamples = 40",
        "targets = [\"regiom\"]",
        "targets = [",
        &["\"regiom\"", "did you mean \"region\""],
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused() {
    refused_at(
        "seed = 3",
        "seed = \"three\"",
        "seed = \"three\"",
        &["invalid type: string \"three\""],
    );
    refused_at(
        "permutations = 50",
        "permutations = -1",
        "permutations = -1",
        &["-1", "expected usize"],
    );
    refused_at(
        "permutations = 50",
        "alpha = 1.5",
        "alpha = 1.5",
        &["alpha is 1.5", "between 0 and 1"],
    );
    refused_at("[[model]]", "[model]", "[model]", &["[[model]]"]);
    refused_at(
        "title = \"Small\"",
        "title = \"Small",
        "title = \"Small",
        &["string"],
    );
    refused_at(
        "title = \"Small\"",
        "",
        "[study]",
        &["missing field `title`"],
    );
}

#[test]
fn a_missing_part_says_what_to_add() {
    let without = |from: &str, to: &str| {
        let start = SMALL_STUDY.find(from).unwrap();
        let end = SMALL_STUDY.find(to).unwrap();
        let scratch = Scratch::small_study();
        let text = [&SMALL_STUDY[..start], &SMALL_STUDY[end..]].concat();
        scratch.put("study.toml", text.as_bytes());
        scratch
    };
    let no_model = without("[[model]]", "[[brain]]");
    no_model.refused(
        &["check", "study.toml"],
        &["study.toml", "[[model]]", "add one"],
    );
    let no_target = without("[[brain]]", "[[analysis]]");
    no_target.refused(
        &["check", "study.toml"],
        &["study.toml", "[[brain]]", "[[behaviour]]"],
    );
    let no_stimuli = without("[stimuli]", "[[model]]");
    no_stimuli.refused(
        &["check", "study.toml"],
        &["study.toml", "[stimuli]", "images"],
    );
    refused_at(
        "weights = \"consilience_demo.safetensors\"",
        "",
        "[[model]]",
        &["weights", "onnx"],
    );
    let scratch = Scratch::new();
    scratch.refused(&["run", "nowhere.toml"], &["nowhere.toml", "No such file"]);
}

#[test]
fn missing_files_are_named_with_the_folders_searched() {
    refused_at(
        "\"region.npy\"",
        "\"regions.npy\"",
        "rdms = ",
        &["regions.npy", "looked in", "data"],
    );
    refused_at(
        "\"consilience_demo.safetensors\"",
        "\"demo.safetensors\"",
        "weights = ",
        &["demo.safetensors", "looked in"],
    );
    refused_at(
        "pictures/*.png",
        "pictures/*.jpg",
        "images = ",
        &[
            "no file matches \"pictures/*.jpg\"",
            "looked in",
            "check the pattern",
        ],
    );
}

#[test]
fn pictures_and_rdms_of_different_counts_are_refused() {
    let scratch = Scratch::small_study();
    scratch.put_npy("region.npy", &noise(5, 10 * 9 / 2, 7));
    points_at(
        &scratch,
        "rdms = ",
        &["region", "10 conditions", "12 pictures", "region.npy"],
    );
    scratch.put_npy("region.npy", &noise(5, N_PAIRS + 1, 7));
    points_at(
        &scratch,
        "rdms = ",
        &["region.npy", &(N_PAIRS + 1).to_string()],
    );

    let scratch = Scratch::small_study();
    for idx in 2..N_PICTURES {
        std::fs::remove_file(scratch.path(&format!("pictures/p{idx}.png"))).unwrap();
    }
    points_at(&scratch, "images = ", &["2 pictures", "at least 3"]);
}

/// A square RDM with names along the top.
fn csv(names: &[String]) -> String {
    let mut text = names.join(",") + "\n";
    for i in 0..names.len() {
        let row: Vec<String> = (0..names.len())
            .map(|j| (i.abs_diff(j) as f64 / 10.0).to_string())
            .collect();
        text += &(row.join(",") + "\n");
    }
    text
}

#[test]
fn labels_have_to_be_those_of_the_pictures() {
    let scratch = Scratch::small_study();
    scratch.edit("study.toml", "region.npy", "region.csv");
    let mut names: Vec<String> = (0..N_PICTURES).map(|idx| format!("p{idx}")).collect();
    scratch.put("region.csv", csv(&names).as_bytes());
    scratch.ok(&["check", "study.toml"]);
    names.swap(3, 4);
    scratch.put("region.csv", csv(&names).as_bytes());
    points_at(
        &scratch,
        "rdms = ",
        &["\"p4\"", "row 3", "\"p3\"", "same order", "region.csv"],
    );
}

#[test]
fn a_table_has_to_name_the_pictures() {
    let table = |rows: &[String]| {
        let scratch = Scratch::small_study();
        scratch.put(
            "order.csv",
            ("file\n".to_owned() + &rows.join("\n")).as_bytes(),
        );
        scratch.edit(
            "study.toml",
            "\n\n[[model]]",
            "\ntable = \"order.csv\"\n\n[[model]]",
        );
        scratch
    };
    let mut rows: Vec<String> = (0..N_PICTURES).map(|idx| format!("p{idx}.png")).collect();
    table(&rows).ok(&["check", "study.toml"]);
    rows[5] = "q5.png".into();
    points_at(
        &table(&rows),
        "table = ",
        &["order.csv", "\"q5.png\"", "12 files"],
    );
    points_at(
        &table(&rows[..5]),
        "table = ",
        &["order.csv", "5 rows", "12 files"],
    );
    rows[5] = "p4.png".into();
    points_at(&table(&rows), "images = ", &["\"p4\"", "more than once"]);

    rows[5] = "p5.png".into();
    let scratch = table(&rows);
    scratch.edit(
        "study.toml",
        "table = ",
        "file-column = \"picture\"\ntable = ",
    );
    points_at(&scratch, "file-column = ", &["\"picture\"", "\"file\""]);
    scratch.edit(
        "study.toml",
        "file-column = \"picture\"\n",
        "category-column = \"kind\"\n",
    );
    points_at(&scratch, "category-column = ", &["\"kind\"", "\"file\""]);
}

#[test]
fn rdms_that_hold_no_numbers_are_refused() {
    let scratch = Scratch::small_study();
    let mut rdms = noise(5, N_PAIRS, 7);
    rdms[[2, 1]] = f64::NAN;
    scratch.put_npy("region.npy", &rdms);
    points_at(
        &scratch,
        "rdms = ",
        &["region", "NaN in RDM 2", "conditions 0 and 2", "region.npy"],
    );
    rdms[[2, 1]] = f64::NEG_INFINITY;
    scratch.put_npy("region.npy", &rdms);
    points_at(&scratch, "rdms = ", &["-inf in RDM 2"]);
}

#[test]
fn axes_have_to_fit_the_file() {
    let scratch = Scratch::small_study();
    scratch.edit(
        "study.toml",
        "rdms = \"region.npy\"",
        "rdms = \"region.npy\"\naxes = [\"subject\", \"session\"]",
    );
    points_at(
        &scratch,
        "axes = ",
        &["axes names 2", "region.npy has 1", "[5]"],
    );
}

/// A network without weights answers every picture with the same zeros.
#[test]
fn a_layer_without_variation_is_named() {
    let scratch = Scratch::small_study();
    let weights = Weights::read(DEMO_WEIGHTS).unwrap();
    let blank = weights
        .tensors()
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.mapv(|_| 0.0)))
        .collect();
    Weights::new(blank)
        .write(scratch.path("consilience_demo.safetensors"))
        .unwrap();
    let message = scratch.refused(
        &["run", "study.toml"],
        &[
            "consilience_demo",
            "pool1",
            "picture ",
            "pictures/p0.png",
            "correlation is undefined",
            "the same",
            "study.toml:11:",
            "layers = ",
        ],
    );
    assert!(!scratch.path("results").exists(), "{message}");
}

#[test]
fn a_constant_pattern_is_named() {
    let scratch = Scratch::new();
    scratch.put_npy(
        "x.npy",
        &array![[1.0, 2.0, 4.0], [3.0, 3.0, 3.0], [2.0, 0.0, 1.0]],
    );
    for name in ["correlation", "spearman"] {
        scratch.refused(
            &["rdm", "x.npy", "--dissimilarity", name, "--out", "d.npy"],
            &[name, "undefined", "row 1", "the same"],
        );
    }
    scratch.put_npy(
        "x.npy",
        &array![[1.0, 2.0, 4.0], [0.0, 0.0, 0.0], [2.0, 0.0, 1.0]],
    );
    scratch.refused(
        &["rdm", "x.npy", "--dissimilarity", "cosine"],
        &["cosine", "undefined"],
    );
    scratch.put_npy("d.npy", &array![[1.0, 1.0, 1.0], [1.0, 2.0, 3.0]]);
    scratch.refused(
        &["compare", "d.npy", "d.npy"],
        &["spearman is undefined", "RDM 0"],
    );
}

#[test]
fn steps_refuse_what_does_not_fit() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(4, 8, 1));
    scratch.put_npy("six.npy", &noise(2, 6, 2));
    scratch.put_npy("ten.npy", &noise(2, 10, 2));
    scratch.put_npy("seven.npy", &noise(2, 7, 2));
    npy::write(scratch.path("flat.npy"), noise(1, 6, 1).row(0)).unwrap();
    let labels: Array1<i64> = array![0, 1, 2];
    npy::write(scratch.path("three.npy"), labels.view()).unwrap();

    scratch.refused(
        &["rdm", "flat.npy"],
        &["flat.npy", "1 dimensions [6]", "expected 2"],
    );
    scratch.refused(
        &["rdm", "x.npy", "--conditions", "three.npy"],
        &["three.npy", "expected 4", "found 3"],
    );
    scratch.refused(
        &["rdm", "x.npy", "--conditions", "x.npy"],
        &["x.npy", "--conditions", "integer"],
    );
    scratch.refused(
        &words("rdm x.npy --noise x.npy --dissimilarity mahalanobis"),
        &["noise precision", "8"],
    );
    scratch.refused(
        &["compare", "six.npy", "ten.npy"],
        &["6 pairs", "10", "same conditions"],
    );
    scratch.refused(
        &["compare", "six.npy", "seven.npy"],
        &["seven.npy", "7 values", "nearest: 6 values"],
    );
    scratch.refused(
        &["infer", "--models", "six.npy", "--data", "ten.npy"],
        &["6 pairs", "10"],
    );
    for (args, known) in [
        (
            ["rdm", "x.npy", "--dissimilarity", "corelation"],
            "correlation",
        ),
        (
            ["compare", "six.npy", "--similarity", "spearmann"],
            "spearman",
        ),
        (
            ["ceiling", "six.npy", "--similarity", "kendall"],
            "kendall-tau-a",
        ),
        (["mantel", "six.npy", "--similarity", "pearsons"], "pearson"),
    ] {
        scratch.refused(&args, &[args[3], known]);
    }
    scratch.refused(&["rdm", "nowhere.npy"], &["nowhere.npy", "No such file"]);
    scratch.refused(&["report", "nowhere"], &["nowhere", "cannot read"]);
    scratch.refused(&["compar", "x.npy"], &["compar", "'compare'"]);
}
