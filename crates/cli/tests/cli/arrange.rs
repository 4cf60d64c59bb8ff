//! Arrangements of items.

use serde_json::Value;

use crate::support::{Scratch, assert_close, npy_header, npy_values, real_data, words};

/// Items at planted places, each trial in a pose and of a scale of its own.
fn planted() -> String {
    let places = [
        ("10", [0.0, 0.0]),
        ("9", [0.3, 0.1]),
        ("2", [-0.2, 0.4]),
        ("31", [0.1, -0.5]),
        ("4", [0.45, 0.35]),
    ];
    let mut text = String::from("item,rt,y,x,trial\n");
    for (trial, chosen, angle, scale) in [
        ("a", &[0, 1, 2, 3, 4][..], 0.0_f64, 1.0),
        ("b", &[4, 2, 0], 1.0, 2.0),
        ("c", &[1, 3, 4], -2.0, 0.7),
    ] {
        let (sin, cos) = angle.sin_cos();
        for &idx in chosen {
            let (item, [x, y]) = places[idx];
            let (x, y) = (scale * (cos * x - sin * y), scale * (sin * x + cos * y));
            text += &format!("{item},12,{y},{x},{trial}\n");
        }
    }
    text
}

/// Distances of the planted places, items in ascending order, with a mean square of 1.
fn truth() -> Vec<f64> {
    let places = [
        [-0.2, 0.4],
        [0.45, 0.35],
        [0.3, 0.1],
        [0.0, 0.0],
        [0.1_f64, -0.5],
    ];
    let mut distances = Vec::new();
    for i in 0..5 {
        for j in i + 1..5 {
            distances.push((places[i][0] - places[j][0]).hypot(places[i][1] - places[j][1]));
        }
    }
    let rms = (distances.iter().map(|d| d * d).sum::<f64>() / 10.0).sqrt();
    distances.iter().map(|d| d / rms).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().unwrap();
    list.iter().map(|v| v.as_f64().unwrap()).collect()
}

#[test]
fn fit_writes_the_rdm_and_its_evidence() {
    let scratch = Scratch::new();
    scratch.put("t.csv", planted().as_bytes());
    assert_eq!(scratch.ok(&words("arrange fit t.csv --out out/D.npy")), "");
    for name in ["out/D.npy", "out/D.weights.npy"] {
        assert_eq!(
            npy_header(&scratch.path(name)),
            "{'descr': '<f8', 'fortran_order': False, 'shape': (10,), }"
        );
    }
    assert_close(&npy_values(&scratch.path("out/D.npy")), &truth(), 1e-8);
    let json = scratch.json(&words("arrange fit t.csv --format json"));
    assert_eq!(
        json["items"],
        serde_json::json!(["2", "4", "9", "10", "31"])
    );
    assert_eq!(
        numbers(&json["rdm"]),
        npy_values(&scratch.path("out/D.npy"))
    );
    assert_eq!(
        numbers(&json["evidence"]),
        npy_values(&scratch.path("out/D.weights.npy"))
    );
    let session = &json["sessions"][0];
    assert_eq!(session["converged"], true);
    assert_eq!(session["trials"][1]["trial"], "b");
    let scale = |t: usize| session["trials"][t]["scale"].as_f64().unwrap();
    assert!((scale(0) / scale(1) - 2.0).abs() < 1e-9);
    let printed = scratch.json(&words("arrange fit t.csv --out D.npy --format json"));
    assert_eq!(printed["sessions"], json["sessions"]);
    assert!(printed.get("rdm").is_none(), "data go to the file");
    let text = scratch.ok(&words("arrange fit t.csv"));
    assert_eq!(text.split_whitespace().count(), 10);
}

