//! A page of predicted ratings: pictures, numbers, and their places in the plane.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use minijinja::{Environment, UndefinedBehavior, value::Serde};
use serde::Serialize;

use crate::Result;
use crate::figures::plot::{Plot, extent, shown};
use crate::html::csp_hash;
use crate::palette::{self, Ink};
use crate::svg::{Anchor, Draw, Type, escape, num};

const TEMPLATE: &str = include_str!("../templates/predictions.html");
const STYLE: &str = include_str!("../assets/predictions.css");

/// Most points that carry their picture's name.
const N_NAMED: usize = 200;
/// Side of the plane.
const SIDE: f64 = 380.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 28.0;

/// A picture with its predicted ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictedPicture {
    /// What it is called.
    pub name: String,
    /// The picture, small, as PNG.
    pub png: Option<Vec<u8>>,
    /// A value for each rating.
    pub predicted: Vec<f64>,
    /// What people gave, if it is known.
    pub actual: Option<Vec<f64>>,
    /// Where its ratings come from, as [`occlusion_svg`](crate::occlusion_svg) draws it.
    pub maps: Option<String>,
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    style_hash: String,
    style: &'a str,
    heads: &'a [String],
    about: &'a str,
    low: String,
    high: String,
    single: Option<Single>,
    plane: Option<String>,
    caption: &'a str,
    maps: Vec<&'a str>,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    src: Option<String>,
    name: String,
    cells: Vec<String>,
}

#[derive(Serialize)]
struct Single {
    src: Option<String>,
    name: String,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    head: String,
    value: String,
    actual: Option<String>,
    bar: String,
}

