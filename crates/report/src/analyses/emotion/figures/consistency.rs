//! Units that are selective in two sets of pictures.

use consilience_core::{EmotionRecord, EmotionSecondSet, NucleusConsistency, UnitOverlap};

use super::{
    AXIS, LEFT, WIDTH, of_main,
    rows::{Line, Marked, Shape, ends, panel as rows_panel},
    scores,
    selectivity::bins_sentence,
};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, SMALL, extent_from_zero, shown},
    },
    palette::Ink,
    svg::{Dash, Draw},
    text, view,
};

const HEIGHT: f64 = 150.0;

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let panels = match emotion.second.as_ref().filter(|s| !s.shared.is_empty()) {
        None => Vec::new(),
        Some(second) => panels(emotion, second),
    };
    let settings = &emotion.settings;
    let name = emotion.second.as_ref().map_or("", |s| s.set.name.as_str());
    let caption = format!(
        "Units that are selective ({}) for a bin in the stimuli, in {name}, and in both; mean over repeats. Line across: \
         as many as would be in both if the two sets of units of a nucleus had nothing to do with each other. Hollow: not more than that (p ≥ {}, \
         hypergeometric, merged over repeats, uncorrected; units are taken for independent). For any bin a unit has to be selective for the same one in both. Last panel: share of \
         all units whose preferred bin is the same, against shuffled bins of {name} (± SD); filled dots: p < {}.{}{}",
        scores::selective_when(settings),
        settings.alpha,
        settings.alpha,
        bins_sentence(emotion),
        of_main(emotion)
    );
    Plate {
        name: format!("{analysis}-consistency"),
        title: "Units that are selective in two sets of pictures".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: vec![
            KeyEntry::new(Mark::Swatch, Ink::Ceiling, "stimuli"),
            KeyEntry::new(Mark::Swatch, Ink::Axis, "second set"),
            KeyEntry::new(Mark::Swatch, Ink::Series(0), "both"),
            KeyEntry::new(Mark::Line(Dash::Solid), Ink::Accent, "both, by chance"),
            KeyEntry::new(Mark::Whisker, Ink::Muted, "shuffled bins, ± SD"),
        ],
        definitions: String::new(),
    }
}

fn panels(emotion: &EmotionRecord, second: &EmotionSecondSet) -> Vec<Panel> {
    // What is over all nuclei comes last in the record and first on the page.
    let is_nucleus = |of: &&NucleusConsistency| scores::nucleus_idx(emotion, &of.nucleus).is_some();
    let (each, all): (Vec<_>, Vec<_>) = second.nuclei.iter().partition(is_nucleus);
    let in_order: Vec<&NucleusConsistency> = all.into_iter().chain(each).collect();
    let mut headings: Vec<Heading> = in_order
        .iter()
        .map(|of| {
            let title = format!("{} ({})", name(of), view::plural(of.n_units, "unit"));
            Heading::new(&title, &any_line(of), WIDTH)
        })
        .collect();
    headings.push(Heading::new(
        "preferred bin",
        "share of units that prefer the same in both",
        WIDTH,
    ));
    let top = common_top(&headings) + 20.0;
    let mut panels: Vec<Panel> = in_order
        .iter()
        .zip(&headings)
        .map(|(of, heading)| counts(emotion, second, of, (heading, top)))
        .collect();
    let lines: Vec<Line> = in_order
        .iter()
        .map(|of| preference(of, emotion.settings.alpha))
        .collect();
    let told: Vec<String> = lines
        .iter()
        .filter_map(|line| Some(format!("{} {}", line.name, view::score(shown(line.end)?))))
        .collect();
    let alt = format!(
        "Shares of units that prefer the same bin in both sets: {}.",
        view::listed(&told)
    );
    let x = ends(lines.iter(), None);
    let heading = &headings[in_order.len()];
    panels.push(rows_panel(
        &lines,
        x,
        ("share of units", None),
        (heading, top - 16.0),
        alt,
    ));
    panels
}

pub(in super::super) fn name(of: &NucleusConsistency) -> String {
    match of.nucleus.as_str() {
        "all" => "all nuclei".to_owned(),
        other => other.to_owned(),
    }
}

