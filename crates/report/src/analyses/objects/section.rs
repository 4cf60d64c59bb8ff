//! Object2Brain's section of the page.

use consilience_core::{LesionEffect, ObjectsRecord, Record};

use super::{changes, methods};
use crate::{
    methods::citation_sentence,
    section::{Cell, Filter, Note, Row, Section, Sort, TableView, columns},
    view,
};

/// Most changes that are told in sentences.
const N_TOLD: usize = 4;

pub(crate) fn section(
    name: String,
    record: &Record,
    objects: &ObjectsRecord,
    file: &str,
) -> Section {
    let mut methods = methods::paragraphs(record, objects);
    methods.extend(citation_sentence(&record.provenance));
    Section {
        name,
        title: "Object2Brain",
        question: format!(
            "Filters for {} in {} of {}, switched off: what becomes of the correlation with {}?",
            view::listed(&names(objects.categories.iter().map(|c| &c.name))),
            view::plural(objects.layers.len(), "layer"),
            view::listed(&changes::models(objects)),
            view::listed(&names(objects.targets.iter().map(|t| &t.name)))
        ),
        simulated: changes::simulated(objects),
        findings: Vec::new(),
        statements: statements(objects),
        notes: objects
            .notes
            .iter()
            .map(|text| Note::new("", text))
            .collect(),
        tables: table(objects, file).into_iter().collect(),
        methods,
    }
}

fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    names.cloned().collect()
}

/// The largest significant changes, and how many there are.
fn statements(objects: &ObjectsRecord) -> Vec<Note> {
    let Some(source) = changes::p_source(objects) else {
        return vec![Note::new(
            "",
            "No change was tested against random filters.",
        )];
    };
    let size = |e: &LesionEffect| e.delta.map_or(0.0, f64::abs);
    let tested = objects.effects.iter().filter(|e| changes::p(e).is_some());
    let mut found: Vec<&LesionEffect> = objects
        .effects
        .iter()
        .filter(|e| changes::is_significant(objects, e) && view::finite(e.delta).is_some())
        .collect();
    found.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let count = match found.len() {
        0 => "None".to_owned(),
        n => view::count(n),
    };
    let verb = if found.len() > 1 { "differ" } else { "differs" };
    let mut out: Vec<Note> = found
        .iter()
        .take(N_TOLD)
        .map(|e| Note::new("", view::unbroken(&statement(objects, e))))
        .collect();
    let summary = format!(
        "{count} of {} of a correlation {verb} from what equally many random filters do (p < {}, {source}) and permuted targets show.",
        view::plural(tested.count(), "change"),
        objects.settings.alpha
    );
    out.push(Note::new("", view::unbroken(&summary)));
    out
}

fn statement(objects: &ObjectsRecord, e: &LesionEffect) -> String {
    let layer = &objects.layers[e.layer];
    let delta = e.delta.unwrap_or(f64::NAN);
    let mut brackets = Vec::new();
    if let Some(sd) = view::finite(e.delta_sd) {
        brackets.push(format!("SD {}", view::score3(sd)));
    }
    if let Some(mean) = view::finite(e.random_mean) {
        let sd = view::finite(e.random_sd).map(|sd| format!(" ± {}", view::score3(sd)));
        brackets.push(format!(
            "random filters {}{}",
            view::score3(mean),
            sd.unwrap_or_default()
        ));
    }
    if let Some(p) = changes::p(e) {
        brackets.push(view::p_clause(p));
    }
    format!(
        "Without the filters for {} in {} {} ({}), the correlation with {} over {} stimuli {} by {} ({}).",
        objects.categories[e.category].name,
        layer.model,
        layer.layer,
        n_of(e.n_filters, layer.n_filters),
        objects.targets[e.target].name,
        objects.subsets[e.subset].name,
        if delta < 0.0 { "falls" } else { "rises" },
        view::score3(delta.abs()),
        brackets.join("; ")
    )
}

/// `"34 of 128"`, or `"33.4 of 128 on average"` when runs differ.
fn n_of(n: f64, of: usize) -> String {
    let average = if n.fract() == 0.0 { "" } else { " on average" };
    format!("{} of {of}{average}", changes::n_filters(n))
}

fn table(objects: &ObjectsRecord, file: &str) -> Option<TableView> {
    let filter = |label, options| Filter { label, options };
    (!objects.effects.is_empty()).then(|| TableView {
        title: "All changes",
        file: file.to_owned(),
        columns: columns(
            &[
                ("Target", Sort::Text),
                ("Model", Sort::Text),
                ("Layer", Sort::Order),
                ("Category", Sort::Order),
                ("Stimuli", Sort::Order),
            ],
            &[
                "Filters", "r", "r without", "Change", "SD", "Random", "SD rand.", "p", "p corr.",
            ],
        ),
        filters: vec![
            filter("Target", names(objects.targets.iter().map(|t| &t.name))),
            filter("Category", names(objects.categories.iter().map(|c| &c.name))),
            filter("Stimuli", names(objects.subsets.iter().map(|s| &s.name))),
        ],
        rows: objects.effects.iter().map(|e| row(objects, e)).collect(),
        legend: format!(
            "Filters: mean number over runs; r and r without: {} of the intact networks and without the filters, mean \
             over runs; change: mean of the second minus the first, SD: of the same over runs; random: mean and SD of \
             the change by equally many random filters; p: two-sided, against these; p corr.: after the correction. \
             Bold: significant.",
            view::coefficient(&objects.settings.correlation)
        ),
    })
}

fn row(objects: &ObjectsRecord, e: &LesionEffect) -> Row {
    let layer = &objects.layers[e.layer];
    Row {
        keys: vec![e.target + 1, e.category + 1, e.subset + 1],
        best: changes::is_significant(objects, e),
        cells: vec![
            Cell::text(&objects.targets[e.target].name),
            Cell::text(&layer.model),
            Cell::ordered(&layer.layer, e.layer),
            Cell::ordered(&objects.categories[e.category].name, e.category),
            Cell::ordered(&objects.subsets[e.subset].name, e.subset),
            Cell::number(Some(e.n_filters), changes::n_filters),
            Cell::number(e.r, view::score3),
            Cell::number(e.r_lesioned, view::score3),
            Cell::number(e.delta, view::score3),
            Cell::number(e.delta_sd, view::score3),
            Cell::number(e.random_mean, view::score3),
            Cell::number(e.random_sd, view::score3),
            Cell::number(e.p_random, view::p_value),
            Cell::number(e.p_corrected, view::p_value),
        ],
    }
}
