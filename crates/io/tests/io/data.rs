//! Real files from the data folder: values against SciPy and published facts.
//!
//! The folder is `CONSILIENCE_DATA`, else `../shared/data` beside the workspace. Without it a test says
//! so and passes, unless `CONSILIENCE_REQUIRE_DATA=1`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use consilience_io::mat::{MatFile, MatValue};
use consilience_io::ratings::{RatingsParams, RatingsTable};
use consilience_io::rdms::load_rdms;
use consilience_io::source::load_array;
use consilience_io::weights::{Weights, darknet};
use consilience_io::{catalogue, hash, image, npy, table, unpack};
use ndarray::Axis;
use serde::Deserialize;

/// A file or folder of the data folder, or `None` with a word about it.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CONSILIENCE_DATA").map_or_else(
        || concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").into(),
        PathBuf::from,
    );
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var("CONSILIENCE_REQUIRE_DATA").is_ok_and(|value| value == "1");
    assert!(!required, "{} is required and missing", path.display());
    #[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
    {
        eprintln!("SKIPPED: {name} (no data folder)");
    }
    None
}

/// `file:selector` in the 92-image folder.
fn spec(folder: &Path, rest: &str) -> String {
    format!("{}/{rest}", folder.display())
}

#[derive(Deserialize)]
struct Digest {
    axes: Vec<usize>,
    sha256: String,
}

#[test]
fn matlab_values_are_those_of_scipy() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mat/real.json");
    let expected: BTreeMap<String, BTreeMap<String, Digest>> =
        serde_json::from_slice(&std::fs::read(fixtures).unwrap()).unwrap();
    for (name, variables) in expected {
        let Some(path) = data(&name) else { return };
        let file = MatFile::read(&path).unwrap();
        for (selector, digest) in variables {
            let arrays = match file.select(&selector).unwrap() {
                MatValue::Cell(cell) => cell.values,
                one => vec![one],
            };
            let mut bytes = Vec::new();
            for (k, array) in arrays.into_iter().enumerate() {
                let array = array.into_array().unwrap().into_f64();
                if k == 0 {
                    assert_eq!(array.shape(), digest.axes, "{name}:{selector}");
                }
                // Transposed, logical order is MATLAB's.
                bytes.extend(array.t().iter().flat_map(|value| value.to_le_bytes()));
            }
            assert_eq!(hash::sha256(&bytes), digest.sha256, "{name}:{selector}");
        }
    }
}

/// Ranks from 1, ties by their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let before = values.iter().filter(|v| **v < values[tied[0]]).count();
        for k in tied {
            ranks[*k] = before as f64 + (tied.len() + 1) as f64 / 2.0;
        }
    }
    ranks
}

fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let [a, b] = [ranks(a), ranks(b)];
    let mean = (a.len() + 1) as f64 / 2.0;
    let product = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    product(&a, &b) / (product(&a, &a) * product(&b, &b)).sqrt()
}

#[test]
fn brain_and_behaviour_agree_as_published() {
    let Some(folder) = data("kriegeskorte92") else {
        return;
    };
    let load = |rest: &str| load_rdms(&spec(&folder, rest)).unwrap();
    let brain = load("92_brainRDMs.mat");
    assert_eq!(
        (brain.dims.as_slice(), brain.rdms.n_conditions()),
        (&[4, 2][..], 92)
    );
    let names = brain.names.unwrap();
    assert_eq!(
        (names[0].as_str(), names.len()),
        ("hIT | BE | Session: 1", 8)
    );
    assert!(
        names[4].starts_with("hIT | BE | Session: 2"),
        "{}",
        names[4]
    );

    let behaviour = load("92_behavRDMs.mat");
    assert_eq!(behaviour.dims, [16]);
    let models = load("92_modelRDMs.mat");
    assert_eq!(
        (models.dims.as_slice(), models.rdms.n_rdms()),
        (&[8][..], 8)
    );

    let figure = load("Kriegeskorte_Neuron2008_supplementalData.mat:RDMs_mIT_hIT_fig1");
    assert_eq!(figure.dims, [2]);
    let [monkey, human] = [0, 1].map(|k| figure.rdms.vectors().row(k).to_vec());
    let mean = |rdms: &consilience_core::Rdms| rdms.vectors().mean_axis(Axis(0)).unwrap().to_vec();
    // goldens/rsa92.json
    assert!((spearman(&human, &monkey) - 0.4389).abs() < 5e-5);
    assert!((spearman(&human, &mean(&brain.rdms)) - 1.0).abs() < 5e-4);
    assert!((spearman(&human, &mean(&behaviour.rdms)) - 0.3924).abs() < 5e-5);

    let one = load("92_brainRDMs.mat:RDMs[5].RDM");
    assert_eq!(one.rdms.vectors().row(0), brain.rdms.vectors().row(5));
    let square = load("rdm92_V1model.mat:rdm92_V1model");
    let vector = load("rdm92_V1model.mat:RDMs[0].RDM");
    assert_eq!(square.rdms.n_conditions(), vector.rdms.n_conditions());

    let error = load_rdms(&spec(&folder, "rdm92_V1model.mat")).unwrap_err();
    assert!(error.to_string().contains("\"rdm92_V1model\""), "{error}");
}

