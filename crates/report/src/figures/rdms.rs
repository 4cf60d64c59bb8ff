//! Heat maps of RDMs, stimuli grouped by category or ordered by a value.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consilience_core::{DisplayRdm, StimulusRecord, pairs};

use super::{Flow, Heading, Order, Panel, Plate, Values, category_key, common_top};
use crate::{
    palette::Ink,
    raster,
    svg::{Anchor, Draw, Type},
    text, view,
};

const WIDTH: f64 = 272.0;
const LABEL_WIDTH: f64 = 86.0;
const STRIP: f64 = 6.0;
const GAP: f64 = 3.0;
const LABEL_SIZE: f64 = 9.0;
/// Pixels along a side of the embedded picture, at least: cells stay sharp when it is enlarged.
const PIXELS: usize = 640;

/// A panel for each RDM.
pub(crate) fn plate(
    analysis: &str,
    rdms: &[DisplayRdm],
    stimuli: &[StimulusRecord],
    order: Order<'_>,
) -> Plate {
    let has_any = |n: usize| rdms.iter().any(|rdm| rdm.n == n);
    let rdms: Vec<&DisplayRdm> = rdms.iter().filter(|rdm| rdm.n >= 2).collect();
    let headings: Vec<Heading> = rdms
        .iter()
        .map(|rdm| Heading::new(&rdm.title, "", WIDTH))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = rdms
        .iter()
        .zip(&headings)
        .map(|(rdm, heading)| panel(rdm, (stimuli, order), heading, top))
        .collect();
    let grouped = matches!(order, Order::Categories) && !view::categories(stimuli).is_empty();
    let how = match order {
        Order::Values(values) if has_any(values.values.len()) => {
            format!(
                "from low to high {0}; strips along the sides: {0} (dark: low)",
                values.name
            )
        }
        _ if grouped => "grouped by category".to_owned(),
        _ => "in the order of the study".to_owned(),
    };
    Plate {
        name: format!("{analysis}-rdms"),
        title: "Representational dissimilarity matrices".into(),
        caption: format!(
            "Dissimilarity of every pair of stimuli, as percentile within its matrix (dark: \
             similar, light: dissimilar); stimuli {how}."
        ),
        // The key of categories belongs to matrices that show them.
        key: if grouped && has_any(stimuli.len()) {
            category_key(stimuli)
        } else {
            Vec::new()
        },
        flow: Flow::Columns,
        max_columns: if panels.len() == 3 { 3 } else { 4 },
        panels,
        definitions: String::new(),
    }
}

/// Stimuli in the order of first appearance of their category (those without one last), as index
/// and category.
fn by_category(stimuli: &[StimulusRecord]) -> Vec<(usize, Option<usize>)> {
    let categories = view::categories(stimuli);
    let mut order: Vec<(usize, Option<usize>)> = stimuli
        .iter()
        .enumerate()
        .map(|(idx, s)| {
            let name = s.category.as_deref();
            (
                idx,
                name.and_then(|name| categories.iter().position(|c| *c == name)),
            )
        })
        .collect();
    order.sort_by_key(|&(idx, category)| (category.unwrap_or(usize::MAX), idx));
    order
}

