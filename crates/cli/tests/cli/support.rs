//! A folder, a cache and a data folder for each test, and the program run in them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use consilience::io::image::{self, RgbImage};
use consilience::io::npy;
use ndarray::Array2;
use serde_json::Value;
use tempfile::TempDir;

/// Weights of the network that the project ships.
pub const DEMO_WEIGHTS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../study/assets/consilience_demo.safetensors"
);

/// Pictures of [`Scratch::small_study`].
pub const N_PICTURES: usize = 12;

/// A study that runs in a moment; its lines are numbered in the tests of messages.
pub const SMALL_STUDY: &str = r#"[study]
title = "Small"
seed = 3

[stimuli]
images = "pictures/*.png"

[[model]]
name = "consilience_demo"
weights = "consilience_demo.safetensors"
layers = ["pool1", "fc"]

[[brain]]
name = "region"
rdms = "region.npy"

[[analysis]]
kind = "rsa"
resamples = 40
permutations = 50
"#;

/// A working folder with a cache of its own; both go when the test ends.
pub struct Scratch {
    folder: TempDir,
    data: PathBuf,
}

/// What a run of the program came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Scratch {
    /// An empty working folder and no data.
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let data = folder.path().join("data");
        Self { folder, data }
    }

    /// The same with `data` as the data folder.
    pub fn with_data(data: PathBuf) -> Self {
        Self {
            data,
            ..Self::new()
        }
    }

    /// A folder with [`SMALL_STUDY`] and everything it names.
    pub fn small_study() -> Self {
        let scratch = Self::new();
        for idx in 0..N_PICTURES {
            scratch.put(&format!("pictures/p{idx}.png"), &picture(idx));
        }
        scratch.put(
            "consilience_demo.safetensors",
            &std::fs::read(DEMO_WEIGHTS).unwrap(),
        );
        let n_pairs = N_PICTURES * (N_PICTURES - 1) / 2;
        scratch.put_npy("region.npy", &noise(5, n_pairs, 7));
        scratch.put("study.toml", SMALL_STUDY.as_bytes());
        scratch
    }

    /// Where `name` lies in the working folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    pub fn put_npy(&self, name: &str, array: &Array2<f64>) {
        npy::write(self.path(name), array.view()).unwrap();
    }

    /// Rewrites a file of the working folder; what is to be replaced must be there.
    pub fn edit(&self, name: &str, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(old), "{name} does not contain {old:?}");
        self.put(name, text.replacen(old, new, 1).as_bytes());
    }

    /// The program in the working folder, with nothing of the developer's surroundings.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consilience"));
        command
            .args(args)
            .current_dir(self.path(""))
            .env("CONSILIENCE_CACHE", self.cache())
            .env("CONSILIENCE_DATA", &self.data)
            .env("XDG_DATA_HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Answer {
        let output = self.command(args).output().unwrap();
        Answer {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs what has to succeed and gives its standard output.
    pub fn ok(&self, args: &[&str]) -> String {
        let answer = self.run(args);
        assert_eq!(answer.code, Some(0), "{args:?}: {}", answer.stderr);
        answer.stdout
    }

    /// The same for commands that print JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).unwrap()
    }

    /// Runs what has to be refused: exit code 2, nothing on standard output, all of `phrases` in
    /// the message, and the working folder as it was. Gives the message.
    #[track_caller]
    pub fn refused(&self, args: &[&str], phrases: &[&str]) -> String {
        let before = (listing(&self.path("")), below(&self.path("")).1);
        let answer = self.run(args);
        assert_eq!(answer.code, Some(2), "{args:?}: {answer:?}");
        assert_eq!(answer.stdout, "", "{args:?}");
        for phrase in phrases {
            assert!(
                answer.stderr.contains(phrase),
                "{args:?}: no {phrase:?} in: {}",
                answer.stderr
            );
        }
        assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
        let after = (listing(&self.path("")), below(&self.path("")).1);
        assert_eq!(before, after, "{args:?} left something");
        assert_no_partial_files(&self.folder.path().join("cache"));
        answer.stderr
    }

    /// The record in a results folder.
    pub fn record(&self, results: &str) -> Value {
        let bytes = std::fs::read(self.path(results).join("record.json")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}

/// The arguments of a command line without spaces in them.
pub fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A picture of noise, as PNG.
fn picture(idx: usize) -> Vec<u8> {
    let mut next = generator(idx as u64 + 1);
    encode(64, |_, _| [0; 3].map(|_| (next() * 255.0) as u8))
}

/// A square picture from a function of row and column, as PNG.
pub fn encode(side: usize, mut pixel: impl FnMut(usize, usize) -> [u8; 3]) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(side * side * 3);
    for row in 0..side {
        for column in 0..side {
            pixels.extend(pixel(row, column));
        }
    }
    let picture = RgbImage {
        width: side,
        height: side,
        pixels,
    };
    image::encode_png(&picture).unwrap()
}

/// Numbers between 0 and 1 that look random and are the same everywhere.
pub fn noise(n_rows: usize, n_columns: usize, seed: u64) -> Array2<f64> {
    let mut next = generator(seed);
    Array2::from_shape_fn((n_rows, n_columns), |_| next())
}

fn generator(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Every file below a folder; a folder that is not there has none. They may go away meanwhile.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    below(folder).0
}

/// The files and the folders below a folder.
fn below(folder: &Path) -> (Vec<PathBuf>, BTreeSet<PathBuf>) {
    let mut files = Vec::new();
    let mut folders = BTreeSet::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(current) = todo.pop() {
        let Ok(entries) = std::fs::read_dir(&current) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.insert(path.clone());
                todo.push(path);
            } else {
                files.push(path);
            }
        }
    }
    (files, folders)
}

