//! Preprocessing in words.

use std::fmt;

use super::{Align, ChannelOrder, Filter, Preprocessing, Range, Resize};
use consilience_io::image::Orientation;

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nearest => "nearest",
            Self::Box => "box",
            Self::Bilinear => "bilinear, antialiased",
            Self::Hamming => "Hamming, antialiased",
            Self::Bicubic => "bicubic, antialiased",
            Self::Lanczos => "Lanczos, antialiased",
        })
    }
}

impl fmt::Display for Resize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("not resized"),
            Self::ShortSide { size, filter } => {
                write!(f, "short side resized to {size} ({filter})")
            }
            Self::Exact {
                height,
                width,
                filter,
            } => write!(f, "resized to {height} × {width} ({filter})"),
            Self::Letterbox {
                height,
                width,
                filter,
                align,
                fill,
            } => {
                let place = match align {
                    Align::Centre => "the middle",
                    Align::Corner => "the upper left corner",
                };
                write!(
                    f,
                    "fitted into {place} of {height} × {width} ({filter}), rest {fill}"
                )
            }
        }
    }
}

impl fmt::Display for Preprocessing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.orientation == Orientation::Exif {
            f.write_str("turned by its orientation tag, ")?;
        }
        write!(f, "{}", self.resize)?;
        if let Some([height, width]) = self.crop {
            write!(f, ", centre {height} × {width}")?;
        }
        f.write_str(match self.order {
            ChannelOrder::Rgb => ", RGB",
            ChannelOrder::Bgr => ", BGR",
        })?;
        f.write_str(match self.range {
            Range::Unit => " ÷ 255",
            Range::Bytes => " 0…255",
        })?;
        let triple = |[r, g, b]: [f32; 3]| format!("({r}, {g}, {b})");
        if self.mean != [0.0; 3] || self.std != [1.0; 3] {
            write!(f, ", minus {}, ÷ {}", triple(self.mean), triple(self.std))?;
            if self.order == ChannelOrder::Bgr {
                f.write_str(" of red, green, blue")?;
            }
        }
        Ok(())
    }
}
