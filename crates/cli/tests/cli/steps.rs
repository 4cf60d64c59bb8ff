//! The commands on arrays.

use ndarray::{Array1, Array2, array};

use consilience::io::npy;

use crate::support::{Scratch, assert_close, noise, npy_header, npy_values, words};

/// Four patterns of four channels whose RDM is easily computed by hand.
fn patterns() -> Array2<f64> {
    array![
        [1.0, 2.0, 3.0, 4.0],
        [4.0, 3.0, 2.0, 1.0],
        [1.0, 2.0, 3.0, 5.0],
        [2.0, 4.0, 6.0, 8.0],
    ]
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn rdm_writes_the_strict_upper_triangle_as_f64() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &patterns());
    let x = patterns().mapv(|v| v as f32);
    npy::write(scratch.path("x32.npy"), x.view()).unwrap();
    for input in ["x.npy", "x32.npy"] {
        let args = [
            "rdm",
            input,
            "--dissimilarity",
            "sqeuclidean",
            "--out",
            "d.npy",
        ];
        assert_eq!(scratch.ok(&args), "", "data go to the file");
        assert_eq!(
            npy_header(&scratch.path("d.npy")),
            "{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }"
        );
        let expected = [20.0, 1.0, 30.0, 27.0, 70.0, 23.0];
        assert_close(&npy_values(&scratch.path("d.npy")), &expected, 1e-4);
    }
}

#[test]
fn every_dissimilarity_has_its_name() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &patterns());
    scratch.put_npy("s.npy", &Array2::eye(4));
    let first = |more: &[&str]| {
        let args = [
            &["rdm", "x.npy", "--format", "json", "--dissimilarity"],
            more,
        ]
        .concat();
        numbers(&scratch.json(&args)["rdm"])[0]
    };
    for (name, expected) in [
        ("correlation", 2.0),
        ("spearman", 2.0),
        ("cosine", 1.0 - 20.0 / 30.0),
        ("euclidean", 20.0_f64.sqrt()),
        ("sqeuclidean", 20.0),
    ] {
        assert!((first(&[name]) - expected).abs() < 1e-12, "{name}");
    }
    assert!((first(&["euclidean", "--per-channel"]) - 5.0_f64.sqrt()).abs() < 1e-12);
    assert!((first(&["mahalanobis", "--noise", "s.npy"]) - 5.0).abs() < 1e-12);
    assert!(first(&["poisson-kl"]) > 0.0);

    let rows: Array2<f64> = ndarray::concatenate![ndarray::Axis(0), patterns(), patterns()];
    scratch.put_npy("twice.npy", &rows);
    let labels = array![3_i64, 1, 2, 0, 3, 1, 2, 0];
    npy::write(scratch.path("c.npy"), labels.view()).unwrap();
    let runs = array![0_i64, 0, 0, 0, 1, 1, 1, 1];
    npy::write(scratch.path("r.npy"), runs.view()).unwrap();
    let answer = scratch.json(&words(
        "rdm twice.npy --dissimilarity crossnobis --conditions c.npy --runs r.npy \
         --format json",
    ));
    assert_eq!(
        numbers(&answer["conditions"]),
        [0.0, 1.0, 2.0, 3.0],
        "ascending"
    );
    // Two runs without noise: the plain squared distance a channel, conditions 0 and 1 first.
    assert!((numbers(&answer["rdm"])[0] - 70.0 / 4.0).abs() < 1e-12);
    let averaged = scratch.json(&words(
        "rdm twice.npy --dissimilarity sqeuclidean --conditions c.npy --format json",
    ));
    assert_close(
        &numbers(&averaged["rdm"]),
        &[70.0, 23.0, 30.0, 27.0, 20.0, 1.0],
        1e-12,
    );
    scratch.refused(
        &["rdm", "x.npy", "--dissimilarity", "crossnobis"],
        &["crossnobis", "runs"],
    );
}

#[test]
fn printed_results_are_text_or_json() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &patterns());
    let text = scratch.ok(&words("rdm x.npy --dissimilarity sqeuclidean --out -"));
    let values: Vec<f64> = text
        .split_whitespace()
        .map(|v| v.parse().unwrap())
        .collect();
    assert_close(&values, &[20.0, 1.0, 30.0, 27.0, 70.0, 23.0], 1e-12);
    let json = scratch.json(&words(
        "rdm x.npy --dissimilarity sqeuclidean --out - --format json",
    ));
    assert_eq!(json["dissimilarity"], "sqeuclidean");
    assert_eq!(json["n_omitted"], 0);
    assert_eq!(numbers(&json["rdm"]), values, "both print every digit");
}

