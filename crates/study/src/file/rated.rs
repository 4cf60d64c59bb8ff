//! Further sets of rated pictures of an `[[analysis]]` of kind `visual-emotion`.

use schemars::JsonSchema;
use serde::Deserialize;

/// `[[analysis.training]]` or `[analysis.second-set]`, below an `[[analysis]]` with `kind = "visual-emotion"`: pictures to learn from, or
/// pictures from which no module learns and on which selective units are tested again; with a table of ratings on a scale of its own.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RatedPicturesOptions {
    /// File pattern of the pictures. Those without a rating, those that are there twice or in a set before, and those that are stimuli (by the
    /// content of their files) are left out, which is said.
    pub images: String,
    /// Table with their ratings. A table without a header has picture, ending, arousal and valence in this order.
    pub ratings: String,
    /// Ends of its rating scale; ratings are brought to that of the stimuli.
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

impl RatedPicturesOptions {
    /// What the set is called.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.images)
    }
}
