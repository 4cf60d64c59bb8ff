//! Files that are damaged, cut short or hostile.

use std::path::Path;

use consilience::io::{npy, npz};
use consilience::models::graph::{Graph, Input, Node, Opset};
use consilience::models::onnx;
use ndarray::Array2;

use crate::support::{
    DEMO_WEIGHTS, N_PICTURES, Scratch, assert_no_partial_files, assert_same_files, listing, noise,
    real_data, words,
};

/// PyTorch files, written by `fixtures/generate/weights.py`.
const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/weights/");

/// What is said of each cut depends on where it falls; these are all that may be said.
const CUT_SHORT: [&str; 6] = ["cut short", "damaged", "not ", "empty", "expected", "end"];

/// Cuts `bytes` at many places, and has `args` refuse every one of them by naming the file.
#[track_caller]
fn cut(scratch: &Scratch, file: &str, bytes: &[u8], args: &[&str]) {
    cut_before_tail(scratch, file, bytes, 1, args);
}

/// The same for formats whose last `n_tail` bytes carry nothing that is needed.
#[track_caller]
fn cut_before_tail(scratch: &Scratch, file: &str, bytes: &[u8], n_tail: usize, args: &[&str]) {
    let n = bytes.len();
    for kept in [0, 1, 9, n / 4, n / 2, n - n / 8, n - n_tail] {
        scratch.put(file, &bytes[..kept]);
        let message = scratch.refused(args, &[file.rsplit('/').next().unwrap()]);
        assert!(
            CUT_SHORT.iter().any(|said| message.contains(said)),
            "{file} with {kept} of {n} bytes: {message}"
        );
    }
    scratch.put(file, bytes);
}