#[test]
fn compare_gives_a_row_for_each_of_the_first() {
    let scratch = Scratch::new();
    scratch.put_npy("a.npy", &noise(2, 6, 1));
    scratch.put_npy("b.npy", &noise(3, 6, 2));
    let one: Array1<f64> = noise(2, 6, 1).row(1).to_owned();
    npy::write(scratch.path("one.npy"), one.view()).unwrap();
    for name in words(
        "pearson spearman kendall-tau-a kendall-tau-b rho-a cosine whitened-pearson \
         whitened-cosine bures",
    ) {
        scratch.ok(&[
            "compare",
            "a.npy",
            "b.npy",
            "--similarity",
            name,
            "--out",
            "s.npy",
        ]);
        let header = npy_header(&scratch.path("s.npy"));
        assert!(
            header.contains("'<f8'") && header.contains("(2, 3)"),
            "{header}"
        );
        let all = npy_values(&scratch.path("s.npy"));
        scratch.ok(&[
            "compare",
            "one.npy",
            "b.npy",
            "--similarity",
            name,
            "--out",
            "s.npy",
        ]);
        assert!(npy_header(&scratch.path("s.npy")).contains("(1, 3)"));
        assert_close(&npy_values(&scratch.path("s.npy")), &all[3..], 1e-15);
        let itself = scratch.json(&[
            "compare",
            "one.npy",
            "one.npy",
            "--similarity",
            name,
            "--format",
            "json",
        ]);
        // Noise has no Euclidean embedding, without which the Bures similarity stays below 1.
        let score = itself["scores"][0][0].as_f64().unwrap();
        assert!(
            (score - 1.0).abs() < 1e-9 || name == "bures",
            "{name}: {score}"
        );
        assert_eq!(itself["similarity"], name);
    }
}

#[test]
fn entries_of_an_archive_are_named_after_a_colon() {
    let scratch = Scratch::new();
    scratch.put_npy("a.npy", &noise(2, 6, 1));
    let [left, right] = [noise(2, 6, 1), noise(2, 6, 9)].map(Array2::into_dyn);
    consilience::io::npz::write(
        scratch.path("both.npz"),
        &[("left", left.view()), ("right", right.view())],
    )
    .unwrap();
    let from = |spec: &str| scratch.ok(&["compare", "a.npy", spec, "--format", "json"]);
    assert_eq!(from("a.npy"), from("both.npz:left"));
    assert_ne!(from("a.npy"), from("both.npz:right"));
    scratch.refused(
        &["compare", "a.npy", "both.npz:lef"],
        &["both.npz", "\"lef\"", "did you mean \"left\"", "\"right\""],
    );
    scratch.refused(&["compare", "a.npy", "both.npz"], &["both.npz", "\"left\""]);
}

#[test]
fn ceiling_prints_lower_and_upper() {
    let scratch = Scratch::new();
    let shared = noise(1, 15, 3);
    let subjects = &noise(6, 15, 4) * 0.3 + shared.row(0);
    scratch.put_npy("d.npy", &subjects);
    let ceiling = scratch.json(&["ceiling", "d.npy", "--similarity", "pearson"]);
    assert_eq!(ceiling.as_object().unwrap().len(), 2);
    let [lower, upper] = ["lower", "upper"].map(|key| ceiling[key].as_f64().unwrap());
    assert!(0.5 < lower && lower < upper && upper <= 1.0, "{ceiling}");
    let text = scratch.ok(&words("ceiling d.npy --similarity pearson --format text"));
    assert!(text.contains(&format!("{lower:.6}")), "{text}");
    scratch.put_npy("one.npy", &noise(1, 15, 4));
    scratch.refused(&["ceiling", "one.npy"], &["1 subject", "at least 2"]);
}

#[test]
fn another_toolbox_is_followed_on_demand() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(5, 4, 1));
    let rdm = |options: &str| {
        let json = scratch.json(&words(&format!("rdm x.npy --format json {options}")));
        json["rdm"].clone()
    };
    let theirs = rdm("--dissimilarity euclidean --compat rsatoolbox");
    assert_eq!(theirs, rdm("--dissimilarity sqeuclidean --per-channel"));
    assert_ne!(theirs, rdm("--dissimilarity euclidean"));
    scratch.refused(
        &words("rdm x.npy --dissimilarity crossnobis --compat mne-rsa"),
        &["mne-rsa has no crossnobis"],
    );
    scratch.refused(
        &words("rdm x.npy --compat pymvpa"),
        &["pymvpa", "rsatoolbox", "cosmo"],
    );
}

