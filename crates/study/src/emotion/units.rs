//! Selective units of the main module, what their gains do, and what connections between nuclei do.

use consilience_core::{
    CategoryReadOut, ConnectionLesion, EmotionSecondSet, GainCurve, NucleusSelectivity,
};
use consilience_experiments::ExperimentError;
use consilience_experiments::visual_emotion::{
    Categories, ChangedUnits, GainParams, Repeat, TrainedRepeat, UnitsFound, connection_lesions,
    gains, read_outs, repeat_read_outs, selective_units,
};
use consilience_methods::MethodsError;
use consilience_methods::emotion::{BinSelectivityParams, Bins, EmotionError};
use ndarray::Array2;

use super::common::{Study, of_experiment};
use super::second::Second;
use super::trainings::{Diverged, Trainings, learning};
use crate::Result;
use crate::cache::Key;
use crate::plan::PlannedUnits;

/// What is found of the units of the main module and of what passes between its nuclei.
pub struct Units {
    pub selectivity: Vec<NucleusSelectivity>,
    pub second: Option<EmotionSecondSet>,
    pub gains: Vec<GainCurve>,
    pub connections: Vec<ConnectionLesion>,
    pub read_outs: Vec<CategoryReadOut>,
}

/// Selective units of the main module, what their gains do, and what is lost without each connection.
pub fn units(
    study: &Study<'_>,
    trainings: &Trainings<'_>,
    diverged: &[Diverged],
    (repeats, bins): (&[Repeat], &Bins),
    second: Option<&Second<'_>>,
    notes: &mut Vec<String>,
) -> Result<Units> {
    let planned = study.planned;
    let seed = study.prepared.plan.seed;
    let params = BinSelectivityParams {
        threshold: planned.threshold,
        alpha: planned.alpha,
        correction: planned.unit_correction.procedure(),
        shuffles: planned.permutations,
        resamples: planned.resamples,
        seed,
    };
    let found = match selective_units(&trainings.wired, repeats, bins, &params) {
        Ok(found) => found,
        Err(ExperimentError::Methods(MethodsError::Emotion(
            error @ EmotionError::TooFewBins { .. },
        ))) => {
            notes.push(format!(
                "No units were looked at, and none changed: {error}."
            ));
            UnitsFound {
                bins: Vec::new(),
                selective: vec![Array2::default((0, trainings.wired.n_units())); repeats.len()],
                nuclei: Vec::new(),
            }
        }
        Err(source) => return Err(of_experiment("selective units", source)),
    };
    let is_left = |repeat: &usize| diverged.iter().all(|d| d.repeat != *repeat);
    let left: Vec<usize> = (0..study.repeats.len()).filter(is_left).collect();
    let (mut in_second, mut changed) = (
        None,
        vec![ChangedUnits::selective(&found.bins, &found.selective)],
    );
    if let Some(second) = second {
        notes.extend(second.notes(study));
        let (record, both) = second.compared(study, trainings, (repeats, &left), bins, &params)?;
        in_second = Some(record);
        if planned.units == PlannedUnits::Consistent {
            changed = ChangedUnits::consistent(&both.bins, &both.selective).to_vec();
        }
    }
    let encoder = trainings.encoder;
    let learning = learning(planned, &trainings.wired);
    let params = GainParams {
        gains: planned.gains.clone(),
        random_sets: planned.random_sets,
        seed,
        bins_within_nuclei: planned.bins_within_nuclei,
    };
    let categories = categories(study, bins);
    let mut trained = Vec::new();
    let mut of_repeats = Vec::new();
    for (position, (&repeat, selective)) in left.iter().zip(&changed[0].of_bins).enumerate() {
        let runs = trainings.load(repeat)?;
        let divisions = study.repeats[repeat].1.as_slice();
        let arrays = study.arrays(encoder);
        trained.push(TrainedRepeat::of(
            &trainings.wired,
            &arrays,
            divisions,
            &runs,
            &learning,
        ));
        of_repeats.push(repeat_read_outs(
            &trainings.wired,
            &arrays,
            (divisions, &runs),
            &learning,
            (selective.view(), &changed[0].bins),
            &categories,
            (&params, position),
        ));
    }
    let read_outs = read_outs(&trainings.wired, &of_repeats, &categories, &params);
    notes.extend(without_read_out(&read_outs));
    let connections = connection_lesions(
        &trainings.wired,
        &trained,
        study.ratings.view(),
        &study.names,
    );
    let gains = match found.nuclei.is_empty() {
        true => Vec::new(),
        false => curves(study, trainings, &trained, &changed, &params)?,
    };
    Ok(Units {
        selectivity: found.nuclei,
        second: in_second,
        gains,
        connections,
        read_outs,
    })
}

/// The third of valence of all pictures, by the edges of the stimuli.
fn categories(study: &Study<'_>, bins: &Bins) -> Categories {
    let of = |ratings: &Array2<f64>| {
        let valence = ratings.column(0);
        valence.iter().map(|v| bins.third_of_valence(*v)).collect()
    };
    Categories {
        learnt: of(&study.learnt),
        tested: of(&study.ratings),
    }
}

/// Which categories cannot be read out, and why.
fn without_read_out(read_outs: &[CategoryReadOut]) -> Option<String> {
    let missing = read_outs
        .iter()
        .filter(|r| r.nucleus == "all" && r.f1.is_none());
    let missing: Vec<&str> = missing.map(|r| r.category.as_str()).collect();
    (!missing.is_empty()).then(|| {
        format!(
            "Stimuli with {} valence are not read out of nuclei: there is none of them, or a module had none, or no others, to learn from.",
            missing.join(" or ")
        )
    })
}

/// What gains and lesions of units do, through the cache.
fn curves(
    study: &Study<'_>,
    trainings: &Trainings<'_>,
    trained: &[TrainedRepeat],
    units: &[ChangedUnits],
    params: &GainParams,
) -> Result<Vec<GainCurve>> {
    let key = Key::new(
        "emotion-gains",
        &(
            trainings.keys(),
            format!("{params:?}"),
            units.iter().map(key_of).collect::<Vec<_>>(),
        ),
    );
    if let Some(curves) = study.cache.json("emotion", &key) {
        return Ok(curves);
    }
    study.progress.begin("gains and lesions", 1000);
    let curves = gains(
        &trainings.wired,
        trained,
        study.ratings.view(),
        &study.names,
        units,
        params,
        &|done, of| study.progress.advance_to((1000 * done / of.max(1)) as u64),
    );
    study.progress.end();
    study.cache.put_json("emotion", &key, &curves)?;
    Ok(curves)
}

/// Everything that tells units apart.
fn key_of(units: &ChangedUnits) -> (Option<&str>, &[String], Vec<Vec<bool>>) {
    let of_bins = units.of_bins.iter().map(|of| of.iter().copied().collect());
    let any = units.any.iter().cloned();
    (
        units.selective_in,
        &units.bins,
        of_bins.chain(any).collect(),
    )
}
