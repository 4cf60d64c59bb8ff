//! `consilience importance`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::npy;
use consilience::methods::objects::{
    BinarySimilarity, CorpusParams, ObjectImportance, ScaleOver, co_occurrence, corpus_importance,
    importance, occurrences,
};
use consilience::models::Preprocessing;
use ndarray::{Array3, Axis, Ix3};
use serde::Deserialize;
use serde_json::json;

use super::objects::{BoxArgs, MapArgs, Objects, line, number};
use crate::{arrays, tables};

const HELP: &str = "\
Example: EmoCAM from pictures to tables

  consilience gradcam --model squeezenet1_1 --images pictures --layer features.12 --out maps
  consilience detect --model yolox_nano --weights yolox_nano.onnx --images pictures --out boxes.csv
  consilience importance --maps maps --boxes boxes.csv --categories usual --out importance

DIR/importance.csv has a row for each box and layer, in pixels of the picture; categories.csv what each category has over the \
pictures; co_occurrence.csv in how many pictures two categories matter, and how similar that is.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Folder that `consilience gradcam` wrote, without --filters
    #[arg(long, value_name = "DIR")]
    maps: PathBuf,
    #[command(flatten)]
    boxes: BoxArgs,
    #[command(flatten)]
    how: MapArgs,
    /// Score that a box has to exceed for its category to occur in a picture
    #[arg(long, value_name = "T", default_value_t = 0.1)]
    occurs_score: f64,
    /// Importance that it has to exceed
    #[arg(long, value_name = "T", default_value_t = 0.3)]
    occurs_importance: f64,
    /// Similarity of occurrences: dice, jaccard, yule
    #[arg(long, value_name = "NAME", default_value = "dice")]
    similarity: BinarySimilarity,
    /// Resamples of pictures for the intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    resamples: usize,
    /// Seed of the resamples
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder for importance.csv, categories.csv, co_occurrence.csv and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What `gradcam` says of its maps.
#[derive(Debug, Deserialize)]
struct Manifest {
    preprocessing: Preprocessing,
    filters: Option<String>,
    images: Vec<MappedImage>,
    layers: Vec<MappedLayer>,
}

#[derive(Debug, Deserialize)]
struct MappedImage {
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct MappedLayer {
    name: String,
    file: String,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let manifest = read_manifest(&args.maps)?;
    let paths: Vec<PathBuf> = manifest.images.iter().map(|i| i.path.clone()).collect();
    let objects = args.boxes.load(&paths)?;
    let mut tables = Tables::new();
    for layer in &manifest.layers {
        let file = args.maps.join(&layer.file);
        let maps = npy::read(&file)?.into_f64().mapv(single);
        let shape = maps.shape().to_vec();
        let maps: Array3<f32> = maps
            .into_dimensionality::<Ix3>()
            .ok()
            .filter(|maps| maps.len_of(Axis(0)) == paths.len())
            .with_context(|| {
                format!(
                    "{} has the shape {shape:?}, expected a map for each of the {} pictures of the manifest; run gradcam again",
                    file.display(),
                    paths.len()
                )
            })?;
        of_layer(
            args,
            &manifest.preprocessing,
            &objects,
            &layer.name,
            &maps,
            &mut tables,
        )
        .with_context(|| format!("{}, {}", file.display(), args.boxes.boxes.display()))?;
    }
    let n_without = objects
        .pictures
        .iter()
        .filter(|(_, o)| o.is_empty())
        .count();
    if n_without > 0 {
        tables::note(&format!(
            "{n_without} of {} pictures have no box",
            paths.len()
        ));
    }
    if tables.n_unseen > 0 {
        tables::note(&format!(
            "{} boxes lie beside what the network saw of their pictures, counted in each layer",
            tables.n_unseen
        ));
    }
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "maps": args.maps.display().to_string(),
        "boxes": args.boxes.boxes.display().to_string(),
        "categories": objects.category_names(),
        "min_score": args.boxes.min_score,
        "map": args.how.as_json(),
        "occurs_score": args.occurs_score,
        "occurs_importance": args.occurs_importance,
        "similarity": args.similarity.to_string(),
        "resamples": args.resamples,
        "seed": args.seed,
        "n_pictures": paths.len(),
        "n_pictures_without_box": n_without,
    });
    arrays::write_text(&args.out.join("importance.csv"), &tables.boxes)?;
    arrays::write_text(&args.out.join("categories.csv"), &tables.categories)?;
    arrays::write_text(&args.out.join("co_occurrence.csv"), &tables.together)?;
    let path = args.out.join("summary.json");
    arrays::write_json(&path, &summary)?;
    writeln!(out, "{}", path.display())?;
    Ok(())
}

