//! What figures of every kind are made of: panels of fixed size that a file arranges in columns and
//! a page lets flow. The figures themselves are with the kinds of [`crate::analyses`].

pub(crate) mod boxes;
pub(crate) mod grid;
pub(crate) mod mds;
pub(crate) mod occlusion;
pub(crate) mod plot;
pub(crate) mod rdms;

use consilience_core::StimulusRecord;

use crate::{
    Figure,
    palette::Ink,
    svg::{Anchor, Dash, Draw, FONT_FAMILY, Type, escape, num},
    text, view,
};

/// Opacity of the noise-ceiling band.
pub(crate) const CEILING_OPACITY: f64 = 0.55;

/// One picture of a figure, in its own coordinates from the upper left.
#[derive(Debug, Clone)]
pub(crate) struct Panel {
    /// What it shows, in words, for readers who cannot see it.
    pub(crate) alt: String,
    /// Width and height.
    pub(crate) size: (f64, f64),
    /// SVG elements.
    pub(crate) body: String,
}

/// A figure before its panels are arranged.
#[derive(Debug, Clone)]
pub(crate) struct Plate {
    /// File name without ending.
    pub(crate) name: String,
    /// Short title.
    pub(crate) title: String,
    /// Full sentences that explain every mark.
    pub(crate) caption: String,
    /// The pictures.
    pub(crate) panels: Vec<Panel>,
    /// Explanation of colours and marks.
    pub(crate) key: Vec<KeyEntry>,
    /// Definitions that the panels refer to.
    pub(crate) definitions: String,
    /// Most columns in the file.
    pub(crate) max_columns: usize,
    /// How the page lays the panels out.
    pub(crate) flow: Flow,
}

/// How a page lays out the panels of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// In columns, which the panels fill.
    Columns,
    /// One after the other, in their own size, so that letters of all are alike.
    Natural,
}

/// A mark and what it means.
#[derive(Debug, Clone)]
pub(crate) struct KeyEntry {
    pub(crate) mark: Mark,
    pub(crate) ink: Ink,
    pub(crate) label: String,
}

/// Marks of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Swatch,
    Band,
    Whisker,
    Dot,
    SmallDot,
    Ring,
    /// Filled triangle that points upwards.
    Up,
    /// Filled triangle that points downwards.
    Down,
    /// Triangle that points upwards and is not filled.
    HollowUp,
    /// Faint triangle.
    Halo,
    /// A line with dashes.
    Line(Dash),
    /// A line with a band around it.
    Curve(Dash),
    /// A square on its corner that is not filled.
    Diamond,
    /// A short upright line.
    Tick,
}

/// Width and height of a mark in a key.
pub(crate) const MARK: (f64, f64) = (16.0, 10.0);

/// Corners of a triangle in a key.
const UPWARDS: [(f64, f64); 3] = [(8.0, 0.5), (2.5, 9.5), (13.5, 9.5)];

impl KeyEntry {
    pub(crate) fn new(mark: Mark, ink: Ink, label: impl Into<String>) -> Self {
        Self {
            mark,
            ink,
            label: label.into(),
        }
    }

