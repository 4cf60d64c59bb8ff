//! Analyses of valence and arousal: which modules read which networks, and how they learn.

mod learning;
mod learnt;
mod second;
mod tokens;

use consilience_core::{InputFile, TargetKind};
use consilience_experiments::visual_emotion::{Structure, elsewhere, folds};
use consilience_methods::emotion::{BinParams, RatingScale, bins};
use consilience_methods::rdm::Dissimilarity;
use consilience_models::Clips;
use consilience_models::nuclei::{Nuclei, Variant};

use super::analyses::{check_alpha, chosen, parse, position};
use super::appraisal::Resolved;
use super::ratings::{LoadedRating, RatingSource};
use super::{at, input, invalid};
use crate::Result;
use crate::file::{EmotionOptions, KeyPath};
use crate::plan::{
    PlannedControl, PlannedEmotion, PlannedModule, PlannedRating, PlannedRegion, PlannedSecond,
    PlannedTarget, PlannedUnits,
};
use learning::learning;
pub use learning::{module_augmentation, module_learning};
use learnt::load_learnt;
use second::{First, load_second};

/// Resolves one analysis; `targets` and `loaded` are the study's RDMs and ratings.
pub(super) fn resolve_emotion(
    options: &EmotionOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    targets: &[PlannedTarget],
    loaded: &[LoadedRating],
    inputs: &mut Vec<InputFile>,
) -> Result<(PlannedEmotion, [Option<Clips>; 2])> {
    let of = |name: &str| key.clone().key(name);
    check_alpha(options.alpha, key)?;
    let ratings = learnt_ratings(options, key, study.ratings)?;
    let scales = scales(&ratings, key, study, loaded)?;
    let models = chosen(
        &of("models"),
        options.models.as_deref(),
        study.models,
        |m| &m.name,
    )?;
    if models.is_empty() {
        return Err(invalid(
            key,
            "nothing to read: the study has no [[model]]; add one",
        ));
    }
    if options.tokens {
        tokens::check_models(&of("tokens"), study.models, &models)?;
    }
    let modules = modules(options, key, study, &models, ratings.len(), inputs)?;
    let main = main_module(options, key, study, &modules)?;
    let bins = bin_params(options, key, &scales, &ratings, loaded)?;
    let (training, clips) = load_learnt(options, key, &ratings, &scales, study, inputs)?.unzip();
    let (second, clips_of_second) = match &options.second_set {
        None => (None, None),
        Some(set) => {
            let first = First {
                ratings: &ratings,
                scales: &scales,
                loaded,
                bins: &bins,
                learnt: training.as_ref(),
            };
            let (second, clips) = load_second(set, &of("second-set"), &first, study, inputs)?;
            (Some(second), Some(clips))
        }
    };
    let units = changed_units(&of("units"), &options.units, second.as_ref())?;
    let (changes, learning) = learning(options, key, ratings.len())?;
    check_numbers(options, key)?;
    let has_films = clips.as_ref().unwrap_or(study.clips).has_films();
    if options.augment && has_films {
        return Err(invalid(
            &of("augment"),
            "some of what is learnt from are films, whose frames would each be seen in a view of its own; learn from pictures ([[analysis.training]]), or leave `augment` out",
        ));
    }
    if options.tokens {
        let n_learnt = training.as_ref().map_or(0, |t| t.pictures.len());
        let n_second = second.as_ref().map_or(0, |s| s.pictures.len());
        let n_pictures = study.stimuli.len() + n_learnt + n_second;
        tokens::check_memory(&of("tokens"), study.models, &modules, n_pictures, &learning)?;
    }
    // Folds that cannot be are said here, not after the networks ran.
    let n_stimuli = study.stimuli.len();
    let divided = match &training {
        None => folds(
            mean_ratings(loaded, ratings[0]),
            options.folds,
            options.validation,
            study.seed,
        ),
        Some(training) => {
            let n = training.pictures.len();
            elsewhere(n, n_stimuli, options.validation, study.seed)
        }
    };
    let divided_by = match training {
        None => "folds",
        Some(_) => "training",
    };
    divided.map_err(|e| at(&of(divided_by), e))?;
    let dissimilarity: Dissimilarity = parse(&of("dissimilarity"), &options.dissimilarity)?;
    if matches!(
        dissimilarity,
        Dissimilarity::Crossnobis | Dissimilarity::Mahalanobis
    ) {
        return Err(invalid(
            &of("dissimilarity"),
            "units have no noise to divide by; take correlation, spearman, cosine, euclidean or sqeuclidean",
        ));
    }
    let planned = PlannedEmotion {
        ratings,
        scales,
        models,
        modules,
        main,
        training,
        preset: options.preset.clone(),
        changes,
        learning,
        dropout: options.dropout,
        augmentation: (options.augment).then(|| module_augmentation(&options.preset)),
        repeats: options.repeats,
        folds: options.folds,
        validation: options.validation,
        bins,
        threshold: options.threshold,
        alpha: options.alpha,
        resamples: options.resamples,
        permutations: options.permutations,
        random_sets: options.random_sets,
        gains: options.gains.clone(),
        units,
        bins_within_nuclei: options.bins_within_nuclei,
        second,
        regions: regions(options, key, targets, study.ratings)?,
        controls: options
            .controls
            .iter()
            .map(|name| match name.as_str() {
                "encoder" => Ok(PlannedControl::Encoder),
                feature => Ok(PlannedControl::Pictures(parse(&of("controls"), feature)?)),
            })
            .collect::<Result<_>>()?,
        dissimilarity,
        unit_correction: parse(&of("unit-correction"), &options.unit_correction)?,
        correction: parse(&of("correction"), &options.correction)?,
    };
    Ok((planned, [clips, clips_of_second]))
}

