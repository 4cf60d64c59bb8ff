//! The commands, a file each.

use anyhow::{Context, Result};
use consilience::models::Preprocessing;
use consilience::study::file::PreprocessingChoice;

pub mod arrange;
pub mod banded_ridge;
pub mod bins;
pub mod boxes;
pub mod brain_ratings;
pub mod ceiling;
pub mod check;
pub mod compare;
pub mod compare_patterns;
pub mod correlate;
pub mod d_prime;
pub mod data;
pub mod demo;
pub mod detect;
pub mod emotion_selectivity;
pub mod encode;
pub mod error_consistency;
pub mod evaluate;
pub mod explain;
pub mod extract;
pub mod faces;
pub mod geometry;
pub mod gradcam;
pub mod group_tests;
pub mod head;
pub mod image_features;
pub mod importance;
pub mod infer;
pub mod init;
pub mod lesion;
pub mod mantel;
pub mod models;
mod objects;
pub mod odd_one_out;
pub mod overlap;
pub mod overlap_units;
pub mod partition;
pub mod predictions;
pub mod procrustes;
pub mod quantiles;
pub mod rdm;
pub mod region_rsa;
pub mod reliability;
pub mod report;
pub mod ridge;
pub mod run;
pub mod selectivity;
pub mod sensitivity;
pub mod verify;
pub mod welch;

/// What `--preprocessing` asks for, where `usual` is what the weights are used with.
fn preprocessing(argument: &str, usual: &Preprocessing) -> Result<Preprocessing> {
    PreprocessingChoice::from_argument(argument)
        .map_err(anyhow::Error::msg)
        .and_then(|choice| Ok(choice.resolve(usual)?))
        .with_context(|| format!("--preprocessing {argument}"))
}
