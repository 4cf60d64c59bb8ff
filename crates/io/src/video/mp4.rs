//! The video track of an MP4 or MOV file: where its coded frames lie and when they are shown.
//!
//! Only the index (`moov`) is read into memory. An own reader rather than a crate: the ones there are
//! panic on broken tables and reserve what a header claims.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crate::{IoError, Limits, Result};

const FORMAT: &str = "MP4 file";
/// Largest index: three hours of 60 frames a second need about 10 MB.
const MAX_INDEX_BYTES: u64 = 256 << 20;
/// Most boxes on one level of the index.
const MAX_BOXES: usize = 4096;

/// A coded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    /// First byte in the file.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// When it is shown, in ticks.
    pub shown: i64,
    /// How long, in ticks.
    pub lasts: i64,
    /// Whether decoding can begin here.
    pub sync: bool,
}

/// A video track.
#[derive(Debug)]
pub(super) struct Track {
    /// Decoder configuration of H.264 (`avcC`).
    pub config: Vec<u8>,
    /// Ticks in a second.
    pub timescale: u32,
    /// Coded frames in decoding order.
    pub samples: Vec<Sample>,
    /// Ticks, counted like [`Sample::shown`], outside of which nothing is shown.
    pub shown: std::ops::Range<i64>,
    /// Ticks of [`Sample::shown`] that are second 0.
    pub zero: i64,
}

impl Track {
    pub(super) fn seconds(&self, ticks: i64) -> f64 {
        (ticks - self.zero) as f64 / f64::from(self.timescale)
    }

    /// When the last frame ends, in seconds.
    pub(super) fn duration(&self) -> f64 {
        let ends = self.samples.iter().map(|s| s.shown.saturating_add(s.lasts));
        let last = ends.max().unwrap_or(self.zero).min(self.shown.end);
        self.seconds(last)
    }
}

/// Reads the index of the first video track.
///
/// Errors: [`IoError::Unsupported`] for what is sound but not H.264 in one piece.
pub(super) fn read(file: &mut File, limits: &Limits) -> Result<Track> {
    let n_bytes = file.metadata().map_err(IoError::os("open the film"))?.len();
    let index = read_index(file, n_bytes)?;
    let tracks = boxes(&index)?;
    let video = tracks
        .iter()
        .filter(|b| b.kind == *b"trak")
        .map(|b| Trak::parse(b.body))
        .find(|trak| !matches!(trak, Ok(None)));
    let Some(Some(trak)) = video.transpose()? else {
        return Err(IoError::NoFrames);
    };
    if tracks.iter().any(|b| b.kind == *b"mvex") {
        return Err(unsupported("a fragmented MP4 file"));
    }
    let movie_timescale = match find(&tracks, *b"mvhd") {
        Some(header) => timescale(header.body)?,
        None => trak.timescale,
    };
    trak.track(movie_timescale, n_bytes, limits)
}

fn unsupported(what: impl Into<String>) -> IoError {
    IoError::Unsupported {
        what: what.into(),
        cure: "convert it to H.264 in an MP4 file",
    }
}

fn damaged(what: &'static str, found: impl std::fmt::Display, expected: &'static str) -> IoError {
    IoError::malformed(FORMAT, what, found, expected)
}

fn cut_short(what: &'static str, expected: u64, found: u64) -> IoError {
    IoError::Truncated {
        what,
        expected,
        found,
    }
}

