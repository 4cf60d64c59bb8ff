//! A change as a triangle: its direction is in the shape, its size in the size.

use crate::{
    palette::Ink,
    svg::{Draw, num},
};

/// Opacity of the halo.
pub(super) const HALO: f64 = 0.32;
/// Least half-width: less could not be seen.
const LEAST: f64 = 1.8;

/// A mean change with what is known of it.
pub(super) struct Change {
    pub(super) value: f64,
    /// Standard deviation over runs, 0 when there is none.
    pub(super) sd: f64,
    pub(super) is_significant: bool,
}

/// Corners of a triangle of half-width `r` around a centre.
fn corners((x, y): (f64, f64), r: f64, up: bool) -> [(f64, f64); 3] {
    let tip = if up { -0.95 } else { 0.95 };
    [(x, y + tip * r), (x - r, y - tip * r), (x + r, y - tip * r)]
}

/// Draws a change: its area is proportional to its size, its area with the halo to size and standard deviation together.
/// At `limit`, the half-width is `radius`.
pub(super) fn draw(d: &mut Draw, at: (f64, f64), radius: f64, limit: f64, c: &Change, tip: &str) {
    // Areas are read as sizes, so half-widths grow with the root.
    let half_width = |value: f64| radius * (value / limit).min(1.0).sqrt();
    let up = c.value > 0.0;
    let ink = if up { Ink::Up } else { Ink::Down };
    let size = half_width(c.value.abs()).max(LEAST);
    if c.sd > 0.0 {
        let halo = half_width(c.value.abs() + c.sd);
        d.polygon(&corners(at, halo, up), Ink::Series(0), HALO);
    }
    if c.value == 0.0 {
        d.line((at.0 - 3.0, at.1), (at.0 + 3.0, at.1), Ink::Axis, 1.2);
        return;
    }
    let fill = if c.is_significant { ink } else { Ink::Paper };
    d.shape(&corners(at, size, up), fill, ink, tip);
}

/// What is undefined.
pub(super) fn cross(d: &mut Draw, (x, y): (f64, f64)) {
    const R: f64 = 2.4;
    d.line((x - R, y - R), (x + R, y + R), Ink::Axis, 1.0);
    d.line((x - R, y + R), (x + R, y - R), Ink::Axis, 1.0);
}

/// Round sizes for a key: the largest of 1, 2 and 5 times a power of ten that is not above the limit, and a third to a
/// half of it.
pub(super) fn round_sizes(limit: f64) -> [f64; 2] {
    let magnitude = 10_f64.powf(limit.log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|m| m * magnitude);
    let large = steps.into_iter().find(|s| *s <= limit * 1.001);
    let large = large.unwrap_or(magnitude);
    // 5 → 2, 2 → 1, 1 → 0.5.
    let small = if large == 5.0 * magnitude {
        2.0 * magnitude
    } else {
        large / 2.0
    };
    [small, large]
}

/// A size as its key says it: no digits that it does not have.
pub(super) fn size_label(size: f64) -> String {
    if size >= 0.01 {
        num(size)
    } else {
        format!("{size}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_sizes_are_round_and_fit() {
        assert_eq!(round_sizes(0.13).map(size_label), ["0.05", "0.1"]);
        assert_eq!(round_sizes(0.07).map(size_label), ["0.02", "0.05"]);
        assert_eq!(round_sizes(0.0041).map(size_label), ["0.001", "0.002"]);
        assert_eq!(round_sizes(1.0).map(size_label), ["0.5", "1"]);
    }

    #[test]
    fn direction_is_in_the_shape() {
        let draw = |value| {
            let mut d = Draw::default();
            let change = Change {
                value,
                sd: 0.0,
                is_significant: true,
            };
            draw(&mut d, (10.0, 10.0), 8.0, 0.1, &change, "");
            d.into_string()
        };
        assert!(draw(0.1).contains("10,2.4 2,17.6 18,17.6"), "{}", draw(0.1));
        assert!(
            draw(-0.1).contains("10,17.6 2,2.4 18,2.4"),
            "{}",
            draw(-0.1)
        );
        assert!(draw(0.0).starts_with("<line"));
    }
}
