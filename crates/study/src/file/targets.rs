//! `[[brain]]` and `[[behaviour]]`.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[[brain]]`, `[[behaviour]]`: what networks are compared with: RDMs (`rdms`), ratings of the stimuli (`ratings`), or
/// responses of a region from which a linear model reads the ratings of a `[[behaviour]]` (`responses`), or a simulation
/// (`simulate-from`).
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct TargetOptions {
    /// Name in the report.
    pub name: String,
    /// File with RDMs: `.npy`, `.npz:key`, `.mat:variable.field`, `.csv` or `.tsv`; vectors
    /// (upper triangle, row by row) or square matrices.
    pub rdms: Option<String>,
    /// What the leading dimensions of that file mean, outermost first: `"subject"`, or anything
    /// else (`"session"`, `"run"`) to average within each subject. Default: all are subjects.
    pub axes: Option<Vec<String>>,
    /// Table (CSV or TSV) with a number for each picture.
    pub ratings: Option<String>,
    /// Column of `ratings`, or of `trials`, that names the picture. Default: `"file"`.
    pub picture_column: Option<String>,
    /// Columns of `ratings`: one for each rater, or the only one of a mean. Default: the name of the target.
    pub columns: Option<Vec<String>>,
    /// Column that says whose the rating of a row is, for tables with a row for each rating.
    pub rater_column: Option<String>,
    /// Column that says which rows were rejected, for such tables.
    pub reject_column: Option<String>,
    /// Columns with the standard deviation and the number of the ratings behind a mean, from which its reliability follows.
    pub spread_columns: Option<[String; 2]>,
    /// Ends of the rating scale, e.g. `[1, 7]`; a rating beyond is refused. Sigmoid heads need it.
    pub scale: Option<[f64; 2]>,
    /// Responses of a region to the pictures, a file for each subject: a NIfTI image with a volume a trial, or a matrix
    /// with a row a trial (`.npy`, `.npz:key`, `.mat:variable`, `.csv`).
    pub responses: Option<Vec<String>>,
    /// Masks of the region on the grid of the images, united: the same for all subjects.
    pub masks: Option<Vec<String>>,
    /// The same for each subject on its own, a list for each.
    pub subject_masks: Option<Vec<Vec<String>>>,
    /// Tables that say which picture each volume (or row) shows: one for all subjects, or one for each. Default: the volumes are the
    /// stimuli in their order.
    pub trials: Option<Vec<String>>,
    /// Column of `trials` that numbers the volumes from 0. Default: its rows are the volumes.
    pub volume_column: Option<String>,
    /// Name of the `[[behaviour]]` whose ratings are read from the responses. Default: the first with ratings.
    pub reads: Option<String>,
    /// What reads them: `"ridge"`, `"least-squares"`, `"components"`. Default: `"ridge"`.
    pub reader: Option<String>,
    /// Folds of the stimuli; each is predicted by a model that did not see it. Default: each stimulus is one.
    pub folds: Option<usize>,
    /// How subjects become one: `"mean"`, `"z-scored-mean"`, `"pooled"`. Default: `"mean"`.
    pub subjects: Option<String>,
    /// Says that these data are simulated; every page and figure will say so.
    pub simulated: bool,
    /// Simulates the target instead: name of a `[[behaviour]]` with `ratings`, whose z-scored means are what all simulated
    /// subjects have in common.
    pub simulate_from: Option<String>,
    /// Standard deviation of the noise that each simulated subject adds. Default: 1.
    pub simulate_noise: Option<f64>,
    /// How many subjects are simulated. Default: 10.
    pub simulate_subjects: Option<usize>,
}
