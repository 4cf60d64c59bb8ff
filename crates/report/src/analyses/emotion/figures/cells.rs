//! What predictions lose and gain when units of a single bin of a single nucleus are changed.

use consilience_core::{EmotionRecord, GainCurve};

use super::{WIDTH, of_main, scores};
use crate::{
    figures::{
        Flow, Heading, Panel, Plate, common_top,
        grid::{Grid, Heads, Shades, upright},
        plot::shown,
    },
    svg::Draw,
    text, view,
};

const CELL_HEIGHT: f64 = 30.0;
const WIDEST: f64 = 46.0;
const NAME_LIMIT: f64 = 84.0;
/// Most rows and columns.
const N_ROWS: usize = 24;
const N_COLUMNS: usize = 12;

/// A panel: units, rating and α.
struct Part<'a> {
    selective_in: Option<&'a str>,
    rating: &'a str,
    alpha: f64,
}

/// Curves of single bins.
fn of_bins(emotion: &EmotionRecord) -> impl Iterator<Item = &GainCurve> + Clone {
    let curves = emotion.gains.iter();
    curves.filter(|c| c.units != "any" && c.units != "whole")
}

/// Whether a curve is a cell of this figure, rather than a panel of the figure of gains.
pub(super) fn is_cell(curve: &GainCurve) -> bool {
    curve.nucleus != "all" && curve.units != "any" && curve.units != "whole"
}

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let parts = parts(emotion);
    // Lesions share a scale of colours, and gains have another.
    let shades = |alpha: f64| {
        let of_alpha = parts.iter().filter(|part| part.alpha == alpha);
        let values = of_alpha.flat_map(|part| {
            let curves = of_bins(emotion).filter(|c| is_of(c, part));
            curves.filter_map(|curve| change(emotion, curve, part.alpha))
        });
        Shades::around_zero(values)
    };
    let headings: Vec<Heading> = parts
        .iter()
        .map(|part| Heading::new(&title(part), &subtitle(emotion, part), WIDTH))
        .collect();
    let top = common_top(&headings) + 4.0;
    let panels: Vec<Panel> = parts
        .iter()
        .zip(&headings)
        .map(|(part, heading)| panel(emotion, part, shades(part.alpha), (heading, top)))
        .collect();
    let (rows, columns) = (nuclei(emotion), bins(emotion));
    let mut caption = format!(
        "Change of the correlation of predicted with given ratings when the units of a nucleus (row) that are selective for a bin (column) are multiplied by \
         1 + α: −1 silences them. Mean over repeats; below it the mean number of units; a dash: no such unit. Stars: other than equally many \
         random units of the nucleus ({}, two-sided, uncorrected), * p < 0.05, ** p < 0.01, *** p < 0.001.",
        view::plural(emotion.settings.random_sets, "set")
    );
    if rows.len() > N_ROWS || columns.len() > N_COLUMNS {
        caption.push_str(&format!(
            " At most {N_ROWS} nuclei and {N_COLUMNS} bins are drawn; gains.csv has all."
        ));
    }
    caption.push_str(&super::selectivity::bins_sentence(emotion));
    caption.push_str(&of_main(emotion));
    Plate {
        name: format!("{analysis}-gains-by-bin"),
        title: "Gains and lesions of single bins within nuclei".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: Vec::new(),
        definitions: String::new(),
    }
}

/// Lesions of each rating, then the largest gain of the study.
fn parts(emotion: &EmotionRecord) -> Vec<Part<'_>> {
    let cells = of_bins(emotion).filter(|c| is_cell(c));
    let gains = cells.clone().flat_map(|c| &c.gains).copied();
    let gains: Vec<f64> = gains.filter(|g| shown(Some(*g)).is_some()).collect();
    let largest = gains.iter().copied().fold(0.0, f64::max);
    let mut kinds: Vec<Option<&str>> = Vec::new();
    for curve in cells {
        let kind = curve.selective_in.as_deref();
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds.truncate(2);
    let alphas = [
        gains.contains(&-1.0).then_some(-1.0),
        (largest > 0.0).then_some(largest),
    ];
    let mut parts = Vec::new();
    for selective_in in kinds {
        for alpha in alphas.into_iter().flatten() {
            for rating in &emotion.ratings {
                parts.push(Part {
                    selective_in,
                    rating: &rating.name,
                    alpha,
                });
            }
        }
    }
    parts
}

