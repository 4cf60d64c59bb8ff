//! Two-dimensional maps of the stimuli, with their pictures where the record holds them.

use consilience_core::{MdsMap, StimulusRecord};

use super::{
    Flow, Heading, Order, Panel, Plate, Values, boxes::is_picture, category_key, common_top,
};
use crate::{
    palette::{Ink, colour},
    scale::Scale,
    svg::{Draw, Type},
    text, view,
};

const WIDTH: f64 = 420.0;

/// A panel for each map.
pub(crate) fn plate(
    analysis: &str,
    maps: &[MdsMap],
    stimuli: &[StimulusRecord],
    order: Order<'_>,
) -> Plate {
    let headings: Vec<Heading> = maps
        .iter()
        .map(|map| Heading::new(&map.title, &subtitle(map), WIDTH))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = maps
        .iter()
        .zip(&headings)
        .map(|(map, heading)| panel(map, (stimuli, order), heading, top))
        .collect();
    let mut caption = "Stimuli arranged in the plane so that their distances follow the RDM as \
                       closely as possible (multidimensional scaling); r² is the share of the \
                       RDM’s variance that the plane keeps."
        .to_owned();
    let key = match order {
        Order::Categories => category_key(stimuli),
        Order::Values(_) => Vec::new(),
    };
    match order {
        Order::Values(values) => {
            caption.push_str(&format!(" Colours: {} (dark: low).", values.name));
        }
        Order::Categories if !key.is_empty() => caption.push_str(" Colours: category."),
        Order::Categories => {}
    }
    Plate {
        name: format!("{analysis}-mds"),
        title: "Arrangement of the stimuli".into(),
        caption,
        flow: Flow::Columns,
        max_columns: if panels.len() > 6 { 4 } else { 2 },
        definitions: if panels.is_empty() {
            String::new()
        } else {
            definitions(stimuli)
        },
        panels,
        key,
    }
}

fn picture(stimulus: &StimulusRecord) -> Option<&str> {
    stimulus.thumbnail.as_deref().filter(|t| is_picture(t))
}

/// Every thumbnail once, of unit size.
pub(crate) fn definitions(stimuli: &[StimulusRecord]) -> String {
    stimuli
        .iter()
        .enumerate()
        .filter_map(|(idx, s)| Some((idx, picture(s)?)))
        .map(|(idx, href)| {
            format!("<image id=\"stimulus-{idx}\" width=\"1\" height=\"1\" href=\"{href}\"/>\n")
        })
        .collect()
}

/// Side of a picture: together they may cover a good part of the plane, within readable limits.
fn side(n: usize) -> f64 {
    (0.62 * WIDTH / (n.max(1) as f64).sqrt()).clamp(9.0, 46.0)
}

fn subtitle(map: &MdsMap) -> String {
    if map.fit.is_finite() {
        format!("r² = {}", view::score(map.fit))
    } else {
        String::new()
    }
}

fn panel(
    map: &MdsMap,
    (stimuli, order): (&[StimulusRecord], Order<'_>),
    heading: &Heading,
    top: f64,
) -> Panel {
    let mut d = Draw::default();
    heading.draw(&mut d);
    let side = side(stimuli.len());
    d.frame((0.5, top), (WIDTH - 1.0, WIDTH - 1.0), Ink::Grid, 1.0);
    let pad = side / 2.0 + 7.0;
    let x = Scale::new((-1.0, 1.0), (pad, WIDTH - pad));
    let y = Scale::new((-1.0, 1.0), (top + WIDTH - 1.0 - pad, top + pad));

    let categories = view::categories(stimuli);
    for (idx, (stimulus, point)) in stimuli.iter().zip(&map.points).enumerate() {
        let [px, py] = point.map(f64::from);
        if !(px.is_finite() && py.is_finite()) {
            continue;
        }
        let at = (x.at(px.clamp(-1.0, 1.0)), y.at(py.clamp(-1.0, 1.0)));
        let picture =
            picture(stimulus).map(|_| (format!("stimulus-{idx}"), at.0 - side / 2.0, at.1));
        let radius = (side / 5.0).clamp(2.5, 6.0);
        if let Order::Values(values) = order {
            let tip = values.tip(idx, &stimulus.id);
            let tint = values.share(idx).map(colour);
            if let Some((id, left, middle)) = picture {
                let corner = (left, middle - side / 2.0);
                d.instance(&id, corner, side, &tip);
                match tint {
                    Some(tint) => d.tinted_frame(corner, (side, side), tint, 2.2),
                    None => d.frame(corner, (side, side), Ink::Axis, 0.6),
                }
            } else {
                match tint {
                    Some(tint) => d.bead(at, radius, tint, &tip),
                    None => d.disc(at, radius, Ink::Paper, Ink::Axis, &tip),
                }
            }
            continue;
        }
        let category = stimulus
            .category
            .as_deref()
            .and_then(|name| categories.iter().position(|c| *c == name));
        let tip = match &stimulus.category {
            Some(category) => format!("{} ({category})", stimulus.id),
            None => stimulus.id.clone(),
        };
        if let Some((id, left, middle)) = picture {
            let corner = (left, middle - side / 2.0);
            d.instance(&id, corner, side, &tip);
            let border = category.map_or((Ink::Axis, 0.6), |c| (Ink::Category(c), 1.8));
            d.frame(corner, (side, side), border.0, border.1);
        } else {
            let ink = category.map_or(Ink::Series(0), Ink::Category);
            d.disc(at, radius, ink, Ink::Paper, &tip);
        }
    }
    let bottom = match order {
        Order::Categories => top + WIDTH,
        Order::Values(values) => colour_bar(&mut d, values, top + WIDTH + 10.0),
    };
    Panel {
        alt: format!(
            "Map of {} stimuli after {}; {}.",
            stimuli.len(),
            map.title,
            subtitle(map)
        ),
        size: (WIDTH, bottom),
        body: d.into_string(),
    }
}

/// The scale of colours; returns its lower end.
fn colour_bar(d: &mut Draw, values: Values<'_>, top: f64) -> f64 {
    const N: usize = 41;
    const SIZE: (f64, f64) = (120.0, 6.0);
    let small = Type {
        size: 9.0,
        ink: Ink::Muted,
        ..Type::default()
    };
    let ends = values.ends.map(view::short);
    let first = format!("{} {}", values.name, ends[0]);
    d.text(1.0, top + SIZE.1, &first, small);
    let from = 1.0 + text::width(&first, 9.0) + 4.0;
    for step in 0..N {
        let x = from + SIZE.0 * step as f64 / N as f64;
        // A little wider, so that no seam shows.
        let width = SIZE.0 / N as f64 + if step + 1 < N { 0.4 } else { 0.0 };
        d.cell(
            (x, top),
            (width, SIZE.1),
            colour(step as f64 / (N - 1) as f64),
            "",
        );
    }
    d.text(from + SIZE.0 + 4.0, top + SIZE.1, &ends[1], small);
    top + SIZE.1 + 6.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_embedded_pictures_are_shown() {
        assert!(is_picture("data:image/png;base64,iVBORw0KGgo="));
        assert!(!is_picture("https://example.org/a.png"));
        assert!(!is_picture("data:image/png;base64,x\"/><script>"));
        assert!(!is_picture("data:image/svg+xml;base64,AAAA"));
    }
}
