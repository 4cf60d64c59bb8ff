//! The tidy tables of visual emotion.

mod changes;
mod second;

use consilience_core::{
    EmotionModule, EmotionPictureSet, EmotionQuantiles, EmotionRecord, GeometryCurve,
    PredictionScore, StimulusRecord,
};

use super::scores::{self, When};
use crate::{
    Table,
    analyses::Named,
    csv::{Rows, field, number},
};

const SCORES: &str = "analysis,encoder,layer,n_features,structure,n_parameters,is_main,model,rating,stage,n_repeats,r,r_sd,r_of_mean,ci_low,\
ci_high,spearman,spearman_sd,spearman_of_mean,rmse,r2,rmse_refit,r2_refit,ceiling,disparity,disparity_sd,energy_distance,n_bins,r_bins,r_sd_bins,rmse_bins,r2_bins,rmse_refit_bins,r2_refit_bins";

const COMPARISONS: &str = "analysis,encoder_a,structure_a,encoder_b,structure_b,differ_in,measure,difference,t,p,p_corrected,d";

const SELECTIVITY: &str =
    "analysis,nucleus,n_units,bin,before,before_sem,after,after_sem,shuffled,p_shuffled,p_change";

const REGIONS: &str = "analysis,region,simulated,n_subjects,ceiling_lower,ceiling_upper,name,of,rho,p,partial,partial_p,controls,\
subject_mean,subject_sem,ci_low,ci_high";

const NUCLEI: &str = "analysis,encoder,structure,nucleus,width,unit,reads,inhibited_by,feedback,is_read_out,attention_entropy";

/// Units that are selective in two sets of pictures.
pub(super) const CONSISTENCY: &str = "consistency.csv";

pub(crate) fn tables(
    analyses: &[Named<'_, EmotionRecord>],
    stimuli: &[StimulusRecord],
    main: &str,
) -> Vec<Table> {
    let of = |name: &str, columns: &str, fill: &dyn Fn(&mut Rows, &str, &EmotionRecord)| {
        let mut rows = Rows::new(name, columns);
        for Named { name, record } in analyses {
            fill(&mut rows, name, record);
        }
        rows.finish()
    };
    vec![
        of(main, SCORES, &module_scores),
        of(
            "emotion_predictions.csv",
            "analysis,encoder,structure,run,seed,stimulus,rating,given,before,after",
            &|rows, name, record| predictions(rows, name, record, stimuli),
        ),
        of(
            "quantiles.csv",
            "analysis,encoder,structure,rating,bin,above,up_to,n_stimuli,given,predicted,predicted_sd",
            &quantiles,
        ),
        of(
            "history.csv",
            "analysis,encoder,structure,epoch,measure,value,sd",
            &history,
        ),
        of(
            "training_sets.csv",
            "analysis,set,images,scale_low,scale_high,n_pictures,n_unrated,n_absent,n_repeated,n_stimuli",
            &training_sets,
        ),
        of("module_comparisons.csv", COMPARISONS, &comparisons),
        of("nuclei.csv", NUCLEI, &nuclei),
        of("bins.csv", "analysis,bin,n_stimuli,is_kept", &bins),
        of("second_set.csv", second::SETS, &second::sets),
        of(
            "second_bins.csv",
            "analysis,set,bin,n_pictures,is_kept,is_shared",
            &second::bins,
        ),
        of(CONSISTENCY, second::OVERLAPS, &second::overlaps),
        of("preferences.csv", second::PREFERENCES, &second::preferences),
        of("selectivity.csv", SELECTIVITY, &selectivity),
        of(
            "tuning.csv",
            "analysis,nucleus,selective_for,bin,tuning",
            &tuning,
        ),
        of(
            "geometry.csv",
            "analysis,nucleus,measure,epoch,value,sem",
            &geometry,
        ),
        of("regions.csv", REGIONS, &regions),
        of(
            "region_epochs.csv",
            "analysis,region,simulated,epoch,rho,sem",
            &region_epochs,
        ),
        of(
            "gains.csv",
            "analysis,nucleus,units,selective_in,n_units,rating,gain,r,random,random_sd,p",
            &changes::gains,
        ),
        of(
            "connections.csv",
            "analysis,from,to,kind,rating,r,r_sd,change,change_sd",
            &changes::connections,
        ),
        of("read_outs.csv", changes::READ_OUTS, &changes::read_outs),
    ]
}

fn module_scores(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for (idx, module) in emotion.modules.iter().enumerate() {
        for (rating, of) in emotion.ratings.iter().enumerate() {
            for when in When::BOTH {
                let plane = module.plane.map(|[before, after]| match when {
                    When::Before => before,
                    When::After => after,
                });
                let mut fields = vec![
                    analysis.to_owned(),
                    field(&module.encoder),
                    field(&module.layer),
                    module.n_features.to_string(),
                    field(&module.structure),
                    module.n_parameters.to_string(),
                    (idx == emotion.main).to_string(),
                    "module".to_owned(),
                    field(&of.name),
                    stage(when).to_owned(),
                    module.runs.len().to_string(),
                ];
                fields.extend(score(&when.scores(module)[rating]));
                fields.extend([
                    number(of.ceiling),
                    number(plane.and_then(|p| p.disparity)),
                    number(plane.and_then(|p| p.disparity_sd)),
                    number(plane.map(|p| p.energy)),
                ]);
                let table = module.quantiles[rating].as_ref();
                fields.extend(binned(table.filter(|_| when == When::After)));
                rows.push(&fields);
            }
        }
    }
    for baseline in &emotion.baselines {
        for (of, s) in emotion.ratings.iter().zip(&baseline.scores) {
            let nothing = String::new;
            let mut fields = vec![
                analysis.to_owned(),
                field(&baseline.encoder),
                field(&baseline.layer),
                nothing(),
                nothing(),
                nothing(),
                "false".to_owned(),
                "ridge".to_owned(),
                field(&of.name),
                stage(When::After).to_owned(),
                nothing(),
            ];
            fields.extend(score(s));
            fields.extend([number(of.ceiling), nothing(), nothing(), nothing()]);
            fields.extend(binned(None));
            rows.push(&fields);
        }
    }
}

/// How means of bins of given ratings follow each other.
fn binned(table: Option<&EmotionQuantiles>) -> [String; 7] {
    let score = table.map(|table| &table.score);
    let n = table.map_or_else(String::new, |table| table.counts.len().to_string());
    let [r, sd, rmse, r2, rmse_refit, r2_refit] = [
        score.and_then(|s| s.r),
        score.and_then(|s| s.r_sd),
        score.map(|s| s.rmse),
        score.map(|s| s.r2),
        score.and_then(|s| s.rmse_refit),
        score.and_then(|s| s.r2_refit),
    ]
    .map(number);
    [n, r, sd, rmse, r2, rmse_refit, r2_refit]
}

fn quantiles(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for module in &emotion.modules {
        let [encoder, structure] = names(module);
        for (of, table) in emotion.ratings.iter().zip(&module.quantiles) {
            let Some(table) = table else { continue };
            for bin in 0..table.counts.len() {
                rows.push(&[
                    analysis.to_owned(),
                    encoder.clone(),
                    structure.clone(),
                    field(&of.name),
                    (bin + 1).to_string(),
                    number(Some(table.edges[bin])),
                    number(Some(table.edges[bin + 1])),
                    table.counts[bin].to_string(),
                    number(Some(table.given[bin])),
                    number(Some(table.predicted[bin])),
                    number(table.predicted_sd[bin]),
                ]);
            }
        }
    }
}

fn stage(when: When) -> &'static str {
    match when {
        When::Before => "before",
        When::After => "after",
    }
}

