//! Statistics of behaviour: known numbers from `fixtures/behaviour`, which peers computed, as arrays and as tables.

use std::fmt::Write;

use consilience::io::npy;
use ndarray::{Array1, Array2, array};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{Scratch, assert_close, noise, npy_header, npy_values, words};

pub(super) fn fixture(name: &str) -> Value {
    let text = include_str!("../../../../fixtures/behaviour/behaviour.json");
    serde_json::from_str::<Value>(text).unwrap()[name].clone()
}

pub(super) fn of<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_value(value.clone()).unwrap()
}

pub(super) fn matrix(value: &Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = of(value);
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

#[track_caller]
pub(super) fn close(found: &Value, expected: f64) {
    assert_close(&[found.as_f64().unwrap()], &[expected], 1e-9);
}

/// The keys of an object, in alphabetical order.
pub(super) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

/// Trials of the counts 20, 5, 10, 15, and of a person who is always right.
fn trials() -> String {
    let mut text = "participant\tshown\tsays\n".to_owned();
    for (person, shown, says, n) in [
        ("p1", "old", "old", 20),
        ("p1", "old", "new", 5),
        ("p1", "new", "old", 10),
        ("p1", "new", "new", 15),
        ("p2", "old", "old", 4),
        ("p2", "new", "new", 4),
    ] {
        text += &format!("{person}\t{shown}\t{says}\n").repeat(n);
    }
    text
}

#[test]
fn sensitivity_comes_from_counts_and_trials() {
    let scratch = Scratch::new();
    for case in fixture("sensitivity").as_array().unwrap() {
        let counts: Vec<u64> = of(&case["counts"]);
        let counts = counts
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let correction = if case["log_linear"] == true {
            "log-linear"
        } else {
            "none"
        };
        let found = scratch.json(&["d-prime", "--counts", &counts, "--correction", correction]);
        let names = [
            "d_prime",
            "criterion",
            "hit_rate",
            "false_alarm_rate",
            "sem",
            "p",
        ];
        let found: Vec<f64> = names.iter().map(|name| of(&found[*name])).collect();
        assert_close(&found, &of::<Vec<f64>>(&case["expected"]), 1e-9);
    }
    scratch.put("t.tsv", trials().as_bytes());
    let line = "d-prime t.tsv --signal shown --signal-is old --response says --response-is old";
    let pooled = scratch.json(&words(line));
    assert_eq!(
        keys(&pooled),
        words(
            "ci correct_rejections correction criterion d_prime false_alarm_rate false_alarms hit_rate hits misses n_omitted p sem"
        )
    );
    assert_eq!(
        (&pooled["hits"], &pooled["correct_rejections"]),
        (&24.into(), &19.into())
    );
    let each = scratch.json(&words(&format!("{line} --by participant")));
    close(&each["groups"][0]["d_prime"], 1.094968336708714);
    assert_eq!(each["groups"][1]["group"], "p2");
    assert_eq!(each["groups"][1]["d_prime"], Value::Null);
    let reason = each["groups"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("log-linear"), "{reason}");
    let text = scratch.ok(&words(&format!(
        "{line} --by participant --correction log-linear --format text"
    )));
    assert_eq!(text.lines().count(), 3, "{text}");
    let text = scratch.ok(&words("d-prime --counts 20,5,10,15 --format text"));
    assert!(text.starts_with("d′ 1.0950  95 % interval"), "{text}");
}

#[test]
fn sensitivity_says_what_it_lacks() {
    let scratch = Scratch::new();
    scratch.put("t.tsv", trials().as_bytes());
    scratch.put(
        "gap.csv",
        b"signal,response\n1,yes\nTRUE,no\n0,\n0,yes\n0,no\n",
    );
    scratch.put("none.csv", b"signal,response\n1,1\n1,0\n");
    for (line, phrases) in [
        ("", &["TRIALS.csv"][..]),
        ("--counts 1,2,3", &["--counts", "3 numbers", "4"]),
        ("--counts 5,0,1,4", &["--counts", "hits is 1", "log-linear"]),
        ("t.tsv", &["signal", "shown", "--signal COLUMN"]),
        (
            "t.tsv --signal shown --response says",
            &["row 2, column shown", "\"old\"", "--signal-is"],
        ),
        (
            "t.tsv --signal shown --signal-is ald --response says",
            &[
                "--signal-is, column shown: no value \"ald\"",
                "did you mean \"old\"",
                "t.tsv",
            ],
        ),
        (
            "gap.csv",
            &["row 4, column response", "gap.csv", "--nan omit"],
        ),
        ("none.csv", &["none.csv", "without a signal"]),
        ("missing.csv", &["missing.csv"]),
    ] {
        scratch.refused(&words(&format!("d-prime {line}")), phrases);
    }
    let found = scratch.json(&words("d-prime gap.csv --nan omit"));
    close(&found["d_prime"], 0.0);
    assert_eq!(found["n_omitted"], 1);
}

#[test]
fn groups_are_compared_as_scipy_does() {
    let scratch = Scratch::new();
    for case in fixture("welch").as_array().unwrap() {
        let groups: [Vec<f64>; 2] = [of(&case["a"]), of(&case["b"])];
        let mut table = "Value,who,Group\n".to_owned();
        for (name, values) in ["b,", "a"].into_iter().zip(&groups) {
            let file = format!("{}.npy", &name[..1]);
            npy::write(scratch.path(&file), Array1::from(values.clone()).view()).unwrap();
            for value in values {
                writeln!(table, "{value},p,\"{name}\"").unwrap();
            }
        }
        scratch.put("t.csv", table.as_bytes());
        let found = scratch.json(&words("welch t.csv"));
        for key in ["t", "p", "dof", "cohens_d", "hedges_g"] {
            close(&found[key], of(&case[key]));
        }
        assert_close(
            &of::<Vec<f64>>(&found["ci"]),
            &of::<Vec<f64>>(&case["interval"]),
            1e-9,
        );
        assert_eq!(found["groups"][0]["name"], "b,");
        assert_eq!(found["groups"][1]["n"], groups[1].len());
        let arrays = scratch.json(&words("welch a.npy b.npy"));
        close(&arrays["t"], -of::<f64>(&case["t"]));
        assert_eq!(keys(&arrays), keys(&found));
    }
    let text = scratch.ok(&words("welch a.npy b.npy --format text"));
    assert!(text.contains("Hedges' g") && text.contains("t("), "{text}");
    let three = "condition,value\na,1\na,2\nb,3\nb,5\nc,nan\nc,9\nc,8\n";
    scratch.put("three.csv", three.as_bytes());
    let found = scratch.json(&words("welch three.csv --groups b,a"));
    close(&found["difference"], 2.5);
    for (line, phrases) in [
        (
            "three.csv",
            &["condition", "3 groups (a, b, c)", "--groups A,B"][..],
        ),
        ("three.csv --groups a,d", &["no group \"d\"", "a, b, c"]),
        ("three.csv --groups a", &["--groups", "2 different"]),
        (
            "three.csv --groups a,c",
            &["row 6", "--nan omit", "three.csv"],
        ),
        (
            "three.csv --value values",
            &["no column \"values\"", "did you mean \"value\""],
        ),
        ("a.npy", &["a.npy", "second file"]),
        ("a.npy b.npy --value v", &["--value", "b.npy"]),
    ] {
        scratch.refused(&words(&format!("welch {line}")), phrases);
    }
    scratch.put("one.csv", b"group,value\na,1\nb,2\nb,3\n");
    scratch.refused(
        &words("welch one.csv"),
        &["one.csv", "first group", "at least 2"],
    );
    scratch.put("same.csv", b"group,value\na,1\na,1\nb,2\nb,2\n");
    scratch.refused(
        &words("welch same.csv"),
        &["same.csv", "neither group varies"],
    );
}

/// Ratings of five items by three people, a rating a row.
const RATINGS: &str = "\u{feff}Participant;Image;Rating;Comment\n\
    p1;a;1;\np1;b;2;\np1;c;4;\"so; so\"\np1;d;3;\np1;e;5;\n\
    p2;a;2;\np2;b;1;\np2;c;5;\np2;d;4;\np2;e;4;\n\
    p3;e;5;\np3;d;2;\np3;c;3;\np3;b;2;\np3;a;1;\n";

#[test]
fn ratings_come_from_long_tables() {
    let scratch = Scratch::new();
    let wide = array![
        [1.0, 2.0, 1.0],
        [2.0, 1.0, 2.0],
        [4.0, 5.0, 3.0],
        [3.0, 4.0, 2.0],
        [5.0, 4.0, 5.0]
    ];
    scratch.put_npy("r.npy", &wide);
    scratch.put(
        "wide.csv",
        b"image,p1,p2,p3\na,1,2,1\nb,2,1,2\nc,4,5,3\nd,3,4,2\ne,5,4,5\n",
    );
    scratch.put("long.csv", RATINGS.as_bytes());
    scratch.put(
        "other.txt",
        RATINGS
            .replace(';', "\t")
            .replace("Rating", "valence")
            .as_bytes(),
    );
    let expected = scratch.ok(&words("reliability r.npy --coefficient alpha"));
    for line in ["wide.csv", "long.csv", "other.txt --value valence"] {
        let found = scratch.ok(&words(&format!("reliability {line} --coefficient alpha")));
        assert_eq!(found, expected, "{line}");
    }
    // An item without one rating counts for nobody.
    scratch.put("gap.csv", RATINGS.replace("p2;c;5;", "p2;c;;").as_bytes());
    let found = scratch.json(&words("reliability gap.csv --nan omit"));
    assert_eq!(
        (&found["n_items"], &found["n_omitted"]),
        (&4.into(), &1.into())
    );
    scratch.put(
        "twice.csv",
        RATINGS.replace("p3;e;5;", "p3;e;4;\np3;e;6;").as_bytes(),
    );
    let found = scratch.ok(&words(
        "reliability twice.csv --coefficient alpha --repeats mean",
    ));
    assert_eq!(found, expected);
    scratch.put("one.csv", b"item,rater,value\na,x,1\nb,x,2\nc,x,3\n");
    for (line, phrases) in [
        (
            "gap.csv",
            &[
                "Participant \"p2\"",
                "Rating of Image \"c\"",
                "1 of 15",
                "--nan omit",
                "gap.csv",
            ][..],
        ),
        (
            "twice.csv",
            &["row 13", "Image \"e\" and Participant \"p3\"", "twice.csv"],
        ),
        (
            "other.txt",
            &["value or rating or response", "valence", "--value COLUMN"],
        ),
        (
            "long.csv --rater person",
            &["no column \"person\"", "long.csv"],
        ),
        (
            "long.csv --value Comment",
            &["row 4, column Comment", "so; so"],
        ),
        ("long.csv --out folder", &["--out", "long.csv"]),
        ("r.npy --rater p", &["r.npy", "table with a header"]),
        ("one.csv", &["one.csv", "1 rater", "at least 2"]),
    ] {
        scratch.refused(&words(&format!("reliability {line}")), phrases);
    }
}

#[test]
fn selective_units_are_counted_and_kept() {
    let scratch = Scratch::new();
    let document = fixture("selectivity");
    let responses = matrix(&document["responses"]);
    let labels: Vec<i64> = of(&document["labels"]);
    scratch.put_npy("x.npy", &responses);
    npy::write(scratch.path("l.npy"), Array1::from(labels.clone()).view()).unwrap();
    let mut table = "image,category\n".to_owned();
    for label in &labels {
        writeln!(table, "i.png,kind {label}").unwrap();
    }
    scratch.put("l.csv", table.as_bytes());
    let line = "selectivity x.npy l.npy --min-items 5";
    let found = scratch.json(&words(&format!("{line} --shuffles 20")));
    assert_eq!(
        keys(&found),
        words(
            "alpha categories correction left_out min_items n_constant n_items n_omitted n_units seed shuffles threshold"
        )
    );
    assert_eq!(
        (&found["n_units"], &found["n_constant"]),
        (&5.into(), &1.into())
    );
    assert_eq!(found["left_out"], serde_json::json!(["5"]));
    let cells = document["cells"].as_array().unwrap();
    let expected: Vec<usize> = cells
        .iter()
        .map(|units| {
            let selective =
                |u: &&Value| of::<f64>(&u["d_prime"]) > 0.65 && of::<f64>(&u["p"]) < 0.05;
            units.as_array().unwrap().iter().filter(selective).count()
        })
        .collect();
    for (category, n) in found["categories"]
        .as_array()
        .unwrap()
        .iter()
        .zip(&expected)
    {
        assert_eq!(category["n_selective"], *n);
        assert!(category["p"].as_f64().unwrap() >= 1.0 / 21.0 - 1e-12);
    }
    let named = scratch.json(&words("selectivity x.npy l.csv --min-items 5"));
    let names: Vec<&str> = named["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["category"].as_str().unwrap())
        .collect();
    assert!(
        names.len() == 3 && names.iter().all(|name| name.starts_with("kind ")),
        "{names:?}"
    );

    assert_eq!(
        scratch.ok(&words(&format!("{line} --out out"))),
        "out/summary.json\n"
    );
    assert!(npy_header(&scratch.path("out/d_prime.npy")).contains("(3, 5)"));
    let d_prime = npy_values(&scratch.path("out/d_prime.npy"));
    close(&cells[1][2]["d_prime"], d_prime[5 + 2]);
    assert!(d_prime[4].is_nan());
    let index = npy_values(&scratch.path("out/index.npy"));
    assert_close(&index[..4], &of::<Vec<f64>>(&document["index"]), 1e-9);
    assert!(index[4].is_nan() && npy_values(&scratch.path("out/preferred.npy"))[4].is_nan());
    let text = scratch.ok(&words(&format!("{line} --format text")));
    assert_eq!(text.lines().count(), 4, "{text}");

    let mut gap = responses.clone();
    gap[[3, 1]] = f64::NAN;
    scratch.put_npy("gap.npy", &gap);
    npy::write(
        scratch.path("short.npy"),
        Array1::from(labels[1..].to_vec()).view(),
    )
    .unwrap();
    for (line, phrases) in [
        (
            "x.npy l.npy --min-items 100",
            &["x.npy", "l.npy", "0 of", "at least 100"][..],
        ),
        ("x.npy short.npy", &["short.npy", "26", "27", "x.npy"]),
        (
            "gap.npy l.npy",
            &["item 3", "response", "gap.npy", "--nan omit"],
        ),
        ("x.npy l.npy --category kind", &["--category", "l.npy"]),
        (
            "x.npy l.csv --category kind",
            &["no column \"kind\"", "l.csv"],
        ),
        ("x.npy l.npy --alpha 2", &["level", "at most 1"]),
    ] {
        scratch.refused(&words(&format!("selectivity {line}")), phrases);
    }
}

#[test]
fn configurations_are_fitted_as_scipy_does() {
    let scratch = Scratch::new();
    for case in fixture("procrustes").as_array().unwrap() {
        let (a, b) = (matrix(&case["a"]), matrix(&case["b"]));
        scratch.put_npy("a.npy", &a);
        scratch.put_npy("b.npy", &b);
        let found = scratch.json(&words(
            "procrustes a.npy b.npy --fitted f.npy --permutations 9",
        ));
        close(&found["disparity"], of(&case["disparity"]));
        assert_eq!(
            keys(&found),
            words("disparity n_dims n_items n_omitted p permutations seed")
        );
        let expected: Vec<f64> = [matrix(&case["target"]), matrix(&case["fitted"])]
            .into_iter()
            .flatten()
            .collect();
        assert_close(&npy_values(&scratch.path("f.npy")), &expected, 1e-9);
    }
    scratch.put(
        "a.csv",
        b"image,valence,arousal\na,1,2\nb,3,1\nc,0,0\nd,nan,1\n",
    );
    scratch.put(
        "b.csv",
        b"image,valence,arousal\na,2,4\nb,6,2\nc,0,0\nd,1,1\n",
    );
    scratch.put(
        "turned.csv",
        b"image,valence,arousal\nb,6,2\na,2,4\nc,0,0\nd,1,1\n",
    );
    let found = scratch.json(&words("procrustes a.csv b.csv --nan omit"));
    close(&found["disparity"], 0.0);
    assert_eq!(found["n_omitted"], 1);
    let text = scratch.ok(&words("procrustes a.csv b.csv --nan omit --format text"));
    assert_eq!(text, "disparity 0.0000  items 3\n");
    scratch.put_npy("short.npy", &noise(3, 2, 1));
    scratch.put_npy("flat.npy", &Array2::ones((4, 2)));
    scratch.put_npy("three.npy", &noise(4, 3, 1));
    for (line, phrases) in [
        ("a.csv b.csv", &["item 3", "a.csv", "--nan omit"][..]),
        (
            "a.csv turned.csv",
            &["\"a\" in a.csv", "\"b\" in turned.csv", "same order"],
        ),
        ("b.csv short.npy", &["4 items", "short.npy has 3"]),
        ("b.csv three.npy", &["dimensions", "expected 2, found 3"]),
        ("b.csv flat.npy", &["flat.npy", "all points"]),
    ] {
        scratch.refused(&words(&format!("procrustes {line}")), phrases);
    }
}

#[test]
fn quantiles_are_those_of_pandas() {
    let scratch = Scratch::new();
    for case in fixture("quantiles").as_array().unwrap() {
        let (actual, predicted): (Vec<f64>, Vec<f64>) =
            (of(&case["actual"]), of(&case["predicted"]));
        let mut table = "actual,predicted\n".to_owned();
        for (a, p) in actual.iter().zip(&predicted) {
            writeln!(table, "{a},{p}").unwrap();
        }
        scratch.put("t.csv", table.as_bytes());
        npy::write(scratch.path("a.npy"), Array1::from(actual).view()).unwrap();
        npy::write(scratch.path("p.npy"), Array1::from(predicted).view()).unwrap();
        let line = format!("quantiles t.csv --bins {}", case["n_bins"]);
        let found = scratch.json(&words(&line));
        assert_eq!(keys(&found), words("bins n_items n_merged n_omitted r"));
        let column = |key: &str| -> Vec<f64> {
            let bins = found["bins"].as_array().unwrap();
            bins.iter().map(|bin| of(&bin[key])).collect()
        };
        assert_close(&column("n"), &of::<Vec<f64>>(&case["counts"]), 0.0);
        let means: Vec<Vec<f64>> = of(&case["means"]);
        assert_close(&column("actual"), &means[0], 1e-9);
        assert_close(&column("predicted"), &means[1], 1e-9);
        assert_eq!(
            scratch.json(&words(&line.replace("t.csv", "a.npy p.npy"))),
            found
        );
        let text = scratch.ok(&words(&format!("{line} --format text")));
        assert!(text.contains("r of the means"), "{text}");
    }
    scratch.put("gap.csv", b"actual,net\n1,2\nNaN,3\n2,\n5,5\n");
    scratch.put("flat.csv", b"actual,predicted\n1,2\n1,3\n");
    scratch.put_npy("short.npy", &noise(3, 1, 1));
    for (line, phrases) in [
        (
            "gap.csv",
            &["predicted", "net", "--predicted COLUMN", "gap.csv"][..],
        ),
        (
            "gap.csv --predicted net",
            &["row 3", "gap.csv", "--nan omit"],
        ),
        (
            "gap.csv --predicted net --nan omit",
            &["gap.csv", "found 2", "at least 10"],
        ),
        (
            "flat.csv --bins 2",
            &["flat.csv", "actual values are the same"],
        ),
        (
            "a.npy short.npy",
            &["60 actual and 3 predicted", "short.npy"],
        ),
        ("a.npy", &["a.npy", "second file"]),
        ("a.npy p.npy --actual x", &["--actual", "p.npy"]),
    ] {
        scratch.refused(&words(&format!("quantiles {line}")), phrases);
    }
    let found = scratch.json(&words(
        "quantiles gap.csv --predicted net --nan omit --bins 2",
    ));
    assert_eq!(found["n_omitted"], 2);
    close(&found["r"], 1.0);
}

#[test]
fn every_command_explains_itself() {
    let scratch = Scratch::new();
    for command in [
        "correlate",
        "d-prime",
        "welch",
        "reliability",
        "odd-one-out",
        "error-consistency",
        "selectivity",
        "procrustes",
        "quantiles",
    ] {
        let help = scratch.ok(&[command, "--help"]);
        let example = format!("\n  consilience {command} ");
        assert!(help.contains(&example), "{command}: {help}");
        assert!(help.contains("JSON: "), "{command}: {help}");
    }
}
