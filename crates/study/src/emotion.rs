//! One visual-emotion analysis: features → modules → predictions, units, geometry, regions, gains.

mod common;
mod notes;
mod records;
mod regions;
mod second;
mod trainings;
mod units;
mod views;

use consilience_core::EmotionRecord;
use consilience_experiments::visual_emotion::{
    Compared, ModelRdms, Repeat, bin_records, comparisons, curves, dimension_curves, geometry_of,
    measures,
};
use consilience_methods::emotion::bins;
use ndarray::{Array2, s};

use crate::Result;
use crate::cache::Cache;
use crate::plan::PlannedEmotion;
use crate::prepare::Prepared;
use crate::progress::Progress;
use common::Study;
use regions::Regions;
use second::Second;
use trainings::Trainings;
use units::units;

/// Carries out one analysis of the plan.
pub fn run(
    prepared: &Prepared,
    idx: usize,
    planned: &PlannedEmotion,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<EmotionRecord> {
    let study = Study::new(prepared, idx, planned, cache, n_threads, progress)?;
    let mut encoders = Vec::with_capacity(planned.models.len());
    for &model in &planned.models {
        encoders.push(study.encoder(model)?);
    }
    let mut notes = notes::on_modules(&study);
    let (arousal, valence) = (study.column(1), study.column(0).unwrap_or_default());
    let found_bins =
        bins(&valence, arousal.as_deref(), &planned.bins).map_err(|source| study.failed(source))?;
    notes.extend(notes::on_bins(&found_bins));
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
        notes.extend(
            diverged
                .iter()
                .map(|d| notes::on_diverged(&study, module, d)),
        );
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
            return Err(notes::all_diverged(&study, module, &diverged));
        }
        notes.extend(notes::on_untrained(&study, module, &repeats));
        modules.push(records::module(
            &study,
            module,
            &trainings.wired,
            &repeats,
            &mut notes,
        )?);
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
    let second = Second::new(&study, n_threads)?;
    let units = units(
        &study,
        &trainings,
        &diverged,
        (&repeats, &found_bins),
        second.as_ref(),
        &mut notes,
    )?;
    let wired = &trainings.wired;
    let regions = regions.compared(
        &study, &trainings, &encoders, &models, &geometry, &mut notes,
    )?;
    let (rdms, maps) = records::displayed(&study, wired, &models, &geometry)?;
    notes.extend(notes::on_numbers(&study, modules.len(), repeats.len()));
    Ok(EmotionRecord {
        settings: records::settings(&study),
        training: records::training(planned),
        ratings: records::ratings(&study),
        modules,
        main: planned.main,
        baselines: records::baselines(&study, &encoders)?,
        comparisons: comparisons(&compared, planned.correction),
        bins: bin_records(&found_bins),
        selectivity: units.selectivity,
        second: units.second,
        geometry: curves(wired, &models, &geometry),
        dimensionality: dimension_curves(wired, &geometry),
        regions,
        gains: units.gains,
        connections: units.connections,
        read_outs: units.read_outs,
        rdms,
        maps,
        notes,
    })
}
