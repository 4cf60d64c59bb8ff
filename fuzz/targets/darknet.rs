#![no_main]

use consilience_io::weights::darknet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(weights) = darknet::from_bytes(bytes) {
        assert!(4 * weights.values.len() < bytes.len());
    }
});
