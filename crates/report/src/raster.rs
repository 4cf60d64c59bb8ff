//! SVG to PNG with an embedded font, so that the bytes do not depend on the machine; and the
//! indexed PNGs inside heat maps.

use std::sync::{Arc, LazyLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{ImageHrefResolver, Options, Tree, fontdb},
};

use crate::{ReportError, Result, palette::colour};

/// Colour index of a value that is missing in a heat map.
pub(crate) const MISSING: u8 = 255;

/// Largest side of a picture in pixels.
const LIMIT: u32 = 20_000;

static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(dejavu::sans_condensed::regular().to_vec());
    fonts.load_font_data(dejavu::sans_condensed::bold().to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Draws a figure as PNG, `scale` pixels to a unit of the SVG (2 is right for screens and print).
///
/// Text is set in the embedded DejaVu Sans Condensed, whatever fonts the machine has; pictures are
/// taken from `data:` addresses only.
///
/// # Errors
///
/// [`ReportError::Svg`] when the text is not SVG, [`ReportError::Canvas`] when a side would have no
/// pixel or more than 20,000.
///
/// # Example
///
/// ```
/// let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>"#;
/// let png = consilience_report::png(svg, 2.0)?;
/// assert_eq!(&png[1..4], b"PNG");
/// # Ok::<(), consilience_report::ReportError>(())
/// ```
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>> {
    let tree = tree(svg)?;
    let size = tree.size();
    let pixels = |side: f32| (side * scale).ceil() as u32;
    let (width, height) = (pixels(size.width()), pixels(size.height()));
    // The size is judged before the memory is asked for.
    let mut canvas = (width.max(height) <= LIMIT)
        .then(|| Pixmap::new(width, height))
        .flatten()
        .ok_or(ReportError::Canvas {
            width,
            height,
            limit: LIMIT,
        })?;
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut canvas.as_mut(),
    );
    let rgba: Vec<u8> = canvas
        .pixels()
        .iter()
        .flat_map(|p| {
            let c = p.demultiply();
            [c.red(), c.green(), c.blue(), c.alpha()]
        })
        .collect();
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width, height);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(::png::BitDepth::Eight);
    let dots_per_metre = (f64::from(scale) * 96.0 / 0.0254).round() as u32;
    encoder.set_pixel_dims(Some(::png::PixelDimensions {
        xppu: dots_per_metre,
        yppu: dots_per_metre,
        unit: ::png::Unit::Meter,
    }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&rgba)?;
    writer.finish()?;
    Ok(out)
}

/// What an SVG shows, with the embedded font and without any file.
pub(crate) fn tree(svg: &str) -> Result<Tree> {
    let options = Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: Arc::clone(&FONTS),
        image_href_resolver: ImageHrefResolver {
            resolve_string: Box::new(|_, _| None),
            ..ImageHrefResolver::default()
        },
        ..Options::default()
    };
    Ok(Tree::from_str(svg, &options)?)
}

/// A PNG of red, green and blue bytes, row by row.
pub(crate) fn rgb_png(width: usize, height: usize, pixels: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}

/// A PNG whose pixels are indices into the heat-map colours.
pub(crate) fn indexed_png(width: usize, height: usize, pixels: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, width as u32, height as u32);
    encoder.set_color(::png::ColorType::Indexed);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_palette(heat_map_colours());
    let mut writer = encoder
        .write_header()
        .expect("a heat map has at least one pixel");
    writer
        .write_image_data(pixels)
        .expect("one index for each pixel");
    writer.finish().expect("writing to memory cannot fail");
    out
}

/// The 256 colours of a heat map: the scale, and grey for what is missing.
fn heat_map_colours() -> Vec<u8> {
    let last = f64::from(MISSING - 1);
    (0..MISSING)
        .flat_map(|step| colour(f64::from(step) / last))
        .chain([0xb8, 0xb8, 0xb8])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_drawn_without_system_fonts() {
        let svg = |text: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"80\" height=\"20\">\
                 <text x=\"2\" y=\"15\" font-size=\"12\" font-family=\"{}\">{text}</text></svg>",
                crate::svg::FONT_FAMILY
            )
        };
        assert_ne!(
            png(&svg("ρ ≥ −0.3"), 1.0).unwrap(),
            png(&svg(""), 1.0).unwrap()
        );
    }

    #[test]
    fn files_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture.png");
        std::fs::write(&path, indexed_png(1, 1, &[200])).unwrap();
        let svg = |inside: &str| {
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\">{inside}</svg>"
            )
        };
        let image = format!(
            "<image width=\"8\" height=\"8\" href=\"{}\"/>",
            path.display()
        );
        assert_eq!(png(&svg(&image), 1.0).unwrap(), png(&svg(""), 1.0).unwrap());
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>";
        assert!(matches!(png(svg, 1e6), Err(ReportError::Canvas { .. })));
        assert!(matches!(png(svg, 0.0), Err(ReportError::Canvas { .. })));
        assert!(matches!(png("no", 1.0), Err(ReportError::Svg { .. })));
    }
}
