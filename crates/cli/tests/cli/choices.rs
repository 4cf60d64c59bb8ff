//! Odd-one-out choices and error consistency: known numbers from `fixtures/behaviour`, which peers computed.

use std::fmt::Write;

use consilience::io::npy;
use ndarray::{Array1, Array2, array};
use serde_json::Value;

use crate::behaviour::{close, fixture, keys, matrix, of};
use crate::support::{Scratch, assert_close, npy_values, words};

#[test]
fn choices_of_the_odd_one_are_predicted() {
    let scratch = Scratch::new();
    let document = fixture("choices");
    let embedding = matrix(&document["embedding"]);
    let triplets = matrix(&document["triplets"]);
    scratch.put_npy("e.npy", &embedding);
    let rdm: Array1<f64> = of::<Vec<f64>>(&document["rdm"]).into();
    npy::write(scratch.path("d.npy"), rdm.view()).unwrap();
    npy::write(scratch.path("t.npy"), triplets.mapv(|v| v as i64).view()).unwrap();
    let name = |item: f64| format!("thing{item}");
    // As THINGS publishes them; as trials with names, the odd one in any place.
    let (mut plain, mut trials) = (String::new(), "who,x,y,z,choice\n".to_owned());
    for (k, t) in triplets.rows().into_iter().enumerate() {
        writeln!(plain, "{} {} {}", t[0], t[1], t[2]).unwrap();
        let mut items = [name(t[0]), name(t[1]), name(t[2])];
        items.rotate_left(k % 3);
        writeln!(trials, "p,{},{}", items.join(","), name(t[2])).unwrap();
    }
    scratch.put("t.txt", plain.as_bytes());
    scratch.put("t.csv", trials.as_bytes());
    let names: Vec<String> = (0..9).map(|k| name(f64::from(k))).collect();
    scratch.put("names.txt", names.join("\n").as_bytes());
    let shown = "--shown x,y,z --odd choice --names names.txt";
    for (model, file) in [("embedding", "e.npy"), ("rdm", "d.npy")] {
        let case = &document["cases"][model];
        for triplets in ["t.npy", "t.txt", &format!("t.csv {shown}")] {
            let found = scratch.json(&words(&format!(
                "odd-one-out {triplets} --{model} {file} --temperature {} --probabilities p.npy --similarities s.npy",
                case["temperature"]
            )));
            close(&found["accuracy"], of(&case["accuracy"]));
            close(&found["p"], of(&case["p"]));
            assert_close(
                &of::<Vec<f64>>(&found["ci"]),
                &of::<Vec<f64>>(&case["interval"]),
                1e-9,
            );
            for (file, key) in [("p.npy", "probabilities"), ("s.npy", "similarity")] {
                assert_close(
                    &npy_values(&scratch.path(file)),
                    &of::<Vec<f64>>(&case[key]),
                    1e-9,
                );
            }
            assert_eq!(
                keys(&found),
                words(
                    "accuracy ceiling ci log_likelihood n_omitted n_ties n_triplets p temperature"
                )
            );
        }
    }
    // Names in the first column of the embedding.
    let mut table = "item,d0,d1,d2,d3,d4,d5,d6,d7,d8,d9"
        .split(',')
        .take(1 + embedding.ncols())
        .collect::<Vec<_>>()
        .join(",");
    table.push('\n');
    for (item, row) in embedding.rows().into_iter().enumerate() {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(table, "thing{item},{}", cells.join(",")).unwrap();
    }
    scratch.put("e.csv", table.as_bytes());
    let named = "odd-one-out t.csv --shown x,y,z --odd choice --embedding e.csv";
    close(
        &scratch.json(&words(named))["accuracy"],
        of(&document["cases"]["embedding"]["accuracy"]),
    );
    let text = scratch.ok(&words(&format!("{named} --format text")));
    assert!(text.starts_with("accuracy 0."), "{text}");

    scratch.put("once.txt", b"0 1 2\n");
    for (line, phrases) in [
        (
            "once.txt",
            &["once.txt", "judged twice", "--embedding or --rdm"][..],
        ),
        (
            "t.npy --probabilities p.npy",
            &["--probabilities", "--embedding or --rdm"],
        ),
        ("e.npy --rdm d.npy", &["e.npy", "position of an item"]),
        ("t.csv --embedding e.npy", &["t.csv", "--shown A,B,C"]),
        (
            "t.csv --shown x,y --odd choice",
            &["--shown", "2 columns", "3"],
        ),
        (
            "t.csv --shown x,y,z --odd who",
            &["row 2, column who", "\"p\" is none"],
        ),
        (
            "t.csv --shown x,y,z --odd choice --embedding e.npy",
            &["row 2", "thing", "--names"],
        ),
        (
            "t.npy --embedding e.npy --temperature 0",
            &["temperature", "positive"],
        ),
    ] {
        scratch.refused(&words(&format!("odd-one-out {line}")), phrases);
    }
    scratch.put("short.txt", b"thing0\nthing1\n");
    scratch.refused(
        &words("odd-one-out t.csv --shown x,y,z --odd choice --embedding e.npy --names short.txt"),
        &["short.txt", "2 names", "9"],
    );
    scratch.put_npy("pairs.npy", &array![[0.0, 1.0], [1.0, 2.0]]);
    scratch.refused(
        &words("odd-one-out pairs.npy --embedding e.npy"),
        &["pairs.npy", "expected 3, found 2"],
    );
}

