//! From text to [`Study`], with errors that point at the line.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::options::{
    Analysis, ExpectOptions, ModelOptions, ReportOptions, RsaOptions, StimuliOptions, Study,
    StudyOptions,
};
use super::{AppraisalOptions, EmotionOptions, ObjectsOptions, TargetOptions};
use crate::nearest;
use crate::{Result, StudyError};

/// Where a key stands: table names, list positions and keys, e.g. `model[0].weights`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyPath(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

impl KeyPath {
    /// The table or key `name` at the top of the file.
    #[must_use]
    pub fn root(name: &str) -> Self {
        Self(vec![Segment::Key(name.to_owned())])
    }

    /// The key `name` inside this one.
    #[must_use]
    pub fn key(mut self, name: &str) -> Self {
        self.0.push(Segment::Key(name.to_owned()));
        self
    }

    /// Entry `idx` (0-based) of this list.
    #[must_use]
    pub fn index(mut self, idx: usize) -> Self {
        self.0.push(Segment::Index(idx));
        self
    }

    /// Reads `analysis.0.permutations` or `analysis[0].permutations`.
    fn parse(text: &str) -> Self {
        let normal = text.replace('[', ".").replace(']', "");
        Self(
            normal
                .split('.')
                .map(|part| match part.parse() {
                    Ok(idx) => Segment::Index(idx),
                    Err(_) => Segment::Key(part.to_owned()),
                })
                .collect(),
        )
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (k, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if k == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(idx) => write!(f, "[{idx}]")?,
            }
        }
        Ok(())
    }
}

/// One `--set KEY=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Dotted key; a list without a position (`analysis.permutations`) means all its entries.
    pub key: String,
    /// Value as TOML; a bare word is taken as a string.
    pub value: String,
}

impl Override {
    /// Whether the value at `key` comes from here and not from the file.
    #[must_use]
    pub fn gives(&self, key: &KeyPath) -> bool {
        let mut rest = key.0.iter();
        KeyPath::parse(&self.key).0.iter().all(|named| {
            let found = match named {
                Segment::Index(_) => rest.next(),
                // Without a position all entries of a list are meant.
                Segment::Key(_) => rest.find(|segment| matches!(segment, Segment::Key(_))),
            };
            found == Some(named)
        })
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl std::str::FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
            }),
            _ => Err(format!(
                "{text:?} is not KEY=VALUE, e.g. analysis.permutations=1000"
            )),
        }
    }
}

/// The text of a study file with its name, from which errors are located.
#[derive(Debug, Clone)]
pub struct StudyText {
    name: String,
    text: String,
}

/// A place in a study file, for a message that shows the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// File name.
    pub file: String,
    /// The whole text of the file.
    pub text: String,
    /// Bytes that are at fault.
    pub span: Range<usize>,
}

impl Location {
    /// Line of the first byte, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.text[..self.span.start.min(self.text.len())]
            .matches('\n')
            .count()
            + 1
    }
}

impl StudyText {
    /// Takes a study file that was read already.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Reads the file's tables and applies overrides.
    ///
    /// # Errors
    ///
    /// [`StudyError::Syntax`] with the place for what is not TOML, an unknown key or a value of
    /// the wrong type; [`StudyError::Override`] for a `--set` that fits no key.
    pub fn parse(&self, overrides: &[Override]) -> Result<Study> {
        // The file is read without the overrides first: what is wrong in it has a line.
        let study = study_from(&self.text).map_err(|fault| self.syntax(fault))?;
        if overrides.is_empty() {
            return Ok(study);
        }
        let mut merged = toml::Value::Table(
            toml::from_str(&self.text).map_err(|e| self.syntax(Fault::from(e)))?,
        );
        let mut study = study;
        for over in overrides {
            let refuse = |why: String| StudyError::Override {
                key: over.key.clone(),
                value: over.value.clone(),
                why,
            };
            set(
                &mut merged,
                &KeyPath::parse(&over.key).0,
                &toml_value(&over.value),
            )
            .map_err(refuse)?;
            let text = toml::to_string(&merged).map_err(|e| refuse(e.to_string()))?;
            study = study_from(&text).map_err(|fault| refuse(fault.message))?;
        }
        Ok(study)
    }