fn changed_units(
    key: &KeyPath,
    name: &str,
    second: Option<&PlannedSecond>,
) -> Result<PlannedUnits> {
    let all = [PlannedUnits::Selective, PlannedUnits::Consistent];
    match all.into_iter().find(|units| units.name() == name) {
        None => Err(invalid(
            key,
            &format!("no units are called {name:?}; there is: selective, consistent"),
        )),
        Some(PlannedUnits::Consistent) if second.is_none() => Err(invalid(
            key,
            "units are consistent in two sets of pictures, and there is one; add a table [analysis.second-set]",
        )),
        Some(units) => Ok(units),
    }
}

fn mean_ratings(loaded: &[LoadedRating], rating: usize) -> &[f64] {
    match &loaded[rating].source {
        RatingSource::Given(given) => &given.mean,
        RatingSource::Responses(_) => &[],
    }
}

/// Positions of valence and, if it is learnt, arousal.
fn learnt_ratings(
    options: &EmotionOptions,
    key: &KeyPath,
    ratings: &[PlannedRating],
) -> Result<Vec<usize>> {
    let can_be_learnt =
        |rating: &PlannedRating| rating.kind == TargetKind::Behaviour && rating.reads.is_none();
    let named = |name: &str, given: &Option<String>| match given {
        Some(given) => position(&key.clone().key(name), given, ratings, |r| &r.name).map(Some),
        None => Ok(ratings
            .iter()
            .position(|r| can_be_learnt(r) && r.name == name)),
    };
    let valence = match named("valence", &options.valence)? {
        Some(valence) => valence,
        None => ratings.iter().position(can_be_learnt).ok_or_else(|| {
            invalid(
                key,
                "nothing to learn: the study has no [[behaviour]] with `ratings`; add one of valence",
            )
        })?,
    };
    let arousal = named("arousal", &options.arousal)?.filter(|&arousal| arousal != valence);
    let all: Vec<usize> = [valence].into_iter().chain(arousal).collect();
    for (name, &rating) in ["valence", "arousal"].iter().zip(&all) {
        if !can_be_learnt(&ratings[rating]) {
            return Err(invalid(
                &key.clone().key(name),
                &format!(
                    "{} is no [[behaviour]] with `ratings`",
                    ratings[rating].name
                ),
            ));
        }
    }
    Ok(all)
}

