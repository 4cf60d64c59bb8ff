//! What a prediction leaves behind: the page, tables and units.

use std::path::Path;

use anyhow::{Result, bail};
use consilience::experiments::module::{Prediction, Trained};
use consilience::io::{image, npy, table};
use consilience::models::preprocess::{blocks, thumbnail};
use consilience::report::{PredictedPicture, predictions_page};
use ndarray::Array2;

use super::super::features::Features;
use super::super::ratings::Ratings;
use crate::tables;

/// Which pictures are among those to be shown as blocks, by file name or the name without its ending.
pub(super) fn blurred(names: &[String], blur: &[String]) -> Result<Vec<bool>> {
    let is = |name: &str, wanted: &str| {
        let path = Path::new(name);
        name == wanted
            || [path.file_name(), path.file_stem()]
                .into_iter()
                .flatten()
                .any(|part| part == wanted)
    };
    let unknown = |wanted: &&String| !names.iter().any(|name| is(name, wanted));
    if let Some(wanted) = blur.iter().find(unknown) {
        bail!(
            "--blur names {wanted:?}, which is none of the {} pictures; write file names as the predictions list them",
            names.len()
        );
    }
    let to_blur = |name: &String| blur.iter().any(|wanted| is(name, wanted));
    Ok(names.iter().map(to_blur).collect())
}

/// Longer side of the pictures on a page, in a table and alone.
const THUMBNAILS: [usize; 2] = [96, 240];

pub(super) fn write_compared(
    path: &Path,
    heads: &[&str],
    names: &[String],
    given: &Ratings,
    predicted: &Array2<f64>,
) -> Result<()> {
    let header: Vec<String> = std::iter::once("Image Name".to_owned())
        .chain(heads.iter().flat_map(|head| {
            let head = capital(head);
            [format!("Actual {head}"), format!("Predicted {head}")]
        }))
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let rows = given
        .rows
        .iter()
        .zip(given.values.rows())
        .map(|(&row, actual)| {
            let pairs = actual.into_iter().zip(predicted.row(row));
            let cells = pairs.flat_map(|(a, p)| [a.to_string(), p.to_string()]);
            std::iter::once(names[row].clone())
                .chain(cells)
                .collect::<Vec<_>>()
        });
    Ok(table::write(path, &header, rows)?)
}

/// One matrix, or one for each nucleus.
pub(super) fn write_units(path: &Path, module: &Trained, predicted: &Prediction) -> Result<()> {
    let wired = module.wired();
    let nuclei = wired.nuclei.iter().zip(wired.ranges());
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
    {
        npy::write(path, predicted.units.view())?;
        let places =
            nuclei.map(|((name, _), range)| format!("{name} {}–{}", range.start, range.end - 1));
        tables::note(&format!(
            "columns of {}, counted from 0: {}",
            path.display(),
            places.collect::<Vec<_>>().join(", ")
        ));
        return Ok(());
    }
    for ((name, _), range) in nuclei {
        let units = predicted.units.slice(ndarray::s![.., range]);
        npy::write(path.join(format!("{name}.npy")), units)?;
    }
    Ok(())
}

/// How pictures are shown on a page.
pub(super) struct Shown<'a> {
    pub names: &'a [String],
    /// Which are shown as a few blocks.
    pub blurred: &'a [bool],
    /// Maps of the first ones.
    pub maps: &'a [String],
}

pub(super) fn page(
    module: &Trained,
    heads: &[&str],
    features: &Features,
    shown: &Shown<'_>,
    ratings: &Array2<f64>,
    given: Option<&Ratings>,
) -> Result<String> {
    let Shown {
        names,
        blurred,
        maps,
    } = *shown;
    let orientation = module
        .description
        .encoder
        .as_ref()
        .map(|encoder| encoder.preprocessing.orientation)
        .unwrap_or_default();
    let mut pictures = Vec::with_capacity(names.len());
    for (row, name) in names.iter().enumerate() {
        let path = features.paths.as_ref().map(|paths| &paths[row]);
        // Pictures that were moved since their features were made are shown by name.
        let png = match path.filter(|path| path.is_file()) {
            None => None,
            Some(path) => {
                let side = THUMBNAILS[usize::from(names.len() == 1)];
                let small = thumbnail(&image::read_oriented(path, orientation)?, side);
                let visible = match blurred[row] {
                    true => blocks(&small),
                    false => small,
                };
                Some(image::encode_png(&visible)?)
            }
        };
        let of = |values: ndarray::ArrayView1<'_, f64>| values.to_vec();
        let actual = given.and_then(|given| {
            let at = given.rows.iter().position(|&of| of == row)?;
            Some(of(given.values.row(at)))
        });
        pictures.push(PredictedPicture {
            name: name.clone(),
            png,
            predicted: of(ratings.row(row)),
            actual,
            maps: maps.get(row).cloned(),
        });
    }
    if !maps.is_empty() && maps.len() < names.len() {
        tables::note(&format!(
            "the page shows the maps of the first {} pictures, all are in the folder of --occlusion",
            maps.len()
        ));
    }
    let learnt = &module.description.learnt;
    let about = format!(
        "Module {} ({} nuclei, {} units){}{}.",
        module.description.structure.name,
        module.wired().nuclei.len(),
        module.wired().n_units(),
        match &module.description.encoder {
            Some(encoder) => format!(" on layer {} of {}", encoder.layer, encoder.model),
            None => String::new(),
        },
        match learnt {
            Some(learnt) => format!(
                ", trained on {} pictures, epoch {}",
                learnt.n_training, learnt.epoch
            ),
            None => ", imported".to_owned(),
        }
    );
    let heads: Vec<String> = heads.iter().map(|&head| head.to_owned()).collect();
    Ok(predictions_page(
        &heads,
        module.description.scale,
        &about,
        &pictures,
    )?)
}

pub(super) fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}

/// A cell of a CSV, in quotation marks where it needs them.
pub(super) fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
