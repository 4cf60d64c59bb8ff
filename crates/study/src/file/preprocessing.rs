//! `preprocessing` of a model: a name, or what is done to a picture step by step.

use std::path::Path;

use consilience_io::image::Orientation;
use consilience_models::preprocess::{Align, ChannelOrder, Filter, Range, Resize};
use consilience_models::{ModelError, Preprocessing};
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Largest side that a picture is brought to.
const MAX_SIDE: usize = 16_384;

/// A name of a preprocessing, or its steps.
#[derive(Debug, Clone, PartialEq)]
pub enum PreprocessingChoice {
    /// `imagenet`, `clip`, a weights entry of torchvision, or an architecture.
    Named(String),
    /// Steps, each with a default.
    Steps(Box<PreprocessingOptions>),
}

/// `[model.preprocessing]`: what is done to a picture before the network sees it. What is left out is
/// as in `preset`. A `resize` or `letterbox` of its own leaves out the preset's crop; a `range` of its
/// own, mean and std.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PreprocessingOptions {
    /// What to start from: `imagenet`, `clip`, a weights entry of torchvision
    /// (`"resnet50.IMAGENET1K_V2"`) or an architecture. Default: what the weights are used with.
    pub preset: Option<String>,
    /// Orientation tags of photographs: `ignore` (as torchvision), `exif` (turn the picture).
    #[schemars(with = "Option<String>")]
    pub orientation: Option<Orientation>,
    /// Pixels of the shorter side, or `[height, width]`, which may change the proportion; 0 keeps the
    /// size.
    #[schemars(with = "Option<usize>")]
    pub resize: Option<Extent>,
    /// Side or `[height, width]` of a frame that the picture is fitted into in its own proportion,
    /// instead of `resize`.
    #[schemars(with = "Option<usize>")]
    pub letterbox: Option<Extent>,
    /// Where it lies in the frame: `centre` or `corner` (upper left).
    #[schemars(with = "Option<String>")]
    pub align: Option<Align>,
    /// Level of the rest of the frame, 0 to 255. Default 114.
    pub fill: Option<f32>,
    /// Weights of the pixels: `bilinear`, `bicubic`, `lanczos`, `hamming`, `box`, `nearest`. Default:
    /// the preset's.
    #[schemars(with = "Option<String>")]
    pub filter: Option<Filter>,
    /// Side or `[height, width]` of what is cut out of the centre; 0 keeps everything.
    #[schemars(with = "Option<usize>")]
    pub crop: Option<Extent>,
    /// Values before normalisation: `0..1` or `0..255`.
    #[schemars(with = "Option<String>")]
    pub range: Option<Range>,
    /// Subtracted from red, green, blue, in the units of `range`.
    pub mean: Option<[f32; 3]>,
    /// What red, green, blue are divided by then.
    pub std: Option<[f32; 3]>,
    /// Order of the channels: `rgb` or `bgr`.
    #[schemars(with = "Option<String>")]
    pub order: Option<ChannelOrder>,
}

/// A side, or height and width.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// One number.
    Side(usize),
    /// `[height, width]`.
    Size([usize; 2]),
}

impl Extent {
    fn size(self) -> [usize; 2] {
        match self {
            Self::Side(side) => [side; 2],
            Self::Size(size) => size,
        }
    }

    fn checked(self, key: &'static str) -> Result<Self, ModelError> {
        if self == Self::Side(0) || self.size().iter().all(|side| (1..=MAX_SIDE).contains(side)) {
            return Ok(self);
        }
        Err(refused(
            key,
            "must be a side or [height, width] from 1 to 16384",
        ))
    }
}

fn refused(key: &'static str, problem: &'static str) -> ModelError {
    ModelError::Preprocessing { key, problem }
}

