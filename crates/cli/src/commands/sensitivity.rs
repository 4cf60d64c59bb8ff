//! `consilience sensitivity`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::io::hash;
use consilience::learn::gradcam::Filters;
use consilience::learn::{GradCam, GradCamParams, Target};
use consilience::methods::MethodsError;
use consilience::methods::objects::{
    ClassRule, Cut, FilterSensitivity, ObjectsError, ScaleOver, SelectParams, SensitivityParams,
    sensitive_filters,
};
use consilience::models::{Edit, ExtractParams, Images};
use consilience::study::Progress;
use serde_json::json;

use super::extract::images;
use super::network::NetworkArgs;
use super::objects::{BoxArgs, MapArgs, Objects, line, number};
use crate::console::Console;
use crate::{arrays, tables};

const HELP: &str = "\
Example: which filters of a layer answer to people, in the network with a rating head?

  consilience sensitivity --model resnet18 --images pictures --layer layer3 --target 0 \\
    --edit 'replace-head layer=fc weights=head.safetensors' \\
    --boxes boxes.csv --categories usual --top-share 0.1 --out filters

DIR/sensitivity.csv: for each layer, filter and class the mean over the pictures that show the class. DIR/filters.csv: the \
filters of each category, as `consilience lesion --filters` takes them. One pass forwards and backwards a picture.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Change of the network, e.g. 'replace-head layer=fc weights=head.safetensors'; may be repeated
    #[arg(long, value_name = "EDIT")]
    edit: Vec<Edit>,
    /// Folder of pictures (natural order of names), or a text file with a path a line
    #[arg(long, value_name = "DIR|LIST.txt")]
    images: PathBuf,
    /// Layers: names or patterns with *, separated by commas
    #[arg(
        long,
        visible_alias = "layers",
        value_name = "GLOB,…",
        value_delimiter = ',',
        required = true
    )]
    layer: Vec<String>,
    /// Output that is explained: its number, or max for each picture's own; 0 for a rating head
    #[arg(long, value_name = "N|max", default_value = "max")]
    target: Target,
    #[command(flatten)]
    boxes: BoxArgs,
    #[command(flatten)]
    how: MapArgs,
    /// Over what maps are scaled: filter, layer
    #[arg(long, value_name = "HOW", default_value = "filter")]
    scale_over: ScaleOver,
    /// How classes make a category: any, mean
    #[arg(long, value_name = "RULE", default_value = "any")]
    class_rule: ClassRule,
    /// Sensitivity above which a filter belongs to a category; default: 0.3
    #[arg(long, value_name = "T")]
    above: Option<f64>,
    /// Instead, how many of the most sensitive filters do
    #[arg(long, value_name = "N", conflicts_with = "above")]
    top: Option<usize>,
    /// Instead, which share of the filters does
    #[arg(long, value_name = "SHARE", conflicts_with_all = ["above", "top"])]
    top_share: Option<f64>,
    /// Pictures that a class needs to be looked at
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_images: usize,
    /// Folder for sensitivity.csv, filters.csv and summary.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let select = SelectParams {
        rule: args.class_rule,
        cut: match (args.top, args.top_share) {
            (Some(n), _) => Cut::Top(n),
            (None, Some(share)) => Cut::TopShare(share),
            (None, None) => Cut::Above(args.above.unwrap_or(0.3)),
        },
        min_images: args.min_images,
    };
    select.validate()?;
    let params = SensitivityParams {
        map: args.how.params(args.scale_over),
        over_boxes: args.how.over_boxes,
        min_score: args.boxes.min_score,
    };
    params.map.validate()?;
    let (network, weights) = args.network.load()?;
    let paths = images(&args.images)?;
    let pictures = Images::Files(&paths);
    let network = network.edited(&args.edit, pictures, &ExtractParams::default())?;
    let selected = network.select(&args.layer)?;
    let objects = args.boxes.load(&paths)?;
    let cam = GradCam::prepare(
        &network,
        &selected,
        &GradCamParams {
            target: args.target,
            filters: Some(Filters::Signed),
        },
    )
    .with_context(|| args.network.model.clone())?;
    for (layer, shape) in &cam.left_out {
        tables::note(&format!(
            "{layer} is left out: its shape {shape:?} has no positions"
        ));
    }
    let mut layers = cam
        .layers
        .iter()
        .map(|layer| FilterSensitivity::new(layer.n_channels, objects.classes.len(), params))
        .collect::<Result<Vec<_>, _>>()?;
    let console = Console::new();
    console.begin("filters", paths.len() as u64);
    cam.run(
        pictures,
        |block| -> Result<()> {
            let seen = objects
                .seen(block.image_idx, &network.preprocessing)
                .picture;
            let found = &mut layers[block.layer_idx];
            found
                .add(block.maps, seen.size, &seen.objects)
                .with_context(|| paths[block.image_idx].display().to_string())
        },
        |done| console.advance_to(done as u64),
    )?;
    console.end();
    let mut tables = Tables::new();
    for (layer, found) in cam.layers.iter().zip(&layers) {
        tables.add(&layer.name, found, &objects, &select)?;
    }
    if tables.n_selected == 0 {
        let notes = tables.notes.join("; ");
        if tables.n_looked_at == 0 {
            bail!("no category can be looked at: {notes}; lower --min-images");
        }
        tables::note("no filter is sensitive to any category; lower --above, or take --top");
    }
    for note in &tables.notes {
        tables::note(note);
    }
    let summary = json!({
        "consilience": env!("CARGO_PKG_VERSION"),
        "model": network.architecture,
        "weights": weights.name(),
        "weights_blake3": weights.blake3()?,
        "edits": args.edit.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "preprocessing": network.preprocessing,
        "target": args.target.to_string(),
        "boxes": args.boxes.boxes.display().to_string(),
        "boxes_blake3": hash::blake3_file(&args.boxes.boxes)?,
        "categories": objects.category_names(),
        "min_score": args.boxes.min_score,
        "map": args.how.as_json(),
        "scale_over": args.scale_over.to_string(),
        "class_rule": args.class_rule.to_string(),
        "cut": match select.cut {
            Cut::Above(least) => json!({ "above": least }),
            Cut::Top(n) => json!({ "top": n }),
            Cut::TopShare(share) => json!({ "top_share": share }),
        },
        "min_images": args.min_images,
        "n_pictures": paths.len(),
        "layers": cam.layers.iter().map(|layer| json!({
            "name": layer.name,
            "n_filters": layer.n_channels,
        })).collect::<Vec<_>>(),
        "notes": tables.notes,
    });
    arrays::write_text(&args.out.join("sensitivity.csv"), &tables.sensitivity)?;
    arrays::write_text(&args.out.join("filters.csv"), &tables.filters)?;
    let path = args.out.join("summary.json");
    arrays::write_json(&path, &summary)?;
    writeln!(out, "{}", path.display())?;
    Ok(())
}