fn panel(
    rdm: &DisplayRdm,
    (stimuli, order): (&[StimulusRecord], Order<'_>),
    heading: &Heading,
    top: f64,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let values = match order {
        Order::Values(values) if values.values.len() == rdm.n => Some(values),
        _ => None,
    };
    let blocks = match order {
        Order::Categories if rdm.n == stimuli.len() => by_category(stimuli),
        _ => (0..rdm.n).map(|idx| (idx, None)).collect(),
    };
    let grouped = blocks.iter().any(|(_, category)| category.is_some());
    let has_strips = grouped || values.is_some();
    let edge = if has_strips { STRIP + GAP } else { 0.0 };
    let left = if grouped { LABEL_WIDTH } else { 1.0 } + edge;
    let side = WIDTH - left - 1.0;
    let origin = (left, top + edge);

    let sequence: Vec<usize> = match values {
        Some(values) => values.ascending(),
        None => blocks.iter().map(|&(idx, _)| idx).collect(),
    };
    d.image(origin, (side, side), &picture(rdm, &sequence));
    match values {
        Some(values) => value_strips(&mut d, values, &sequence, origin, side),
        None if grouped => strips(&mut d, &blocks, stimuli, origin, side),
        None => {}
    }
    let bottom = colour_bar(&mut d, origin.0, origin.1 + side + 10.0, side);
    Panel {
        alt: format!(
            "Heat map of the RDM of {}, {} by {} stimuli.",
            rdm.title, rdm.n, rdm.n
        ),
        size: (WIDTH, bottom),
        body: d.into_string(),
    }
}

/// The values in the colours of the matrix, along both sides.
fn value_strips(
    d: &mut Draw,
    values: Values<'_>,
    sequence: &[usize],
    origin: (f64, f64),
    side: f64,
) {
    let index = |&idx: &usize| match values.share(idx) {
        Some(share) => (share * f64::from(raster::MISSING - 1)).round() as u8,
        None => raster::MISSING,
    };
    let pixels: Vec<u8> = sequence.iter().map(index).collect();
    let n = pixels.len();
    let mut strip = |at: (f64, f64), size: (f64, f64), (w, h): (usize, usize)| {
        let png = raster::indexed_png(w, h, &pixels);
        let href = format!("data:image/png;base64,{}", STANDARD.encode(png));
        d.image(at, size, &href);
    };
    let before = GAP + STRIP;
    strip((origin.0 - before, origin.1), (STRIP, side), (1, n));
    strip((origin.0, origin.1 - before), (side, STRIP), (n, 1));
}

/// The matrix as a `data:` address of an indexed PNG. The diagonal is as dark as the scale goes.
fn picture(rdm: &DisplayRdm, sequence: &[usize]) -> String {
    let n = sequence.len();
    let scale = PIXELS.div_ceil(n).max(1);
    let index = |row: usize, column: usize| -> u8 {
        let (i, j) = (sequence[row], sequence[column]);
        if i == j {
            return 0;
        }
        let rank = rdm.ranks[pairs::pair_idx(i.min(j), i.max(j), n)];
        // A pair without a value keeps an entry of its own.
        if rank.is_nan() {
            raster::MISSING
        } else {
            (f64::from(rank.clamp(0.0, 1.0)) * f64::from(raster::MISSING - 1)).round() as u8
        }
    };
    let mut pixels = Vec::with_capacity(n * n * scale * scale);
    for row in 0..n {
        let line: Vec<u8> = (0..n)
            .flat_map(|column| std::iter::repeat_n(index(row, column), scale))
            .collect();
        for _ in 0..scale {
            pixels.extend_from_slice(&line);
        }
    }
    let png = raster::indexed_png(n * scale, n * scale, &pixels);
    format!("data:image/png;base64,{}", STANDARD.encode(png))
}

/// Category colours along both sides, and names where a block is tall enough for one.
fn strips(
    d: &mut Draw,
    order: &[(usize, Option<usize>)],
    stimuli: &[StimulusRecord],
    origin: (f64, f64),
    side: f64,
) {
    let cell = side / order.len() as f64;
    let categories = view::categories(stimuli);
    let mut start = 0;
    for block in order.chunk_by(|a, b| a.1 == b.1) {
        let (from, extent) = (start as f64 * cell, block.len() as f64 * cell);
        start += block.len();
        let Some(category) = block[0].1 else {
            continue;
        };
        let ink = Ink::Category(category);
        d.rect(
            (origin.0 - GAP - STRIP, origin.1 + from),
            (STRIP, extent),
            ink,
            1.0,
        );
        d.rect(
            (origin.0 + from, origin.1 - GAP - STRIP),
            (extent, STRIP),
            ink,
            1.0,
        );
        if extent >= LABEL_SIZE + 1.5 {
            let style = Type {
                size: LABEL_SIZE,
                anchor: Anchor::End,
                ..Type::default()
            };
            let label = text::fit(categories[category], LABEL_SIZE, LABEL_WIDTH - 4.0);
            let y = origin.1 + from + extent / 2.0 + 3.3;
            d.text(LABEL_WIDTH - 3.0, y, &label, style);
        }
    }
}

/// The colour scale; returns its lower end.
fn colour_bar(d: &mut Draw, left: f64, top: f64, width: f64) -> f64 {
    const HEIGHT: f64 = 6.0;
    let steps: Vec<u8> = (0..raster::MISSING).collect();
    let png = raster::indexed_png(steps.len(), 1, &steps);
    let href = format!("data:image/png;base64,{}", STANDARD.encode(png));
    let bar = (width * 0.5).min(120.0);
    let from = left + (width - bar) / 2.0;
    d.image((from, top), (bar, HEIGHT), &href);
    let style = Type {
        size: 9.0,
        ink: Ink::Muted,
        ..Type::default()
    };
    let y = top + HEIGHT;
    let end = Type {
        anchor: Anchor::End,
        ..style
    };
    d.text(from - 5.0, y, "0", end);
    d.text(from + bar + 5.0, y, "100", style);
    let middle = Type {
        anchor: Anchor::Middle,
        ..style
    };
    d.text(
        from + bar / 2.0,
        y + 12.0,
        "dissimilarity (percentile)",
        middle,
    );
    y + 17.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stimulus(category: Option<&str>) -> StimulusRecord {
        StimulusRecord {
            id: String::new(),
            category: category.map(Into::into),
            clip: None,
            thumbnail: None,
        }
    }

    #[test]
    fn stimuli_are_grouped_in_order_of_appearance() {
        let stimuli = [Some("b"), None, Some("a"), Some("b")].map(stimulus);
        let sequence: Vec<_> = by_category(&stimuli);
        assert_eq!(
            sequence,
            [(0, Some(0)), (3, Some(0)), (2, Some(1)), (1, None)]
        );
    }
}