fn scales(
    ratings: &[usize],
    key: &KeyPath,
    study: &Resolved<'_>,
    loaded: &[LoadedRating],
) -> Result<Vec<RatingScale>> {
    let of = |&rating: &usize| {
        let planned = &study.ratings[rating];
        let Some([low, high]) = planned.scale else {
            return Err(invalid(
                key,
                &format!(
                    "the scale of {} is not known; add `scale = [1, 9]` (its ends) to its [[behaviour]]",
                    planned.name
                ),
            ));
        };
        let values = mean_ratings(loaded, rating);
        if values.iter().all(|v| Some(v) == values.first()) {
            return Err(invalid(
                key,
                &format!(
                    "all ratings of {} are the same, so there is nothing to learn; give ratings that vary",
                    planned.name
                ),
            ));
        }
        RatingScale::new(low, high).map_err(|e| at(key, e))
    };
    ratings.iter().map(of).collect()
}

/// One module for each network and structure.
fn modules(
    options: &EmotionOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    models: &[usize],
    n_ratings: usize,
    inputs: &mut Vec<InputFile>,
) -> Result<Vec<PlannedModule>> {
    let of = |name: &str| key.clone().key(name);
    if let Some(width) = options.width
        && (width < 12 || !width.is_multiple_of(4))
    {
        return Err(invalid(
            &of("width"),
            &format!("the width is {width}, expected a multiple of 4 from 12 on"),
        ));
    }
    let file = match &options.nuclei {
        None => None,
        Some(file) => {
            let key = of("nuclei");
            let path = study.places.file(&key, file)?;
            inputs.push(input("nuclei", file, &path)?);
            let text = std::fs::read_to_string(&path).map_err(|e| at(&key, e))?;
            let nuclei = Nuclei::from_toml(&text).map_err(|e| at(&key, e))?;
            // What figures and tables call the module.
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            Some((name.into_owned(), nuclei))
        }
    };
    let variants = options
        .structures
        .iter()
        .map(|name| {
            let found = Variant::ALL
                .into_iter()
                .find(|variant| variant.name() == name);
            found.ok_or_else(|| {
                invalid(
                    &of("structures"),
                    &format!("no structure is called {name:?}; there is: I, II, III, IV"),
                )
            })
        })
        .collect::<Result<Vec<Variant>>>()?;
    if variants.is_empty() && file.is_none() {
        return Err(invalid(
            &of("structures"),
            "no structure; name at least one of I, II, III, IV",
        ));
    }
    let mut modules = Vec::new();
    for &model in models {
        let layers = &study.models[model].layers;
        let n_features = layers.last().map_or(0, |layer| match options.tokens {
            true => layer.tokens.n_channels,
            false => layer.n_features,
        });
        let mut structures: Vec<Structure> = match &file {
            Some((name, nuclei)) => vec![Structure {
                name: name.clone(),
                nuclei: nuclei.clone(),
                adapter: options.width,
                tokens: None,
            }],
            None => variants
                .iter()
                .map(|&variant| Structure::variant(variant, n_features, options.width))
                .collect(),
        };
        if options.tokens {
            let n_tokens = layers.last().map(|layer| layer.tokens.n());
            for structure in &mut structures {
                structure.tokens = n_tokens;
            }
        }
        let wired = |structure: &Structure| {
            let wired = structure.wired(n_features, n_ratings);
            wired.map_err(|e| at(&of("structures"), e))
        };
        if options.matched
            && let Some((last, others)) = structures.split_last_mut()
        {
            let n = wired(last)?.n_parameters();
            for structure in others {
                *structure = structure
                    .matched_to(n, n_features, n_ratings)
                    .map_err(|e| at(&of("matched"), e))?;
            }
        }
        for (structure_idx, structure) in structures.into_iter().enumerate() {
            modules.push(PlannedModule {
                model,
                structure_idx,
                n_parameters: wired(&structure)?.n_parameters(),
                n_units: wired(&structure)?.n_units(),
                structure,
            });
        }
    }
    Ok(modules)
}

