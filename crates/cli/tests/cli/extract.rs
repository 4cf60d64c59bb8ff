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

#[test]
fn extract_reduces_features() {
    let scratch = Scratch::new();
    for idx in 0..8 {
        let bytes = encode(64, |row, column| {
            [
                (row * idx) as u8,
                (column * 3 * idx) as u8,
                (row * column + idx) as u8,
            ]
        });
        scratch.put(&format!("pictures/p{idx}.png"), &bytes);
    }
    let base = [
        "extract",
        "--model",
        "consilience_demo",
        "--weights",
        DEMO_WEIGHTS,
        "--images",
        "pictures",
        "--layers",
        "pool2,fc",
    ];
    let extract = |more: &str| scratch.ok(&[&base[..], &words(more)].concat());
    let distance = |values: &[f64], i: usize, j: usize| -> f64 {
        let n = values.len() / 8;
        let pairs = values[i * n..(i + 1) * n]
            .iter()
            .zip(&values[j * n..(j + 1) * n]);
        pairs.map(|(a, b)| (a - b).powi(2)).sum()
    };
    let read = |out: &str, layer: &str| npy_values(&scratch.path(out).join(layer));
    extract("--out all");
    extract("--reduce sparse=2000 --out sparse --threads 1");
    extract("--reduce sparse=2000 --out again --threads 2");
    extract("--reduce pca=7 --reduce-fit pictures --out pca");
    let all = read("all", "pool2.npy");
    let (sparse, pca) = (read("sparse", "pool2.npy"), read("pca", "pool2.npy"));
    assert_eq!((sparse.len(), pca.len()), (8 * 2000, 8 * 7));
    assert_eq!(sparse, read("again", "pool2.npy"));
    for (i, j) in [(0, 1), (2, 7), (3, 5)] {
        let whole = distance(&all, i, j);
        assert!((distance(&sparse, i, j) / whole - 1.0).abs() < 0.3);
        // Seven components of eight pictures keep everything.
        assert!((distance(&pca, i, j) / whole - 1.0).abs() < 1e-3);
    }
    // Eight features stay as they are when more are asked for.
    assert_eq!(read("sparse", "fc.npy"), read("all", "fc.npy"));
    let manifest = std::fs::read(scratch.path("pca/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["reduce"], "pca=7");
    assert_eq!(manifest["reduce_fit"].as_array().unwrap().len(), 8);
    assert_eq!(manifest["layers"][0]["shape"], serde_json::json!([8, 7]));
    let n_files = std::fs::read_dir(scratch.path("pca")).unwrap().count();
    assert_eq!(n_files, 3);

    for (more, phrases) in [
        ("--reduce pca=7 --out x", ["--reduce-fit", "pca=7"]),
        (
            "--reduce pca=8 --reduce-fit pictures --out x",
            ["8 rows give at most 7", "pool2"],
        ),
        ("--reduce umap --out x", ["umap", "sparse=500"]),
        ("--pool cls --out x", ["no class token", "pool2"]),
    ] {
        scratch.refused(&[&base[..], &words(more)].concat(), &phrases);
    }
}

#[test]
fn a_killed_extraction_goes_on() {
    let scratch = Scratch::new();
    let picture = encode(64, |row, column| [row as u8, column as u8, 7]);
    for idx in 0..600 {
        scratch.put(&format!("pictures/p{idx}.png"), &picture);
    }
    let args = |out: &str| -> Vec<String> {
        let line = format!("--images pictures --layers pool1,conv2,fc --threads 1 --out {out}");
        let model = [
            "extract",
            "--model",
            "consilience_demo",
            "--weights",
            DEMO_WEIGHTS,
        ];
        model
            .into_iter()
            .chain(line.split(' '))
            .map(str::to_owned)
            .collect()
    };
    let run = |out: &str| {
        let args = args(out);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scratch.run(&args)
    };
    assert_eq!(run("whole").code, Some(0));
    let killed = args("killed");
    let killed: Vec<&str> = killed.iter().map(String::as_str).collect();
    let mut child = scratch.command(&killed).spawn().unwrap();
    let first_block = || {
        let folders = std::fs::read_dir(scratch.path("killed"))
            .into_iter()
            .flatten()
            .flatten();
        folders
            .filter(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with(".unfinished-")
            })
            .any(|entry| entry.path().join("000000-2.npy").exists())
    };
    while !first_block() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!scratch.path("killed/manifest.json").exists());
    let answer = run("killed");
    assert_eq!(answer.code, Some(0));
    assert!(
        answer.stderr.contains("of 600 pictures were done"),
        "{}",
        answer.stderr
    );
    for file in ["pool1.npy", "conv2.npy", "fc.npy", "manifest.json"] {
        let [whole, resumed] =
            ["whole", "killed"].map(|out| std::fs::read(scratch.path(out).join(file)).unwrap());
        assert!(whole == resumed, "{file} differs");
    }
    assert_eq!(
        std::fs::read_dir(scratch.path("killed")).unwrap().count(),
        4
    );
}
