//! Selective units: how many for each bin, and which share of each nucleus.

use consilience_core::{EmotionRecord, NucleusSelectivity, SelectiveCount};

use super::{AXIS, LEFT, WIDTH, of_main, scores};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, SMALL, extent_from_zero, muted, shown},
    },
    palette::Ink,
    svg::{Anchor, Draw, Type},
    text, view,
};

const HEIGHT: f64 = 170.0;

/// A pair of bars with what is written below it.
struct Slot {
    name: String,
    before: f64,
    before_sem: Option<f64>,
    after: f64,
    after_sem: Option<f64>,
    shuffled: Option<f64>,
    p_shuffled: Option<f64>,
    p_change: Option<f64>,
}

impl Slot {
    fn new(name: &str, count: &SelectiveCount, unit: f64) -> Self {
        let part = |value: f64| value / unit;
        Self {
            name: name.to_owned(),
            before: part(count.before),
            before_sem: count.before_sem.map(part),
            after: part(count.after),
            after_sem: count.after_sem.map(part),
            shuffled: count.shuffled.map(part),
            p_shuffled: count.p_shuffled,
            p_change: count.p_change,
        }
    }

    fn values(&self) -> [f64; 3] {
        let top = |value: f64, sem: Option<f64>| value + view::finite(sem).unwrap_or(0.0);
        [
            top(self.before, self.before_sem),
            top(self.after, self.after_sem),
            self.shuffled.unwrap_or(0.0),
        ]
    }
}

/// Counts by bin, one panel for all nuclei and one for each.
pub(super) fn counts(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let bins = scores::kept_bins(emotion);
    // What is over all nuclei comes last in the record and first on the page.
    let (all, each): (Vec<_>, Vec<_>) = emotion
        .selectivity
        .iter()
        .filter(|_| !bins.is_empty())
        .partition(|of| scores::nucleus_idx(emotion, &of.nucleus).is_none());
    let shown: Vec<&NucleusSelectivity> = all.into_iter().chain(each).collect();
    let headings: Vec<Heading> = shown
        .iter()
        .map(|of| {
            let title = format!("{} ({})", name(of), view::plural(of.n_units, "unit"));
            Heading::new(&title, &any_line(of), WIDTH)
        })
        .collect();
    let top = common_top(&headings) + 20.0;
    let panels: Vec<Panel> = shown
        .iter()
        .zip(&headings)
        .map(|(of, heading)| {
            let slots: Vec<Slot> = bins
                .iter()
                .zip(&of.counts)
                .map(|(bin, count)| Slot::new(bin, count, 1.0))
                .collect();
            let alt = format!(
                "Bars of selective units of {} by bin before and after training; {}.",
                name(of),
                any_line(of)
            );
            panel(emotion, &slots, "units", (heading, top), alt)
        })
        .collect();
    plate(
        emotion,
        format!("{analysis}-selectivity"),
        "Units that are selective for emotions",
        "Number of units that are selective for each bin of valence and arousal",
        (panels, false),
    )
}

/// Shares that are selective for any bin, nucleus by nucleus.
pub(super) fn shares(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let slots: Vec<Slot> = emotion
        .selectivity
        .iter()
        .filter(|of| of.n_units > 0)
        .filter_map(|of| {
            let any = of.counts.last()?;
            Some(Slot::new(&name(of), any, of.n_units as f64))
        })
        .collect();
    let heading = Heading::new("share of units selective for any bin", "", WIDTH);
    let panels = match slots.is_empty() {
        true => Vec::new(),
        false => {
            let alt =
                "Bars of the share of selective units of each nucleus before and after training.";
            let at = (&heading, heading.height() + 20.0);
            vec![panel(emotion, &slots, "share", at, alt.to_owned())]
        }
    };
    plate(
        emotion,
        format!("{analysis}-shares"),
        "Share of selective units in each nucleus",
        "Share of each nucleus’s units that are selective for at least one bin",
        (panels, true),
    )
}

fn name(of: &NucleusSelectivity) -> String {
    match of.nucleus.as_str() {
        "all" => "all nuclei".to_owned(),
        other => other.to_owned(),
    }
}

