//! PyTorch files: every form against what PyTorch reads (fixtures/generate/weights.py), and hostile ones.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use consilience_io::weights::Weights;
use consilience_io::{IoError, Limits, Result, hash};
use proptest::prelude::*;
use serde::Deserialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/weights");

fn fixture(name: &str) -> PathBuf {
    Path::new(FIXTURES).join(name)
}

fn json<T: for<'a> Deserialize<'a>>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(fixture(name)).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct Expected {
    files: BTreeMap<String, BTreeMap<String, BTreeMap<String, Tensor>>>,
}

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

#[test]
fn every_form_holds_what_pytorch_reads() {
    let expected: Expected = json("expected.json");
    for (file, dicts) in expected.files {
        for (entry, tensors) in dicts {
            let entry = Some(entry.as_str()).filter(|entry| !entry.is_empty());
            let weights = Weights::read_entry(fixture(&file), entry).unwrap();
            let names: Vec<&str> = weights.names().collect();
            assert_eq!(names, tensors.keys().collect::<Vec<_>>(), "{file}");
            for (name, tensor) in &tensors {
                let found = &weights.tensors()[name];
                assert_eq!(found.shape(), tensor.shape, "{file} {name}");
                let values: Vec<f32> = found.iter().copied().collect();
                assert_eq!(values, tensor.values, "{file} {name}");
            }
        }
    }
}

#[test]
fn real_files_hold_what_pytorch_reads() {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("CONSILIENCE_DATA").map_or(default.into(), PathBuf::from);
    if !data.is_dir() {
        let required = std::env::var("CONSILIENCE_REQUIRE_DATA").is_ok_and(|value| value == "1");
        assert!(!required, "{} is required and missing", data.display());
        #[expect(clippy::print_stderr, reason = "a skipped test has to say so")]
        {
            eprintln!("SKIPPED: real_files_hold_what_pytorch_reads (no data folder)");
        }
        return;
    }
    let real: BTreeMap<String, BTreeMap<String, (Vec<usize>, String)>> = json("real.json");
    for (file, tensors) in real {
        let weights = Weights::read(data.join(&file)).unwrap();
        assert_eq!(weights.tensors().len(), tensors.len(), "{file}");
        for (name, (shape, sha256)) in &tensors {
            let tensor = &weights.tensors()[name];
            assert_eq!(tensor.shape(), shape, "{file} {name}");
            let bytes: Vec<u8> = tensor
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            assert_eq!(&hash::sha256(&bytes)[..16], sha256, "{file} {name}");
        }
    }
}

#[test]
fn several_state_dicts_have_to_be_told_apart() {
    let message = Weights::read(fixture("several.pth"))
        .unwrap_err()
        .to_string();
    for part in ["\"teacher\"", "\"nested/student\"", "several.pth"] {
        assert!(message.contains(part), "{message}");
    }
    let message = Weights::read_entry(fixture("several.pth"), Some("student"))
        .unwrap_err()
        .to_string();
    assert!(message.contains("no state dict \"student\""), "{message}");
}

