//! One visual-emotion analysis: features → modules → predictions, units, geometry, regions, gains.

mod regions;
mod trainings;

use consilience_core::{
    DisplayRdm, EmotionBaseline, EmotionModule, EmotionRating, EmotionRecord, EmotionSettings,
    MdsMap,
};
use consilience_experiments::ExperimentError;
use consilience_experiments::visual_emotion::{
    Compared, Division, GainParams, Learning, ModelRdms, Pictures as Arrays, Repeat,
    RepeatGeometry, TrainedRepeat, VisualEmotionError, Wired, bin_records, comparisons, curves,
    dimension_curves, elsewhere, folds, gains, geometry_of, history, mean_rdms, measures, plane,
    ridge, scores, selective_units,
};
use consilience_learn::LearnError;
use consilience_methods::MethodsError;
use consilience_methods::emotion::{BinSelectivityParams, Bins, EmotionError, bins};
use ndarray::{Array1, Array2, ArrayView2, s};

use crate::activations::{Pictures, features_key, load_features, make_features};
use crate::appraisal::reliability;
use crate::cache::{Cache, Key};
use crate::file::KeyPath;
use crate::plan::{PlannedEmotion, PlannedModule};
use crate::prepare::{Prepared, RatingSource};
use crate::progress::Progress;
use crate::rsa::shown;
use crate::{Result, StudyError};
use regions::Regions;
use trainings::{Diverged, Trainings};

/// What all modules have in common.
struct Study<'a> {
    prepared: &'a Prepared,
    idx: usize,
    planned: &'a PlannedEmotion,
    cache: &'a Cache,
    progress: &'a dyn Progress,
    /// Names of what is learnt: valence, arousal.
    names: Vec<String>,
    /// Ratings of the stimuli, `(n_stimuli, n_ratings)`.
    ratings: Array2<f64>,
    /// Ratings of the pictures that are learnt from.
    learnt: Array2<f64>,
    /// Seeds of the repeats with their divisions.
    repeats: Vec<(u64, Vec<Division>)>,
}

/// Features of one network.
struct Encoder {
    /// Of the stimuli.
    stimuli: Array2<f32>,
    /// Of other pictures, if these are learnt from.
    others: Option<Array2<f32>>,
    key: (Key, Option<Key>),
}