fn any_line(of: &NucleusSelectivity) -> String {
    let Some(any) = of.counts.last() else {
        return String::new();
    };
    let shuffled = shown(any.shuffled);
    format!(
        "for any bin {} before, {} after{}",
        scores::units(any.before),
        scores::units(any.after),
        shuffled.map_or_else(String::new, |n| format!(", {} shuffled", scores::units(n)))
    )
}

/// The code of bins and how they are divided, for captions; begins with a space.
pub(super) fn bins_sentence(emotion: &EmotionRecord) -> String {
    let short = |bin: &str| bin.len() == 2 && bin.chars().all(|c| "HMLNP".contains(c));
    let bins = scores::kept_bins(emotion);
    match !bins.is_empty() && bins.into_iter().all(short) {
        true => format!(
            " Bins ({}): high, medium and low arousal (H, M, L) with negative, neutral and positive valence (N, M, P).",
            emotion.settings.edges
        ),
        false => format!(" Bins: {}.", emotion.settings.edges),
    }
}

fn plate(
    emotion: &EmotionRecord,
    name: String,
    title: &str,
    what: &str,
    (panels, is_share): (Vec<Panel>, bool),
) -> Plate {
    let settings = &emotion.settings;
    let counts = || emotion.selectivity.iter().flat_map(|of| &of.counts);
    let any =
        |value: fn(&SelectiveCount) -> Option<f64>| counts().any(|c| shown(value(c)).is_some());
    let mut caption = format!(
        "{what} ({}), mean over repeats.",
        scores::selective_when(&emotion.settings)
    );
    let mut key = vec![
        KeyEntry::new(Mark::Swatch, Ink::Ceiling, "before training"),
        KeyEntry::new(Mark::Swatch, Ink::Series(0), "after training"),
    ];
    if any(|c| c.after_sem) {
        caption.push_str(" Whiskers: ± standard error by bootstrap over stimuli.");
        key.push(KeyEntry::new(Mark::Whisker, Ink::Text, "± standard error"));
    }
    if any(|c| c.shuffled) {
        caption.push_str(&format!(
            " Line across: the same with the stimuli’s bins shuffled (mean of {}).",
            view::plural(settings.permutations, "shuffle")
        ));
        key.push(KeyEntry::new(
            Mark::Line(crate::svg::Dash::Solid),
            Ink::Accent,
            "shuffled bins",
        ));
    }
    if any(|c| c.p_shuffled) {
        caption.push_str(&format!(
            " Hollow: not more than with shuffled bins (p ≥ {}).",
            settings.alpha
        ));
    }
    if any(|c| c.p_change) {
        caption.push_str(
            " Stars: training changed the number (two-sided, bootstrap over stimuli, uncorrected), * p < 0.05, ** p < 0.01, \
             *** p < 0.001.",
        );
    }
    if is_share {
        caption.push_str(" Bins are those of the figure before.");
        caption.push_str(&of_main(emotion));
    } else {
        caption.push_str(&bins_and_module(emotion));
    }
    Plate {
        name,
        title: title.to_owned(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

/// Which bins there are, which were left out, and of which module it is; begins with a space.
fn bins_and_module(emotion: &EmotionRecord) -> String {
    let left_out: Vec<String> = emotion
        .bins
        .iter()
        .filter(|bin| !bin.is_kept)
        .map(|bin| format!("{} ({})", bin.name, view::count(bin.n)))
        .collect();
    let mut out = bins_sentence(emotion);
    if !left_out.is_empty() {
        out.push_str(&format!(
            " Left out, with fewer than {}: {}.",
            crate::methods::n_stimuli(emotion.settings.min_images),
            view::listed(&left_out)
        ));
    }
    out + &of_main(emotion)
}

fn panel(
    emotion: &EmotionRecord,
    slots: &[Slot],
    label: &str,
    (heading, top): (&Heading, f64),
    alt: String,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let (_, most) = extent_from_zero(slots.iter().flat_map(Slot::values));
    let x = (0.0, slots.len() as f64);
    let plot = Plot::new(x, (0.0, most), (LEFT, WIDTH - 4.0), (top, top + HEIGHT));
    plot.y_axis(&mut d, 5, label);
    let step = plot.x.at(1.0) - plot.x.at(0.0);
    let below = names(&mut d, &plot, slots, step);
    let bar = (step * 0.34).min(34.0);
    for (k, slot) in slots.iter().enumerate() {
        let middle = plot.x.at(k as f64 + 0.5);
        let alpha = emotion.settings.alpha;
        let is_chance = view::finite(slot.p_shuffled).is_some_and(|p| p >= alpha);
        let rect = |value: f64| shown(Some(value)).map(|v| plot.at(0.0, v.max(0.0)).1);
        let corners = |left: f64, y: f64| {
            let right = left + bar;
            [
                (left, plot.bottom),
                (left, y),
                (right, y),
                (right, plot.bottom),
            ]
        };
        let tip = tip(slot);
        if let Some(y) = rect(slot.before) {
            let shape = corners(middle - bar - 1.0, y);
            d.shape(&shape, Ink::Ceiling, Ink::Axis, &tip);
        }
        if let Some(y) = rect(slot.after) {
            let fill = if is_chance {
                Ink::Paper
            } else {
                Ink::Series(0)
            };
            let shape = corners(middle + 1.0, y);
            d.shape(&shape, fill, Ink::Series(0), &tip);
        }
        let sides = [
            (middle - bar / 2.0 - 1.0, slot.before, slot.before_sem),
            (middle + bar / 2.0 + 1.0, slot.after, slot.after_sem),
        ];
        for (x, value, sem) in sides {
            if let Some(sem) = shown(sem) {
                plot.whisker(&mut d, x, (value - sem, value + sem), Ink::Text);
            }
        }
        if let Some(level) = shown(slot.shuffled) {
            let y = plot.at(0.0, level.max(0.0)).1;
            let ends = ((middle - bar - 2.0, y), (middle + bar + 2.0, y));
            d.line(ends.0, ends.1, Ink::Accent, 1.6);
        }
        let highest = slot.values()[1];
        if let Some(highest) = shown(Some(highest)) {
            let style = Type {
                size: 11.0,
                anchor: Anchor::Middle,
                ..Type::default()
            };
            let y = plot.at(0.0, highest).1 - 1.0;
            let x = middle + 1.0 + bar / 2.0;
            d.text(x, y, view::stars(slot.p_change), style);
        }
    }
    Panel {
        alt,
        size: (WIDTH, top + HEIGHT + below),
        body: d.into_string(),
    }
}

/// Names below the slots, which lean where they are too wide; the height that they take.
fn names(d: &mut Draw, plot: &Plot, slots: &[Slot], step: f64) -> f64 {
    const LEAN: f64 = 40.0;
    let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
    let widest = |names: &mut dyn Iterator<Item = &str>| {
        names.fold(0.0_f64, |w, name| w.max(text::width(name, SMALL)))
    };
    let upright = widest(&mut names.iter().copied()) <= step - 2.0;
    let ticks = |label: &dyn Fn(usize) -> String| -> Vec<(f64, String)> {
        (0..slots.len())
            .map(|k| (k as f64 + 0.5, label(k)))
            .collect()
    };
    if upright {
        plot.x_axis(d, &ticks(&|k| names[k].to_owned()), "");
        return AXIS - 12.0;
    }
    plot.x_axis(d, &ticks(&|_| String::new()), "");
    // The first name may reach to the left as far as its slot is from the edge.
    let room = (plot.x.at(0.5) - 4.0) / LEAN.to_radians().cos();
    let fitted = text::fit_all(&names, SMALL, room.min(110.0));
    for (k, name) in fitted.iter().enumerate() {
        let style = Type {
            rotate: -LEAN,
            ..muted(Anchor::End)
        };
        d.text(
            plot.x.at(k as f64 + 0.5) + 3.0,
            plot.bottom + 11.0,
            name,
            style,
        );
    }
    widest(&mut fitted.iter().map(String::as_str)) * LEAN.to_radians().sin() + 18.0
}

fn tip(slot: &Slot) -> String {
    let mut out = format!(
        "{}: {} before, {} after",
        slot.name,
        view::short(slot.before),
        view::short(slot.after)
    );
    if let Some(p) = view::finite(slot.p_change) {
        out.push_str(&format!("; change {}", view::p_clause(p)));
    }
    if let Some(p) = view::finite(slot.p_shuffled) {
        out.push_str(&format!("; against shuffled bins {}", view::p_clause(p)));
    }
    out
}
