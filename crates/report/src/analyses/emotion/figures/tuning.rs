//! Tuning curves of selective units: one panel for each bin that they are selective for.

use consilience_core::EmotionRecord;

use super::{
    WIDTH,
    curves::{Across, Curve, panel},
    of_main, scores, stroke,
};
use crate::{
    figures::{Flow, Heading, Panel, Plate, common_top, plot::extent_from_zero},
    view,
};

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let bins = scores::kept_bins(emotion);
    let contents: Vec<(usize, Vec<Curve<'_>>)> = (0..bins.len())
        .map(|bin| (bin, curves(emotion, bin)))
        .filter(|(_, curves)| !curves.is_empty())
        .collect();
    let none: Vec<&str> = bins
        .iter()
        .enumerate()
        .filter(|(bin, _)| contents.iter().all(|(with, _)| with != bin))
        .map(|(_, name)| *name)
        .collect();
    let y = extent_from_zero(contents.iter().flat_map(|(_, c)| c).flat_map(Curve::values));
    let headings: Vec<Heading> = contents
        .iter()
        .map(|(bin, _)| Heading::new(&format!("units selective for {}", bins[*bin]), "", WIDTH))
        .collect();
    let top = common_top(&headings) + 16.0;
    let panels: Vec<Panel> = contents
        .iter()
        .zip(&headings)
        .map(|((bin, curves), heading)| {
            let across = Across::Names {
                names: &bins,
                marked: Some(*bin),
                label: "bin of the stimuli",
            };
            let alt = format!("Tuning curves of units selective for {}.", bins[*bin]);
            panel((heading, top), &across, (y, "tuning value"), curves, alt)
        })
        .collect();
    let none = match none.is_empty() {
        true => String::new(),
        false => format!(" No unit is selective for {}.", view::listed(&none)),
    };
    Plate {
        name: format!("{analysis}-tuning"),
        title: "Tuning curves".into(),
        caption: format!(
            "Mean tuning value in each bin of the units that are selective for one bin (shaded) after training: how far their mean \
             response in the bin lies from their mean response, in standard deviations. A nucleus without such a unit has no \
             curve.{none}{}{}",
            super::selectivity::bins_sentence(emotion),
            of_main(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}

fn curves(emotion: &EmotionRecord, bin: usize) -> Vec<Curve<'_>> {
    let nuclei = emotion.selectivity.iter();
    nuclei
        .filter_map(|of| {
            let row = of.tuning[bin].as_ref()?;
            let any = row.iter().any(|v| v.is_finite());
            any.then(|| Curve {
                name: &of.nucleus,
                stroke: stroke(emotion, &of.nucleus),
                points: row
                    .iter()
                    .enumerate()
                    .map(|(k, v)| (k as f64, Some(*v)))
                    .collect(),
                spread: vec![None; row.len()],
            })
        })
        .collect()
}