fn any_line(of: &NucleusConsistency) -> String {
    let Some(any) = of.overlaps.last() else {
        return String::new();
    };
    let p =
        view::finite(Some(any.p)).map_or_else(String::new, |p| format!(", {}", view::p_clause(p)));
    format!(
        "any bin: {} in the stimuli, {} in the second set, {} in both (by chance {}{p})",
        scores::units(any.first),
        scores::units(any.second),
        scores::units(any.both),
        scores::units(any.expected)
    )
}

fn preference(of: &NucleusConsistency, alpha: f64) -> Line {
    let found = &of.preference;
    let is_above = view::finite(found.p).is_some_and(|p| p < alpha);
    Line {
        name: name(of),
        marks: vec![
            Marked {
                value: found.shuffled,
                spread: found.shuffled_sd,
                shape: Shape::Tick,
                ink: Ink::Muted,
                is_filled: true,
                what: "shuffled bins".to_owned(),
            },
            Marked {
                value: found.same,
                spread: None,
                shape: if is_above { Shape::Dot } else { Shape::Ring },
                ink: Ink::Series(0),
                is_filled: is_above,
                what: "same preference".to_owned(),
            },
        ],
        end: found.same,
    }
}

fn counts(
    emotion: &EmotionRecord,
    second: &EmotionSecondSet,
    of: &NucleusConsistency,
    (heading, top): (&Heading, f64),
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let bins: Vec<(&String, &UnitOverlap)> = second.shared.iter().zip(&of.overlaps).collect();
    let values = bins
        .iter()
        .flat_map(|(_, o)| [o.first, o.second, o.both, o.expected]);
    let (_, most) = extent_from_zero(values);
    let x = (0.0, bins.len() as f64);
    let plot = Plot::new(x, (0.0, most), (LEFT, WIDTH - 4.0), (top, top + HEIGHT));
    plot.y_axis(&mut d, 5, "units");
    let step = plot.x.at(1.0) - plot.x.at(0.0);
    let names: Vec<(f64, String)> = bins
        .iter()
        .enumerate()
        .map(|(k, (bin, _))| (k as f64 + 0.5, text::fit(bin, SMALL, step - 2.0)))
        .collect();
    plot.x_axis(&mut d, &names, "");
    let bar = (step * 0.26).min(26.0);
    for (k, (bin, overlap)) in bins.iter().enumerate() {
        let left = plot.x.at(k as f64 + 0.5) - 1.5 * bar - 1.0;
        let is_chance = view::finite(Some(overlap.p)).is_none_or(|p| p >= emotion.settings.alpha);
        let fill = if is_chance {
            Ink::Paper
        } else {
            Ink::Series(0)
        };
        let tip = tip(bin, overlap);
        let bars = [
            (overlap.first, Ink::Ceiling, Ink::Axis),
            (overlap.second, Ink::Axis, Ink::Axis),
            (overlap.both, fill, Ink::Series(0)),
        ];
        for (place, (value, fill, line)) in bars.into_iter().enumerate() {
            let Some(value) = shown(Some(value)) else {
                continue;
            };
            let (left, y) = (
                left + place as f64 * (bar + 1.0),
                plot.at(0.0, value.max(0.0)).1,
            );
            let right = left + bar;
            let shape = [
                (left, plot.bottom),
                (left, y),
                (right, y),
                (right, plot.bottom),
            ];
            d.shape(&shape, fill, line, &tip);
        }
        if let Some(level) = shown(Some(overlap.expected)) {
            let y = plot.at(0.0, level.max(0.0)).1;
            let from = left + 2.0 * (bar + 1.0);
            d.line((from - 2.0, y), (from + bar + 2.0, y), Ink::Accent, 1.6);
        }
    }
    Panel {
        alt: format!(
            "Bars of units of {} by bin, selective in the stimuli, in the second set and in both; {}.",
            name(of),
            any_line(of)
        ),
        size: (WIDTH, top + HEIGHT + AXIS - 12.0),
        body: d.into_string(),
    }
}

fn tip(bin: &str, of: &UnitOverlap) -> String {
    let numbers = [of.first, of.second, of.both, of.expected].map(scores::units);
    let p =
        view::finite(Some(of.p)).map_or_else(String::new, |p| format!("; {}", view::p_clause(p)));
    format!(
        "{bin}: {} and {}, both {}, by chance {}{p}",
        numbers[0], numbers[1], numbers[2], numbers[3]
    )
}
