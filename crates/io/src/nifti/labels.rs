//! Names of the regions of an atlas.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::AtPath;
use crate::table::Table;
use crate::{IoError, Result};

/// A region of an atlas: its number in the image and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The value of the region's voxels.
    pub index: i64,
    /// The name of the region.
    pub name: String,
}

/// Reads the table of an atlas: a `.tsv` or `.csv` with the columns `index` and `name`, as BIDS has it for
/// segmentations (`…_dseg.tsv`); other columns are left out.
///
/// # Errors
///
/// [`IoError`] as [`Table::read`]; [`IoError::Missing`] without one of the columns; [`IoError::Cell`] for an
/// index that is no whole number or stands in two rows.
///
/// # Example
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("atlas_dseg.tsv");
/// # std::fs::write(&path, "index\tname\n1\tFFA\n2\tPPA\n").unwrap();
/// let labels = consilience_io::nifti::read_labels(&path)?;
/// assert_eq!((labels[1].index, labels[1].name.as_str()), (2, "PPA"));
/// # Ok::<(), consilience_io::IoError>(())
/// ```
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<Label>> {
    let path = path.as_ref();
    let table = Table::read(path)?;
    labels(&table).at(path)
}

fn labels(table: &Table) -> Result<Vec<Label>> {
    let mut seen = BTreeSet::new();
    let rows = table
        .column("index")?
        .into_iter()
        .zip(table.column("name")?);
    rows.enumerate()
        .map(|(row_idx, (index, name))| {
            let wrong = |expected| IoError::Cell {
                row: row_idx as u64 + 2,
                column: "index".into(),
                found: index.to_owned(),
                expected,
            };
            let number: i64 = index.trim().parse().map_err(|_| wrong("a whole number"))?;
            if !seen.insert(number) {
                return Err(wrong("an index that no row before has"));
            }
            Ok(Label {
                index: number,
                name: name.trim().to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    fn parse(text: &str) -> Result<Vec<Label>> {
        labels(&Table::from_bytes(
            text.as_bytes(),
            b',',
            &Limits::default(),
        )?)
    }

    #[test]
    fn columns_are_found_by_name() {
        let found = parse("name,colour,index\n\"V1, left\",red,3\n FFA ,blue, -1\n").unwrap();
        let found: Vec<_> = found.iter().map(|l| (l.index, l.name.as_str())).collect();
        assert_eq!(found, [(3, "V1, left"), (-1, "FFA")]);
    }

    #[test]
    fn a_wrong_index_is_named_by_its_row() {
        for (text, part) in [
            (
                "index,name\n1,a\n1,b\n",
                "row 3, column index: found \"1\", expected an index that no",
            ),
            (
                "index,name\n1.5,a\n",
                "row 2, column index: found \"1.5\", expected a whole number",
            ),
            ("id,name\n1,a\n", "no column \"index\""),
            ("index,label\n1,a\n", "no column \"name\""),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