/// Carries out one analysis of the plan.
pub fn run(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedEmotion,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<EmotionRecord> {
    let study = Study::new(prepared, idx, planned, cache, progress)?;
    let mut encoders = Vec::with_capacity(planned.models.len());
    for &model in &planned.models {
        encoders.push(study.encoder(model, n_threads)?);
    }
    let mut notes = study.first_notes();
    let (arousal, valence) = (study.column(1), study.column(0).unwrap_or_default());
    let found_bins =
        bins(&valence, arousal.as_deref(), &planned.bins).map_err(|source| study.failed(source))?;
    notes.extend(notes_on_bins(&found_bins));
    let models = ModelRdms::of(&valence, arousal.as_deref(), &found_bins)
        .map_err(|source| study.failed(source))?;
    let regions = Regions::new(&study, &mut notes)?;

    let mut modules = Vec::new();
    let mut compared = Vec::new();
    let mut of_main = None;
    for (position, module) in planned.modules.iter().enumerate() {
        let encoder = &encoders[study.encoder_of(module)];
        let is_main = position == planned.main;
        let trainings = Trainings::new(&study, module, encoder, is_main)?;
        let diverged = trainings.make()?;
        notes.extend(diverged.iter().map(|d| study.note_on(module, d)));
        let mut repeats = Vec::new();
        let mut geometry = Vec::new();
        for repeat in 0..study.repeats.len() {
            if diverged.iter().any(|d| d.repeat == repeat) {
                continue;
            }
            let (seed, divisions) = &study.repeats[repeat];
            let mut found = Repeat::of(*seed, divisions, &trainings.load(repeat)?);
            if is_main {
                let of_repeat = geometry_of(
                    &trainings.wired,
                    &found,
                    &models,
                    regions.groups.view(),
                    planned.dissimilarity,
                );
                geometry.push(of_repeat.map_err(|source| study.failed(source))?);
                // What follows needs the first epoch only.
                found.units = found.units.slice(s![..1, .., ..]).to_owned();
            }
            repeats.push(found);
        }
        if repeats.is_empty() {
            return Err(study.all_diverged(module, &diverged));
        }
        modules.push(study.module_record(module, &trainings.wired, &repeats, &mut notes)?);
        let after: Vec<Array2<f64>> = repeats.iter().map(|r| r.after.clone()).collect();
        compared.push(Compared {
            encoder: study.encoder_of(module),
            structure: module.structure_idx,
            measures: measures(study.ratings.view(), &study.names, &after),
        });
        if is_main {
            of_main = Some((trainings, diverged, repeats, geometry));
        }
    }
    let (trainings, diverged, repeats, geometry) = of_main.expect("the plan names the main module");
    let (selectivity, curves_of_gains) = units(
        &study,
        &trainings,
        &diverged,
        &repeats,
        &found_bins,
        &mut notes,
    )?;
    let wired = &trainings.wired;
    let regions = regions.compared(
        &study, &trainings, &encoders, &models, &geometry, &mut notes,
    )?;
    let (rdms, maps) = displayed(&study, wired, &models, &geometry)?;
    notes.extend(last_notes(&study, modules.len(), repeats.len()));
    Ok(EmotionRecord {
        settings: settings(&study),
        ratings: study.rating_records(),
        modules,
        main: planned.main,
        baselines: baselines(&study, &encoders)?,
        comparisons: comparisons(&compared, planned.correction),
        bins: bin_records(&found_bins),
        selectivity,
        geometry: curves(wired, &models, &geometry),
        dimensionality: dimension_curves(wired, &geometry),
        regions,
        gains: curves_of_gains,
        rdms,
        maps,
        notes,
    })
}

impl<'a> Study<'a> {
    fn new(
        prepared: &'a Prepared,
        idx: usize,
        planned: &'a PlannedEmotion,
        cache: &'a Cache,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let columns: Vec<&[f64]> = planned
            .ratings
            .iter()
            .map(|&rating| match &prepared.ratings[rating].source {
                RatingSource::Given(given) => given.mean.as_slice(),
                RatingSource::Responses(_) => &[],
            })
            .collect();
        let stacked = |columns: &[&[f64]]| {
            let n = columns.first().map_or(0, |column| column.len());
            Array2::from_shape_fn((n, columns.len()), |(row, column)| columns[column][row])
        };
        let ratings = stacked(&columns);
        let learnt = match &planned.training {
            None => ratings.clone(),
            Some(training) => {
                let columns: Vec<&[f64]> = training.ratings.iter().map(Vec::as_slice).collect();
                stacked(&columns)
            }
        };
        let valence = ratings.column(0).to_vec();
        let repeats = (0..planned.repeats as u64).map(|repeat| {
            let seed = prepared.plan.seed.wrapping_add(repeat);
            let divisions = match &planned.training {
                None => folds(&valence, planned.folds, planned.validation, seed),
                Some(training) => {
                    let n = training.pictures.len();
                    elsewhere(n, valence.len(), planned.validation, seed)
                }
            };
            Ok((seed, divisions?))
        });
        let repeats = repeats
            .collect::<std::result::Result<Vec<_>, ExperimentError>>()
            .map_err(|source| of_experiment("the folds", source))?;
        let names = ["valence", "arousal"].iter().take(planned.ratings.len());
        Ok(Self {
            names: names.map(|name| (*name).to_owned()).collect(),
            prepared,
            idx,
            planned,
            cache,
            progress,
            ratings,
            learnt,
            repeats,
        })
    }

    /// A rating of the stimuli.
    fn column(&self, rating: usize) -> Option<Vec<f64>> {
        (rating < self.ratings.ncols()).then(|| self.ratings.column(rating).to_vec())
    }

    fn encoder_of(&self, module: &PlannedModule) -> usize {
        let models = self.planned.models.iter();
        let mut models = models.enumerate();
        let found = models.find(|(_, model)| **model == module.model);
        found.map_or(0, |(position, _)| position)
    }

    fn label(&self, module: &PlannedModule) -> String {
        let encoder = &self.prepared.plan.models[module.model].name;
        format!("{encoder} {}", module.structure.name)
    }

    fn failed(&self, source: MethodsError) -> StudyError {
        StudyError::Invalid {
            key: KeyPath::root("analysis").index(self.idx),
            message: source.to_string(),
        }
    }

    /// The other pictures that modules learn from.
    fn others(&self) -> Option<Pictures<'_>> {
        let training = self.planned.training.as_ref()?;
        let clips = self.prepared.training[self.idx].as_ref()?;
        Some(Pictures {
            planned: &training.pictures,
            clips,
        })
    }

    fn encoder(&self, model: usize, n_threads: usize) -> Result<Encoder> {
        let prepared = self.prepared;
        let planned = &prepared.plan.models[model];
        let last = planned.layers.len() - 1;
        let mut found = Vec::new();
        for pictures in [prepared.pictures()].into_iter().chain(self.others()) {
            make_features(
                prepared,
                pictures,
                model,
                self.cache,
                n_threads,
                self.progress,
            )?;
            let layer = &planned.layers[last];
            let features = load_features(prepared, pictures, planned, layer, self.cache)?;
            found.push((features, features_key(prepared, pictures, model, last)));
        }
        let mut found = found.into_iter();
        let (stimuli, key) = found.next().expect("there are stimuli");
        let (others, key_of_others) = found.next().unzip();
        Ok(Encoder {
            stimuli,
            others,
            key: (key, key_of_others),
        })
    }

    fn arrays<'b>(&'b self, encoder: &'b Encoder) -> Arrays<'b> {
        Arrays {
            features: encoder.others.as_ref().unwrap_or(&encoder.stimuli).view(),
            ratings: self.learnt.view(),
            stimuli: encoder.stimuli.view(),
        }
    }

    /// How a module learns.
    fn learning(&self, wired: &Wired) -> Learning {
        trainings::learning(self.planned, wired)
    }

    fn module_record(
        &self,
        module: &PlannedModule,
        wired: &Wired,
        repeats: &[Repeat],
        notes: &mut Vec<String>,
    ) -> Result<EmotionModule> {
        let planned = self.planned;
        let seed = self.prepared.plan.seed;
        let ratings = self.ratings.view();
        let (before, after): (Vec<_>, Vec<_>) = repeats
            .iter()
            .map(|repeat| (repeat.before(), repeat.after.view()))
            .unzip();
        let label = self.label(module);
        let scored = |views: &[ArrayView2<'_, f64>]| {
            let found = scores(ratings, views, planned.resamples, seed);
            found.map_err(|source| of_experiment(&label, source))
        };
        let in_plane = |views: &[ArrayView2<'_, f64>]| {
            let found = plane(ratings, views);
            found.map_err(|source| of_experiment(&label, source))
        };
        let (scores_before, scores_after) = (scored(&before)?, scored(&after)?);
        for (score, name) in scores_after.iter().zip(&self.names) {
            if score.r.is_none() {
                notes.push(format!(
                    "{label} predicts the same {name} for all stimuli, so there is no correlation"
                ));
            }
        }
        let model = &self.prepared.plan.models[module.model];
        let layer = model.layers.last().expect("a model has layers");
        Ok(EmotionModule {
            encoder: model.name.clone(),
            layer: layer.name.clone(),
            n_features: layer.n_features,
            structure: module.structure.name.clone(),
            n_parameters: module.n_parameters,
            nuclei: module.structure.described(wired),
            read_out: module.structure.nuclei.read_out.clone(),
            before: scores_before,
            after: scores_after,
            plane: in_plane(&before)?
                .zip(in_plane(&after)?)
                .map(|(a, b)| [a, b]),
            history: history(ratings, repeats),
            runs: repeats.iter().map(Repeat::record).collect(),
        })
    }

    fn rating_records(&self) -> Vec<EmotionRating> {
        let all: Vec<usize> = (0..self.ratings.nrows()).collect();
        let records = self.planned.ratings.iter().enumerate();
        records
            .map(|(column, &rating)| {
                let scale = &self.planned.scales[column];
                let found = reliability(self.prepared, rating, &all, self.cache);
                EmotionRating {
                    name: self.names[column].clone(),
                    scale: [scale.low(), scale.high()],
                    values: self.ratings.column(column).to_vec(),
                    ceiling: found.ok().flatten().and_then(ceiling),
                }
            })
            .collect()
    }

    fn first_notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.planned.training.is_none() {
            notes.push("Activations of all stimuli are those of the modules of all folds, which begin with the same weights: unit i of one is taken for unit i of the others.".to_owned());
        }
        let has_transformer = |module: &PlannedModule| {
            let mut nuclei = module.structure.nuclei.nucleus.iter();
            nuclei.any(|nucleus| nucleus.transformer.is_some())
        };
        if self.planned.modules.iter().any(has_transformer) {
            notes.push("Transformers read each picture as one token, as published; the softmax over one key is 1, so attention is a linear map, and its queries and keys learn nothing.".to_owned());
        }
        notes
    }

    fn note_on(&self, module: &PlannedModule, diverged: &Diverged) -> String {
        format!(
            "{}: repeat {} (seed {}) diverged in epoch {} at a learning rate of {} and was left out",
            self.label(module),
            diverged.repeat + 1,
            self.repeats[diverged.repeat].0,
            diverged.epoch,
            diverged.learning_rate,
        )
    }

    fn all_diverged(&self, module: &PlannedModule, diverged: &[Diverged]) -> StudyError {
        let source = VisualEmotionError::AllDiverged {
            module: self.label(module),
            epoch: diverged.first().map_or(0, |d| d.epoch),
            learning_rate: diverged.first().map_or(0.0, |d| d.learning_rate),
        };
        StudyError::Invalid {
            key: KeyPath::root("analysis")
                .index(self.idx)
                .key("learning-rate"),
            message: source.to_string(),
        }
    }
}

