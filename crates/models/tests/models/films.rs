//! Films and pictures as clips, through a small network with random weights.

use std::path::{Path, PathBuf};

use crate::common::{collect, demo};
use consilience_io::image::{self, Orientation, RgbImage};
use consilience_io::video::{self, Sampling, Selection, Span};
use consilience_models::{
    ClipPool, Clips, ExecutorChoice, ExtractParams, Extractor, Images, Layer, ModelError, Network,
};
use ndarray::{Array1, Array2, Axis, concatenate};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/video")
        .join(name)
}

fn params(batch: usize, n_threads: usize) -> ExtractParams {
    ExtractParams {
        executor: ExecutorChoice::Rten,
        batch,
        n_threads,
        ..ExtractParams::default()
    }
}

/// A picture, two films, a picture, and what a reader of all of them sees.
fn mixed(folder: &Path, selection: &Selection) -> (Vec<PathBuf>, Vec<RgbImage>) {
    let films = ["plain.mp4", "baseline.mov"].map(fixture);
    let frames = films.each_ref().map(|path| {
        let frames = video::open(path).unwrap().frames(selection).unwrap();
        frames.map(|f| f.unwrap().image).collect::<Vec<_>>()
    });
    let pictures = [&frames[0][0], &frames[1][1]];
    let paths = ["a.png", "b.png"].map(|name| folder.join(name));
    for (path, picture) in paths.iter().zip(pictures) {
        std::fs::write(path, image::encode_png(picture).unwrap()).unwrap();
    }
    let [first, last] = pictures.map(|picture| vec![picture.clone()]);
    let [film, other] = films;
    let [a, b] = paths;
    let seen = [first, frames[0].clone(), frames[1].clone(), last].concat();
    (vec![a, film, other, b], seen)
}

/// The rows of a range, layer by layer.
fn rows_of(
    network: &Network,
    layers: &[Layer],
    clips: &Clips,
    range: std::ops::Range<usize>,
    params: &ExtractParams,
) -> Result<Vec<Array2<f32>>, ModelError> {
    let extractor = Extractor::prepare(network, layers, params)?;
    let mut rows: Vec<Vec<Array2<f32>>> = vec![Vec::new(); extractor.layers.len()];
    let mut n_seen = vec![0; extractor.layers.len()];
    let n_frames = clips.frames_of(range.clone()).len();
    let mut n_done = 0;
    extractor.run_clips(
        clips,
        range.clone(),
        |block| {
            assert_eq!(block.first_row, n_seen[block.layer_idx]);
            n_seen[block.layer_idx] += block.rows.nrows();
            rows[block.layer_idx].push(block.rows.to_owned());
            Ok::<(), ModelError>(())
        },
        |done| n_done = done,
    )?;
    assert_eq!(n_done, n_frames);
    assert!(n_seen.iter().all(|&n| n == range.len()));
    let joined = rows.iter().map(|parts| {
        let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
        concatenate(Axis(0), &views).unwrap()
    });
    Ok(joined.collect())
}

#[test]
fn frames_of_films_are_the_pictures_that_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let network = demo(1);
    let layers = network.select(&["pool1", "conv4", "fc"]).unwrap();
    let selection = Selection::default();
    let (paths, seen) = mixed(folder.path(), &selection);
    assert_eq!(seen.len(), 26);
    let clips = Clips::open(&paths, selection, ClipPool::None).unwrap();
    assert_eq!((clips.n_rows(), clips.n_frames()), (26, 26));
    assert!(clips.has_films());
    assert_eq!(
        (clips.locate(0), clips.locate(12), clips.locate(25)),
        ((0, 0), (1, 11), (3, 0))
    );
    for (batch, n_threads) in [(1, 1), (1, 2), (4, 1), (4, 3)] {
        let params = params(batch, n_threads);
        let expected = collect(&network, &layers, Images::Decoded(&seen), &params).unwrap();
        let found = rows_of(&network, &layers, &clips, 0..26, &params).unwrap();
        for (found, (name, expected)) in found.iter().zip(&expected) {
            assert_eq!(
                found, expected,
                "{name}, batch {batch}, {n_threads} threads"
            );
        }
    }
    // What goes on in the middle of a film, or begins again, is the same.
    let whole = rows_of(&network, &layers, &clips, 0..26, &params(1, 1)).unwrap();
    for range in [9..20, 3..4, 13..26, 0..2] {
        let found = rows_of(&network, &layers, &clips, range.clone(), &params(1, 2)).unwrap();
        for (found, whole) in found.iter().zip(&whole) {
            assert_eq!(found, whole.slice(ndarray::s![range.clone(), ..]));
        }
    }
}

