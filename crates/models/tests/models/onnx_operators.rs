//! Every form of an operator against ONNX Runtime on the file as it was written.
//!
//! Expected values: `fixtures/onnx/expected.safetensors`, computed by
//! `fixtures/generate/onnx_operators.py` (onnxruntime 1.31) from the `.onnx` files beside it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::common::onnx_runtime;
use consilience_io::weights::Weights;
use consilience_models::{ExecutorChoice, executor, onnx};
use ndarray::{ArrayD, Ix4};

/// What rten refuses; everything else it must do, and nothing wrongly.
const RTEN_LACKS: &[&str] = &[
    "arg_max_last",
    "average_pool_dilated",
    "average_pool_same_lower",
    "conv_same_lower",
    "conv_transpose_shape",
    "grid_sample_bicubic_border",
    "grid_sample_bicubic_reflection",
    "grid_sample_bicubic_zeros",
    "grid_sample_bilinear_border",
    "grid_sample_bilinear_reflection",
    "grid_sample_nearest_border",
    "grid_sample_nearest_reflection",
    "grid_sample_nearest_zeros",
    "max_pool_dilated",
    "max_pool_same_lower",
    "resize_antialias",
    "resize_cubic",
    "resize_symmetric",
];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/onnx"))
}

fn expected() -> (ArrayD<f32>, Vec<(String, ArrayD<f32>)>) {
    let file = Weights::read(folder().join("expected.safetensors")).unwrap();
    let mut tensors: Vec<(String, ArrayD<f32>)> = file
        .tensors()
        .iter()
        .map(|(name, array)| (name.clone(), array.to_owned()))
        .collect();
    let x = tensors.iter().position(|(name, _)| name == "x").unwrap();
    (tensors.remove(x).1, tensors)
}

#[test]
fn both_executors_give_what_the_file_means() {
    let (x, cases) = expected();
    let x = x.into_dimensionality::<Ix4>().unwrap();
    let mut choices = vec![ExecutorChoice::Rten];
    if onnx_runtime("both_executors_give_what_the_file_means") {
        choices.push(ExecutorChoice::OnnxRuntime);
    }
    let mut faults = Vec::new();
    for (name, expected) in &cases {
        let bytes = std::fs::read(folder().join(format!("{name}.onnx"))).unwrap();
        let graph = onnx::read(bytes.into()).unwrap_or_else(|e| panic!("{name}: {e}"));
        for &choice in &choices {
            let outcome = executor::load(choice, &graph, 1)
                .and_then(|(_, mut executors)| executors[0].run(x.view()));
            // Half precision rounds to 2⁻¹¹, which the widened network does not.
            let tolerance = if name.starts_with("half") { 1e-3 } else { 2e-6 };
            let lacks = choice == ExecutorChoice::Rten && RTEN_LACKS.contains(&name.as_str());
            match outcome.as_deref() {
                Err(_) if lacks => {}
                Ok(_) if lacks => faults.push(format!("{name}: {choice} has it by now")),
                Ok([Some(found)]) if found.shape() == expected.shape() => {
                    let scale = expected.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
                    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
                    // NaN counts as different.
                    let n = differences
                        .filter(|d| d.is_nan() || *d > tolerance * scale)
                        .count();
                    if n > 0 {
                        faults.push(format!("{name} {choice}: {n} of {} differ", expected.len()));
                    }
                }
                Ok([Some(found)]) => faults.push(format!(
                    "{name} {choice}: shape {:?}, expected {:?}",
                    found.shape(),
                    expected.shape()
                )),
                other => faults.push(format!("{name} {choice}: {other:?}")),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_is_expected() {
    let (_, cases) = expected();
    let cases: BTreeSet<String> = cases.into_iter().map(|(name, _)| name).collect();
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            Some(name.strip_suffix(".onnx")?.to_owned())
        })
        .collect();
    assert_eq!(cases, files);
}
