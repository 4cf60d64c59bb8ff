//! Commands on valence and arousal: known numbers from `fixtures/emotion`, which peers computed, and the norms of OASIS.

use std::fmt::Write;

use consilience::io::npy;
use ndarray::{Array1, Array2, Array3, Axis, stack};
use serde_json::{Value, json};

use crate::behaviour::{close, keys, matrix, of};
use crate::support::{Scratch, noise, npy_header, npy_values, real_data, words};

fn fixture(name: &str) -> Value {
    let text = include_str!("../../../../fixtures/emotion/emotion.json");
    serde_json::from_str::<Value>(text).unwrap()[name].clone()
}

fn expect(found: &Value, case: &Value, names: &[&str]) {
    for name in names {
        close(&found[*name], of(&case[*name]));
    }
}

#[test]
fn predictions_have_both_kinds_of_errors() {
    let scratch = Scratch::new();
    let case = &fixture("predictions")[0];
    let [actual, predicted] = ["actual", "predicted"].map(|name| of::<Vec<f64>>(&case[name]));
    let mut table = "image,y,p,sd,n\n".to_owned();
    for (y, p) in actual.iter().zip(&predicted) {
        writeln!(table, "a.png,{y},{p},1.5,100").unwrap();
    }
    scratch.put("t.csv", table.as_bytes());
    let line =
        "predictions t.csv --actual y --predicted p --sds sd --counts n --bins 5 --resamples 20";
    let found = scratch.json(&words(line));
    assert_eq!(
        keys(&found),
        words("n_items n_omitted plane ratings resamples seed")
    );
    let rating = &found["ratings"][0];
    expect(rating, case, &["r", "r2", "rmse", "mae"]);
    for (name, key) in [
        ("slope", "slope"),
        ("refit_r2", "r2"),
        ("refit_rmse", "rmse"),
    ] {
        close(&rating["refit"][key], of(&case[name]));
    }
    let variance = Array1::from(actual.clone()).var(1.0);
    close(
        &rating["ceiling"],
        (1.0 - 1.5 * 1.5 / 100.0 / variance).sqrt(),
    );
    assert_eq!(rating["quantiles"]["n"], json!([8, 8, 8, 8, 8]));
    assert_eq!(
        (&rating["bootstrap"]["n_resamples"], &found["plane"]),
        (&20.into(), &Value::Null)
    );

    let case = &fixture("clouds")[2];
    scratch.put_npy("a.npy", &matrix(&case["a"]));
    scratch.put_npy("b.npy", &matrix(&case["b"]));
    let line = "predictions a.npy b.npy --resamples 0";
    let found = scratch.json(&words(line));
    expect(&found["plane"], case, &["rmse", "disparity"]);
    close(&found["plane"]["energy_distance"], of(&case["energy"]));
    assert_eq!(found["ratings"][1]["bootstrap"], Value::Null);
    let text = scratch.ok(&words(&format!("{line} --format text")));
    assert!(
        text.contains("refit RMSE") && text.contains("energy distance"),
        "{text}"
    );

    scratch.put_npy("c.npy", &noise(15, 1, 3));
    for (line, phrases) in [
        ("t.csv", &["--actual", "image, y, p", "t.csv"][..]),
        (
            "t.csv --actual y --predicted y,p",
            &["--predicted names 2 columns", "1"],
        ),
        (
            "t.csv --actual y --predicted p --sds sd --counts y",
            &["y has", "number of raters"],
        ),
        ("a.npy c.npy", &["a.npy", "(15, 2)", "c.npy", "(15, 1)"]),
        ("a.npy", &["second file"]),
    ] {
        scratch.refused(&words(&format!("predictions {line}")), phrases);
    }
}

