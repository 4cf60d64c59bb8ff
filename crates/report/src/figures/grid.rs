//! Grids of cells with names of rows and columns, and heat maps on them.

use crate::{
    palette::{Ink, diverging, ink_on},
    scale::signed,
    svg::{Anchor, Draw, Type},
    text,
};

/// Where a grid stands: what is written around it and where its cells are.
pub(crate) struct Grid {
    rows: Vec<String>,
    heads: Heads,
    /// Upper left of the first cell.
    origin: (f64, f64),
    cell: (f64, f64),
}

/// Names of columns.
pub(crate) enum Heads {
    /// A name above each column with lines that explain it.
    Upright(Vec<Vec<Head>>),
    /// Names that lean to the right above the columns.
    Above(Vec<String>),
    /// Names that lean to the left below the columns.
    Below(Vec<String>),
}

/// A line above a column.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) text: String,
    pub(crate) muted: bool,
}

const NAME_SIZE: f64 = 10.0;
const SMALL: f64 = 9.0;
const LINE: f64 = 12.0;
/// Most that names of rows may take of the width.
const NAME_LIMIT: f64 = 150.0;
/// Longest leaning name.
const LEANING_LIMIT: f64 = 118.0;
const LEAN: f64 = 50.0;

impl Grid {
    /// A grid below `top`, as wide as its names need.
    pub(crate) fn new(rows: &[&str], heads: Heads, cell: (f64, f64), top: f64) -> Self {
        let rows = text::fit_all(rows, NAME_SIZE, NAME_LIMIT);
        let widest = rows
            .iter()
            .fold(0.0_f64, |w, name| w.max(text::width(name, NAME_SIZE)));
        let (sin, cos) = LEAN.to_radians().sin_cos();
        let (height, overhang) = match &heads {
            Heads::Upright(heads) => {
                let n_lines = heads.iter().map(Vec::len).max().unwrap_or(0);
                (n_lines as f64 * LINE + 4.0, 0.0)
            }
            Heads::Above(names) => (longest(names) * sin + 10.0, 0.0),
            // The first name may reach further to the left than the names of rows.
            Heads::Below(names) => (
                0.0,
                names
                    .first()
                    .map_or(0.0, |n| text::width(n, SMALL) * cos - cell.0 / 2.0),
            ),
        };
        Self {
            rows,
            heads,
            origin: ((widest + 8.0).max(overhang + 2.0), top + height),
            cell,
        }
    }

    /// Upper left of a cell.
    pub(crate) fn at(&self, row: usize, column: usize) -> (f64, f64) {
        (
            self.origin.0 + column as f64 * self.cell.0,
            self.origin.1 + row as f64 * self.cell.1,
        )
    }

    /// Left edge of the cells.
    pub(crate) fn left(&self) -> f64 {
        self.origin.0
    }

    /// Right edge of the cells.
    pub(crate) fn right(&self) -> f64 {
        self.at(0, self.n_columns()).0
    }

    /// Lower edge of the cells.
    pub(crate) fn bottom(&self) -> f64 {
        self.at(self.rows.len(), 0).1
    }

    /// Lower right of all, names included.
    pub(crate) fn extent(&self) -> (f64, f64) {
        let (sin, cos) = LEAN.to_radians().sin_cos();
        match &self.heads {
            Heads::Upright(_) => (self.right(), self.bottom()),
            Heads::Above(names) => {
                let reach = names.iter().enumerate().fold(0.0_f64, |reach, (c, name)| {
                    let x = self.at(0, c).0 + self.cell.0 / 2.0;
                    reach.max(x + text::width(name, SMALL) * cos + 8.0)
                });
                (self.right().max(reach), self.bottom())
            }
            Heads::Below(names) => (self.right(), self.bottom() + longest(names) * sin + 16.0),
        }
    }

    fn n_columns(&self) -> usize {
        match &self.heads {
            Heads::Upright(heads) => heads.len(),
            Heads::Above(names) | Heads::Below(names) => names.len(),
        }
    }

    /// Writes the names.
    pub(crate) fn names(&self, d: &mut Draw) {
        let end = Type {
            size: NAME_SIZE,
            anchor: Anchor::End,
            ..Type::default()
        };
        for (row, name) in self.rows.iter().enumerate() {
            let y = self.at(row, 0).1 + self.cell.1 / 2.0 + 3.5;
            d.text(self.left() - 7.0, y, name, end);
        }
        let middle = |column: usize| self.at(0, column).0 + self.cell.0 / 2.0;
        let small = Type {
            size: SMALL,
            ..Type::default()
        };
        match &self.heads {
            Heads::Upright(heads) => {
                for (column, lines) in heads.iter().enumerate() {
                    // Names stand on one line, whatever is written below some of them.
                    let n_lines = heads.iter().map(Vec::len).max().unwrap_or(0);
                    let first = self.origin.1 - 5.0 - (n_lines - 1) as f64 * LINE;
                    for (line, head) in lines.iter().enumerate() {
                        let style = Type {
                            anchor: Anchor::Middle,
                            size: if head.muted { SMALL } else { NAME_SIZE },
                            ink: if head.muted { Ink::Muted } else { Ink::Text },
                            ..Type::default()
                        };
                        d.text(
                            middle(column),
                            first + line as f64 * LINE,
                            &head.text,
                            style,
                        );
                    }
                }
            }
            Heads::Above(names) => {
                for (column, name) in names.iter().enumerate() {
                    let style = Type {
                        rotate: -LEAN,
                        ..small
                    };
                    d.text(middle(column) + 2.0, self.origin.1 - 5.0, name, style);
                }
            }
            Heads::Below(names) => {
                for (column, name) in names.iter().enumerate() {
                    let style = Type {
                        anchor: Anchor::End,
                        rotate: -LEAN,
                        ..small
                    };
                    d.text(middle(column) + 3.0, self.bottom() + 12.0, name, style);
                }
            }
        }
    }
}

