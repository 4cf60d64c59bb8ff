//! The appraisal's section of the page.

use consilience_core::{
    AppraisalRecord, DifferenceOf, RatingCorrelation, RatingDifference, Record,
};

use super::{methods, scores};
use crate::{
    methods::{citation_sentence, n_stimuli},
    section::{Cell, Filter, Finding, Note, Row, Section, Sort, TableView, columns},
    view,
};

/// Most differences that are told in sentences.
const N_TOLD: usize = 3;

pub(crate) fn section(
    name: String,
    record: &Record,
    appraisal: &AppraisalRecord,
    file: &str,
) -> Section {
    let mut methods = methods::paragraphs(record, appraisal);
    methods.extend(citation_sentence(&record.provenance));
    let mut statements: Vec<Note> = (0..appraisal.targets.len())
        .filter(|_| !appraisal.raters.is_empty())
        .map(|target| best_of_subsets(appraisal, target))
        .collect();
    statements.extend(
        differences(appraisal)
            .iter()
            .map(|text| Note::new("", view::unbroken(text))),
    );
    Section {
        name,
        title: "Networks as raters",
        question: format!(
            "{} of {} rated {}; their ratings against {}.",
            view::plural(appraisal.raters.len(), "cut network"),
            view::listed(&scores::models(appraisal)),
            n_stimuli(record.stimuli.len()),
            view::listed(&names(appraisal))
        ),
        simulated: scores::simulated(appraisal),
        findings: (0..appraisal.targets.len())
            .map(|target| finding(appraisal, target))
            .collect(),
        statements,
        notes: notes(appraisal),
        tables: table(appraisal, file).into_iter().collect(),
        methods,
    }
}

fn names(appraisal: &AppraisalRecord) -> Vec<&str> {
    appraisal.targets.iter().map(|t| t.name.as_str()).collect()
}

fn notes(appraisal: &AppraisalRecord) -> Vec<Note> {
    let general = appraisal.notes.iter().map(|text| Note::new("", text));
    let targets = appraisal.targets.iter();
    let of_targets = targets.flat_map(|t| t.notes.iter().map(|text| Note::new(&t.name, text)));
    general.chain(of_targets).collect()
}

/// The rater that follows a target best over a subset, the first of equals.
fn best(appraisal: &AppraisalRecord, subset: usize, target: usize) -> Option<&RatingCorrelation> {
    (0..appraisal.raters.len())
        .map(|rater| scores::correlation(appraisal, subset, rater, target))
        .filter(|c| view::finite(c.of_mean).is_some())
        .reduce(|best, c| if c.of_mean > best.of_mean { c } else { best })
}

fn full_name(appraisal: &AppraisalRecord, rater: usize) -> String {
    let rater = &appraisal.raters[rater];
    format!("{} {}", rater.model, rater.layer)
}

fn finding(appraisal: &AppraisalRecord, target_idx: usize) -> Finding {
    let target = &appraisal.targets[target_idx];
    let best = match appraisal.subsets.is_empty() {
        true => None,
        false => best(appraisal, 0, target_idx),
    };
    let mut details = Vec::new();
    if let Some(c) = best {
        if let Some(sd) = view::finite(c.sd) {
            let n_runs = view::plural(c.runs.len(), "run");
            details.push(format!("SD {} over {n_runs}", view::score(sd)));
        }
        if let Some([low, high]) = c.interval {
            details.push(format!(
                "95 % interval {} to {}",
                view::score(low),
                view::score(high)
            ));
        }
        if let Some(p) = scores::p(c) {
            details.push(format!("against zero: {}", view::p_clause(p)));
        }
        let ceiling = target.reliability.and_then(|r| r.ceiling);
        details.push(match (ceiling, view::finite(c.p_ceiling)) {
            (None, _) => "no ceiling".to_owned(),
            (Some(ceiling), None) => format!("ceiling {}", view::score(ceiling)),
            (Some(ceiling), Some(p)) => format!(
                "below the ceiling of {}: {}",
                view::score(ceiling),
                view::p_clause(p)
            ),
        });
    }
    Finding {
        target: target.name.clone(),
        kind: view::kind_and_origin(target.kind, target.is_simulated),
        best: best.map(|c| full_name(appraisal, c.rater)),
        score: best.and_then(|c| c.of_mean).map(view::score),
        unit: view::coefficient(&appraisal.settings.correlation),
        details: details.iter().map(|d| view::unbroken(d)).collect(),
    }
}

/// `"over all stimuli"`.
fn over(appraisal: &AppraisalRecord, subset: usize) -> String {
    format!("over {} stimuli", appraisal.subsets[subset].name)
}

/// Which raters follow a target best, subset by subset.
fn best_of_subsets(appraisal: &AppraisalRecord, target: usize) -> Note {
    let clauses: Vec<String> = (0..appraisal.subsets.len())
        .map(|subset| {
            let Some(c) = best(appraisal, subset, target) else {
                return format!("by none {}", over(appraisal, subset));
            };
            let sd = view::finite(c.sd).map(|sd| format!("SD {}", view::score(sd)));
            let brackets: Vec<String> = sd
                .into_iter()
                .chain(scores::p(c).map(view::p_clause))
                .collect();
            let brackets = match brackets.is_empty() {
                true => String::new(),
                false => format!(" ({})", brackets.join(", ")),
            };
            format!(
                "by {} {}, r = {}{brackets}",
                full_name(appraisal, c.rater),
                over(appraisal, subset),
                view::score(c.of_mean.unwrap_or(f64::NAN)),
            )
        })
        .collect();
    let text = format!("followed best {}.", clauses.join("; "));
    Note::new(&appraisal.targets[target].name, view::unbroken(&text))
}

