//! H.264 tracks of MP4 files, decoded by `rust_h264`.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rust_h264::decoder::{self, ChromaFormat, OrderedDecoder};
use rust_h264::error::DecodeError;
use rust_h264::nal::{
    NalUnit, NalUnitType, SpsInfo, parse_avcc, parse_avcc_config, parse_sps_info,
};

use super::mp4::{Sample, Track};
use super::rgb::Conversion;
use super::{check_frame_size, picture};
use crate::image::RgbImage;
use crate::{IoError, Limits, Result};

const FORMAT: &str = "H.264 film";
/// Most pictures that the standard lets a decoder keep.
const MAX_REFERENCES: u32 = 16;

/// A track with what its decoder needs to know.
#[derive(Debug)]
pub(super) struct Film {
    pub track: Track,
    pub size: (usize, usize),
    conversion: Conversion,
    /// Samples that are shown, in the order in which they are.
    shown: Vec<usize>,
    /// Position of each sample in `shown`.
    position: Vec<Option<usize>>,
    limits: Limits,
}

impl Film {
    pub(super) fn new(track: Track, limits: &Limits) -> Result<Self> {
        let info = guarded(|| {
            let config = parse_avcc_config(&track.config)?;
            let Some(parameters) = config.sps_nals.first() else {
                return Err(DecodeError::Unsupported("parameters inside of the frames"));
            };
            parse_sps_info(parameters)
        })?;
        check_parameters(&info, limits)?;
        let mut shown: Vec<usize> = (0..track.samples.len())
            .filter(|&idx| track.shown.contains(&track.samples[idx].shown))
            .collect();
        shown.sort_by_key(|&idx| track.samples[idx].shown);
        let mut position = vec![None; track.samples.len()];
        for (at, &sample) in shown.iter().enumerate() {
            position[sample] = Some(at);
        }
        Ok(Self {
            size: (info.width as usize, info.height as usize),
            conversion: Conversion::new(info.matrix, info.full_range),
            track,
            shown,
            position,
            limits: *limits,
        })
    }

    /// When each frame is shown, in seconds.
    pub(super) fn times(&self) -> Vec<f64> {
        let ticks = |&idx: &usize| self.track.samples[idx].shown;
        self.shown
            .iter()
            .map(|idx| self.track.seconds(ticks(idx)))
            .collect()
    }

    /// The sample at which decoding has to begin to get the frame at a position.
    fn entry(&self, position: usize) -> usize {
        let samples = &self.track.samples;
        let wanted = self.shown[position];
        // A frame that is shown before the key frame it follows may need what came before that.
        let leads =
            |idx: &usize| samples[*idx].sync && samples[*idx].shown <= samples[wanted].shown;
        (0..=wanted).rev().find(leads).unwrap_or(0)
    }
}

/// Frames of a film from some position on.
#[derive(Debug)]
pub(super) struct Reader {
    file: File,
    film: Box<Film>,
    decoder: Decoder,
    /// Bytes of the length before each unit of a sample.
    n_length: usize,
    next_sample: usize,
    decoded: VecDeque<(decoder::Frame, usize)>,
    at_end: bool,
}

/// Knows no `Debug` of its own.
struct Decoder(OrderedDecoder<usize>);

impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrderedDecoder")
    }
}

impl Reader {
    pub(super) fn new(file: File, film: Box<Film>, first: usize) -> Result<Self> {
        let mut decoder = OrderedDecoder::new();
        let n_length = guarded(|| {
            let config = parse_avcc_config(&film.track.config)?;
            for unit in config.sps_nals.iter().chain(&config.pps_nals) {
                decoder.decode_nal_with_meta(unit, 0)?;
            }
            Ok(config.length_size)
        })?;
        Ok(Self {
            next_sample: film.entry(first),
            file,
            film,
            decoder: Decoder(decoder),
            n_length,
            decoded: VecDeque::new(),
            at_end: false,
        })
    }

    /// The frame at `position`; positions that are asked for have to ascend.
    pub(super) fn frame(&mut self, position: usize) -> Result<RgbImage> {
        loop {
            while let Some((frame, sample)) = self.decoded.pop_front() {
                match self.film.position[sample] {
                    Some(at) if at == position => return self.rgb(&frame),
                    Some(at) if at > position => return Err(lost(position)),
                    _ => {}
                }
            }
            if self.at_end {
                return Err(lost(position));
            }
            self.decode_next()?;
        }
    }

