//! Where in pictures their predicted ratings come from, as arrays and figures.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::experiments::module::{Occlusion, Trained};
use consilience::io::atomic::AtomicFolder;
use consilience::io::image::{self, RgbImage};
use consilience::io::{hash, npy};
use consilience::learn::gradcam::seen;
use consilience::methods::occlusion::Windows;
use consilience::models::Preprocessing;
use consilience::models::preprocess::blocks;
use consilience::report::{OccludedPicture, RatingMap, occlusion_svg, png};
use consilience::study::Progress;
use serde_json::{Value, json};

use super::super::super::boxes::write_picture;
use super::super::encoder::Frozen;
use crate::console::Console;
use crate::{arrays, tables};

/// Pictures that are in memory at a time.
const PICTURES: usize = 16;

/// Most pictures whose maps are on the page.
const SHOWN: usize = 12;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct OcclusionArgs {
    /// What each place of the pictures adds to the predictions, found by covering it: folder for RATING.npy (pictures × height ×
    /// width), manifest.json and the maps on the pictures (overlay/NUMBER_PICTURE.svg and .png)
    #[arg(long, value_name = "DIR")]
    occlusion: Option<PathBuf>,
    /// Side of the square patch that covers, in pixels of what the network takes
    #[arg(long, value_name = "N", default_value_t = 32, requires = "occlusion")]
    patch: usize,
    /// Pixels from one place of the patch to the next
    #[arg(long, value_name = "N", default_value_t = 16, requires = "occlusion")]
    stride: usize,
}

/// Where the patch goes and where maps are kept.
pub(super) struct Plan<'a> {
    windows: Windows,
    folder: &'a Path,
    patch: usize,
    stride: usize,
    epoch: Option<usize>,
}

/// Pictures with what is known of them before.
pub(super) struct Pictures<'a> {
    pub paths: &'a [PathBuf],
    pub names: &'a [String],
    /// Which are shown as a few blocks.
    pub blurred: &'a [bool],
}

impl OcclusionArgs {
    pub fn is_wanted(&self) -> bool {
        self.occlusion.is_some()
    }

    /// `None` where no maps are wanted; `epoch` is the one whose weights were asked for.
    pub fn plan(&self, frozen: Option<&Frozen>, epoch: Option<usize>) -> Result<Option<Plan<'_>>> {
        let (Some(folder), Some(frozen)) = (&self.occlusion, frozen) else {
            return Ok(None);
        };
        let Some(size) = frozen.preprocessing().fixed_size() else {
            bail!(
                "maps of all pictures need one size, and the preprocessing leaves it open ({}); give one with --network and --preprocessing",
                frozen.preprocessing()
            );
        };
        let windows = Windows::new(size, self.patch, self.stride)
            .context("--occlusion with --patch and --stride")?;
        Ok(Some(Plan {
            windows,
            folder,
            patch: self.patch,
            stride: self.stride,
            epoch,
        }))
    }
}