/// Every file below a folder with its bytes.
pub fn listing(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().to_owned();
            (name, std::fs::read(&path).unwrap())
        })
        .collect()
}

/// No file below the folder is a temporary one.
#[track_caller]
pub fn assert_no_partial_files(folder: &Path) {
    for path in listing(folder).keys() {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(!name.starts_with('.'), "left behind: {}", path.display());
    }
}

/// Both folders hold the same files with the same bytes, and there are some.
#[track_caller]
pub fn assert_same_files(left: &Path, right: &Path) {
    let (left, right) = (listing(left), listing(right));
    assert!(!left.is_empty());
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&left), names(&right));
    for (name, bytes) in &left {
        assert!(right[name] == *bytes, "{} differs", name.display());
    }
}

/// Dtype, storage order and shape as the header of a `.npy` file spells them.
pub fn npy_header(path: &Path) -> String {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let n = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..10 + n].to_vec()).unwrap();
    header.trim().to_owned()
}

/// The values of a `.npy` file of any shape, as f64.
pub fn npy_values(path: &Path) -> Vec<f64> {
    npy::read(path).unwrap().into_f64().into_iter().collect()
}

/// Each number is the expected one within an absolute tolerance.
#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (f, e) in found.iter().zip(expected) {
        assert!(
            (f - e).abs() <= tolerance,
            "{found:?}, expected {expected:?}"
        );
    }
}

/// The folder of real data, or `None` after saying so.
///
/// It fails instead when `CONSILIENCE_REQUIRE_DATA=1`.
pub fn real_data(test: &str) -> Option<PathBuf> {
    const DEFAULT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let folder = std::env::var_os("CONSILIENCE_DATA").map_or(DEFAULT.into(), PathBuf::from);
    if folder.join("kriegeskorte92").is_dir() {
        return Some(folder.canonicalize().unwrap());
    }
    let required = std::env::var("CONSILIENCE_REQUIRE_DATA").is_ok_and(|value| value == "1");
    assert!(!required, "{test}: no data folder at {}", folder.display());
    // Past the capture of the test harness, so that it is seen.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {test} (no data folder at {})",
        folder.display()
    );
    None
}
