//! `[analysis.second-set]` of an `[[analysis]]` of kind `visual-emotion`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::TrainingOptions;

/// `[analysis.second-set]`, below an `[[analysis]]` with `kind = "visual-emotion"`: pictures from which no module learns, with a table of
/// ratings on a scale of its own. Units of the main module that are selective for the stimuli are tested on them by the same rules.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecondSetOptions {
    /// File pattern of the pictures. Those without a rating, those that are there twice, and those that are stimuli or learnt from (by the
    /// content of their files) are left out, which is said.
    pub images: String,
    /// Table with their ratings. A table without a header has picture, ending, arousal and valence in this order.
    pub ratings: String,
    /// Ends of its rating scale; ratings are brought to that of the stimuli. `tertiles` are those of its own ratings.
    pub scale: [f64; 2],
    /// What the set is called. Default: its file pattern.
    #[serde(default)]
    pub name: Option<String>,
    /// Column of the table that names the picture. Default: as in the `[[behaviour]]` of valence.
    #[serde(default)]
    pub picture_column: Option<String>,
    /// Column with valence. Default: as in the `[[behaviour]]`, else `valence`.
    #[serde(default)]
    pub valence_column: Option<String>,
    /// Column with arousal. Default: as in the `[[behaviour]]`, else `arousal`.
    #[serde(default)]
    pub arousal_column: Option<String>,
}

impl SecondSetOptions {
    /// What it is called.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.images)
    }

    /// As a set of rated pictures, which is read in the same way.
    #[must_use]
    pub fn rated(&self) -> TrainingOptions {
        TrainingOptions {
            images: self.images.clone(),
            ratings: self.ratings.clone(),
            scale: self.scale,
            name: self.name.clone(),
            picture_column: self.picture_column.clone(),
            valence_column: self.valence_column.clone(),
            arousal_column: self.arousal_column.clone(),
        }
    }
}
