//! What will be done with modules that read valence and arousal.

use consilience_experiments::visual_emotion::{Learning, Structure};
use consilience_methods::emotion::{BinParams, RatingScale};
use consilience_methods::lowlevel::ImageFeature;
use consilience_methods::rdm::Dissimilarity;
use consilience_methods::rsa::Correction;
use consilience_models::preprocess::Augmentation;
use serde::Serialize;

mod second;

pub use second::PlannedSecond;

use super::appraisal::as_debug;
use super::{PlannedModel, PlannedStimulus, as_text};

/// One module on one network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedModule {
    /// Position in [`Plan::models`](super::Plan::models); its last layer is read.
    pub model: usize,
    /// Position among the structures.
    pub structure_idx: usize,
    /// Its nuclei.
    pub structure: Structure,
    /// Trainable numbers.
    pub n_parameters: usize,
    /// Units of all nuclei.
    pub n_units: usize,
}

/// Other pictures that modules learn from.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedLearnt {
    /// The sets that they are of, in their order.
    pub sets: Vec<PlannedSet>,
    /// The pictures of all.
    pub pictures: Vec<PlannedStimulus>,
    /// Their ratings on the scales of the stimuli, a list for valence and one for arousal if it is learnt.
    pub ratings: Vec<Vec<f64>>,
}

/// A set of pictures to learn from, with what of it was left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedSet {
    /// Its name.
    pub name: String,
    /// The file pattern.
    pub images: String,
    /// Ends of the scale of its ratings.
    pub scale: [f64; 2],
    /// Pictures that are learnt from.
    pub n_pictures: usize,
    /// Pictures without a rating of valence or arousal.
    pub unrated: Vec<String>,
    /// What has ratings and no picture, as the table names it.
    pub absent: Vec<String>,
    /// Pictures with the content of one before, of this set or an earlier one.
    pub repeated: Vec<String>,
    /// Pictures with the content of a stimulus.
    pub stimuli: Vec<String>,
}

impl PlannedSet {
    /// What was left out, in sentences.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let note = |names: &[String], one: &str, several: &str| {
            second::left_out(&self.name, names, one, several)
        };
        let all = [
            note(
                &self.stimuli,
                "training picture is one of the stimuli and was left out, as it would be tested on what was learnt",
                "training pictures are stimuli and were left out, as they would be tested on what was learnt",
            ),
            note(
                &self.repeated,
                "training picture is there twice, of which the first was taken",
                "training pictures are there twice, of which the first ones were taken",
            ),
            note(
                &self.unrated,
                "training picture has no rating and was left out",
                "training pictures have no rating and were left out",
            ),
            note(
                &self.absent,
                "rated picture has no file",
                "rated pictures have no file",
            ),
        ];
        all.into_iter().flatten().collect()
    }
}

/// A region of the brain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PlannedRegion {
    /// RDMs, by their position in [`Plan::targets`](super::Plan::targets).
    Rdms(usize),
    /// Responses, by their position in [`Plan::ratings`](super::Plan::ratings).
    Responses(usize),
}

/// What partial scores control for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedControl {
    /// Features that modules read.
    Encoder,
    /// Low-level features of the pictures.
    Pictures(ImageFeature),
}

/// Which units gains change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PlannedUnits {
    /// Those that are selective for the stimuli.
    Selective,
    /// Those that are so in both sets of pictures, and those that are so for the stimuli only.
    Consistent,
}

impl PlannedUnits {
    /// As it is written in the study.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Selective => "selective",
            Self::Consistent => "consistent",
        }
    }
}

/// One visual-emotion analysis.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedEmotion {
    /// Valence, then arousal, as positions in [`Plan::ratings`](super::Plan::ratings).
    pub ratings: Vec<usize>,
    /// The scale of each.
    #[serde(serialize_with = "as_debug")]
    pub scales: Vec<RatingScale>,
    /// Networks, as positions in [`Plan::models`](super::Plan::models).
    pub models: Vec<usize>,
    /// One module for each network and structure.
    pub modules: Vec<PlannedModule>,
    /// Position among the modules.
    pub main: usize,
    /// Other pictures to learn from.
    pub training: Option<PlannedLearnt>,
    /// Preset of the training.
    pub preset: String,
    /// What was changed of it.
    pub changes: Vec<String>,
    /// How modules learn.
    #[serde(serialize_with = "as_debug")]
    pub learning: Learning,
    /// Whether what nuclei drop is dropped.
    pub dropout: bool,
    /// Views that pictures are learnt from in; `None` for the pictures as they are.
    #[serde(serialize_with = "as_debug", skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// Repeats.
    pub repeats: usize,
    /// Folds.
    pub folds: usize,
    /// Share of pictures that choose the epoch.
    pub validation: f64,
    /// Bins of valence and arousal.
    #[serde(serialize_with = "as_debug")]
    pub bins: BinParams,
    /// d′ of a selective unit.
    pub threshold: f64,
    /// Level of its test.
    pub alpha: f64,
    /// Correction of that test over units and bins.
    #[serde(serialize_with = "as_text")]
    pub unit_correction: Correction,
    /// Bootstrap resamples.
    pub resamples: usize,
    /// Shuffles and permutations.
    pub permutations: usize,
    /// Random sets of units.
    pub random_sets: usize,
    /// Gains.
    pub gains: Vec<f64>,
    /// Which units they change.
    pub units: PlannedUnits,
    /// Whether they change units of single bins within each nucleus too.
    pub bins_within_nuclei: bool,
    /// A second set of pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<PlannedSecond>,
    /// Regions.
    pub regions: Vec<PlannedRegion>,
    /// What is controlled for.
    #[serde(serialize_with = "as_debug")]
    pub controls: Vec<PlannedControl>,
    /// Dissimilarity of patterns.
    #[serde(serialize_with = "as_text")]
    pub dissimilarity: Dissimilarity,
    /// Correction over comparisons.
    #[serde(serialize_with = "as_text")]
    pub correction: Correction,
}

