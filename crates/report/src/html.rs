//! The page: a template filled with plain strings.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consilience_core::{AnalysisRecord, Expectation, Provenance, Record, RsaRecord, Warning};
use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    Result,
    figures::{self, KeyEntry, MARK, Plate},
    methods, palette,
    svg::num,
    view,
};

const TEMPLATE: &str = include_str!("../templates/report.html");
const STYLE: &str = include_str!("../assets/report.css");
const SCRIPT: &str = include_str!("../assets/report.js");

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    /// Hashes of the two inline blocks that the content security policy allows.
    style_hash: String,
    script_hash: String,
    style: &'a str,
    script: &'a str,
    /// JSON for the script, safe inside a `script` element.
    data: String,
    thumbnails: String,
    title: &'a str,
    description: Option<&'a str>,
    answer: &'a str,
    expectations: &'a [Expectation],
    warnings: &'a [Warning],
    analyses: Vec<Analysis>,
    citations: Vec<CitationView<'a>>,
    provenance: &'a Provenance,
    inputs_size: String,
    source: &'a str,
    overrides: &'a [String],
    n_stimuli: usize,
}

/// One analysis.
#[derive(Serialize)]
struct Analysis {
    name: String,
    question: String,
    similarity: String,
    alpha: f64,
    findings: Vec<Finding>,
    figures: Vec<FigureView>,
    targets: Vec<String>,
    notes: Vec<Note>,
    rows: Vec<Row>,
    several_models: bool,
    methods: Vec<String>,
}

/// The best layer of a target.
#[derive(Serialize)]
struct Finding {
    target: String,
    kind: &'static str,
    best: Option<String>,
    score: Option<String>,
    details: Vec<String>,
}

#[derive(Serialize)]
struct Note {
    about: String,
    text: String,
}

#[derive(Serialize)]
struct FigureView {
    name: String,
    title: &'static str,
    caption: String,
    layout: &'static str,
    panels: Vec<String>,
    key: Vec<KeyView>,
}

#[derive(Serialize)]
struct KeyView {
    mark: String,
    label: String,
}

#[derive(Serialize)]
struct CitationView<'a> {
    text: &'a str,
    doi: Option<&'a str>,
    used_for: &'a str,
}

/// One line of the table of scores.
#[derive(Serialize)]
struct Row {
    target: String,
    /// 1-based, as the filter names it.
    target_idx: usize,
    model: String,
    layer: String,
    /// Place in the network, by which layers sort.
    order: usize,
    best: bool,
    cells: Vec<Cell>,
}

/// A number as shown and as sorted.
#[derive(Serialize)]
struct Cell {
    text: String,
    value: Option<f64>,
}

/// Numbers that the script offers for download.
#[derive(Serialize)]
struct Data<'a> {
    scores_csv: &'a str,
}