#[test]
fn infer_prints_every_promised_key() {
    let scratch = Scratch::new();
    scratch.put_npy("m.npy", &noise(3, 45, 1));
    scratch.put_npy("d.npy", &noise(6, 45, 2));
    for bootstrap in ["none", "subjects", "conditions", "both"] {
        let args = [
            "infer",
            "--models",
            "m.npy",
            "--data",
            "d.npy",
            "--similarity",
            "spearman",
            "--bootstrap",
            bootstrap,
            "--resamples",
            "60",
            "--permutations",
            "40",
            "--seed",
            "5",
        ];
        let one = scratch.ok(&[&args[..], &["--threads", "1"]].concat());
        let two = scratch.ok(&[&args[..], &["--threads", "2"]].concat());
        assert_eq!(one, two, "{bootstrap}");
        let json: serde_json::Value = serde_json::from_str(&one).unwrap();
        let models = json["models"].as_array().unwrap();
        assert_eq!(models.len(), 3);
        for (idx, model) in models.iter().enumerate() {
            assert_eq!(model["name"], format!("model_{idx}"));
            assert!(model["score"].is_number());
            assert!(model["p_permutation"].is_number());
            let resampled = bootstrap != "none";
            if resampled {
                let [low, high] = [0, 1].map(|k| model["ci"][k].as_f64().unwrap());
                let score = model["score"].as_f64().unwrap();
                assert!(low < score && score < high, "{bootstrap}: {model}");
                for key in ["sem", "p_zero", "p_ceiling"] {
                    assert!(model[key].as_f64().unwrap() >= 0.0, "{key}: {model}");
                }
            } else {
                assert!(model["sem"].is_null() || model["sem"].is_number());
            }
        }
        let differences = json["p_difference"].as_array().unwrap();
        assert_eq!(differences.len(), 3);
        for (i, row) in differences.iter().enumerate() {
            assert_eq!(row.as_array().unwrap().len(), 3);
            assert!(row[i].is_null(), "null on the diagonal");
        }
        assert!(json["ceiling"]["lower"].is_number() && json["ceiling"]["upper"].is_number());
        assert!(json["notes"].is_array());
        let theirs = scratch.json(&[&args[..], &["--compat", "rsatoolbox"]].concat());
        let has_note = |note: &serde_json::Value| note.as_str().unwrap().contains("as rsatoolbox");
        assert!(theirs["notes"].as_array().unwrap().iter().any(has_note));
        assert_eq!(
            theirs["models"][0]["score"] == json["models"][0]["score"],
            bootstrap == "none"
        );
        let other_seed = [&args[..14], &["6"]].concat();
        if bootstrap != "none" {
            assert_ne!(scratch.json(&other_seed)["models"], json["models"]);
        }
    }
}

#[test]
fn infer_says_why_something_cannot_be_had() {
    let scratch = Scratch::new();
    scratch.put_npy("m.npy", &noise(2, 45, 1));
    scratch.put_npy("d.npy", &noise(1, 45, 2));
    let args = words("infer --models m.npy --data d.npy --resamples 50");
    let json = scratch.json(&args);
    assert!(json["ceiling"]["lower"].is_null() && json["ceiling"]["upper"].is_null());
    assert!(!json["notes"].as_array().unwrap().is_empty());
    let text = scratch.ok(&[&args[..], &["--format", "text"]].concat());
    assert!(
        text.contains("note: ") && text.contains("model_1"),
        "{text}"
    );
}