fn read_manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join("manifest.json");
    let bytes = std::fs::read(&path)
        .with_context(|| format!("{}; give the folder that gradcam wrote", path.display()))?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .with_context(|| format!("{} is no manifest of gradcam", path.display()))?;
    if let Some(filters) = &manifest.filters {
        bail!(
            "{} holds maps of filters ({filters}); run gradcam without --filters, or measure filters with `consilience sensitivity`",
            folder.display()
        );
    }
    Ok(manifest)
}

/// The tables on their way.
struct Tables {
    boxes: String,
    categories: String,
    together: String,
    n_unseen: usize,
}

impl Tables {
    fn new() -> Self {
        let header = |columns: &str| format!("{columns}\n");
        Self {
            boxes: header(
                "layer,image,class,category,score,x_min,y_min,x_max,y_max,importance,reason",
            ),
            categories: header(
                "layer,category,mean,sd,sem,ci_low,ci_high,n_images,n_boxes,n_left_out",
            ),
            together: header("layer,category_a,category_b,n_images,similarity"),
            n_unseen: 0,
        }
    }
}

fn of_layer(
    args: &Args,
    preprocessing: &Preprocessing,
    objects: &Objects,
    layer: &str,
    maps: &Array3<f32>,
    tables: &mut Tables,
) -> Result<()> {
    let params = args.how.params(ScaleOver::Filter);
    let mut by_picture = Vec::with_capacity(objects.pictures.len());
    for (idx, map) in maps.outer_iter().enumerate() {
        let (picture, all) = &objects.pictures[idx];
        let seen = objects.seen(idx, preprocessing);
        let found = importance(map, seen.picture.size, &seen.picture.objects, &params)?;
        tables.n_unseen += all.len() - seen.kept.len();
        let mut of_categories = Vec::new();
        for (place, object) in all.iter().enumerate() {
            let read = seen.kept.iter().position(|&kept| kept == place);
            let read = read.map(|position| found[position].importance);
            let category = objects.category_of(object.class);
            let reason = match &read {
                None => "beside what the network saw".to_owned(),
                Some(Err(reason)) => reason.to_string(),
                Some(Ok(_)) => String::new(),
            };
            let b = object.bounds;
            let mut cells = vec![
                layer.to_owned(),
                picture.name.clone(),
                objects.classes[object.class].clone(),
                category.map_or_else(String::new, |c| objects.categories[c].name.clone()),
            ];
            let numbers = [object.score, b.left, b.top, b.right, b.bottom];
            cells.extend(numbers.map(|value| value.to_string()));
            cells.extend([number(read.and_then(Result::ok)), reason]);
            tables.boxes += &line(&cells);
            if let Some((class, importance)) = category.zip(read) {
                of_categories.push(ObjectImportance {
                    class,
                    score: object.score,
                    importance,
                });
            }
        }
        by_picture.push(of_categories);
    }
    let corpus = CorpusParams {
        min_score: args.boxes.min_score,
        over_boxes: args.how.over_boxes,
        resamples: args.resamples,
        seed: args.seed,
    };
    let n = objects.categories.len();
    let names = objects.category_names();
    for (name, of) in names
        .iter()
        .zip(corpus_importance(&by_picture, n, &corpus)?)
    {
        let [low, high] = match of.interval {
            Some([low, high]) => [Some(low), Some(high)],
            None => [None, None],
        };
        let mut cells = vec![layer.to_owned(), (*name).to_owned()];
        cells.extend([of.mean, of.sd, of.sem, low, high].map(number));
        cells.extend([of.n_images, of.n_boxes, of.n_left_out].map(|n| n.to_string()));
        tables.categories += &line(&cells);
    }
    let present = occurrences(&by_picture, n, args.occurs_score, args.occurs_importance)?;
    let together = co_occurrence(present.view(), args.similarity)?;
    for (a, first) in names.iter().enumerate() {
        for (b, second) in names.iter().enumerate() {
            let mut cells = [layer, *first, *second].map(str::to_owned).to_vec();
            cells.push(together.counts[[a, b]].to_string());
            cells.push(number(together.similarity[[a, b]]));
            tables.together += &line(&cells);
        }
    }
    Ok(())
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "maps are written with 32 bits"
)]
fn single(value: f64) -> f32 {
    value as f32
}