/// Position of the module that units, geometry and gains are of.
fn main_module(
    options: &EmotionOptions,
    key: &KeyPath,
    study: &Resolved<'_>,
    modules: &[PlannedModule],
) -> Result<usize> {
    let label = |module: &PlannedModule| {
        let encoder = &study.models[module.model].name;
        format!("{encoder} {}", module.structure.name)
    };
    match &options.main {
        None => {
            let first = modules[0].model;
            let of_first = modules.iter().filter(|module| module.model == first);
            Ok(of_first.count() - 1)
        }
        Some(name) => {
            let labels: Vec<String> = modules.iter().map(label).collect();
            position(&key.clone().key("main"), name, &labels, |label| label)
        }
    }
}

fn bin_params(
    options: &EmotionOptions,
    key: &KeyPath,
    scales: &[RatingScale],
    ratings: &[usize],
    loaded: &[LoadedRating],
) -> Result<BinParams> {
    let of = |name: &str| key.clone().key(name);
    let params = BinParams {
        scale: scales[0],
        valence: parse(&of("valence-edges"), &options.valence_edges)?,
        arousal: parse(&of("arousal-edges"), &options.arousal_edges)?,
        min_items: options.min_images,
    };
    if scales.len() == 2 && scales[0] != scales[1] {
        return Err(invalid(
            key,
            "valence and arousal have different scales; bring them to one in their tables, and declare it in both `scale`s",
        ));
    }
    let arousal = ratings.get(1).map(|&rating| mean_ratings(loaded, rating));
    bins(mean_ratings(loaded, ratings[0]), arousal, &params).map_err(|e| at(key, e))?;
    Ok(params)
}

fn check_numbers(options: &EmotionOptions, key: &KeyPath) -> Result<()> {
    let of = |name: &str| key.clone().key(name);
    for (name, found, least) in [
        ("repeats", options.repeats, 1),
        ("permutations", options.permutations, 1),
        ("resamples", options.resamples, 2),
    ] {
        if found < least {
            return Err(invalid(
                &of(name),
                &format!("{name} is {found}, expected at least {least}"),
            ));
        }
    }
    if let Some(gain) = options
        .gains
        .iter()
        .find(|gain| !(gain.is_finite() && **gain >= -1.0))
    {
        return Err(invalid(
            &of("gains"),
            &format!("a gain is {gain}, expected numbers of at least −1"),
        ));
    }
    if !options.threshold.is_finite() {
        return Err(invalid(&of("threshold"), "the threshold is no number"));
    }
    Ok(())
}

/// The named regions, or all brain targets with patterns or RDMs.
fn regions(
    options: &EmotionOptions,
    key: &KeyPath,
    targets: &[PlannedTarget],
    ratings: &[PlannedRating],
) -> Result<Vec<PlannedRegion>> {
    let of_rdms = targets.iter().enumerate();
    let of_rdms = of_rdms.filter(|(_, target)| target.kind == TargetKind::Brain);
    let of_rdms = of_rdms.map(|(idx, target)| (&target.name, PlannedRegion::Rdms(idx)));
    let responses = ratings.iter().enumerate();
    let responses = responses.filter(|(_, r)| r.kind == TargetKind::Brain && r.reads.is_some());
    let responses = responses.map(|(idx, r)| (&r.name, PlannedRegion::Responses(idx)));
    let all: Vec<(&String, PlannedRegion)> = of_rdms.chain(responses).collect();
    let found = chosen(
        &key.clone().key("regions"),
        options.regions.as_deref(),
        &all,
        |(name, _)| name,
    )?;
    Ok(found.into_iter().map(|idx| all[idx].1).collect())
}
