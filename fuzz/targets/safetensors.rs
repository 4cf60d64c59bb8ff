#![no_main]

use consilience_io::Limits;
use consilience_io::weights::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = Weights::from_bytes(bytes, None, &Limits::default()) {
        for (name, tensor) in weights.tensors() {
            assert!(4 * tensor.len() <= 4 * bytes.len(), "{name}");
        }
    }
});