/// The highest correlation that can be expected with means of such a reliability.
fn ceiling(reliability: consilience_core::RatingReliability) -> Option<f64> {
    reliability.ceiling
}

fn of_experiment(about: &str, source: ExperimentError) -> StudyError {
    StudyError::Experiment {
        about: about.to_owned(),
        source: Box::new(source),
    }
}

/// Epoch and learning rate of a training whose loss was no number.
fn diverged_in(error: &ExperimentError) -> Option<(usize, f64)> {
    match *error {
        ExperimentError::Learn(LearnError::Diverged {
            epoch,
            learning_rate,
        }) => Some((epoch, learning_rate)),
        _ => None,
    }
}

fn notes_on_bins(bins: &Bins) -> Vec<String> {
    let mut notes = Vec::new();
    let left_out: Vec<String> = (bins.left_out().into_iter())
        .map(|bin| format!("{} ({})", bins.names[bin], bins.counts[bin]))
        .collect();
    if !left_out.is_empty() {
        notes.push(format!(
            "Bins with fewer than {} stimuli were left out: {}.",
            bins.min_items,
            left_out.join(", ")
        ));
    }
    if bins.n_between() > 0 {
        notes.push(format!(
            "{} stimuli lie in a gap between edges and belong to no bin.",
            bins.n_between()
        ));
    }
    notes
}

