use std::collections::BTreeMap;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::hash;

fn fixture(name: &str) -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/video/")
        .parse::<PathBuf>()
        .unwrap()
        .join(name)
}

/// What FFmpeg reads from a film.
#[derive(serde::Deserialize)]
struct Expected {
    seconds: Vec<f64>,
    sha256: Vec<String>,
}

fn expected() -> BTreeMap<String, Expected> {
    serde_json::from_slice(&std::fs::read(fixture("expected.json")).unwrap()).unwrap()
}

fn all(name: &str) -> Vec<Frame> {
    let film = open(fixture(name)).unwrap();
    film.frames(&Selection::default())
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn has_ffmpeg() -> bool {
    let found = std::process::Command::new("ffprobe")
        .arg("-version")
        .output()
        .is_ok();
    if !found {
        #[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
        {
            eprintln!("SKIPPED: films of other codecs (no ffprobe)");
        }
    }
    found
}

fn assert_times(frames: &[Frame], seconds: &[f64]) {
    assert_eq!(frames.len(), seconds.len());
    for (frame, seconds) in frames.iter().zip(seconds) {
        assert_eq!((frame.image.width, frame.image.height), (46, 34));
        assert!((frame.seconds - seconds).abs() < 1e-6, "{}", frame.seconds);
    }
}

#[test]
fn frames_and_times_are_those_of_ffmpeg() {
    let expected = expected();
    for name in ["plain.mp4", "baseline.mov", "bt709.mp4", "full_range.mp4"] {
        let film = open(fixture(name)).unwrap();
        assert!(matches!(film.source, Source::H264), "{name}");
        let frames = all(name);
        assert_times(&frames, &expected[name].seconds);
        for (frame, sha256) in frames.iter().zip(&expected[name].sha256) {
            assert_eq!(
                &hash::sha256(&frame.image.pixels),
                sha256,
                "{name}: frame {}",
                frame.index
            );
        }
    }
}

#[test]
fn other_codecs_and_containers_go_through_ffmpeg() {
    if !has_ffmpeg() {
        return;
    }
    let plain = all("plain.mp4");
    let expected = expected();
    // The same coded frames, and two lossy copies of the same pictures.
    for (name, codec, allowed) in [
        ("fragmented.mp4", "h264", 1.0),
        ("mpeg4.mp4", "mpeg4", 20.0),
        ("vp9.webm", "vp9", 20.0),
    ] {
        let film = open(fixture(name)).unwrap();
        assert!(matches!(film.source, Source::Ffmpeg), "{name}");
        assert_eq!(film.codec, codec);
        let frames = all(name);
        assert_times(
            &frames,
            expected
                .get(name)
                .map_or(&expected["plain.mp4"].seconds, |e| &e.seconds),
        );
        for (frame, like) in frames.iter().zip(&plain) {
            let pairs = frame.image.pixels.iter().zip(&like.image.pixels);
            let sum: u64 = pairs.map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            let mean = sum as f64 / like.image.pixels.len() as f64;
            assert!(
                mean < allowed,
                "{name}: frame {} differs by {mean}",
                frame.index
            );
        }
    }
}

#[test]
fn a_span_gives_the_frames_of_the_whole_film() {
    let whole = all("plain.mp4");
    let spans = [
        (Sampling::All, 0.2, Some(0.41), vec![5, 6, 7, 8, 9, 10]),
        (Sampling::EveryNth(5), 0.0, None, vec![0, 5, 10]),
        // 0.24, 0.34 and 0.44 s; frames come at 0.00, 0.04 …
        (Sampling::PerSecond(10.0), 0.24, Some(0.45), vec![6, 8, 11]),
        (
            Sampling::PerSecond(50.0),
            0.28,
            Some(0.36),
            vec![7, 7, 8, 8],
        ),
        (Sampling::All, 0.44, Some(99.0), vec![11]),
    ];
    for (sampling, start, end, positions) in spans {
        let selection = Selection {
            sampling,
            span: Span { start, end },
        };
        let film = open(fixture("plain.mp4")).unwrap();
        assert_eq!(film.positions(&selection).unwrap(), positions);
        let frames: Vec<Frame> = film
            .frames(&selection)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let expected: Vec<Frame> = positions.iter().map(|&at| whole[at].clone()).collect();
        assert_eq!(frames, expected, "{selection}");
        for n_skipped in 0..=positions.len() + 1 {
            let rest = film.frames_from(&selection, n_skipped).unwrap();
            let rest: Vec<Frame> = rest.map(Result::unwrap).collect();
            assert_eq!(rest, expected[n_skipped.min(expected.len())..]);
        }
    }
}

#[test]
fn a_film_that_changes_after_it_was_opened_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("film.mp4");
    std::fs::copy(fixture("plain.mp4"), &path).unwrap();
    let film = open(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    // Half as many ticks a second: every frame comes later.
    let at = whole.windows(4).position(|w| w == b"mdhd").unwrap();
    let mut bytes = whole.clone();
    let ticks = u32::from_be_bytes(bytes[at + 16..at + 20].try_into().unwrap());
    bytes[at + 16..at + 20].copy_from_slice(&(ticks / 2).to_be_bytes());
    std::fs::write(&path, &bytes).unwrap();
    let message = film.frames(&Selection::default()).unwrap_err().to_string();
    assert!(message.contains("when it was opened"), "{message}");
}

#[test]
fn spans_print_as_they_are_read() {
    for text in ["0-5", "2.5-10", "0.25-", "0-"] {
        assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
    }
    assert_eq!(
        " 1 - 2 ".parse(),
        Ok(Span {
            start: 1.0,
            end: Some(2.0)
        })
    );
    for text in [
        "", "-", "-3", "5", "5-5", "5-4", "-1-3", "nan-", "0-inf", "0:5", "1-2-3",
    ] {
        let error = text.parse::<Span>().unwrap_err().to_string();
        assert!(
            error.contains("START-END") && error.contains(text),
            "{error}"
        );
    }
}

#[test]
fn spans_that_take_nothing_are_named() {
    let times = [0.0, 0.5, 1.0];
    let of = |sampling, start, end| {
        Selection {
            sampling,
            span: Span { start, end },
        }
        .positions(&times, 1.5, 100)
    };
    for (sampling, start, end) in [
        (Sampling::All, 1.5, None),
        (Sampling::All, -0.1, None),
        (Sampling::All, f64::NAN, None),
        (Sampling::All, 1.0, Some(0.5)),
        (Sampling::All, 0.6, Some(0.9)),
        (Sampling::EveryNth(0), 0.0, None),
        (Sampling::PerSecond(0.0), 0.0, None),
        (Sampling::PerSecond(f64::NAN), 0.0, None),
    ] {
        let error = of(sampling, start, end).unwrap_err();
        assert!(
            matches!(error, IoError::Span { .. }),
            "{sampling:?} {start}: {error}"
        );
    }
    let error = of(Sampling::PerSecond(1e300), 0.0, None).unwrap_err();
    assert!(error.to_string().contains("max_frames"), "{error}");
    assert_eq!(
        of(Sampling::PerSecond(3.0), 0.0, Some(1.2)).unwrap(),
        [0, 0, 1, 2]
    );
}

#[test]
fn films_without_pictures_are_named() {
    let error = open(fixture("sound.mp4")).unwrap_err();
    assert!(error.to_string().contains("no frames"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.mp4");
    std::fs::write(&path, b"").unwrap();
    let message = open(&path).unwrap_err().to_string();
    assert!(
        message.contains("not a film") && message.contains("empty"),
        "{message}"
    );
}

#[test]
fn every_film_that_is_cut_short_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.mp4");
    for name in ["plain.mp4", "bt709.mp4"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        // From where the file still says what it is.
        for end in (40..whole.len()).step_by(97) {
            std::fs::write(&path, &whole[..end]).unwrap();
            let message = open(&path).unwrap_err().to_string();
            assert!(
                message.contains("cut short") || message.contains("no frames"),
                "{name} {end}: {message}"
            );
        }
    }
}

#[test]
fn claims_are_checked_before_memory_is_reserved() {
    let small = Limits {
        max_pixels: 1000,
        ..Limits::default()
    };
    let few = Limits {
        max_frames: 3,
        ..Limits::default()
    };
    for (limits, word) in [(small, "max_pixels"), (few, "max_frames")] {
        let message = open_within(fixture("plain.mp4"), &limits)
            .unwrap_err()
            .to_string();
        assert!(message.contains(word), "{message}");
    }
    // 4,294,967,295 frames of one byte in a table of none.
    let whole = std::fs::read(fixture("plain.mp4")).unwrap();
    let at = whole.windows(4).position(|w| w == b"stsz").unwrap();
    let mut bytes = whole.clone();
    bytes[at + 8..at + 16].copy_from_slice(&[0, 0, 0, 1, 255, 255, 255, 255]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.mp4");
    std::fs::write(&path, &bytes).unwrap();
    let message = open(&path).unwrap_err().to_string();
    assert!(message.contains("max_frames"), "{message}");
}

/// Opens and decodes; the outcome may be an error, never a panic of ours.
fn survives(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.mp4");
    std::fs::write(&path, bytes).unwrap();
    let Ok(film) = open_native(&path, &Limits::default()) else {
        return;
    };
    if let Ok(frames) = film.frames(&Selection::default()) {
        frames.for_each(drop);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = std::fs::read(fixture("plain.mp4")).unwrap();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        survives(&bytes);
    }
}