/// The arguments that extract the small study's network for these pictures.
fn extract(images: &str) -> Vec<&str> {
    let mut args = words("extract --model consilience_demo --layers fc --out out/deep");
    args.extend([
        "--weights",
        "consilience_demo.safetensors",
        "--images",
        images,
    ]);
    args
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn arrays_cut_short_are_refused() {
    let scratch = Scratch::new();
    scratch.put_npy("x.npy", &noise(6, 20, 1));
    let whole = bytes(scratch.path("x.npy"));
    cut(
        &scratch,
        "x.npy",
        &whole,
        &["rdm", "x.npy", "--out", "d.npy"],
    );

    let array = noise(6, 20, 1).into_dyn();
    npz::write(scratch.path("x.npz"), &[("a", array.view())]).unwrap();
    let whole = bytes(scratch.path("x.npz"));
    cut(
        &scratch,
        "x.npz",
        &whole,
        &["rdm", "x.npz:a", "--out", "d.npy"],
    );
}

#[test]
fn a_header_that_claims_too_much_is_refused_at_once() {
    let scratch = Scratch::new();
    let claim = |shape: &str| {
        let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    for shape in [
        "(1000000000000,)",
        "(1000000, 1000000)",
        "(18446744073709551615, 2)",
        "(4294967296, 4294967296)",
        "(-1, 3)",
    ] {
        scratch.put("x.npy", &claim(shape));
        let message = scratch.refused(&["rdm", "x.npy", "--out", "d.npy"], &["x.npy"]);
        assert!(
            message.contains("expected")
                || message.contains("over the limit")
                || message.contains("cut short"),
            "{message}"
        );
        let text = ["compare", "x.npy", "x.npy"];
        scratch.refused(&text, &["x.npy"]);
    }
    let study = Scratch::small_study();
    study.put("region.npy", &claim("(1000000000000,)"));
    study.refused(
        &["check", "study.toml"],
        &["region.npy", "study.toml:15:", "rdms = "],
    );
}

#[test]
fn another_kind_of_file_is_told_by_its_beginning() {
    let scratch = Scratch::small_study();
    scratch.put("region.npy", b"PK\x03\x04 something else entirely");
    scratch.refused(
        &["check", "study.toml"],
        &["region.npy", "study.toml:15:", "PK"],
    );
    scratch.put("region.txt", b"1 2 3");
    scratch.edit("study.toml", "region.npy", "region.txt");
    scratch.refused(
        &["check", "study.toml"],
        &["region.txt", "study.toml:15:", ".npy"],
    );
}

#[test]
fn weights_cut_short_or_of_another_network_are_refused() {
    let scratch = Scratch::small_study();
    let whole = bytes(DEMO_WEIGHTS);
    cut(
        &scratch,
        "consilience_demo.safetensors",
        &whole,
        &["run", "study.toml"],
    );
    cut(
        &scratch,
        "consilience_demo.safetensors",
        &whole,
        &extract("pictures"),
    );
    // A header length of almost 2⁶⁴.
    scratch.put("consilience_demo.safetensors", &[0xFF; 64]);
    scratch.refused(
        &["check", "study.toml"],
        &["consilience_demo.safetensors", "study.toml:10:"],
    );
    scratch.put("consilience_demo.safetensors", &whole);
    scratch.edit(
        "study.toml",
        "name = \"consilience_demo\"",
        "name = \"other\"\narchitecture = \"squeezenet1_1\"",
    );
    scratch.refused(
        &["check", "study.toml"],
        &[
            "do not fit squeezenet1_1",
            "features.0.weight",
            "study.toml:11:",
            "weights = ",
        ],
    );
}

/// Unpickling these runs a command in Python; here the name that it calls is told, and nothing runs.
#[test]
fn weights_that_run_a_command_are_refused() {
    let scratch = Scratch::small_study();
    for file in ["hostile.pth", "hostile_old.pth"] {
        scratch.put(file, &bytes(format!("{WEIGHTS}{file}")));
        scratch.refused(
            &[
                "extract",
                "--model",
                "consilience_demo",
                "--weights",
                file,
                "--images",
                "pictures",
                "--out",
                "out",
            ],
            &[file, "system"],
        );
        assert!(!scratch.path("out").exists());
    }
}

#[test]
fn networks_that_cannot_be_run_are_refused() {
    let scratch = Scratch::small_study();
    let node = |op: &str, inputs: &[&str], output: &str| Node {
        name: format!("node_{output}"),
        op: op.into(),
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        ..Node::default()
    };
    let refused = |nodes: Vec<Node>, phrases: &[&str]| {
        let graph = Graph {
            name: "small".into(),
            opsets: vec![Opset {
                domain: String::new(),
                version: 17,
            }],
            inputs: vec![Input {
                name: "x".into(),
                shape: vec![None, Some(3), Some(8), Some(8)],
            }],
            nodes,
            outputs: vec!["y".into()],
            ..Graph::default()
        };
        scratch.put("net.onnx", &onnx::write(&graph));
        scratch.refused(
            &words("extract --model net.onnx --images pictures --out out"),
            phrases,
        );
        assert!(!scratch.path("out").exists());
    };
    refused(
        vec![node("Add", &["x", "y"], "z"), node("Relu", &["z"], "y")],
        &["net.onnx", "node_y", "made from what the operation makes"],
    );
    refused(
        vec![node("NoSuchThing", &["x"], "y")],
        &["net.onnx", "NoSuchThing", "node_y"],
    );
    refused(vec![node("Relu", &["gone"], "y")], &["net.onnx", "gone"]);
}

#[test]
fn pictures_without_a_pixel_or_with_too_many_are_refused() {
    let scratch = Scratch::small_study();
    let whole = bytes(scratch.path("pictures/p3.png"));
    // Width and height, with the checksum of the chunk after them.
    let claim = |width: u32, height: u32| {
        let mut png = whole.clone();
        png[16..20].copy_from_slice(&width.to_be_bytes());
        png[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&checksum.to_be_bytes());
        png
    };
    let bmp = |width: i32, height: i32| {
        let mut bmp = b"BM".to_vec();
        for word in [54, 0, 54, 40, width, height] {
            bmp.extend(word.to_le_bytes());
        }
        bmp.extend([1, 0, 24, 0]);
        bmp.extend([0; 24]);
        bmp
    };
    for (file, content) in [
        ("none.png", claim(0, 8)),
        ("bomb.png", claim(50_000, 50_000)),
        ("none.bmp", bmp(0, 8)),
        ("bomb.bmp", bmp(50_000, 50_000)),
        ("empty.jpg", Vec::new()),
    ] {
        let file = format!("bad/{file}");
        scratch.put(&file, &content);
        // After a good one, so that something was there to be left behind.
        scratch.put("list.txt", format!("pictures/p1.png\n{file}").as_bytes());
        scratch.refused(&extract("list.txt"), &[&file]);
        let mut explain = extract("list.txt");
        explain[0] = "gradcam";
        explain[4] = "conv2";
        scratch.refused(&[&explain[..], &["--overlay"]].concat(), &[&file]);
    }
}

/// The checksum of PNG chunks, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| {
            (sum >> 1) ^ (0xEDB8_8320 * (sum & 1))
        })
    })
}

#[test]
fn pictures_cut_short_are_refused() {
    let scratch = Scratch::small_study();
    let whole = bytes(scratch.path("pictures/p3.png"));
    // The end of a PNG file holds checksums and an empty chunk.
    const TAIL: usize = 64;
    let file = "pictures/p3.png";
    cut_before_tail(&scratch, file, &whole, TAIL, &["run", "study.toml"]);
    scratch.put(file, &whole[..100]);
    scratch.refused(
        &["run", "study.toml"],
        &["p3.png", "study.toml:6:", "images = "],
    );
    cut_before_tail(&scratch, file, &whole, TAIL, &extract("pictures"));
    let mut huge = whole.clone();
    huge[16..24].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF]);
    scratch.put("pictures/p3.png", &huge);
    scratch.refused(&["run", "study.toml"], &["p3.png"]);
}

#[test]
fn photographs_cut_short_are_refused() {
    let Some(data) = real_data("bad_files::photographs_cut_short_are_refused") else {
        return;
    };
    let scratch = Scratch::small_study();
    let whole = bytes(data.join("sample_photos/rocket.jpg"));
    scratch.put("photos/a.jpg", &whole);
    let args = extract("photos");
    for kept in [
        0,
        3,
        100,
        whole.len() / 4,
        whole.len() / 2,
        whole.len() - whole.len() / 8,
    ] {
        scratch.put("photos/a.jpg", &whole[..kept]);
        scratch.refused(&args, &["a.jpg"]);
    }
}

