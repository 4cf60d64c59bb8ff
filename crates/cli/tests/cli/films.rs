//! Films: frames and clips in `consilience extract`, and as stimuli of studies.

use std::path::{Path, PathBuf};

use consilience::io::image;
use consilience::io::video::{self, Frame, Selection};
use serde_json::{Value, json};

use crate::support::{
    DEMO_WEIGHTS, Scratch, encode, files_below, listing, noise, npy_header, npy_values, real_data,
    words,
};

const MODEL: [&str; 5] = [
    "extract",
    "--model",
    "consilience_demo",
    "--weights",
    DEMO_WEIGHTS,
];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures/video")
        .join(name)
}

/// Puts a film of the fixtures into the working folder.
fn put_film(scratch: &Scratch, name: &str, from: &str) {
    scratch.put(name, &std::fs::read(fixture(from)).unwrap());
}

fn extract(scratch: &Scratch, line: &str) -> Value {
    scratch.ok(&[&MODEL[..], &words(line)].concat());
    let out = line.split(' ').skip_while(|word| *word != "--out").nth(1);
    let path = scratch.path(out.unwrap()).join("manifest.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn frames(path: &Path) -> Vec<Frame> {
    let film = video::open(path).unwrap();
    let frames = film.frames(&Selection::default()).unwrap();
    frames.map(Result::unwrap).collect()
}

/// Writes frames as pictures `FOLDER/f0.png` …
fn put_frames<'a>(scratch: &Scratch, folder: &str, frames: impl Iterator<Item = &'a Frame>) {
    for (idx, frame) in frames.enumerate() {
        let bytes = image::encode_png(&frame.image).unwrap();
        scratch.put(&format!("{folder}/f{idx}.png"), &bytes);
    }
}

#[track_caller]
fn assert_same_arrays(scratch: &Scratch, left: &str, right: &str, layers: &[&str]) {
    for layer in layers {
        let [left, right] = [left, right]
            .map(|out| std::fs::read(scratch.path(out).join(format!("{layer}.npy"))).unwrap());
        assert!(left == right, "{layer} differs");
    }
}

/// Means of the rows of each range, as they are stored.
fn means(rows: &[f64], n_columns: usize, ranges: &[std::ops::Range<usize>]) -> Vec<f64> {
    let mean = |range: &std::ops::Range<usize>, column: usize| {
        let values = range.clone().map(|row| rows[row * n_columns + column]);
        f64::from((values.sum::<f64>() / range.len() as f64) as f32)
    };
    ranges
        .iter()
        .flat_map(|range| (0..n_columns).map(move |column| mean(range, column)))
        .collect()
}

#[test]
fn frames_give_the_rows_of_the_pictures_that_they_are() {
    let scratch = Scratch::new();
    put_film(&scratch, "film.mp4", "plain.mp4");
    let all = frames(&scratch.path("film.mp4"));
    put_frames(&scratch, "pictures", all.iter());
    let rest = "--layers pool1,fc --pool mean";
    extract(
        &scratch,
        &format!("--images pictures {rest} --out pictures-out"),
    );
    let mut manifests = Vec::new();
    for threads in ["1", "2"] {
        let line = format!("--images film.mp4 {rest} --threads {threads} --out film{threads}");
        manifests.push(extract(&scratch, &line));
        assert_same_arrays(
            &scratch,
            "pictures-out",
            &format!("film{threads}"),
            &["pool1", "fc"],
        );
    }
    assert_eq!(manifests[0], manifests[1]);
    let manifest = &manifests[0];
    let rows = manifest["images"].as_array().unwrap();
    assert_eq!(rows.len(), 12);
    for (row, frame) in rows.iter().zip(&all) {
        assert_eq!(row["path"], "film.mp4");
        assert_eq!(row["frame"], frame.index);
        assert_eq!(row["seconds"], frame.seconds);
        assert_eq!(row["blake3"].as_str().unwrap().len(), 64);
    }
    let films = &manifest["films"];
    assert_eq!(films["selection"], "every frame from 0 s to the end");
    assert_eq!(films["clip"], "none");
    assert_eq!(films["span"], json!([0.0, null]));
    assert_eq!(films["frames_per_second"], Value::Null);
    let file = &films["files"][0];
    assert_eq!(
        (&file["codec"], &file["n_frames"]),
        (&json!("h264"), &json!(12))
    );
    assert_eq!((&file["width"], &file["height"]), (&json!(46), &json!(34)));
    assert_eq!(file["blake3"], rows[0]["blake3"]);

    // 0.24, 0.34 and 0.44 s.
    let line = "--images film.mp4 --frames-per-second 10 --span 0.24-0.45";
    let manifest = extract(&scratch, &format!("{line} {rest} --out part"));
    let chosen = [6, 8, 11].map(|position| &all[position]);
    put_frames(&scratch, "chosen", chosen.into_iter());
    extract(
        &scratch,
        &format!("--images chosen {rest} --out chosen-out"),
    );
    assert_same_arrays(&scratch, "chosen-out", "part", &["pool1", "fc"]);
    let rows = manifest["images"].as_array().unwrap();
    let positions: Vec<&Value> = rows.iter().map(|row| &row["frame"]).collect();
    assert_eq!(positions, [6, 8, 11]);
    assert_eq!(manifest["films"]["frames_per_second"], 10.0);
    assert_eq!(manifest["films"]["span"], json!([0.24, 0.45]));
    // To the end.
    let line = "--images film.mp4 --span 0.4- --layers fc --out tail";
    let manifest = extract(&scratch, line);
    assert_eq!(manifest["layers"][0]["shape"], json!([2, 8]));
}

