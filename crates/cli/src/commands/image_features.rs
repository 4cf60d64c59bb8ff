//! `consilience image-features`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use consilience::io::image;
use consilience::methods::lowlevel::{ImageFeature, ImageFeatureParams, image_features};
use ndarray::{Array2, Array3};
use rayon::prelude::*;
use serde_json::json;

use super::boxes::{OrientationTags, names};
use crate::arrays::Output;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// pixels, luminance, gist, spectrum
    #[arg(long, value_name = "NAME", default_value = "pixels")]
    feature: ImageFeature,
    /// Side of the square that pictures are brought to; default: 32 (pixels), 64 (gist), 128 (spectrum)
    #[arg(long, value_name = "N")]
    size: Option<usize>,
    /// Orientations; default: 8 (gist), 4 (spectrum)
    #[arg(long, value_name = "N")]
    orientations: Option<usize>,
    /// Scales of gist
    #[arg(long, value_name = "N", default_value_t = 4)]
    scales: usize,
    /// Cells along a side of the grid of gist
    #[arg(long, value_name = "N", default_value_t = 4)]
    grid: usize,
    /// Orientation tags of photographs
    #[arg(long, value_name = "HOW", value_enum, default_value = "ignore")]
    orientation: OrientationTags,
    #[command(flatten)]
    output: Output,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let params = ImageFeatureParams {
        feature: args.feature,
        size: args.size,
        orientations: args.orientations,
        scales: args.scales,
        grid: args.grid,
    };
    params.validate()?;
    let paths = super::extract::images(&args.images)?;
    // One picture at a time for each thread: all of them may not fit into memory.
    let rows: Vec<Array2<f64>> = paths
        .par_iter()
        .map(|path| features(path, args.orientation, &params))
        .collect::<Result<_>>()?;
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    let features = ndarray::concatenate(ndarray::Axis(0), &views)?;
    let json = || {
        json!({
            "feature": args.feature.to_string(),
            "images": names(&paths),
            "features": features.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>(),
        })
    };
    args.output.write(features.view(), json, out)
}

/// The row of one picture.
fn features(
    path: &Path,
    orientation: OrientationTags,
    params: &ImageFeatureParams,
) -> Result<Array2<f64>> {
    let picture = image::read_oriented(path, orientation.into())?;
    let values: Vec<f64> = picture
        .pixels
        .iter()
        .map(|&v| f64::from(v) / 255.0)
        .collect();
    let picture = Array3::from_shape_vec((picture.height, picture.width, 3), values)?;
    image_features(&[picture.view()], params).with_context(|| path.display().to_string())
}
