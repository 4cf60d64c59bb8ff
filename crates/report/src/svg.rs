//! SVG text: numbers, escaping and the few shapes that the figures use.

use std::fmt::Write as _;

use crate::palette::Ink;

/// Families that figures name, first to last; the embedded one is among them.
pub(crate) const FONT_FAMILY: &str =
    "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/// Where the given x lies in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// What a line is made of, so that lines differ without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dash {
    Solid,
    Long,
    Dots,
    Mixed,
    Short,
}

impl Dash {
    /// One for each of several lines; lines beyond the kinds share them in order.
    pub(crate) fn of(idx: usize) -> Self {
        [
            Self::Solid,
            Self::Long,
            Self::Dots,
            Self::Mixed,
            Self::Short,
        ][idx % 5]
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::Solid => "",
            Self::Long => " stroke-dasharray=\"6 3\"",
            Self::Dots => " stroke-dasharray=\"1 3\"",
            Self::Mixed => " stroke-dasharray=\"7 3 1 3\"",
            Self::Short => " stroke-dasharray=\"3 3\"",
        }
    }
}

/// How text is set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Type {
    pub(crate) size: f64,
    pub(crate) anchor: Anchor,
    pub(crate) ink: Ink,
    pub(crate) bold: bool,
    /// Degrees clockwise about the anchor.
    pub(crate) rotate: f64,
}

impl Default for Type {
    fn default() -> Self {
        Self {
            size: 10.0,
            anchor: Anchor::Start,
            ink: Ink::Text,
            bold: false,
            rotate: 0.0,
        }
    }
}

/// A growing SVG fragment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draw {
    out: String,
}

