use super::*;

fn built(variant: Variant, width: usize) -> Module {
    let nuclei = variant.nuclei(width);
    nuclei.build(Features::Vector { width }, 2).unwrap()
}

#[test]
fn the_released_modules_have_their_sizes() {
    let module = built(Variant::AnatomicalTransformer, 768);
    let part = |start: &str| -> usize {
        let of_part = module
            .parameters
            .iter()
            .filter(|(key, _)| key.starts_with(start));
        of_part
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum()
    };
    let parts = ["LA.", "BA.", "BL.", "CE.", "LastFC."].map(part);
    assert_eq!(parts, [6_306_304, 3_350_016, 3_350_016, 17_392_384, 2_562]);
    assert_eq!(
        (module.n_parameters(), module.n_units()),
        (30_401_282, 2_560)
    );
    let small = built(Variant::AnatomicalTransformer, 512);
    assert_eq!((small.n_parameters(), small.n_units()), (18_131_458, 2_048));
}

#[test]
fn keys_are_those_of_the_released_weights() {
    let module = built(Variant::AnatomicalTransformer, 512);
    for (key, shape) in [
        ("LA.layers.1.self_attn.in_proj_weight", vec![1536, 512]),
        ("BA.0.layers.0.linear1.weight", vec![512, 512]),
        ("BL.1.bias", vec![256]),
        ("CE.0.layers.1.norm2.weight", vec![1024]),
        ("CE.1.weight", vec![1024, 1024]),
        ("LastFC.weight", vec![2, 1024]),
    ] {
        assert_eq!(module.parameters.get(key), Some(&shape), "{key}");
    }
    assert_eq!(
        module.parameters.len(),
        2 * 12 + 2 * (12 + 2) + (2 * 12 + 2) + 2
    );
}

#[test]
fn every_tensor_is_made_before_it_is_read() {
    let recurrent = Nuclei::from_toml(RECURRENT).unwrap();
    let modules = Variant::ALL.map(|variant| built(variant, 64)).into_iter();
    let tokens = Features::Tokens { n: 5, width: 64 };
    let attending = Variant::AnatomicalTransformer.nuclei(64).build(tokens, 2);
    let recurrent = recurrent.build(Features::Vector { width: 6 }, 2);
    for module in modules.chain([attending.unwrap(), recurrent.unwrap()]) {
        let graph = &module.graph;
        let mut made: Vec<&str> = vec!["visual"];
        made.extend(graph.initialisers.keys().map(String::as_str));
        made.extend(module.parameters.keys().map(String::as_str));
        for node in &graph.nodes {
            for input in &node.inputs {
                assert!(made.contains(&input.as_str()), "{input}");
            }
            made.extend(node.outputs.iter().map(String::as_str));
        }
        for dropped in &module.dropped {
            assert!(made.contains(&dropped.tensor.as_str()), "{dropped:?}");
        }
        for (name, _) in &module.nuclei {
            assert!(
                graph.layers.iter().any(|layer| layer.name == *name),
                "{name}"
            );
        }
    }
}

#[test]
fn matched_modules_have_nearly_as_many_parameters() {
    let features = Features::Vector { width: 512 };
    for variant in [
        Variant::SerialLinear,
        Variant::SerialTransformer,
        Variant::AnatomicalLinear,
    ] {
        let nuclei = variant
            .nuclei(512)
            .matched_to(18_131_458, features, 2)
            .unwrap();
        let found = nuclei.build(features, 2).unwrap().n_parameters();
        assert!(found.abs_diff(18_131_458) < 20_000, "{variant:?}: {found}");
    }
}

#[test]
fn transformers_begin_as_copies() {
    let module = built(Variant::AnatomicalTransformer, 512);
    let of = |key: &str| module.copies.get(key).map(String::as_str);
    for (key, original) in [
        (
            "LA.layers.1.linear1.weight",
            Some("LA.layers.0.linear1.weight"),
        ),
        ("BL.0.layers.0.norm1.bias", Some("BA.0.layers.0.norm1.bias")),
        (
            "CE.0.layers.1.self_attn.in_proj_weight",
            Some("CE.0.layers.0.self_attn.in_proj_weight"),
        ),
        ("LA.layers.0.linear1.weight", None),
        ("BA.0.layers.0.norm1.bias", None),
        ("BL.1.weight", None),
        ("LastFC.weight", None),
    ] {
        assert_eq!(of(key), original, "{key}");
    }
    // A layer each of LA, BL and CE.
    assert_eq!(module.copies.len(), 3 * 12);
    for (key, original) in &module.copies {
        assert_eq!(module.parameters[key], module.parameters[original]);
        assert!(!module.copies.contains_key(original), "{key}");
    }
    assert!(built(Variant::AnatomicalLinear, 64).copies.is_empty());
    assert_eq!(built(Variant::SerialTransformer, 64).copies.len(), 2 * 12);
}