impl Plan<'_> {
    /// Makes the maps of all pictures and writes them; gives the figures of the first ones.
    pub fn run(
        &self,
        frozen: &Frozen,
        module: &Trained,
        heads: &[&str],
        pictures: &Pictures<'_>,
    ) -> Result<Vec<String>> {
        let n = pictures.paths.len();
        let [n_rows, n_columns] = self.windows.counts();
        let n_each = 1 + self.windows.len();
        tables::note(&format!(
            "{n_rows} × {n_columns} places of the patch, so {n_each} passes of the network for a picture; pictures: {n}"
        ));
        let files = AtomicFolder::create(self.folder)?;
        let [height, width] = self.windows.size();
        let shape = [n, height, width];
        let mut writers = heads
            .iter()
            .map(|head| {
                npy::Writer::<f32>::create(files.path().join(format!("{head}.npy")), &shape)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let (mut shown, mut listed) = (Vec::new(), Vec::new());
        let reader = frozen.reader(module);
        let console = Console::new();
        console.begin("occlusion", (n * n_each) as u64);
        for first in (0..n).step_by(PICTURES) {
            let rows = first..(first + PICTURES).min(n);
            let as_seen = pictures.paths[rows]
                .iter()
                .map(|path| as_seen(frozen.preprocessing(), path))
                .collect::<Result<Vec<_>>>()?;
            reader.occlude(
                &as_seen,
                &self.windows,
                |idx, found| -> Result<()> {
                    let row = first + idx;
                    for (writer, head) in writers.iter_mut().zip(heads) {
                        let map = &found.maps[output(module, head)];
                        let narrow: Vec<f32> = map.iter().map(|&value| value as f32).collect();
                        writer.append(&narrow)?;
                    }
                    let picture = match pictures.blurred[row] {
                        true => &blocks(&as_seen[idx]),
                        false => &as_seen[idx],
                    };
                    let shown_as = (pictures.names[row].as_str(), pictures.blurred[row]);
                    let svg = self.figure(shown_as, picture, module, heads, &found)?;
                    let stem = pictures.paths[row].file_stem().unwrap_or_default();
                    let stem = format!("overlay/{row:05}_{}", stem.to_string_lossy());
                    let file = |ending: &str| files.path().join(format!("{stem}.{ending}"));
                    write_picture(&file("svg"), svg.as_bytes())?;
                    write_picture(&file("png"), &png(&svg, 2.0)?)?;
                    listed.push(json!({
                        "path": pictures.paths[row].display().to_string(),
                        "blake3": hash::blake3_file(&pictures.paths[row])?,
                        "predicted": predicted(module, heads, &found),
                        "overlay": format!("{stem}.svg"),
                    }));
                    if row < SHOWN {
                        shown.push(svg);
                    }
                    Ok(())
                },
                |done| console.advance_to((first * n_each + done) as u64),
            )?;
        }
        console.end();
        for writer in writers {
            writer.finish()?;
        }
        files.commit()?;
        // The manifest comes last: a folder with a manifest is complete.
        let manifest = self.manifest(module, frozen, heads, listed);
        arrays::write_json(&self.folder.join("manifest.json"), &manifest)?;
        Ok(shown)
    }

    fn figure(
        &self,
        (name, blurred): (&str, bool),
        picture: &RgbImage,
        module: &Trained,
        heads: &[&str],
        found: &Occlusion,
    ) -> Result<String> {
        let maps = heads.iter().map(|&head| {
            let column = output(module, head);
            RatingMap {
                rating: head,
                predicted: found.ratings[column],
                values: found.maps[column]
                    .as_slice()
                    .expect("maps are made row by row"),
            }
        });
        Ok(occlusion_svg(&OccludedPicture {
            name,
            blurred,
            size: [picture.height, picture.width],
            pixels: &picture.pixels,
            patch: self.patch,
            maps: maps.collect(),
        })?)
    }

    fn manifest(
        &self,
        module: &Trained,
        frozen: &Frozen,
        heads: &[&str],
        images: Vec<Value>,
    ) -> Value {
        let [height, width] = self.windows.size();
        let maps: Vec<Value> = heads
            .iter()
            .map(|head| {
                json!({
                    "rating": head,
                    "file": format!("{head}.npy"),
                    "shape": [images.len(), height, width],
                })
            })
            .collect();
        json!({
            "consilience": env!("CARGO_PKG_VERSION"),
            "definition": "mean over the windows that hold a pixel of the prediction of the whole picture minus that with the window covered",
            "units": "points of the rating",
            "scale": module.description.scale,
            "patch": self.patch,
            "stride": self.stride,
            "windows": self.windows.counts(),
            "covered_with": "0 in every channel after preprocessing",
            "module_blake3": module.description.weights_blake3,
            "epoch": self.epoch,
            "encoder": frozen.encoder,
            "preprocessing_text": frozen.preprocessing().to_string(),
            "maps": maps,
            "images": images,
        })
    }
}

/// The picture as the network sees it.
fn as_seen(preprocessing: &Preprocessing, path: &Path) -> Result<RgbImage> {
    let picture = image::read_oriented(path, preprocessing.orientation)?;
    seen(preprocessing, &picture).with_context(|| path.display().to_string())
}

fn output(module: &Trained, head: &str) -> usize {
    let output = module.description.output(head);
    output.expect("heads are what the module rates")
}

fn predicted(module: &Trained, heads: &[&str], found: &Occlusion) -> Value {
    let values = heads.iter().map(|&head| {
        let value = found.ratings[output(module, head)];
        (head.to_owned(), json!(value))
    });
    Value::Object(values.collect())
}