type Units = (
    Vec<consilience_core::NucleusSelectivity>,
    Vec<consilience_core::GainCurve>,
);

/// Selective units of the main module, and what their gains do.
fn units(
    study: &Study<'_>,
    trainings: &Trainings<'_>,
    diverged: &[Diverged],
    repeats: &[Repeat],
    bins: &Bins,
    notes: &mut Vec<String>,
) -> Result<Units> {
    let planned = study.planned;
    let seed = study.prepared.plan.seed;
    let params = BinSelectivityParams {
        threshold: planned.threshold,
        alpha: planned.alpha,
        correction: None,
        shuffles: planned.permutations,
        resamples: planned.resamples,
        seed,
    };
    let about = "selective units";
    let found = match selective_units(&trainings.wired, repeats, bins, &params) {
        Ok(found) => found,
        Err(ExperimentError::Methods(MethodsError::Emotion(
            error @ EmotionError::TooFewBins { .. },
        ))) => {
            notes.push(format!(
                "No units were looked at, and none changed: {error}."
            ));
            return Ok((Vec::new(), Vec::new()));
        }
        Err(source) => return Err(of_experiment(about, source)),
    };
    let encoder = trainings.encoder;
    let learning = study.learning(&trainings.wired);
    let mut trained = Vec::new();
    let left =
        (0..study.repeats.len()).filter(|repeat| diverged.iter().all(|d| d.repeat != *repeat));
    for (repeat, selective) in left.zip(&found.selective) {
        trained.push(TrainedRepeat::of(
            &trainings.wired,
            &study.arrays(encoder),
            &study.repeats[repeat].1,
            &trainings.load(repeat)?,
            &learning,
            selective.view(),
        ));
    }
    let params = GainParams {
        gains: planned.gains.clone(),
        random_sets: planned.random_sets,
        seed,
    };
    let key = Key::new(
        "emotion-gains",
        &(
            trainings.keys(),
            format!("{params:?}"),
            selective_key(&found.selective),
        ),
    );
    if let Some(curves) = study.cache.json("emotion", &key) {
        return Ok((found.nuclei, curves));
    }
    study.progress.begin("gains and lesions", 1000);
    let curves = gains(
        &trainings.wired,
        &trained,
        study.ratings.view(),
        &study.names,
        &params,
        &|done, of| study.progress.advance_to((1000 * done / of.max(1)) as u64),
    );
    study.progress.end();
    study.cache.put_json("emotion", &key, &curves)?;
    Ok((found.nuclei, curves))
}

