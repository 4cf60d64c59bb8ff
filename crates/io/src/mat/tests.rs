use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use ndarray::array;
use proptest::prelude::*;
use serde_json::Value;

use super::bytes::mi;
use super::*;
use crate::{AnyArray, Dtype};

/// A writer of test files in either byte order.
#[derive(Clone, Copy)]
struct Maker {
    big: bool,
}

impl Maker {
    fn word(self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn element(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = [self.word(kind), self.word(data.len() as u32)].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    fn small(self, kind: u32, data: &[u8]) -> Vec<u8> {
        let mut bytes = self.word((data.len() as u32) << 16 | kind).to_vec();
        bytes.extend(data);
        bytes.resize(8, 0);
        bytes
    }

    fn head(self, class_and_flags: u32, dims: &[u32], name: &str) -> Vec<u8> {
        let flags = [self.word(class_and_flags), self.word(0)].concat();
        let dims: Vec<u8> = dims.iter().flat_map(|n| self.word(*n)).collect();
        [
            self.element(mi::UINT32, &flags),
            self.element(mi::INT32, &dims),
            self.element(mi::INT8, name.as_bytes()),
        ]
        .concat()
    }

    fn matrix(self, class_and_flags: u32, dims: &[u32], name: &str, rest: &[u8]) -> Vec<u8> {
        let content = [self.head(class_and_flags, dims, name), rest.to_vec()].concat();
        self.element(mi::MATRIX, &content)
    }

    fn compressed(self, matrix: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(matrix).unwrap();
        let data = encoder.finish().unwrap();
        // Compressed elements are not padded.
        let mut bytes = [self.word(mi::COMPRESSED), self.word(data.len() as u32)].concat();
        bytes.extend(data);
        bytes
    }

    fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file, made for a test".to_vec();
        bytes.resize(124, b' ');
        bytes.extend(if self.big {
            *b"\x01\x00MI"
        } else {
            *b"\x00\x01IM"
        });
        bytes.extend(elements.concat());
        bytes
    }
}

const LITTLE: Maker = Maker { big: false };

fn open(bytes: &[u8]) -> Result<MatFile> {
    MatFile::from_bytes(bytes.to_vec(), &Limits::default())
}

/// A small file with a bit of everything, for damaging.
fn sample() -> Vec<u8> {
    let m = LITTLE;
    let number = m.matrix(6, &[2, 2], "x", &m.small(mi::UINT8, &[1, 2, 3, 4]));
    let text = m.matrix(4, &[1, 2], "", &m.small(mi::UTF8, b"ab"));
    let fields = [
        m.small(mi::INT32, &m.word(4)),
        m.element(mi::INT8, b"RDM\0"),
        text.clone(),
    ]
    .concat();
    let structure = m.matrix(2, &[1, 1], "s", &fields);
    let cell = m.matrix(
        1,
        &[1, 2],
        "c",
        &[text, m.element(mi::MATRIX, &[])].concat(),
    );
    m.file(&[number.clone(), m.compressed(&number), structure, cell])
}

/// Decodes every variable of a file; whatever it says, it must not panic.
fn decode_all(bytes: &[u8]) -> Result<Vec<MatValue>> {
    let file = open(bytes)?;
    file.names()
        .iter()
        .map(|name| file.variable(name))
        .collect()
}

#[test]
fn doubles_stored_as_bytes_are_read_in_either_byte_order() {
    let expected = AnyArray::F64(array![[1.0, 3.0, 5.0], [2.0, 4.0, 256.0]].into_dyn());
    for m in [LITTLE, Maker { big: true }] {
        let stored: Vec<u8> = [1_u16, 2, 3, 4, 5, 256]
            .iter()
            .flat_map(|v| {
                if m.big {
                    v.to_be_bytes()
                } else {
                    v.to_le_bytes()
                }
            })
            .collect();
        let matrix = m.matrix(6, &[2, 3], "x", &m.element(mi::UINT16, &stored));
        for element in [m.compressed(&matrix), matrix] {
            let file = open(&m.file(&[element])).unwrap();
            assert_eq!(file.names(), ["x"]);
            let value = file.variable("x").unwrap();
            assert_eq!(value, MatValue::Numeric(expected.clone()));
        }
    }
}

#[test]
fn values_beyond_their_class_are_refused() {
    let m = LITTLE;
    let matrix = m.matrix(9, &[1, 1], "x", &m.small(mi::UINT16, &[0, 1]));
    let error = decode_all(&m.file(&[matrix])).unwrap_err().to_string();
    assert!(error.contains("range of its class"), "{error}");
}

#[test]
fn other_versions_are_refused_with_a_cure() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mat"));
    let mut hdf5 = b"MATLAB 7.3 MAT-file, Platform".to_vec();
    hdf5.resize(512, b' ');
    hdf5.extend(b"\x89HDF\r\n\x1a\n");
    let version4 = std::fs::read(fixtures.join("version4.mat")).unwrap();
    for (bytes, word) in [(hdf5, "7.3"), (version4, "MATLAB 4")] {
        let message = open(&bytes).unwrap_err().to_string();
        assert!(
            message.contains(word) && message.contains("-v7'"),
            "{message}"
        );
    }
    let message = open(&[b'x'; 300]).unwrap_err().to_string();
    assert!(message.contains("not a MATLAB file"), "{message}");
}

