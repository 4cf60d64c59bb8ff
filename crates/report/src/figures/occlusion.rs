//! Where in a picture predicted ratings come from: maps of occlusion over the picture.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::grid::{GRADIENT, gradient};
use crate::palette::{Ink, diverging};
use crate::raster::rgb_png;
use crate::scale::signed;
use crate::svg::{Anchor, Draw, FONT_FAMILY, Type, escape, num};
use crate::{ReportError, Result, text};

/// Longer side of a picture.
const SIDE: f64 = 220.0;
const GAP: f64 = 18.0;
/// Room for two lines above a picture.
const TOP: f64 = 32.0;
/// Room for a bar and two lines below it.
const BELOW: f64 = 44.0;
const SMALL: f64 = 9.0;

/// A picture as the network sees it, with a map for each rating.
#[derive(Debug, Clone, PartialEq)]
pub struct OccludedPicture<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Whether its pixels are blocks, to hide what it shows.
    pub blurred: bool,
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// Red, green and blue of each pixel, row by row.
    pub pixels: &'a [u8],
    /// Side of the patch that covered windows of it.
    pub patch: usize,
    /// The maps.
    pub maps: Vec<RatingMap<'a>>,
}

/// What a predicted rating owes to each pixel.
#[derive(Debug, Clone, PartialEq)]
pub struct RatingMap<'a> {
    /// What is rated.
    pub rating: &'a str,
    /// Prediction of the whole picture.
    pub predicted: f64,
    /// Row by row: positive where what is there raises the prediction.
    pub values: &'a [f64],
}

/// The picture with the side of the patch, and beside it each map over the picture in grey, as SVG.
///
/// # Definition
///
/// Orange raises, blue lowers the prediction. Each map has a scale of its own, from minus to plus its largest size, given below it
/// in points of the rating; half the colour is that of the scale, the other half the grey of the picture, 0.299 R + 0.587 G + 0.114 B.
///
/// # Errors
///
/// [`ReportError::ShapeMismatch`] for pixels or a map that do not fill the picture.
///
/// # Example
///
/// ```
/// use consilience_report::{OccludedPicture, RatingMap, occlusion_svg};
///
/// let map = RatingMap { rating: "valence", predicted: 4.2, values: &[0.0, -0.5] };
/// let picture = OccludedPicture { name: "a.png", blurred: false, size: [1, 2], pixels: &[9; 6], patch: 1, maps: vec![map] };
/// assert!(occlusion_svg(&picture)?.contains("valence 4.20"));
/// # Ok::<(), consilience_report::ReportError>(())
/// ```
pub fn occlusion_svg(picture: &OccludedPicture<'_>) -> Result<String> {
    let [height, width] = picture.size;
    let n_pixels = height * width;
    let maps = picture
        .maps
        .iter()
        .map(|map| (map.rating, map.values.len()));
    let counts = std::iter::once(("pixels", picture.pixels.len() / 3)).chain(maps);
    for (what, found) in counts {
        if found != n_pixels || n_pixels == 0 {
            return Err(ReportError::ShapeMismatch {
                what: format!("the {what} of {}", picture.name),
                expected: n_pixels.max(1),
                found,
            });
        }
    }
    let scale = SIDE / height.max(width) as f64;
    let (w, h) = (width as f64 * scale, height as f64 * scale);
    let shown_as = match picture.blurred {
        true => "hidden by blocks",
        false => "as the network sees it",
    };
    let mut d = Draw::default();
    let place = |column: usize| column as f64 * (w + GAP);
    title(&mut d, place(0), &[picture.name, shown_as], w);
    d.image(
        (place(0), TOP),
        (w, h),
        &href(picture.pixels, picture.size)?,
    );
    let patch = picture.patch as f64 * scale;
    let corner = (place(0), TOP + h - patch);
    d.frame(corner, (patch, patch), Ink::Paper, 3.0);
    d.frame(corner, (patch, patch), Ink::Text, 1.2);
    let note = format!("frame: the patch, {0} × {0} pixels", picture.patch);
    d.text(
        place(0),
        TOP + h + 16.0,
        &text::fit(&note, SMALL, w),
        muted(),
    );
    for (column, map) in (1..).zip(&picture.maps) {
        let limit = map.values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        let left = place(column);
        let head = format!("{} {:.2}", map.rating, map.predicted);
        title(&mut d, left, &[&head, "what each place adds to it"], w);
        let over = overlay(picture.pixels, map.values, limit);
        d.image((left, TOP), (w, h), &href(&over, picture.size)?);
        bar(&mut d, (left, TOP + h + 8.0), w, limit, map.rating);
    }
    let size = (place(picture.maps.len()) + w, TOP + h + BELOW);
    let ratings: Vec<&str> = picture.maps.iter().map(|map| map.rating).collect();
    let alt = format!(
        "what each place of {} adds to its predicted {}",
        picture.name,
        ratings.join(" and ")
    );
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\" font-family=\"{FONT_FAMILY}\">\n{3}</svg>\n",
        num(size.0),
        num(size.1),
        escape(&alt),
        d.into_string()
    ))
}

