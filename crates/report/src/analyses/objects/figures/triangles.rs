//! Changes of correlations without the filters of a category: categories × layers of a model, and categories × models.

use consilience_core::{LesionEffect, ObjectsRecord};

use super::{
    changes,
    triangle::{self, Change},
};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate,
        grid::{Grid, Heads, leaning},
    },
    methods::n_stimuli,
    palette::Ink,
    svg::{Anchor, Draw, Type},
    text, view,
};

/// Height of a cell, and the most that a target may take of its width.
const ROW: f64 = 34.0;
const SLOT: f64 = 20.0;
/// Least that a target may take: names of targets would touch.
const LEAST_SLOT: f64 = 12.5;
/// Air between two cells.
const AIR: f64 = 10.0;
/// Width that all cells of a row share, if targets then have their least.
const CELLS: f64 = 860.0;
const SMALL: f64 = 9.0;

/// Columns of a panel: their names and the layers that they show.
struct Columns<'a> {
    names: Vec<&'a str>,
    layers: Vec<usize>,
}

/// The layers of each model, one panel for each subset.
pub(super) fn layers(analysis: &str, objects: &ObjectsRecord) -> Vec<Plate> {
    let plate = |(idx, model): (usize, &str)| {
        let layers = changes::layers_of(objects, model);
        let names = layers.iter().map(|&l| objects.layers[l].layer.as_str());
        let columns = Columns {
            names: names.collect(),
            layers,
        };
        // One layer says no more than the figure of last layers.
        (columns.layers.len() > 1).then(|| Plate {
            name: format!("{analysis}-layers-{}", idx + 1),
            title: format!("{model} without the filters of a category, layer by layer"),
            caption: caption(objects, &format!("each layer of {model}")),
            ..plate(objects, &columns)
        })
    };
    let models = changes::models(objects).into_iter().enumerate();
    models.filter_map(plate).collect()
}

/// The last layer of every model, one panel for each subset.
pub(super) fn last_layers(analysis: &str, objects: &ObjectsRecord) -> Plate {
    let layers = changes::last_layers(objects);
    let names = layers.iter().map(|&l| objects.layers[l].model.as_str());
    let columns = Columns {
        names: names.collect(),
        layers,
    };
    Plate {
        name: format!("{analysis}-models"),
        title: "Last layers without the filters of a category".into(),
        caption: caption(objects, "the last layer of each model"),
        ..plate(objects, &columns)
    }
}

/// Panels and key, without name and words.
fn plate(objects: &ObjectsRecord, columns: &Columns<'_>) -> Plate {
    let limit = limit(objects);
    let is_empty = [
        columns.layers.len(),
        objects.categories.len(),
        objects.targets.len(),
    ]
    .contains(&0);
    let panels: Vec<Panel> = (0..objects.subsets.len())
        .filter(|_| !is_empty)
        .map(|subset| panel(objects, columns, subset, limit))
        .collect();
    let narrow = panels.iter().all(|p| p.size.0 < 500.0);
    Plate {
        name: String::new(),
        title: String::new(),
        caption: String::new(),
        flow: Flow::Natural,
        max_columns: if narrow { 3 } else { 1 },
        panels,
        key: key(objects),
        definitions: String::new(),
    }
}

fn caption(objects: &ObjectsRecord, place: &str) -> String {
    let names: Vec<&str> = objects.targets.iter().map(|t| t.name.as_str()).collect();
    let mut out = format!(
        "Change of the correlation ({}) of ratings with each target when the filters of a category are switched off in \
         {place}: upwards it rises, downwards it falls. Area: mean change over runs; area with the halo: one standard deviation over runs more.",
        view::coefficient(&objects.settings.correlation)
    );
    if names.len() > 1 {
        out.push_str(&format!(
            " In each cell, from left to right: {}.",
            view::listed(&names)
        ));
    }
    if let Some(source) = changes::p_source(objects) {
        out.push_str(&format!(
            " Filled: differs from equally many random filters at p < {} ({source}), and a target with its values permuted would not show the same.",
            objects.settings.alpha
        ));
    }
    if objects.effects.iter().any(|e| e.delta.is_none()) {
        out.push_str(" A cross: undefined, the table says why.");
    }
    if let Some(sentence) = changes::simulated(objects) {
        out.push_str(&format!(" {sentence}"));
    }
    out
}

