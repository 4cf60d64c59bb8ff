//! `[[analysis]]` of kind `visual-emotion`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::RatedPicturesOptions;

/// `[[analysis]]` with `kind = "visual-emotion"`: modules of nuclei, such as a model of the amygdala, read valence and arousal out of
/// the last layer of each network. Every stimulus is predicted by modules that did not learn from it.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct EmotionOptions {
    /// Name of the `[[behaviour]]` with ratings of valence. Default: the one called `valence`, else the first with ratings.
    pub valence: Option<String>,
    /// Name of the `[[behaviour]]` with ratings of arousal. Default: the one called `arousal`, if there is one.
    pub arousal: Option<String>,
    /// Names of the models to use; default: all. The last layer of each is what modules read.
    pub models: Option<Vec<String>>,
    /// Modules of Liu et al. 2025: `I` (linear maps in series), `II` (transformers in series), `III` (linear maps, wired as the amygdala),
    /// `IV` (transformers, wired as the amygdala).
    pub structures: Vec<String>,
    /// File with nuclei (`.toml`) to use instead of these; the module is called as the file without its ending.
    pub nuclei: Option<String>,
    /// Whether all modules on a network get as many parameters as the last one, by other numbers of hidden units.
    pub matched: bool,
    /// Width of what the nuclei read: a trained linear map brings the features to it, and the nuclei of `structures` shrink in
    /// proportion (a multiple of 4; as published, features have 768 numbers). Default: the features themselves.
    pub width: Option<usize>,
    /// Whether modules read the tokens of the last layer (patches of a transformer without its class token, or the positions of a map) and
    /// attend to all of them, instead of one vector. The models need `pool = "none"` and no `reduce`; `width` is that of a token. Units and
    /// ratings are means over tokens, which is also what ridge regression reads.
    pub tokens: bool,
    /// The module that units, geometry and gains are of: network and structure, as in `"squeezenet1_1 IV"`. Default: the last
    /// structure on the first network.
    pub main: Option<String>,
    /// Training as in the program of 2026 (`release2026`) or the text of 2025 (`paper2025`).
    pub preset: String,
    /// Passes over the training set. Default: as the preset.
    pub epochs: Option<usize>,
    /// Pictures in a step. Default: as the preset.
    pub batch: Option<usize>,
    /// Length of a step. Default: as the preset.
    pub learning_rate: Option<f64>,
    /// How it changes: `constant`, `cosine`. Default: as the preset.
    pub schedule: Option<String>,
    /// `sgd` (momentum 0.9), `adam`, `adam-w`. Default: as the preset.
    pub optimiser: Option<String>,
    /// Pull of the weights towards 0. Default: as the preset.
    pub weight_decay: Option<f64>,
    /// What is minimised: `mse`, or `huber`. Default: as the preset.
    pub loss: Option<String>,
    /// Whether units are dropped at random in training, as the nuclei say.
    pub dropout: bool,
    /// Whether modules learn from other views of the pictures in every epoch: turned by up to ±20°, mirrored, and with the preset of 2026
    /// blurred. Each network sees every picture that is learnt from once more in each epoch. Pictures that choose the epoch or are
    /// tested stay as they are.
    pub augment: bool,
    /// Passes without improvement on the validation pictures after which training stops. Default: never.
    pub patience: Option<usize>,
    /// Whether features are z-scored with the pictures that are learnt from; published modules read them as they are.
    pub standardise: bool,
    /// Whether modules learn z-scored ratings (by the pictures that are learnt from); predictions are on the scale of the ratings
    /// either way.
    pub standardise_ratings: bool,
    /// Repeats, each with its own initial weights and folds.
    pub repeats: usize,
    /// Folds of the stimuli.
    pub folds: usize,
    /// Share of the pictures outside a fold (or of other pictures) that is not learnt from but chooses the epoch.
    pub validation: f64,
    /// Whose weights are used: `best` on these pictures, as the preset judges (least loss, or most explained variance), or the `last`, which
    /// is as good a choice where they are few.
    pub epoch: String,
    /// Other pictures to learn from, a table `[[analysis.training]]` for each set of them; then every stimulus is predicted by modules
    /// that never saw it. Default: the stimuli themselves, in folds.
    pub training: Vec<RatedPicturesOptions>,
    /// Where valence is divided into negative, middle and positive: `thirds` (of the scale), `tertiles` (of the ratings), two edges (`3,5`),
    /// or two edges and a gap around each (`4.3,6,0.5`).
    pub valence_edges: String,
    /// The same for low, middle and high arousal.
    pub arousal_edges: String,
    /// Stimuli that a bin needs to be looked at.
    pub min_images: usize,
    /// d′ above which a unit is selective for a bin.
    pub threshold: f64,
    /// Level of Welch's test of a selective unit, and at which the report calls something significant.
    pub alpha: f64,
    /// Correction of that test over all units and bins: `none`, as published, `fdr`, `fdr-any`, `fwe`, `bonferroni`. Each shuffle and resample
    /// corrects its own.
    pub unit_correction: String,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Shuffles of bins and permutations of stimuli.
    pub permutations: usize,
    /// Sets of random units that each gain is compared with.
    pub random_sets: usize,
    /// Gains of selective units, which respond 1 + α times as much: −1 silences them, 0 changes nothing.
    pub gains: Vec<f64>,
    /// Which units gains and read-outs change: `selective` (for the stimuli), or `consistent` (in both sets of pictures; gains also change those
    /// that are selective in the stimuli only). The second needs a `[analysis.second-set]`.
    pub units: String,
    /// Whether gains also change units of single bins within each nucleus, and not only in all nuclei together. With k nuclei and b bins that is
    /// up to k·b curves beside k + 1 + b.
    pub bins_within_nuclei: bool,
    /// A second set of pictures on which selective units are tested, a table `[analysis.second-set]`. Default: none.
    pub second_set: Option<RatedPicturesOptions>,
    /// Names of the `[[brain]]` targets (with `rdms` or `responses`) to compare with; default: all of these.
    pub regions: Option<Vec<String>>,
    /// What partial agreement with a region controls for: `encoder` (the features that modules read), `pixels`, `luminance`, `gist`,
    /// `spectrum`.
    pub controls: Vec<String>,
    /// Dissimilarity of patterns of units: `correlation`, `spearman`, `cosine`, `euclidean`, `sqeuclidean`.
    pub dissimilarity: String,
    /// Correction over all comparisons of modules: `fdr`, `fdr-any`, `fwe`, `bonferroni`, `none`.
    pub correction: String,
}

