//! `consilience check`

use std::io::Write;

use anyhow::Result;
use consilience::core::TargetKind;
use consilience::experiments::object2brain::LesionedNetwork;
use consilience::study::{Plan, PlannedAnalysis};

use super::run::StudyArgs;
use crate::Format;
use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    let ready = args.study.prepare(threads)?;
    match args.format {
        Format::Json => arrays::print_json(&ready.prepared.plan, out),
        Format::Text => print(&ready.prepared.plan, out),
    }
}

fn print(plan: &Plan, out: &mut dyn Write) -> Result<()> {
    let mut categories: Vec<&str> = plan
        .stimuli
        .iter()
        .filter_map(|s| s.category.as_deref())
        .collect();
    categories.sort_unstable();
    categories.dedup();
    writeln!(out, "{}", plan.title)?;
    write!(out, "  stimuli    {}", plan.stimuli.len())?;
    match categories.len() {
        0 => writeln!(out)?,
        n => writeln!(out, " in {n} categories")?,
    }
    let films = plan.stimuli.iter().filter_map(|s| s.clip.as_ref());
    if let Some(first) = films.clone().next() {
        let n_frames: usize = films.clone().map(|clip| clip.n_frames).sum();
        let of: usize = films.clone().map(|clip| clip.of).sum();
        writeln!(
            out,
            "             {} films, each the mean over its frames: {} ({n_frames} of {of} frames)",
            films.count(),
            first.selection
        )?;
    }
    for model in &plan.models {
        let n_features: usize = model.layers.iter().map(|l| l.n_features).sum();
        writeln!(
            out,
            "  model      {} ({}), {}, {n_features} features an image, {}",
            model.name,
            model.architecture,
            counted(model.layers.len(), "layer"),
            model.executor
        )?;
        writeln!(out, "             {}", model.preprocessing)?;
        for planned in &model.edits {
            writeln!(out, "             edit: {}", planned.edit)?;
        }
        for layer in &model.layers {
            write!(
                out,
                "             {:<32} {:>9}",
                layer.name, layer.n_features
            )?;
            match layer.aliases.is_empty() {
                true => writeln!(out)?,
                false => writeln!(out, "  = {}", layer.aliases.join(", "))?,
            }
        }
    }
    for target in &plan.targets {
        writeln!(
            out,
            "  target     {}, {} subject(s)",
            target.name, target.n_subjects
        )?;
    }
    for rating in &plan.ratings {
        let simulated = if rating.is_simulated {
            ", simulated"
        } else {
            ""
        };
        let n_subjects = match (rating.n_subjects, rating.kind) {
            (None, _) => "means".to_owned(),
            (Some(n), TargetKind::Brain) => format!("{n} subjects"),
            (Some(n), TargetKind::Behaviour) => format!("{n} raters"),
        };
        let what = match rating.reads {
            Some(_) => "responses  ",
            None => "ratings    ",
        };
        writeln!(out, "  {what}{}, {n_subjects}{simulated}", rating.name)?;
    }
    for analysis in &plan.analyses {
        writeln!(out, "  analysis   {}", described(analysis, plan))?;
        if let PlannedAnalysis::Emotion(emotion) = analysis {
            for module in &emotion.modules {
                let tokens = module.structure.tokens;
                let tokens = tokens.map_or(String::new(), |n| format!(", {n} tokens"));
                writeln!(
                    out,
                    "             {} {}: {} trained numbers, {} units{tokens}",
                    plan.models[module.model].name,
                    module.structure.name,
                    module.n_parameters,
                    module.n_units
                )?;
            }
            if let Some(views) = &emotion.augmentation {
                let n_views = emotion.n_views(plan.stimuli.len());
                for &model in &emotion.models {
                    writeln!(
                        out,
                        "             {} sees {n_views} views ({} in each of {})",
                        plan.models[model].name,
                        counted(emotion.n_learnt(plan.stimuli.len()), "picture"),
                        counted(emotion.learning.params.epochs, "epoch")
                    )?;
                }
                writeln!(out, "             views: {views}")?;
            }
            for set in emotion.training.iter().flat_map(|training| &training.sets) {
                writeln!(
                    out,
                    "             learns from {} of {} (rated from {} to {})",
                    counted(set.n_pictures, "picture"),
                    set.name,
                    set.scale[0],
                    set.scale[1]
                )?;
                for note in set.notes() {
                    writeln!(out, "             {note}")?;
                }
            }
            if let Some(second) = &emotion.second {
                let main = &emotion.modules[emotion.main];
                writeln!(
                    out,
                    "             tests units on {} of {} (rated from {} to {}), which {} sees once; bins in both sets: {}",
                    counted(second.pictures.len(), "picture"),
                    second.name,
                    second.scale[0],
                    second.scale[1],
                    plan.models[main.model].name,
                    second.shared.join(", ")
                )?;
                for note in second.notes() {
                    writeln!(out, "             {note}")?;
                }
            }
        }
        if let PlannedAnalysis::Objects(objects) = analysis {
            if let Some(elsewhere) = &objects.elsewhere {
                writeln!(
                    out,
                    "             sensitivity measured on {} other pictures ({}), boxes of {}",
                    elsewhere.pictures.len(),
                    elsewhere.images,
                    elsewhere.boxes.source
                )?;
            }
            for reason in &objects.left_out {
                writeln!(out, "             left out: {reason}")?;
            }
        }
    }
    writeln!(out, "  seed       {}", plan.seed)?;
    writeln!(
        out,
        "  memory     about {:.1} GB at most",
        plan.peak_bytes() as f64 / 1e9
    )?;
    writeln!(
        out,
        "  disk       {:.1} GB of activations in the cache",
        plan.activation_bytes() as f64 / 1e9
    )?;
    writeln!(
        out,
        "  time       about {}",
        duration(plan.estimated_seconds())
    )?;
    writeln!(out, "  plan       {}", plan.hash())?;
    Ok(())
}