#[test]
fn a_folder_of_pictures_and_films_is_taken_in_natural_order() {
    let scratch = Scratch::new();
    put_film(&scratch, "mixed/s10.mp4", "plain.mp4");
    put_film(&scratch, "mixed/s9.MOV", "baseline.mov");
    scratch.put(
        "mixed/s2.png",
        &encode(64, |row, column| [row as u8, column as u8, 9]),
    );
    scratch.put("mixed/notes.txt", b"nothing");
    let base = "--layers pool2,fc --pool max";
    let manifest = extract(&scratch, &format!("--images mixed {base} --out rows"));
    let order = |manifest: &Value| -> Vec<String> {
        let rows = manifest["images"].as_array().unwrap().iter();
        rows.map(|row| row["path"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut expected = vec!["mixed/s2.png".to_owned()];
    expected.extend(vec!["mixed/s9.MOV".to_owned(); 12]);
    expected.extend(vec!["mixed/s10.mp4".to_owned(); 12]);
    assert_eq!(order(&manifest), expected);
    assert_eq!(manifest["images"][0].get("frame"), None);

    let line = format!("--images mixed --clip mean {base} --threads 2 --out clips");
    let manifest = extract(&scratch, &line);
    expected.dedup();
    assert_eq!(order(&manifest), expected);
    assert_eq!(manifest["films"]["clip"], "mean");
    assert_eq!(manifest["images"][1]["span"], json!([0.0, 0.48]));
    assert_eq!(manifest["images"][1]["n_frames"], 12);
    assert_eq!(manifest["images"][0].get("n_frames"), None);
    for layer in ["pool2", "fc"] {
        let [rows, clips] = ["rows", "clips"]
            .map(|out| npy_values(&scratch.path(out).join(format!("{layer}.npy"))));
        let n_columns = clips.len() / 3;
        assert_eq!(clips, means(&rows, n_columns, &[0..1, 1..13, 13..25]));
    }

    // A list in its own order; the mean that a lesion leaves is over all frames.
    scratch.put("list.txt", b"mixed/s10.mp4\nmixed/s2.png\n");
    let line = format!("--images list.txt --clip mean {base} --out listed");
    assert_eq!(
        order(&extract(&scratch, &line)),
        ["mixed/s10.mp4", "mixed/s2.png"]
    );
    let [all, listed] =
        ["clips", "listed"].map(|out| npy_values(&scratch.path(out).join("fc.npy")));
    assert_eq!(listed, [&all[16..], &all[..8]].concat());
    let lesion = ["--edit", "lesion layer=fc units=3 with=mean"];
    let line = words("--images mixed --clip mean --layers fc --out lesioned");
    scratch.ok(&[&MODEL[..], &line, &lesion].concat());
    let (rows, lesioned) = (
        npy_values(&scratch.path("rows/fc.npy")),
        npy_values(&scratch.path("lesioned/fc.npy")),
    );
    let mean = (0..25).map(|row| rows[row * 8 + 3]).sum::<f64>() / 25.0;
    for row in 0..3 {
        assert!((lesioned[row * 8 + 3] - mean).abs() < 1e-6 * mean.abs());
    }
}

#[test]
fn means_of_clips_are_reduced_like_other_rows() {
    let scratch = Scratch::new();
    for (idx, film) in ["plain.mp4", "baseline.mov", "bt709.mp4", "full_range.mp4"]
        .into_iter()
        .enumerate()
    {
        let ending = film.rsplit('.').next().unwrap();
        put_film(&scratch, &format!("films/f{idx}.{ending}"), film);
    }
    let base = "--images films --clip mean --layers pool2";
    extract(&scratch, &format!("{base} --out all"));
    extract(
        &scratch,
        &format!("{base} --reduce sparse=300 --out sparse"),
    );
    extract(
        &scratch,
        &format!("{base} --reduce pca=3 --reduce-fit films --out pca"),
    );
    assert_eq!(
        npy_header(&scratch.path("sparse/pool2.npy")),
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 300), }"
    );
    let [all, pca] = ["all", "pca"].map(|out| npy_values(&scratch.path(out).join("pool2.npy")));
    let distance = |values: &[f64], i: usize, j: usize| -> f64 {
        let n = values.len() / 4;
        let pairs = values[i * n..][..n].iter().zip(&values[j * n..][..n]);
        pairs.map(|(a, b)| (a - b).powi(2)).sum()
    };
    // Three components of four clips keep everything.
    for (i, j) in [(0, 1), (0, 3), (1, 2)] {
        let whole = distance(&all, i, j);
        assert!((distance(&pca, i, j) / whole - 1.0).abs() < 1e-3);
    }
}

#[test]
fn a_killed_extraction_of_films_goes_on() {
    for (clip, file, n_frames) in [("none", "000000-1.npy", 720), ("mean", "000000-1.npy", 720)] {
        let scratch = Scratch::new();
        put_film(&scratch, "film.mp4", "plain.mp4");
        scratch.put("list.txt", "film.mp4\n".repeat(60).as_bytes());
        let line = format!("--images list.txt --clip {clip} --layers conv2,fc --threads 1");
        let args = |out| [&MODEL[..], &words(&line), &["--out", out]].concat();
        scratch.ok(&args("whole"));
        let mut child = scratch.command(&args("killed")).spawn().unwrap();
        let first_block = || {
            files_below(&scratch.path("killed"))
                .iter()
                .any(|path| path.ends_with(file))
        };
        while !first_block() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!scratch.path("killed/manifest.json").exists());
        let answer = scratch.run(&args("killed"));
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        let note = format!("of {n_frames} frames were done");
        assert!(answer.stderr.contains(&note), "{}", answer.stderr);
        let [whole, resumed] = ["whole", "killed"].map(|out| listing(&scratch.path(out)));
        assert_eq!(whole.len(), 3);
        assert!(whole == resumed, "{clip}: files differ");
    }
}

