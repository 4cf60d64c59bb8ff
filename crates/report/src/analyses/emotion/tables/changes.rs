//! Tables of what becomes of predictions and read-outs when units or connections are changed.

use consilience_core::EmotionRecord;

use crate::csv::{Rows, field, number};

pub(super) const READ_OUTS: &str =
    "analysis,nucleus,category,n_stimuli,n_units,chance,change,gain,f1,f1_sd,random,random_sd,p";

pub(super) fn gains(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for curve in &emotion.gains {
        for (k, gain) in curve.gains.iter().enumerate() {
            rows.push(&[
                analysis.to_owned(),
                field(&curve.nucleus),
                field(&curve.units),
                field(curve.selective_in.as_deref().unwrap_or_default()),
                number(Some(curve.n_units)),
                field(&curve.rating),
                number(Some(*gain)),
                number(curve.r[k]),
                number(curve.random[k]),
                number(curve.random_sd[k]),
                number(curve.p[k]),
            ]);
        }
    }
}

pub(super) fn connections(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for lesion in &emotion.connections {
        rows.push(&[
            analysis.to_owned(),
            field(&lesion.from),
            field(&lesion.to),
            field(&lesion.kind),
            field(&lesion.rating),
            number(lesion.r),
            number(lesion.r_sd),
            number(lesion.change),
            number(lesion.change_sd),
        ]);
    }
}

/// A row for the intact read-out, one without units, and one with those enhanced.
pub(super) fn read_outs(rows: &mut Rows, analysis: &str, emotion: &EmotionRecord) {
    for of in &emotion.read_outs {
        let mut row = |change: &str, numbers: [Option<f64>; 6]| {
            let mut fields = vec![
                analysis.to_owned(),
                field(&of.nucleus),
                field(&of.category),
                of.n_stimuli.to_string(),
                number(Some(of.n_units)),
                number(Some(of.chance)),
                change.to_owned(),
            ];
            fields.extend(numbers.map(number));
            rows.push(&fields);
        };
        row("intact", [Some(0.0), of.f1, of.f1_sd, None, None, None]);
        let changed = [
            ("lesioned", Some(&of.lesioned)),
            ("enhanced", of.enhanced.as_ref()),
        ];
        for (change, gained) in changed {
            if let Some(g) = gained {
                row(
                    change,
                    [Some(g.gain), g.f1, None, g.random, g.random_sd, g.p],
                );
            }
        }
    }
}