/// An analysis in a line.
fn described(analysis: &PlannedAnalysis, plan: &Plan) -> String {
    match analysis {
        PlannedAnalysis::Rsa(rsa) => format!(
            "rsa: {} RDMs, {} similarity, bootstrap {} × {}, {} permutations, correction {}",
            rsa.dissimilarity,
            rsa.similarity,
            rsa.bootstrap,
            rsa.resamples,
            rsa.permutations,
            rsa.correction
        ),
        PlannedAnalysis::Appraisal(appraisal) => format!(
            "appraisal: {} heads learn {} by {} ({}), {} runs; {} correlation, {} permutations, correction {}",
            appraisal.heads.head,
            plan.ratings[appraisal.learn].name,
            appraisal.heads.loss,
            appraisal.heads.validation,
            appraisal.heads.runs,
            appraisal.correlation,
            appraisal.permutations,
            appraisal.correction
        ),
        PlannedAnalysis::Emotion(emotion) => {
            let learnt = emotion
                .ratings
                .iter()
                .map(|&rating| plan.ratings[rating].name.as_str());
            let learnt: Vec<&str> = learnt.collect();
            format!(
                "visual-emotion: {} {} ({}, {}), {} × {}, {}",
                match emotion.modules.len() {
                    1 => "1 module learns".to_owned(),
                    n => format!("{n} modules learn"),
                },
                learnt.join(" and "),
                emotion.preset,
                counted(emotion.learning.params.epochs, "epoch"),
                counted(emotion.repeats, "repeat"),
                counted(emotion.n_folds(), "fold"),
                counted(emotion.regions.len(), "region")
            )
        }
        PlannedAnalysis::Objects(objects) => format!(
            "object2brain: boxes of {}, {} categories, lesions in {}, {} random sets, correction {}",
            objects.boxes.source,
            objects.categories.len(),
            match objects.network {
                LesionedNetwork::Cut => "cut networks".to_owned(),
                LesionedNetwork::Whole => {
                    format!("whole networks ({} inner layers)", objects.inner.len())
                }
            },
            objects.params.random_sets,
            objects.correction
        ),
    }
}

fn counted(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{:.0} s", s.max(1.0)),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