impl Default for EmotionOptions {
    fn default() -> Self {
        Self {
            valence: None,
            arousal: None,
            models: None,
            structures: vec!["IV".to_owned()],
            nuclei: None,
            matched: false,
            width: None,
            tokens: false,
            main: None,
            preset: "release2026".to_owned(),
            epochs: None,
            batch: None,
            learning_rate: None,
            schedule: None,
            optimiser: None,
            weight_decay: None,
            loss: None,
            dropout: true,
            augment: false,
            patience: None,
            standardise: true,
            standardise_ratings: false,
            repeats: 5,
            folds: 5,
            validation: 0.1,
            epoch: "best".to_owned(),
            training: Vec::new(),
            valence_edges: "thirds".to_owned(),
            arousal_edges: "thirds".to_owned(),
            min_images: 10,
            threshold: 0.65,
            alpha: 0.05,
            unit_correction: "none".to_owned(),
            resamples: 1000,
            permutations: 1000,
            random_sets: 100,
            gains: vec![-1.0, 0.0, 0.5, 1.0, 2.0, 5.0],
            units: "selective".to_owned(),
            bins_within_nuclei: true,
            second_set: None,
            regions: None,
            controls: vec!["encoder".to_owned(), "gist".to_owned()],
            dissimilarity: "correlation".to_owned(),
            correction: "bonferroni".to_owned(),
        }
    }
}
