//! ONNX bytes that are damaged or that lie.

use consilience_models::graph::{Attribute, Graph, Input, Node, Opset, Tensor};
use consilience_models::onnx::{OnnxError, read, write};
use consilience_models::{ExecutorChoice, ModelError, Network, executor};
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
        "reads \"z\", which nothing makes",
    );
    check(
        |g| g.nodes.push(g.nodes[0].clone()),
        "\"y\" is made more than once",
    );
    check(
        |g| g.outputs[0] = "q".into(),
        "output \"q\" is made by no operation",
    );
    check(
        |g| {
            let mut back = g.nodes[0].clone();
            back.inputs[0] = "y".into();
            back.outputs[0] = "z".into();
            g.nodes[0].inputs[0] = "z".into();
            g.nodes.push(back);
        },
        "which is made from what the operation makes",
    );
    check(
        |g| g.inputs[0].shape = vec![None, Some(3), Some(1 << 20), Some(1 << 20)],
        "images of [3, 1048576, 1048576]",
    );
    check(
        |g| g.inputs[0].shape[2] = Some(usize::MAX / 2),
        "at most 268435456 numbers",
    );
    check(|g| g.opsets[0].version = 6, "operator set 6 is too old");
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

fn varint(mut n: usize, bytes: &mut Vec<u8>) {
    while n > 127 {
        bytes.push((n & 127) as u8 | 128);
        n >>= 7;
    }
    bytes.push(n as u8);
}

/// A protobuf field of bytes with a number below 128.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint(usize::from(number) << 3 | 2, &mut bytes);
    varint(content.len(), &mut bytes);
    bytes.extend(content);
    bytes
}

/// The input `x` of a graph, four axes of 32-bit floats.
fn images() -> Vec<u8> {
    let shape = field(2, &field(1, b"").repeat(4));
    let floats = field(1, &[vec![0x08, 1], shape].concat());
    field(11, &[field(1, b"x"), field(2, &floats)].concat())
}

