//! SVG to PDF, for papers: lines stay lines and text stays text.

use krilla::{Document, geom::Size, page::PageSettings};
use krilla_svg::{SurfaceExt, SvgSettings};

use crate::{ReportError, Result, raster::tree};

/// Points (1/72 inch) to a unit of an SVG (1/96 inch).
const POINTS: f32 = 0.75;

/// Draws a figure as a PDF of one page, of the figure's size.
///
/// Text is set in DejaVu Sans Condensed, whatever fonts the machine has; the letters that occur are in the file. Pictures are
/// taken from `data:` addresses only. The same SVG gives the same bytes: there is no date in them.
///
/// # Errors
///
/// [`ReportError::Svg`] when the text is not SVG, [`ReportError::Pdf`] when it cannot be drawn.
///
/// # Example
///
/// ```
/// let svg = r#"<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>"#;
/// let pdf = consilience_report::pdf(svg)?;
/// assert!(pdf.starts_with(b"%PDF-"));
/// # Ok::<(), consilience_report::ReportError>(())
/// ```
pub fn pdf(svg: &str) -> Result<Vec<u8>> {
    let tree = tree(svg)?;
    let refused = |what: &str| ReportError::Pdf {
        what: what.to_owned(),
    };
    let size = Size::from_wh(tree.size().width() * POINTS, tree.size().height() * POINTS)
        .ok_or_else(|| refused("its size is not a number"))?;
    let settings = PageSettings::from_wh(size.width(), size.height())
        .ok_or_else(|| refused("its size is not a number"))?;
    let mut document = Document::new();
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    surface
        .draw_svg(&tree, size, SvgSettings::default())
        .ok_or_else(|| refused("a part of it cannot be drawn"))?;
    surface.finish();
    page.finish();
    document
        .finish()
        .map_err(|error| refused(&format!("{error:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn svg(inside: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"96\" height=\"48\">{inside}</svg>"
        )
    }

    fn contains(pdf: &[u8], text: &str) -> bool {
        pdf.windows(text.len()).any(|part| part == text.as_bytes())
    }

    #[test]
    fn a_page_has_the_size_of_the_figure() {
        let pdf = pdf(&svg("")).unwrap();
        assert!(contains(&pdf, "/MediaBox[0 0 72 36]"));
    }

    #[test]
    fn text_stays_text_in_the_embedded_font() {
        let text = format!(
            "<text x=\"2\" y=\"15\" font-size=\"12\" font-family=\"{}\">ρ ≥ −0.3</text>",
            crate::svg::FONT_FAMILY
        );
        let drawn = pdf(&svg(&text)).unwrap();
        assert!(contains(&drawn, "DejaVuSans"));
        assert!(!contains(&pdf(&svg("")).unwrap(), "DejaVuSans"));
        assert_eq!(drawn, pdf(&svg(&text)).unwrap());
    }

    #[test]
    fn what_is_no_svg_is_refused() {
        assert!(matches!(pdf("no"), Err(ReportError::Svg { .. })));
    }
}