#[test]
fn a_whole_model_is_refused_with_the_way_round_it() {
    let error = Weights::read(fixture("model.pth")).unwrap_err();
    let message = error.to_string();
    for part in [
        "torch.nn.modules.linear.Linear",
        "nothing was executed",
        "state_dict",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

fn parse(bytes: &[u8]) -> Result<Weights> {
    Weights::from_bytes(bytes, None, &Limits::default())
}

/// An archive as `torch.save` writes it.
fn archive(entries: &[(&str, &[u8])], compression: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(compression);
    for (name, bytes) in entries {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The archive with this pickle and one storage of four numbers.
fn with_pickle(pickle: &[u8]) -> Vec<u8> {
    let numbers = [1.0_f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat();
    archive(
        &[("x/data.pkl", pickle), ("x/data/0", &numbers)],
        CompressionMethod::Stored,
    )
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = b"X".to_vec();
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

fn extents(extents: &[i32]) -> Vec<u8> {
    let mut bytes = b"(".to_vec();
    for extent in extents {
        bytes.push(b'J');
        bytes.extend(extent.to_le_bytes());
    }
    bytes.push(b't');
    bytes
}

/// A state dict of one tensor in storage 0, which claims `n` values.
fn one_tensor(n: i32, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let number = |value: i32| [b"J".to_vec(), value.to_le_bytes().to_vec()].concat();
    [
        b"\x80\x02}".to_vec(),
        text("w"),
        b"ctorch._utils\n_rebuild_tensor_v2\n((".to_vec(),
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        number(n),
        b"tQ".to_vec(),
        number(offset),
        extents(shape),
        extents(strides),
        b"tRs.".to_vec(),
    ]
    .concat()
}

#[test]
fn a_tensor_stays_inside_its_storage() {
    let read = |n, offset, shape: &[i32], strides: &[i32]| {
        parse(&with_pickle(&one_tensor(n, offset, shape, strides)))
    };
    let weights = read(4, 1, &[3], &[1]).unwrap();
    assert_eq!(
        weights.tensors()["w"].as_slice(),
        Some(&[2.0, 3.0, 4.0][..])
    );
    for (n, offset, shape, strides) in [
        (4, 2, &[3][..], &[1][..]),
        (4, 0, &[2, 2], &[4, 1]),
        (5, 0, &[5], &[1]),
        (4, i32::MAX, &[1], &[1]),
        (4, 0, &[2; 64], &[i32::MAX; 64]),
        (4, -1, &[1], &[1]),
        (4, 0, &[-1], &[1]),
        (4, 3, &[2], &[-1]),
        (4, 0, &[1, 1], &[1]),
        (4, 0, &[1; 65], &[1; 65]),
    ] {
        let error = read(n, offset, shape, strides).unwrap_err();
        assert!(matches!(error, IoError::Malformed { .. }), "{error}");
    }
    // One number repeated 2^40 times.
    let message = read(4, 0, &[1 << 20, 1 << 20], &[0, 0])
        .unwrap_err()
        .to_string();
    assert!(message.contains("many times that of the file"), "{message}");
    assert!(read(4, 4, &[0, 7], &[0, 0]).is_ok());
}

/// Pickles that would do harm if anything in them were called.
fn hostile(trace: &Path) -> Vec<(&'static str, Vec<u8>)> {
    let command = text(&format!("touch {}", trace.display()));
    let call = |head: &[u8], tail: &[u8]| [b"\x80\x02", head, &command, tail].concat();
    vec![
        ("posix.system", call(b"cposix\nsystem\n", b"\x85R.")),
        ("builtins.eval", call(b"cbuiltins\neval\n", b"\x85R.")),
        ("builtins.getattr", call(b"cbuiltins\ngetattr\n", b"\x85R.")),
        ("torch.load", call(b"ctorch\nload\n", b"\x85R.")),
        (
            "torch._utils._rebuild",
            call(b"ctorch._utils\n_rebuild\n", b"\x85R."),
        ),
        (
            "os.system",
            call(b"\x8c\x02os\x8c\x06system\x93", b"\x85\x81."),
        ),
        ("opcode 0x69", call(b"(", b"ios\nsystem\n.")),
        ("opcode 0x82", call(b"", b"\x82\x01.")),
    ]
}

#[test]
fn nothing_is_executed() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("was_here");
    for (named, pickle) in hostile(&trace) {
        for bytes in [with_pickle(&pickle), old_with_pickle(&pickle)] {
            let message = parse(&bytes).unwrap_err().to_string();
            assert!(message.contains(named), "{named}: {message}");
        }
    }
    assert!(!trace.exists());
}

fn old_with_pickle(pickle: &[u8]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";
    [
        magic,
        &b"\x80\x02M\xe9\x03."[..],
        b"\x80\x02}.",
        pickle,
        b"\x80\x02].",
    ]
    .concat()
}

#[test]
fn bombs_end_in_an_error_or_in_little() {
    let repeated = |head: &[u8], unit: &[u8], n: usize, tail: &[u8]| {
        [b"\x80\x02", head, &unit.repeat(n), tail].concat()
    };
    let limits = Limits {
        max_values: 100_000,
        ..Limits::default()
    };
    for (name, pickle) in [
        (
            "a tower of tuples",
            repeated(b")", b"\x85", 3_000_000, b"."),
        ),
        ("a tall stack", repeated(b"", b"N", 3_000_000, b".")),
        ("many marks", repeated(b"", b"(", 3_000_000, b".")),
        ("many values", repeated(b"", b")0", 3_000_000, b".")),
        (
            "a long list, copied again and again",
            [
                repeated(b"](", b"N\x85", 40_000, b"e\x85q\x000"),
                b"ccollections\nOrderedDict\nq\x01".to_vec(),
                b"h\x01h\x00R0".repeat(100_000),
                b".".to_vec(),
            ]
            .concat(),
        ),
        (
            "a text longer than the file",
            b"\x80\x02X\xff\xff\xff\x00abc.".to_vec(),
        ),
        (
            "a huge text",
            b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.".to_vec(),
        ),
        (
            "a dict in itself",
            b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s.".to_vec(),
        ),
        (
            "dicts that double",
            [
                b"\x80\x02}q\x00".to_vec(),
                b"}q\x01(X\x01\x00\x00\x00ah\x00X\x01\x00\x00\x00bh\x00uh\x01q\x000".repeat(30),
                b"h\x00.".to_vec(),
            ]
            .concat(),
        ),
        ("an unknown reference", b"\x80\x02h\x07.".to_vec()),
        ("an empty stack", b"\x80\x02.".to_vec()),
        ("no end", b"\x80\x02N".to_vec()),
        ("nothing", Vec::new()),
    ] {
        let outcome = Weights::from_bytes(&with_pickle(&pickle), None, &limits);
        assert!(outcome.is_err(), "{name}");
    }
}

#[test]
fn other_files_are_refused_with_the_cure() {
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let pickle = one_tensor(4, 0, &[4], &[1]);
    let stored = CompressionMethod::Stored;
    for (bytes, part) in [
        (tar, "tar archive"),
        (b"\x80\x04}.".to_vec(), "torch.save did not write"),
        (
            archive(&[("a/b.txt", b"x")], stored),
            "without NAME/data.pkl",
        ),
        (
            archive(&[("a/data.pkl", &pickle), ("a/byteorder", b"big")], stored),
            "big-endian",
        ),
        (
            archive(&[("a/data.pkl", &pickle)], CompressionMethod::Deflated),
            "compressed entries",
        ),
        (
            archive(&[("a/data.pkl", &pickle)], stored),
            "a storage is missing",
        ),
        (
            with_pickle(b"\x80\x02}."),
            "without a dict of named tensors",
        ),
        (b"PK\x03\x04 and no more".to_vec(), "damaged PyTorch file"),
    ] {
        let message = parse(&bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    for name in ["plain.pth", "plain_old.pth"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for n in 0..whole.len() {
            assert!(parse(&whole[..n]).is_err(), "{name}: {n} bytes");
        }
    }
}

proptest! {
    #[test]
    fn damaged_bytes_never_panic(
        file in prop::sample::select(vec!["plain.pth", "views_old.pth", "checkpoint.pth", "script.pth"]),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = std::fs::read(fixture(file)).unwrap();
        for (position, value) in flips {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        let _ = parse(&bytes);
    }
}