#[test]
fn a_clip_is_the_mean_of_its_frames() {
    let folder = tempfile::tempdir().unwrap();
    let network = demo(2);
    let layers = network.select(&["pool2", "fc"]).unwrap();
    let selection = Selection {
        sampling: Sampling::PerSecond(10.0),
        span: Span {
            start: 0.04,
            end: Some(0.4),
        },
    };
    let (paths, _) = mixed(folder.path(), &selection);
    let frames = Clips::open(&paths, selection, ClipPool::None).unwrap();
    let clips = Clips::open(&paths, selection, ClipPool::Mean).unwrap();
    // At 0.04, 0.14, 0.24 and 0.34 s.
    assert_eq!((clips.n_rows(), clips.n_frames()), (4, 10));
    let rows = rows_of(&network, &layers, &frames, 0..10, &params(1, 1)).unwrap();
    for (batch, n_threads) in [(1, 1), (1, 2), (3, 2), (16, 1)] {
        let params = params(batch, n_threads);
        let means = rows_of(&network, &layers, &clips, 0..4, &params).unwrap();
        for (means, rows) in means.iter().zip(&rows) {
            for (clip_idx, range) in [0..1, 1..5, 5..9, 9..10].into_iter().enumerate() {
                let n = range.len() as f64;
                let sums = rows
                    .slice(ndarray::s![range, ..])
                    .mapv(f64::from)
                    .sum_axis(Axis(0));
                let expected: Array1<f32> = sums.mapv(|sum| (sum / n) as f32);
                match batch {
                    1 => assert_eq!(means.row(clip_idx), expected),
                    _ => {
                        let most = expected.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
                        let pairs = means.row(clip_idx).into_iter().zip(&expected);
                        pairs.for_each(|(a, b)| assert!((a - b).abs() <= 1e-5 * most));
                    }
                }
            }
        }
        let part = rows_of(&network, &layers, &clips, 2..4, &params).unwrap();
        if batch == 1 {
            for (part, means) in part.iter().zip(&means) {
                assert_eq!(part, means.slice(ndarray::s![2..4, ..]));
            }
        }
    }
    let still = clips.still(1, Orientation::Ignore).unwrap();
    let middle = video::open(fixture("plain.mp4")).unwrap();
    let mut middle = middle.frames_from(&selection, 2).unwrap();
    assert_eq!(still, middle.next().unwrap().unwrap().image);
    for orientation in [Orientation::Ignore, Orientation::Exif] {
        assert_eq!(
            clips.still(0, orientation).unwrap(),
            image::read_oriented(&paths[0], orientation).unwrap()
        );
    }
}

#[test]
fn films_that_break_off_or_have_no_frames_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let open = |paths: &[PathBuf], span: &str| {
        let selection = Selection {
            span: span.parse().unwrap(),
            ..Selection::default()
        };
        Clips::open(paths, selection, ClipPool::None)
    };
    for (name, span, words) in [
        ("plain.mp4", "0.48-", "no frame is shown"),
        ("plain.mp4", "0.41-0.43", "no frame is shown"),
        ("sound.mp4", "0-", "no frames"),
        ("absent.mp4", "0-", "absent.mp4"),
    ] {
        let message = open(&[fixture(name)], span).unwrap_err().to_string();
        assert!(
            message.contains(words) && message.contains(name),
            "{message}"
        );
    }

    // The last coded frames are overwritten: a film whose index is sound.
    let mut bytes = std::fs::read(fixture("bt709.mp4")).unwrap();
    let n = bytes.len();
    bytes[n - 300..].fill(0xff);
    let path = folder.path().join("broken.mp4");
    std::fs::write(&path, &bytes).unwrap();
    let network = demo(3);
    let layers = network.select(&["fc"]).unwrap();
    let paths = [fixture("plain.mp4"), path, fixture("plain.mp4")];
    let clips = open(&paths, "0-").unwrap();
    for n_threads in [1, 2] {
        let extractor = Extractor::prepare(&network, &layers, &params(1, n_threads)).unwrap();
        let mut n_rows = 0;
        let outcome = extractor.run_clips(
            &clips,
            0..clips.n_rows(),
            |block| {
                n_rows += block.rows.nrows();
                Ok::<(), ModelError>(())
            },
            |_| {},
        );
        let message = outcome.unwrap_err().to_string();
        assert!(message.contains("broken.mp4"), "{message}");
        assert!((12..24).contains(&n_rows), "{n_rows}");
    }
}

#[test]
fn pools_are_spelled_as_they_are_read() {
    for pool in [ClipPool::None, ClipPool::Mean] {
        assert_eq!(pool.to_string().parse::<ClipPool>().unwrap(), pool);
    }
    let message = "max".parse::<ClipPool>().unwrap_err().to_string();
    assert!(
        message.contains("none, mean") && message.contains("max"),
        "{message}"
    );
}
