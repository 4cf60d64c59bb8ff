//! Boxes drawn onto the picture that they were found in.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::palette::Ink;
use crate::svg::{Draw, FONT_FAMILY, Type, num};
use crate::text;

/// A box with what is written on it.
#[derive(Debug, Clone, PartialEq)]
pub struct BoxMark {
    /// Left, upper, right and lower edge in pixels of the picture.
    pub edges: [f64; 4],
    /// What is written on it, e.g. `dog 0.83`.
    pub label: String,
    /// Boxes of one group have one colour; groups beyond the palette share colours in order.
    pub group: usize,
    /// Points inside it, as `[x, y]` in pixels of the picture.
    pub points: Vec<[f64; 2]>,
}

/// The picture, given as PNG, with frames and labels on it, as SVG of `width` × `height`, its pixels.
///
/// Line width and letters grow with the picture. A label stands above its box, or inside where there is
/// no room above; the first marks are drawn last, so that they are never covered.
///
/// # Example
///
/// ```
/// use consilience_report::{BoxMark, boxes_svg};
///
/// let mark = BoxMark { edges: [1.0, 2.0, 8.0, 9.0], label: "dog 0.83".into(), group: 16, points: vec![] };
/// let svg = boxes_svg(b"(bytes of a PNG)", 10, 10, &[mark]);
/// assert!(svg.contains("dog 0.83"));
/// ```
#[must_use]
pub fn boxes_svg(png: &[u8], width: usize, height: usize, marks: &[BoxMark]) -> String {
    let (w, h) = (width as f64, height as f64);
    let size = (w.max(h) / 45.0).clamp(8.0, 200.0);
    let mut d = Draw::default();
    let href = format!("data:image/png;base64,{}", STANDARD.encode(png));
    d.image((0.0, 0.0), (w, h), &href);
    draw_boxes(&mut d, marks, (w, h), size);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"{FONT_FAMILY}\">\n{2}</svg>\n",
        num(w),
        num(h),
        d.into_string()
    )
}

/// Frames and labels of a picture of this extent, with letters of this size.
pub(crate) fn draw_boxes(d: &mut Draw, marks: &[BoxMark], (w, _): (f64, f64), size: f64) {
    let line = size / 6.0;
    for mark in marks.iter().rev() {
        let [left, top, right, bottom] = mark.edges;
        let ink = Ink::Category(mark.group);
        let extent = (right - left, bottom - top);
        // A light line around the coloured one keeps it visible on any picture.
        d.frame((left, top), extent, Ink::Paper, line * 1.8);
        d.frame((left, top), extent, ink, line);
        for &[x, y] in &mark.points {
            d.disc((x, y), line * 1.2, ink, Ink::Paper, "");
        }
        if mark.label.is_empty() {
            continue;
        }
        let row = size * 1.35;
        let above = top >= row;
        let y = if above { top - row } else { top };
        let label_width = text::width(&mark.label, size) + size * 0.6;
        let x = left.min(w - label_width).max(0.0);
        d.rect((x, y), (label_width, row), Ink::Paper, 0.88);
        d.rect((x, y), (size * 0.2, row), ink, 1.0);
        let style = Type {
            size,
            ..Type::default()
        };
        d.text(x + size * 0.4, y + size, &mark.label, style);
    }
}

/// Whether this is a picture in base64 and nothing else: a record is a file that anyone can write.
pub(crate) fn is_picture(address: &str) -> bool {
    address
        .strip_prefix("data:image/png;base64,")
        .is_some_and(|data| {
            data.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stay_in_the_picture_and_markup_in_them_is_text() {
        let mark = |edges, label: &str| BoxMark {
            edges,
            label: label.into(),
            group: 3,
            points: vec![[5.0, 6.0]],
        };
        let svg = boxes_svg(
            b"",
            400,
            300,
            &[
                mark([390.0, 0.0, 400.0, 50.0], "<script>"),
                mark([0.0, 100.0, 30.0, 140.0], ""),
            ],
        );
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script>"));
        assert_eq!(svg.matches("<text").count(), 1);
        assert_eq!(svg.matches("<circle").count(), 2);
        let at = svg.find("<text x=\"").unwrap() + 9;
        let x: f64 = svg[at..].split('"').next().unwrap().parse().unwrap();
        assert!(x + text::width("<script>", 400.0 / 45.0) <= 400.0, "{x}");
        assert!(crate::png(&svg, 1.0).is_ok());
    }
}
