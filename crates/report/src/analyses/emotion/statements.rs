//! What was found, in full sentences.

use consilience_core::{
    EmotionRecord, EmotionRegion, GainCurve, GeometryCurve, NucleusSelectivity, PredictionScore,
    SelectiveCount,
};

use super::{
    scores::{self, units},
    second,
    section::{best, of_module},
};
use crate::{section::Note, view};

pub(super) fn statements(emotion: &EmotionRecord) -> Vec<Note> {
    let ratings = (0..emotion.ratings.len()).map(|idx| prediction(emotion, idx));
    let mut out: Vec<(String, String)> = ratings.collect();
    let general = [
        plane(emotion),
        modules(emotion),
        units_sentence(emotion),
        second::statement(emotion),
        geometry(emotion),
    ];
    out.extend(
        general
            .into_iter()
            .flatten()
            .map(|text| (String::new(), text)),
    );
    out.extend(emotion.regions.iter().filter_map(region));
    out.extend(lesion(emotion).map(|text| (String::new(), text)));
    out.into_iter()
        .map(|(about, text)| Note::new(&about, view::unbroken(&text)))
        .collect()
}

/// `"r = 0.62 ± 0.02"`.
fn r(score: &PredictionScore) -> String {
    match (view::finite(score.r), view::finite(score.r_sd)) {
        (None, _) => "no correlation, as predictions are constant".to_owned(),
        (Some(r), None) => format!("r = {}", view::score(r)),
        (Some(r), Some(sd)) => format!("r = {} ± {}", view::score(r), view::score(sd)),
    }
}

fn prediction(emotion: &EmotionRecord, idx: usize) -> (String, String) {
    let module = scores::main(emotion);
    let rating = &emotion.ratings[idx];
    let in_brackets =
        |score| scores::of_mean(score).map_or_else(String::new, |of_mean| format!(" ({of_mean})"));
    let mut text = format!(
        "{} predicts it for stimuli that it did not learn from with {}{}, before training with {}.",
        module.label(),
        r(&module.after[idx]),
        in_brackets(&module.after[idx]),
        r(&module.before[idx])
    );
    let ridge = scores::baseline(emotion, module).map(|b| &b.scores[idx]);
    if let Some(ridge) = ridge.filter(|s| view::finite(s.r).is_some()) {
        text.push_str(&format!(
            " Ridge regression on the same features reaches {}{}.",
            r(ridge),
            in_brackets(ridge)
        ));
    }
    if let Some(ceiling) = view::finite(rating.ceiling) {
        text.push_str(&format!(" The noise ceiling is {}.", view::score(ceiling)));
    }
    (rating.name.clone(), text)
}

fn plane(emotion: &EmotionRecord) -> Option<String> {
    let [before, after] = scores::main(emotion).plane?;
    let (from, to) = (
        view::finite(before.disparity)?,
        view::finite(after.disparity)?,
    );
    let verb = if to < from {
        "lowers"
    } else {
        "does not lower"
    };
    Some(format!(
        "Training {verb} the disparity of predicted and given ratings in their plane: it is {} before and {} after.",
        view::score(from),
        view::score(to)
    ))
}

fn modules(emotion: &EmotionRecord) -> Option<String> {
    if emotion.modules.len() < 2 {
        return None;
    }
    let bests: Vec<String> = emotion
        .ratings
        .iter()
        .enumerate()
        .filter_map(|(idx, rating)| {
            let of = best(emotion, idx)?;
            let r = view::score(of.after[idx].r?);
            Some(format!("{} by {} (r = {r})", rating.name, of.label()))
        })
        .collect();
    let tested = || {
        let all = emotion.comparisons.iter();
        all.filter_map(scores::p_difference)
    };
    let found = tested().filter(|p| *p < emotion.settings.alpha).count();
    let differences = match tested().count() {
        0 => "No difference between modules was tested.".to_owned(),
        n => format!(
            "{} of {} between modules {} significant (p < {}, {}).",
            if found == 0 {
                "None".to_owned()
            } else {
                view::count(found)
            },
            view::plural(n, "tested difference"),
            if found > 1 { "are" } else { "is" },
            emotion.settings.alpha,
            scores::p_difference_source(emotion)
        ),
    };
    Some(match bests.is_empty() {
        true => differences,
        false => format!(
            "Of {} modules, ratings are followed best: {}. {differences}",
            emotion.modules.len(),
            view::listed(&bests)
        ),
    })
}

/// The count over all nuclei and any bin, with what it is of.
pub(super) fn selective_units(
    emotion: &EmotionRecord,
) -> Option<(&NucleusSelectivity, &SelectiveCount)> {
    let all = emotion.selectivity.iter();
    let of = all
        .rev()
        .find(|of| scores::nucleus_idx(emotion, &of.nucleus).is_none())?;
    Some((of, of.counts.last()?))
}

fn units_sentence(emotion: &EmotionRecord) -> Option<String> {
    let (of, any) = selective_units(emotion)?;
    let alpha = emotion.settings.alpha;
    let p = view::finite(any.p_change);
    let p = p.map_or_else(String::new, |p| format!(" ({})", view::p_clause(p)));
    let shuffled = view::finite(any.shuffled).map_or_else(String::new, |n| {
        format!("; with shuffled bins it would be {}", units(n))
    });
    let mut text = format!(
        "{} of {} are selective for at least one bin after training, {} before{p}{shuffled}.",
        units(any.after),
        view::plural(of.n_units, "unit"),
        units(any.before)
    );
    let bins = scores::kept_bins(emotion);
    let above: Vec<&str> = bins
        .iter()
        .zip(&of.counts)
        .filter(|(_, c)| view::finite(c.p_shuffled).is_some_and(|p| p < alpha))
        .map(|(bin, _)| *bin)
        .collect();
    if of
        .counts
        .iter()
        .any(|c| view::finite(c.p_shuffled).is_some())
    {
        text.push_str(&match above.is_empty() {
            true => " No bin has more of them than chance.".to_owned(),
            false => format!(
                " There are more than by chance for {}.",
                view::listed(&above)
            ),
        });
    }
    Some(text)
}

