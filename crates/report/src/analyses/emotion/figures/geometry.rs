//! The geometry of each nucleus over epochs: agreement with models of emotion, and number of dimensions.

use consilience_core::{EmotionRecord, GeometryCurve};

use super::{
    WIDTH,
    curves::{Across, Curve, panel},
    history::span,
    of_main, stroke,
};
use crate::{
    figures::{
        Flow, Heading, Panel, Plate, common_top,
        plot::{extent_from_zero, shown, whole_ticks},
    },
    view,
};

/// Agreement with each model, one panel for each.
pub(super) fn trajectories(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let models = view::distinct(emotion.geometry.iter().map(|g| g.model.as_str()));
    let of = |model: &str| -> Vec<&GeometryCurve> {
        let all = emotion.geometry.iter();
        all.filter(|g| g.model == model && g.means.iter().copied().find_map(shown).is_some())
            .collect()
    };
    let contents: Vec<(&str, Vec<Curve<'_>>)> = models
        .into_iter()
        .map(|model| {
            let curves = of(model).into_iter();
            (model, curves.map(|g| curve(emotion, g)).collect())
        })
        .filter(|(_, curves): &(_, Vec<Curve<'_>>)| !curves.is_empty())
        .collect();
    // One axis for all, so that panels compare.
    let y = extent_from_zero(contents.iter().flat_map(|(_, c)| c).flat_map(Curve::values));
    let headings: Vec<Heading> = contents
        .iter()
        .map(|(model, _)| Heading::new(model, "", WIDTH))
        .collect();
    let top = common_top(&headings) + 16.0;
    let panels: Vec<Panel> = contents
        .iter()
        .zip(&headings)
        .map(|((model, curves), heading)| {
            let alt = format!(
                "Agreement of {} with the RDM of {model} over epochs.",
                view::listed(&curves.iter().map(|c| c.name).collect::<Vec<_>>())
            );
            panel(
                (heading, top),
                &epochs(curves),
                (y, "Spearman ρ"),
                curves,
                alt,
            )
        })
        .collect();
    let spread = emotion.geometry.iter().flat_map(|g| &g.sems);
    let band = match spread.copied().find_map(shown) {
        Some(_) => " Shaded: ± standard error over repeats.",
        None => " A single repeat, so no standard error.",
    };
    Plate {
        name: format!("{analysis}-geometry"),
        title: "Geometry of the nuclei while they learn".into(),
        caption: format!(
            "Spearman correlation of each nucleus’s RDM ({}) with the RDM of a model of emotion, one panel for each model; \
             epoch 0 is before training.{band}{}",
            emotion.settings.dissimilarity,
            of_main(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}

fn curve<'a>(emotion: &EmotionRecord, g: &'a GeometryCurve) -> Curve<'a> {
    let epochs = g.epochs.iter().map(|&e| e as f64);
    Curve {
        name: &g.nucleus,
        stroke: stroke(emotion, &g.nucleus),
        points: epochs.zip(g.means.iter().copied()).collect(),
        spread: g.sems.clone(),
    }
}

fn epochs<'a>(curves: &[Curve<'_>]) -> Across<'a> {
    let all: Vec<f64> = curves
        .iter()
        .flat_map(|c| c.points.iter().map(|&(x, _)| x))
        .collect();
    Across::Numbers {
        ends: span(&all),
        ticks: |scale| whole_ticks(scale, 7),
        label: "epoch",
    }
}

/// Participation ratios in one panel.
pub(super) fn dimensionality(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let curves: Vec<Curve<'_>> = emotion
        .dimensionality
        .iter()
        .filter(|d| d.means.iter().copied().find_map(shown).is_some())
        .map(|d| Curve {
            name: &d.nucleus,
            stroke: stroke(emotion, &d.nucleus),
            points: d
                .epochs
                .iter()
                .map(|&e| e as f64)
                .zip(d.means.iter().copied())
                .collect(),
            spread: vec![None; d.means.len()],
        })
        .collect();
    let y = extent_from_zero(curves.iter().flat_map(Curve::values));
    let heading = Heading::new("participation ratio", "", WIDTH);
    let panels = match curves.is_empty() {
        true => Vec::new(),
        false => vec![panel(
            (&heading, heading.height() + 16.0),
            &epochs(&curves),
            (y, "dimensions"),
            &curves,
            format!(
                "Number of dimensions that {} use over epochs.",
                view::listed(&curves.iter().map(|c| c.name).collect::<Vec<_>>())
            ),
        )],
    };
    Plate {
        name: format!("{analysis}-dimensions"),
        title: "Dimensions that the nuclei use".into(),
        caption: format!(
            "Participation ratio of each nucleus’s activations, (Σλ)² ÷ Σλ² over the variances λ of their principal components: \
             1 when one component holds all variance, the number of components when all hold the same. Mean over repeats; epoch 0 is \
             before training.{}",
            of_main(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 1,
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}