/// The tables on their way.
struct Tables {
    sensitivity: String,
    filters: String,
    notes: Vec<String>,
    /// Categories in enough pictures, and filters of them, over the layers.
    n_looked_at: usize,
    n_selected: usize,
}

impl Tables {
    fn new() -> Self {
        Self {
            sensitivity: "layer,filter,class,mean,sd,n_images\n".to_owned(),
            filters: "layer,category,filter,sensitivity\n".to_owned(),
            notes: Vec::new(),
            n_looked_at: 0,
            n_selected: 0,
        }
    }

    fn add(
        &mut self,
        layer: &str,
        found: &FilterSensitivity,
        objects: &Objects,
        select: &SelectParams,
    ) -> Result<()> {
        let shown = (0..found.n_classes()).filter(|&class| found.n_images()[class] > 0);
        let shown: Vec<usize> = shown.collect();
        for filter in 0..found.n_filters() {
            for &class in &shown {
                self.sensitivity += &line(&[
                    layer.to_owned(),
                    filter.to_string(),
                    objects.classes[class].clone(),
                    number(found.mean(filter, class)),
                    number(found.sd(filter, class)),
                    found.n_images()[class].to_string(),
                ]);
            }
        }
        for category in &objects.categories {
            let of = match sensitive_filters(found, &category.classes, select) {
                Ok(of) => of,
                Err(MethodsError::Objects(rare @ ObjectsError::RareCategory { .. })) => {
                    self.notes
                        .push(format!("{layer}, {}: {rare}", category.name));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            self.n_looked_at += 1;
            self.n_selected += of.filters.len();
            for &filter in &of.filters {
                self.filters += &line(&[
                    layer.to_owned(),
                    category.name.clone(),
                    filter.to_string(),
                    of.sensitivity[filter].to_string(),
                ]);
            }
        }
        Ok(())
    }
}