/// The bytes of `moov`.
fn read_index(file: &mut File, n_bytes: u64) -> Result<Vec<u8>> {
    let mut at = 0;
    let mut first = true;
    while at + 8 <= n_bytes {
        let mut head = [0; 16];
        file.seek(SeekFrom::Start(at))
            .map_err(IoError::os("read the film"))?;
        let n_head = 16.min(n_bytes - at) as usize;
        file.read_exact(&mut head[..n_head])
            .map_err(IoError::os("read the film"))?;
        let kind: [u8; 4] = [head[4], head[5], head[6], head[7]];
        if first && ![*b"ftyp", *b"moov", *b"mdat", *b"wide", *b"free", *b"skip"].contains(&kind) {
            return Err(match n_bytes {
                0..16 => IoError::wrong_format("a film", &head[..n_head]),
                _ => unsupported(format!(
                    "a file that begins with \"{}\"",
                    head[..8].escape_ascii()
                )),
            });
        }
        first = false;
        let (n_head, size) = match be32(&head, 0).unwrap_or(0) {
            0 => (8, n_bytes - at),
            1 => (16, be64(&head, 8).unwrap_or(0)),
            size => (8, size.into()),
        };
        if size < n_head {
            return Err(damaged(
                "the size of a box",
                size,
                "at least that of its header",
            ));
        }
        if kind == *b"moov" {
            let n_body = size - n_head;
            if n_body > n_bytes - at - n_head {
                return Err(cut_short("the index of the film", size, n_bytes - at));
            }
            if n_body > MAX_INDEX_BYTES {
                return Err(damaged("the size of the index", n_body, "at most 256 MiB"));
            }
            let mut index = vec![0; n_body as usize];
            file.seek(SeekFrom::Start(at + n_head))
                .map_err(IoError::os("read the film"))?;
            file.read_exact(&mut index)
                .map_err(IoError::os("read the film"))?;
            return Ok(index);
        }
        at = at.saturating_add(size);
    }
    if first {
        return Err(IoError::wrong_format("a film", &[]));
    }
    // The index stands last in many files: a copy that broke off has none.
    Err(cut_short("the film", at.saturating_add(8), n_bytes))
}

/// A box of the index (the format's older word for it).
#[derive(Clone, Copy)]
struct Atom<'a> {
    kind: [u8; 4],
    body: &'a [u8],
}

fn boxes(mut bytes: &[u8]) -> Result<Vec<Atom<'_>>> {
    let mut found = Vec::new();
    while let (Some(size), Some(kind)) = (be32(bytes, 0), bytes.get(4..8)) {
        let (n_head, size) = match size {
            0 => (8, bytes.len()),
            1 => (
                16,
                be64(bytes, 8).map_or(0, |size| usize::try_from(size).unwrap_or(usize::MAX)),
            ),
            size => (8, size as usize),
        };
        let Some(body) = bytes.get(n_head..size) else {
            return Err(damaged(
                "the size of a box in the index",
                size,
                "one that fits into its parent",
            ));
        };
        if found.len() == MAX_BOXES {
            return Err(damaged(
                "the number of boxes",
                "over 4096",
                "at most 4096 on a level",
            ));
        }
        found.push(Atom {
            kind: [kind[0], kind[1], kind[2], kind[3]],
            body,
        });
        bytes = &bytes[size..];
    }
    Ok(found)
}

fn find<'a>(boxes: &[Atom<'a>], kind: [u8; 4]) -> Option<Atom<'a>> {
    boxes.iter().find(|b| b.kind == kind).copied()
}

fn need<'a>(boxes: &[Atom<'a>], kind: [u8; 4]) -> Result<&'a [u8]> {
    find(boxes, kind).map(|b| b.body).ok_or_else(|| {
        let found = format!("without \"{}\"", kind.escape_ascii());
        damaged(
            "the index of the film",
            found,
            "all boxes that the format demands",
        )
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Ticks in a second, from `mvhd` or `mdhd`.
fn timescale(body: &[u8]) -> Result<u32> {
    let at = if body.first() == Some(&1) { 20 } else { 12 };
    match be32(body, at) {
        Some(ticks @ 1..) => Ok(ticks),
        found => Err(damaged(
            "the ticks in a second",
            found.unwrap_or(0),
            "at least 1",
        )),
    }
}

/// Rows of a table with a count in its header; rows of `n_bytes`.
fn table<'a>(body: &'a [u8], n_bytes: usize) -> Result<std::slice::ChunksExact<'a, u8>> {
    let n_rows = be32(body, 4).unwrap_or(0) as usize;
    let rows = n_rows.checked_mul(n_bytes).and_then(|n| body.get(8..8 + n));
    let Some(rows) = rows else {
        return Err(cut_short(
            "a table of the index",
            (n_rows as u64).saturating_mul(n_bytes as u64),
            body.len().saturating_sub(8) as u64,
        ));
    };
    Ok(rows.chunks_exact(n_bytes))
}

/// A video track as its boxes have it.
struct Trak<'a> {
    timescale: u32,
    edits: Option<&'a [u8]>,
    tables: Vec<Atom<'a>>,
}

