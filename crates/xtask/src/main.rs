//! Tasks for developers of consilience.
fn main() {}