#[test]
fn matlab_files_cut_short_are_refused() {
    let Some(data) = real_data("bad_files::matlab_files_cut_short_are_refused") else {
        return;
    };
    let scratch = Scratch::small_study();
    let whole = bytes(data.join("kriegeskorte92/92_brainRDMs.mat"));
    scratch.edit("study.toml", "region.npy", "brain.mat:RDMs.RDM");
    cut(&scratch, "brain.mat", &whole, &["check", "study.toml"]);
    scratch.refused(
        &["check", "study.toml"],
        &["92 conditions", "12 pictures", "study.toml:15:"],
    );
    scratch.edit("study.toml", "RDMs.RDM", "RDM.RDM");
    scratch.refused(
        &["check", "study.toml"],
        &["\"RDM\"", "did you mean \"RDMs\"", "brain.mat"],
    );
}

#[test]
fn networks_cut_short_are_refused() {
    let Some(data) = real_data("bad_files::networks_cut_short_are_refused") else {
        return;
    };
    let scratch = Scratch::small_study();
    let whole = bytes(data.join("squeezenet1_1/squeezenet1_1.onnx"));
    scratch.edit(
        "study.toml",
        "weights = \"consilience_demo.safetensors\"",
        "onnx = \"net.onnx\"",
    );
    cut(&scratch, "net.onnx", &whole, &["check", "study.toml"]);
    scratch.refused(
        &["check", "study.toml"],
        &["no layer matches \"pool1\"", "study.toml:11:"],
    );
}

#[test]
fn lists_of_pictures_are_checked_before_any_work() {
    let scratch = Scratch::small_study();
    let args = extract("list.txt");
    scratch.put("list.txt", b"pictures/p1.png\npictures/gone.png\n");
    scratch.refused(&args, &["list.txt", "gone.png", "not there"]);
    scratch.put("list.txt", b"\n\n");
    scratch.refused(&args, &["list.txt", "empty"]);
    std::fs::remove_file(scratch.path("list.txt")).unwrap();
    scratch.refused(&args, &["list.txt", "cannot read"]);
    scratch.put("list.txt", b"pictures/p1.png\nstudy.toml\n");
    scratch.refused(&args, &["study.toml"]);
}

type Damage = fn(&[u8]) -> Vec<u8>;

/// An entry that cannot be read counts as absent, whatever is wrong with it.
#[test]
fn a_damaged_cache_is_computed_again() {
    let scratch = Scratch::small_study();
    scratch.ok(&["run", "study.toml", "--out", "first"]);
    let entries = listing(&scratch.cache());
    assert!(entries.len() >= 5, "{:?}", entries.keys());
    let damages: [Damage; 4] = [
        |_| Vec::new(),
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |bytes| bytes[..bytes.len() - 1].to_vec(),
        |_| b"something else".to_vec(),
    ];
    for (k, damage) in damages.iter().enumerate() {
        // All entries at once, then the activations with nothing made from them.
        for all in [true, false] {
            for (name, bytes) in &entries {
                let path = scratch.cache().join(name);
                if all || name.starts_with("activations") {
                    std::fs::write(path, damage(bytes)).unwrap();
                } else {
                    std::fs::remove_file(path).unwrap();
                }
            }
            let out = format!("again-{k}-{all}");
            scratch.ok(&["run", "study.toml", "--out", &out]);
            assert_same_files(&scratch.path("first"), &scratch.path(&out));
            assert_eq!(entries, listing(&scratch.cache()), "damage {k}");
        }
    }
    // An array of another shape under the right name.
    for (name, bytes) in &entries {
        let path = scratch.cache().join(name);
        if name.starts_with("activations") {
            npy::write(&path, Array2::<f32>::zeros((3, N_PICTURES)).view()).unwrap();
        } else {
            assert!(!bytes.is_empty());
            std::fs::remove_file(path).unwrap();
        }
    }
    scratch.ok(&["run", "study.toml", "--out", "again"]);
    assert_same_files(&scratch.path("first"), &scratch.path("again"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::small_study();
    // A file where a folder is wanted stops everybody, root included.
    scratch.put("results", b"a file");
    scratch.refused(&["run", "study.toml"], &["results"]);
    scratch.put_npy("x.npy", &noise(4, 8, 1));
    scratch.refused(&["rdm", "x.npy", "--out", "results/d.npy"], &["results"]);

    let locked = scratch.path("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o555)).unwrap();
    // Root writes anyway: then there is nothing to see.
    if std::fs::write(locked.join("probe"), b"").is_err() {
        scratch.refused(
            &["rdm", "x.npy", "--out", "locked/d.npy"],
            &["locked/d.npy", "denied"],
        );
        scratch.refused(
            &["run", "study.toml", "--out", "locked"],
            &["locked", "denied"],
        );
    }
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o755)).unwrap();
    assert_no_partial_files(&locked);
}