#[test]
fn repeated_triplets_have_a_ceiling() {
    let scratch = Scratch::new();
    scratch.put(
        "t.csv",
        b"a,b,c,odd\ncat,dog,car,car\ndog,car,cat,car\ncat,dog,car,cat\ncat,dog,bus,\ncat,dog,bus,bus\n",
    );
    let line = "odd-one-out t.csv --shown a,b,c --odd odd";
    let found = scratch.json(&words(&format!("{line} --nan omit")));
    assert_eq!(
        (&found["n_triplets"], &found["n_omitted"]),
        (&4.into(), &1.into())
    );
    assert_eq!(found["accuracy"], Value::Null);
    let ceiling = &found["ceiling"];
    assert_eq!(
        keys(ceiling),
        words("lower lower_ci n_judgements n_triplets upper upper_ci")
    );
    close(&ceiling["upper"], 2.0 / 3.0);
    // Each of the two that agree is half of a tie of the others; the third is against both.
    close(&ceiling["lower"], 1.0 / 3.0);
    scratch.refused(&words(line), &["row 5, column odd", "t.csv", "--nan omit"]);
    let text = scratch.ok(&words(&format!("{line} --nan omit --format text")));
    assert!(text.starts_with("upper ceiling 0.6667"), "{text}");
}

#[test]
fn errors_are_compared_as_scikit_learn_does() {
    let scratch = Scratch::new();
    let document = fixture("errors");
    let rows: Vec<Vec<bool>> = of(&document["correct"]);
    let n_trials = rows[0].len();
    let wide = Array2::from_shape_fn((n_trials, 4), |(t, o)| f64::from(u8::from(rows[o][t])));
    scratch.put_npy("c.npy", &wide);
    let mut table = "subj,imagename,truth,says,correct\n".to_owned();
    for t in 0..n_trials {
        for (o, row) in rows.iter().enumerate() {
            let says = if row[t] { "dog" } else { "cat" };
            writeln!(table, "o{o},i{t}.png,dog,{says},{}", row[t]).unwrap();
        }
    }
    scratch.put("t.csv", table.as_bytes());
    for line in [
        "c.npy",
        "t.csv",
        "t.csv --observer subj --trial imagename --choice says --truth truth",
    ] {
        let found = scratch.json(&words(&format!("error-consistency {line} --resamples 50")));
        assert_eq!(found["n_trials"], n_trials);
        for (pair, expected) in found["pairs"]
            .as_array()
            .unwrap()
            .iter()
            .zip(document["pairs"].as_array().unwrap())
        {
            for key in ["kappa", "expected", "p"] {
                close(&pair[key], of(&expected[key]));
            }
            assert_eq!(
                keys(pair),
                words("bounds ci expected kappa notes observed observers p reason sem")
            );
        }
        let accuracy = wide.column(2).sum() / n_trials as f64;
        close(&found["observers"][2]["accuracy"], accuracy);
    }
    let found = scratch.json(&words("error-consistency t.csv --resamples 0"));
    assert_eq!(
        found["pairs"][1]["observers"],
        serde_json::json!(["o0", "o2"])
    );
    let text = scratch.ok(&words("error-consistency t.csv --format text"));
    assert_eq!(text.lines().count(), 7, "{text}");
    assert!(text.starts_with("observer  observer  kappa"), "{text}");

    scratch.put(
        "gap.csv",
        table
            .replacen("o1,i3.png,dog,dog,true\n", "", 1)
            .replacen("o1,i3.png,dog,cat,false\n", "", 1)
            .as_bytes(),
    );
    let found = scratch.json(&words("error-consistency gap.csv --nan omit"));
    assert_eq!(
        (&found["n_trials"], &found["n_omitted"]),
        (&(n_trials - 1).into(), &1.into())
    );
    scratch.put("one.csv", b"subj,trial,correct\na,1,1\na,2,0\n");
    scratch.put(
        "right.csv",
        b"subj,trial,correct\na,1,1\na,2,1\nb,1,1\nb,2,1\n",
    );
    scratch.put_npy("two.npy", &array![[1.0, 0.0], [2.0, 0.0]]);
    for (line, phrases) in [
        (
            "gap.csv",
            &[
                "o1 has no answer on trial \"i3.png\"",
                "gap.csv",
                "--nan omit",
            ][..],
        ),
        ("one.csv", &["one.csv", "observers", "at least 2"]),
        ("right.csv", &["right.csv", "always right"]),
        ("two.npy", &["trial 1, observer 0", "is 2", "two.npy"]),
        ("t.csv --correct says", &["row 2, column says", "true"]),
        ("t.csv --observer who", &["no column \"who\"", "t.csv"]),
    ] {
        scratch.refused(&words(&format!("error-consistency {line}")), phrases);
    }
    scratch.refused(
        &words("error-consistency t.csv --choice says"),
        &["--truth"],
    );
}