#[test]
fn bins_are_named_counted_and_written() {
    let scratch = Scratch::new();
    let case = &fixture("bins")[2];
    let [valence, arousal] = ["valence", "arousal"].map(|name| of::<Vec<f64>>(&case[name]));
    let columns = [valence, arousal].map(Array1::from);
    let both = stack(Axis(1), &[columns[0].view(), columns[1].view()]).unwrap();
    scratch.put_npy("r.npy", &both);
    let line = "bins r.npy --valence-edges 3,5 --arousal-edges 3,5";
    let found = scratch.json(&words(&format!("{line} --labels l.npy")));
    let labels = npy_values(&scratch.path("l.npy"));
    let names = labels
        .iter()
        .map(|&bin| &found["bins"][bin as usize]["bin"]);
    let names: Vec<String> = names.map(of).collect();
    assert_eq!(names, of::<Vec<String>>(&case["bins"]));
    assert_eq!(
        keys(&found),
        words("arousal_edges bins left_out min_items n_between n_items n_omitted valence_edges")
    );
    let text = scratch.ok(&words(&format!("{line} --min-items 200 --format text")));
    assert_eq!(text.matches("too few").count(), 9, "{text}");
    let three = scratch.json(&words(
        "bins r.npy --valence-only --valence-edges 4.3,6,0.5",
    ));
    assert_eq!(three["bins"].as_array().unwrap().len(), 3);
    assert!(three["n_between"].as_u64().unwrap() > 0);

    scratch.put("r.csv", b"image,Valence_mean,arousal\na,1,7\nb,,2\nc,4,4\n");
    let moved = scratch.json(&words(
        "bins r.csv --scale 1,7 --rescale 1,9 --nan omit --valence-edges 4.9,5.1",
    ));
    assert_eq!(
        (&moved["n_items"], &moved["n_omitted"]),
        (&2.into(), &1.into())
    );
    assert_eq!(
        (&moved["bins"][0]["n_items"], &moved["bins"][4]["n_items"]),
        (&1.into(), &1.into())
    );
    for (line, phrases) in [
        ("r.csv", &["item 1", "lacks a rating", "--nan omit"][..]),
        (
            "r.csv --nan omit --scale 1,6",
            &["r.csv", "rating 7", "from 1 to 6"],
        ),
        ("r.npy --scale 9,1", &["from 9 to 1"]),
        ("r.npy --valence-edges 3", &["unknown edges", "tertiles"]),
        ("r.npy --valence-edges 5,3", &["5", "3", "valence"]),
        ("r.npy --valence x", &["r.npy is none"]),
    ] {
        scratch.refused(&words(&format!("bins {line}")), phrases);
    }
}

/// The counts that `visual-emotion` states for the norms.
#[test]
fn the_bins_of_oasis_are_those_of_its_norms() {
    let Some(folder) = real_data("the_bins_of_oasis_are_those_of_its_norms") else {
        return;
    };
    let file = folder.join("oasis_affective/OASIS.csv");
    let scratch = Scratch::new();
    let count = |arousal: &str| {
        let file = file.to_str().unwrap();
        let mut line = words("--scale 1,7 --valence-edges 3,5 --arousal-edges");
        line.extend([arousal]);
        scratch.json(&[&["bins", file], &line[..]].concat())
    };
    let counts = |found: &Value| -> Vec<usize> {
        let bins = found["bins"].as_array().unwrap();
        bins.iter().map(|bin| of(&bin["n_items"])).collect()
    };
    let wide = count("3,5");
    assert_eq!(counts(&wide), [16, 9, 11, 142, 256, 290, 4, 156, 16]);
    assert_eq!(wide["left_out"], json!(["HM", "LN"]));
    let narrow = count("3,4");
    assert_eq!(narrow["left_out"], json!(["LN"]));
    assert_eq!(counts(&narrow).iter().sum::<usize>(), 900);
}

/// Responses of 90 items by 6 units, of which two follow valence and arousal, and the ratings.
fn units(scratch: &Scratch) {
    let ratings = noise(90, 2, 8).mapv(|v| 5.0 + 3.9 * v.clamp(-1.0, 1.0));
    let mut x = noise(90, 6, 9);
    scratch.put_npy("before.npy", &x);
    for (mut row, rating) in x.rows_mut().into_iter().zip(ratings.rows()) {
        row[0] += f64::from(u8::from(rating[0] > 6.4)) * 3.0;
        row[1] += f64::from(u8::from(rating[0] < 3.6 && rating[1] > 6.4)) * 6.0;
    }
    scratch.put_npy("x.npy", &x);
    scratch.put_npy("r.npy", &ratings);
}