fn title(part: &Part<'_>) -> String {
    match part.alpha == -1.0 {
        true => format!("{}, units silenced", part.rating),
        false => format!(
            "{}, units enhanced (α = {})",
            part.rating,
            view::short(part.alpha)
        ),
    }
}

fn subtitle(emotion: &EmotionRecord, part: &Part<'_>) -> String {
    let rating = emotion.ratings.iter().position(|r| r.name == part.rating);
    let intact = rating.and_then(|idx| shown(scores::main(emotion).after[idx].r));
    let intact = intact.map_or_else(String::new, |r| format!("intact r {}", view::score(r)));
    match part.selective_in {
        None => intact,
        Some(which) => format!("selective in {}; {intact}", scores::pictures(which)),
    }
}

fn is_of(curve: &GainCurve, part: &Part<'_>) -> bool {
    curve.rating == part.rating && curve.selective_in.as_deref() == part.selective_in
}

/// r at α less that of the intact module; `None` without units.
fn change(emotion: &EmotionRecord, curve: &GainCurve, alpha: f64) -> Option<f64> {
    let at = curve.gains.iter().position(|g| *g == alpha)?;
    let rating = emotion
        .ratings
        .iter()
        .position(|r| r.name == curve.rating)?;
    let intact = shown(scores::main(emotion).after[rating].r)?;
    let has_units = shown(Some(curve.n_units)).is_some_and(|n| n > 0.0);
    shown(curve.r[at]).filter(|_| has_units).map(|r| r - intact)
}

/// Nuclei with such curves, in their order, then all.
fn nuclei(emotion: &EmotionRecord) -> Vec<&str> {
    let mut found = view::distinct(of_bins(emotion).map(|c| c.nucleus.as_str()));
    found.sort_by_key(|name| *name == "all");
    found
}

fn bins(emotion: &EmotionRecord) -> Vec<&str> {
    view::distinct(of_bins(emotion).map(|c| c.units.as_str()))
}

fn panel(
    emotion: &EmotionRecord,
    part: &Part<'_>,
    shades: Shades,
    (heading, top): (&Heading, f64),
) -> Panel {
    let (mut nuclei, mut bins) = (nuclei(emotion), bins(emotion));
    nuclei.truncate(N_ROWS);
    bins.truncate(N_COLUMNS);
    let names = nuclei.iter().map(|name| match *name {
        "all" => "all nuclei",
        other => other,
    });
    let names = text::fit_all(&names.collect::<Vec<_>>(), 10.0, NAME_LIMIT);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let widest = names
        .iter()
        .map(|name| text::width(name, 10.0))
        .fold(0.0, f64::max);
    let width = ((WIDTH - widest - 10.0) / bins.len().max(1) as f64).min(WIDEST);
    let heads = bins.iter().map(|bin| upright(bin, &[], width)).collect();
    let grid = Grid::new(&names, Heads::Upright(heads), (width, CELL_HEIGHT), top);
    let mut d = Draw::default();
    heading.draw(&mut d);
    grid.names(&mut d);
    let mut told = Vec::new();
    for (row, nucleus) in nuclei.iter().enumerate() {
        for (column, bin) in bins.iter().enumerate() {
            let mut curves = of_bins(emotion).filter(|c| is_of(c, part));
            let curve = curves.find(|c| c.nucleus == *nucleus && c.units == *bin);
            let value = curve.and_then(|c| change(emotion, c, part.alpha));
            let p = curve.and_then(|c| {
                let at = c.gains.iter().position(|g| *g == part.alpha)?;
                view::finite(c.p[at])
            });
            let n = curve.map_or_else(String::new, |c| scores::units(c.n_units));
            let number = value.map(view::score).unwrap_or_default();
            let number = format!("{number}{}", view::stars(p));
            let p = p.map_or_else(String::new, |p| format!(", {}", view::p_clause(p)));
            let tip = format!("{nucleus}, {bin}: {number}, {n} units{p}");
            let lines = [number.as_str(), n.as_str()];
            shades.cell(&mut d, &grid, (row, column), value, lines, &tip);
            if value.is_some() && told.len() < 60 {
                told.push(format!("{nucleus} {bin} {number}"));
            }
        }
    }
    let bar = (grid.left(), grid.bottom() + 8.0);
    let (_, bottom) = shades.bar(&mut d, bar.0, bar.1, "change of r");
    Panel {
        alt: format!(
            "Heat map of changes of r, {}: {}.",
            title(part),
            view::listed(&told)
        ),
        size: (WIDTH, bottom + 4.0),
        body: d.into_string(),
    }
}
