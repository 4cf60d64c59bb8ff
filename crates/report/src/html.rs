//! The page: a template filled with plain strings.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consilience_core::{Expectation, Provenance, Record, Warning};
use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    Result, Table, analyses,
    figures::{self, Flow, KeyEntry, MARK, Plate},
    palette,
    section::Section,
    svg::num,
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

/// A section with its figures.
#[derive(Serialize)]
struct Analysis {
    section: Section,
    figures: Vec<FigureView>,
}

#[derive(Serialize)]
struct FigureView {
    name: String,
    title: String,
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

/// Tables that the script offers for download, by file name.
#[derive(Serialize)]
struct Data<'a> {
    tables: BTreeMap<&'a str, &'a str>,
}

/// Fills the template.
pub(crate) fn page(record: &Record, plates: &[Vec<Plate>], tables: &[Table]) -> Result<String> {
    let analyses: Vec<Analysis> = analyses::sections(record)
        .into_iter()
        .zip(plates)
        .map(|(section, plates)| Analysis {
            section,
            figures: plates.iter().map(figure).collect(),
        })
        .collect();
    let offered = analyses.iter().flat_map(|a| &a.section.tables);
    let offered: Vec<&str> = offered.map(|table| table.file.as_str()).collect();
    let tables = tables.iter().map(|t| (t.name.as_str(), t.csv.as_str()));
    let data = Data {
        tables: tables.filter(|(name, _)| offered.contains(name)).collect(),
    };
    let style = format!("{}{STYLE}", palette::css());
    let provenance = &record.provenance;
    let shows_thumbnails = plates.iter().flatten().any(|p| !p.definitions.is_empty());
    let page = Page {
        style_hash: csp_hash(&style),
        script_hash: csp_hash(SCRIPT),
        style: &style,
        script: SCRIPT,
        data: script_json(&data),
        thumbnails: if shows_thumbnails {
            analyses::thumbnails(&record.stimuli)
        } else {
            String::new()
        },
        title: &record.study.title,
        description: record.study.description.as_deref(),
        answer: &record.answer,
        expectations: &record.expectations,
        warnings: &record.warnings,
        analyses,
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

fn figure(plate: &Plate) -> FigureView {
    let width = plate.panels.iter().fold(0.0_f64, |w, p| w.max(p.size.0));
    FigureView {
        name: plate.name.clone(),
        title: plate.title.clone(),
        caption: plate.caption.clone(),
        layout: match plate.flow {
            Flow::Columns if width < 350.0 => "narrow",
            Flow::Columns => "wide",
            Flow::Natural if width <= 500.0 => "natural",
            Flow::Natural => "natural broad",
        },
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
pub(crate) fn csp_hash(text: &str) -> String {
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
            tables: [("scores.csv", "</script><script>alert(1)")].into(),
        });
        assert!(!json.contains('<'));
        let back: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back["tables"]["scores.csv"], "</script><script>alert(1)");
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