impl PlannedEmotion {
    /// Trainings of a repeat.
    #[must_use]
    pub fn n_folds(&self) -> usize {
        match self.training {
            None => self.folds,
            Some(_) => 1,
        }
    }

    /// Pictures that modules learn from, those that choose the epoch among them.
    #[must_use]
    pub fn n_learnt(&self, n_stimuli: usize) -> usize {
        let training = self.training.as_ref();
        training.map_or(n_stimuli, |training| training.pictures.len())
    }

    /// Views that each network sees for the training: one of each picture in every epoch, whatever the folds, structures and repeats.
    #[must_use]
    pub fn n_views(&self, n_stimuli: usize) -> usize {
        match &self.augmentation {
            None => 0,
            Some(_) => self.learning.params.epochs * self.n_learnt(n_stimuli),
        }
    }

    /// Bytes of the features of all views.
    pub(super) fn view_bytes(&self, n_stimuli: usize, models: &[PlannedModel]) -> u64 {
        let last = |&model: &usize| models[model].layers.last().map_or(0, |l| l.n_features);
        let n_features: usize = self.models.iter().map(last).sum();
        4 * n_features as u64 * self.n_views(n_stimuli) as u64
    }

    /// Whether modules read several tokens of each picture.
    #[must_use]
    pub fn reads_tokens(&self) -> bool {
        let mut structures = self.modules.iter().map(|module| &module.structure);
        structures.any(|structure| structure.tokens.is_some())
    }

    /// Bytes that units of the main module take at all epochs of a repeat, while its folds are put together; with tokens also those of all
    /// networks, in trainings side by side and for lesions of all repeats.
    pub(super) fn bytes(&self, n_stimuli: usize, models: &[PlannedModel]) -> u64 {
        let n_epochs = self.learning.params.epochs as u64 + 1;
        let main = &self.modules[self.main];
        let of_units = 2 * 4 * n_epochs * n_stimuli as u64 * main.n_units as u64;
        if !self.reads_tokens() {
            return of_units;
        }
        let n_learnt = self.training.as_ref().map_or(0, |t| t.pictures.len());
        let n_second = self.second.as_ref().map_or(0, |s| s.pictures.len());
        let n_pictures = (n_stimuli + n_learnt + n_second) as u64;
        let last = |model: usize| models[model].layers.last().map_or(0, |l| l.n_features);
        let of_all: u64 = self.models.iter().map(|&model| last(model) as u64).sum();
        let copies = 5.max(self.repeats as u64 + 1);
        of_units + 4 * n_pictures * (of_all + copies * last(main.model) as u64)
    }

    /// A rough guess, from single measurements on one machine: products of weights in training and in lesions.
    pub(super) fn estimated_seconds(&self, n_stimuli: f64, models: &[PlannedModel]) -> f64 {
        let n_learnt = self.training.as_ref().map_or(
            n_stimuli * (1.0 - 1.0 / self.folds.max(1) as f64),
            |training| training.pictures.len() as f64,
        );
        let trainings = (self.repeats * self.n_folds()) as f64;
        let of_module = |module: &PlannedModule| {
            let passes = n_learnt * self.learning.params.epochs as f64;
            let n_tokens = module.structure.tokens.unwrap_or(1) as f64;
            trainings * passes * (PASS + n_tokens * module.n_parameters as f64 / TRAINED)
        };
        let main = &self.modules[self.main];
        let n_nuclei = main.structure.nuclei.nucleus.len();
        let n_bins = [3, 9][usize::from(self.ratings.len() > 1)];
        // Of nuclei and all, of bins, and of bins within nuclei.
        let within = usize::from(self.bins_within_nuclei) * n_nuclei * n_bins;
        let n_kinds = 1 + usize::from(self.units == PlannedUnits::Consistent);
        let n_curves = n_kinds * (n_nuclei + 1 + n_bins + within);
        let n_passes = self.gains.len() * (1 + self.random_sets) * self.repeats;
        let lesions = (n_curves * n_passes) as f64;
        let n_tokens = main.structure.tokens.unwrap_or(1) as f64;
        let of_picture = PASS + n_tokens * main.n_parameters as f64 / TRAINED;
        let of_lesions = lesions * n_stimuli * of_picture / 6.0;
        let n_views = self.n_views(n_stimuli as usize) as f64;
        let of_views = |&model: &usize| n_views * (VIEW + models[model].n_products / MULTIPLIED);
        self.models.iter().map(of_views).sum::<f64>()
            + self.modules.iter().map(of_module).sum::<f64>()
            + of_lesions
    }
}

/// Seconds that reading, turning and blurring of a picture take on two cores.
const VIEW: f64 = 5e-3;

/// Products of a network's pass in a second on two cores.
const MULTIPLIED: f64 = 30e9;

/// Seconds that a picture takes in training, whatever the module.
const PASS: f64 = 1e-4;

/// Weights that a second of training passes forwards and backwards.
const TRAINED: f64 = 1e9;