impl PreprocessingChoice {
    /// From the command line: a name, or a `.toml` file with the keys of `[model.preprocessing]`.
    ///
    /// # Errors
    ///
    /// What is wrong with the file, in words.
    pub fn from_argument(argument: &str) -> Result<Self, String> {
        let path = Path::new(argument);
        if !path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("toml"))
        {
            return Ok(Self::Named(argument.to_owned()));
        }
        let text =
            std::fs::read_to_string(path).map_err(|error| format!("cannot read it: {error}"))?;
        let options = toml::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self::Steps(Box::new(options)))
    }

    /// The whole preprocessing, where `usual` is what the network's weights are used with.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownPreset`], [`ModelError::Preprocessing`] for steps that exclude each other
    /// or numbers that make no sense.
    pub fn resolve(&self, usual: &Preprocessing) -> Result<Preprocessing, ModelError> {
        match self {
            Self::Named(name) => Preprocessing::named(name),
            Self::Steps(options) => options.resolve(usual),
        }
    }
}

impl PreprocessingOptions {
    fn resolve(&self, usual: &Preprocessing) -> Result<Preprocessing, ModelError> {
        let mut base = match &self.preset {
            Some(name) => Preprocessing::named(name)?,
            None => usual.clone(),
        };
        if self.letterbox.is_none() && (self.align.is_some() || self.fill.is_some()) {
            return Err(refused(
                "letterbox",
                "is missing, but `align` or `fill` is there",
            ));
        }
        if let Some(resize) = self.resized(base.resize)? {
            base.resize = resize;
            base.crop = None;
        } else if let Some(filter) = self.filter {
            base.resize = base.resize.with_filter(filter);
        }
        if let Some(crop) = self.crop {
            let crop = crop.checked("crop")?;
            base.crop = (crop != Extent::Side(0)).then(|| crop.size());
        }
        if let Some(range) = self.range {
            base = Preprocessing {
                range,
                mean: [0.0; 3],
                std: [1.0; 3],
                ..base
            };
        }
        base.mean = self.mean.unwrap_or(base.mean);
        base.std = self.std.unwrap_or(base.std);
        if !base.mean.iter().all(|value| value.is_finite()) {
            return Err(refused("mean", "must be three numbers"));
        }
        if !base
            .std
            .iter()
            .all(|value| value.is_finite() && *value > 0.0)
        {
            return Err(refused("std", "must be three numbers above 0"));
        }
        base.order = self.order.unwrap_or(base.order);
        base.orientation = self.orientation.unwrap_or(base.orientation);
        Ok(base)
    }

    fn resized(&self, base: Resize) -> Result<Option<Resize>, ModelError> {
        let filter = self.filter.unwrap_or(base.filter());
        match (self.resize, self.letterbox) {
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(refused(
                "letterbox",
                "excludes `resize`; leave one of them out",
            )),
            (Some(resize), None) => Ok(Some(match resize.checked("resize")? {
                Extent::Side(0) => Resize::Keep,
                Extent::Side(size) => Resize::ShortSide { size, filter },
                Extent::Size([height, width]) => Resize::Exact {
                    height,
                    width,
                    filter,
                },
            })),
            (None, Some(frame)) => {
                let fill = self.fill.unwrap_or(114.0);
                if frame == Extent::Side(0) {
                    return Err(refused("letterbox", "must be at least 1"));
                }
                if !(0.0..=255.0).contains(&fill) {
                    return Err(refused("fill", "must be a level from 0 to 255"));
                }
                let [height, width] = frame.checked("letterbox")?.size();
                Ok(Some(Resize::Letterbox {
                    height,
                    width,
                    filter,
                    align: self.align.unwrap_or_default(),
                    fill,
                }))
            }
        }
    }
}

impl<'de> Deserialize<'de> for PreprocessingChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Choice;

        impl<'de> Visitor<'de> for Choice {
            type Value = PreprocessingChoice;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a name such as \"imagenet\", or a table of steps")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(PreprocessingChoice::Named(name.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let options = PreprocessingOptions::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PreprocessingChoice::Steps(Box::new(options)))
            }
        }

        deserializer.deserialize_any(Choice)
    }
}

