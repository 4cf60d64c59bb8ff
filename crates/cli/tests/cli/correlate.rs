//! Tables of correlations of predictions with targets.

use std::fmt::Write;

use consilience::io::npy;
use ndarray::{Array1, Array3, Axis};
use serde_json::Value;

use super::behaviour::{close, fixture, keys, matrix, of};
use crate::support::{Scratch, assert_close, noise, words};

/// 24 items with three predictions and two targets, in arrays and in a table whose column `kind` divides them into halves.
fn correlated() -> (Scratch, Value) {
    let scratch = Scratch::new();
    let document = fixture("correlations");
    let (x, y) = (
        matrix(&document["predictions"]),
        matrix(&document["targets"]),
    );
    scratch.put_npy("x.npy", &x.t().to_owned());
    scratch.put_npy("y.npy", &y.t().to_owned());
    let kinds: Array1<i64> = (0..24).map(|item| 7 + item % 2).collect();
    npy::write(scratch.path("kinds.npy"), kinds.view()).unwrap();
    let mut text = "image;note;a;b;c;valence;arousal;kind\n".to_owned();
    for item in 0..24 {
        let kind = if item % 2 == 0 { "face" } else { "scene" };
        write!(text, "i{item}.png;\"x;y\"").unwrap();
        for value in x.column(item).iter().chain(y.column(item)) {
            write!(text, ";{value}").unwrap();
        }
        writeln!(text, ";{kind}").unwrap();
    }
    scratch.put("t.csv", text.as_bytes());
    (scratch, document)
}

#[test]
fn correlations_are_those_of_scipy() {
    let (scratch, document) = correlated();
    let expected = document["cells"].as_array().unwrap();
    for kind in ["pearson", "spearman"] {
        for line in [
            "x.npy y.npy --subsets kinds.npy",
            "t.csv --predictions a,b,c --targets valence,arousal --subsets kind",
        ] {
            let found = scratch.json(&words(&format!("correlate {line} --correlation {kind}")));
            assert_eq!(
                (&found["n_items"], &found["n_runs"]),
                (&24.into(), &1.into())
            );
            let cells = found["cells"].as_array().unwrap();
            // The fixture's first two subsets; the other half is ours.
            assert_eq!(cells.len(), 18);
            for (cell, expected) in cells.iter().zip(&expected[..12]) {
                let expected: Vec<f64> = of(&expected[kind]);
                close(&cell["r"], expected[0]);
                close(&cell["p"], expected[1]);
                assert_close(&of::<Vec<f64>>(&cell["ci"]), &expected[2..], 1e-9);
            }
            assert_eq!(cells[11]["n"], 12);
        }
    }
    let found = scratch.json(&words(
        "correlate t.csv --predictions c --targets arousal --subsets kind --permutations 19 --correction bonferroni",
    ));
    let cells = found["cells"].as_array().unwrap();
    assert_eq!(
        keys(&cells[0]),
        words(
            "ci n p p_corrected p_permutation p_permutation_corrected prediction r reason subset target"
        )
    );
    let subsets: Vec<&Value> = cells.iter().map(|cell| &cell["subset"]).collect();
    assert_eq!(subsets, ["all", "face", "scene"]);
    for cell in cells {
        let p = cell["p"].as_f64().unwrap();
        close(&cell["p_corrected"], (3.0 * p).min(1.0));
        let p = cell["p_permutation"].as_f64().unwrap();
        close(&cell["p_permutation_corrected"], (3.0 * p).min(1.0));
    }
}

#[test]
fn correlations_can_be_read_and_kept() {
    let (scratch, _) = correlated();
    let line = "correlate t.csv --predictions a --targets valence --format text";
    let text = scratch.ok(&words(line));
    let rows: Vec<Vec<&str>> = text.lines().map(words).collect();
    assert_eq!(
        rows[0],
        words("subset prediction target r 95 % interval p items")
    );
    assert_eq!(
        rows[1],
        words("all a valence 0.5981 0.2567 to 0.8068 0.0020 24")
    );
    assert_eq!(scratch.ok(&words(&format!("{line} --out r.txt"))), "");
    assert_eq!(
        std::fs::read_to_string(scratch.path("r.txt")).unwrap(),
        text
    );
    let runs = |threads: &str| {
        scratch.ok(&words(&format!(
            "correlate x.npy y.npy --permutations 99 --threads {threads}"
        )))
    };
    assert_eq!(runs("1"), runs("2"));
}

