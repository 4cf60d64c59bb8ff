//! How far boxes of categories cover each other, and how often categories occur together.

use consilience_core::{CategoryMatrix, ObjectsRecord};

use crate::{
    figures::{
        Heading, Panel, Plate,
        grid::{Grid, Heads, Shades, leaning},
    },
    svg::Draw,
    view,
};

const CELL: (f64, f64) = (46.0, 32.0);

pub(super) fn overlap(analysis: &str, objects: &ObjectsRecord) -> Plate {
    Plate {
        name: format!("{analysis}-overlap"),
        title: "Overlap of categories".into(),
        caption: "Mean share of a box of the row’s category that boxes of the column’s category cover, and below it the \
                  number of stimuli with both. The matrix is not symmetric: small boxes lie inside large ones, not the \
                  other way round. A dash: the two never meet."
            .to_owned(),
        panels: panel(objects, &objects.overlap, [
            "Overlap",
            "boxes of the row, covered by those of the column",
            "share covered",
        ]),
        key: Vec::new(),
        definitions: String::new(),
        max_columns: 1,
    }
}

pub(super) fn co_occurrence(analysis: &str, objects: &ObjectsRecord) -> Plate {
    Plate {
        name: format!("{analysis}-co-occurrence"),
        title: "Co-occurrence of categories".into(),
        caption: "How alike two categories occur over the stimuli (1: always together), and below it the number of \
                  stimuli with both. A dash: nothing to tell."
            .to_owned(),
        panels: panel(objects, &objects.co_occurrence, [
            "Co-occurrence",
            "of categories in stimuli",
            "similarity",
        ]),
        key: Vec::new(),
        definitions: String::new(),
        max_columns: 1,
    }
}

/// One panel, or none for a single category.
fn panel(
    objects: &ObjectsRecord,
    matrix: &CategoryMatrix,
    [title, subtitle, label]: [&str; 3],
) -> Vec<Panel> {
    let names: Vec<&str> = objects.categories.iter().map(|c| c.name.as_str()).collect();
    if names.len() < 2 {
        return Vec::new();
    }
    let mut d = Draw::default();
    let heading = Heading::new(title, subtitle, 260.0);
    heading.draw(&mut d);
    let heads = Heads::Above(leaning(&names));
    let grid = Grid::new(&names, heads, CELL, heading.height());
    grid.names(&mut d);
    let values = matrix.values.iter().flatten().flatten();
    let shades = Shades {
        limit: 1.0,
        both_sides: values.clone().any(|v| *v < 0.0),
    };
    for (row, (values, counts)) in matrix.values.iter().zip(&matrix.n_stimuli).enumerate() {
        for (column, (value, n)) in values.iter().zip(counts).enumerate() {
            let value = view::finite(*value);
            let lines = [
                value.map(view::score).unwrap_or_default(),
                format!("n = {}", view::count(*n)),
            ];
            let tip = format!("{} and {}", names[row], names[column]);
            let lines = [lines[0].as_str(), lines[1].as_str()];
            shades.cell(&mut d, &grid, (row, column), value, lines, &tip);
        }
    }
    let bottom = shades.bar(&mut d, grid.left(), grid.bottom() + 10.0, label);
    vec![Panel {
        alt: format!("{title} of {}.", view::listed(&names)),
        size: (
            heading.width(grid.extent().0).max(grid.left() + 220.0),
            bottom,
        ),
        body: d.into_string(),
    }]
}
