//! How far boxes of categories cover each other, and how often categories occur together.

use consilience_core::{CategoryMatrix, ObjectsRecord};

use crate::{
    figures::{
        Flow, Heading, Panel, Plate, common_top,
        grid::{Grid, Heads, Shades, leaning},
    },
    svg::Draw,
    view,
};

const CELL: (f64, f64) = (46.0, 32.0);

pub(super) fn plate(analysis: &str, objects: &ObjectsRecord) -> Plate {
    let overlap = [
        "Overlap",
        "boxes of the row, covered by those of the column",
        "share covered",
    ];
    let together = ["Co-occurrence", "of categories in stimuli", "similarity"];
    let headings =
        [overlap, together].map(|[title, subtitle, _]| Heading::new(title, subtitle, 330.0));
    let top = common_top(&headings);
    let [first, second] = &headings;
    // A single category has nothing to overlap with.
    let panels = match objects.categories.len() {
        0 | 1 => Vec::new(),
        _ => vec![
            panel(objects, &objects.overlap, overlap, (first, top)),
            panel(objects, &objects.co_occurrence, together, (second, top)),
        ],
    };
    Plate {
        name: format!("{analysis}-categories"),
        title: "Overlap and co-occurrence of categories".into(),
        caption: "Left: mean share of a box of the row’s category that boxes of the column’s category cover; small boxes lie \
                  inside large ones and not the other way round, so the matrix is not symmetric. Right: how alike two \
                  categories occur over the stimuli (1: always together). n: stimuli with both. A dash: nothing to tell."
            .to_owned(),
        panels,
        key: Vec::new(),
        definitions: String::new(),
        flow: Flow::Natural,
        max_columns: 2,
    }
}

fn panel(
    objects: &ObjectsRecord,
    matrix: &CategoryMatrix,
    [title, _, label]: [&str; 3],
    (heading, top): (&Heading, f64),
) -> Panel {
    let names: Vec<&str> = objects.categories.iter().map(|c| c.name.as_str()).collect();
    let mut d = Draw::default();
    heading.draw(&mut d);
    let heads = Heads::Above(leaning(&names));
    let grid = Grid::new(&names, heads, CELL, top);
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
    let (right, bottom) = shades.bar(&mut d, grid.left(), grid.bottom() + 10.0, label);
    Panel {
        alt: format!("{title} of {}.", view::listed(&names)),
        size: (heading.width(grid.extent().0.max(right)), bottom),
        body: d.into_string(),
    }
}