#[test]
fn evaluate_fits_judges_and_explains() {
    let scratch = Scratch::new();
    let parts = noise(3, 66, 1);
    scratch.put_npy("parts.npy", &parts);
    let planted = &parts.row(0) * 2.0 + parts.row(2);
    scratch.put_npy("d.npy", &(noise(8, 66, 2) + &planted));
    let args = words(
        "evaluate --models parts.npy --weighted parts.npy --selected parts.npy --data d.npy \
         --similarity pearson --generalize-to both --resamples 60 --seed 3",
    );
    let one = scratch.ok(&[&args[..], &["--threads", "1"]].concat());
    assert_eq!(one, scratch.ok(&[&args[..], &["--threads", "2"]].concat()));
    let json: serde_json::Value = serde_json::from_str(&one).unwrap();
    let models = json["models"].as_array().unwrap();
    let names: Vec<&str> = models.iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "parts[0]",
            "parts[1]",
            "parts[2]",
            "parts (weighted)",
            "parts (selected)"
        ]
    );
    let score = |m: usize| models[m]["score"].as_f64().unwrap();
    assert!(
        score(3) > score(0) && (score(4) - score(0)).abs() < 1e-12,
        "{json}"
    );
    assert_eq!(models[4]["weights"], serde_json::json!([1.0, 0.0, 0.0]));
    assert!(models[0]["weights"].is_null() && models[0]["kind"] == "fixed");
    assert!(models[3]["p_zero"].as_f64().unwrap() < 0.05);
    assert_eq!(json["cross_validation"]["divisions"], 2);
    assert!(
        json["explanation"][1]
            .as_str()
            .unwrap()
            .contains("2 of 5 models")
    );
    let text = scratch.ok(&[&args[..], &["--format", "text"]].concat());
    assert!(
        text.contains("weights of parts (weighted): ") && text.contains("why: "),
        "{text}"
    );

    let fixed =
        words("evaluate --models parts.npy --data d.npy --similarity pearson --resamples 60");
    let found = scratch.json(&fixed);
    let inferred = scratch.json(&words(
        "infer --models parts.npy --data d.npy --similarity pearson --resamples 60",
    ));
    assert_eq!(found["models"][1]["sem"], inferred["models"][1]["sem"]);
    assert!(found["cross_validation"].is_null());

    scratch.refused(
        &["evaluate", "--data", "d.npy"],
        &["no model", "--weighted"],
    );
    let folds = [&args[..], &["--subject-folds", "9"]].concat();
    scratch.refused(&folds, &["subjects", "found 8", "at least 9"]);
    scratch.put_npy("other.npy", &noise(2, 45, 1));
    scratch.refused(
        &words("evaluate --weighted other.npy --data d.npy"),
        &["45", "66", "other.npy"],
    );
}

#[test]
fn scores_are_tested_over_subjects() {
    let scratch = Scratch::new();
    scratch.put_npy(
        "s.npy",
        &ndarray::array![
            [0.31, 0.12, 0.25, 0.4, 0.18, 0.22],
            [0.1, -0.05, 0.02, 0.12, -0.1, 0.03]
        ],
    );
    let json = scratch.json(&words("group-tests s.npy"));
    // scipy.stats.ttest_1samp, wilcoxon
    let first = &json["models"][0];
    assert!(
        (first["t"].as_f64().unwrap() - 6.120_093_165_604).abs() < 1e-8,
        "{first}"
    );
    assert_eq!(first["wilcoxon"]["p"], 1.0 / 64.0);
    assert_eq!(first["sign_flips"]["p"], 1.0 / 64.0);
    assert!(first["bayes_factor"].as_f64().unwrap() > 10.0);
    assert_eq!(
        json["pairs"][0]["names"],
        serde_json::json!(["model_0", "model_1"])
    );
    assert_eq!(json["all_flips"], true);
    let text = scratch.ok(&words("group-tests s.npy --format text"));
    assert!(text.contains("model_0 − model_1"), "{text}");
    // With two models and no gap the mixed model's difference is the paired t-test.
    assert!(json.get("mixed").is_none());
    let mixed = scratch.json(&words("group-tests s.npy --mixed"));
    let [a, b] =
        [&mixed["mixed"]["pairs"][0]["t"], &json["pairs"][0]["t"]].map(|t| t.as_f64().unwrap());
    assert!((a - b).abs() < 1e-8, "{a} {b}");
    assert_eq!(mixed["mixed"]["at_boundary"], false);
    let text = scratch.ok(&words("group-tests s.npy --mixed --format text"));
    assert!(
        text.contains("p Holm") && text.contains("intraclass correlation"),
        "{text}"
    );

    scratch.put_npy("m.npy", &noise(2, 45, 1));
    scratch.put_npy("d.npy", &noise(6, 45, 2));
    let inferred = scratch.ok(&words("infer --models m.npy --data d.npy --bootstrap none"));
    std::fs::write(scratch.path("i.json"), inferred).unwrap();
    let tested = scratch.json(&words("group-tests i.json"));
    let inferred = scratch.json(&words("infer --models m.npy --data d.npy --bootstrap none"));
    let [a, b] =
        [&tested["models"][1]["p"], &inferred["models"][1]["p_zero"]].map(|p| p.as_f64().unwrap());
    assert!((a - b).abs() < 1e-12, "{a} {b}");
    std::fs::write(scratch.path("other.json"), "{}").unwrap();
    scratch.refused(
        &words("group-tests other.json"),
        &["other.json", "per_subject"],
    );
    scratch.refused(&words("group-tests s.npy --prior-scale 0"), &["prior"]);
    let others = words("infer --models m.npy --data d.npy --compat nilearn");
    scratch.refused(&others, &["inference of nilearn", "choose rsatoolbox"]);
}

