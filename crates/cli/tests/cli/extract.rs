//! `consilience extract`: pictures in, a file for each layer out.

use crate::support::{
    DEMO_WEIGHTS, Scratch, assert_close, encode, npy_header, npy_values, real_data, words,
};

fn three_pictures(scratch: &Scratch) {
    for idx in [1, 2, 10] {
        let bytes = encode(64, |row, column| {
            [(row * idx) as u8, (column * 3) as u8, idx as u8]
        });
        scratch.put(&format!("pictures/p{idx}.png"), &bytes);
    }
    scratch.put("pictures/notes.txt", b"not a picture");
}

#[test]
fn extract_writes_a_file_for_each_layer_and_a_manifest() {
    let scratch = Scratch::new();
    three_pictures(&scratch);
    let base = [
        "extract",
        "--model",
        "consilience_demo",
        "--weights",
        DEMO_WEIGHTS,
    ];
    let told = scratch.ok(&[&base[..], &["--images", "pictures", "--out", "all"]].concat());
    assert_eq!(told, "all/manifest.json\n");
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scratch.path("all/manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["model"], "consilience_demo");
    assert_eq!(manifest["pool"], "none");
    assert!(manifest["preprocessing"].is_object() && manifest["preprocessing_text"].is_string());
    assert_eq!(manifest["weights_blake3"].as_str().unwrap().len(), 64);
    let images = manifest["images"].as_array().unwrap();
    let order: Vec<&str> = images.iter().map(|i| i["path"].as_str().unwrap()).collect();
    assert_eq!(
        order,
        ["pictures/p1.png", "pictures/p2.png", "pictures/p10.png"]
    );
    assert_eq!(images[0]["blake3"].as_str().unwrap().len(), 64);
    let layers = manifest["layers"].as_array().unwrap();
    assert!(layers.len() >= 7);
    for layer in layers {
        let map: u64 = layer["map_shape"]
            .as_array()
            .unwrap()
            .iter()
            .map(|d| d.as_u64().unwrap())
            .product();
        assert_eq!(layer["shape"], serde_json::json!([3, map]));
        let name = layer["name"].as_str().unwrap();
        assert_eq!(layer["file"], format!("{name}.npy"));
        assert_eq!(
            npy_header(&scratch.path("all").join(format!("{name}.npy"))),
            format!("{{'descr': '<f4', 'fortran_order': False, 'shape': (3, {map}), }}")
        );
    }
    let n_files = std::fs::read_dir(scratch.path("all")).unwrap().count();
    assert_eq!(n_files, layers.len() + 1);
}

#[test]
fn extract_pools_selects_and_takes_a_list() {
    let scratch = Scratch::new();
    three_pictures(&scratch);
    let base = [
        "extract",
        "--model",
        "consilience_demo",
        "--weights",
        DEMO_WEIGHTS,
    ];
    let extract = |more: &[&str]| scratch.ok(&[&base[..], more].concat());
    extract(&words(
        "--images pictures --layers pool1,f* --out none --threads 2",
    ));
    assert!(scratch.path("none/pool1.npy").exists() && scratch.path("none/fc.npy").exists());
    assert!(!scratch.path("none/pool2.npy").exists());
    for pool in ["mean", "max"] {
        extract(&[
            "--images", "pictures", "--layers", "pool1", "--pool", pool, "--out", pool,
        ]);
    }
    let maps = npy_values(&scratch.path("none/pool1.npy"));
    let [means, maxima] =
        ["mean", "max"].map(|pool| npy_values(&scratch.path(pool).join("pool1.npy")));
    let n_positions = maps.len() / means.len();
    for (k, map) in maps.chunks(n_positions).enumerate() {
        let mean = map.iter().sum::<f64>() / n_positions as f64;
        let highest = map.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!((means[k] - mean).abs() < 1e-5 * (1.0 + mean.abs()));
        assert_eq!(maxima[k], highest);
    }

    scratch.put("list.txt", b"pictures/p10.png\n\npictures/p1.png\n");
    extract(&words(
        "--images list.txt --layers fc --out listed --threads 1",
    ));
    let all = npy_values(&scratch.path("none/fc.npy"));
    let listed = npy_values(&scratch.path("listed/fc.npy"));
    let n = all.len() / 3;
    let expected = [&all[2 * n..], &all[..n]].concat();
    assert_close(&listed, &expected, 1e-6);
}

#[test]
fn extract_gives_the_same_from_both_ways_in() {
    let Some(data) = real_data("extract::extract_gives_the_same_from_both_ways_in") else {
        return;
    };
    let scratch = Scratch::new();
    three_pictures(&scratch);
    let folder = data.join("squeezenet1_1");
    let onnx = folder.join("squeezenet1_1.onnx").display().to_string();
    let weights = folder
        .join("squeezenet1_1.safetensors")
        .display()
        .to_string();
    let rest = [
        "--images",
        "pictures",
        "--layers",
        "features.3,classifier.1",
        "--out",
    ];
    scratch.ok(&[&["extract", "--model", &onnx][..], &rest, &["a"]].concat());
    let by_name = ["extract", "--model", "squeezenet1_1", "--weights", &weights];
    scratch.ok(&[&by_name[..], &rest, &["b"]].concat());
    for layer in ["features.3.npy", "classifier.1.npy"] {
        let [a, b] = ["a", "b"].map(|out| npy_values(&scratch.path(out).join(layer)));
        let largest = b.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert_close(&a, &b, 1e-4 * largest);
    }
    scratch.refused(
        &[
            &["extract", "--model", &onnx, "--weights", &weights][..],
            &rest,
            &["c"],
        ]
        .concat(),
        &["--weights"],
    );
}
