//! The section of visual emotion on the page.

use consilience_core::{EmotionModule, EmotionRecord, EmotionRegion, Record, RegionAgreement};

use super::{
    methods, scores, second,
    statements::{selective_units, statements},
};
use crate::{
    methods::{citation_sentence, n_stimuli},
    section::{Cell, Filter, Finding, Note, Row, Section, Sort, TableView, columns},
    view,
};

pub(crate) fn section(
    name: String,
    record: &Record,
    emotion: &EmotionRecord,
    file: &str,
) -> Section {
    let mut methods = methods::paragraphs(record, emotion);
    methods.extend(citation_sentence(&record.provenance));
    Section {
        name,
        title: "Visual emotion",
        question: question(record, emotion),
        simulated: scores::simulated(emotion),
        findings: findings(emotion),
        statements: statements(emotion),
        notes: notes(emotion),
        tables: table(emotion, file)
            .into_iter()
            .chain(second::table(emotion))
            .collect(),
        methods,
    }
}

fn ratings(emotion: &EmotionRecord) -> Vec<&str> {
    emotion.ratings.iter().map(|r| r.name.as_str()).collect()
}

fn question(record: &Record, emotion: &EmotionRecord) -> String {
    let regions: Vec<&str> = emotion.regions.iter().map(|r| r.name.as_str()).collect();
    let mut out = format!(
        "{} on {} predicted {} of {}",
        view::plural(emotion.modules.len(), "module"),
        view::listed(&scores::encoders(emotion)),
        view::listed(&ratings(emotion)),
        n_stimuli(record.stimuli.len())
    );
    if !regions.is_empty() {
        out.push_str(&format!(
            "; the geometry of nuclei against {}",
            view::listed(&regions)
        ));
    }
    out + "."
}

fn findings(emotion: &EmotionRecord) -> Vec<Finding> {
    let ratings = (0..emotion.ratings.len()).map(|idx| of_rating(emotion, idx));
    ratings
        .chain(of_plane(emotion))
        .chain(of_units(emotion))
        .chain(emotion.regions.iter().map(of_region))
        .collect()
}

fn of_rating(emotion: &EmotionRecord, idx: usize) -> Finding {
    let module = scores::main(emotion);
    let (rating, score) = (&emotion.ratings[idx], &module.after[idx]);
    let mut details = Vec::new();
    details.extend(scores::of_mean(score));
    if let Some(sd) = view::finite(score.r_sd) {
        let n = view::plural(module.runs.len(), "repeat");
        details.push(format!("SD {} over {n}", view::score(sd)));
    }
    details.push(match view::finite(module.before[idx].r) {
        Some(r) => format!("before training {}", view::score(r)),
        None => "before training undefined".to_owned(),
    });
    let ridge = scores::baseline(emotion, module).and_then(|b| view::finite(b.scores[idx].r));
    details.extend(ridge.map(|r| format!("ridge regression {}", view::score(r))));
    details.push(match view::finite(rating.ceiling) {
        Some(ceiling) => format!("noise ceiling {}", view::score(ceiling)),
        None => "no noise ceiling".to_owned(),
    });
    Finding {
        target: rating.name.clone(),
        kind: "after training",
        best: Some(module.label()),
        score: view::finite(score.r).map(view::score),
        unit: "Pearson r".into(),
        details: details.iter().map(|d| view::unbroken(d)).collect(),
    }
}

fn of_plane(emotion: &EmotionRecord) -> Option<Finding> {
    let module = scores::main(emotion);
    let [before, after] = module.plane?;
    let mut details = Vec::new();
    if let Some(sd) = view::finite(after.disparity_sd) {
        details.push(format!("SD {} over repeats", view::score(sd)));
    }
    let before = view::finite(before.disparity);
    details.extend(before.map(|d| format!("before training {}", view::score(d))));
    details.push("0 is the same, 1 nothing alike".to_owned());
    Some(Finding {
        target: "plane of both".into(),
        kind: "after training",
        best: Some(module.label()),
        score: view::finite(after.disparity).map(view::score),
        unit: "disparity".into(),
        details,
    })
}

