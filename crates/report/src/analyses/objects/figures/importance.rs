//! How much the last layer's maps lie on objects of each category, one panel for each model.

use consilience_core::{CategoryImportance, ObjectsRecord};

use super::changes;
use crate::{
    figures::{Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    palette::Ink,
    scale::Scale,
    svg::{Anchor, Draw, Type},
    text, view,
};

const WIDTH: f64 = 400.0;
const STEP: f64 = 21.0;
const NAME_SIZE: f64 = 10.0;
const NAME_LIMIT: f64 = 150.0;
const VALUE_WIDTH: f64 = 36.0;

pub(super) fn plate(analysis: &str, objects: &ObjectsRecord) -> Plate {
    let layers = changes::last_layers(objects);
    let headings: Vec<Heading> = layers
        .iter()
        .map(|&l| {
            let layer = &objects.layers[l];
            Heading::new(&layer.model, &layer.layer, WIDTH)
        })
        .collect();
    let top = common_top(&headings);
    let ends: Vec<f64> = layers
        .iter()
        .flat_map(|&layer| of(objects, layer))
        .filter_map(|i| Some((view::finite(i.mean)?, view::finite(i.sd).unwrap_or(0.0))))
        .flat_map(|(mean, sd)| [mean - sd, mean + sd])
        .collect();
    let panels: Vec<Panel> = layers
        .iter()
        .zip(&headings)
        .filter(|_| !objects.categories.is_empty())
        .map(|(&layer, heading)| panel(objects, layer, (heading, top), &ends))
        .collect();
    Plate {
        name: format!("{analysis}-importance"),
        title: "Importance of categories".into(),
        caption: "How much of the Grad-CAM map of the rating at the last layer lies in boxes of each category: mean over \
                  the stimuli that show it. Whiskers: ± standard deviation over stimuli."
            .to_owned(),
        flow: Flow::Columns,
        max_columns: if panels.len() > 4 { 3 } else { 2 },
        panels,
        key: vec![KeyEntry::new(Mark::Whisker, Ink::Text, "± SD over stimuli")],
        definitions: String::new(),
    }
}

/// Importance of the categories in a layer.
fn of(objects: &ObjectsRecord, layer: usize) -> &[CategoryImportance] {
    let n = objects.categories.len();
    &objects.importance[layer * n..][..n]
}

fn panel(
    objects: &ObjectsRecord,
    layer: usize,
    (heading, top): (&Heading, f64),
    ends: &[f64],
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let names: Vec<&str> = objects.categories.iter().map(|c| c.name.as_str()).collect();
    let names = text::fit_all(&names, NAME_SIZE, NAME_LIMIT);
    let left = names
        .iter()
        .fold(0.0_f64, |w, name| w.max(text::width(name, NAME_SIZE)))
        + 8.0;
    let x = Scale::around_zero(ends.iter().copied(), (left, WIDTH - VALUE_WIDTH));
    let bottom = top + STEP * names.len() as f64;
    let small = Type {
        size: 9.0,
        ink: Ink::Muted,
        anchor: Anchor::Middle,
        ..Type::default()
    };
    for (value, label) in x.ticks(4) {
        let at = x.at(value);
        d.line((at, top), (at, bottom), Ink::Grid, 0.7);
        d.text(at, bottom + 12.0, &label, small);
    }
    d.line((x.at(0.0), top), (x.at(0.0), bottom), Ink::Axis, 1.0);
    let model = changes::models(objects)
        .iter()
        .position(|m| *m == objects.layers[layer].model);
    let ink = Ink::Series(model.unwrap_or(0));
    let mut told = Vec::new();
    for (row, (name, importance)) in names.iter().zip(of(objects, layer)).enumerate() {
        let y = top + (row as f64 + 0.5) * STEP;
        let end = Type {
            size: NAME_SIZE,
            anchor: Anchor::End,
            ..Type::default()
        };
        d.text(left - 8.0, y + 3.5, name, end);
        let Some(mean) = view::finite(importance.mean) else {
            let muted = Type {
                ink: Ink::Muted,
                ..end
            };
            d.text(WIDTH, y + 3.5, "–", muted);
            continue;
        };
        let (zero, at) = (x.at(0.0), x.at(mean));
        d.rect(
            (zero.min(at), y - 6.0),
            ((at - zero).abs(), 12.0),
            ink,
            0.85,
        );
        if let Some(sd) = view::finite(importance.sd) {
            let (low, high) = (x.at(mean - sd), x.at(mean + sd));
            d.line((low, y), (high, y), Ink::Text, 1.2);
            for end in [low, high] {
                d.line((end, y - 3.0), (end, y + 3.0), Ink::Text, 1.2);
            }
        }
        d.text(WIDTH, y + 3.5, &view::score(mean), end);
        told.push(format!("{name} {}", view::score(mean)));
    }
    Panel {
        alt: format!(
            "Importance in {} {}: {}.",
            objects.layers[layer].model,
            objects.layers[layer].layer,
            view::listed(&told)
        ),
        size: (WIDTH, bottom + 18.0),
        body: d.into_string(),
    }
}
