//! The kinds of analyses. Each has a folder with the same parts:
//!
//! - `check`: whether the parts of its record fit together, so that nothing after it has to ask;
//! - `figures`: its figures;
//! - `section`: its section of the page, from the findings to the table;
//! - `tables`: its tidy tables;
//! - `methods`: what a paper would say about it.
//!
//! To add a kind, add a folder and an arm in each function of this file; its tables need names that no
//! other kind has.

mod appraisal;
mod check;
mod emotion;
mod objects;
mod rsa;

use consilience_core::{AnalysisRecord, Record};

use crate::{ReportError, Result, Table, figures::Plate, section::Section};

pub(crate) use crate::figures::mds::definitions as thumbnails;

/// An analysis with its short name, which files and tables bear.
struct Named<'a, T> {
    name: String,
    record: &'a T,
}

/// Short name of analysis number `idx`, counted over all kinds.
fn name(idx: usize, analysis: &AnalysisRecord) -> String {
    let kind = match analysis {
        AnalysisRecord::Rsa(_) => "rsa",
        AnalysisRecord::Appraisal(_) => "appraisal",
        AnalysisRecord::Objects(_) => "object2brain",
        AnalysisRecord::VisualEmotion(_) => "visual-emotion",
    };
    format!("{kind}-{}", idx + 1)
}

/// Refuses a record whose parts do not fit together, so that nothing after this has to ask.
pub(crate) fn check(record: &Record) -> Result<()> {
    if record.schema != Record::SCHEMA {
        return Err(ReportError::UnsupportedSchema {
            expected: Record::SCHEMA,
            found: record.schema,
        });
    }
    let n_stimuli = record.stimuli.len();
    record
        .analyses
        .iter()
        .try_for_each(|analysis| match analysis {
            AnalysisRecord::Rsa(rsa) => rsa::check::check(rsa, n_stimuli),
            AnalysisRecord::Appraisal(appraisal) => appraisal::check::check(appraisal, n_stimuli),
            AnalysisRecord::Objects(objects) => objects::check::check(objects),
            AnalysisRecord::VisualEmotion(emotion) => emotion::check::check(emotion, n_stimuli),
        })
}

/// The figures of each analysis that have something to show.
pub(crate) fn plates(record: &Record) -> Vec<Vec<Plate>> {
    let of = |(idx, analysis): (usize, &AnalysisRecord)| {
        let name = name(idx, analysis);
        let mut plates = match analysis {
            AnalysisRecord::Rsa(rsa) => rsa::figures::plates(&name, rsa, &record.stimuli),
            AnalysisRecord::Appraisal(appraisal) => appraisal::figures::plates(&name, appraisal),
            AnalysisRecord::Objects(objects) => objects::figures::plates(&name, objects),
            AnalysisRecord::VisualEmotion(emotion) => {
                emotion::figures::plates(&name, emotion, &record.stimuli)
            }
        };
        plates.retain(|plate| !plate.panels.is_empty());
        plates
    };
    record.analyses.iter().enumerate().map(of).collect()
}

/// The section of each analysis, without its figures.
pub(crate) fn sections(record: &Record) -> Vec<Section> {
    let of = |(idx, analysis): (usize, &AnalysisRecord)| {
        let name = name(idx, analysis);
        match analysis {
            AnalysisRecord::Rsa(rsa) => rsa::section::section(name, record, rsa),
            AnalysisRecord::Appraisal(appraisal) => {
                appraisal::section::section(name, record, appraisal, correlations(record))
            }
            AnalysisRecord::Objects(objects) => {
                objects::section::section(name, record, objects, object_scores(record))
            }
            AnalysisRecord::VisualEmotion(emotion) => {
                emotion::section::section(name, record, emotion, module_scores(record))
            }
        }
    };
    record.analyses.iter().enumerate().map(of).collect()
}

/// All tables; analyses of one kind share theirs.
pub(crate) fn tables(record: &Record) -> Vec<Table> {
    let (mut rsas, mut objects) = (Vec::new(), Vec::new());
    let (mut appraisals, mut emotions) = (Vec::new(), Vec::new());
    for (idx, analysis) in record.analyses.iter().enumerate() {
        let name = name(idx, analysis);
        match analysis {
            AnalysisRecord::Rsa(rsa) => rsas.push(Named {
                name,
                record: &**rsa,
            }),
            AnalysisRecord::Objects(of) => objects.push(Named {
                name,
                record: &**of,
            }),
            AnalysisRecord::Appraisal(of) => appraisals.push(Named {
                name,
                record: &**of,
            }),
            AnalysisRecord::VisualEmotion(of) => emotions.push(Named {
                name,
                record: &**of,
            }),
        }
    }
    let mut tables = Vec::new();
    if !rsas.is_empty() {
        tables.extend(rsa::tables::tables(&rsas));
    }
    if !objects.is_empty() {
        tables.extend(objects::tables::tables(&objects, object_scores(record)));
    }
    if !appraisals.is_empty() {
        let main = correlations(record);
        tables.extend(appraisal::tables::tables(
            &appraisals,
            &record.stimuli,
            main,
        ));
    }
    if !emotions.is_empty() {
        let main = module_scores(record);
        tables.extend(emotion::tables::tables(&emotions, &record.stimuli, main));
    }
    tables
}

/// File with the scores of Object2Brain: `scores.csv`, unless RSA has that.
fn object_scores(record: &Record) -> &'static str {
    let has_rsa = |a: &AnalysisRecord| matches!(a, AnalysisRecord::Rsa(_));
    if record.analyses.iter().any(has_rsa) {
        "object2brain-scores.csv"
    } else {
        "scores.csv"
    }
}

/// File with the correlations of appraisals: `scores.csv`, unless RSA or Object2Brain has that.
fn correlations(record: &Record) -> &'static str {
    let comes_after =
        |a: &AnalysisRecord| !matches!(a, AnalysisRecord::Rsa(_) | AnalysisRecord::Objects(_));
    if record.analyses.iter().all(comes_after) {
        "scores.csv"
    } else {
        "correlations.csv"
    }
}

/// File with the scores of modules of visual emotion: `scores.csv`, unless another kind has that.
fn module_scores(record: &Record) -> &'static str {
    let is_emotion = |a: &AnalysisRecord| matches!(a, AnalysisRecord::VisualEmotion(_));
    if record.analyses.iter().all(is_emotion) {
        "scores.csv"
    } else {
        "emotion-scores.csv"
    }
}