#[test]
fn films_and_options_that_do_not_fit_are_refused() {
    let scratch = Scratch::new();
    put_film(&scratch, "film.mp4", "plain.mp4");
    put_film(&scratch, "sound.mp4", "sound.mp4");
    put_film(&scratch, "mpeg4.mp4", "mpeg4.mp4");
    scratch.put("pictures/p.png", &encode(8, |_, _| [1, 2, 3]));
    let whole = std::fs::read(fixture("plain.mp4")).unwrap();
    scratch.put("cut.mp4", &whole[..whole.len() - 100]);
    let mut broken = std::fs::read(fixture("bt709.mp4")).unwrap();
    let n = broken.len();
    broken[n - 300..].fill(0xff);
    scratch.put("broken.mp4", &broken);
    scratch.put("empty/notes.txt", b"");
    let refused = |line: &str, phrases: &[&str]| {
        scratch.refused(
            &[&MODEL[..], &words(line), &["--out", "x"]].concat(),
            phrases,
        )
    };
    for option in ["--frames-per-second 2", "--span 0-1", "--clip mean"] {
        let name = option.split(' ').next().unwrap();
        refused(
            &format!("--images pictures {option}"),
            &[name, "for films", "pictures", "leave it out", ".mp4"],
        );
    }
    refused(
        "--images film.mp4 --span 0.48-",
        &["film.mp4", "no frame is shown", "0.480 s"],
    );
    refused(
        "--images film.mp4 --span 7-9",
        &["film.mp4", "7 s to 9 s", "0.480 s"],
    );
    refused("--images film.mp4 --span 0.41-0.43", &["no frame is shown"]);
    refused(
        "--images film.mp4 --span 3",
        &["--span", "START-END", "2.5-10"],
    );
    refused("--images film.mp4 --span 3-2", &["--span", "START < END"]);
    refused("--images film.mp4 --span -1-2", &["--span", "\"-1-2\""]);
    refused(
        "--images film.mp4 --frames-per-second 0",
        &["--frames-per-second", "above 0"],
    );
    refused(
        "--images film.mp4 --frames-per-second 1e300",
        &["frames of the film"],
    );
    refused(
        "--images film.mp4 --clip max",
        &["--clip", "none, mean", "\"max\""],
    );
    refused("--images sound.mp4", &["sound.mp4", "no frames"]);
    refused("--images cut.mp4", &["cut.mp4", "cut short"]);
    refused("--images absent.mp4", &["absent.mp4"]);
    refused("--images empty", &["no picture", "no film", "empty"]);
    // Found when the frame's turn comes: nothing is left of those before it.
    refused("--images broken.mp4", &["broken.mp4"]);

    let args = [&MODEL[..], &words("--images mpeg4.mp4 --out x")].concat();
    let output = scratch.command(&args).env("PATH", "").output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for phrase in ["mpeg4.mp4", "no ffprobe and ffmpeg", "install FFmpeg"] {
        assert!(message.contains(phrase), "no {phrase:?} in: {message}");
    }
    // A span that is longer than the film is taken to its end, and that is said.
    let line = "--images film.mp4 --span 0.4-3 --layers fc --pool none --clip mean --out long";
    let answer = scratch.run(&[&MODEL[..], &words(line)].concat());
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("film.mp4 ends at 0.48 s"),
        "{}",
        answer.stderr
    );
}

