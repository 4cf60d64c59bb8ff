//! The network of the demo study: a small convolutional one that the project trained itself.
//!
//! | module | operation | output for a 3 × 64 × 64 picture |
//! |---|---|---|
//! | `conv1`, `relu1`, `pool1` | 3 × 3 convolution, ReLU, 2 × 2 max pooling | 16 × 32 × 32 |
//! | `conv2`, `relu2`, `pool2` | the same | 32 × 16 × 16 |
//! | `conv3`, `relu3`, `pool3` | the same | 64 × 8 × 8 |
//! | `conv4`, `relu4` | 3 × 3 convolution, ReLU | 64 × 8 × 8 |
//! | `avgpool` | mean over the map | 64 |
//! | `fc` | linear | 8, one a [`Category`](super::Category) in the order of `ALL` |
//!
//! Convolutions have one pixel of zero padding and a bias. Pixels are divided by 255, then
//! [`MEAN`] is taken off and the rest divided by [`SD`]. `cargo xtask demo-network` trained it;
//! the header of [`WEIGHTS`] says how and how accurate it is.

/// Name of the architecture.
pub const NAME: &str = "consilience_demo";

/// Weights as a safetensors file: a state dictionary with PyTorch's axis orders, f32.
pub const WEIGHTS: &[u8] = include_bytes!("../../assets/consilience_demo.safetensors");

/// What is taken off every channel.
pub const MEAN: [f32; 3] = [0.5; 3];

/// What every channel is divided by.
pub const SD: [f32; 3] = [0.5; 3];