    /// The place of a key in the file; `None` when the key came from an override or a default.
    #[must_use]
    pub fn locate(&self, path: &KeyPath) -> Option<Location> {
        let root = DeValue::Table(DeTable::parse(&self.text).ok()?.into_inner());
        let mut value = &root;
        let mut span = None;
        for segment in &path.0 {
            let next = match segment {
                Segment::Key(key) => value.get(key.as_str()),
                Segment::Index(idx) => value.get(*idx),
            };
            // A key that is left out is reported at the table that lacks it.
            let Some(next) = next else { break };
            span = Some(next.span());
            value = next.get_ref();
        }
        Some(self.location(span?))
    }

    /// The place before the first character.
    #[must_use]
    pub fn beginning(&self) -> Location {
        self.location(0..0)
    }

    fn location(&self, span: Range<usize>) -> Location {
        Location {
            file: self.name.clone(),
            text: self.text.clone(),
            span,
        }
    }

    fn syntax(&self, fault: Fault) -> StudyError {
        StudyError::Syntax {
            message: fault.message,
            location: self.location(fault.span),
        }
    }
}

/// What is wrong and where, before the file's name is known.
struct Fault {
    message: String,
    span: Range<usize>,
}

impl From<toml::de::Error> for Fault {
    fn from(error: toml::de::Error) -> Self {
        Self {
            message: with_suggestion(error.message()),
            span: error.span().unwrap_or(0..0),
        }
    }
}

fn fault(message: &str, span: Range<usize>) -> Fault {
    Fault {
        message: with_suggestion(message),
        span,
    }
}

type Parsed<T> = std::result::Result<T, Fault>;

fn study_from(text: &str) -> Parsed<Study> {
    const TABLES: [&str; 8] = [
        "study",
        "stimuli",
        "model",
        "brain",
        "behaviour",
        "analysis",
        "expect",
        "report",
    ];
    let mut table = DeTable::parse(text)?.into_inner();
    for (key, _) in &table {
        if !TABLES.contains(&key.get_ref().as_ref()) {
            let names: Vec<_> = TABLES.iter().map(|t| format!("`{t}`")).collect();
            let message = format!(
                "unknown field `{}`, expected one of {}",
                key.get_ref(),
                names.join(", ")
            );
            return Err(fault(&message, key.span()));
        }
    }
    Ok(Study {
        study: required(&mut table, "study")?,
        stimuli: required(&mut table, "stimuli")?,
        models: list::<ModelOptions>(&mut table, "model")?,
        brains: list::<TargetOptions>(&mut table, "brain")?,
        behaviours: list::<TargetOptions>(&mut table, "behaviour")?,
        analyses: entries(&mut table, "analysis")?
            .into_iter()
            .map(analysis)
            .collect::<Parsed<_>>()?,
        expectations: list::<ExpectOptions>(&mut table, "expect")?,
        report: match table.remove("report") {
            Some(value) => ReportOptions::deserialize(ValueDeserializer::from(value))?,
            None => ReportOptions::default(),
        },
    })
}

fn required<T: DeserializeOwned + SectionName>(table: &mut DeTable<'_>, name: &str) -> Parsed<T> {
    match table.remove(name) {
        Some(value) => Ok(T::deserialize(ValueDeserializer::from(value))?),
        None => Err(fault(
            &format!("the table [{name}] is missing; add it ({})", T::HINT),
            0..0,
        )),
    }
}

/// A table that every study has, with what to write into it.
trait SectionName {
    const HINT: &'static str;
}

impl SectionName for StudyOptions {
    const HINT: &'static str = "it needs `title`";
}

impl SectionName for StimuliOptions {
    const HINT: &'static str = "it needs `images`, e.g. images = \"stimuli/*.png\"";
}

fn list<T: DeserializeOwned>(table: &mut DeTable<'_>, name: &str) -> Parsed<Vec<T>> {
    entries(table, name)?
        .into_iter()
        .map(|value| Ok(T::deserialize(ValueDeserializer::from(value))?))
        .collect()
}