#[test]
fn real_films_are_extracted_frame_by_frame_and_as_clips() {
    let Some(data) = real_data("films::real_films_are_extracted_frame_by_frame_and_as_clips")
    else {
        return;
    };
    for (film, span, n_expected) in [
        ("face_clip/face001.mp4", "0.5-1.5", 5),
        ("face_2afc_lee2026/movie.mp4", "0-", 0),
    ] {
        let scratch = Scratch::new();
        let path = data.join(film);
        let base = format!(
            "--images {} --frames-per-second 5 --span {span} --layers pool3,fc --pool mean",
            path.display()
        );
        let manifest = extract(&scratch, &format!("{base} --out rows"));
        let positions: Vec<usize> = manifest["images"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["frame"].as_u64().unwrap() as usize)
            .collect();
        assert!(positions.len() == n_expected || n_expected == 0);
        let all = frames(&path);
        put_frames(
            &scratch,
            "pictures",
            positions.iter().map(|&position| &all[position]),
        );
        let line = "--images pictures --layers pool3,fc --pool mean --out pictures-out";
        extract(&scratch, line);
        assert_same_arrays(&scratch, "rows", "pictures-out", &["pool3", "fc"]);
        extract(
            &scratch,
            &format!("{base} --clip mean --threads 2 --out clip"),
        );
        for layer in ["pool3.npy", "fc.npy"] {
            let [rows, clip] =
                ["rows", "clip"].map(|out| npy_values(&scratch.path(out).join(layer)));
            assert_eq!(
                clip,
                means(
                    &rows,
                    clip.len(),
                    std::slice::from_ref(&(0..positions.len()))
                )
            );
        }
    }
}

const STUDY: &str = r#"[study]
title = "Films"
seed = 3

[stimuli]
images = "stimuli/*"
frames-per-second = 10
span = "0.04-0.4"

[[model]]
name = "consilience_demo"
weights = "consilience_demo.safetensors"
layers = ["pool1", "fc"]

[[brain]]
name = "region"
rdms = "region.npy"

[[analysis]]
kind = "rsa"
resamples = 20
permutations = 20
"#;

/// Four films and two pictures.
fn study() -> Scratch {
    let scratch = Scratch::new();
    put_film(&scratch, "stimuli/a.mp4", "plain.mp4");
    put_film(&scratch, "stimuli/b.mov", "baseline.mov");
    put_film(&scratch, "stimuli/c.mp4", "bt709.mp4");
    put_film(&scratch, "stimuli/d.mp4", "full_range.mp4");
    // The middle one of the chosen frames of the first film.
    let still = &frames(&fixture("plain.mp4"))[6];
    scratch.put("stimuli/e.png", &image::encode_png(&still.image).unwrap());
    let other = encode(64, |row, column| [(row * 2) as u8, (column * 3) as u8, 9]);
    scratch.put("stimuli/f.png", &other);
    let weights = std::fs::read(DEMO_WEIGHTS).unwrap();
    scratch.put("consilience_demo.safetensors", &weights);
    scratch.put_npy("region.npy", &noise(5, 15, 7));
    scratch.put("study.toml", STUDY.as_bytes());
    scratch
}

