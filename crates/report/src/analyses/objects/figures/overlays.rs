//! Stimuli with a map and boxes.

use consilience_core::{ObjectOverlay, ObjectsRecord};

use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate,
        boxes::{BoxMark, draw_boxes, is_picture},
        common_top,
    },
    palette::Ink,
    svg::Draw,
    text, view,
};

const WIDTH: f64 = 240.0;
/// More would be a figure that nobody looks through.
const N_SHOWN: usize = 24;
/// Size of the letters on boxes.
const LETTERS: f64 = 8.5;

pub(super) fn plate(analysis: &str, objects: &ObjectsRecord) -> Plate {
    let overlays = || {
        let has_area = |o: &&ObjectOverlay| o.size.iter().all(|&side| side > 0);
        objects.overlays.iter().filter(has_area).take(N_SHOWN)
    };
    let headings: Vec<Heading> = overlays()
        .map(|o| Heading::new(&o.stimulus, &o.map, WIDTH))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = overlays()
        .zip(&headings)
        .map(|(overlay, heading)| panel(objects, overlay, heading, top))
        .collect();
    let shown = |idx: usize| overlays().any(|o| o.boxes.iter().any(|b| b.category == Some(idx)));
    Plate {
        name: format!("{analysis}-overlays"),
        title: "Maps and objects".into(),
        caption: "Stimuli with the Grad-CAM map of the rating (brighter: more important) and the boxes of objects, each \
                  with its class and its importance in the map."
            .to_owned(),
        flow: Flow::Columns,
        max_columns: if panels.len() > 6 { 4 } else { 3 },
        panels,
        key: objects
            .categories
            .iter()
            .enumerate()
            .filter(|(idx, _)| shown(*idx))
            .map(|(idx, c)| KeyEntry::new(Mark::Swatch, Ink::Category(idx), &c.name))
            .collect(),
        definitions: String::new(),
    }
}

fn panel(objects: &ObjectsRecord, overlay: &ObjectOverlay, heading: &Heading, top: f64) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let [width, height] = overlay.size.map(f64::from);
    // Tall pictures are no higher than wide ones are wide.
    let scale = WIDTH / width.max(height);
    let size = (width * scale, height * scale);
    let marks: Vec<BoxMark> = overlay
        .boxes
        .iter()
        .filter(|mark| mark.edges.iter().all(|edge| edge.is_finite()))
        .map(|mark| {
            let [left, top, right, bottom] = mark.edges.map(|edge| edge * scale);
            let importance = view::finite(mark.importance).map(view::score);
            let label = importance.map_or_else(String::new, |i| format!(" {i}"));
            BoxMark {
                edges: [
                    left.clamp(0.0, size.0),
                    top.clamp(0.0, size.1),
                    right.clamp(0.0, size.0),
                    bottom.clamp(0.0, size.1),
                ],
                label: text::fit(&format!("{}{label}", mark.class), LETTERS, size.0 - LETTERS),
                // Boxes of no category have the colour after all of those.
                group: mark.category.unwrap_or(objects.categories.len()),
                points: Vec::new(),
            }
        })
        .collect();
    let mut picture = Draw::default();
    if is_picture(&overlay.picture) {
        picture.image((0.0, 0.0), size, &overlay.picture);
    } else {
        picture.rect((0.0, 0.0), size, Ink::Grid, 1.0);
    }
    draw_boxes(&mut picture, &marks, size, LETTERS);
    d.group((0.0, top), &picture.into_string());
    let labels: Vec<&str> = marks.iter().map(|m| m.label.as_str()).collect();
    Panel {
        alt: format!(
            "Stimulus {} with the map of {} and boxes: {}.",
            overlay.stimulus,
            overlay.map,
            view::listed(&labels)
        ),
        size: (heading.width(WIDTH), top + size.1),
        body: d.into_string(),
    }
}