#[test]
fn mantel_counts_the_observed_arrangement() {
    let scratch = Scratch::new();
    let a: Array1<f64> = noise(1, 45, 1).row(0).to_owned();
    npy::write(scratch.path("a.npy"), a.view()).unwrap();
    let args = words("mantel a.npy a.npy --similarity pearson --permutations 99 --seed 1");
    let json = scratch.json(&args);
    assert_eq!(json.as_object().unwrap().len(), 2);
    assert!((json["score"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(json["p"].as_f64().unwrap(), 1.0 / 100.0);
    scratch.put_npy("b.npy", &noise(2, 45, 2));
    scratch.refused(
        &["mantel", "a.npy", "b.npy"],
        &["b.npy", "2 RDMs", "expected one"],
    );
}

#[test]
fn nan_is_refused_or_left_out_and_counted() {
    let scratch = Scratch::new();
    let mut b = noise(2, 15, 2);
    b[[1, 4]] = f64::NAN;
    scratch.put_npy("a.npy", &noise(1, 15, 1));
    scratch.put_npy("b.npy", &b);
    scratch.refused(
        &["compare", "a.npy", "b.npy"],
        &["NaN", "row 1", "column 4"],
    );
    let answer = scratch.run(&words("compare a.npy b.npy --nan omit --format json"));
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("NaN values were left out"),
        "{}",
        answer.stderr
    );
    let json: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert!(json["n_omitted"].as_u64().unwrap() > 0);
    assert!(json["scores"][0][1].is_number());

    let mut x = noise(4, 30, 5);
    x[[2, 3]] = f64::NAN;
    scratch.put_npy("x.npy", &x);
    scratch.refused(&["rdm", "x.npy"], &["NaN", "row 2", "column 3"]);
    let json = scratch.json(&["rdm", "x.npy", "--nan", "omit", "--format", "json"]);
    assert_eq!(json["n_omitted"], 1);
    x[[2, 3]] = f64::INFINITY;
    scratch.put_npy("x.npy", &x);
    scratch.refused(
        &["rdm", "x.npy", "--nan", "omit"],
        &["inf", "row 2", "column 3"],
    );
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(30, 400, 5));
    let [one, two] = ["1", "2"].map(|threads| {
        let out = format!("d{threads}.npy");
        scratch.ok(&["rdm", "x.npy", "--out", &out, "--threads", threads]);
        std::fs::read(scratch.path(&out)).unwrap()
    });
    assert_eq!(one, two);
    scratch.refused(&["rdm", "x.npy", "--threads", "0"], &["--threads"]);
}

#[test]
fn help_and_topics_are_there() {
    let scratch = Scratch::new();
    let help = scratch.ok(&["--help"]);
    for command in words(
        "demo init check run report explain models data rdm compare ceiling infer mantel \
         extract",
    ) {
        assert!(
            help.contains(&format!("\n  {command} ")),
            "{command}: {help}"
        );
        let own = scratch.ok(&[command, "--help"]);
        assert!(own.contains("--threads"), "{command}");
    }
    for topic in words("rsa noise-ceiling kendall-tau-a bootstrap permutations fdr") {
        let text = scratch.ok(&["explain", topic]);
        assert!(
            text.starts_with("# ") && text.lines().count() > 5,
            "{topic}"
        );
    }
    scratch.refused(&["explain", "bootstraps"], &["\"bootstraps\"", "bootstrap"]);
    let models = scratch.ok(&["models", "list"]);
    assert!(models.contains("squeezenet1_1") && models.contains("consilience_demo"));
    let one = scratch.ok(&["models", "show", "squeezenet1_1"]);
    assert!(one.contains("  features.12.squeeze\n") && one.contains("preprocessing: "));
    scratch.refused(
        &["models", "show", "squeezenet11"],
        &["\"squeezenet11\"", "squeezenet1_1"],
    );
    assert!(scratch.ok(&["--version"]).starts_with("consilience "));
}

/// As in `consilience … | head -1`: the reader goes away while there is still more to say.
#[test]
fn a_closed_pipe_is_no_failure() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(300, 4, 5));
    let mut child = scratch
        .command(&["rdm", "x.npy", "--format", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn runs_may_lack_conditions_when_asked_for() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(11, 5, 3));
    let conditions = array![0_i64, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1];
    let runs = array![0_i64, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3];
    npy::write(scratch.path("c.npy"), conditions.view()).unwrap();
    npy::write(scratch.path("r.npy"), runs.view()).unwrap();
    let line = "rdm x.npy --dissimilarity crossnobis --conditions c.npy --runs r.npy --format json";
    scratch.refused(&words(line), &["condition 2", "run 3"]);
    let of = |more: &str| numbers(&scratch.json(&words(&format!("{line} {more}")))["rdm"]);
    let common = of("--incomplete-runs common-runs");
    assert_ne!(common, of("--incomplete-runs all-rows"));

    scratch.put_npy("e.npy", &noise(30, 5, 4));
    let weighted = of("--incomplete-runs common-runs --residuals e.npy");
    assert_ne!(common, weighted);
    let full = of("--incomplete-runs common-runs --residuals e.npy --noise-estimate full");
    assert_ne!(full, weighted);
    scratch.put_npy("few.npy", &noise(4, 5, 4));
    scratch.refused(
        &words(&format!(
            "{line} --incomplete-runs common-runs --residuals few.npy --noise-estimate full"
        )),
        &["few.npy", "rank 3", "shrink"],
    );
    scratch.refused(
        &words("rdm x.npy --incomplete-runs common-runs"),
        &["incomplete runs", "crossnobis"],
    );
    scratch.refused(&words("rdm x.npy --incomplete-runs all"), &["all-rows"]);

    let each = ndarray::Array3::from_shape_fn((3, 5, 5), |(run, i, j)| {
        f64::from(u8::from(i == j)) * (run + 1) as f64
    });
    npy::write(scratch.path("s.npy"), each.view()).unwrap();
    scratch.put_npy("x9.npy", &noise(9, 5, 3));
    npy::write(
        scratch.path("c9.npy"),
        conditions.slice(ndarray::s![..9]).to_owned().view(),
    )
    .unwrap();
    npy::write(
        scratch.path("r9.npy"),
        runs.slice(ndarray::s![..9]).to_owned().view(),
    )
    .unwrap();
    let line =
        "rdm x9.npy --dissimilarity crossnobis --conditions c9.npy --runs r9.npy --format json";
    let plain = numbers(&scratch.json(&words(line))["rdm"]);
    let each = numbers(&scratch.json(&words(&format!("{line} --noise s.npy")))["rdm"]);
    assert_ne!(plain, each);
}

