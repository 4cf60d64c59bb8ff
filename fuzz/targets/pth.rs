#![no_main]

use consilience_io::Limits;
use consilience_io::weights::Weights;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        max_array_bytes: 1 << 20,
        max_values: 1 << 16,
        ..Limits::default()
    };
    let _ = Weights::from_bytes(bytes, None, &limits);
});