#[test]
fn a_film_is_one_stimulus_of_a_study() {
    let scratch = study();
    let told = scratch.ok(&["check", "study.toml"]);
    let line = "4 films, each the mean over its frames: 10 frames a second from 0.04 s to 0.4 s (16 of 48 frames)";
    assert!(told.contains(line), "{told}");
    scratch.ok(&["run", "study.toml", "--out", "one", "--threads", "1"]);
    let record = scratch.record("one");
    let stimuli = record["stimuli"].as_array().unwrap();
    let ids: Vec<&str> = stimuli.iter().map(|s| s["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
    assert_eq!(
        stimuli[0]["clip"],
        json!({"n_frames": 4, "frames": "10 frames a second from 0.04 s to 0.4 s"})
    );
    assert_eq!(stimuli[4].get("clip"), None);
    // At 0.04, 0.14, 0.24 and 0.34 s; the third stands for the film.
    assert!(stimuli[0]["thumbnail"].is_string());
    assert_eq!(stimuli[0]["thumbnail"], stimuli[4]["thumbnail"]);
    assert_ne!(stimuli[0]["thumbnail"], stimuli[1]["thumbnail"]);
    let report = std::fs::read_to_string(scratch.path("one/report.html")).unwrap();
    assert!(report.contains("Some stimuli are films") && report.contains("4 frames a film"));

    // The rows are those that the command gives.
    let line = "--images stimuli --frames-per-second 10 --span 0.04-0.4 --clip mean --layers pool1,fc --out rows";
    extract(&scratch, line);
    let cached = listing(&scratch.cache().join("activations"));
    assert_eq!(cached.len(), 2);
    for layer in ["pool1.npy", "fc.npy"] {
        let rows = std::fs::read(scratch.path("rows").join(layer)).unwrap();
        assert!(cached.values().any(|bytes| *bytes == rows), "{layer}");
    }

    // Warm and cold, for any number of threads, the same.
    let warm = scratch.run(&["run", "study.toml", "--out", "warm", "--threads", "2"]);
    assert!(!warm.stderr.contains("activations"), "{}", warm.stderr);
    let other = study();
    other.ok(&["run", "study.toml", "--out", "two", "--threads", "2"]);
    let one = listing(&scratch.path("one"));
    assert!(one == listing(&scratch.path("warm")) && one == listing(&other.path("two")));

    // Other frames are other activations and another plan.
    scratch.edit("study.toml", "0.04-0.4", "0.04-9");
    scratch.ok(&["run", "study.toml", "--out", "longer"]);
    assert_eq!(listing(&scratch.cache().join("activations")).len(), 4);
    let longer = scratch.record("longer");
    assert_ne!(
        longer["provenance"]["plan_blake3"],
        record["provenance"]["plan_blake3"]
    );
    let warning = longer["warnings"][0]["message"].as_str().unwrap();
    assert!(warning.contains("a (0.48 s), b (0.48 s)"), "{warning}");
}

#[test]
fn studies_name_the_key_that_does_not_fit_their_films() {
    let refused = |old: &str, new: &str, phrases: &[&str]| {
        let scratch = study();
        scratch.edit("study.toml", old, new);
        for command in ["check", "run"] {
            scratch.refused(&[command, "study.toml"], phrases);
        }
    };
    refused("= 10", "= 0", &["study.toml:7:", "above 0", "found 0"]);
    refused("0.04-0.4", "4", &["study.toml:8:", "START-END", "\"4\""]);
    refused(
        "0.04-0.4",
        "3-4",
        &["study.toml:8:", "a.mp4", "no frame is shown"],
    );
    refused(
        "\"stimuli/*\"",
        "\"stimuli/*.png\"",
        &["study.toml:7:", "matches no film"],
    );
    let scratch = study();
    put_film(&scratch, "stimuli/g.mp4", "sound.mp4");
    scratch.refused(
        &["check", "study.toml"],
        &["study.toml:6:", "g.mp4", "no frames"],
    );
}