#[test]
fn whitened_similarities_take_a_covariance() {
    let scratch = Scratch::new();
    scratch.put_npy("a.npy", &noise(2, 10, 1));
    scratch.put_npy("b.npy", &noise(3, 10, 2));
    scratch.put_npy("s.npy", &(Array2::<f64>::eye(5) * 0.3));
    let line = "compare a.npy b.npy --similarity whitened-cosine --format json";
    let of = |more: &str| scratch.json(&words(&format!("{line} {more}")))["scores"].clone();
    let (plain, given) = (of(""), of("--covariance s.npy"));
    for (a, b) in plain
        .as_array()
        .unwrap()
        .iter()
        .zip(given.as_array().unwrap())
    {
        assert_close(&numbers(a), &numbers(b), 1e-12);
    }
    let mut unequal = Array2::<f64>::eye(5);
    unequal[[0, 0]] = 9.0;
    scratch.put_npy("u.npy", &unequal);
    assert_ne!(plain, of("--covariance u.npy"));
    scratch.refused(
        &words("compare a.npy b.npy --covariance s.npy"),
        &["spearman", "whitened-cosine"],
    );
    scratch.put_npy("s4.npy", &Array2::eye(4));
    scratch.refused(
        &words("compare a.npy b.npy --similarity whitened-pearson --covariance s4.npy"),
        &["s4.npy", "expected 5, found 4"],
    );
}