/// Names that may lean, shortened where they are too long.
pub(crate) fn leaning(names: &[&str]) -> Vec<String> {
    text::fit_all(names, SMALL, LEANING_LIMIT)
}

/// Lines above a column of the given width: its name, and what explains it.
pub(crate) fn upright(name: &str, details: &[String], width: f64) -> Vec<Head> {
    let line = |text: String, muted| Head { text, muted };
    text::wrap(name, NAME_SIZE, width - 4.0, 2)
        .into_iter()
        .map(|text| line(text, false))
        .chain(
            details
                .iter()
                .map(|text| line(text::fit(text, SMALL, width - 2.0), true)),
        )
        .collect()
}

fn longest(names: &[String]) -> f64 {
    names
        .iter()
        .fold(0.0, |w: f64, name| w.max(text::width(name, SMALL)))
}

/// The colours of a heat map: from `−limit` or 0 to `limit`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shades {
    pub(crate) limit: f64,
    pub(crate) both_sides: bool,
}

impl Shades {
    /// Centred on 0, up to the largest size of a value, rounded up to a tenth.
    pub(crate) fn around_zero(values: impl Iterator<Item = f64>) -> Self {
        let largest = values
            .filter(|v| v.is_finite())
            .fold(0.0_f64, |most, v| most.max(v.abs()));
        Self {
            limit: ((largest * 10.0 - 1e-9).ceil() / 10.0).max(0.1),
            both_sides: true,
        }
    }

    fn colour(self, value: f64) -> [u8; 3] {
        diverging(value / self.limit)
    }

    /// A cell with a value and a line below it; without a value a dash on grey.
    pub(crate) fn cell(
        self,
        d: &mut Draw,
        grid: &Grid,
        (row, column): (usize, usize),
        value: Option<f64>,
        lines: [&str; 2],
        tip: &str,
    ) {
        let (x, y) = grid.at(row, column);
        let (w, h) = grid.cell;
        let size = (w - 1.5, h - 1.5);
        let middle = Type {
            anchor: Anchor::Middle,
            ..Type::default()
        };
        let x_text = x + size.0 / 2.0;
        let Some(value) = value else {
            d.rect((x, y), size, Ink::Grid, 1.0);
            let style = Type {
                ink: Ink::Muted,
                ..middle
            };
            d.text(x_text, y + size.1 / 2.0 + 3.5, "–", style);
            return;
        };
        let colour = self.colour(value);
        let ink = ink_on(colour);
        d.cell((x, y), size, colour, tip);
        let style = Type { ink, ..middle };
        let below = Type {
            size: SMALL,
            ..style
        };
        let y = if lines[1].is_empty() {
            y + size.1 / 2.0 + 3.6
        } else {
            y + size.1 / 2.0 - 1.0
        };
        d.text(x_text, y, lines[0], style);
        d.text(x_text, y + 11.0, lines[1], below);
    }

    /// The scale of colours below a grid; returns its lower right.
    pub(crate) fn bar(self, d: &mut Draw, left: f64, top: f64, label: &str) -> (f64, f64) {
        const WIDTH: f64 = 120.0;
        let low = if self.both_sides { -1.0 } else { 0.0 };
        let style = Type {
            size: SMALL,
            ink: Ink::Muted,
            ..Type::default()
        };
        let end = |value: f64| signed(&format!("{value:.1}"));
        let first = end(low * self.limit);
        d.text(left, top + GRADIENT, &first, style);
        let from = left + text::width(&first, SMALL) + 4.0;
        gradient(d, (from, top), WIDTH, low);
        let label = format!("{} {label}", end(self.limit));
        let at = from + WIDTH + 4.0;
        d.text(at, top + GRADIENT, &label, style);
        (at + text::width(&label, SMALL), top + GRADIENT + 6.0)
    }
}

/// Height of a gradient.
pub(crate) const GRADIENT: f64 = 6.0;

/// The diverging colours from `low`, −1 or 0, to 1, side by side.
pub(crate) fn gradient(d: &mut Draw, (left, top): (f64, f64), width: f64, low: f64) {
    const N: usize = 41;
    for step in 0..N {
        let t = low + (1.0 - low) * step as f64 / (N - 1) as f64;
        let x = left + width * step as f64 / N as f64;
        // A little wider, so that no seam shows.
        let width = width / N as f64 + if step + 1 < N { 0.4 } else { 0.0 };
        d.cell((x, top), (width, GRADIENT), diverging(t), "");
    }
}