#[test]
fn options_reach_the_fit() {
    let scratch = Scratch::new();
    let noisy = planted().replacen("9,12,0.1,", "9,12,0.17,", 1);
    scratch.put("t.csv", noisy.as_bytes());
    let rdm = |more: &str| {
        numbers(&scratch.json(&words(&format!("arrange fit t.csv --format json {more}")))["rdm"])
    };
    let usual = rdm("");
    for more in [
        "--weighting equal",
        "--weighting set-size",
        "--arena trial",
        "--arena 3",
        "--floor 0.6",
        "--estimator inverse-mds",
    ] {
        assert_ne!(rdm(more), usual, "{more}");
    }
    let answer = scratch.run(&words("arrange fit t.csv --max-iterations 1 --tolerance 0"));
    assert!(
        answer.stderr.contains("--max-iterations"),
        "{}",
        answer.stderr
    );
    scratch.refused(
        &words("arrange fit t.csv --floor 0"),
        &["floor", "positive"],
    );
    scratch.refused(&words("arrange fit t.csv --arena 0"), &["--arena"]);
    scratch.refused(
        &words("arrange fit t.csv --weighting evidense"),
        &["\"evidence\"", "set-size"],
    );
}

#[test]
fn json_and_table_give_the_same() {
    let scratch = Scratch::new();
    scratch.put("t.csv", planted().as_bytes());
    let mut rows = Vec::new();
    for line in planted().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        rows.push(format!(
            r#"{{"trial":"{}","item":{},"x":{},"y":{}}}"#,
            cells[4], cells[0], cells[3], cells[2]
        ));
    }
    scratch.put("t.json", format!("[{}]", rows.join(",")).as_bytes());
    scratch.put("t.tsv", planted().replace(',', "\t").as_bytes());
    let [csv, json, tsv] = ["t.csv", "t.json", "t.tsv"]
        .map(|file| scratch.json(&["arrange", "fit", file, "--format", "json"]));
    assert_eq!(csv, json);
    assert_eq!(csv, tsv);
}