fn score(s: &PredictionScore) -> [String; 12] {
    [
        s.r,
        s.r_sd,
        s.r_of_mean,
        s.r_interval.map(|ends| ends[0]),
        s.r_interval.map(|ends| ends[1]),
        s.spearman,
        s.spearman_sd,
        s.spearman_of_mean,
        Some(s.rmse),
        Some(s.r2),
        s.rmse_refit,
        s.r2_refit,
    ]
    .map(number)
}

/// Encoder and structure of a module.
fn names(module: &EmotionModule) -> [String; 2] {
    [field(&module.encoder), field(&module.structure)]
}

fn predictions(
    rows: &mut Rows,
    analysis: &str,
    emotion: &EmotionRecord,
    stimuli: &[StimulusRecord],
) {
    for module in &emotion.modules {
        let [encoder, structure] = names(module);
        for (run_idx, run) in module.runs.iter().enumerate() {
            for (idx, stimulus) in stimuli.iter().enumerate() {
                for (rating, of) in emotion.ratings.iter().enumerate() {
                    rows.push(&[
                        analysis.to_owned(),
                        encoder.clone(),
                        structure.clone(),
                        (run_idx + 1).to_string(),
                        run.seed.to_string(),
                        field(&stimulus.id),
                        field(&of.name),
                        number(Some(of.values[idx])),
                        number(Some(run.before[rating][idx])),
                        number(Some(run.after[rating][idx])),
                    ]);
                }
            }
        }
    }
}

fn history(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for module in &emotion.modules {
        let [encoder, structure] = names(module);
        for epoch in &module.history {
            let mut row = |measure: &str, value: Option<f64>, sd: Option<f64>| {
                rows.push(&[
                    analysis.to_owned(),
                    encoder.clone(),
                    structure.clone(),
                    epoch.epoch.to_string(),
                    field(measure),
                    number(value),
                    number(sd),
                ]);
            };
            row("training loss", epoch.training, None);
            row("validation loss", epoch.validation, None);
            for (rating, of) in emotion.ratings.iter().enumerate() {
                let measure = format!("r of {}", of.name);
                row(&measure, epoch.r[rating], epoch.r_sd[rating]);
            }
            row("disparity", epoch.disparity, epoch.disparity_sd);
        }
    }
}

fn training_sets(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for set in &emotion.training {
        rows.push(&picture_set(analysis, set));
    }
}