#[test]
fn weights_must_be_all_and_only_those_of_the_module() {
    let module = built(Variant::SerialLinear, 8);
    let zeros = |shape: &Vec<usize>| {
        let n = shape.iter().product();
        crate::graph::Tensor::from_f32(shape.clone(), &vec![0.0; n]).unwrap()
    };
    let weights: StateDict = module
        .parameters
        .iter()
        .map(|(key, shape)| (key.clone(), zeros(shape)))
        .collect();
    let graph = module.with_weights(weights.clone()).unwrap();
    assert!(
        weights
            .keys()
            .all(|key| graph.initialisers.contains_key(key))
    );
    let mut wrong = weights;
    wrong.remove("LastFC.bias");
    wrong.insert("LA.0.bias".into(), zeros(&vec![9]));
    wrong.insert("LA.0.scale".into(), zeros(&vec![8]));
    let message = module.with_weights(wrong).unwrap_err().to_string();
    for part in [
        "missing LastFC.bias",
        "not expected LA.0.scale",
        "LA.0.bias expected [8], found [9]",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

const RECURRENT: &str = r#"
read-out = "CeM"
steps = 3

[[nucleus]]
name = "LA"
reads = ["visual"]
widths = [8]

[[nucleus]]
name = "B"
reads = ["LA"]
feedback = ["AB"]
widths = [4]

[[nucleus]]
name = "AB"
reads = ["LA"]
feedback = ["B"]
widths = [4]

[[nucleus]]
name = "ITC"
reads = ["LA"]
widths = [3]

[[nucleus]]
name = "CeM"
reads = ["B", "AB"]
inhibited-by = ["ITC"]
widths = [5]
"#;

#[test]
fn a_module_is_read_from_text_and_unrolled() {
    let nuclei = Nuclei::from_toml(RECURRENT).unwrap();
    let module = nuclei.build(Features::Vector { width: 6 }, 2).unwrap();
    // Weights are those of one step; the layers of later ones are numbered.
    assert_eq!(module.parameters["B.feedback.AB.weight"], [4, 4]);
    assert_eq!(module.parameters["CeM.inhibition.ITC.weight"], [5, 3]);
    let names: Vec<&str> = module
        .graph
        .layers
        .iter()
        .map(|l| l.name.as_str())
        .collect();
    assert!(["B", "B_1", "B_2"].iter().all(|name| names.contains(name)));
    let text = toml::to_string(&nuclei).unwrap();
    assert_eq!(Nuclei::from_toml(&text).unwrap(), nuclei);
}

#[test]
fn a_nucleus_without_maps_hands_on_what_it_reads() {
    let relay = "[[nucleus]]\nname = \"T\"\nreads = [\"visual\"]\n\n[[nucleus]]\nname = \"LA\"";
    let text = RECURRENT.replacen("[[nucleus]]\nname = \"LA\"", relay, 1);
    let text = text.replacen("reads = [\"B\", \"AB\"]", "reads = [\"T\", \"B\"]", 1);
    let nuclei = Nuclei::from_toml(&text).unwrap();
    let features = Features::Vector { width: 6 };
    let module = nuclei.build(features, 2).unwrap();
    assert_eq!(module.nuclei[0], ("T".to_owned(), 6));
    assert!(module.parameters.keys().all(|key| !key.starts_with("T.")));
    assert_eq!(module.parameters["CeM.0.weight"], [5, 10]);
    let matched = nuclei.matched_to(400, features, 2).unwrap();
    assert!(matched.nucleus[0].is_relay());
    let layer = module.graph.layers.iter().find(|l| l.name == "T").unwrap();
    let mut nodes = module.graph.nodes.iter();
    let node = nodes.find(|n| n.outputs == [layer.tensor.clone()]).unwrap();
    assert_eq!(
        (node.op.as_str(), &node.inputs[..]),
        ("Identity", &["visual".to_owned()][..])
    );
}

#[test]
fn what_cannot_be_built_is_named() {
    let features = Features::Vector { width: 6 };
    let message = |from: &str, to: &str| {
        let text = RECURRENT.replacen(from, to, 1);
        let error = Nuclei::from_toml(&text).and_then(|nuclei| nuclei.build(features, 2));
        error.unwrap_err().to_string()
    };
    for (from, to, expected) in [
        (
            "reads = [\"LA\"]",
            "reads = [\"CeM\"]",
            "\"B\": it reads what does not stand before it",
        ),
        ("read-out = \"CeM\"", "read-out = \"CeL\"", "\"CeL\""),
        ("name = \"ITC\"", "name = \"LA\"", "its name is taken"),
        ("widths = [8]", "widths = [0]", "a width is 0"),
        (
            "widths = [8]",
            "transformer = { heads = 4 }",
            "4 heads do not divide a width of 6",
        ),
        ("widths = [8]", "depth = 8", "unknown field"),
        (
            "widths = [4]",
            "widths = [4]\nstarts-as = \"LA\"",
            "starts as a nucleus that does not stand before it",
        ),
        ("widths = [8]", "dropout = 0.5", "drops nothing"),
        (
            "inhibited-by = [\"ITC\"]",
            "inhibited-by = [\"CeL\"]",
            "inhibited by what",
        ),
        (
            "feedback = [\"AB\"]",
            "feedback = [\"visual\"]",
            "feedback from what is no nucleus",
        ),
    ] {
        let found = message(from, to);
        assert!(found.contains(expected), "{found}");
    }
}