/// One self-contained page of predictions: for a single picture its numbers on the scale and its place in the plane, for several a table.
///
/// `heads` names the ratings, `scale` its ends, `about` says in a sentence where predictions come from.
///
/// # Errors
///
/// [`ReportError::ShapeMismatch`](crate::ReportError::ShapeMismatch) for a picture without a value for each rating.
pub fn predictions_page(
    heads: &[String],
    scale: [f64; 2],
    about: &str,
    pictures: &[PredictedPicture],
) -> Result<String> {
    for picture in pictures {
        let lists = std::iter::once(&picture.predicted).chain(&picture.actual);
        if let Some(found) = lists.map(Vec::len).find(|n| *n != heads.len()) {
            return Err(crate::ReportError::ShapeMismatch {
                what: format!("the ratings of {}", picture.name),
                expected: heads.len(),
                found,
            });
        }
    }
    let has_actual = pictures.iter().any(|picture| picture.actual.is_some());
    let mut columns: Vec<String> = heads.to_vec();
    if has_actual {
        columns.extend(heads.iter().map(|head| format!("{head}, rated")));
    }
    let rows: Vec<Row> = pictures
        .iter()
        .map(|picture| row(picture, heads.len(), has_actual))
        .collect();
    let single = match pictures {
        [only] => Some(self::single(heads, scale, only)),
        _ => None,
    };
    let style = format!("{}{STYLE}", palette::css());
    let plane = (heads.len() == 2).then(|| plane(heads, scale, pictures));
    let caption = match has_actual {
        true => {
            "Filled: predicted; rings: rated; a line joins both points of a picture. The frame is the scale."
        }
        false => "Predictions in the plane of both ratings. The frame is the scale.",
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template("predictions.html", TEMPLATE)?;
    let page = Page {
        style_hash: csp_hash(&style),
        style: &style,
        heads,
        about,
        low: num(scale[0]),
        high: num(scale[1]),
        single,
        plane,
        caption,
        maps: pictures.iter().filter_map(|p| p.maps.as_deref()).collect(),
        columns,
        rows,
    };
    let page = environment
        .get_template("predictions.html")?
        .render(Serde(page))?;
    Ok(page + "\n")
}

fn source(picture: &PredictedPicture) -> Option<String> {
    let png = picture.png.as_ref()?;
    Some(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

fn value(value: f64) -> String {
    format!("{value:.2}")
}

fn row(picture: &PredictedPicture, n_ratings: usize, has_actual: bool) -> Row {
    let mut cells: Vec<String> = picture.predicted.iter().map(|&v| value(v)).collect();
    match &picture.actual {
        Some(actual) => cells.extend(actual.iter().map(|&v| value(v))),
        None if has_actual => cells.extend(vec!["–".to_owned(); n_ratings]),
        None => {}
    }
    Row {
        src: source(picture),
        name: picture.name.clone(),
        cells,
    }
}

fn single(heads: &[String], scale: [f64; 2], picture: &PredictedPicture) -> Single {
    let lines = heads.iter().enumerate().map(|(k, head)| {
        let actual = picture.actual.as_ref().map(|actual| actual[k]);
        Line {
            head: head.clone(),
            value: value(picture.predicted[k]),
            actual: actual.map(value),
            bar: bar(head, scale, picture.predicted[k], actual),
        }
    });
    Single {
        src: source(picture),
        name: picture.name.clone(),
        lines: lines.collect(),
    }
}

/// The scale as a line with a mark where the prediction is.
fn bar(head: &str, scale: [f64; 2], predicted: f64, actual: Option<f64>) -> String {
    let ends = scale.into_iter().chain([predicted]).chain(actual);
    let (low, high) = ends.fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let at = |v: f64| 10.0 + 280.0 * (v - low) / (high - low).max(f64::MIN_POSITIVE);
    let mut d = Draw::default();
    d.line((at(scale[0]), 12.0), (at(scale[1]), 12.0), Ink::Axis, 1.5);
    for end in scale {
        d.line((at(end), 7.0), (at(end), 17.0), Ink::Axis, 1.5);
        let style = Type {
            anchor: Anchor::Middle,
            ink: Ink::Muted,
            ..Type::default()
        };
        d.text(at(end), 29.0, &num(end), style);
    }
    if let Some(actual) = actual {
        d.ring((at(actual), 12.0), 5.0, Ink::Axis, 1.5);
    }
    d.dot((at(predicted), 12.0), 5.0, Ink::Series(0), 1.0, "");
    svg(&format!("{head} {}", value(predicted)), (300.0, 34.0), d)
}

fn plane(heads: &[String], scale: [f64; 2], pictures: &[PredictedPicture]) -> String {
    let values = |k: usize| {
        let all = pictures.iter().flat_map(move |picture| {
            let actual = picture.actual.as_ref().map(|actual| actual[k]);
            std::iter::once(picture.predicted[k]).chain(actual)
        });
        extent(all.chain(scale))
    };
    let plot = Plot::new(values(0), values(1), (LEFT, LEFT + SIDE), (TOP, TOP + SIDE));
    let mut d = Draw::default();
    plot.y_axis(&mut d, 7, &heads[1]);
    plot.x_axis(&mut d, &plot.x.ticks(8), &heads[0]);
    let (corner, opposite) = (plot.at(scale[0], scale[1]), plot.at(scale[1], scale[0]));
    let size = (opposite.0 - corner.0, opposite.1 - corner.1);
    d.frame(corner, size, Ink::Axis, 1.0);
    let middle = (scale[0] + scale[1]) / 2.0;
    for [from, to] in [
        [(middle, scale[0]), (middle, scale[1])],
        [(scale[0], middle), (scale[1], middle)],
    ] {
        d.line(plot.at(from.0, from.1), plot.at(to.0, to.1), Ink::Grid, 1.0);
    }
    let place = |values: &[f64]| {
        let at = |k: usize| shown(Some(values[k]));
        Some(plot.at(at(0)?, at(1)?))
    };
    let given = |picture: &PredictedPicture| picture.actual.as_deref().and_then(place);
    for picture in pictures {
        if let (Some(from), Some(to)) = (given(picture), place(&picture.predicted)) {
            d.line(from, to, Ink::Ceiling, 0.8);
        }
    }
    for at in pictures.iter().filter_map(given) {
        d.ring(at, 3.0, Ink::Axis, 0.9);
    }
    let named = pictures.len() <= N_NAMED;
    for picture in pictures {
        if let Some(at) = place(&picture.predicted) {
            let tip = if named { picture.name.as_str() } else { "" };
            d.dot(
                at,
                if pictures.len() == 1 { 6.0 } else { 3.2 },
                Ink::Series(0),
                0.75,
                tip,
            );
        }
    }
    let alt = format!(
        "{} and {} of {} pictures",
        heads[0],
        heads[1],
        pictures.len()
    );
    svg(&alt, (LEFT + SIDE + 10.0, TOP + SIDE + 34.0), d)
}

fn svg(alt: &str, (width, height): (f64, f64), d: Draw) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{}\">{}</svg>",
        escape(alt),
        d.into_string(),
        w = num(width),
        h = num(height),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(name: &str, predicted: [f64; 2], actual: Option<Vec<f64>>) -> PredictedPicture {
        PredictedPicture {
            name: name.to_owned(),
            png: Some(vec![1, 2, 3]),
            predicted: predicted.to_vec(),
            actual,
            maps: None,
        }
    }

    fn heads() -> Vec<String> {
        vec!["valence".to_owned(), "arousal".to_owned()]
    }

    #[test]
    fn one_picture_has_its_numbers_and_several_have_a_table() {
        let one = [picture("dog.jpg", [7.126, 3.5], None)];
        let page = predictions_page(&heads(), [1.0, 9.0], "Module IV.", &one).unwrap();
        assert!(page.contains("<b>7.13</b> valence") && page.contains("<b>3.50</b> arousal"));
        assert!(!page.contains("<table>") && page.contains("data:image/png;base64,AQID"));
        let two = [
            one[0].clone(),
            picture("<b>.jpg", [2.0, 6.0], Some(vec![3.0, 5.25])),
        ];
        let page = predictions_page(&heads(), [1.0, 9.0], "Module IV.", &two).unwrap();
        assert!(page.contains("&lt;b&gt;.jpg") && !page.contains("<b>.jpg"));
        assert!(page.contains("5.25") && page.contains("valence, rated"));
        // Nothing is loaded from elsewhere.
        assert!(
            !page.contains("http:")
                || page.matches("http:").count()
                    == page.matches("http://www.w3.org/2000/svg").count()
        );
        assert!(!page.contains("https:"));
    }

    #[test]
    fn a_picture_without_a_value_for_each_rating_is_refused() {
        let short = [PredictedPicture {
            predicted: vec![1.0],
            ..picture("a", [1.0, 2.0], None)
        }];
        assert!(predictions_page(&heads(), [1.0, 9.0], "", &short).is_err());
    }

    #[test]
    fn maps_are_shown_where_there_are_some() {
        let without = picture("a", [1.0, 2.0], None);
        let with = PredictedPicture {
            maps: Some("<svg>map</svg>".to_owned()),
            ..without.clone()
        };
        let page = |all: &[PredictedPicture]| predictions_page(&heads(), [1.0, 9.0], "", all);
        let shown = page(&[without.clone(), with.clone()]).unwrap();
        assert_eq!(shown.matches("<svg>map</svg>").count(), 1);
        assert!(shown.contains("orange"));
        assert!(page(&[with]).unwrap().contains("<svg>map</svg>"));
        assert!(!page(&[without]).unwrap().contains("orange"));
    }

    #[test]
    fn one_rating_has_no_plane() {
        let only = [PredictedPicture {
            predicted: vec![4.0],
            ..picture("a", [1.0, 2.0], None)
        }];
        let page = predictions_page(&heads()[..1], [1.0, 7.0], "", &only).unwrap();
        assert!(page.contains("<b>4.00</b> valence") && !page.contains("<figure>"));
    }
}
