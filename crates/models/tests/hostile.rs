//! ONNX bytes that are damaged or that lie.

use consilience_models::graph::{Attribute, Graph, Input, Node, Opset, Tensor};
use consilience_models::onnx::{OnnxError, read, write};
use consilience_models::{ExecutorChoice, executor};
use ndarray::Array4;
use proptest::prelude::*;

/// One convolution of 1 × 1.
fn small() -> Graph {
    let weight = Tensor::from_f32(vec![2, 3, 1, 1], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    Graph {
        name: "small".into(),
        opsets: vec![Opset {
            domain: String::new(),
            version: 17,
        }],
        inputs: vec![Input {
            name: "x".into(),
            shape: vec![None, Some(3), None, None],
        }],
        nodes: vec![Node {
            name: "/features/features.0/Conv".into(),
            op: "Conv".into(),
            inputs: vec!["x".into(), "w".into()],
            outputs: vec!["y".into()],
            attributes: [("kernel_shape".to_owned(), Attribute::Ints(vec![1, 1]))].into(),
            ..Node::default()
        }],
        initialisers: [("w".to_owned(), weight)].into(),
        outputs: vec!["y".into()],
        ..Graph::default()
    }
}

/// Reads; if that works, loads and runs with rten, which must not panic either.
fn read_and_run(bytes: Vec<u8>) -> Result<(), String> {
    let graph = read(bytes.into()).map_err(|e| e.to_string())?;
    let (_, mut executors) =
        executor::load(ExecutorChoice::Rten, &graph, 1).map_err(|e| e.to_string())?;
    let outputs = executors[0].run(Array4::zeros((1, 3, 2, 2)).view());
    outputs.map(|_| ()).map_err(|e| e.to_string())
}

#[test]
fn the_undamaged_network_runs() {
    assert_eq!(read_and_run(write(&small())), Ok(()));
}

#[test]
fn a_file_cut_short_is_never_a_network() {
    let bytes = write(&small());
    // The operator set stands last and can be missing without the rest being damaged.
    let structure = bytes.len() - 8;
    for end in 0..structure {
        assert!(read(bytes[..end].to_vec().into()).is_err(), "{end}");
    }
}

#[test]
fn lies_are_named() {
    let check = |edit: fn(&mut Graph), part: &str| {
        let mut graph = small();
        edit(&mut graph);
        let message = read(write(&graph).into()).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    };
    check(
        |g| g.nodes[0].inputs[0] = "z".into(),
        "reads \"z\", which nothing before it makes",
    );
    check(
        |g| g.nodes.push(g.nodes[0].clone()),
        "\"y\" is made more than once",
    );
    check(
        |g| g.outputs[0] = "q".into(),
        "output \"q\" is made by no operation",
    );
    check(|g| g.nodes.clear(), "no operations");
    check(|g| g.inputs.clear(), "found no input");
    check(
        |g| g.inputs[0].shape[1] = Some(1),
        "found 1: \"x\" of shape (?, 1, ?, ?)",
    );
    check(
        |g| g.inputs[0].shape.truncate(2),
        "shape (n, 3, height, width)",
    );
}

/// A protobuf field of bytes with a number below 128 and fewer than 128 bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let tag = u16::from(number) << 3 | 2;
    let mut bytes = if tag < 128 {
        vec![tag as u8]
    } else {
        vec![(tag & 127) as u8 | 128, (tag >> 7) as u8]
    };
    bytes.push(content.len() as u8);
    bytes.extend(content);
    bytes
}

#[test]
fn what_we_do_not_run_is_refused_clearly() {
    let shape = field(2, &field(1, b"").repeat(4));
    let floats = field(1, &[vec![0x08, 1], shape].concat());
    let input = field(11, &[field(1, b"x"), field(2, &floats)].concat());
    let model = |graph: &[Vec<u8>]| field(7, &[graph.concat(), input.clone()].concat());
    let node = field(1, &field(4, b"Relu"));
    let external = [field(8, b"w"), vec![0x70, 1]].concat();
    let huge = [
        field(8, b"w"),
        vec![0x10, 1, 0x08],
        vec![0xFF; 8],
        vec![0x7F],
    ]
    .concat();
    let branch = field(
        1,
        &[
            field(4, b"If"),
            field(5, &[field(6, b""), vec![0xA0, 1, 5]].concat()),
        ]
        .concat(),
    );
    for (bytes, part) in [
        (
            model(&[node.clone(), field(5, &external)]),
            "a weight in a separate file",
        ),
        (
            model(&[node.clone(), field(5, &huge)]),
            "bytes of numbers do not fill",
        ),
        (model(&[branch]), "control flow"),
        (model(&[node.clone(), field(15, b"")]), "a sparse weight"),
        (
            [field(25, &field(1, b"f")), model(&[node])].concat(),
            "a local function",
        ),
    ] {
        let message = read(bytes.into()).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn text_is_not_a_network() {
    for text in ["", "hello", "<html></html>", "PK\u{3}\u{4}"] {
        let outcome = read(text.as_bytes().to_vec().into());
        assert!(matches!(
            outcome,
            Err(OnnxError::Encoding { .. } | OnnxError::Empty { .. })
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_never_panics(at in 0_usize..160, flip in 1_u8.., cut in 0_usize..200) {
        let mut bytes = write(&small());
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let end = bytes.len().saturating_sub(cut.saturating_sub(100));
        bytes.truncate(end);
        let _ = read_and_run(bytes);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_and_run(bytes);
    }
}