impl<'a> Trak<'a> {
    /// `None` for a track of another kind.
    fn parse(body: &'a [u8]) -> Result<Option<Self>> {
        let trak = boxes(body)?;
        let media = boxes(need(&trak, *b"mdia")?)?;
        if need(&media, *b"hdlr")?.get(8..12) != Some(b"vide") {
            return Ok(None);
        }
        let edits = match find(&trak, *b"edts") {
            Some(edits) => find(&boxes(edits.body)?, *b"elst").map(|b| b.body),
            None => None,
        };
        let information = boxes(need(&media, *b"minf")?)?;
        Ok(Some(Self {
            timescale: timescale(need(&media, *b"mdhd")?)?,
            edits,
            tables: boxes(need(&information, *b"stbl")?)?,
        }))
    }

    fn track(&self, movie_timescale: u32, n_bytes: u64, limits: &Limits) -> Result<Track> {
        let config = self.config()?;
        let samples = self.samples(n_bytes, limits)?;
        let zero = samples.iter().map(|s| s.shown).min().unwrap_or(0);
        let (zero, shown) = match self.edits {
            Some(edits) => self.edited(edits, movie_timescale, zero)?,
            None => (zero, i64::MIN..i64::MAX),
        };
        Ok(Track {
            config,
            timescale: self.timescale,
            samples,
            shown,
            zero,
        })
    }

    /// Second 0 and the ticks that are shown.
    fn edited(
        &self,
        edits: &[u8],
        movie_timescale: u32,
        first: i64,
    ) -> Result<(i64, std::ops::Range<i64>)> {
        let long = edits.first() == Some(&1);
        let mut delay = 0_i64;
        let mut part = None;
        for row in table(edits, if long { 20 } else { 12 })? {
            #[allow(clippy::cast_possible_wrap, reason = "the format's numbers are signed")]
            let numbers = match long {
                true => be64(row, 0).zip(be64(row, 8).map(|at| at as i64)),
                false => be32(row, 0)
                    .map(u64::from)
                    .zip(be32(row, 4).map(|at| i64::from(at as i32))),
            };
            let Some((duration, begins)) = numbers else {
                continue;
            };
            // The edit counts in the movie's ticks.
            let ticks =
                u128::from(duration) * u128::from(self.timescale) / u128::from(movie_timescale);
            let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
            match part {
                None if begins < 0 => delay = delay.saturating_add(ticks),
                None => part = Some((begins, ticks)),
                Some(_) => return Err(unsupported("a film of several edits")),
            }
        }
        let Some((begins, ticks)) = part else {
            return Ok((first, i64::MIN..i64::MAX));
        };
        let end = if ticks == 0 {
            i64::MAX
        } else {
            begins.saturating_add(ticks)
        };
        Ok((begins.saturating_sub(delay), begins..end))
    }

    /// The decoder configuration of H.264.
    fn config(&self) -> Result<Vec<u8>> {
        /// Bytes of a sample entry before its boxes, its own header not counted.
        const ENTRY: usize = 78;
        let descriptions = need(&self.tables, *b"stsd")?;
        let entries = boxes(descriptions.get(8..).unwrap_or_default())?;
        let Some(entry) = entries.first() else {
            return Err(damaged("the list of codecs", "empty", "one entry"));
        };
        if ![*b"avc1", *b"avc3"].contains(&entry.kind) {
            return Err(unsupported(format!(
                "a film coded as \"{}\"",
                entry.kind.escape_ascii()
            )));
        }
        if entries.len() > 1 {
            return Err(unsupported("a film that changes its codec"));
        }
        let children = boxes(entry.body.get(ENTRY..).unwrap_or_default())?;
        Ok(need(&children, *b"avcC")?.to_vec())
    }

    fn samples(&self, n_bytes: u64, limits: &Limits) -> Result<Vec<Sample>> {
        let sizes = self.sizes(limits)?;
        let n_samples = sizes.len();
        let mut samples = Vec::with_capacity(n_samples);
        let mut times = self.times(n_samples)?;
        let sync = self.sync(n_samples)?;
        let offsets = self.offsets(&sizes)?;
        for (idx, (offset, size)) in offsets.into_iter().zip(sizes).enumerate() {
            let (shown, lasts) = times.next().unwrap_or((0, 0));
            let end = offset.saturating_add(size);
            if end > n_bytes {
                return Err(cut_short("the film", end, n_bytes));
            }
            samples.push(Sample {
                offset,
                size,
                shown,
                lasts,
                sync: sync.as_ref().is_none_or(|sync| sync[idx]),
            });
        }
        Ok(samples)
    }