fn of_units(emotion: &EmotionRecord) -> Option<Finding> {
    let (of, any) = selective_units(emotion)?;
    let units = scores::units;
    let mut details = vec![format!("{} before training", units(any.before))];
    let shuffled = view::finite(any.shuffled);
    details.extend(shuffled.map(|n| format!("{} with shuffled bins", units(n))));
    let p = view::finite(any.p_change);
    details.extend(p.map(|p| format!("change: {}", view::p_clause(p))));
    Some(Finding {
        target: "selective units".into(),
        kind: "after training",
        best: Some(scores::main(emotion).label()),
        score: Some(units(any.after)),
        unit: format!("of {}", view::count(of.n_units)),
        details: details.iter().map(|d| view::unbroken(d)).collect(),
    })
}

/// The score of all nuclei together, else the best of a nucleus.
pub(super) fn of_module(region: &EmotionRegion) -> Option<&RegionAgreement> {
    let nuclei = || region.scores.iter().filter(|s| s.of == "nucleus");
    let all = nuclei().find(|s| s.name == "all nuclei");
    all.or_else(|| {
        nuclei()
            .filter(|s| view::finite(s.rho).is_some())
            .reduce(|best, s| if s.rho > best.rho { s } else { best })
    })
}

fn of_region(region: &EmotionRegion) -> Finding {
    let score = of_module(region);
    let mut details = Vec::new();
    if let Some(score) = score {
        let p = view::finite(score.p);
        details.extend(p.map(|p| format!("above zero: {}", view::p_clause(p))));
        if let Some(partial) = view::finite(score.partial) {
            let p = view::finite(score.partial_p);
            let p = p.map_or_else(String::new, |p| format!(" ({})", view::p_clause(p)));
            details.push(format!("partial {}{p}", view::score(partial)));
        }
        if let Some(e) = score.estimate.as_ref().filter(|e| e.value.is_finite()) {
            details.push(format!("mean over subjects {}", view::score(e.value)));
        }
    }
    details.push(match region.ceiling {
        None => "no noise ceiling".to_owned(),
        Some(c) => format!(
            "noise ceiling of that mean {} to {}",
            view::score(c.lower),
            view::score(c.upper)
        ),
    });
    let encoder = region.scores.iter().find(|s| s.of == "encoder");
    let encoder = encoder.and_then(|s| view::finite(s.rho));
    details.extend(encoder.map(|rho| format!("encoder alone {}", view::score(rho))));
    Finding {
        target: region.name.clone(),
        kind: scores::kind_of_region(region.is_simulated),
        best: score.map(|s| s.name.clone()),
        score: score.and_then(|s| view::finite(s.rho)).map(view::score),
        unit: "Spearman ρ".into(),
        details: details.iter().map(|d| view::unbroken(d)).collect(),
    }
}

fn notes(emotion: &EmotionRecord) -> Vec<Note> {
    let one_token = one_token(emotion).map(|text| Note::new("Attention", text));
    let general = emotion.notes.iter().map(|text| Note::new("", text));
    one_token.into_iter().chain(general).collect()
}

/// What has to be known of modules whose transformers attend to one token.
fn one_token(emotion: &EmotionRecord) -> Option<String> {
    let with = |m: &&EmotionModule| m.nuclei.iter().any(scores::attends_to_one_token);
    let modules: Vec<String> = emotion
        .modules
        .iter()
        .filter(with)
        .map(|m| m.label())
        .collect();
    if modules.is_empty() {
        return None;
    }
    let whose = match modules.len() == emotion.modules.len() {
        true => "Transformers".to_owned(),
        false => format!("Transformers of {}", view::listed(&modules)),
    };
    Some(format!(
        "{whose} read one token. Attention over one token is a linear map; queries and keys have no effect, so that these units differ \
         from linear ones by sums, normalisation and hidden layers only."
    ))
}

