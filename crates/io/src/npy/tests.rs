use super::*;
use ndarray::{ArrayD, IxDyn, array};
use proptest::prelude::*;

/// A file as Python would write it, with any dictionary and data.
fn file(dictionary: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((dictionary.len() as u16).to_le_bytes());
    bytes.extend(dictionary.as_bytes());
    bytes.extend(data);
    bytes
}

fn dictionary(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}")
}

fn parse(bytes: &[u8]) -> Result<AnyArray> {
    from_bytes(bytes, &Limits::default())
}

#[test]
fn bytes_are_those_of_numpy() {
    // np.save of np.array([[1, 2]], dtype='<f4'), NumPy 2.
    let mut expected = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    expected.extend(b"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }");
    expected.resize(127, b' ');
    expected.push(b'\n');
    expected.extend([0, 0, 128, 63, 0, 0, 0, 64]);
    assert_eq!(to_bytes(array![[1.0_f32, 2.0]].view()), expected);
}

#[test]
fn either_byte_and_memory_order_gives_the_same_array() {
    let expected = AnyArray::I16(array![[1_i16, 2, 3], [4, 5, 256]].into_dyn());
    let orders: [(&str, &str, [i16; 6]); 2] = [
        ("False", "(2, 3)", [1, 2, 3, 4, 5, 256]),
        ("True", "(2, 3L)", [1, 4, 2, 5, 3, 256]),
    ];
    for (fortran, shape, values) in orders {
        let little: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let big: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
        for (descr, data) in [("'<i2'", little), ("\">i2\"", big)] {
            let bytes = file(&dictionary(descr, fortran, shape), &data);
            assert_eq!(parse(&bytes).unwrap(), expected, "{descr} {fortran}");
        }
    }
}

#[test]
fn half_precision_is_widened() {
    let bytes = file(
        &dictionary("'<f2'", "False", "(2,)"),
        &[0x00, 0x3c, 0x00, 0xc1],
    );
    assert_eq!(
        parse(&bytes).unwrap(),
        AnyArray::F32(array![1.0_f32, -2.5].into_dyn())
    );
}

#[test]
fn a_scalar_and_an_empty_array_are_read() {
    let scalar = file(&dictionary("'|u1'", "False", "()"), &[7]);
    assert_eq!(parse(&scalar).unwrap().shape(), [0_usize; 0]);
    let empty = file(&dictionary("'<f8'", "False", "(0, 5)"), &[]);
    assert_eq!(parse(&empty).unwrap().shape(), [0, 5]);
}

#[test]
fn what_is_not_numeric_is_refused_with_a_cure() {
    for (descr, word) in [
        ("'|O'", "objects"),
        ("'<U5'", "text"),
        ("'<c16'", "complex"),
        ("'<M8[ns]'", "dates"),
        ("[('a', '<f4')]", "records"),
    ] {
        let message = parse(&file(&dictionary(descr, "False", "(1,)"), &[0; 64]))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(word) && message.contains("save"),
            "{message}"
        );
    }
}

#[test]
fn claims_are_checked_before_memory_is_reserved() {
    for (shape, word) in [
        ("(1000000000000,)", "limit"),
        ("(4294967296, 4294967296)", "address"),
        ("(0, 18446744073709551615, 18446744073709551615)", "address"),
        ("(99999999999999999999999,)", "header"),
        ("(100000000,)", "cut short"),
        ("(1,)", "as many as"),
    ] {
        let message = parse(&file(&dictionary("'<f8'", "False", shape), &[0; 16]))
            .unwrap_err()
            .to_string();
        assert!(message.contains(word), "{shape}: {message}");
    }
}

#[test]
fn every_truncation_is_an_error() {
    let whole = to_bytes(array![[1.0_f64, 2.0], [3.0, 4.0]].view());
    for n in 0..whole.len() {
        assert!(parse(&whole[..n]).is_err(), "{n} bytes");
    }
    assert!(parse(&whole).is_ok());
}

#[test]
fn the_header_alone_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    write(&path, array![[1_i64, 2, 3]].view()).unwrap();
    let header = header(&path).unwrap();
    assert_eq!(
        (header.dtype, header.shape.as_slice()),
        (Dtype::I64, &[1, 3][..])
    );
    assert_eq!(header.data_offset, 128);
}

#[test]
fn the_writer_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let mut writer = Writer::<f32>::create(&path, &[2, 2]).unwrap();
    writer.append(&[1.0, 2.0, 3.0]).unwrap();
    let message = writer.finish().unwrap_err().to_string();
    assert!(message.contains("3 values"), "{message}");
    assert!(!path.exists());

    let mut writer = Writer::<f32>::create(&path, &[2, 2]).unwrap();
    writer.append(&[1.0, 2.0, 3.0]).unwrap();
    assert!(writer.append(&[4.0, 5.0]).is_err());

    let mut writer = Writer::<f32>::create(&path, &[2, 2]).unwrap();
    writer.append(&[1.0, 2.0, 3.0]).unwrap();
    writer.append(&[4.0]).unwrap();
    writer.finish().unwrap();
    let array = array![[1.0_f32, 2.0], [3.0, 4.0]];
    assert_eq!(std::fs::read(&path).unwrap(), to_bytes(array.view()));
}

#[test]
fn a_missing_file_is_told_apart() {
    let error = read("no/such/file.npy").unwrap_err();
    assert!(error.is_not_found());
    assert!(error.to_string().ends_with("no/such/file.npy"));
}

#[test]
fn a_transposed_view_is_written_as_it_is_indexed() {
    let array = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let transposed = array.t();
    let back = parse(&to_bytes(transposed)).unwrap();
    assert_eq!(back, AnyArray::F32(transposed.to_owned().into_dyn()));
}

proptest! {
    #[test]
    fn arrays_round_trip(shape in prop::collection::vec(0_usize..5, 0..5), seed in any::<u64>()) {
        let n = shape.iter().product::<usize>();
        let values = (0..n as u64).map(|i| f64::from_bits(seed.wrapping_mul(i + 1) >> 2)).collect();
        let array = ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap();
        let back = parse(&to_bytes(array.view())).unwrap();
        prop_assert_eq!(back, AnyArray::F64(array));
    }

    #[test]
    fn damaged_bytes_never_panic(flips in prop::collection::vec((0_usize..160, any::<u8>()), 1..8)) {
        let mut bytes = to_bytes(array![[1.0_f64, 2.0], [3.0, 4.0]].view());
        for (position, value) in flips {
            bytes[position] = value;
        }
        let _ = parse(&bytes);
    }

    #[test]
    fn any_header_text_never_panics(text in "[{}'()\\[\\], a-z0-9:<>|TrueFalse]{0,80}") {
        let _ = parse(&file(&text, &[0; 32]));
    }
}