    /// The mark alone, in a box of size [`MARK`].
    pub(crate) fn mark(&self) -> String {
        let mut d = Draw::default();
        let (w, h) = MARK;
        let centre = (w / 2.0, h / 2.0);
        match self.mark {
            Mark::Swatch => d.rect((3.0, 0.0), (10.0, h), self.ink, 1.0),
            Mark::Band => d.rect((0.0, 0.0), (w, h), self.ink, CEILING_OPACITY),
            Mark::Whisker => {
                d.line((2.0, h / 2.0), (w - 2.0, h / 2.0), self.ink, 1.2);
                for x in [2.0, w - 2.0] {
                    d.line((x, 2.0), (x, h - 2.0), self.ink, 1.2);
                }
            }
            Mark::Dot => d.dot(centre, 3.0, self.ink, 1.0, ""),
            Mark::SmallDot => d.dot(centre, 2.0, self.ink, 0.45, ""),
            Mark::Ring => d.ring(centre, 4.0, self.ink, 1.5),
            Mark::Up => d.polygon(&UPWARDS, self.ink, 1.0),
            Mark::Down => d.polygon(&UPWARDS.map(|(x, y)| (x, h - y)), self.ink, 1.0),
            Mark::HollowUp => d.shape(&UPWARDS, Ink::Paper, self.ink, ""),
            Mark::Halo => d.polygon(&UPWARDS, self.ink, 0.32),
            Mark::Line(dash) => d.dashes(&[(0.0, h / 2.0), (w, h / 2.0)], self.ink, 1.6, dash),
            Mark::Curve(dash) => {
                d.rect((0.0, 0.0), (w, h), self.ink, 0.2);
                d.dashes(&[(0.0, h / 2.0), (w, h / 2.0)], self.ink, 1.6, dash);
            }
            Mark::Diamond => d.shape(&plot::diamond(centre, 4.0), Ink::Paper, self.ink, ""),
            Mark::Tick => d.line((w / 2.0, 0.0), (w / 2.0, h), self.ink, 2.0),
        }
        d.into_string()
    }
}

/// What groups or orders the stimuli of a figure.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order<'a> {
    /// Categories, if there are any.
    Categories,
    /// A number of each stimulus.
    Values(Values<'a>),
}

/// A number of each stimulus.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Values<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: &'a [f64],
    /// The ends of the scale of colours.
    pub(crate) ends: [f64; 2],
}

impl Values<'_> {
    /// Where a stimulus lies between the ends, 0…1.
    pub(crate) fn share(&self, idx: usize) -> Option<f64> {
        let [low, high] = self.ends;
        let share = (self.values.get(idx)? - low) / (high - low);
        view::finite(Some(share)).map(|share| share.clamp(0.0, 1.0))
    }

    /// Stimuli from the smallest value to the largest, in their order where values are equal or none.
    pub(crate) fn ascending(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|&a, &b| self.values[a].total_cmp(&self.values[b]).then(a.cmp(&b)));
        order
    }

    /// What a browser shows when the pointer rests on a stimulus.
    fn tip(&self, idx: usize, id: &str) -> String {
        match self.values.get(idx).filter(|v| v.is_finite()) {
            Some(&value) => format!("{id}: {} {}", self.name, view::score(value)),
            None => id.to_owned(),
        }
    }
}

/// Entries that explain the categories.
pub(crate) fn category_key(stimuli: &[StimulusRecord]) -> Vec<KeyEntry> {
    view::categories(stimuli)
        .into_iter()
        .enumerate()
        .map(|(idx, name)| KeyEntry::new(Mark::Swatch, Ink::Category(idx), name))
        .collect()
}

/// Title of a panel and the line below it.
pub(crate) struct Heading {
    title: Vec<String>,
    subtitle: Vec<String>,
}

impl Heading {
    const TITLE: f64 = 12.5;
    const SUBTITLE: f64 = 10.5;

    /// Breaks both into at most two lines. A bold letter is a little wider than a plain one.
    pub(crate) fn new(title: &str, subtitle: &str, width: f64) -> Self {
        Self {
            title: text::wrap(title, Self::TITLE * 1.08, width - 2.0, 2),
            subtitle: text::wrap(subtitle, Self::SUBTITLE, width - 2.0, 2),
        }
    }

    /// Width of a panel whose content is as wide as given.
    pub(crate) fn width(&self, content: f64) -> f64 {
        let lines = |lines: &[String], size| -> f64 {
            lines
                .iter()
                .fold(0.0, |w: f64, line| w.max(text::width(line, size)))
        };
        let title = lines(&self.title, Self::TITLE * 1.08);
        let subtitle = lines(&self.subtitle, Self::SUBTITLE);
        content.max(title + 2.0).max(subtitle + 2.0)
    }

