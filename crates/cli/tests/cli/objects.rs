//! The steps of Object2Brain, each alone.

use std::fmt::Write;

use consilience::io::weights::Weights;
use ndarray::{Array2, ArrayD, array};

use crate::support::{DEMO_WEIGHTS, Scratch, encode, noise, npy_values};

/// Four pictures with a person on the left and, in two of them, a car on the right.
fn pictures() -> Scratch {
    let scratch = Scratch::new();
    let mut boxes = "image,class,score,x_min,y_min,x_max,y_max\n".to_owned();
    for idx in 0..4 {
        let picture = encode(64, |row, column| {
            [
                (row * 3 + idx * 20) as u8,
                (column * 4) as u8,
                ((row * column) % 251) as u8,
            ]
        });
        scratch.put(&format!("pictures/p{idx}.png"), &picture);
        let _ = writeln!(boxes, "p{idx}.png,person,0.9,0,0,32,64");
        if idx % 2 == 0 {
            let _ = writeln!(boxes, "p{idx}.png,car,0.8,24,0,64,64");
        }
    }
    scratch.put("boxes.csv", boxes.as_bytes());
    scratch.put("demo.safetensors", &std::fs::read(DEMO_WEIGHTS).unwrap());
    scratch
}

const NETWORK: [&str; 6] = [
    "--model",
    "consilience_demo",
    "--weights",
    "demo.safetensors",
    "--images",
    "pictures",
];

fn lines(scratch: &Scratch, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(scratch.path(name)).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn boxes_overlap_and_occur_together() {
    let scratch = pictures();
    let args = ["overlap", "--boxes", "boxes.csv", "--images", "pictures"];
    let found = scratch.json(&args);
    assert_eq!(found["categories"], serde_json::json!(["person", "car"]));
    // Of a person 8 of 32 columns lie in the car, of a car 8 of 40.
    assert_eq!(found["overlap"][0][1], 0.25);
    assert_eq!(found["overlap"][1][0], 0.2);
    assert_eq!(found["co_occurrence"][0][1], 2);
    let usual = [&args[..], &["--categories", "usual", "--format", "text"]].concat();
    let text = scratch.ok(&usual);
    assert!(
        text.contains("Human") && text.contains("Transport"),
        "{text}"
    );
    let none = [&args[..], &["--min-score", "0.95"]].concat();
    scratch.refused(&none, &["no box", "0.95", "--min-score"]);
    scratch.edit("boxes.csv", "p1.png,person", "p9.png,person");
    scratch.refused(&args, &["boxes.csv", "p9.png"]);
}

#[test]
fn maps_become_importance_and_filters_sensitivity() {
    let scratch = pictures();
    let maps = [
        &["gradcam"],
        &NETWORK[..],
        &["--layer", "pool2", "--out", "maps"],
    ]
    .concat();
    scratch.ok(&maps);
    let importance = [
        "importance",
        "--maps",
        "maps",
        "--boxes",
        "boxes.csv",
        "--out",
        "out",
    ];
    scratch.ok(&importance);
    let rows = lines(&scratch, "out/importance.csv");
    assert_eq!(rows.len(), 1 + 6);
    assert!(
        rows[1].starts_with("pool2,p0.png,person,person,0.9,0,0,32,64,0."),
        "{}",
        rows[1]
    );
    let categories = lines(&scratch, "out/categories.csv");
    assert_eq!(categories.len(), 1 + 2);
    assert!(categories[2].ends_with(",2,2,0"), "{}", categories[2]);
    assert_eq!(lines(&scratch, "out/co_occurrence.csv").len(), 1 + 4);

    let sensitivity = [
        &["sensitivity"],
        &NETWORK[..],
        &[
            "--layer",
            "pool1,pool2",
            "--boxes",
            "boxes.csv",
            "--top",
            "3",
            "--out",
            "filters",
        ],
    ]
    .concat();
    scratch.ok(&sensitivity);
    // Three filters for each of two categories at two layers.
    assert_eq!(lines(&scratch, "filters/filters.csv").len(), 1 + 12);
    let first = &lines(&scratch, "filters/sensitivity.csv")[1];
    assert!(first.starts_with("pool1,0,person,"), "{first}");
    let strict = [&sensitivity[..], &["--min-images", "5"]].concat();
    scratch.refused(&strict, &["no category", "--min-images"]);

    let filters = [&maps[..], &["--filters"]].concat();
    scratch.ok(&filters);
    scratch.refused(&importance, &["maps of filters", "consilience sensitivity"]);
}

fn put_head(scratch: &Scratch, name: &str, weights: &[f32], bias: f32) {
    let row = ArrayD::from_shape_vec(vec![1, weights.len()], weights.to_vec()).unwrap();
    let bias = ArrayD::from_elem(vec![1], bias);
    let tensors = [("weight".to_owned(), row), ("bias".to_owned(), bias)];
    let head = Weights::new(tensors.into_iter().collect());
    head.write(scratch.path(name)).unwrap();
}

#[test]
fn lesions_change_correlations() {
    let scratch = Scratch::new();
    // The first of six filters is the rating, the others are noise of which little is read.
    let mut x = noise(30, 6, 1);
    let target: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30) / 10.0).collect();
    x.column_mut(0).assign(&ndarray::aview1(&target));
    scratch.put_npy("x.npy", &x);
    let targets = Array2::from_shape_vec((30, 1), target.clone()).unwrap();
    scratch.put_npy("t.npy", &targets);
    put_head(
        &scratch,
        "a.safetensors",
        &[1.0, 0.05, 0.05, 0.05, 0.05, 0.05],
        0.3,
    );
    put_head(
        &scratch,
        "b.safetensors",
        &[1.0, 0.1, 0.0, 0.1, 0.0, 0.1],
        -1.0,
    );
    scratch.put(
        "f.csv",
        b"layer,category,filter\nlast,Human,0\nlast,Plants,3\nlast,Plants,4\n",
    );
    let args = [
        "lesion",
        "x.npy",
        "--head",
        "a.safetensors",
        "--head",
        "b.safetensors",
        "--filters",
        "f.csv",
        "--targets",
        "t.npy",
        "--random-sets",
        "50",
    ];
    let found = scratch.json(&args);
    let [human, plants] = [0, 1].map(|idx| &found["effects"][idx]);
    assert_eq!(
        (&human["filters"], &plants["n_filters"]),
        (&"Human".into(), &2.into())
    );
    let delta = |effect: &serde_json::Value| effect["delta"].as_f64().unwrap();
    assert!(delta(human) < -0.5 && delta(plants).abs() < 0.1, "{found}");
    // Without the first filter, head a is the mean of the others.
    let rest: Vec<f64> = x
        .rows()
        .into_iter()
        .map(|row| row.iter().skip(1).sum())
        .collect();
    let r = consilience::stats::correlation::pearson(&rest, &target).unwrap();
    let whole: Vec<f64> = x
        .rows()
        .into_iter()
        .map(|row| row[0] + 0.05 * row.iter().skip(1).sum::<f64>())
        .collect();
    let r_whole = consilience::stats::correlation::pearson(&whole, &target).unwrap();
    let of_a = human["models"][0].as_f64().unwrap();
    assert!((of_a - (r - r_whole)).abs() < 1e-5, "{of_a} {r} {r_whole}");
    // One of six random sets is the selected one.
    assert!(human["p_random"].as_f64().unwrap() < 0.7, "{human}");

    let all = [
        &args[..7],
        &["0-5", "--targets", "t.npy", "--random-sets", "0"],
    ]
    .concat();
    let nothing = scratch.json(&all);
    assert!(nothing["effects"][0]["delta"].is_null());
    assert!(
        nothing["effects"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("lesion"),
        "{nothing}"
    );
    let beyond = [&args[..7], &["3,6", "--targets", "t.npy"]].concat();
    scratch.refused(&beyond, &["filter 6", "6 filters"]);
    scratch.put_npy("t.npy", &array![[1.0], [2.0]]);
    scratch.refused(&args, &["t.npy has 2 pictures", "30"]);
}

