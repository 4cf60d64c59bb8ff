//! Whether a record of visual emotion fits together.

use consilience_core::{
    EmotionModule, EmotionRecord, GeometryCurve, NucleusInfo, NucleusSelectivity, pairs,
};

use crate::{
    Result,
    analyses::check::{named, same, within},
};

/// What a nucleus reads that reads no other.
const VISUAL: &str = "visual";

pub(crate) fn check(emotion: &EmotionRecord, n_stimuli: usize) -> Result<()> {
    for rating in &emotion.ratings {
        let what = format!("stimuli with {}", rating.name);
        same(what, n_stimuli, rating.values.len())?;
    }
    let n_ratings = emotion.ratings.len();
    for of in &emotion.modules {
        module(of, n_ratings, n_stimuli)?;
    }
    let n_modules = emotion.modules.len();
    within("main module", emotion.main, n_modules)?;
    for baseline in &emotion.baselines {
        let what = format!("ratings of the baseline of {:?}", baseline.encoder);
        same(what, n_ratings, baseline.scores.len())?;
    }
    for (idx, c) in emotion.comparisons.iter().enumerate() {
        within(format!("first of comparison {}", idx + 1), c.a, n_modules)?;
        within(format!("second of comparison {}", idx + 1), c.b, n_modules)?;
    }
    let n_kept = emotion.bins.iter().filter(|bin| bin.is_kept).count();
    for of in &emotion.selectivity {
        selectivity(of, n_kept)?;
    }
    if let Some(second) = &emotion.second {
        for of in &second.nuclei {
            let what = format!("bins of units of {:?} in two sets", of.nucleus);
            same(what, second.shared.len() + 1, of.overlaps.len())?;
        }
    }
    for of in &emotion.geometry {
        curve(of, &format!("geometry of {:?}", of.nucleus))?;
    }
    for of in &emotion.dimensionality {
        let what = format!("dimensions of {:?}", of.nucleus);
        same(what, of.epochs.len(), of.means.len())?;
    }
    for region in &emotion.regions {
        curve(&region.curve, &format!("curve of {:?}", region.name))?;
    }
    let ratings: Vec<&str> = emotion.ratings.iter().map(|r| r.name.as_str()).collect();
    for gain in &emotion.gains {
        let n = gain.gains.len();
        let about = |part: &str| format!("{part} at gains of {:?}", gain.nucleus);
        same(about("correlations"), n, gain.r.len())?;
        same(about("random sets"), n, gain.random.len())?;
        same(about("spreads of random sets"), n, gain.random_sd.len())?;
        same(about("p-values"), n, gain.p.len())?;
        named(about("rating"), &gain.rating, &ratings)?;
    }
    for lesion in &emotion.connections {
        let about = format!("rating of the lesion from {:?}", lesion.from);
        named(about, &lesion.rating, &ratings)?;
    }
    for rdm in &emotion.rdms {
        within(format!("rows of RDM {:?}", rdm.title), rdm.n, n_stimuli + 1)?;
        let what = format!("pairs of RDM {:?}", rdm.title);
        same(what, pairs::n_pairs(rdm.n), rdm.ranks.len())?;
    }
    for map in &emotion.maps {
        let what = format!("points of map {:?}", map.title);
        same(what, n_stimuli, map.points.len())?;
    }
    Ok(())
}

fn module(module: &EmotionModule, n_ratings: usize, n_stimuli: usize) -> Result<()> {
    let name = module.label();
    let about = |part: &str| format!("{part} of {name:?}");
    same(
        about("ratings before training"),
        n_ratings,
        module.before.len(),
    )?;
    same(
        about("ratings after training"),
        n_ratings,
        module.after.len(),
    )?;
    same(
        about("ratings in quantiles"),
        n_ratings,
        module.quantiles.len(),
    )?;
    for table in module.quantiles.iter().flatten() {
        let n = table.counts.len();
        same(about("edges of quantiles"), n + 1, table.edges.len())?;
        same(about("given ratings of quantiles"), n, table.given.len())?;
        for found in [table.predicted.len(), table.predicted_sd.len()] {
            same(about("predictions of quantiles"), n, found)?;
        }
    }
    for epoch in &module.history {
        let about = |part: &str| format!("{part} of {name:?} in epoch {}", epoch.epoch);
        same(about("correlations"), n_ratings, epoch.r.len())?;
        same(
            about("spreads of correlations"),
            n_ratings,
            epoch.r_sd.len(),
        )?;
    }
    for run in &module.runs {
        for (when, rows) in [("before", &run.before), ("after", &run.after)] {
            let about = |part: &str| {
                format!(
                    "{part} of predictions {when} training of {name:?}, seed {}",
                    run.seed
                )
            };
            same(about("rows"), n_ratings, rows.len())?;
            for row in rows {
                same(about("stimuli"), n_stimuli, row.len())?;
            }
        }
    }
    nuclei(module, &name)
}

/// Whatever a nucleus reads comes before it, so that the diagram has an order.
fn nuclei(module: &EmotionModule, name: &str) -> Result<()> {
    let all: Vec<&str> = module.nuclei.iter().map(|n| n.name.as_str()).collect();
    named(
        format!("nucleus of the read-out of {name:?}"),
        &module.read_out,
        &all,
    )?;
    for (idx, nucleus) in module.nuclei.iter().enumerate() {
        let about = |what: &str| format!("{what} of nucleus {:?} of {name:?}", nucleus.name);
        let NucleusInfo {
            reads,
            inhibited_by,
            feedback,
            ..
        } = nucleus;
        for source in reads.iter().filter(|source| *source != VISUAL) {
            named(about("source"), source, &all[..idx])?;
        }
        for source in inhibited_by {
            named(about("inhibition"), source, &all[..idx])?;
        }
        for source in feedback {
            named(about("feedback"), source, &all)?;
        }
    }
    Ok(())
}

fn selectivity(of: &NucleusSelectivity, n_kept: usize) -> Result<()> {
    let about = |part: &str| format!("{part} of selective units of {:?}", of.nucleus);
    same(about("bins"), n_kept + 1, of.counts.len())?;
    same(about("rows of tuning"), n_kept, of.tuning.len())?;
    for row in of.tuning.iter().flatten() {
        same(about("columns of tuning"), n_kept, row.len())?;
    }
    Ok(())
}

fn curve(curve: &GeometryCurve, what: &str) -> Result<()> {
    let n = curve.epochs.len();
    same(format!("values of {what}"), n, curve.means.len())?;
    same(format!("errors of {what}"), n, curve.sems.len())
}