/// The last value of a curve that is there, with its epoch.
fn last(curve: &GeometryCurve) -> Option<(usize, f64)> {
    let points = curve.epochs.iter().zip(&curve.means).rev();
    points
        .filter_map(|(e, v)| Some((*e, view::finite(*v)?)))
        .next()
}

fn geometry(emotion: &EmotionRecord) -> Option<String> {
    let model = emotion.geometry.first()?.model.as_str();
    let of_nuclei = emotion
        .geometry
        .iter()
        .filter(|g| g.model == model && scores::nucleus_idx(emotion, &g.nucleus).is_some());
    let with = of_nuclei.filter_map(|g| Some((g, last(g)?)));
    let (curve, (epoch, value)) =
        with.reduce(|best, other| if other.1.1 > best.1.1 { other } else { best })?;
    let first = view::finite(curve.means.first().copied().flatten());
    let before = match (first, curve.epochs.first()) {
        (Some(first), Some(at)) if *at != epoch => {
            format!(", in epoch {at} ρ = {}", view::score(first))
        }
        _ => String::new(),
    };
    Some(format!(
        "Of the nuclei, {} arranges the stimuli most as {model} do: ρ = {} in epoch {epoch}{before}.",
        curve.nucleus,
        view::score(value)
    ))
}

fn region(region: &EmotionRegion) -> Option<(String, String)> {
    let score = of_module(region)?;
    let rho = view::finite(score.rho)?;
    let who = match score.name.as_str() {
        "all nuclei" => "the nuclei together".to_owned(),
        name => name.to_owned(),
    };
    let p = view::finite(score.p);
    let p = p.map_or_else(String::new, |p| format!(" ({})", view::p_clause(p)));
    let mut text = format!(
        "The geometry of {who} agrees with it by ρ = {}{p}",
        view::score(rho)
    );
    if let Some(partial) = view::finite(score.partial) {
        let p = view::finite(score.partial_p);
        let p = p.map_or_else(String::new, |p| format!(" ({})", view::p_clause(p)));
        text.push_str(&format!(
            "; given {}, by {}{p}",
            view::listed(&region.controls),
            view::score(partial)
        ));
    }
    let encoder = region.scores.iter().find(|s| s.of == "encoder");
    if let Some(rho) = encoder.and_then(|s| view::finite(s.rho)) {
        text.push_str(&format!(
            "; what the module reads, alone, by {}",
            view::score(rho)
        ));
    }
    text.push('.');
    let name = match region.is_simulated {
        true => format!("{} (simulated)", region.name),
        false => region.name.clone(),
    };
    Some((name, text))
}

/// The lesion that takes most, of those that random units do not explain.
fn lesion(emotion: &EmotionRecord) -> Option<String> {
    let module = scores::main(emotion);
    let alpha = emotion.settings.alpha;
    let loss = |c: &GainCurve| {
        let at = c.gains.iter().position(|g| *g == -1.0)?;
        let intact = match c.gains.iter().position(|g| *g == 0.0) {
            Some(zero) => view::finite(c.r[zero])?,
            None => {
                let rating = emotion.ratings.iter().position(|r| r.name == c.rating)?;
                view::finite(module.after[rating].r)?
            }
        };
        let p = view::finite(c.p[at])?;
        Some((intact, view::finite(c.r[at])?, p))
    };
    // Single bins within nuclei are many, and the largest of many is large by chance.
    let is_one_of_many = |c: &&GainCurve| c.nucleus != "all" && c.units != "any";
    let tested: Vec<_> = emotion
        .gains
        .iter()
        .filter(|c| !is_one_of_many(c))
        .filter_map(|c| Some((c, loss(c)?)))
        .collect();
    if tested.is_empty() {
        return None;
    }
    let significant = tested.iter().filter(|(_, (.., p))| *p < alpha);
    let drop = |x: &(f64, f64, f64)| x.0 - x.1;
    let Some((curve, (intact, without, p))) = significant.reduce(|best, other| {
        if drop(&other.1) > drop(&best.1) {
            other
        } else {
            best
        }
    }) else {
        return Some(
            "No lesion of selective units takes more than that of equally many random units."
                .to_owned(),
        );
    };
    let which = match curve.units.as_str() {
        "any" => "for any bin".to_owned(),
        bin => format!("for {bin}"),
    };
    let nucleus = match curve.nucleus.as_str() {
        "all" => "all nuclei".to_owned(),
        name => name.to_owned(),
    };
    let pictures = curve.selective_in.as_ref();
    let pictures = pictures.map_or_else(String::new, |pictures| {
        format!(" in {}", scores::pictures(pictures))
    });
    Some(format!(
        "Without the {} units of {nucleus} that are selective {which}{pictures}, the correlation with {} goes from {} to {} ({} against equally many \
         random units).",
        units(curve.n_units),
        curve.rating,
        view::score(*intact),
        view::score(*without),
        view::p_clause(*p)
    ))
}