#[test]
fn claims_are_checked_before_memory_is_reserved() {
    let m = LITTLE;
    let huge = [0x7fff_ffff, 0x7fff_ffff, 4];
    let empty_pairs = [0x7fff_ffff, 0];
    let no_fields = [m.small(mi::INT32, &m.word(4)), m.element(mi::INT8, b"")].concat();
    // A stream of zeros that announces 4 GiB.
    let mut bomb = [m.word(mi::MATRIX), m.word(u32::MAX)].concat();
    bomb.extend(m.head(6, &[1, 1], "x"));
    for element in [
        m.matrix(6, &huge, "x", &m.small(mi::UINT8, &[1])),
        m.matrix(1, &huge, "x", &[]),
        m.matrix(1, &[0x7fff_ffff, 1], "x", &[0; 64]),
        m.matrix(2, &[0x7fff_ffff, 1], "x", &no_fields),
        m.matrix(4, &empty_pairs, "x", &m.element(mi::UINT8, &[])),
        m.matrix(6, &[u32::MAX, 1], "x", &m.small(mi::UINT8, &[1])),
        m.compressed(&bomb),
    ] {
        assert!(decode_all(&m.file(&[element])).is_err());
    }
}

#[test]
fn deep_nesting_is_refused() {
    let m = LITTLE;
    let mut cell = m.matrix(6, &[1, 1], "", &m.small(mi::UINT8, &[1]));
    for depth in 0..2000 {
        cell = m.matrix(1, &[1, 1], if depth == 1999 { "x" } else { "" }, &cell);
    }
    let error = decode_all(&m.file(&[cell])).unwrap_err().to_string();
    assert!(error.contains("nesting"), "{error}");
}

#[test]
fn an_unreadable_class_does_not_hide_the_others() {
    let m = LITTLE;
    let complex = m.matrix(6 | 0x0800, &[1, 1], "z", &m.small(mi::UINT8, &[1]));
    let sparse = m.matrix(5, &[1, 1], "s", &[]);
    let opaque = [
        m.element(mi::UINT32, &[m.word(17), m.word(0)].concat()),
        m.small(mi::INT8, b"o"),
    ]
    .concat();
    let real = m.matrix(6, &[1, 1], "x", &m.small(mi::UINT8, &[1]));
    let file = open(&m.file(&[complex, sparse, m.element(mi::MATRIX, &opaque), real])).unwrap();
    for (name, word) in [("z", "complex"), ("s", "sparse"), ("o", "object")] {
        let message = file
            .variable(name)
            .unwrap()
            .into_array()
            .unwrap_err()
            .to_string();
        assert!(message.contains(word), "{message}");
    }
    assert!(file.variable("x").is_ok());
}

#[test]
fn selectors_follow_matlabs_linear_order() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mat"));
    let file = MatFile::read(fixtures.join("plain.mat")).unwrap();
    let texts = |selector: &str| file.select(selector).unwrap().into_texts().unwrap();
    assert_eq!(texts("structs[5].name"), ["subject 1, session 1"]);
    assert_eq!(texts("structs.name").len(), 8);
    assert_eq!(texts("one_struct.b.c"), ["deep"]);
    assert_eq!(texts("texts"), ["cat", "mouse"]);
    assert_eq!(texts("texts[1]"), ["mouse"]);
    let MatValue::Cell(cell) = file.select("structs.RDM").unwrap() else {
        panic!("a field of a struct array is a cell array");
    };
    assert_eq!(cell.dims, [1, 4, 2]);
    // MATLAB's cube(9), with cube counting 0…23 in C order.
    let ninth = file.select("cube[8]").unwrap().into_array().unwrap();
    assert_eq!(ninth.into_f64().into_raw_vec_and_offset().0, [5.0]);
    let stack = file.select("structs.RDM").unwrap().into_array().unwrap();
    assert_eq!(stack.shape(), [8, 1, 6]);

    for (selector, word) in [
        ("struct", "did you mean \"structs\""),
        ("structs.rdm", "did you mean \"RDM\""),
        ("structs[8]", "there are 8"),
        ("cube[24]", "there are 24"),
        ("cube.a", "expected a struct"),
        ("cube[0", "expected ']'"),
    ] {
        let message = file.select(selector).unwrap_err().to_string();
        assert!(message.contains(word), "{selector}: {message}");
    }
    let message = file.select_or_only(None).unwrap_err().to_string();
    assert!(message.contains("23 variables"), "{message}");
}