    pub(crate) fn height(&self) -> f64 {
        12.0 + 15.0 * self.title.len() as f64 + 14.0 * self.subtitle.len() as f64
    }

    pub(crate) fn draw(&self, d: &mut Draw) {
        let mut y = 4.0;
        for line in &self.title {
            y += 15.0;
            let bold = Type {
                size: Self::TITLE,
                bold: true,
                ..Type::default()
            };
            d.text(1.0, y - 3.0, line, bold);
        }
        for line in &self.subtitle {
            y += 14.0;
            let small = Type {
                size: Self::SUBTITLE,
                ink: Ink::Muted,
                ..Type::default()
            };
            d.text(1.0, y - 3.0, line, small);
        }
    }
}

/// Where the content of panels side by side begins: below the tallest heading.
pub(crate) fn common_top(headings: &[Heading]) -> f64 {
    headings.iter().fold(0.0, |top, h| top.max(h.height()))
}

/// A panel as a picture of its own, for a page. The page supplies definitions.
pub(crate) fn panel_svg(panel: &Panel) -> String {
    let (w, h) = panel.size;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{alt}\">\n{body}</svg>",
        w = num(w),
        h = num(h),
        alt = escape(&panel.alt),
        body = panel.body
    )
}

/// A whole figure as a file.
pub(crate) fn arrange(plate: &Plate) -> Figure {
    const MARGIN: f64 = 20.0;
    const GAP: (f64, f64) = (34.0, 26.0);
    let columns = plate.max_columns.min(plate.panels.len()).max(1);
    let column_width = plate.panels.iter().fold(0.0_f64, |w, p| w.max(p.size.0));
    let width = 2.0 * MARGIN + columns as f64 * column_width + (columns - 1) as f64 * GAP.0;

    let mut d = Draw::default();
    let mut y = MARGIN;
    for row in plate.panels.chunks(columns) {
        for (column, panel) in row.iter().enumerate() {
            d.group(
                (MARGIN + column as f64 * (column_width + GAP.0), y),
                &panel.body,
            );
        }
        y += row.iter().fold(0.0_f64, |h, p| h.max(p.size.1)) + GAP.1;
    }
    y -= GAP.1;
    if !plate.key.is_empty() {
        y = key(&mut d, &plate.key, MARGIN, y + 22.0, width - 2.0 * MARGIN);
    }
    let height = y + MARGIN;
    let definitions = if plate.definitions.is_empty() {
        String::new()
    } else {
        format!("<defs>\n{}</defs>\n", plate.definitions)
    };
    let alt: Vec<&str> = plate.panels.iter().map(|p| p.alt.as_str()).collect();
    let (w, h) = (num(width), num(height));
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" font-family=\"{FONT_FAMILY}\" role=\"img\">\n\
         <title>{}</title>\n<desc>{}</desc>\n{definitions}<rect width=\"{w}\" height=\"{h}\" {}/>\n{}</svg>\n",
        escape(&plate.title),
        escape(&alt.join(" ")),
        Ink::Paper.fill(),
        d.into_string()
    );
    Figure {
        name: plate.name.clone(),
        title: plate.title.clone(),
        caption: plate.caption.clone(),
        svg,
    }
}

/// Lays the key out in lines; returns its lower end.
fn key(d: &mut Draw, entries: &[KeyEntry], left: f64, top: f64, width: f64) -> f64 {
    const SIZE: f64 = 10.0;
    let (mut x, mut y) = (left, top);
    for entry in entries {
        let label = text::fit(&entry.label, SIZE, width - MARK.0 - 6.0);
        let needed = MARK.0 + 6.0 + text::width(&label, SIZE) + 16.0;
        if x > left && x + needed - 16.0 > left + width {
            x = left;
            y += 17.0;
        }
        d.group((x, y - MARK.1 + 1.0), &entry.mark());
        let style = Type {
            size: SIZE,
            anchor: Anchor::Start,
            ..Type::default()
        };
        d.text(x + MARK.0 + 6.0, y, &label, style);
        x += needed;
    }
    y + 4.0
}