fn muted() -> Type {
    Type {
        size: SMALL,
        ink: Ink::Muted,
        ..Type::default()
    }
}

/// Two lines above a picture.
fn title(d: &mut Draw, left: f64, lines: &[&str; 2], width: f64) {
    let name = text::fit(lines[0], 11.0, width);
    let bold = Type {
        size: 11.0,
        bold: true,
        ..Type::default()
    };
    d.text(left, 11.0, &name, bold);
    d.text(left, 25.0, lines[1], muted());
}

/// The scale of a map, with its ends and its unit.
fn bar(d: &mut Draw, (left, top): (f64, f64), width: f64, limit: f64, rating: &str) {
    gradient(d, (left, top), width, -1.0);
    let ends = [(0.0, -limit), (0.5, 0.0), (1.0, limit)];
    for (anchor, (share, value)) in [Anchor::Start, Anchor::Middle, Anchor::End]
        .into_iter()
        .zip(ends)
    {
        let style = Type { anchor, ..muted() };
        let y = top + GRADIENT + 11.0;
        d.text(left + share * width, y, &shown(value), style);
    }
    let unit = format!("points of {rating}");
    d.text(left, top + GRADIENT + 24.0, &unit, muted());
}

/// A value with two digits that count.
fn shown(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let decimals = (1.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let number = signed(&format!("{value:.decimals$}"));
    if value > 0.0 {
        return format!("+{number}");
    }
    number
}

/// The colours of a map over the picture in grey.
fn overlay(pixels: &[u8], values: &[f64], limit: f64) -> Vec<u8> {
    let scale = if limit > 0.0 { 1.0 / limit } else { 0.0 };
    let (pixels, _) = pixels.as_chunks::<3>();
    pixels
        .iter()
        .zip(values)
        .flat_map(|(pixel, value)| {
            let [red, green, blue] = pixel.map(f64::from);
            let grey = (0.299 * red + 0.587 * green + 0.114 * blue).round() as u8;
            diverging(value * scale).map(|colour| grey.midpoint(colour))
        })
        .collect()
}

fn href(pixels: &[u8], [height, width]: [usize; 2]) -> Result<String> {
    let png = rgb_png(width, height, pixels)?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture<'a>(name: &'a str, values: &'a [f64]) -> OccludedPicture<'a> {
        OccludedPicture {
            name,
            blurred: false,
            size: [2, 3],
            pixels: &[100; 18],
            patch: 1,
            maps: vec![RatingMap {
                rating: "valence",
                predicted: 4.256,
                values,
            }],
        }
    }

    #[test]
    fn colours_say_what_raises_and_what_lowers() {
        let found = overlay(&[100; 9], &[0.5, 0.0, -0.5], 0.5);
        let (found, _) = found.as_chunks::<3>();
        let mixed = |t: f64| diverging(t).map(|c| 100_u8.midpoint(c));
        assert_eq!(found, [mixed(1.0), mixed(0.0), mixed(-1.0)]);
        // Red outweighs blue where the prediction rises, the other way round where it falls.
        assert!(found[0][0] > found[0][2] && found[2][2] > found[2][0]);
        // A map of nothing is coloured as 0 everywhere.
        assert_eq!(overlay(&[100; 3], &[0.0], 0.0), mixed(0.0));
    }

    #[test]
    fn the_figure_has_its_scale_and_its_unit_and_can_be_drawn() {
        let svg = occlusion_svg(&picture("<b>.png", &[0.0, 0.1, -0.25, 0.0, 0.0, 0.0])).unwrap();
        for part in [
            "−0.25",
            "+0.25",
            "points of valence",
            "valence 4.26",
            "&lt;b&gt;.png",
        ] {
            assert!(svg.contains(part), "{part}");
        }
        assert!(!svg.contains("<b>") && svg.contains("as the network sees it"));
        let blurred = OccludedPicture {
            blurred: true,
            ..picture("a.png", &[0.0; 6])
        };
        assert!(
            occlusion_svg(&blurred)
                .unwrap()
                .contains("hidden by blocks")
        );
        assert!(crate::png(&svg, 1.0).is_ok());
    }

    #[test]
    fn maps_of_another_size_are_refused() {
        let error = occlusion_svg(&picture("a", &[0.0; 5])).unwrap_err();
        assert!(error.to_string().contains("expected 6, found 5"), "{error}");
        let none = OccludedPicture {
            size: [0, 3],
            pixels: &[],
            maps: vec![],
            ..picture("a", &[])
        };
        assert!(occlusion_svg(&none).is_err());
    }

    #[test]
    fn ends_of_scales_have_two_digits() {
        for (value, expected) in [
            (0.314, "+0.31"),
            (-2.0, "−2.0"),
            (0.000_123, "+0.00012"),
            (-12.4, "−12"),
            (0.0, "0"),
        ] {
            assert_eq!(shown(value), expected);
        }
    }
}