/// The largest significant differences between subsets, and how many there are.
fn differences(appraisal: &AppraisalRecord) -> Vec<String> {
    let alpha = appraisal.settings.alpha;
    let tested: Vec<&RatingDifference> = scores::differences(appraisal, DifferenceOf::Subsets)
        .filter(|d| d.difference.is_some() && scores::p_difference(d).is_some())
        .collect();
    if tested.is_empty() {
        return Vec::new();
    }
    let size = |d: &RatingDifference| d.difference.map_or(0.0, f64::abs);
    let mut significant: Vec<&RatingDifference> = tested
        .iter()
        .copied()
        .filter(|d| scores::p_difference(d).is_some_and(|p| p < alpha))
        .collect();
    significant.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let count = match significant.len() {
        0 => "None".to_owned(),
        n => view::count(n),
    };
    let verb = if significant.len() > 1 { "are" } else { "is" };
    let mut out = vec![format!(
        "{count} of {} of a correlation between subsets {verb} significant (p < {alpha}, {}).",
        view::plural(tested.len(), "difference"),
        view::corrected(&appraisal.settings.correction)
    )];
    out.extend(
        significant
            .iter()
            .take(N_TOLD)
            .map(|d| difference(appraisal, d)),
    );
    out
}

fn difference(appraisal: &AppraisalRecord, d: &RatingDifference) -> String {
    let value = d.difference.unwrap_or(f64::NAN);
    // Told so that the larger correlation comes first.
    let (first, second) = match value < 0.0 {
        true => (d.second, d.first),
        false => (d.first, d.second),
    };
    let interval = match d.interval {
        Some([low, high]) if value < 0.0 => Some([-high, -low]),
        other => other,
    };
    let interval = interval.map_or_else(String::new, |[low, high]| {
        format!(
            "95 % interval {} to {}, ",
            view::score(low),
            view::score(high)
        )
    });
    format!(
        "The ratings of {} have a higher correlation with {} over {} than over {} stimuli: r differs by {} ({interval}{}).",
        full_name(appraisal, d.within),
        appraisal.targets[d.target].name,
        appraisal.subsets[first].name,
        appraisal.subsets[second].name,
        view::score(value.abs()),
        view::p_clause(scores::p_difference(d).unwrap_or(f64::NAN))
    )
}

fn table(appraisal: &AppraisalRecord, file: &str) -> Option<TableView> {
    (!appraisal.correlations.is_empty()).then(|| TableView {
        title: "All correlations",
        file: file.to_owned(),
        columns: columns(
            &[
                ("Target", Sort::Text),
                ("Model", Sort::Text),
                ("Layer", Sort::Order),
                ("Stimuli", Sort::Order),
            ],
            &[
                "n", "r", "CI low", "CI high", "Mean", "SD", "p", "p perm.", "p corr.", "p < C",
            ],
        ),
        filters: vec![
            Filter {
                label: "Target",
                options: names(appraisal).into_iter().map(Into::into).collect(),
            },
            Filter {
                label: "Stimuli",
                options: appraisal.subsets.iter().map(|s| s.name.clone()).collect(),
            },
            Filter {
                label: "Model",
                options: scores::models(appraisal)
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            },
        ],
        rows: rows(appraisal),
        legend: format!(
            "r: {} of the mean rating over runs, to which interval and p belong; CI: 95 % interval; mean and SD: over \
             the runs’ own correlations; p: two-sided, by Student’s t; p perm.: by permuting stimuli; p corr.: after \
             the correction; p < C: one-sided, correlation below the target’s ceiling. Bold: best of its target and \
             stimuli.",
            view::coefficient(&appraisal.settings.correlation)
        ),
    })
}

fn rows(appraisal: &AppraisalRecord) -> Vec<Row> {
    let models = scores::models(appraisal);
    let row = |c: &RatingCorrelation| {
        let rater = &appraisal.raters[c.rater];
        let model = models.iter().position(|m| *m == rater.model).unwrap_or(0);
        let best = best(appraisal, c.subset, c.target);
        Row {
            keys: vec![c.target + 1, c.subset + 1, model + 1],
            best: best.is_some_and(|best| best.rater == c.rater),
            cells: vec![
                Cell::text(&appraisal.targets[c.target].name),
                Cell::text(&rater.model),
                Cell::ordered(&rater.layer, c.rater),
                Cell::ordered(&appraisal.subsets[c.subset].name, c.subset),
                Cell::number(Some(c.n as f64), |n| view::count(n as usize)),
                Cell::number(c.of_mean, view::score3),
                Cell::number(c.interval.map(|i| i[0]), view::score3),
                Cell::number(c.interval.map(|i| i[1]), view::score3),
                Cell::number(c.mean, view::score3),
                Cell::number(c.sd, view::score3),
                Cell::number(c.p, view::p_value),
                Cell::number(c.p_permutation, view::p_value),
                Cell::number(c.p_corrected, view::p_value),
                Cell::number(c.p_ceiling, view::p_value),
            ],
        }
    };
    appraisal.correlations.iter().map(row).collect()
}