#[test]
fn what_we_do_not_run_is_refused_clearly() {
    let model = |graph: &[Vec<u8>]| field(7, &[graph.concat(), images()].concat());
    let node = field(1, &field(4, b"Relu"));
    let external = [vec![0x10, 1], field(8, b"w"), vec![0x70, 1]].concat();
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
            "give the path of its .onnx file",
        ),
        (
            model(&[node.clone(), field(5, &huge)]),
            "bytes of numbers do not fill",
        ),
        (model(&[branch]), "control flow"),
        (model(&[node, field(15, b"")]), "a sparse weight"),
    ] {
        let message = read(bytes.into()).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

/// Functions `f` and `g` of one output each, and a call of `g`.
fn functions(f: &[&[u8]], g: &[&[u8]]) -> Vec<u8> {
    let call = |op: &[u8]| {
        let parts = [field(1, b"x"), field(2, b"y"), field(4, op)];
        parts.concat()
    };
    let function = |name: &[u8], ops: &[&[u8]]| {
        let nodes: Vec<u8> = ops.iter().flat_map(|op| field(7, &call(op))).collect();
        field(
            25,
            &[field(1, name), field(4, b"x"), field(5, b"y"), nodes].concat(),
        )
    };
    let graph = field(7, &[field(1, &call(b"g")), images()].concat());
    [function(b"f", f), function(b"g", g), graph].concat()
}

#[test]
fn functions_that_never_end_are_refused() {
    for (f, g) in [(&[b"g" as &[u8]], &[b"f" as &[u8]]), (&[b"f"], &[b"f"])] {
        let message = read(functions(f, g).into()).unwrap_err().to_string();
        assert!(message.contains("calls itself"), "{message}");
    }
    let graph = read(functions(&[b"Relu"], &[b"f"]).into()).unwrap();
    assert_eq!(graph.nodes[0].op, "Relu");
    // Each of these calls the one before it twice.
    let doubling = (0..40_u8).flat_map(|n| {
        let call = |op: u8, from: &[u8], to: &[u8]| {
            field(
                7,
                &[field(1, from), field(2, to), field(4, &[b'f', op])].concat(),
            )
        };
        let head = [field(1, &[b'f', n + 1]), field(4, b"x"), field(5, b"y")].concat();
        field(
            25,
            &[head, call(n, b"x", b"t"), call(n, b"t", b"y")].concat(),
        )
    });
    let node = [field(1, b"x"), field(2, b"y"), field(4, &[b'f', 40])].concat();
    let graph = field(7, &[field(1, &node), images()].concat());
    let bytes: Vec<u8> = doubling.chain(graph).collect();
    let message = read(bytes.into()).unwrap_err().to_string();
    assert!(message.contains("too many operations"), "{message}");
}

/// A network whose one weight lies at `location`, `n_bytes` from `offset` on.
fn with_external_weight(location: &str, offset: &str, n_bytes: &str) -> Vec<u8> {
    let entry = |key: &str, value: &str| {
        field(
            13,
            &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat(),
        )
    };
    let weight = [
        vec![0x08, 2, 0x08, 3, 0x08, 1, 0x08, 1, 0x10, 1],
        field(8, b"w"),
        entry("location", location),
        entry("offset", offset),
        entry("length", n_bytes),
        vec![0x70, 1],
    ]
    .concat();
    let mut graph = small();
    graph.initialisers.clear();
    let mut bytes = write(&graph);
    // Messages that come twice are joined, so this adds the weight to the graph.
    bytes.extend(field(7, &field(5, &weight)));
    bytes
}

#[test]
fn weights_beside_the_model_are_read_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("model");
    std::fs::create_dir(&model).unwrap();
    let numbers: Vec<u8> = (0..8_u8).flat_map(|n| f32::from(n).to_le_bytes()).collect();
    std::fs::write(model.join("w.data"), &numbers).unwrap();
    std::fs::write(folder.path().join("secret"), &numbers).unwrap();
    let read = |location: &str, offset: &str, n_bytes: &str| {
        let bytes = with_external_weight(location, offset, n_bytes);
        consilience_models::onnx::read_in(&model, bytes.into())
    };
    let path = model.join("model.onnx");
    std::fs::write(&path, with_external_weight("w.data", "8", "24")).unwrap();
    let files = Network::onnx_files(&path).unwrap();
    assert_eq!(files, [path, model.join("w.data")]);
    let graph = read("w.data", "8", "24").unwrap();
    let weight = graph.initialisers["w"].to_f32().unwrap();
    assert_eq!(weight, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);

    let secret = folder.path().join("secret");
    for (location, offset, n_bytes, part) in [
        ("../secret", "0", "24", "must lie in the folder"),
        (
            secret.to_str().unwrap(),
            "0",
            "24",
            "must lie in the folder",
        ),
        ("", "0", "24", "must lie in the folder"),
        (".", "0", "24", "must lie in the folder"),
        ("none", "0", "24", "not found; put it beside the .onnx file"),
        (
            "w.data",
            "12",
            "24",
            "it has 32 bytes, expected 24 from byte 12",
        ),
        (
            "w.data",
            "18446744073709551615",
            "24",
            "from byte 18446744073709551615",
        ),
        (
            "w.data",
            "0",
            "20",
            "20 bytes are given, the tensor's shape needs 24",
        ),
        ("w.data", "-1", "24", "its offset is \"-1\""),
    ] {
        let message = read(location, offset, n_bytes).unwrap_err().to_string();
        assert!(message.contains(part), "{location:?}: {message}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, model.join("link")).unwrap();
        let message = read("link", "0", "24").unwrap_err().to_string();
        assert!(message.contains("must lie in the folder"), "{message}");
    }
}

#[test]
fn a_missing_operator_is_named_with_its_node() {
    for (choice, op, domain) in [
        (ExecutorChoice::Rten, "RoiAlign", ""),
        (ExecutorChoice::Rten, "Own", "of.mine"),
        (ExecutorChoice::Auto, "NoSuchThing", ""),
        (ExecutorChoice::Auto, "Own", "of.mine"),
    ] {
        let mut graph = small();
        graph.nodes[0].op = op.into();
        graph.nodes[0].domain = domain.into();
        let outcome = executor::load(choice, &graph, 1).map(|_| ());
        match outcome {
            Err(ModelError::MissingOperator { operator, node, .. }) => {
                assert!(operator.ends_with(op), "{operator}");
                assert_eq!(node, "/features/features.0/Conv");
            }
            other => panic!("{choice} {op}: {other:?}"),
        }
    }
}

/// rten knows the mode and interpolates linearly.
#[test]
fn what_an_executor_would_do_wrongly_is_refused() {
    let mut graph = small();
    graph.nodes[0].op = "Resize".into();
    graph.nodes[0].attributes = [("mode".to_owned(), Attribute::Text("cubic".into()))].into();
    let message = match executor::load(ExecutorChoice::Rten, &graph, 1) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it was taken"),
    };
    assert!(
        message.contains("Resize with cubic interpolation"),
        "{message}"
    );
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