fn table(emotion: &EmotionRecord, file: &str) -> Option<TableView> {
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let filter = |label, options| Filter { label, options };
    let rows = rows(emotion);
    (!rows.is_empty()).then(|| TableView {
        title: "All modules",
        file: file.to_owned(),
        columns: columns(
            &[
                ("Encoder", Sort::Text),
                ("Structure", Sort::Order),
                ("Rating", Sort::Order),
            ],
            &[
                "Parameters", "r before", "r", "SD", "r of mean", "CI low", "CI high", "ρ", "ρ of mean", "RMSE", "R²", "RMSE refit", "r²", "r of bins",
                "Ridge r", "Ridge r of mean", "Ridge ρ of mean", "Disparity",
            ],
        ),
        filters: vec![
            filter("Rating", owned(ratings(emotion))),
            filter("Encoder", owned(scores::encoders(emotion))),
            filter("Structure", owned(scores::structures(emotion))),
        ],
        rows,
        legend: format!("r: Pearson’s correlation after training, mean over repeats (before: with random weights); SD: over repeats; of mean: of the mean prediction \
                 over repeats; CI: 95 % interval of its r by bootstrap over stimuli; ρ: Spearman’s; RMSE and R²: as predicted; RMSE refit and r²: after a line \
                 is fitted to the tested stimuli themselves, as published; r of bins: of the means in {} bins of given ratings, in which noise averages out; ridge r: ridge regression on the same features and folds; \
                 disparity: of the plane of both ratings. Bold: best of its rating.", n_bins(emotion)),
    })
}

/// Bins of given ratings, or as many as there would be.
fn n_bins(emotion: &EmotionRecord) -> String {
    let tables = emotion
        .modules
        .iter()
        .flat_map(|m| m.quantiles.iter().flatten());
    let n = tables.map(|table| table.counts.len()).max();
    n.map_or_else(|| "25".to_owned(), |n| n.to_string())
}

fn rows(emotion: &EmotionRecord) -> Vec<Row> {
    let (encoders, structures) = (scores::encoders(emotion), scores::structures(emotion));
    let key = |names: &[&str], name: &str| names.iter().position(|n| *n == name).unwrap_or(0) + 1;
    let mut rows = Vec::new();
    for module in &emotion.modules {
        for (idx, rating) in emotion.ratings.iter().enumerate() {
            let score = &module.after[idx];
            let baseline = scores::baseline(emotion, module).map(|b| &b.scores[idx]);
            let structure = key(&structures, &module.structure);
            rows.push(Row {
                keys: vec![idx + 1, key(&encoders, &module.encoder), structure],
                best: best(emotion, idx).is_some_and(|best| std::ptr::eq(best, module)),
                cells: vec![
                    Cell::text(format!("{} {}", module.encoder, module.layer)),
                    Cell::ordered(&module.structure, structure),
                    Cell::ordered(&rating.name, idx),
                    Cell::number(Some(module.n_parameters as f64), |n| {
                        view::count(n as usize)
                    }),
                    Cell::number(module.before[idx].r, view::score3),
                    Cell::number(score.r, view::score3),
                    Cell::number(score.r_sd, view::score3),
                    Cell::number(score.r_of_mean, view::score3),
                    Cell::number(score.r_interval.map(|i| i[0]), view::score3),
                    Cell::number(score.r_interval.map(|i| i[1]), view::score3),
                    Cell::number(score.spearman, view::score3),
                    Cell::number(score.spearman_of_mean, view::score3),
                    Cell::number(Some(score.rmse), view::score3),
                    Cell::number(Some(score.r2), view::score3),
                    Cell::number(score.rmse_refit, view::score3),
                    Cell::number(score.r2_refit, view::score3),
                    Cell::number(
                        module.quantiles[idx]
                            .as_ref()
                            .and_then(|table| table.score.r),
                        view::score3,
                    ),
                    Cell::number(baseline.and_then(|b| b.r), view::score3),
                    Cell::number(baseline.and_then(|b| b.r_of_mean), view::score3),
                    Cell::number(baseline.and_then(|b| b.spearman_of_mean), view::score3),
                    Cell::number(module.plane.and_then(|p| p[1].disparity), view::score3),
                ],
            });
        }
    }
    rows
}

/// The module whose predictions follow a rating best, the first of equals.
pub(super) fn best(emotion: &EmotionRecord, rating: usize) -> Option<&EmotionModule> {
    let r = |m: &EmotionModule| view::finite(m.after[rating].r);
    let with = emotion.modules.iter().filter(|m| r(m).is_some());
    with.reduce(|best, m| if r(m) > r(best) { m } else { best })
}
