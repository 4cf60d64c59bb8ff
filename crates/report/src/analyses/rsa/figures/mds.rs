//! Two-dimensional maps of the stimuli, with their pictures where the record holds them.

use consilience_core::{MdsMap, RsaRecord, StimulusRecord};

use super::category_key;
use crate::{
    figures::{Flow, Heading, Panel, Plate, boxes::is_picture, common_top},
    palette::Ink,
    scale::Scale,
    svg::Draw,
    view,
};

const WIDTH: f64 = 420.0;

pub(super) fn plate(analysis: &str, rsa: &RsaRecord, stimuli: &[StimulusRecord]) -> Plate {
    let headings: Vec<Heading> = rsa
        .maps
        .iter()
        .map(|map| Heading::new(&map.title, &subtitle(map), WIDTH))
        .collect();
    let top = common_top(&headings);
    let panels: Vec<Panel> = rsa
        .maps
        .iter()
        .zip(&headings)
        .map(|(map, heading)| panel(map, stimuli, heading, top))
        .collect();
    let mut caption = "Stimuli arranged in the plane so that their distances follow the RDM as \
                       closely as possible (multidimensional scaling); r² is the share of the \
                       RDM’s variance that the plane keeps."
        .to_owned();
    let key = category_key(stimuli);
    if !key.is_empty() {
        caption.push_str(" Colours: category.");
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

fn panel(map: &MdsMap, stimuli: &[StimulusRecord], heading: &Heading, top: f64) -> Panel {
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
        let category = stimulus
            .category
            .as_deref()
            .and_then(|name| categories.iter().position(|c| *c == name));
        let tip = match &stimulus.category {
            Some(category) => format!("{} ({category})", stimulus.id),
            None => stimulus.id.clone(),
        };
        if picture(stimulus).is_some() {
            let corner = (at.0 - side / 2.0, at.1 - side / 2.0);
            d.instance(&format!("stimulus-{idx}"), corner, side, &tip);
            let border = category.map_or((Ink::Axis, 0.6), |c| (Ink::Category(c), 1.8));
            d.frame(corner, (side, side), border.0, border.1);
        } else {
            let ink = category.map_or(Ink::Series(0), Ink::Category);
            d.disc(at, (side / 5.0).clamp(2.5, 6.0), ink, Ink::Paper, &tip);
        }
    }
    Panel {
        alt: format!(
            "Map of {} stimuli after {}; {}.",
            stimuli.len(),
            map.title,
            subtitle(map)
        ),
        size: (WIDTH, top + WIDTH),
        body: d.into_string(),
    }
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
