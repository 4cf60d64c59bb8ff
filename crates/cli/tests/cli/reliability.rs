//! Reliability of ratings and responses, low-level controls, RDMs over time, patterns with patterns.

use consilience::io::npy;
use ndarray::{Array2, Array3, array, s};

use crate::support::{Scratch, assert_close, encode, noise, npy_header, npy_values, words};

/// 30 items, 5 raters who share a true value.
fn ratings() -> Array2<f64> {
    let own = noise(30, 5, 4);
    let shared = noise(30, 1, 5);
    own + &shared * 2.0
}

#[test]
fn ratings_have_a_coefficient_with_interval_and_test() {
    let scratch = Scratch::new();
    scratch.put_npy("r.npy", &ratings());
    let alpha = scratch.json(&words("reliability r.npy --coefficient alpha --seed 3"));
    // k/(k−1)·(1 − Σ variances / variance of the sum)
    let ratings = ratings();
    let variances: f64 = ratings.columns().into_iter().map(|c| c.var(1.0)).sum();
    let expected = 1.25 * (1.0 - variances / ratings.sum_axis(ndarray::Axis(1)).var(1.0));
    assert_close(&[alpha["value"].as_f64().unwrap()], &[expected], 1e-12);
    assert_close(
        &[alpha["ceiling"].as_f64().unwrap()],
        &[expected.sqrt()],
        1e-12,
    );
    assert_eq!(alpha["p"].as_f64().unwrap(), 1.0 / 1001.0);
    let ci: Vec<f64> = serde_json::from_value(alpha["ci"].clone()).unwrap();
    assert!(ci[0] < expected && expected < ci[1]);

    let half = scratch.json(&words("reliability r.npy --over raters --resamples 0"));
    assert_eq!(
        (&half["coefficient"], &half["splits"]),
        (&"split-half".into(), &10.into())
    );
    let text = scratch.ok(&words(
        "reliability r.npy --coefficient pairwise --format text",
    ));
    assert!(text.starts_with("pairwise 0."), "{text}");
}