fn key(objects: &ObjectsRecord) -> Vec<KeyEntry> {
    let mut key = vec![
        KeyEntry::new(Mark::Up, Ink::Up, "the correlation rises"),
        KeyEntry::new(Mark::Down, Ink::Down, "the correlation falls"),
    ];
    if changes::p_source(objects).is_some() {
        key.push(KeyEntry::new(
            Mark::HollowUp,
            Ink::Up,
            "hollow: not significant",
        ));
    }
    if objects.effects.iter().any(|e| sd(e) > 0.0) {
        key.push(KeyEntry::new(
            Mark::Halo,
            Ink::Series(0),
            "halo: SD over runs",
        ));
    }
    key
}

/// Size of the largest triangle with its halo.
fn limit(objects: &ObjectsRecord) -> f64 {
    let sizes = objects.effects.iter().filter_map(|e| {
        let delta = view::finite(e.delta)?;
        Some(delta.abs() + sd(e))
    });
    let largest = sizes.fold(0.0, f64::max);
    if largest > 0.0 { largest } else { 1.0 }
}

fn sd(effect: &LesionEffect) -> f64 {
    view::finite(effect.delta_sd).unwrap_or(0.0)
}

fn panel(objects: &ObjectsRecord, columns: &Columns<'_>, subset: usize, limit: f64) -> Panel {
    let n_targets = objects.targets.len() as f64;
    let n_columns = columns.layers.len() as f64;
    let slot = ((CELLS / n_columns - AIR) / n_targets).clamp(LEAST_SLOT, SLOT);
    let cell = (slot * n_targets + AIR, ROW);
    let of = &objects.subsets[subset];
    let width = 130.0 + cell.0 * n_columns;
    let heading = Heading::new(&of.name, &n_stimuli(of.n_stimuli), width);
    let top = heading.height();
    let mut d = Draw::default();
    heading.draw(&mut d);

    // Targets are named above the first cell.
    let names: Vec<&str> = objects.targets.iter().map(|t| t.name.as_str()).collect();
    let names = text::fit_all(&names, SMALL, TARGET_LIMIT);
    let widest = names
        .iter()
        .fold(0.0_f64, |w, name| w.max(text::width(name, SMALL)));
    let (sin, cos) = TARGET_LEAN.to_radians().sin_cos();
    let top = top + widest * sin + 6.0;

    let categories: Vec<&str> = objects.categories.iter().map(|c| c.name.as_str()).collect();
    let grid = Grid::new(
        &categories,
        Heads::Below(leaning(&columns.names)),
        cell,
        top,
    );
    grid.names(&mut d);
    let middle = |row: usize, column: usize, target: usize| {
        let (x, y) = grid.at(row, column);
        let x = x + AIR / 2.0 + (target as f64 + 0.5) * slot;
        (x, y + ROW / 2.0)
    };
    lines(&mut d, &grid, (categories.len(), columns.layers.len()));
    for (target, name) in names.iter().enumerate() {
        let style = Type {
            size: SMALL,
            ink: Ink::Muted,
            rotate: -TARGET_LEAN,
            ..Type::default()
        };
        d.text(middle(0, 0, target).0 + 2.0, top - 4.0, name, style);
    }
    let radius = (slot / 2.0 - 0.6).min(ROW / 2.0 - 2.0);
    let mut told = Vec::new();
    for (row, category) in categories.iter().enumerate() {
        for (column, &layer) in columns.layers.iter().enumerate() {
            for target in 0..objects.targets.len() {
                let e = changes::effect(objects, layer, row, subset, target);
                let at = middle(row, column, target);
                let Some(value) = view::finite(e.delta) else {
                    triangle::cross(&mut d, at);
                    continue;
                };
                let change = Change {
                    value,
                    sd: sd(e),
                    is_significant: changes::is_significant(objects, e),
                };
                if change.is_significant {
                    told.push(format!(
                        "{} {category} {} {}",
                        columns.names[column],
                        objects.targets[target].name,
                        view::score(value)
                    ));
                }
                triangle::draw(&mut d, at, radius, limit, &change, &tip(objects, e));
            }
        }
    }
    let bottom = sizes(&mut d, (grid.left(), grid.extent().1 + 4.0), radius, limit);
    // The names of targets lean over the right edge when there are few cells.
    let last = middle(0, 0, objects.targets.len() - 1).0 + 4.0 + widest * cos;
    let right = grid.extent().0.max(last).max(grid.left() + SIZES);
    Panel {
        alt: format!(
            "Changes of correlations over {} stimuli without the filters of categories; significant: {}.",
            of.name,
            if told.is_empty() {
                "none".to_owned()
            } else {
                view::listed(&told)
            }
        ),
        size: (heading.width(right), bottom),
        body: d.into_string(),
    }
}

