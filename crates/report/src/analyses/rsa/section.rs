//! RSA's section of the page.

use consilience_core::{Record, RsaRecord, RsaTarget};

use super::{methods, scores};
use crate::{
    methods::citation_sentence,
    section::{Cell, Filter, Finding, Note, Row, Section, Sort, TableView, columns},
    view,
};

pub(crate) fn section(name: String, record: &Record, rsa: &RsaRecord) -> Section {
    let mut methods = methods::paragraphs(record, rsa);
    methods.extend(citation_sentence(&record.provenance));
    Section {
        name,
        title: "Representational similarity",
        question: format!(
            "{} of {} against {}.",
            view::plural(rsa.predictors.len(), "layer"),
            view::listed(&scores::models(rsa)),
            view::plural(rsa.targets.len(), "target")
        ),
        simulated: None,
        findings: rsa.targets.iter().map(|t| finding(rsa, t)).collect(),
        statements: Vec::new(),
        notes: rsa
            .targets
            .iter()
            .flat_map(|t| t.notes.iter().map(|text| Note::new(&t.name, text)))
            .collect(),
        tables: table(rsa).into_iter().collect(),
        methods,
    }
}

fn finding(rsa: &RsaRecord, target: &RsaTarget) -> Finding {
    let best = target
        .best
        .and_then(|idx| scores::estimate(target, idx).map(|e| (idx, e)));
    let mut details = Vec::new();
    if let Some((_, e)) = best {
        if let Some([low, high]) = e.interval {
            details.push(format!(
                "95 % interval {} to {}",
                view::score(low),
                view::score(high)
            ));
        } else if let Some(sem) = view::finite(e.sem) {
            details.push(format!("standard error {}", view::score(sem)));
        }
        if let Some(p) = scores::p_zero(e) {
            details.push(format!("above zero: {}", view::p_clause(p)));
        }
        details.push(match target.ceiling {
            None => "no noise ceiling".to_owned(),
            Some(c) => format!(
                "{} the noise ceiling ({} to {})",
                if e.value < c.lower {
                    "below"
                } else if e.value <= c.upper {
                    "within"
                } else {
                    "above"
                },
                view::score(c.lower),
                view::score(c.upper)
            ),
        });
    }
    Finding {
        target: target.name.clone(),
        kind: view::kind(target.kind),
        best: best.map(|(idx, _)| scores::predictor_name(rsa, idx)),
        score: best.map(|(_, e)| view::score(e.value)),
        unit: scores::similarity_label(&rsa.settings),
        details,
    }
}

fn table(rsa: &RsaRecord) -> Option<TableView> {
    let rows = rows(rsa);
    (!rows.is_empty()).then(|| TableView {
        title: "All scores",
        file: super::tables::SCORES.to_owned(),
        columns: columns(
            &[
                ("Target", Sort::Text),
                ("Model", Sort::Text),
                ("Layer", Sort::Order),
            ],
            &[
                "Score",
                "SEM",
                "CI low",
                "CI high",
                "p",
                "p corr.",
                "p perm.",
                "p perm. FWE",
                "p < NC",
            ],
        ),
        filters: vec![Filter {
            label: "Target",
            options: rsa.targets.iter().map(|t| t.name.clone()).collect(),
        }],
        rows,
        legend: format!(
            "{}; CI: 95 % interval; p: one-sided, score above zero; p corr.: after the correction; p perm.: by \
             permuting condition labels; p perm. FWE: family-wise; p < NC: one-sided, score below the lower noise \
             ceiling. Bold: best layer of its target.",
            scores::similarity_label(&rsa.settings)
        ),
    })
}

fn rows(rsa: &RsaRecord) -> Vec<Row> {
    let mut rows = Vec::new();
    for (target_idx, target) in rsa.targets.iter().enumerate() {
        for (idx, predictor) in rsa.predictors.iter().enumerate() {
            let e = target.scores[idx].estimate.as_ref();
            let ends = e.and_then(|e| e.interval);
            rows.push(Row {
                keys: vec![target_idx + 1],
                best: target.best == Some(idx),
                cells: vec![
                    Cell::text(&target.name),
                    Cell::text(&predictor.model),
                    Cell::ordered(&predictor.layer, idx),
                    Cell::number(e.map(|e| e.value), view::score3),
                    Cell::number(e.and_then(|e| e.sem), view::score3),
                    Cell::number(ends.map(|i| i[0]), view::score3),
                    Cell::number(ends.map(|i| i[1]), view::score3),
                    Cell::number(e.and_then(|e| e.p), view::p_value),
                    Cell::number(e.and_then(|e| e.p_corrected), view::p_value),
                    Cell::number(e.and_then(|e| e.p_permutation), view::p_value),
                    Cell::number(e.and_then(|e| e.p_permutation_fwe), view::p_value),
                    Cell::number(e.and_then(|e| e.p_ceiling), view::p_value),
                ],
            });
        }
    }
    rows
}