#[test]
fn responses_have_an_array_a_quantity() {
    let scratch = Scratch::new();
    let signal = noise(40, 3, 1);
    let mut responses = Array3::from_shape_fn((4, 40, 3), |(r, stimulus, channel)| {
        signal[[stimulus, channel]] + 0.5 * noise(4 * 40, 3, 2)[[r * 40 + stimulus, channel]]
    });
    responses.slice_mut(s![.., .., 2]).fill(1.0);
    npy::write(scratch.path("y.npy"), responses.view()).unwrap();
    scratch.ok(&words("reliability y.npy --coefficient ncsnr --out out"));
    for name in ["ncsnr", "explainable_variance", "ci_low", "ci_high", "p"] {
        let path = scratch.path(&format!("out/{name}.npy"));
        assert!(npy_header(&path).contains("'shape': (3,)"), "{name}");
        let values = npy_values(&path);
        assert!(values[..2].iter().all(|v| v.is_finite()), "{name}");
        assert!(values[2].is_nan(), "{name}");
    }
    let summary = std::fs::read_to_string(scratch.path("out/summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["undefined"][0]["channel"], 2);
    let reason = summary["undefined"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("all the same"), "{reason}");
    scratch.ok(&words(
        "reliability y.npy --coefficient pairwise --out pairs --permutations 0",
    ));
    assert!(
        npy_values(&scratch.path("pairs/p.npy"))
            .iter()
            .all(|p| p.is_nan())
    );
    assert!(npy_values(&scratch.path("pairs/value.npy"))[0] > 0.5);
}

#[test]
fn reliability_that_is_undefined_is_refused() {
    let scratch = Scratch::new();
    scratch.put_npy("one.npy", &noise(9, 1, 1));
    scratch.refused(
        &["reliability", "one.npy"],
        &["one.npy", "1 rater", "at least 2"],
    );
    scratch.put_npy("r.npy", &ratings());
    for (line, phrases) in [
        (
            "reliability r.npy --coefficient ncsnr",
            &["r.npy", "responses"][..],
        ),
        (
            "reliability r.npy --out out",
            &["r.npy", "--out", "ratings"],
        ),
        (
            "reliability r.npy --coefficient beta",
            &["beta", "split-half"],
        ),
        ("reliability r.npy --splits 0", &["splits"]),
    ] {
        scratch.refused(&words(line), phrases);
    }
    let constant = Array3::<f64>::ones((3, 5, 2));
    npy::write(scratch.path("c.npy"), constant.view()).unwrap();
    scratch.refused(&["reliability", "c.npy"], &["c.npy", "2 channels", "--out"]);
    scratch.refused(
        &words("reliability c.npy --coefficient ncsnr --out out"),
        &["c.npy", "no channel", "all the same"],
    );
    assert!(!scratch.path("out").exists());
}

#[test]
fn pictures_have_low_level_features() {
    let scratch = Scratch::new();
    scratch.put("p/a.png", &encode(8, |_, _| [255, 255, 255]));
    scratch.put(
        "p/b.png",
        &encode(8, |x, _| if x < 4 { [0; 3] } else { [255; 3] }),
    );
    scratch.ok(&words(
        "image-features --images p --feature luminance --out f.npy",
    ));
    assert_close(
        &npy_values(&scratch.path("f.npy")),
        &[1.0, 0.0, 0.5, 0.5],
        1e-12,
    );
    let found = scratch.json(&words("image-features --images p --size 2 --format json"));
    assert_eq!(found["images"], serde_json::json!(["a.png", "b.png"]));
    assert_eq!(found["features"][1].as_array().unwrap().len(), 12);
    for feature in ["gist", "spectrum"] {
        scratch.ok(&[
            "image-features",
            "--images",
            "p",
            "--feature",
            feature,
            "--out",
            "f.npy",
        ]);
        assert!(
            npy_values(&scratch.path("f.npy"))
                .iter()
                .all(|v| v.is_finite())
        );
    }
    scratch.refused(
        &words("image-features --images p --feature gist --size 60"),
        &["side of the square", "60", "power of two"],
    );
}

#[test]
fn patterns_over_time_have_an_rdm_a_window() {
    let scratch = Scratch::new();
    let patterns = Array3::from_shape_fn((3, 2, 5), |(row, channel, time)| {
        (row * (time + 1)) as f64 + channel as f64
    });
    npy::write(scratch.path("x.npy"), patterns.view()).unwrap();
    let line = "rdm x.npy --dissimilarity sqeuclidean --window 2 --step 2";
    let movie = scratch.json(&[&words(line)[..], &["--format", "json"]].concat());
    assert_eq!(movie["windows"], serde_json::json!([[0, 2], [2, 4]]));
    // Rows differ by the mean of t + 1 in each of two channels.
    assert_close(
        &serde_json::from_value::<Vec<f64>>(movie["rdms"][0].clone()).unwrap(),
        &[4.5, 18.0, 4.5],
        1e-12,
    );
    scratch.ok(&[&words(line)[..], &["--out", "d.npy"]].concat());
    assert!(npy_header(&scratch.path("d.npy")).contains("'shape': (2, 3)"));
    scratch.refused(&words("rdm x.npy --window 6"), &["x.npy", "time points"]);
    scratch.put_npy("flat.npy", &noise(4, 3, 1));
    scratch.refused(&words("rdm flat.npy --window 2"), &["flat.npy", "--window"]);
}

#[test]
fn patterns_are_compared_with_patterns() {
    let scratch = Scratch::new();
    let x = noise(12, 3, 1);
    let turned = x.dot(&array![[0.0, -2.0, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, 2.0]]);
    scratch.put_npy("x.npy", &x);
    scratch.put_npy("y.npy", &turned);
    for (measure, expected) in [("cka", 1.0), ("cca", 1.0), ("svcca", 1.0)] {
        let found = scratch.json(&["compare-patterns", "x.npy", "y.npy", "--measure", measure]);
        assert_close(&[found["value"].as_f64().unwrap()], &[expected], 1e-9);
    }
    let text = scratch.ok(&words(
        "compare-patterns x.npy y.npy --measure procrustes --format text",
    ));
    assert!(text.starts_with("procrustes 0.0000"), "{text}");
    scratch.put_npy("short.npy", &noise(11, 3, 1));
    scratch.refused(
        &["compare-patterns", "x.npy", "short.npy"],
        &["short.npy", "12", "11"],
    );
}

#[test]
fn ceilings_are_tested_on_demand() {
    let scratch = Scratch::new();
    let rdms = &noise(4, 45, 1).mapv(f64::abs) + &noise(1, 45, 2).mapv(|v| 3.0 * v.abs());
    scratch.put_npy("d.npy", &rdms);
    let plain = scratch.json(&words("ceiling d.npy --similarity pearson"));
    let tested = scratch.json(&words(
        "ceiling d.npy --similarity pearson --permutations 199 --seed 2",
    ));
    assert_eq!(
        (&plain["lower"], &plain["upper"]),
        (&tested["lower"], &tested["upper"])
    );
    assert_eq!(tested["p"].as_f64().unwrap(), 0.005);
    let ci: Vec<f64> = serde_json::from_value(tested["lower_ci"].clone()).unwrap();
    let lower = tested["lower"].as_f64().unwrap();
    assert!(ci[0] < lower && lower < ci[1]);
    let text = scratch.ok(&words("ceiling d.npy --permutations 19 --format text"));
    assert!(
        text.contains("95 % interval") && text.contains("\np 0.05"),
        "{text}"
    );
}
