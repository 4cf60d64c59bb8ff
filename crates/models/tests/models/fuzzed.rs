//! The inputs that fuzzing the ONNX reader kept (`fuzz/run onnx`).

use consilience_models::onnx;

#[test]
fn onnx_files() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fuzz");
    let packed = std::fs::read(format!("{folder}/onnx.bin")).unwrap();
    let mut rest = packed.as_slice();
    let (mut n_read, mut n_refused) = (0, 0);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (one, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        rest = after;
        match onnx::read(one.to_vec().into()) {
            Ok(graph) => {
                onnx::read(onnx::write(&graph).into()).unwrap();
                n_read += 1;
            }
            Err(_) => n_refused += 1,
        }
    }
    assert!(n_read > 0 && n_refused > 0, "{n_read}, {n_refused}");
}
