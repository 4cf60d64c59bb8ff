//! `consilience module`.

use consilience::io::npy;
use consilience::io::weights::Weights;
use ndarray::Array2;
use serde_json::Value;

use crate::support::{DEMO_WEIGHTS, N_PICTURES, Scratch, noise, words};

/// The nuclei of `fixtures/nuclei/tiny.pth`.
const TINY: &str = r#"
read-out = "CE"
read-out-key = "LastFC"
[[nucleus]]
name = "LA"
reads = ["visual"]
transformer = { layers = 2, heads = 2, hidden = 2 }
[[nucleus]]
name = "BA"
reads = ["LA"]
transformer = { hidden = 2 }
widths = [2]
[[nucleus]]
name = "BL"
reads = ["LA"]
transformer = { hidden = 2 }
starts-as = "BA"
widths = [2]
[[nucleus]]
name = "CE"
reads = ["LA", "BA", "BL"]
transformer = { layers = 2, heads = 2, hidden = 2 }
widths = [8]
"#;

const TRAIN: &str = "module train x.npy --ratings y.csv --structure III --width 12 --epochs 40 --batch 8 --optimiser adam \
                     --learning-rate 0.01 --schedule constant --standardise-ratings --validation 0.2 --seed 2";

/// Forty rows of five features, and ratings of valence and arousal that follow them.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let x = noise(40, 5, 1) * 2.0 - 1.0;
    let mut table = "valence,arousal\n".to_owned();
    for row in x.rows() {
        table += &format!("{},{}\n", 5.0 + 2.0 * row[0], 5.0 + row[1] - row[2]);
    }
    scratch.put_npy("x.npy", &x);
    scratch.put("y.csv", table.as_bytes());
    scratch.put("tiny.toml", TINY.as_bytes());
    let weights = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../fixtures/nuclei/tiny.pth"
    );
    scratch.put("tiny.pth", &std::fs::read(weights).unwrap());
    scratch
}

