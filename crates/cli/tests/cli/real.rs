//! SqueezeNet against the brain and behaviour data of 92 pictures.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Scratch, real_data};

const STUDY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/kriegeskorte92/study.toml"
);

/// Names of layers in the stored references, and torchvision's.
const LAYERS: [(&str, &str); 10] = [
    ("relu_conv1", "features.1"),
    ("fire2/concat", "features.3"),
    ("fire3/concat", "features.4"),
    ("fire4/concat", "features.6"),
    ("fire5/concat", "features.7"),
    ("fire6/concat", "features.9"),
    ("fire7/concat", "features.10"),
    ("fire8/concat", "features.11"),
    ("fire9/concat", "features.12"),
    ("relu_conv10", "classifier.2"),
];

/// Fewer draws than the study asks for; they change no score and no ceiling.
const FEW_DRAWS: [&str; 4] = [
    "--set",
    "analysis.resamples=50",
    "--set",
    "analysis.permutations=200",
];

fn run(scratch: &Scratch, out: &str, more: &[&str]) -> Value {
    scratch.ok(&[&["run", STUDY, "--out", out][..], &FEW_DRAWS, more].concat());
    scratch.record(out)
}

fn target<'a>(record: &'a Value, name: &str) -> &'a Value {
    let targets = record["analyses"][0]["targets"].as_array().unwrap();
    targets.iter().find(|t| t["name"] == name).unwrap()
}

/// The score of each layer with a target.
fn scores(record: &Value, name: &str) -> BTreeMap<String, f64> {
    let predictors = record["analyses"][0]["predictors"].as_array().unwrap();
    let scores = target(record, name)["scores"].as_array().unwrap();
    predictors
        .iter()
        .zip(scores)
        .map(|(predictor, score)| {
            let layer = predictor["layer"].as_str().unwrap().to_owned();
            (layer, score["estimate"]["value"].as_f64().unwrap())
        })
        .collect()
}

/// The ten layers of the references, by the names in the study.
fn ten_layers() -> String {
    let names: Vec<String> = LAYERS.iter().map(|(_, name)| format!("{name:?}")).collect();
    format!("model.layers=[{}]", names.join(","))
}

#[test]
fn every_layer_against_every_target() {
    let Some(data) = real_data("real::every_layer_against_every_target") else {
        return;
    };
    let scratch = Scratch::with_data(data);
    let record = run(&scratch, "all", &[]);
    // A tensor with two names is shown under one; which is in the plan.
    let plan = scratch.json(&["check", STUDY, "--format", "json"]);
    let planned = plan["models"][0]["layers"].as_array().unwrap();
    let predictors = record["analyses"][0]["predictors"].as_array().unwrap();
    assert_eq!(predictors.len(), planned.len());
    assert!(
        planned.len() >= 60,
        "every layer that torchvision names: {}",
        planned.len()
    );
    let shown = |name: &str| -> String {
        let layer = planned.iter().find(|layer| {
            layer["name"] == name || layer["aliases"].as_array().unwrap().contains(&name.into())
        });
        layer.unwrap()["name"].as_str().unwrap().to_owned()
    };
    let references: Value =
        serde_json::from_slice(&std::fs::read(scratch.data().join("goldens/rsa92.json")).unwrap())
            .unwrap();
    let monkey = scores(&record, "monkey IT");
    for (reference, name) in LAYERS {
        let expected = references["squeezenet_vs_mIT_fig1"][reference]
            .as_f64()
            .unwrap();
        let found = monkey[&shown(name)];
        assert!(
            (found - expected).abs() < 0.03,
            "{name}: {found}, expected {expected}"
        );
    }

    let ceiling = &target(&record, "human IT")["ceiling"];
    for bound in ["lower", "upper"] {
        let expected = references["brain_noise_ceiling_spearman"][bound]
            .as_f64()
            .unwrap();
        let found = ceiling[bound].as_f64().unwrap();
        assert!(
            (found - expected).abs() < 1e-6,
            "{bound}: {found}, expected {expected}"
        );
    }
    assert_eq!(target(&record, "human IT")["n_subjects"], 4);
    let judgements = target(&record, "similarity judgements");
    assert_eq!(judgements["n_subjects"], 16);
    let [lower, upper] =
        ["lower", "upper"].map(|bound| judgements["ceiling"][bound].as_f64().unwrap());
    assert!(
        0.3 < lower && lower < upper && upper < 0.8,
        "{lower} to {upper}"
    );
    assert!(target(&record, "monkey IT")["ceiling"].is_null());

    for name in ["human IT", "monkey IT"] {
        let scores = scores(&record, name);
        let lowest_deep = ["features.11", "features.12"]
            .map(|layer| scores[&shown(layer)])
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        for shallow in [
            "features.0",
            "features.1",
            "features.2",
            "features.3",
            "features.4",
        ] {
            assert!(lowest_deep > scores[&shown(shallow)], "{name}: {shallow}");
        }
    }
    let notes = target(&record, "monkey IT")["notes"].as_array().unwrap();
    assert!(
        !notes.is_empty(),
        "one RDM has no noise ceiling, and that is said"
    );
}

#[test]
fn both_ways_into_the_network_give_the_same_scores() {
    let Some(data) = real_data("real::both_ways_into_the_network_give_the_same_scores") else {
        return;
    };
    let onnx = Scratch::with_data(data);
    let study = std::fs::read_to_string(STUDY).unwrap();
    let from_onnx = study.replace(
        "weights = \"squeezenet1_1/squeezenet1_1.safetensors\"",
        "onnx = \"squeezenet1_1/squeezenet1_1.onnx\"",
    );
    assert_ne!(study, from_onnx);
    onnx.put("onnx.toml", from_onnx.as_bytes());
    let layers = ten_layers();
    let by_name = run(&onnx, "by-name", &["--set", &layers]);
    let args = ["run", "onnx.toml", "--out", "by-onnx", "--set", &layers];
    onnx.ok(&[&args[..], &FEW_DRAWS].concat());
    let by_onnx = onnx.record("by-onnx");
    for name in ["human IT", "monkey IT", "similarity judgements"] {
        let [left, right] = [&by_name, &by_onnx].map(|record| scores(record, name));
        assert_eq!(left.len(), LAYERS.len());
        assert_eq!(
            left.keys().collect::<Vec<_>>(),
            right.keys().collect::<Vec<_>>()
        );
        for (layer, score) in &left {
            let other = right[layer];
            assert!(
                (score - other).abs() < 1e-3,
                "{name} {layer}: {score} and {other}"
            );
        }
    }
}
