//! Gradients and training as a whole, against PyTorch, finite differences and inference.

mod common;

mod gradients;
mod nuclei;
mod operators;
mod training;
mod verify;