/// A value as the generator describes what SciPy reads.
fn assert_described(name: &str, value: &MatValue, expected: &Value) {
    let axes = || -> Vec<usize> {
        let axes = expected["axes"].as_array().unwrap();
        axes.iter().map(|n| n.as_u64().unwrap() as usize).collect()
    };
    match value {
        MatValue::Unsupported { .. } => assert_eq!(expected["class"], "unsupported", "{name}"),
        MatValue::Text(text) => {
            let rows: Vec<&str> = text.rows.iter().map(String::as_str).collect();
            assert_eq!(expected["rows"], serde_json::json!(rows), "{name}");
        }
        MatValue::Cell(cell) => {
            assert_eq!(cell.dims, axes(), "{name}");
            for (k, value) in cell.values.iter().enumerate() {
                assert_described(&format!("{name}[{k}]"), value, &expected["cells"][k]);
            }
        }
        MatValue::Struct(value) => {
            assert_eq!(value.dims, axes(), "{name}");
            for (f, (field, values)) in value.fields.iter().zip(&value.values).enumerate() {
                let [expected_name, expected] = [0, 1].map(|i| &expected["fields"][f][i]);
                assert_eq!(expected_name, field, "{name}");
                for (k, value) in values.iter().enumerate() {
                    assert_described(&format!("{name}[{k}].{field}"), value, &expected[k]);
                }
            }
        }
        MatValue::Numeric(array) => {
            // SciPy has no truth values of its own for MATLAB's.
            let class = match array.dtype() {
                Dtype::Bool => "uint8".to_owned(),
                dtype => dtype.to_string(),
            };
            assert_eq!(expected["class"], class, "{name}");
            assert_eq!(array.shape(), axes(), "{name}");
            let texts: Vec<String> = match array {
                AnyArray::U64(array) => array.iter().map(u64::to_string).collect(),
                AnyArray::I64(array) => array.iter().map(i64::to_string).collect(),
                other => other
                    .clone()
                    .into_f64()
                    .iter()
                    .map(f64::to_string)
                    .collect(),
            };
            let expected = expected["values"].as_array().unwrap();
            assert_eq!(texts.len(), expected.len(), "{name}");
            for (found, expected) in texts.iter().zip(expected) {
                let [found, expected] =
                    [found, expected.as_str().unwrap()].map(|text| text.parse::<f64>().unwrap());
                assert_eq!(found.to_bits(), expected.to_bits(), "{name}");
            }
        }
    }
}

#[test]
fn scipys_files_are_read_as_scipy_reads_them() {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mat"));
    let expected = std::fs::read(fixtures.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();
    for name in ["plain.mat", "compressed.mat"] {
        let file = MatFile::read(fixtures.join(name)).unwrap();
        assert_eq!(file.names().len(), expected.as_object().unwrap().len());
        for (variable, expected) in expected.as_object().unwrap() {
            assert_described(variable, &file.variable(variable).unwrap(), expected);
        }
    }
}

#[test]
fn every_truncation_is_an_error_or_lacks_a_variable() {
    let whole = sample();
    let n_all = decode_all(&whole).unwrap().len();
    assert_eq!(n_all, 4);
    for n in 0..whole.len() {
        if let Ok(values) = decode_all(&whole[..n]) {
            assert!(values.len() < n_all, "{n} bytes");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damaged_bytes_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = sample();
        for (position, value) in flips {
            let position = position.index(bytes.len());
            bytes[position] = value;
        }
        if let Ok(file) = open(&bytes) {
            for name in file.names() {
                if let Ok(value) = file.variable(&name) {
                    let _ = value.clone().into_texts();
                    let _ = crate::rdms::from_mat(value);
                }
            }
        }
    }
}