    fn sizes(&self, limits: &Limits) -> Result<Vec<u64>> {
        let body = need(&self.tables, *b"stsz")?;
        let (same, n_samples) = (
            be32(body, 4).unwrap_or(0),
            be32(body, 8).unwrap_or(0) as usize,
        );
        super::check_frames(n_samples as f64, limits.max_frames)?;
        if same != 0 {
            return Ok(vec![same.into(); n_samples]);
        }
        // Past the common size the table is like the others.
        let rows = table(body.get(4..).unwrap_or_default(), 4)?;
        Ok(rows.map(|row| be32(row, 0).unwrap_or(0).into()).collect())
    }

    /// When each sample is shown and for how long, in ticks.
    fn times(&self, n_samples: usize) -> Result<std::vec::IntoIter<(i64, i64)>> {
        let expand = |kind, what| -> Result<Vec<u32>> {
            let Some(found) = find(&self.tables, kind) else {
                return Ok(vec![0; n_samples]);
            };
            let mut values = Vec::with_capacity(n_samples);
            for row in table(found.body, 8)? {
                let (count, value) = (
                    be32(row, 0).unwrap_or(0) as usize,
                    be32(row, 4).unwrap_or(0),
                );
                let count = count.min(n_samples - values.len());
                values.resize(values.len() + count, value);
            }
            if values.len() < n_samples {
                return Err(damaged(what, values.len(), "one for each frame"));
            }
            Ok(values)
        };
        need(&self.tables, *b"stts")?;
        let durations = expand(*b"stts", "the number of frame durations")?;
        let shifts = expand(*b"ctts", "the number of display times")?;
        let mut decoded = 0_i64;
        let mut times = Vec::with_capacity(n_samples);
        for (lasts, shift) in durations.into_iter().zip(shifts) {
            // Version 0 says unsigned, but what is written are signed numbers.
            #[allow(clippy::cast_possible_wrap, reason = "see above")]
            let shift = i64::from(shift as i32);
            times.push((decoded + shift, lasts.into()));
            decoded += i64::from(lasts);
        }
        Ok(times.into_iter())
    }

    /// Whether decoding can begin at a sample; `None` when it can at each.
    fn sync(&self, n_samples: usize) -> Result<Option<Vec<bool>>> {
        let Some(found) = find(&self.tables, *b"stss") else {
            return Ok(None);
        };
        let mut sync = vec![false; n_samples];
        for row in table(found.body, 4)? {
            let number = be32(row, 0).unwrap_or(0) as usize;
            match number.checked_sub(1).and_then(|idx| sync.get_mut(idx)) {
                Some(flag) => *flag = true,
                None => return Err(damaged("a key frame", number, "the number of a frame")),
            }
        }
        Ok(Some(sync))
    }

    /// First byte of each sample: samples lie one after the other in chunks.
    fn offsets(&self, sizes: &[u64]) -> Result<Vec<u64>> {
        let chunks: Vec<u64> = match find(&self.tables, *b"stco") {
            Some(found) => table(found.body, 4)?
                .map(|row| be32(row, 0).unwrap_or(0).into())
                .collect(),
            None => table(need(&self.tables, *b"co64")?, 8)?
                .map(|row| be64(row, 0).unwrap_or(0))
                .collect(),
        };
        let runs: Vec<(usize, usize)> = table(need(&self.tables, *b"stsc")?, 12)?
            .map(|row| {
                (
                    be32(row, 0).unwrap_or(0) as usize,
                    be32(row, 4).unwrap_or(0) as usize,
                )
            })
            .collect();
        let mut offsets = Vec::with_capacity(sizes.len());
        let mut run_idx = 0;
        for (chunk_idx, chunk) in chunks.iter().enumerate() {
            while runs
                .get(run_idx + 1)
                .is_some_and(|(first, _)| chunk_idx + 1 >= *first)
            {
                run_idx += 1;
            }
            let n_in_chunk = runs.get(run_idx).map_or(0, |(_, n)| *n);
            let mut at = *chunk;
            for size in sizes[offsets.len()..].iter().take(n_in_chunk) {
                offsets.push(at);
                at = at.saturating_add(*size);
            }
        }
        if offsets.len() < sizes.len() {
            return Err(damaged(
                "the number of frames in chunks",
                offsets.len(),
                "that of the frames",
            ));
        }
        Ok(offsets)
    }
}
