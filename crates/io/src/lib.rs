//! Files to nouns and back, one module a format.
//!
//! Every reader takes bytes or a path, the [`Limits`] it must stay in, and gives plain data. A file is
//! never trusted: what its header claims is compared with the bytes that are there before memory is
//! reserved, nothing in it is executed, and a damaged file is an [`IoError`] that says what is
//! wrong, what was found, what was expected and what to do.
//!
//! | module | format | reads | writes |
//! |---|---|---|---|
//! | [`npy`] | NumPy array | yes | yes |
//! | [`npz`] | NumPy archive | yes | yes |
//! | [`mat`] | MATLAB 5–7.2 | yes | – |
//! | [`nifti`] | NIfTI-1 and NIfTI-2 (`.nii`, `.nii.gz`, `.hdr`/`.img`) | yes | yes |
//! | [`table`] | CSV and TSV | yes | yes |
//! | [`long`] | tables with a trial or a rating a row, as matrices | yes | – |
//! | [`ratings`] | tables of ratings of pictures | yes | – |
//! | [`betas`] | patterns for pictures, from volumes or matrices and trials | yes | – |
//! | [`events`] | events and confounds of a run (BIDS) | yes | – |
//! | [`arrangement`] | trials as CSV and JSON, Meadows' trees and `.mat` | yes | – |
//! | [`weights`] | safetensors, PyTorch `.pth` (both forms), darknet `.weights` | yes | safetensors |
//! | [`image`] | PNG, JPEG, BMP | yes | PNG |
//! | [`video`] | H.264 in MP4 and MOV; others through FFmpeg | yes | – |
//!
//! [`source`] picks a reader by what an argument such as `file.npz:key` names, [`rdms`] turns what
//! was read into RDMs, [`atomic`] writes files that appear whole or not at all, [`hash`] names their
//! content, and [`catalogue`], [`download`] and [`unpack`] fetch public data sets.
//!
//! # Not here
//!
//! MATLAB 4 and 7.3 files, pickled objects that are no tensors, pictures of other kinds:
//! each is refused with the way round it.

pub mod arrangement;
mod array;
pub mod atomic;
pub mod betas;
pub mod catalogue;
pub mod download;
mod error;
pub mod events;
pub mod hash;
pub mod image;
mod limits;
pub mod long;
pub mod mat;
pub mod nifti;
pub mod npy;
pub mod npz;
mod pictures;
pub mod ratings;
pub mod rdms;
pub mod source;
pub mod table;
pub mod unpack;
pub mod video;
pub mod weights;

pub use array::{AnyArray, Dtype, Element};
pub use error::{IoError, Named, Result};
pub use limits::Limits;