#[test]
fn brains_rate() {
    let scratch = Scratch::new();
    let ratings = noise(24, 1, 5);
    for (name, seed) in [("one.npy", 6), ("two.npy", 7)] {
        let mut voxels = noise(24, 10, seed);
        for (mut row, rating) in voxels.rows_mut().into_iter().zip(&ratings) {
            row.iter_mut()
                .take(4)
                .for_each(|voxel| *voxel += 2.0 * rating);
        }
        scratch.put_npy(name, &voxels);
    }
    scratch.put_npy("r.npy", &ratings);
    let args = [
        "brain-ratings",
        "one.npy",
        "two.npy",
        "--ratings",
        "r.npy",
        "--folds",
        "6",
        "--out",
        "out",
    ];
    scratch.ok(&args);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scratch.path("out/summary.json")).unwrap()).unwrap();
    assert!(summary["r"].as_f64().unwrap() > 0.6, "{summary}");
    assert_eq!(summary["rows"].as_array().unwrap().len(), 2);
    let mean = npy_values(&scratch.path("out/mean.npy"));
    let rows = npy_values(&scratch.path("out/predictions.npy"));
    assert!((mean[3] - (rows[3] + rows[27]) / 2.0).abs() < 1e-12);
    let wide = [
        "brain-ratings",
        "one.npy",
        "--ratings",
        "one.npy",
        "--out",
        "wide",
    ];
    scratch.refused(&wide, &["--column", "one.npy"]);
    scratch.put_npy("two.npy", &noise(23, 4, 1));
    scratch.refused(&args, &["two.npy", "24", "23"]);
}