fn entries<'i>(table: &mut DeTable<'i>, name: &str) -> Parsed<Vec<Spanned<DeValue<'i>>>> {
    let Some(value) = table.remove(name) else {
        return Ok(Vec::new());
    };
    let span = value.span();
    match value.into_inner() {
        DeValue::Array(array) => Ok(array.into_iter().collect()),
        other => Err(fault(
            &format!(
                "`{name}` is a {} here; write [[{name}]] with two brackets, once for each",
                other.type_str()
            ),
            span,
        )),
    }
}

fn analysis(value: Spanned<DeValue<'_>>) -> Parsed<Analysis> {
    let span = value.span();
    let DeValue::Table(mut table) = value.into_inner() else {
        return Err(fault("an analysis is a table; write [[analysis]]", span));
    };
    let known = Analysis::KINDS.map(|k| format!("`{k}`")).join(", ");
    let Some(kind) = table.remove("kind") else {
        return Err(fault(
            &format!("`kind` is missing; kinds are {known}"),
            span,
        ));
    };
    let rest = ValueDeserializer::from(Spanned::new(span, DeValue::Table(table)));
    match kind.get_ref().as_str() {
        Some("rsa") => Ok(Analysis::Rsa(RsaOptions::deserialize(rest)?)),
        Some("appraisal") => Ok(Analysis::Appraisal(AppraisalOptions::deserialize(rest)?)),
        Some("object2brain") => Ok(Analysis::Objects(ObjectsOptions::deserialize(rest)?)),
        Some("visual-emotion") => {
            let options = EmotionOptions::deserialize(rest)?;
            Ok(Analysis::Emotion(Box::new(options)))
        }
        Some(other) => Err(fault(
            &format!("unknown analysis kind `{other}`, expected one of {known}"),
            kind.span(),
        )),
        None => Err(fault(
            &format!("`kind` is a name; kinds are {known}"),
            kind.span(),
        )),
    }
}

/// Adds the nearest name to serde's "unknown field `x`, expected one of `a`, `b`".
fn with_suggestion(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((&found, known)) if message.starts_with("unknown") => {
            match nearest(found, known.iter().copied()) {
                Some(name) => format!("{message}; did you mean `{name}`?"),
                None => message.to_owned(),
            }
        }
        _ => message.to_owned(),
    }
}

