//! The colours, once: figures carry the light ones as attributes, the page overrides them by class.
//!
//! A presentation attribute (`fill="#…"`) loses against any style rule, so the same SVG text is a
//! finished light figure as a file and follows the theme of the page when it stands in one.

use std::fmt::Write as _;

/// The role of a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Text that must be read.
    Text,
    /// Text that explains.
    Muted,
    /// Axes and ticks.
    Axis,
    /// Grid lines.
    Grid,
    /// The noise-ceiling band.
    Ceiling,
    /// The surface behind a figure.
    Paper,
    /// The accent: what the reader should look at first.
    Accent,
    /// Something that rises.
    Up,
    /// Something that falls.
    Down,
    /// Text on a light cell of a heat map, whatever the page's theme.
    OnLight,
    /// Text on a dark cell of a heat map, whatever the page's theme.
    OnDark,
    /// A model; models beyond the palette share colours in order.
    Series(usize),
    /// A stimulus category; categories beyond the palette share colours in order.
    Category(usize),
}

/// Name, light and dark value. Text on paper has a contrast of at least 4.5 in both.
type Entry = (&'static str, &'static str, &'static str);

const PLAIN: [Entry; 11] = [
    ("text", "#1c2126", "#e8e6e1"),
    ("muted", "#5b646d", "#a5abb1"),
    ("axis", "#7d868e", "#7f868d"),
    ("grid", "#e4e7ea", "#2c3238"),
    ("ceiling", "#c9ced4", "#4a5159"),
    ("paper", "#ffffff", "#15181b"),
    ("accent", "#a3341f", "#f08a70"),
    ("up", "#1d7d4f", "#67c3a0"),
    ("down", "#b02a1c", "#f08a70"),
    ("on-light", "#000000", "#000000"),
    ("on-dark", "#ffffff", "#ffffff"),
];

const SERIES: [Entry; 6] = [
    ("s0", "#2c5d9b", "#7fabe6"),
    ("s1", "#c05a1c", "#eb9a63"),
    ("s2", "#287a5c", "#67c3a0"),
    ("s3", "#7b4b96", "#c39be0"),
    ("s4", "#8f6d00", "#d8b850"),
    ("s5", "#4b6570", "#9fbac5"),
];

const CATEGORIES: [Entry; 12] = [
    ("c0", "#3b2f8f", "#8d82ea"),
    ("c1", "#d9822b", "#eea04f"),
    ("c2", "#2a9d8f", "#4fc4b5"),
    ("c3", "#b5305f", "#e56f97"),
    ("c4", "#5fa8dd", "#7fc1f0"),
    ("c5", "#7a8f1a", "#b4c84e"),
    ("c6", "#8c4fb0", "#c08be0"),
    ("c7", "#145c33", "#4e9e70"),
    ("c8", "#e08aa0", "#f0a8ba"),
    ("c9", "#6e6e6e", "#a8a8a8"),
    ("c10", "#8a5a2b", "#c59665"),
    ("c11", "#d4b93c", "#ead26a"),
];

impl Ink {
    fn entry(self) -> Entry {
        match self {
            Self::Text => PLAIN[0],
            Self::Muted => PLAIN[1],
            Self::Axis => PLAIN[2],
            Self::Grid => PLAIN[3],
            Self::Ceiling => PLAIN[4],
            Self::Paper => PLAIN[5],
            Self::Accent => PLAIN[6],
            Self::Up => PLAIN[7],
            Self::Down => PLAIN[8],
            Self::OnLight => PLAIN[9],
            Self::OnDark => PLAIN[10],
            Self::Series(idx) => SERIES[idx % SERIES.len()],
            Self::Category(idx) => CATEGORIES[idx % CATEGORIES.len()],
        }
    }

    /// Attributes that fill with this colour.
    pub(crate) fn fill(self) -> String {
        let (name, light, _) = self.entry();
        format!("class=\"f-{name}\" fill=\"{light}\"")
    }

    /// Attributes that draw an outline in this colour and fill nothing.
    pub(crate) fn stroke(self) -> String {
        let (name, light, _) = self.entry();
        format!("class=\"k-{name}\" fill=\"none\" stroke=\"{light}\"")
    }

    /// Attributes that outline in this colour and leave the filling to others.
    pub(crate) fn outline(self) -> String {
        let (name, light, _) = self.entry();
        format!("class=\"k-{name}\" stroke=\"{light}\"")
    }

    /// Attributes that fill with one colour and outline in another.
    pub(crate) fn fill_and_stroke(self, outline: Self) -> String {
        let (name, light, _) = self.entry();
        let (outline_name, outline_light, _) = outline.entry();
        format!("class=\"f-{name} k-{outline_name}\" fill=\"{light}\" stroke=\"{outline_light}\"")
    }
}

fn entries() -> impl Iterator<Item = Entry> {
    PLAIN.into_iter().chain(SERIES).chain(CATEGORIES)
}

/// Style rules that define every colour as a variable and give the figures' classes its value.
pub(crate) fn css() -> String {
    let variables = |dark: bool| {
        entries().fold(String::new(), |mut out, (name, light, night)| {
            let value = if dark { night } else { light };
            let _ = write!(out, "--{name}:{value};");
            out
        })
    };
    let (light, dark) = (variables(false), variables(true));
    let mut out = format!(
        ":root{{color-scheme:light;{light}}}\n\
         @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{color-scheme:dark;{dark}}}}}\n\
         @media screen{{:root[data-theme=dark]{{color-scheme:dark;{dark}}}}}\n"
    );
    for (name, ..) in entries() {
        let _ = writeln!(
            out,
            ".f-{name}{{fill:var(--{name})}}.k-{name}{{stroke:var(--{name})}}"
        );
    }
    out
}

/// Colour of a value in 0…1: dark blue for small, light yellow for large.
///
/// # Definition
///
/// A straight line in OKLab, so equal steps look equal, lightness rises throughout (readable in
/// grey) and the path runs from blue to yellow (readable without red–green vision):
/// L = 0.24 + 0.71 t, a = −0.015 − 0.01 t, b = −0.105 + 0.235 t.
#[must_use]
pub fn colour(t: f64) -> [u8; 3] {
    let t = t.clamp(0.0, 1.0);
    oklab_to_srgb(0.24 + 0.71 * t, -0.015 - 0.01 * t, -0.105 + 0.235 * t)
}

/// Colour of a value in −1…1: blue below 0, orange above, nearly white at 0.
///
/// # Definition
///
/// Two straight lines in OKLab from (0.96, 0, 0): to (0.40, −0.03, −0.14) at −1 and to (0.62, 0.10, 0.12) at 1. Blue and
/// orange differ without red–green vision, and blue is darker, so that ends differ in grey too.
pub(crate) fn diverging(t: f64) -> [u8; 3] {
    let (share, end) = if t < 0.0 {
        ((-t).min(1.0), [0.40, -0.03, -0.14])
    } else {
        (t.min(1.0), [0.62, 0.10, 0.12])
    };
    oklab_to_srgb(
        0.96 + share * (end[0] - 0.96),
        share * end[1],
        share * end[2],
    )
}

/// Ink for text on a fixed colour: the one that contrasts more.
pub(crate) fn ink_on(colour: [u8; 3]) -> Ink {
    // There, black and white contrast alike, 4.58 : 1.
    if luminance(colour) > 0.179 {
        Ink::OnLight
    } else {
        Ink::OnDark
    }
}

/// Relative luminance of an sRGB colour, 0…1.
fn luminance(colour: [u8; 3]) -> f64 {
    let [r, g, b] = colour.map(|v| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// OKLab (Ottosson 2020) to 8-bit sRGB, clipped to the gamut.
fn oklab_to_srgb(lightness: f64, a: f64, b: f64) -> [u8; 3] {
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s,
    ];
    linear.map(|v| {
        let v = v.clamp(0.0, 1.0);
        let encoded = if v <= 0.003_130_8 {
            12.92 * v
        } else {
            1.055 * v.powf(1.0 / 2.4) - 0.055
        };
        (255.0 * encoded).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oklab_white_and_black() {
        assert_eq!(oklab_to_srgb(1.0, 0.0, 0.0), [255, 255, 255]);
        assert_eq!(oklab_to_srgb(0.0, 0.0, 0.0), [0, 0, 0]);
    }

    #[test]
    fn colours_rise_in_luminance() {
        let luminance = |t: f64| {
            let [r, g, b] = colour(t).map(f64::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        for step in 1..=64 {
            assert!(luminance(f64::from(step) / 64.0) > luminance(f64::from(step - 1) / 64.0));
        }
    }

    #[test]
    fn text_is_readable_on_both_papers() {
        let luminance = |hex: &str| {
            let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            luminance([channel(1), channel(3), channel(5)])
        };
        let contrast = |a: &str, b: &str| {
            let (a, b) = (luminance(a), luminance(b));
            (a.max(b) + 0.05) / (a.min(b) + 0.05)
        };
        let paper = Ink::Paper.entry();
        for ink in [Ink::Text, Ink::Muted, Ink::Accent, Ink::Up, Ink::Down] {
            let (name, light, dark) = ink.entry();
            assert!(contrast(light, paper.1) >= 4.5, "{name} on light");
            assert!(contrast(dark, paper.2) >= 4.5, "{name} on dark");
        }
        // Marks need 3 : 1.
        for (name, light, dark) in SERIES {
            assert!(contrast(light, paper.1) >= 3.0, "{name} on light");
            assert!(contrast(dark, paper.2) >= 3.0, "{name} on dark");
        }
    }

    #[test]
    fn cells_bear_readable_text_and_pale_with_their_value() {
        for step in -20..=20 {
            let cell = diverging(f64::from(step) / 20.0);
            let text = match ink_on(cell) {
                Ink::OnDark => 1.0,
                _ => 0.0,
            };
            let cell = luminance(cell);
            let contrast = (cell.max(text) + 0.05) / (cell.min(text) + 0.05);
            assert!(contrast >= 4.5, "{step}: {contrast}");
        }
        for side in [-1.0, 1.0] {
            for step in 0..20 {
                let at = |step: i32| luminance(diverging(side * f64::from(step) / 20.0));
                assert!(at(step) > at(step + 1));
            }
        }
        assert!(luminance(diverging(-1.0)) < 0.6 * luminance(diverging(1.0)));
    }
}