/// Longest name of a target, and the angle by which it leans.
const TARGET_LIMIT: f64 = 66.0;
const TARGET_LEAN: f64 = 50.0;

/// Lines between categories and, fainter, cells.
fn lines(d: &mut Draw, grid: &Grid, (n_rows, n_columns): (usize, usize)) {
    for row in 0..=n_rows {
        let y = grid.at(row, 0).1;
        d.line((grid.left(), y), (grid.right(), y), Ink::Grid, 0.8);
    }
    for column in 0..=n_columns {
        let x = grid.at(0, column).0;
        d.line((x, grid.at(0, 0).1), (x, grid.bottom()), Ink::Grid, 0.8);
    }
}

/// Width of the key of sizes.
const SIZES: f64 = 176.0;

/// The key of sizes; returns its lower end.
fn sizes(d: &mut Draw, (left, top): (f64, f64), radius: f64, limit: f64) -> f64 {
    let y = top + radius.max(6.0);
    let style = Type {
        size: SMALL,
        ink: Ink::Muted,
        anchor: Anchor::Start,
        ..Type::default()
    };
    d.text(left, y + 3.2, "change", style);
    let mut x = left + text::width("change", SMALL) + 12.0;
    for size in triangle::round_sizes(limit) {
        let change = Change {
            value: size,
            sd: 0.0,
            is_significant: false,
        };
        triangle::draw(d, (x, y), radius, limit, &change, "");
        let label = triangle::size_label(size);
        x += radius + 5.0;
        d.text(x, y + 3.2, &label, style);
        x += text::width(&label, SMALL) + radius + 10.0;
    }
    y + radius.max(6.0) + 3.0
}

/// What a browser shows when the pointer rests on a triangle.
fn tip(objects: &ObjectsRecord, e: &LesionEffect) -> String {
    let layer = &objects.layers[e.layer];
    let mut out = format!(
        "{} {}, {} ({} of {} filters), {}: {}",
        layer.model,
        layer.layer,
        objects.categories[e.category].name,
        changes::n_filters(e.n_filters),
        layer.n_filters,
        objects.targets[e.target].name,
        view::score3(e.delta.unwrap_or(f64::NAN))
    );
    if let Some(sd) = view::finite(e.delta_sd) {
        out.push_str(&format!(" (SD {})", view::score3(sd)));
    }
    if let Some(mean) = view::finite(e.random_mean) {
        out.push_str(&format!(", random filters {}", view::score3(mean)));
    }
    if let Some(p) = changes::p(e) {
        out.push_str(&format!(", {}", view::p_clause(p)));
    }
    out
}
