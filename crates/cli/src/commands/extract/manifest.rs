//! What `consilience extract` says of its files.

use anyhow::Result;
use consilience::io::hash;
use consilience::io::video::Sampling;
use consilience::models::{ClipPool, Clips, Preprocessing};
use serde::Serialize;
use serde_json::Value;

/// `manifest.json`.
#[derive(Debug, Serialize)]
pub(super) struct Manifest<'a> {
    pub consilience: &'static str,
    pub model: &'a str,
    pub weights: String,
    pub weights_blake3: String,
    pub executor: String,
    pub preprocessing: &'a Preprocessing,
    pub preprocessing_text: String,
    pub batch: usize,
    pub pool: String,
    pub edits: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<String>,
    pub reduce: String,
    pub seed: u64,
    pub reduce_fit: Vec<Row>,
    pub films: Option<Films>,
    pub images: Vec<Row>,
    pub layers: Vec<Value>,
    pub left_out: &'a [(String, String)],
}

/// What a row of the arrays is.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    path: String,
    blake3: String,
    /// Position in the film, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    frame: Option<usize>,
    /// When the frame is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// Seconds between which the frames lie that were averaged.
    #[serde(skip_serializing_if = "Option::is_none")]
    span: Option<[f64; 2]>,
    /// How many they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    n_frames: Option<usize>,
}

/// The hash of each file.
pub(super) fn hashes(clips: &Clips) -> Result<Vec<String>> {
    let clips = clips.clips().iter();
    clips
        .map(|clip| Ok(hash::blake3_file(&clip.path)?))
        .collect()
}

/// The rows that clips give, in their order.
pub(super) fn rows(clips: &Clips, hashes: &[String]) -> Vec<Row> {
    let mut rows = Vec::with_capacity(clips.n_rows());
    for (clip, blake3) in clips.clips().iter().zip(hashes) {
        let row = Row {
            path: clip.path.display().to_string(),
            blake3: blake3.clone(),
            frame: None,
            seconds: None,
            span: None,
            n_frames: None,
        };
        let Some(film) = &clip.film else {
            rows.push(row);
            continue;
        };
        match clips.pool() {
            ClipPool::None => rows.extend(film.positions.iter().map(|&position| Row {
                path: row.path.clone(),
                blake3: row.blake3.clone(),
                frame: Some(position),
                seconds: Some(film.video.times[position]),
                ..row
            })),
            ClipPool::Mean => {
                let span = clips.selection().span;
                let end = span.end.unwrap_or(film.video.duration);
                rows.push(Row {
                    span: Some([span.start, end.min(film.video.duration)]),
                    n_frames: Some(film.positions.len()),
                    ..row
                });
            }
        }
    }
    rows
}

/// What was taken of films.
#[derive(Debug, Serialize)]
pub(super) struct Films {
    /// The selection in words.
    selection: String,
    /// As given; `null` for every frame.
    frames_per_second: Option<f64>,
    /// As given; `null` for the end of the film.
    span: (f64, Option<f64>),
    clip: String,
    files: Vec<FilmFile>,
}

#[derive(Debug, Serialize)]
struct FilmFile {
    path: String,
    blake3: String,
    codec: String,
    width: usize,
    height: usize,
    /// Frames of the whole film.
    n_frames: usize,
    /// Length of the whole film.
    seconds: f64,
}

impl Films {
    /// `None` when no film is there.
    pub(super) fn of(clips: &Clips, hashes: &[String]) -> Option<Self> {
        let selection = clips.selection();
        let files = clips.clips().iter().zip(hashes);
        let files: Vec<FilmFile> = files
            .filter_map(|(clip, blake3)| {
                let video = &clip.film.as_ref()?.video;
                Some(FilmFile {
                    path: clip.path.display().to_string(),
                    blake3: blake3.clone(),
                    codec: video.codec.clone(),
                    width: video.width,
                    height: video.height,
                    n_frames: video.times.len(),
                    seconds: video.duration,
                })
            })
            .collect();
        (!files.is_empty()).then(|| Self {
            selection: selection.to_string(),
            frames_per_second: match selection.sampling {
                Sampling::PerSecond(rate) => Some(rate),
                _ => None,
            },
            span: (selection.span.start, selection.span.end),
            clip: clips.pool().to_string(),
            files,
        })
    }
}
