//! Readers on real files, on kept inputs of the fuzzers, and downloads from a local server.

mod data;
mod fuzzed;
mod nifti;
mod weights;