#[test]
fn arrangement_exports_are_read() {
    let Some(folder) = data("meadows_arrangement") else {
        return;
    };
    let file = "Meadows_myExp_v_v1_cuddly-bunny_3_1D.mat";
    let loaded = load_rdms(&spec(&folder, &format!("{file}:rdmutv"))).unwrap();
    assert_eq!(loaded.rdms.n_conditions(), 118);
    let stimuli = MatFile::read(folder.join(file)).unwrap();
    let stimuli = stimuli.variable("stimuli").unwrap().into_texts().unwrap();
    assert_eq!(stimuli[..2], ["stim118.png", "stim117.png"]);
}

#[test]
fn numpy_files_are_read() {
    let Some(folder) = data("things_vice") else {
        return;
    };
    let embedding = npy::read(folder.join("final_embedding.npy")).unwrap();
    assert_eq!(embedding.shape(), [1854, 42]);
    let Some(folder) = data("net2brain78") else {
        return;
    };
    let loaded = load_rdms(&spec(&folder, "brain_data/fmri_IT_RDMs.npz:arr_0")).unwrap();
    assert_eq!(
        (loaded.dims.as_slice(), loaded.rdms.n_conditions()),
        (&[15][..], 78)
    );
    let only = load_array(&spec(&folder, "brain_data/fmri_IT_RDMs.npz")).unwrap();
    assert_eq!(only.shape(), [15, 78, 78]);
}

#[test]
fn a_table_with_bare_carriage_returns_is_read() {
    let Some(folder) = data("oasis_affective") else {
        return;
    };
    let oasis = table::Table::read(folder.join("OASIS.csv")).unwrap();
    assert_eq!(oasis.n_rows(), 900);
    let valence = oasis.numbers("Valence_mean").unwrap();
    assert!(valence.iter().all(|v| (1.0..=7.0).contains(v)));
    let themes = oasis.column("Theme").unwrap();
    assert!(themes.contains(&"War 2 "));
}

#[test]
fn ratings_of_oasis_fit_its_pictures() {
    let Some(folder) = data("oasis_affective") else {
        return;
    };
    let params = RatingsParams {
        scale: Some([1.0, 7.0]),
        ..RatingsParams::oasis("Valence")
    };
    let ratings = RatingsTable::read(folder.join("OASIS.csv"), &params).unwrap();
    assert_eq!(ratings.pictures().count(), 900);
    let mut files: Vec<String> = std::fs::read_dir(folder.join("images"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let found = ratings.aligned(&names).unwrap();
    assert_eq!((found.values.dim(), found.missing.len()), ((120, 1), 0));
    assert!(found.n.iter().all(|n| n.is_some_and(|n| n > 50)));
    assert!(found.sd.iter().all(Option::is_some));
    // The files whose names the table writes with a blank behind them.
    let found = ratings.aligned(&["War 2.jpg", "Crosswalk 1.jpg"]).unwrap();
    assert!(found.missing.is_empty());
}

#[test]
fn the_stimuli_are_unpacked_pixel_by_pixel() {
    let Some(folder) = data("kriegeskorte92") else {
        return;
    };
    let copy = tempfile::tempdir().unwrap();
    let source = "Kriegeskorte_Neuron2008_supplementalData.mat";
    std::fs::copy(folder.join(source), copy.path().join(source)).unwrap();
    let written = unpack::derive("kriegeskorte92", copy.path()).unwrap();
    assert_eq!(written.len(), 93);
    for path in &written {
        let reference = folder.join(path.strip_prefix(copy.path()).unwrap());
        if path.extension().is_some_and(|ending| ending == "png") {
            let [ours, theirs] = [path, &reference].map(|path| image::read(path).unwrap());
            assert_eq!((ours.width, ours.height), (175, 175));
            assert!(ours == theirs, "{}", path.display());
        } else {
            assert_eq!(
                std::fs::read(path).unwrap(),
                std::fs::read(reference).unwrap()
            );
        }
    }
}

#[test]
fn the_catalogue_pins_the_files_that_are_here() {
    for set in catalogue::data_sets() {
        for file in set.files() {
            let Some(path) = data(&format!("{}/{}", set.name, file.path)) else {
                return;
            };
            assert_eq!(
                hash::sha256_file(path).unwrap(),
                file.sha256,
                "{}",
                file.path
            );
        }
    }
}

#[test]
fn photographs_and_weights_are_read() {
    let Some(folder) = data("sample_photos") else {
        return;
    };
    for (name, size) in [("astronaut.png", (512, 512)), ("rocket.jpg", (640, 427))] {
        let image = image::read(folder.join(name)).unwrap();
        assert_eq!((image.width, image.height), size, "{name}");
    }
    let Some(folder) = data("squeezenet1_1") else {
        return;
    };
    let mut weights = Weights::read(folder.join("squeezenet1_1.safetensors")).unwrap();
    assert_eq!(weights.names().count(), 52);
    weights.take("features.0.weight", &[64, 3, 3, 3]).unwrap();
}

#[test]
fn darknet_weights_have_as_many_numbers_as_their_cfg_asks_for() {
    let Some(folder) = data("yolo_fastest") else {
        return;
    };
    for (name, seen, n_values) in [
        ("yolo-fastest-1.1.weights", 14_231_680, 346_062),
        ("yolo-fastest-1.1-xl.weights", 16_000_000, 923_486),
    ] {
        let weights = darknet::read(folder.join(name)).unwrap();
        assert_eq!((weights.major, weights.minor), (0, 2), "{name}");
        assert_eq!((weights.revision, weights.seen), (5, seen), "{name}");
        assert_eq!(weights.values.len(), n_values, "{name}");
    }
}