#[test]
fn subjects_of_a_table_get_an_rdm_each() {
    let scratch = Scratch::new();
    let mut text = String::from("worker,item,rt,y,x,trial\n");
    for worker in ["w1", "w2"] {
        for line in planted().lines().skip(1) {
            text += &format!("{worker},{line}\n");
        }
    }
    scratch.put("t.csv", text.as_bytes());
    scratch.refused(
        &words("arrange fit t.csv --out D.npy"),
        &["t.csv", "occurs twice"],
    );
    scratch.ok(&words("arrange fit t.csv --by worker --out D.npy"));
    assert!(npy_header(&scratch.path("D.npy")).contains("(2, 10)"));
    scratch.ok(&words(
        "arrange fit t.csv --by worker --participant w2 --out one.npy",
    ));
    assert_close(&npy_values(&scratch.path("one.npy")), &truth(), 1e-8);
    scratch.refused(
        &words("arrange fit t.csv --by worker --participant w3 --out D3.npy"),
        &["t.csv", "\"w1\"", "\"w2\""],
    );
    scratch.refused(
        &words("arrange fit t.csv --by subject"),
        &["no column \"subject\"", "worker"],
    );
    let json = scratch.json(&words("arrange reliability t.csv --by worker --splits 5"));
    assert!((json["pairwise"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    assert!((json["sessions"][1]["leave_one_out"].as_f64().unwrap() - 1.0).abs() < 1e-9);
    let text = scratch.ok(&words(
        "arrange reliability t.csv --by worker --splits 5 --format text",
    ));
    assert!(text.contains("participant \"w2\": split-half"), "{text}");
}

#[test]
fn pairs_never_seen_are_named_or_left_out() {
    let scratch = Scratch::new();
    scratch.put(
        "t.csv",
        b"trial,item,x,y\n1,a,0,0\n1,b,1,0\n1,c,0,1\n2,b,0,0\n2,c,1,1\n2,d,0.5,0\n",
    );
    scratch.refused(
        &words("arrange fit t.csv --out D.npy"),
        &["t.csv", "1 of 6 pairs", "\"a\" with \"d\"", "omitted"],
    );
    let answer = scratch.run(&words("arrange fit t.csv --nan omit --out D.npy"));
    assert_eq!(answer.code, Some(0));
    assert!(
        answer.stderr.contains("1 pairs are in no trial"),
        "{}",
        answer.stderr
    );
    assert!(npy_values(&scratch.path("D.npy"))[2].is_nan());
    assert_eq!(npy_values(&scratch.path("D.weights.npy"))[2], 0.0);
    let json = scratch.json(&words("arrange fit t.csv --nan omit --format json"));
    assert!(json["rdm"][2].is_null() && json["sessions"][0]["n_unseen"] == 1);
    let next = scratch.json(&words("arrange next t.csv --format json"));
    let items = next["items"].as_array().unwrap();
    assert!(
        items.contains(&"a".into()) && items.contains(&"d".into()),
        "{next}"
    );
    assert_eq!(next["enough"], false);
}

#[test]
fn next_names_items() {
    let scratch = Scratch::new();
    scratch.put("t.csv", planted().as_bytes());
    let text = scratch.ok(&words("arrange next t.csv --max-items 3"));
    assert_eq!(text.lines().count(), 3, "{text}");
    let answer = scratch.run(&words("arrange next t.csv --enough 0"));
    assert!(
        answer.stderr.contains("every pair has evidence"),
        "{}",
        answer.stderr
    );
    scratch.refused(
        &words("arrange next t.csv --max-items 2"),
        &["items in a trial", "at least 3"],
    );
}

#[test]
fn what_is_no_arrangement_leaves_nothing() {
    let scratch = Scratch::new();
    for (text, phrases) in [
        ("", &["empty", "header"][..]),
        ("trial,item,x\n1,a,0\n", &["\"y\"", "x"]),
        (
            "trial,item,x,y\n1,a,0,0\n1,a,1,0\n",
            &["\"a\" occurs twice", "trial \"1\""],
        ),
        ("trial,item,x,y\n1,a,0,0\n1,b,0,0\n", &["one place"]),
        (
            "trial,item,x,y\n1,a,0,0\n2,a,0,0\n",
            &["trial \"1\"", "1 item"],
        ),
        ("trial,item,x,y\n1,a,0,0\n1,b,,0\n", &["row 3", "column x"]),
        (
            "trial,item,x,y\n1,a,0,0\n1,b,NaN,0\n",
            &["row 3", "NaN", "omitted"],
        ),
        ("trial,item,x,y\n1,a,0,0\n1,b,inf,0\n", &["row 3", "inf"]),
        ("trial,item,x,y\n1,a,0,0\n1,b,1\n", &["3 in row 3"]),
        (
            "trial,item,x,y\n1,a,0,0\n1,b,one,0\n",
            &["row 3", "\"one\"", "number"],
        ),
    ] {
        scratch.put("t.csv", text.as_bytes());
        let message = scratch.refused(&words("arrange fit t.csv --out D.npy"), phrases);
        assert!(message.contains("t.csv"), "{message}");
    }
    for (text, phrases) in [
        ("{\"trials\": [", &["JSON", "t.json"][..]),
        ("{}", &["t.json", "trials"]),
        (
            "{\"tasks\": [{\"task\": {\"task_type\": \"info\"}, \"trials\": []}]}",
            &["multiarrange"],
        ),
        (
            "{\"stimuli\": [{\"name\": \"a\"}], \"trials\": []}",
            &["has no trials"],
        ),
    ] {
        scratch.put("t.json", text.as_bytes());
        scratch.refused(&words("arrange fit t.json --out D.npy"), phrases);
    }
    scratch.refused(&words("arrange fit t.xlsx --out D.npy"), &["xlsx", ".csv"]);
    scratch.refused(&words("arrange fit none.csv --out D.npy"), &["none.csv"]);
    scratch.refused(
        &words("arrange fit t.json --by worker"),
        &["--by", "--participant"],
    );
    scratch.refused(
        &words("arrange rdms t.json"),
        &["stores no RDM", "arrange fit"],
    );
    // A folder in place of the result.
    scratch.put("t.csv", planted().as_bytes());
    scratch.put("D.npy/x", b"");
    scratch.refused(&words("arrange fit t.csv --out D.npy/x/y.npy"), &["D.npy"]);
}

#[test]
fn coordinates_that_are_no_arena_are_noted() {
    let scratch = Scratch::new();
    let pixels = "trial,item,x,y\n1,a,100,200\n1,b,700,200\n1,c,400,800\n";
    scratch.put("t.csv", pixels.as_bytes());
    let answer = scratch.run(&words("arrange fit t.csv"));
    assert!(answer.stderr.contains("--arena"), "{}", answer.stderr);
    let answer = scratch.run(&words("arrange fit t.csv --arena 800"));
    assert_eq!(answer.stderr, "");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let scratch = Scratch::new();
    scratch.put(
        "t.csv",
        planted().replacen("9,12,0.1,", "9,12,0.17,", 1).as_bytes(),
    );
    let [one, two] = ["1", "2"].map(|threads| {
        let args = words("arrange fit t.csv --estimator inverse-mds --out D.npy --threads");
        scratch.ok(&[&args[..], &[threads]].concat());
        std::fs::read(scratch.path("D.npy")).unwrap()
    });
    assert_eq!(one, two);
}

/// Meadows stores the RDM that it computed from the very trials.
#[test]
fn trials_of_meadows_give_the_rdm_that_it_stores() {
    let Some(data) = real_data("arrange::trials_of_meadows_give_the_rdm_that_it_stores") else {
        return;
    };
    let folder = data.join("meadows_arrangement");
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let scratch = Scratch::new();
    for (name, n_rdms, n_pairs, tolerance) in [
        (
            "Meadows_twoMaTasks_v_v1_informed-mole_tree.json",
            2,
            3,
            1e-12,
        ),
        // 109 trials, where both stop when the steps are small.
        ("Meadows_myExp_v_v1_cuddly-bunny_3_tree.json", 1, 6903, 5e-4),
    ] {
        let fit = words("arrange fit --tolerance 1e-8 --out fit.npy");
        scratch.ok(&[&fit[..], &[&file(name)]].concat());
        scratch.ok(&["arrange", "rdms", &file(name), "--out", "stored.npy"]);
        let fitted = npy_values(&scratch.path("fit.npy"));
        let stored = npy_values(&scratch.path("stored.npy"));
        assert_eq!(fitted.len(), n_rdms * n_pairs);
        let stored: Vec<f64> = stored.iter().map(|d| d * (n_pairs as f64).sqrt()).collect();
        assert_close(&fitted, &stored, tolerance);
    }
    // Least evidence over the pairs, which Meadows notes after the last trial.
    let name = "Meadows_myExp_v_v1_cuddly-bunny_3_tree.json";
    let json = scratch.json(&["arrange", "fit", &file(name), "--format", "json"]);
    let least = json["sessions"][0]["least_evidence"].as_f64().unwrap();
    assert!((least - 0.288_632_274_173_156_2).abs() < 1e-12, "{least}");
    assert_eq!(json["sessions"][0]["participant"], "cuddly-bunny");

    let name = "Meadows_myExp_v_v1_arrangement_1D.mat";
    let all = scratch.json(&["arrange", "rdms", &file(name), "--format", "json"]);
    assert_eq!(
        all["participants"],
        serde_json::json!(["able-fly", "clean-koi", "cuddly-bunny"])
    );
    assert_eq!(all["items"][0], "stim001.png");
    let single = "Meadows_myExp_v_v1_cuddly-bunny_3_1D.mat";
    let one = scratch.json(&["arrange", "rdms", &file(single), "--format", "json"]);
    assert_eq!(all["rdms"][2], one["rdms"]);
    scratch.refused(
        &["arrange", "fit", &file(single), "--out", "D.npy"],
        &["has no trials", "arrange rdms"],
    );
}