fn description(scratch: &Scratch, folder: &str) -> Value {
    let bytes = std::fs::read(scratch.path(folder).join("module.json")).unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn bytes(scratch: &Scratch, files: &[&str]) -> Vec<Vec<u8>> {
    files
        .iter()
        .map(|file| std::fs::read(scratch.path(file)).unwrap())
        .collect()
}

#[test]
fn a_summary_counts_what_was_released() {
    let scratch = scratch();
    for (features, n) in [(768, 30_401_282), (512, 18_131_458)] {
        let found = scratch.json(&words(&format!("module summary IV --features {features}")));
        assert_eq!(found["n_parameters"], n);
        let parts = found["nuclei"].as_array().unwrap().iter();
        let parts: u64 = parts
            .map(|nucleus| nucleus["n_parameters"].as_u64().unwrap())
            .sum();
        assert_eq!(parts + found["read_out_parameters"].as_u64().unwrap(), n);
    }
    let text = scratch.ok(&words("module summary IV --features 768 --format text"));
    assert!(
        text.contains("17392384") && text.contains("LA, BA, BL") && text.contains("2560 units"),
        "{text}"
    );
    let one = scratch.json(&words(
        "module summary tiny.toml --features 4 --heads valence",
    ));
    assert_eq!(one["ratings"], serde_json::json!(["valence"]));
    scratch.refused(
        &words("module summary V --features 4"),
        &["\"V\"", "I, II, III, IV"],
    );
    scratch.refused(&words("module summary IV"), &["--features D"]);
    scratch.refused(
        &words("module summary IV --features 9 --heads valence,valence"),
        &["each once"],
    );
}

#[test]
fn a_module_learns_is_kept_and_predicts() {
    let scratch = scratch();
    assert_eq!(
        scratch.ok(&words(&format!("{TRAIN} --out m"))),
        "m/module.json\n"
    );
    let found = description(&scratch, "m");
    assert_eq!(found["ratings"], serde_json::json!(["valence", "arousal"]));
    assert_eq!(
        found["learnt"]["held_out_rows"].as_array().unwrap().len(),
        8
    );
    let checkpoints = scratch
        .path("m")
        .join(found["learnt"]["checkpoints"].as_str().unwrap());
    for epoch in [0, 40] {
        assert!(
            checkpoints
                .join(format!("epoch-{epoch:04}.safetensors"))
                .exists()
        );
    }
    let history = std::fs::read_to_string(scratch.path("m/history.csv")).unwrap();
    assert_eq!(
        history.lines().count(),
        42,
        "a header, epoch 0 and all others"
    );

    let csv = scratch.ok(&words("module predict m x.npy"));
    assert!(
        csv.starts_with("Image Name,Predicted Valence,Predicted Arousal\n0,"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 41);
    let scores = scratch.json(&words(
        "module predict m x.npy --ratings y.csv --out p.csv --compared c.csv --activations units.npy --page p.html --format json",
    ));
    assert_eq!(std::fs::read_to_string(scratch.path("p.csv")).unwrap(), csv);
    for rating in scores["ratings"].as_array().unwrap() {
        assert!(rating["r"].as_f64().unwrap() > 0.9, "{rating}");
    }
    let compared = std::fs::read_to_string(scratch.path("c.csv")).unwrap();
    assert!(compared.starts_with(
        "Image Name,Actual Valence,Predicted Valence,Actual Arousal,Predicted Arousal\n"
    ));
    assert_eq!(
        npy::header(scratch.path("units.npy")).unwrap().shape,
        [40, 12 + 4 + 4 + 20]
    );
    let page = std::fs::read_to_string(scratch.path("p.html")).unwrap();
    assert!(page.contains("<table>") && page.contains("<svg"));
    // The same scores as from two arrays.
    let of = |column: usize| -> Vec<f64> {
        let lines = compared.lines().skip(1);
        lines
            .map(|line| line.split(',').nth(column).unwrap().parse().unwrap())
            .collect()
    };
    let two = |columns: [usize; 2]| {
        let [a, b] = columns.map(of);
        Array2::from_shape_fn((40, 2), |(i, k)| if k == 0 { a[i] } else { b[i] })
    };
    scratch.put_npy("actual.npy", &two([1, 3]));
    scratch.put_npy("predicted.npy", &two([2, 4]));
    let alone = scratch.json(&words("predictions actual.npy predicted.npy"));
    assert_eq!(alone["ratings"][1]["r"], scores["ratings"][1]["r"]);
    assert_eq!(alone["plane"], scores["plane"]);

    // Before training, and nucleus by nucleus.
    let before = scratch.ok(&words(
        "module predict m x.npy --epoch 0 --activations nuclei",
    ));
    assert_ne!(before, csv);
    assert_eq!(
        npy::header(scratch.path("nuclei/CE.npy")).unwrap().shape,
        [40, 20]
    );
    scratch.refused(
        &words("module predict m x.npy --epoch 41"),
        &["epoch 41", "0 to 40"],
    );
}

#[test]
fn threads_and_interruptions_change_no_byte() {
    let scratch = scratch();
    let files = |folder: &str| {
        let names = ["module.safetensors", "module.json", "history.csv"];
        let paths = names.map(|name| format!("{folder}/{name}"));
        bytes(&scratch, &paths.each_ref().map(String::as_str))
    };
    scratch.ok(&words(&format!("{TRAIN} --out a --threads 1")));
    scratch.ok(&words(&format!("{TRAIN} --out b --threads 2")));
    assert_eq!(files("a"), files("b"));
    // As if it had been killed in the fourth epoch.
    let folder = description(&scratch, "b")["learnt"]["checkpoints"]
        .as_str()
        .unwrap()
        .to_owned();
    scratch.ok(&words(&format!(
        "{} --out c",
        TRAIN.replace("--epochs 40", "--epochs 40 --threads 2")
    )));
    let text =
        std::fs::read_to_string(scratch.path("c").join(&folder).join("history.json")).unwrap();
    let history: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(history["epochs"].as_array().unwrap().len(), 41);
    std::fs::remove_file(scratch.path("c/module.json")).unwrap();
    let again = scratch.run(&words(&format!("{TRAIN} --out c")));
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(files("a"), files("c"));
}

#[test]
fn a_training_that_diverges_stops_and_keeps_what_was_good() {
    let scratch = scratch();
    let wild = "module train x.npy --ratings y.csv --structure III --width 12 --epochs 30 --learning-rate 1e20 --schedule constant --out m";
    let answer = scratch.run(&words(wild));
    assert_eq!(answer.code, Some(2), "{answer:?}");
    for part in ["diverged in epoch", "1e20", "m/checkpoints/"] {
        assert!(
            answer.stderr.contains(part),
            "no {part} in {}",
            answer.stderr
        );
    }
    assert!(!scratch.path("m/module.json").exists());
    let mut folders = std::fs::read_dir(scratch.path("m/checkpoints")).unwrap();
    let folder = folders.next().unwrap().unwrap().path();
    assert!(folder.join("epoch-0000.safetensors").exists());
}

#[test]
fn training_stops_early() {
    let scratch = scratch();
    scratch.ok(&words(
        &format!("{TRAIN} --patience 2 --epochs 400 --out m").replacen("--epochs 40 ", "", 1),
    ));
    let n = description(&scratch, "m")["learnt"]["history"]
        .as_array()
        .unwrap()
        .len();
    assert!(n < 401, "{n}");
}

#[test]
fn released_weights_go_in_and_come_out() {
    let scratch = scratch();
    let import = "module import tiny.pth --structure tiny.toml --features 4 --out m";
    assert_eq!(scratch.ok(&words(import)), "m/module.json\n");
    assert_eq!(
        description(&scratch, "m")["ratings"],
        serde_json::json!(["arousal", "valence"])
    );
    scratch.ok(&words("module export m --out back.safetensors"));
    let [given, back] =
        ["tiny.pth", "back.safetensors"].map(|file| Weights::read(scratch.path(file)).unwrap());
    assert_eq!(given, back);
    // Columns are told by name, whatever the order of the outputs.
    scratch.put_npy("four.npy", &noise(3, 4, 9));
    let csv = scratch.ok(&words("module predict m four.npy"));
    scratch.ok(&words(&format!(
        "{} --heads valence,arousal",
        import.replace("--out m", "--out swapped")
    )));
    let swapped = scratch.ok(&words("module predict swapped four.npy"));
    let cells = |text: &str| -> Vec<String> {
        text.lines()
            .nth(1)
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect()
    };
    let (a, b) = (cells(&csv), cells(&swapped));
    assert_eq!((&a[1], &a[2]), (&b[2], &b[1]));
    let message = scratch.refused(
        &words("module import tiny.pth --structure IV --features 4 --out other"),
        &["tiny.pth", "LA.layers.0.linear1.weight"],
    );
    assert!(message.contains("LastFC.weight"), "{message}");
    scratch.refused(
        &words("module import tiny.pth --structure tiny.toml --out other"),
        &["--features D"],
    );
    scratch.refused(&words("module predict m four.npy --epoch 1"), &["imported"]);
}

#[test]
fn what_cannot_be_is_refused() {
    let scratch = scratch();
    scratch.put_npy("short.npy", &noise(39, 5, 1));
    scratch.put("far.csv", b"valence,arousal\n1,2\n3,99\n");
    scratch.put_npy("two.npy", &noise(2, 5, 1));
    let train = |more: &str| TRAIN.replace("x.npy", more) + " --out m";
    scratch.refused(&words(&train("short.npy")), &["(40, 2)", "(39, 2)"]);
    scratch.refused(
        &words(&train("two.npy").replace("y.csv", "far.csv")),
        &["99", "--scale"],
    );
    for (option, phrases) in [
        ("--validation 0.01", ["leaves 0", "larger share"]),
        ("--validation 1.5", ["held out", "below 1"]),
        ("--preset paper", ["\"paper\"", "release2026"]),
        ("--width 9", ["--width is 9", "multiple of 4"]),
        ("--learning-rate 0", ["learning rate is 0", "above 0"]),
        ("--epoch first", ["first", "best or last"]),
    ] {
        let name = option.split(' ').next().unwrap();
        let mut args: Vec<String> = words(&train("x.npy"))
            .into_iter()
            .map(str::to_owned)
            .collect();
        if let Some(at) = args.iter().position(|arg| arg == name) {
            args.drain(at..at + 2);
        }
        args.extend(option.split(' ').map(str::to_owned));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        scratch.refused(&args, &phrases);
    }
    scratch.refused(
        &words("module predict nothing x.npy"),
        &["nothing", "module.json"],
    );
    scratch.refused(
        &words(
            &format!("{TRAIN} --patience 3 --out m").replace("--validation 0.2", "--validation 0"),
        ),
        &["--patience"],
    );
}

#[test]
fn ratings_find_their_pictures_and_pictures_their_network() {
    let scratch = Scratch::small_study();
    scratch.ok(&words(
        "extract --model consilience_demo --weights consilience_demo.safetensors --images pictures --layers pool1 --pool mean --out f",
    ));
    // In another order than the features, with one picture that lacks ratings, as the released program's tables: without a header.
    let table = |rows: &[usize]| {
        let lines = rows
            .iter()
            .map(|k| format!("p{k},.png,{},{}\n", 3 + k % 4, 2 + k % 5));
        lines.collect::<String>()
    };
    let backwards: Vec<usize> = (1..N_PICTURES).rev().collect();
    scratch.put("r.csv", table(&backwards).as_bytes());
    let train = "module train f/pool1.npy --ratings r.csv --structure I --width 12 --epochs 2 --validation 0.3 --out m";
    scratch.refused(&words(train), &["p0.png", "--nan omit"]);
    scratch.ok(&words(&format!("{train} --nan omit")));
    let found = description(&scratch, "m");
    assert_eq!(found["encoder"]["layer"], "pool1");
    assert_eq!(found["encoder"]["pool"], "mean");
    assert_eq!(found["learnt"]["n_training"], 8);

    // Pictures need no other word on the network, and give what their features gave.
    let [by_features, by_pictures] = [
        "module predict m f/pool1.npy",
        "module predict m --images pictures",
    ]
    .map(|line| scratch.ok(&words(line)));
    assert_eq!(by_features, by_pictures);
    assert!(by_pictures.contains("\np0.png,"), "{by_pictures}");
    let one = scratch.ok(&words(
        "module predict m --images pictures/p3.png --page one.html",
    ));
    assert_eq!(
        one.lines().nth(1),
        by_pictures.lines().find(|line| line.starts_with("p3.png,"))
    );
    let page = std::fs::read_to_string(scratch.path("one.html")).unwrap();
    assert!(
        page.contains("data:image/png;base64,")
            && page.contains("class=\"single\"")
            && page.contains("<figure>")
    );
    // A network of another place is named; another layer is refused by its width.
    std::fs::remove_file(scratch.path("consilience_demo.safetensors")).unwrap();
    scratch.refused(
        &words("module predict m --images pictures"),
        &["--network", "pool1 of consilience_demo"],
    );
    let named = |layer: &str| {
        format!(
            "module predict m --images pictures --network consilience_demo --weights {DEMO_WEIGHTS} --layer {layer} --pool mean"
        )
    };
    assert_eq!(scratch.ok(&words(&named("pool1"))), by_pictures);
    scratch.refused(&words(&named("fc")), &["features", "layer"]);
}

#[test]
fn other_views_of_pictures_are_learnt_from_with_the_same_bytes() {
    let scratch = Scratch::small_study();
    let lines = (0..N_PICTURES).map(|k| format!("p{k}.png,{},{}\n", 3 + k % 4, 2 + k % 5));
    let table = format!("image,valence,arousal\n{}", lines.collect::<String>());
    scratch.put("r.csv", table.as_bytes());
    let train = "module train --images pictures --network consilience_demo --weights consilience_demo.safetensors --layer pool1 --pool mean \
                 --ratings r.csv --structure I --width 12 --epochs 3 --batch 4 --validation 0.3";
    scratch.ok(&words(&format!("{train} --out plain")));
    scratch.ok(&words(&format!("{train} --augment --threads 1 --out a")));
    scratch.ok(&words(&format!("{train} --augment --threads 2 --out b")));
    let of = |folder: &str| std::fs::read(scratch.path(folder).join("module.safetensors")).unwrap();
    assert_eq!(of("a"), of("b"));
    assert_ne!(of("a"), of("plain"));
    let changes = description(&scratch, "a")["learnt"]["changes"].to_string();
    assert!(changes.contains("turned by up to 20°"), "{changes}");
    // Epoch 0 is the same: views only matter in training.
    let first = |folder: &str| {
        scratch.ok(&words(&format!(
            "module predict {folder} --images pictures --epoch 0"
        )))
    };
    assert_eq!(first("a"), first("plain"));
    scratch.refused(
        &words(&train.replace("--layer pool1", "--layer pool*"))
            .iter()
            .copied()
            .chain(["--out", "c"])
            .collect::<Vec<_>>(),
        &["3 layers"],
    );
}

#[test]
fn changed_pictures_give_other_features_and_the_manifest_says_so() {
    let scratch = Scratch::small_study();
    let extract = "extract --model consilience_demo --weights consilience_demo.safetensors --images pictures --layers pool1 --pool mean";
    let features = |more: &str, out: &str| {
        scratch.ok(&words(&format!("{extract} {more} --out {out}")));
        std::fs::read(scratch.path(out).join("pool1.npy")).unwrap()
    };
    let plain = features("", "plain");
    assert_eq!(features("--transform lighting=1", "same"), plain);
    let noisy = features("--transform noise=0.01 --threads 1", "noisy");
    assert_ne!(noisy, plain);
    assert_eq!(
        features("--transform noise=0.01 --batch 5 --threads 2", "again"),
        noisy
    );
    assert_ne!(features("--transform noise=0.01 --seed 2", "other"), noisy);
    assert_ne!(
        features("--transform gray --transform hue=0.1", "gray"),
        plain
    );
    let manifest = std::fs::read_to_string(scratch.path("gray/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(
        manifest["transforms"],
        serde_json::json!(["gray", "hue=0.1"])
    );
    scratch.refused(
        &words(&format!("{extract} --transform sepia --out no")),
        &["sepia", "noise=VARIANCE"],
    );
}

/// A module on the demo network's first pooled maps, in the folder `m`.
fn on_pictures() -> Scratch {
    let scratch = Scratch::small_study();
    let lines = (0..N_PICTURES).map(|k| format!("p{k}.png,{},{}\n", 3 + k % 4, 2 + k % 5));
    let table = format!("image,valence,arousal\n{}", lines.collect::<String>());
    scratch.put("r.csv", table.as_bytes());
    scratch.ok(&words(
        "module train --images pictures --network consilience_demo --weights consilience_demo.safetensors --layer pool1 --pool mean \
         --ratings r.csv --structure I --width 12 --epochs 3 --batch 4 --validation 0.3 --out m",
    ));
    scratch
}

#[test]
fn occlusion_maps_are_written_with_figures_and_the_same_bytes_for_any_number_of_threads() {
    let scratch = on_pictures();
    scratch.put(
        "list.txt",
        b"pictures/p1.png\npictures/p4.png\npictures/p7.png\n",
    );
    let line = |out: &str, threads: usize| {
        format!(
            "module predict m --images list.txt --occlusion {out} --patch 16 --stride 12 --page {out}.html --blur p4 --threads {threads}"
        )
    };
    let csv = scratch.ok(&words(&line("a", 1)));
    assert_eq!(scratch.ok(&words(&line("b", 2))), csv);
    assert_eq!(
        csv,
        scratch.ok(&words("module predict m --images list.txt"))
    );
    let files = [
        "valence.npy",
        "arousal.npy",
        "manifest.json",
        "overlay/00001_p4.svg",
        "overlay/00002_p7.png",
    ];
    for file in files {
        let of = |folder: &str| std::fs::read(scratch.path(folder).join(file)).unwrap();
        assert!(of("a") == of("b"), "{file}");
    }
    // 64 pixels take the patch at 0, 12, 24, 36 and 48.
    let manifest = std::fs::read_to_string(scratch.path("a/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["windows"], serde_json::json!([5, 5]));
    assert_eq!(manifest["patch"], 16);
    assert_eq!(manifest["maps"][1]["shape"], serde_json::json!([3, 64, 64]));
    let maps = npy::read(scratch.path("a/valence.npy")).unwrap().into_f64();
    assert_eq!(maps.shape(), [3, 64, 64]);
    assert!(maps.iter().all(|v| v.is_finite()) && maps.iter().any(|v| v.abs() > 1e-4));
    // A corner that only one window holds has that window's change.
    assert_eq!(maps[[0, 0, 0]], maps[[0, 11, 11]]);
    // What is predicted of the whole picture is what the table has.
    let whole = manifest["images"][2]["predicted"]["valence"]
        .as_f64()
        .unwrap();
    let listed: f64 = csv
        .lines()
        .nth(3)
        .unwrap()
        .split(',')
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!((whole - listed).abs() < 1e-5, "{whole} {listed}");
    let page = std::fs::read_to_string(scratch.path("a.html")).unwrap();
    assert_eq!(page.matches("points of valence").count(), 3);
    // Nothing is left beside the files.
    let names: Vec<_> = std::fs::read_dir(scratch.path("a")).unwrap().collect();
    assert_eq!(names.len(), 4);
}

#[test]
fn blurred_pictures_are_shown_as_blocks() {
    let scratch = on_pictures();
    let page = |blur: &str, out: &str| {
        scratch.ok(&words(&format!(
            "module predict m --images pictures/p4.png --page {out}.html --occlusion {out} --patch 32 --stride 32 {blur}"
        )));
        bytes(
            &scratch,
            &[
                &format!("{out}.html"),
                &format!("{out}/overlay/00000_p4.svg"),
            ],
        )
    };
    let (plain, blurred) = (page("", "a"), page("--blur p4.png", "b"));
    assert!(plain[0] != blurred[0] && plain[1] != blurred[1]);
    // The numbers are those of the picture.
    let maps = |out: &str| std::fs::read(scratch.path(out).join("valence.npy")).unwrap();
    assert_eq!(maps("a"), maps("b"));
    scratch.refused(
        &words("module predict m --images pictures --blur p99"),
        &["p99", "12 pictures"],
    );
}

#[test]
fn occlusion_that_cannot_be_is_refused_and_leaves_nothing() {
    let scratch = on_pictures();
    scratch.ok(&words(
        "extract --model consilience_demo --weights consilience_demo.safetensors --images pictures --layers pool1 --pool mean --out f",
    ));
    let line = "module predict m --images pictures --occlusion o";
    for (line, expected) in [
        (
            "module predict m f/pool1.npy --occlusion o".to_owned(),
            ["features", "--images"],
        ),
        (format!("{line} --patch 65"), ["65", "64 × 64"]),
        (format!("{line} --patch 0"), ["0 pixels", "at least 1"]),
        (format!("{line} --stride 0"), ["stride is 0", "1 to"]),
        (
            format!("{line} --patch 8 --stride 9"),
            ["stride is 9", "smaller stride"],
        ),
        (
            "module predict m --images pictures --patch 8".to_owned(),
            ["--occlusion", "required"],
        ),
    ] {
        scratch.refused(&words(&line), &expected);
    }
    // A picture that is none stops it in the middle.
    scratch.put("pictures/p99.png", b"no picture");
    scratch.refused(&words(line), &["p99.png"]);
    assert!(!scratch.path("o").exists());
}
