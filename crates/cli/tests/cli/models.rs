//! `consilience models`: published weights from a server on this machine, and `verify`.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use consilience::models::{Network, onnx};

use crate::support::{DEMO_WEIGHTS, Scratch, encode, real_data};

/// Serves one file under every address.
fn serve(file: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let asked = lines.next().unwrap_or_default();
            let _headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let known = asked.contains("/pretrained_models/resnet20-12fca82f.th");
            let bytes = std::fs::read(&file).unwrap();
            let (status, body) = match known {
                true => ("200 OK", &bytes[..]),
                false => ("404 Not Found", &[][..]),
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(body);
        }
    });
    address
}

fn picture() -> Vec<u8> {
    encode(64, |row, column| {
        [(row * 3) as u8, (column * 3) as u8, (row ^ column) as u8]
    })
}

#[test]
fn fetched_weights_need_no_path() {
    let Some(real) = real_data("models::fetched_weights_need_no_path") else {
        return;
    };
    let server = serve(real.join("resnet_cifar10/resnet20-12fca82f.th"));
    let scratch = Scratch::new();
    scratch.put("pictures/p.png", &picture());
    let extract = [
        "extract",
        "--model",
        "resnet20_cifar10",
        "--images",
        "pictures",
        "--layers",
        "linear",
        "--out",
        "out",
    ];
    scratch.refused(&extract, &["consilience models get resnet20_cifar10"]);
    let get = ["models", "get", "resnet20_cifar10", "--from", &server];
    let told = scratch.ok(&get);
    for part in [
        "resnet20_cifar10.cifar10: fetched",
        "licence: BSD-2-Clause",
        "cite: ",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(scratch.ok(&get).contains("already there"));
    let listed = scratch.json(&["models", "list", "--format", "json"]);
    let architectures = listed.as_array().unwrap();
    let resnet = architectures
        .iter()
        .find(|a| a["name"] == "resnet20_cifar10");
    assert_eq!(resnet.unwrap()["weights"][0]["cached"], true);
    scratch.ok(&extract);
    assert!(scratch.path("out/linear.npy").is_file());

    // Another file under the same address.
    let other = Scratch::new();
    let server = serve(real.join("resnet_cifar10/resnet56-4bfd9763.th"));
    other.refused(
        &["models", "get", "resnet20_cifar10", "--from", &server],
        &["sha256", "not the published file"],
    );
}

#[test]
fn what_is_not_fetched_says_why() {
    let scratch = Scratch::new();
    let list = scratch.ok(&["models", "list"]);
    assert!(
        list.contains("IMAGENET1K_V1") && list.contains("to fetch"),
        "{list}"
    );
    let shown = scratch.ok(&["models", "show", "squeezenet1_1"]);
    for part in [
        "weights squeezenet1_1.IMAGENET1K_V1:",
        "sha256 begins with b8a52dc0",
        "numbers in the weights: 1235496",
        "  features.0.weight [64, 3, 3, 3]",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    scratch.refused(
        &["models", "get", "consilience_demo"],
        &["no weights are published", "--weights FILE"],
    );
    scratch.refused(
        &[
            "models",
            "get",
            "squeezenet1_1",
            "--from",
            "http://example.org",
        ],
        &["address refused"],
    );
    scratch.refused(
        &["models", "get", "squeezenet1_1.NONE"],
        &["squeezenet1_1.IMAGENET1K_V1"],
    );
}

#[test]
fn show_tells_the_names_of_classes() {
    let scratch = Scratch::new();
    let show = |name: &str| scratch.ok(&["models", "show", name]);
    for (name, line) in [
        (
            "squeezenet1_1",
            "classes: 1000: tench, goldfish, great white shark, tiger shark, hammerhead, … (torchvision",
        ),
        ("resnet20_cifar10", "classes: 10: airplane, automobile,"),
        (
            "resnet18_places365",
            "classes: 365: airfield, airplane_cabin,",
        ),
        ("yolov3_coco", "classes: 80: person, bicycle,"),
        ("dino_vits16", "outputs: 384, without names"),
    ] {
        let shown = show(name);
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let shown = scratch.json(&["models", "show", "emonet", "--format", "json"]);
    let names = shown["class_names"]["names"].as_array().unwrap();
    assert_eq!((names.len(), names[0].as_str()), (20, Some("adoration")));
    assert_eq!(shown["class_names"]["n"], 20);
    let source = shown["class_names"]["source"].as_str().unwrap();
    assert!(source.contains("Kragel"), "{source}");
    let listed = scratch.json(&["models", "list", "--format", "json"]);
    for architecture in listed.as_array().unwrap() {
        for weights in architecture["weights"].as_array().unwrap() {
            let preprocessing = weights["preprocessing"].as_str().unwrap();
            assert!(!preprocessing.is_empty(), "{weights}");
        }
    }
}

#[test]
fn verify_names_the_first_layer_that_differs() {
    let scratch = Scratch::new();
    scratch.put("p.png", &picture());
    let verify = [
        "models",
        "verify",
        "consilience_demo",
        "--weights",
        DEMO_WEIGHTS,
        "--image",
        "p.png",
    ];
    scratch.put("pictures/p.png", &picture());
    scratch.ok(&[
        "extract",
        "--model",
        "consilience_demo",
        "--weights",
        DEMO_WEIGHTS,
        "--images",
        "pictures",
        "--executor",
        "rten",
        "--out",
        "all",
    ]);
    let array = |layer: &str| {
        let path = scratch.path("all").join(format!("{layer}.npy"));
        consilience::io::npy::read(path).unwrap().into_f64()
    };
    let layers = ["conv1", "relu1", "pool3", "fc"];
    let write = |file: &str, change: &dyn Fn(&str, &mut ndarray::ArrayD<f64>)| {
        let arrays: Vec<_> = layers
            .iter()
            .map(|layer| {
                let mut array = array(layer);
                change(layer, &mut array);
                array
            })
            .collect();
        let named: Vec<_> = layers
            .iter()
            .copied()
            .zip(arrays.iter().map(|a| a.view()))
            .collect();
        consilience::io::npz::write(scratch.path(file), &named).unwrap();
    };
    let told = scratch.ok(&verify);
    assert!(
        told.contains("rten") && told.contains("and gradients (burn"),
        "{told}"
    );
    assert!(!told.contains("DIFFERS"), "{told}");
    write("same.npz", &|_, _| {});
    let told = scratch.ok(&[&verify[..], &["--reference", "same.npz"]].concat());
    assert!(told.contains("4 of 4 layers agree"), "{told}");
    // As a hook that keeps what an in-place step then changes.
    write("other.npz", &|layer, array| match layer {
        "relu1" => *array += 0.5,
        "fc" => *array *= -1.0,
        _ => {}
    });
    let answer = scratch.run(&[&verify[..], &["--reference", "other.npz"]].concat());
    assert_eq!(answer.code, Some(2), "{answer:?}");
    assert!(
        answer
            .stderr
            .contains("\"relu1\" is the first layer that differs"),
        "{answer:?}"
    );
    assert!(answer.stdout.contains("2 of 4 layers agree"), "{answer:?}");
}

#[test]
fn verify_goes_on_where_gradients_do_not_know_an_operator() {
    let scratch = Scratch::new();
    scratch.put("p.png", &picture());
    let demo = Network::from_zoo("consilience_demo", DEMO_WEIGHTS.as_ref()).unwrap();
    let mut graph = demo.graph;
    let relu = graph.nodes.iter_mut().filter(|node| node.op == "Relu");
    relu.last().unwrap().op = "Sign".to_owned();
    scratch.put("signs.onnx", &onnx::write(&graph));
    let answer = scratch.run(&["models", "verify", "signs.onnx", "--image", "p.png"]);
    assert_eq!(answer.code, Some(0), "{answer:?}");
    assert!(
        answer
            .stderr
            .contains("note: without some layers of gradients: ")
            && answer
                .stderr
                .contains("is Sign, which gradients do not know"),
        "{answer:?}"
    );
    assert!(
        answer.stdout.contains("layers are not in gradients (burn")
            && !answer.stdout.contains("DIFFERS"),
        "{answer:?}"
    );
    // An operator that nothing here knows leaves nothing to compare, and says so of each.
    let first = graph.nodes.iter_mut().find(|node| node.op == "Conv");
    first.unwrap().op = "Fold".to_owned();
    scratch.put("folds.onnx", &onnx::write(&graph));
    scratch.refused(
        &["models", "verify", "folds.onnx", "--image", "p.png"],
        &["without rten", "Fold", "nothing to compare"],
    );
}
