#![no_main]

use consilience_models::onnx;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(graph) = onnx::read(bytes.to_vec().into()) {
        let again = onnx::read(onnx::write(&graph).into()).expect("what was read can be written");
        assert_eq!(again.nodes.len(), graph.nodes.len());
    }
});