fn selective_key(selective: &[Array2<bool>]) -> Vec<Vec<bool>> {
    selective
        .iter()
        .map(|of| of.iter().copied().collect())
        .collect()
}

/// Ridge regression on the features of each network.
fn baselines(study: &Study<'_>, encoders: &[Encoder]) -> Result<Vec<EmotionBaseline>> {
    let planned = study.planned;
    let plan = &study.prepared.plan;
    let of = |(&model, encoder): (&usize, &Encoder)| {
        let planned_model = &plan.models[model];
        let layer = planned_model.layers.last().expect("a model has layers");
        let key = Key::new(
            "emotion-ridge",
            &(
                &encoder.key,
                study.learnt.iter().copied().collect::<Vec<f64>>(),
                format!("{:?}", study.repeats),
                (planned.resamples, plan.seed),
            ),
        );
        let scores = match study.cache.json("emotion", &key) {
            Some(scores) => scores,
            None => {
                let about = format!("ridge on {}", planned_model.name);
                let pictures = study.arrays(encoder);
                let found = study
                    .repeats
                    .iter()
                    .map(|(_, divisions)| ridge(&pictures, divisions))
                    .collect::<std::result::Result<Vec<_>, _>>()
                    .map_err(|source| of_experiment(&about, source))?;
                let views: Vec<_> = found.iter().map(|found| found.view()).collect();
                let found = scores(study.ratings.view(), &views, planned.resamples, plan.seed)
                    .map_err(|source| of_experiment(&about, source))?;
                study.cache.put_json("emotion", &key, &found)?;
                found
            }
        };
        Ok(EmotionBaseline {
            encoder: planned_model.name.clone(),
            layer: layer.name.clone(),
            scores,
        })
    };
    planned.models.iter().zip(encoders).map(of).collect()
}

/// RDMs of the ratings and of each nucleus after training, and their maps.
fn displayed(
    study: &Study<'_>,
    wired: &Wired,
    models: &ModelRdms,
    geometry: &[RepeatGeometry],
) -> Result<(Vec<DisplayRdm>, Vec<MdsMap>)> {
    let mut all: Vec<(String, Array1<f64>)> = Vec::new();
    if let Some(name) = models.names.first() {
        all.push((name.clone(), models.rdms.row(0).to_owned()));
    }
    let of_nuclei = mean_rdms(geometry);
    let nuclei = wired.nuclei.iter().zip(of_nuclei);
    all.extend(nuclei.filter_map(|((name, _), rdm)| Some((name.clone(), rdm?.into()))));
    shown(study.prepared, all)
}

fn last_notes(study: &Study<'_>, n_modules: usize, n_repeats: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if n_modules > 1 && n_repeats > 1 {
        notes.push("Comparisons of modules are over repeats, which share the stimuli: their p says whether other initial weights and folds would give the same, and nothing of other stimuli.".to_owned());
    }
    if study.planned.training.is_none() {
        notes.push("Predictions of different folds come from different modules; what these differ in on average lowers correlations over all stimuli.".to_owned());
    }
    notes
}

fn settings(study: &Study<'_>) -> EmotionSettings {
    let planned = study.planned;
    let n_stimuli = study.ratings.nrows();
    EmotionSettings {
        trained_on: match &planned.training {
            None => format!("{n_stimuli} stimuli"),
            Some(training) => format!(
                "{} other pictures ({})",
                training.pictures.len(),
                training.images
            ),
        },
        validation: match &planned.training {
            None => format!("{}-fold cross-validation", planned.folds),
            Some(_) => "stimuli that no module learnt from".to_owned(),
        },
        preset: planned.preset.clone(),
        changes: planned.changes.clone(),
        repeats: planned.repeats,
        epochs: planned.learning.params.epochs,
        dissimilarity: planned.dissimilarity.to_string(),
        edges: format!(
            "valence {}, arousal {}",
            planned.bins.valence, planned.bins.arousal
        ),
        min_images: planned.bins.min_items,
        threshold: planned.threshold,
        alpha: planned.alpha,
        resamples: planned.resamples,
        permutations: planned.permutations,
        random_sets: planned.random_sets,
        correction: planned.correction.to_string(),
    }
}
