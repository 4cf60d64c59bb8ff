//! Files that are made from those of a data set.

use std::path::{Path, PathBuf};

use crate::atomic::write_atomically;
use crate::error::AtPath;
use crate::image::{RgbImage, encode_png};
use crate::mat::{MatFile, MatValue};
use crate::{AnyArray, IoError, Result, table};

/// Makes what belongs to the data set `name` in its folder; most have nothing.
///
/// `kriegeskorte92` gets its stimuli as pictures and a table ([`stimuli_92`]).
///
/// # Errors
///
/// [`IoError`] when a file cannot be read or written.
pub fn derive(name: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    match name {
        "kriegeskorte92" => stimuli_92(folder),
        _ => Ok(Vec::new()),
    }
}

/// Writes the stimuli of the 92-image set: `stimuli/stim01.png` … in the order of the RDMs, and
/// `stimuli.tsv` with the columns file, category, human, face, animal and natural.
///
/// # Errors
///
/// [`IoError`] when the file of the stimuli cannot be read, holds something else, or the pictures
/// cannot be written.
///
/// # References
///
/// Kriegeskorte N, Mur M, Ruff DA, Kiani R, Bodurka J, Esteky H, Tanaka K, Bandettini PA (2008) Matching
/// categorical object representations in inferior temporal cortex of man and monkey. Neuron
/// 60:1126–1141. doi:10.1016/j.neuron.2008.10.043
pub fn stimuli_92(folder: &Path) -> Result<Vec<PathBuf>> {
    const FLAGS: [&str; 4] = ["human", "face", "animal", "natural"];
    let source = folder.join("Kriegeskorte_Neuron2008_supplementalData.mat");
    let file = MatFile::read(&source)?;
    let field = |name: &str| file.select(&format!("stimuli_92objs.{name}")).at(&source);
    let MatValue::Cell(images) = field("image")? else {
        return Err(IoError::WrongKind {
            what: "stimuli_92objs.image".into(),
            found: "a single value".into(),
            expected: "one picture for each stimulus",
        }
        .at(&source));
    };
    let categories = field("category")?.into_texts().at(&source)?;
    let flags = FLAGS
        .iter()
        .map(|flag| field(flag)?.into_array()?.into_labels().at(&source))
        .collect::<Result<Vec<_>>>()?;

    let mut written = Vec::new();
    let mut rows = Vec::new();
    for (stimulus_idx, image) in images.values.into_iter().enumerate() {
        let name = format!("stim{:02}.png", stimulus_idx + 1);
        let path = folder.join("stimuli").join(&name);
        let png = encode_png(&picture(image).at(&source)?)?;
        write_atomically(&path, |out| std::io::Write::write_all(out, &png))?;
        written.push(path);
        let mut row = vec![name, categories[stimulus_idx].clone()];
        row.extend(flags.iter().map(|flag| flag[stimulus_idx].to_string()));
        rows.push(row);
    }
    let path = folder.join("stimuli.tsv");
    let columns: Vec<&str> = ["file", "category"].into_iter().chain(FLAGS).collect();
    table::write(&path, &columns, rows)?;
    written.push(path);
    Ok(written)
}

/// A (rows, columns, 3) array of bytes as a picture.
fn picture(value: MatValue) -> Result<RgbImage> {
    let found = value.describe();
    match value {
        MatValue::Numeric(AnyArray::U8(array)) if matches!(array.shape(), [_, _, 3]) => {
            Ok(RgbImage {
                height: array.shape()[0],
                width: array.shape()[1],
                pixels: array.iter().copied().collect(),
            })
        }
        _ => Err(IoError::WrongKind {
            what: "a stimulus".into(),
            found,
            expected: "an RGB picture of bytes, (rows, columns, 3)",
        }),
    }
}