impl<'de> Deserialize<'de> for Extent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sides;

        impl<'de> Visitor<'de> for Sides {
            type Value = Extent;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number of pixels, or [height, width]")
            }

            fn visit_i64<E: Error>(self, side: i64) -> Result<Self::Value, E> {
                let side = usize::try_from(side);
                side.map(Extent::Side)
                    .map_err(|_| E::custom("pixels cannot be fewer than 0"))
            }

            fn visit_u64<E: Error>(self, side: u64) -> Result<Self::Value, E> {
                let side = usize::try_from(side);
                side.map(Extent::Side)
                    .map_err(|_| E::custom("too many pixels"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, sides: A) -> Result<Self::Value, A::Error> {
                <[usize; 2]>::deserialize(SeqAccessDeserializer::new(sides)).map(Extent::Size)
            }
        }

        deserializer.deserialize_any(Sides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Preprocessing, String> {
        let options: PreprocessingOptions = toml::from_str(text).map_err(|e| e.to_string())?;
        let choice = PreprocessingChoice::Steps(Box::new(options));
        choice
            .resolve(&Preprocessing::imagenet())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn steps_are_laid_over_the_usual_ones() {
        for (text, words) in [
            ("", Preprocessing::imagenet().to_string()),
            (
                "resize = 128\nfilter = \"lanczos\"\nrange = \"0..255\"\norder = \"bgr\"",
                "short side resized to 128 (Lanczos, antialiased), BGR 0…255".to_owned(),
            ),
            (
                "resize = [112, 96]\ncrop = 80\nmean = [0.5, 0.5, 0.5]\nstd = [0.5, 0.5, 0.5]",
                "resized to 112 × 96 (bilinear, antialiased), centre 80 × 80, RGB ÷ 255, \
                 minus (0.5, 0.5, 0.5), ÷ (0.5, 0.5, 0.5)"
                    .to_owned(),
            ),
            (
                "letterbox = 608\nfill = 127.5\nrange = \"0..1\"\norientation = \"exif\"",
                "turned by its orientation tag, fitted into the middle of 608 × 608 (bilinear, \
                 antialiased), rest 127.5, RGB ÷ 255"
                    .to_owned(),
            ),
            ("preset = \"clip\"", Preprocessing::clip().to_string()),
            (
                "resize = 0\ncrop = 0\nrange = \"0..1\"",
                "not resized, RGB ÷ 255".to_owned(),
            ),
        ] {
            assert_eq!(resolved(text).unwrap().to_string(), words, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, word) in [
            ("resize = 3\nletterbox = 3", "excludes"),
            ("fill = 3", "letterbox"),
            ("letterbox = 9\nfill = 300", "0 to 255"),
            ("letterbox = 0", "at least 1"),
            ("resize = [0, 5]", "[height, width]"),
            ("crop = 1000000", "16384"),
            ("crop = -1", "fewer than 0"),
            ("crop = \"all\"", "a number of pixels"),
            ("std = [1.0, 0.0, 1.0]", "above 0"),
            ("mean = [nan, 0.0, 1.0]", "three numbers"),
            ("filter = \"bicubik\"", "bicubic"),
            ("rezise = 3", "resize"),
            ("preset = \"imagenett\"", "imagenet"),
        ] {
            let message = resolved(text).unwrap_err();
            assert!(message.contains(word), "{text}: {message}");
        }
    }

    #[test]
    fn an_argument_is_a_name_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.toml");
        std::fs::write(&path, "order = \"bgr\"\n").unwrap();
        let choice = PreprocessingChoice::from_argument(path.to_str().unwrap()).unwrap();
        let usual = Preprocessing::clip();
        assert_eq!(choice.resolve(&usual).unwrap().order, ChannelOrder::Bgr);
        let named = PreprocessingChoice::from_argument("imagenet").unwrap();
        assert_eq!(named.resolve(&usual).unwrap(), Preprocessing::imagenet());
        assert!(PreprocessingChoice::from_argument("none.toml").is_err());
    }
}
