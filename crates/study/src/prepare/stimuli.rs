//! The pictures, in their order.

use std::path::Path;

use consilience_core::{InputFile, Stimuli, Stimulus};
use consilience_io::table::Table;

use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, Study};
use crate::places::Places;
use crate::plan::PlannedStimulus;

pub(super) fn load_stimuli(
    study: &Study,
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<(Stimuli, Vec<PlannedStimulus>)> {
    let options = &study.stimuli;
    let key = KeyPath::root("stimuli");
    let images_key = key.clone().key("images");
    let mut paths = places.matching(&images_key, &options.images)?;
    let mut categories = vec![None; paths.len()];
    if let Some(name) = &options.table {
        let table_key = key.clone().key("table");
        let path = places.file(&table_key, name)?;
        inputs.push(input("stimulus table", name, &path)?);
        let rows = Table::read(&path).map_err(|e| at(&table_key, e))?;
        let files = rows
            .column(&options.file_column)
            .map_err(|e| at(&key.clone().key("file-column"), e))?;
        if let Some(column) = &options.category_column {
            categories = rows
                .column(column)
                .map_err(|e| at(&key.clone().key("category-column"), e))?
                .into_iter()
                .map(|category| Some(category.to_owned()))
                .collect();
        }
        paths = in_table_order(&files, &paths, &table_key, name)?;
    } else if options.category_column.is_some() {
        return Err(invalid(
            &key.key("category-column"),
            "category-column needs a table; add `table = \"stimuli.tsv\"`",
        ));
    }
    let mut items = Vec::with_capacity(paths.len());
    let mut planned = Vec::with_capacity(paths.len());
    for (path, category) in paths.into_iter().zip(categories) {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = input(
            "stimulus",
            &path.file_name().unwrap_or_default().to_string_lossy(),
            &path,
        )?;
        planned.push(PlannedStimulus {
            id: id.clone(),
            category: category.clone(),
            blake3: file.blake3.clone(),
        });
        inputs.push(file);
        items.push(Stimulus { id, path, category });
    }
    if items.len() < 3 {
        return Err(invalid(
            &images_key,
            &format!(
                "{} pictures match {:?}; an RDM needs at least 3",
                items.len(),
                options.images
            ),
        ));
    }
    let stimuli = Stimuli::new(items).map_err(|e| invalid(&images_key, &e.to_string()))?;
    Ok((stimuli, planned))
}

/// The pictures in the order of a table's file column; both must name the same files.
fn in_table_order(
    files: &[&str],
    paths: &[std::path::PathBuf],
    key: &KeyPath,
    table_name: &str,
) -> Result<Vec<std::path::PathBuf>> {
    let file_name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let find = |wanted: &str| {
        let wanted = file_name(Path::new(wanted));
        paths.iter().find(|path| file_name(path) == wanted)
    };
    let ordered = files
        .iter()
        .map(|file| {
            find(file).cloned().ok_or_else(|| {
                invalid(
                    key,
                    &format!(
                        "{table_name} names the picture {file:?}, which is not among the {} pictures of `images`; correct one of them",
                        paths.len()
                    ),
                )
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if ordered.len() != paths.len() {
        return Err(invalid(
            key,
            &format!(
                "{table_name} has {} rows, but `images` matches {} pictures; expected a row for each",
                ordered.len(),
                paths.len()
            ),
        ));
    }
    Ok(ordered)
}
