//! Networks as a whole: against other programs, against naive loops, and on files that lie.
//!
//! - `zoo_parity`, `resnet_cifar`, `squeezenet`, `faces`, `darknet`, `detectors`: numbers of peers
//! - `onnx_operators`, `onnx_exports`, `files`: ONNX files of other exporters
//! - `execution`, `edits`, `suffixes`: a small network with random weights, by every executor
//! - `resize`, `films`: from files to what a network sees
//! - `hostile`, `fuzzed`: damaged ONNX files

mod common;

mod darknet;
mod detectors;
mod edits;
mod execution;
mod faces;
mod files;
mod films;
mod fuzzed;
mod hostile;
mod onnx_exports;
mod onnx_operators;
mod resize;
mod resnet_cifar;
mod squeezenet;
mod suffixes;
mod zoo_parity;