/// A set of pictures and what was left out of it.
fn picture_set(analysis: &str, set: &EmotionPictureSet) -> [String; 10] {
    [
        analysis.to_owned(),
        field(&set.name),
        field(&set.images),
        number(Some(set.scale[0])),
        number(Some(set.scale[1])),
        set.n_pictures.to_string(),
        set.n_unrated.to_string(),
        set.n_absent.to_string(),
        set.n_repeated.to_string(),
        set.n_stimuli.to_string(),
    ]
}

fn comparisons(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for c in &emotion.comparisons {
        let [encoder_a, structure_a] = names(&emotion.modules[c.a]);
        let [encoder_b, structure_b] = names(&emotion.modules[c.b]);
        rows.push(&[
            analysis.to_owned(),
            encoder_a,
            structure_a,
            encoder_b,
            structure_b,
            field(&c.differ_in),
            field(&c.measure),
            number(Some(c.difference)),
            number(c.t),
            number(c.p),
            number(c.p_corrected),
            number(c.d),
        ]);
    }
}

fn nuclei(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for module in &emotion.modules {
        let [encoder, structure] = names(module);
        for nucleus in &module.nuclei {
            let listed = |names: &[String]| field(&names.join("; "));
            rows.push(&[
                analysis.to_owned(),
                encoder.clone(),
                structure.clone(),
                field(&nucleus.name),
                nucleus.width.to_string(),
                field(&nucleus.unit),
                listed(&nucleus.reads),
                listed(&nucleus.inhibited_by),
                listed(&nucleus.feedback),
                (nucleus.name == module.read_out).to_string(),
                number(nucleus.attention_entropy),
            ]);
        }
    }
}

fn bins(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for bin in &emotion.bins {
        rows.push(&[
            analysis.to_owned(),
            field(&bin.name),
            bin.n.to_string(),
            bin.is_kept.to_string(),
        ]);
    }
}

fn selectivity(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for of in &emotion.selectivity {
        for count in &of.counts {
            rows.push(&[
                analysis.to_owned(),
                field(&of.nucleus),
                of.n_units.to_string(),
                field(&count.bin),
                number(Some(count.before)),
                number(count.before_sem),
                number(Some(count.after)),
                number(count.after_sem),
                number(count.shuffled),
                number(count.p_shuffled),
                number(count.p_change),
            ]);
        }
    }
}

fn tuning(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    let bins = scores::kept_bins(emotion);
    for of in &emotion.selectivity {
        for (selective_for, values) in bins.iter().zip(&of.tuning) {
            let values = values.iter().flatten();
            for (bin, value) in bins.iter().zip(values) {
                rows.push(&[
                    analysis.to_owned(),
                    field(&of.nucleus),
                    field(selective_for),
                    field(bin),
                    number(Some(*value)),
                ]);
            }
        }
    }
}

fn geometry(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for curve in &emotion.geometry {
        for (epoch, value, sem) in points(curve) {
            rows.push(&[
                analysis.to_owned(),
                field(&curve.nucleus),
                field(&format!("agreement with {}", curve.model)),
                epoch.to_string(),
                number(value),
                number(sem),
            ]);
        }
    }
    for curve in &emotion.dimensionality {
        for (epoch, value) in curve.epochs.iter().zip(&curve.means) {
            rows.push(&[
                analysis.to_owned(),
                field(&curve.nucleus),
                "participation ratio".to_owned(),
                epoch.to_string(),
                number(*value),
                String::new(),
            ]);
        }
    }
}

fn points(curve: &GeometryCurve) -> impl Iterator<Item = (usize, Option<f64>, Option<f64>)> {
    let values = curve.means.iter().zip(&curve.sems);
    let epochs = curve.epochs.iter();
    epochs
        .zip(values)
        .map(|(&epoch, (&mean, &sem))| (epoch, mean, sem))
}

fn regions(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for region in &emotion.regions {
        for score in &region.scores {
            let estimate = score.estimate.as_ref();
            let end = |which: usize| estimate.and_then(|e| e.interval).map(|ends| ends[which]);
            rows.push(&[
                analysis.to_owned(),
                field(&region.name),
                region.is_simulated.to_string(),
                region.n_subjects.to_string(),
                number(region.ceiling.map(|c| c.lower)),
                number(region.ceiling.map(|c| c.upper)),
                field(&score.name),
                field(&score.of),
                number(score.rho),
                number(score.p),
                number(score.partial),
                number(score.partial_p),
                field(&region.controls.join("; ")),
                number(estimate.map(|e| e.value)),
                number(estimate.and_then(|e| e.sem)),
                number(end(0)),
                number(end(1)),
            ]);
        }
    }
}

fn region_epochs(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for region in &emotion.regions {
        for (epoch, rho, sem) in points(&region.curve) {
            rows.push(&[
                analysis.to_owned(),
                field(&region.name),
                region.is_simulated.to_string(),
                epoch.to_string(),
                number(rho),
                number(sem),
            ]);
        }
    }
}