/// A value as TOML, or else as a plain string.
fn toml_value(text: &str) -> toml::Value {
    toml::from_str::<toml::Table>(&format!("v = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("v"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

/// Puts `value` at `path`. A list without a position means every entry of it.
fn set(
    node: &mut toml::Value,
    path: &[Segment],
    value: &toml::Value,
) -> std::result::Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        *node = value.clone();
        return Ok(());
    };
    match (node, first) {
        (toml::Value::Table(table), Segment::Key(key)) => {
            if rest.is_empty() {
                table.insert(key.clone(), value.clone());
                return Ok(());
            }
            if !table.contains_key(key) && key == "report" {
                table.insert(key.clone(), toml::Value::Table(toml::Table::new()));
            }
            let keys: Vec<String> = table.keys().cloned().collect();
            match table.get_mut(key) {
                Some(next) => set(next, rest, value),
                None => Err(format!(
                    "the study has no `{key}`; it has {}",
                    keys.iter()
                        .map(|k| format!("`{k}`"))
                        .collect::<Vec<_>>()
                        .join(", ")
                )),
            }
        }
        (toml::Value::Array(array), Segment::Index(idx)) => {
            let n = array.len();
            match array.get_mut(*idx) {
                Some(next) => set(next, rest, value),
                None => Err(format!(
                    "there is no entry {idx}; the list has {n}, counted from 0"
                )),
            }
        }
        (toml::Value::Array(array), Segment::Key(_)) => array
            .iter_mut()
            .try_for_each(|entry| set(entry, path, value)),
        (other, _) => Err(format!(
            "`{}` there has no keys of its own",
            other.type_str()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
[study]
title = "t"

[stimuli]
images = "*.png"

[[model]]
name = "squeezenet1_1"
weights = "w.safetensors"

[[brain]]
name = "IT"
rdms = "it.npy"

[[analysis]]
kind = "rsa"
permutations = 10
"#;

    fn parse(text: &str, sets: &[&str]) -> Result<Study> {
        let overrides: Vec<Override> = sets.iter().map(|s| s.parse().unwrap()).collect();
        StudyText::new("study.toml", text).parse(&overrides)
    }

    fn syntax_error(text: &str) -> (String, usize) {
        match parse(text, &[]) {
            Err(StudyError::Syntax { message, location }) => (message, location.line()),
            other => panic!("expected a syntax error, got {other:?}"),
        }
    }

    #[test]
    fn an_override_knows_what_it_gives() {
        let key = KeyPath::root("analysis").index(1).key("similarity");
        let gives = |text: &str| text.parse::<Override>().unwrap().gives(&key);
        assert!(gives("analysis.similarity=x") && gives("analysis[1].similarity=x"));
        assert!(gives("analysis=x"));
        assert!(!gives("analysis[0].similarity=x") && !gives("analysis.alpha=x"));
        assert!(!gives("analysis.similarity.deep=x"));
    }

    #[test]
    fn defaults_are_filled_in() {
        let study = parse(STUDY, &[]).unwrap();
        assert_eq!(study.study.seed, 1);
        assert_eq!(study.models[0].layers, ["*"]);
        let Analysis::Rsa(rsa) = &study.analyses[0] else {
            panic!("{:?}", study.analyses[0]);
        };
        assert_eq!((rsa.permutations, rsa.resamples), (10, 1000));
        assert_eq!(rsa.similarity, "spearman");
    }

    #[test]
    fn unknown_keys_are_named_with_line_and_suggestion() {
        let (message, line) = syntax_error(&STUDY.replace("permutations", "permutation"));
        assert!(
            message.contains("did you mean `permutations`?"),
            "{message}"
        );
        assert_eq!(line, 18);
        let (message, line) = syntax_error(&STUDY.replace("[stimuli]", "[stimulus]"));
        assert!(message.contains("did you mean `stimuli`?"), "{message}");
        assert_eq!(line, 5);
        let (message, line) = syntax_error(&STUDY.replace("\"rsa\"", "\"rsaa\""));
        assert!(message.contains("did you mean `rsa`?"), "{message}");
        assert_eq!(line, 17);
    }

    #[test]
    fn wrong_types_and_single_brackets_are_located() {
        let (_, line) = syntax_error(&STUDY.replace("= 10", "= \"ten\""));
        assert_eq!(line, 18);
        let (message, line) = syntax_error(&STUDY.replace("[[brain]]", "[brain]"));
        assert!(message.contains("[[brain]]"), "{message}");
        assert_eq!(line, 12);
        let (message, _) = syntax_error("[study]\ntitle = \"t\"");
        assert!(message.contains("[stimuli]"), "{message}");
    }

    #[test]
    fn overrides_replace_values() {
        let study = parse(
            STUDY,
            &[
                "analysis.permutations=5",
                "model[0].name=other",
                "report.thumbnails=0",
            ],
        )
        .unwrap();
        let Analysis::Rsa(rsa) = &study.analyses[0] else {
            panic!("{:?}", study.analyses[0]);
        };
        assert_eq!(rsa.permutations, 5);
        assert_eq!(study.models[0].name, "other");
        assert_eq!(study.report.thumbnails, 0);
        for wrong in [
            "analysis.permutation=5",
            "model.3.name=x",
            "brane.name=x",
            "study.seed=red",
        ] {
            assert!(
                matches!(parse(STUDY, &[wrong]), Err(StudyError::Override { .. })),
                "{wrong} was accepted"
            );
        }
    }

    #[test]
    fn keys_are_located() {
        let text = StudyText::new("study.toml", STUDY);
        let at = |path: KeyPath| text.locate(&path).map(|l| l.line());
        assert_eq!(at(KeyPath::root("model").index(0).key("weights")), Some(10));
        assert_eq!(at(KeyPath::root("model").index(0).key("layers")), Some(8));
        assert_eq!(at(KeyPath::root("expect").index(0)), None);
    }
}