#[test]
fn units_are_counted_by_layer_and_compared() {
    let scratch = Scratch::new();
    units(&scratch);
    let line = "emotion-selectivity x.npy --ratings r.npy --min-items 5 --layers LA=0:2,B=2:6 \
                --valence-edges tertiles --arousal-edges tertiles";
    let found = scratch.json(&words(&format!(
        "{line} --before before.npy --resamples 40 --shuffles 19 --selective s.npy --curves c.npy"
    )));
    let layers = found["layers"].as_array().unwrap();
    assert_eq!(keys(&layers[0]), words("any bins n_units name share"));
    assert_eq!(
        keys(&layers[0]["any"]),
        words(
            "before bin by_chance difference difference_interval difference_p difference_sem n p sem"
        )
    );
    assert_eq!(
        (&layers[0]["name"], &layers[0]["any"]["n"]),
        (&"LA".into(), &2.into())
    );
    assert!(of::<f64>(&layers[0]["any"]["p"]) < 0.11, "{}", layers[0]);
    assert!(npy_header(&scratch.path("s.npy")).contains("(9, 6)"));
    assert!(npy_header(&scratch.path("c.npy")).contains("(2, 6, 9)"));
    let one = scratch.ok(&words(&format!("{line} --resamples 40 --threads 1")));
    assert_eq!(
        one,
        scratch.ok(&words(&format!("{line} --resamples 40 --threads 2")))
    );
    let text = scratch.ok(&words(&format!("{line} --format text")));
    assert_eq!(text.lines().count(), 1 + 2 * 10, "{text}");

    let same = scratch.json(&words("overlap-units s.npy s.npy"));
    let n: Vec<u64> = same["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| of(&s["n_both"]))
        .collect();
    let total = npy_values(&scratch.path("s.npy")).iter().sum::<f64>();
    assert_eq!(
        (n.iter().sum::<u64>() as f64, &same["n_units"]),
        (total, &6.into())
    );

    scratch.put_npy("short.npy", &noise(89, 6, 9));
    for (line, phrases) in [
        (
            "emotion-selectivity x.npy --ratings r.npy --min-items 99",
            &["0 of 9 bins", "99"][..],
        ),
        (
            "emotion-selectivity short.npy --ratings r.npy",
            &["short.npy has 89", "90"],
        ),
        (
            "emotion-selectivity x.npy --ratings r.npy --before before.npy",
            &["--resamples"],
        ),
        (
            "emotion-selectivity x.npy --ratings r.npy --min-items 2 --layers LA=0:7",
            &["LA", "0 to 7"],
        ),
        (
            "emotion-selectivity x.npy --ratings r.npy --layers LA",
            &["LA=0:768"],
        ),
        ("overlap-units x.npy s.npy", &["0 and 1", "x.npy"]),
        (
            "geometry short.npy --ratings r.npy",
            &["short.npy has 89", "90"],
        ),
        (
            "geometry x.npy --ratings r.npy --models plain",
            &["unknown model of emotion", "plane"],
        ),
    ] {
        scratch.refused(&words(line), phrases);
    }
}

#[test]
fn geometries_agree_with_scipy() {
    let scratch = Scratch::new();
    let case = &fixture("geometry")[0];
    scratch.put_npy("p.npy", &matrix(&case["patterns"]));
    scratch.put_npy("r.npy", &matrix(&case["ratings"]));
    for similarity in ["spearman", "pearson"] {
        let line = format!(
            "geometry p.npy p.npy --ratings r.npy --models plane,valence,arousal --similarity {similarity}"
        );
        let found = scratch.json(&words(&line));
        let layer = &found["layers"][1];
        close(&layer["participation_ratio"], of(&case["participation"]));
        for (k, model) in ["plane", "valence", "arousal"].into_iter().enumerate() {
            close(&layer["scores"][model], of(&case[similarity][k]));
        }
    }
    let text = scratch.ok(&words("geometry p.npy --ratings r.npy --format text"));
    assert!(
        text.starts_with("layer") && text.contains("category"),
        "{text}"
    );
}

#[test]
fn regions_agree_with_scipy() {
    let scratch = Scratch::new();
    let case = fixture("region");
    let all: Vec<Vec<Vec<Option<f64>>>> = of(&case["responses"]);
    let shape = (all.len(), all[0].len(), all[0][0].len());
    let values = all
        .concat()
        .concat()
        .into_iter()
        .map(|v| v.unwrap_or(f64::NAN));
    let responses = Array3::from_shape_vec(shape, values.collect()).unwrap();
    npy::write(scratch.path("x.npy"), responses.view()).unwrap();
    let model = Array1::from(of::<Vec<f64>>(&case["model"]));
    npy::write(scratch.path("m.npy"), model.view()).unwrap();
    scratch.put_npy("c.npy", &matrix(&case["controls"]));
    let line = "region-rsa x.npy --group g.npy --subjects s.npy --models m.npy --controls c.npy \
                --permutations 99 --resamples 20";
    let found = scratch.json(&words(line));
    expect(&found["models"][0], &case, &["score", "partial"]);
    for (k, expected) in of::<Vec<f64>>(&case["group"]).into_iter().enumerate() {
        close(&npy_values(&scratch.path("g.npy"))[k].into(), expected);
    }
    assert!(npy_header(&scratch.path("s.npy")).contains("(4, 21)"));
    assert_eq!(
        (&found["n_missing"], &found["n_voxels"]),
        (&36.into(), &15.into())
    );
    let alone = scratch.json(&words("region-rsa x.npy"));
    assert_eq!(alone["models"], Value::Null);
    let text = scratch.ok(&words(&format!("{line} --format text")));
    assert!(text.contains("noise ceiling"), "{text}");
    scratch.put_npy("flat.npy", &Array2::ones((3, 4)));
    scratch.refused(
        &words("region-rsa flat.npy"),
        &["flat.npy", "(subjects, images, voxels)"],
    );
}
