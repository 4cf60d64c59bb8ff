//! Ratings of the pictures whose features are there.

use anyhow::{Result, bail};
use consilience::io::ratings::{RatingsParams, RatingsTable};
use consilience::methods::emotion::RatingScale;
use ndarray::{Array2, Axis};

use crate::arrays;
use crate::rated::scale;
use crate::tables::{self, Missing, Named, Sheet};

/// Usual names of the column with pictures.
const PICTURES: [&str; 9] = [
    "image",
    "image name",
    "picture",
    "file",
    "filename",
    "image_path",
    "theme",
    "stimulus",
    "name",
];

/// How ratings are read.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct RatingArgs {
    /// Column of the pictures' names in the table; default: image, picture, file, theme …
    #[arg(long, value_name = "COLUMN")]
    picture: Option<String>,
    /// Column of valence; default: valence, valence_mean
    #[arg(long, value_name = "COLUMN")]
    valence: Option<String>,
    /// Column of arousal; default: arousal, arousal_mean
    #[arg(long, value_name = "COLUMN")]
    arousal: Option<String>,
    /// Lowest and highest rating that could be given
    #[arg(long, value_name = "LOW,HIGH", default_value = "1,9", value_parser = scale)]
    scale: RatingScale,
    /// Scale that ratings are moved to before anything else, ends to ends
    #[arg(long, value_name = "LOW,HIGH", value_parser = scale)]
    rescale: Option<RatingScale>,
    /// What to do with pictures that lack a rating
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
}

/// Ratings of those pictures that have all.
pub(super) struct Ratings {
    /// `(n_kept, n_ratings)`.
    pub values: Array2<f64>,
    /// Rows of the features that they belong to.
    pub rows: Vec<usize>,
    /// Ends of the scale that they are on.
    pub scale: [f64; 2],
}

impl RatingArgs {
    /// The `heads` of `n` pictures: by name where the pictures have some and `file` is a table, else row by row.
    pub fn read(
        &self,
        file: &str,
        heads: &[&str],
        n: usize,
        names: Option<&[String]>,
    ) -> Result<Ratings> {
        let values = match names {
            Some(names) if tables::is_table(file) => self.by_name(file, heads, names)?,
            _ => self.in_order(file, heads, n)?,
        };
        let gaps = (0..n).map(|row| {
            let name = names.map_or_else(
                || format!("row {row} (counted from 0)"),
                |names| names[row].clone(),
            );
            let lacks = values.row(row).iter().any(|value| value.is_nan());
            lacks.then(|| format!("{name} lacks a rating ({file})"))
        });
        let kept = tables::complete(self.nan, "pictures", gaps)?;
        let mut values = values.select(Axis(0), &kept.rows);
        let to = self.rescale.unwrap_or(self.scale);
        for mut column in values.columns_mut() {
            let mapped = arrays::in_files(self.scale.mapped(&column.to_vec(), &to), &[file]);
            let mapped = mapped.map_err(|error| {
                error.context("--scale LOW,HIGH says which ratings could be given")
            })?;
            column.assign(&ndarray::Array1::from(mapped));
        }
        Ok(Ratings {
            values,
            rows: kept.rows,
            scale: [to.low(), to.high()],
        })
    }

    fn by_name(&self, file: &str, heads: &[&str], names: &[String]) -> Result<Array2<f64>> {
        let sheet = Sheet::read(file)?;
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        // The released program's tables: name, ending, arousal, valence and no header.
        let is_bare = sheet.table.columns().len() == 4
            && sheet.table.columns()[2..]
                .iter()
                .all(|cell| cell.trim().parse::<f64>().is_ok());
        let picture = match is_bare {
            true => "picture".to_owned(),
            false => sheet.choose("--picture", self.picture.as_deref(), &PICTURES)?,
        };
        let mut values = Array2::from_elem((names.len(), heads.len()), f64::NAN);
        for (head, mut column) in heads.iter().zip(values.columns_mut()) {
            let rating = match is_bare {
                true => (*head).to_owned(),
                false => self.column(&sheet, head)?,
            };
            let params = RatingsParams::wide(&picture, &[rating.as_str()]);
            let found = RatingsTable::read(file, &params)?.aligned(&asked)?;
            for (value, mean) in column.iter_mut().zip(&found.mean) {
                *value = mean.unwrap_or(f64::NAN);
            }
            if found.missing.len() == names.len() {
                bail!(
                    "no picture of the features is in column {picture} of {file}; the first picture is called {}",
                    names[0]
                );
            }
        }
        Ok(values)
    }

    fn in_order(&self, file: &str, heads: &[&str], n: usize) -> Result<Array2<f64>> {
        let values = match tables::is_table(file) {
            true => {
                let sheet = Sheet::read(file)?;
                let columns = heads
                    .iter()
                    .map(|head| sheet.numbers(&self.column(&sheet, head)?));
                let columns = columns.collect::<Result<Vec<_>>>()?;
                Array2::from_shape_fn((columns[0].len(), heads.len()), |(row, k)| columns[k][row])
            }
            false => Named::load(file, "the ratings")?.values,
        };
        if values.dim() != (n, heads.len()) {
            bail!(
                "{file} has ratings {:?} (pictures, ratings), expected {:?}: a row for each picture, with {}",
                values.dim(),
                (n, heads.len()),
                heads.join(" and ")
            );
        }
        Ok(values)
    }

    fn column(&self, sheet: &Sheet, head: &str) -> Result<String> {
        match head {
            "valence" => sheet.choose(
                "--valence",
                self.valence.as_deref(),
                &["valence", "valence_mean"],
            ),
            _ => sheet.choose(
                "--arousal",
                self.arousal.as_deref(),
                &["arousal", "arousal_mean"],
            ),
        }
    }
}