/// Fills the template.
pub(crate) fn page(record: &Record, plates: &[Vec<Plate>], scores_csv: &str) -> Result<String> {
    let style = format!("{}{STYLE}", palette::css());
    let provenance = &record.provenance;
    let shows_thumbnails = plates.iter().flatten().any(|p| !p.definitions.is_empty());
    let page = Page {
        style_hash: csp_hash(&style),
        script_hash: csp_hash(SCRIPT),
        style: &style,
        script: SCRIPT,
        data: script_json(&Data { scores_csv }),
        thumbnails: if shows_thumbnails {
            figures::thumbnails(&record.stimuli)
        } else {
            String::new()
        },
        title: &record.study.title,
        description: record.study.description.as_deref(),
        answer: &record.answer,
        expectations: &record.expectations,
        warnings: &record.warnings,
        analyses: record
            .analyses
            .iter()
            .zip(plates)
            .enumerate()
            .map(|(idx, (analysis, plates))| {
                let AnalysisRecord::Rsa(rsa) = analysis;
                self::analysis(view::analysis_name(idx, analysis), record, rsa, plates)
            })
            .collect(),
        citations: provenance
            .citations
            .iter()
            .map(|c| CitationView {
                text: &c.text,
                doi: c.doi.as_deref(),
                used_for: &c.used_for,
            })
            .collect(),
        provenance,
        inputs_size: bytes(provenance.inputs.iter().map(|i| i.n_bytes).sum()),
        source: &record.study.source,
        overrides: &record.study.overrides,
        n_stimuli: record.stimuli.len(),
    };
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    environment.set_syntax(syntax.build()?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("bytes", bytes);
    environment.add_filter("shell", shell);
    environment.add_template("report.html", TEMPLATE)?;
    Ok(environment
        .get_template("report.html")?
        .render(Serde(page))?)
}

fn analysis(name: String, record: &Record, rsa: &RsaRecord, plates: &[Plate]) -> Analysis {
    let models = view::models(rsa);
    let mut methods = methods::paragraphs(record, rsa);
    methods.extend(methods::citation_sentence(&record.provenance));
    Analysis {
        name,
        question: format!(
            "{} of {} against {}",
            view::plural(rsa.predictors.len(), "layer"),
            view::listed(&models),
            view::plural(rsa.targets.len(), "target")
        ),
        similarity: view::similarity_label(&rsa.settings),
        alpha: rsa.settings.alpha,
        findings: rsa.targets.iter().map(|t| finding(rsa, t)).collect(),
        figures: plates.iter().map(figure).collect(),
        targets: rsa.targets.iter().map(|t| t.name.clone()).collect(),
        notes: rsa
            .targets
            .iter()
            .flat_map(|t| {
                t.notes.iter().map(|text| Note {
                    about: t.name.clone(),
                    text: text.clone(),
                })
            })
            .collect(),
        rows: rows(rsa),
        several_models: models.len() > 1,
        methods,
    }
}

fn finding(rsa: &RsaRecord, target: &consilience_core::RsaTarget) -> Finding {
    let best = target
        .best
        .and_then(|idx| view::estimate(target, idx).map(|e| (idx, e)));
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
        if let Some(p) = view::p_zero(e) {
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
        kind: match target.kind {
            consilience_core::TargetKind::Brain => "brain",
            consilience_core::TargetKind::Behaviour => "behaviour",
        },
        best: best.map(|(idx, _)| view::predictor_name(rsa, idx)),
        score: best.map(|(_, e)| view::score(e.value)),
        details,
    }
}

fn figure(plate: &Plate) -> FigureView {
    let width = plate.panels.iter().fold(0.0_f64, |w, p| w.max(p.size.0));
    FigureView {
        name: plate.name.clone(),
        title: plate.title,
        caption: plate.caption.clone(),
        layout: if width < 350.0 { "narrow" } else { "wide" },
        panels: plate.panels.iter().map(figures::panel_svg).collect(),
        key: plate.key.iter().map(key).collect(),
    }
}

fn key(entry: &KeyEntry) -> KeyView {
    let (w, h) = (num(MARK.0), num(MARK.1));
    KeyView {
        mark: format!(
            "<svg viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" aria-hidden=\"true\">{}</svg>",
            entry.mark()
        ),
        label: entry.label.clone(),
    }
}

fn rows(rsa: &RsaRecord) -> Vec<Row> {
    let cell = |value: Option<f64>, text: fn(f64) -> String| {
        let value = view::finite(value);
        Cell {
            text: value.map_or_else(|| "–".to_owned(), text),
            value,
        }
    };
    let mut rows = Vec::new();
    for (target_idx, target) in rsa.targets.iter().enumerate() {
        for (idx, predictor) in rsa.predictors.iter().enumerate() {
            let e = target.scores[idx].estimate.as_ref();
            let ends = e.and_then(|e| e.interval);
            rows.push(Row {
                target: target.name.clone(),
                target_idx: target_idx + 1,
                model: predictor.model.clone(),
                layer: predictor.layer.clone(),
                order: idx,
                best: target.best == Some(idx),
                cells: vec![
                    cell(e.map(|e| e.value), view::score3),
                    cell(e.and_then(|e| e.sem), view::score3),
                    cell(ends.map(|i| i[0]), view::score3),
                    cell(ends.map(|i| i[1]), view::score3),
                    cell(e.and_then(|e| e.p), view::p_value),
                    cell(e.and_then(|e| e.p_corrected), view::p_value),
                    cell(e.and_then(|e| e.p_permutation), view::p_value),
                    cell(e.and_then(|e| e.p_permutation_fwe), view::p_value),
                    cell(e.and_then(|e| e.p_ceiling), view::p_value),
                ],
            });
        }
    }
    rows
}

/// A size for people.
fn bytes(n: u64) -> String {
    let n = n as f64;
    if n < 1e3 {
        format!("{n} B")
    } else if n < 1e6 {
        format!("{:.1} kB", n / 1e3)
    } else {
        format!("{:.1} MB", n / 1e6)
    }
}

/// One word for a POSIX shell, whatever it holds.
fn shell(word: String) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A source expression that allows exactly this inline block.
fn csp_hash(text: &str) -> String {
    format!(
        "'sha256-{}'",
        STANDARD.encode(Sha256::digest(text.as_bytes()))
    )
}

/// JSON that no HTML parser can mistake for markup.
fn script_json(value: &impl Serialize) -> String {
    serde_json::to_string(value)
        .expect("strings are always valid JSON")
        .replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_its_element() {
        let json = script_json(&Data {
            scores_csv: "</script><script>alert(1)",
        });
        assert!(!json.contains('<'));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["scores_csv"], "</script><script>alert(1)");
    }

    #[test]
    fn hashes_are_those_of_the_policy() {
        // The digest of nothing, as any SHA-256 tool prints it.
        assert_eq!(
            csp_hash(""),
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
        );
    }

    #[test]
    fn sizes() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(4_900_000), "4.9 MB");
    }
}