/// A coordinate with at most two decimals.
pub(crate) fn num(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text with XML's special characters escaped; characters that XML forbids become U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

impl Draw {
    pub(crate) fn into_string(self) -> String {
        self.out
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        self.out
            .write_fmt(element)
            .expect("writing to a string cannot fail");
        self.out.push('\n');
    }

    pub(crate) fn text(&mut self, x: f64, y: f64, text: &str, style: Type) {
        if text.is_empty() {
            return;
        }
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if style.bold {
            " font-weight=\"600\""
        } else {
            ""
        };
        let (x, y) = (num(x), num(y));
        let rotate = if style.rotate == 0.0 {
            String::new()
        } else {
            format!(" transform=\"rotate({} {x} {y})\"", num(style.rotate))
        };
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\" {}{anchor}{weight}{rotate}>{}</text>",
            num(style.size),
            style.ink.fill(),
            escape(text)
        ));
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, width: f64) {
        self.push(format_args!(
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" {} stroke-width=\"{}\"/>",
            num(from.0),
            num(from.1),
            num(to.0),
            num(to.1),
            ink.stroke(),
            num(width)
        ));
    }

    pub(crate) fn rect(&mut self, origin: (f64, f64), size: (f64, f64), ink: Ink, opacity: f64) {
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}{}/>",
            num(origin.0),
            num(origin.1),
            num(size.0.max(0.0)),
            num(size.1.max(0.0)),
            ink.fill(),
            translucency(opacity)
        ));
    }

    pub(crate) fn frame(&mut self, origin: (f64, f64), size: (f64, f64), ink: Ink, width: f64) {
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {} stroke-width=\"{}\"/>",
            num(origin.0),
            num(origin.1),
            num(size.0.max(0.0)),
            num(size.1.max(0.0)),
            ink.stroke(),
            num(width)
        ));
    }

    /// A disc; `tip` is what a browser shows when the pointer rests on it.
    pub(crate) fn dot(&mut self, at: (f64, f64), r: f64, ink: Ink, opacity: f64, tip: &str) {
        let (x, y, r) = (num(at.0), num(at.1), num(r));
        let (fill, opacity) = (ink.fill(), translucency(opacity));
        if tip.is_empty() {
            self.push(format_args!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {fill}{opacity}/>"
            ));
        } else {
            self.push(format_args!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {fill}{opacity}><title>{}</title></circle>",
                escape(tip)
            ));
        }
    }

    pub(crate) fn ring(&mut self, at: (f64, f64), r: f64, ink: Ink, width: f64) {
        self.push(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {} stroke-width=\"{}\"/>",
            num(at.0),
            num(at.1),
            num(r),
            ink.stroke(),
            num(width)
        ));
    }

    pub(crate) fn disc(&mut self, at: (f64, f64), r: f64, ink: Ink, outline: Ink, tip: &str) {
        self.push(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {} stroke-width=\"1\"><title>{}</title></circle>",
            num(at.0),
            num(at.1),
            num(r),
            ink.fill_and_stroke(outline),
            escape(tip)
        ));
    }

    pub(crate) fn polyline(&mut self, points: &[(f64, f64)], ink: Ink, width: f64) {
        self.push(format_args!(
            "<polyline points=\"{}\" {} stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>",
            joined(points),
            ink.stroke(),
            num(width)
        ));
    }

    /// A line made of dashes.
    pub(crate) fn dashes(&mut self, points: &[(f64, f64)], ink: Ink, width: f64, dash: Dash) {
        self.push(format_args!(
            "<polyline points=\"{}\" {} stroke-width=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\"{}/>",
            joined(points),
            ink.stroke(),
            num(width),
            dash.attribute()
        ));
    }

    /// A line that leaves and reaches every point upright.
    pub(crate) fn flow(&mut self, points: &[(f64, f64)], ink: Ink, width: f64, dash: Dash) {
        let Some(((x, y), rest)) = points.split_first() else {
            return;
        };
        let mut path = format!("M{} {}", num(*x), num(*y));
        for (&(x0, y0), &(x1, y1)) in points.iter().zip(rest) {
            let half = num((y0 + y1) / 2.0);
            let (x0, x1, y1) = (num(x0), num(x1), num(y1));
            // A string takes whatever is written to it.
            let _ = write!(path, "C{x0} {half} {x1} {half} {x1} {y1}");
        }
        self.push(format_args!(
            "<path d=\"{path}\" {} stroke-width=\"{}\"{}/>",
            ink.stroke(),
            num(width),
            dash.attribute()
        ));
    }

    /// A disc whose colour is the same on light and dark pages.
    pub(crate) fn bead(&mut self, at: (f64, f64), r: f64, colour: [u8; 3], tip: &str) {
        let [red, green, blue] = colour;
        self.push(format_args!(
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {} stroke-width=\"0.8\"><title>{}</title></circle>",
            num(at.0),
            num(at.1),
            num(r),
            format_args!(
                "fill=\"#{red:02x}{green:02x}{blue:02x}\" {}",
                Ink::Axis.outline()
            ),
            escape(tip)
        ));
    }

    /// A frame whose colour is the same on light and dark pages.
    pub(crate) fn tinted_frame(
        &mut self,
        origin: (f64, f64),
        size: (f64, f64),
        colour: [u8; 3],
        width: f64,
    ) {
        let [r, g, b] = colour;
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#{r:02x}{g:02x}{b:02x}\" stroke-width=\"{}\"/>",
            num(origin.0),
            num(origin.1),
            num(size.0),
            num(size.1),
            num(width)
        ));
    }

    pub(crate) fn polygon(&mut self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        self.push(format_args!(
            "<polygon points=\"{}\" {}{}/>",
            joined(points),
            ink.fill(),
            translucency(opacity)
        ));
    }

    /// A filled shape with an outline; `tip` is what a browser shows when the pointer rests on it.
    pub(crate) fn shape(&mut self, points: &[(f64, f64)], fill: Ink, outline: Ink, tip: &str) {
        self.push(format_args!(
            "<polygon points=\"{}\" {} stroke-width=\"1.1\" stroke-linejoin=\"round\"><title>{}</title></polygon>",
            joined(points),
            fill.fill_and_stroke(outline),
            escape(tip)
        ));
    }

    /// A cell of a heat map: its colour is the same on light and dark pages.
    pub(crate) fn cell(
        &mut self,
        origin: (f64, f64),
        size: (f64, f64),
        colour: [u8; 3],
        tip: &str,
    ) {
        let [r, g, b] = colour;
        self.push(format_args!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#{r:02x}{g:02x}{b:02x}\"><title>{}</title></rect>",
            num(origin.0),
            num(origin.1),
            num(size.0),
            num(size.1),
            escape(tip)
        ));
    }

    /// A picture from a `data:` address that this crate made itself or looked at.
    pub(crate) fn image(&mut self, origin: (f64, f64), size: (f64, f64), href: &str) {
        self.push(format_args!(
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"{href}\"/>",
            num(origin.0),
            num(origin.1),
            num(size.0),
            num(size.1)
        ));
    }

    /// An instance of a unit-sized definition.
    pub(crate) fn instance(&mut self, id: &str, origin: (f64, f64), side: f64, tip: &str) {
        self.push(format_args!(
            "<g transform=\"translate({} {}) scale({})\"><title>{}</title><use href=\"#{id}\"/></g>",
            num(origin.0),
            num(origin.1),
            num(side),
            escape(tip)
        ));
    }

    /// Another fragment, moved.
    pub(crate) fn group(&mut self, origin: (f64, f64), fragment: &str) {
        self.push(format_args!(
            "<g transform=\"translate({} {})\">\n{fragment}</g>",
            num(origin.0),
            num(origin.1)
        ));
    }
}

fn translucency(opacity: f64) -> String {
    if opacity < 1.0 {
        format!(" fill-opacity=\"{}\"", num(opacity))
    } else {
        String::new()
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    points
        .iter()
        .map(|&(x, y)| format!("{},{}", num(x), num(y)))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(num(1.0), "1");
        assert_eq!(num(1.256), "1.26");
        assert_eq!(num(-0.001), "0");
        assert_eq!(num(100.0), "100");
    }

    #[test]
    fn nothing_escapes_escaping() {
        assert_eq!(escape("<a b='\"'>&"), "&lt;a b=&#39;&quot;&#39;&gt;&amp;");
        assert_eq!(escape("a\u{0}b\nc"), "a\u{fffd}b c");
    }
}