#[test]
fn correlations_over_runs_have_mean_and_spread() {
    let scratch = Scratch::new();
    let (x, y) = (noise(3, 8, 1), noise(8, 1, 2));
    let runs: Array3<f64> = x.clone().insert_axis(Axis(2));
    npy::write(scratch.path("x.npy"), runs.view()).unwrap();
    scratch.put_npy("y.npy", &y);
    let mut table = "seed,item,net,valence\n".to_owned();
    for item in 0..8 {
        for run in 0..3 {
            writeln!(table, "s{run},{item},{},{}", x[[run, item]], y[[item, 0]]).unwrap();
        }
    }
    scratch.put("t.csv", table.as_bytes());
    let found = scratch.json(&words("correlate x.npy y.npy"));
    let cell = &found["cells"][0];
    assert_eq!(found["n_runs"], 3);
    let each: Vec<f64> = of(&cell["runs"]);
    for (run, r) in each.iter().enumerate() {
        scratch.put_npy("one.npy", &x.row(run).to_owned().insert_axis(Axis(1)));
        let one = scratch.json(&words("correlate one.npy y.npy"));
        close(&one["cells"][0]["r"], *r);
    }
    let mean = each.iter().sum::<f64>() / 3.0;
    let square: f64 = each.iter().map(|r| (r - mean).powi(2)).sum();
    close(&cell["mean"], mean);
    close(&cell["sd"], (square / 2.0).sqrt());
    let line = "correlate t.csv --predictions net --targets valence --run seed --item item";
    assert_eq!(
        &scratch.json(&words(line))["cells"][0]["runs"],
        &cell["runs"]
    );
    let text = scratch.ok(&words(&format!("{line} --format text")));
    assert!(text.contains("mean of runs  sd"), "{text}");
    scratch.put(
        "odd.csv",
        table.replace("s2,7,", "s2,7,0,9\ns3,7,").as_bytes(),
    );
    scratch.refused(
        &words(&line.replace("t.csv", "odd.csv")),
        &["row 25", "valence", "\"7\"", "same in all runs", "odd.csv"],
    );
}

#[test]
fn correlations_that_cannot_be_had_are_refused() {
    let (scratch, _) = correlated();
    scratch.put("gap.csv", b"x,y\n1,2\n2,\n3,NA\n4,1\n5,0\n");
    scratch.put("flat.csv", b"x,y\n1,2\n1,3\n1,4\n");
    scratch.put_npy("short.npy", &noise(23, 2, 1));
    for (line, phrases) in [
        ("x.npy", &["x.npy", "second file"][..]),
        ("x.npy short.npy", &["x.npy", "short.npy", "24", "23"]),
        ("x.npy y.npy --targets valence", &["--targets", "y.npy"]),
        ("t.csv --predictions a", &["--targets", "valence", "t.csv"]),
        (
            "t.csv --predictions a --targets valense",
            &["no column \"valense\"", "did you mean \"valence\"", "t.csv"],
        ),
        (
            "t.csv --predictions image --targets valence",
            &["row 2, column image", "i0.png", "number"],
        ),
        (
            "gap.csv --predictions x --targets y",
            &["row 3", "gap.csv", "--nan omit"],
        ),
        (
            "flat.csv --predictions x --targets y",
            &["flat.csv", "prediction is the same"],
        ),
        (
            "t.csv --predictions a --targets b --correlation kendall",
            &["kendall", "spearman"],
        ),
    ] {
        scratch.refused(&words(&format!("correlate {line}")), phrases);
    }
    let answer = scratch.run(&words(
        "correlate gap.csv --predictions x --targets y --nan omit",
    ));
    assert!(answer.stderr.contains("2 of 5 items"), "{}", answer.stderr);
    let found: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(
        (&found["n_items"], &found["n_omitted"]),
        (&3.into(), &2.into())
    );
}