    fn decode_next(&mut self) -> Result<()> {
        let Some(&Sample { offset, size, .. }) = self.film.track.samples.get(self.next_sample)
        else {
            self.at_end = true;
            self.decoded
                .extend(guarded(|| Ok(self.decoder.0.flush_with_meta()))?);
            return Ok(());
        };
        // Coding a frame takes less room than the frame.
        let (width, height) = self.film.size;
        let most = (width * height * 4 + (1 << 16)) as u64;
        if size > most {
            return Err(damaged(
                "a frame",
                format!("{size} bytes"),
                "fewer than its pixels take",
            ));
        }
        let mut bytes = vec![0; size as usize];
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(IoError::os("read the film"))?;
        for unit in guarded(|| Ok(parse_avcc(&bytes, self.n_length)))? {
            self.check_unit(&unit)?;
            let frames = guarded(|| self.decoder.0.decode_nal_with_meta(&unit, self.next_sample))?;
            self.decoded.extend(frames);
        }
        self.next_sample += 1;
        Ok(())
    }

    /// Refuses parameters inside of the film that change the size or need too much memory.
    fn check_unit(&self, unit: &NalUnit<'_>) -> Result<()> {
        if unit.nal_unit_type != NalUnitType::Sps {
            return Ok(());
        }
        let info = guarded(|| parse_sps_info(unit))?;
        check_parameters(&info, &self.film.limits)?;
        let size = (info.width as usize, info.height as usize);
        if size != self.film.size {
            return Err(damaged(
                "the size of a frame",
                format!("{size:?}"),
                "that of the first one",
            ));
        }
        Ok(())
    }

    fn rgb(&self, frame: &decoder::Frame) -> Result<RgbImage> {
        let (width, height) = self.film.size;
        let n_chroma = width.div_ceil(2) * height.div_ceil(2);
        let planes_fit = frame.y.len() == width * height
            && frame.u.len() == n_chroma
            && frame.v.len() == n_chroma;
        if frame.chroma_format != ChromaFormat::Yuv420 || frame.bit_depth != 8 || !planes_fit {
            return Err(damaged(
                "the kind of a frame",
                "another",
                "that of the first one",
            ));
        }
        let pixels = self
            .film
            .conversion
            .apply(self.film.size, &frame.y, &frame.u, &frame.v);
        Ok(picture(self.film.size, pixels))
    }
}

fn check_parameters(info: &SpsInfo, limits: &Limits) -> Result<()> {
    check_frame_size((info.coded_width.into(), info.coded_height.into()), limits)?;
    check_frame_size((info.width.into(), info.height.into()), limits)?;
    if info.width > info.coded_width || info.height > info.coded_height {
        return Err(damaged(
            "the size of a frame",
            "cropped to more than it is",
            "less",
        ));
    }
    if info.reference_frames > MAX_REFERENCES {
        return Err(damaged(
            "the number of reference frames",
            info.reference_frames,
            "at most 16",
        ));
    }
    // 0: grey, 1: chroma of half the rows and columns.
    let plain = info.chroma_format <= 1 && info.bit_depth_luma == 8 && info.bit_depth_chroma == 8;
    if !plain {
        return Err(unsupported(
            "H.264 of more than 8 bits or of chroma other than 4:2:0",
        ));
    }
    Ok(())
}

fn unsupported(what: impl Into<String>) -> IoError {
    IoError::Unsupported {
        what: what.into(),
        cure: "convert it to 8-bit 4:2:0 H.264 in an MP4 file",
    }
}

fn damaged(what: &'static str, found: impl std::fmt::Display, expected: &'static str) -> IoError {
    IoError::malformed(FORMAT, what, found, expected)
}

fn lost(position: usize) -> IoError {
    damaged(
        "the film",
        format!("without frame {position}"),
        "every frame of its index, in order",
    )
}

/// Runs a part of the decoder, which is other people's code on hostile bytes: where it gives up by
/// a panic, that becomes an error.
fn guarded<T>(part: impl FnOnce() -> std::result::Result<T, DecodeError>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(part)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(DecodeError::Unsupported(what))) => Err(unsupported(format!("H.264 with {what}"))),
        Ok(Err(error)) => Err(damaged("a coded frame", error, "a whole H.264 stream")),
        Err(_) => Err(damaged(
            "a coded frame",
            "inconsistent",
            "a whole H.264 stream",
        )),
    }
}
