//! Whole studies.

use std::path::Path;
use std::time::Duration;

use crate::support::{Scratch, assert_no_partial_files, assert_same_files, listing, npy_header};

const RESULTS: [&str; 4] = [
    "differences.csv",
    "record.json",
    "report.html",
    "scores.csv",
];

#[test]
fn the_demo_finds_what_was_planted() {
    let scratch = Scratch::new();
    let told = scratch.ok(&["demo", "--out", "demo"]);
    let record = scratch.record("demo");
    let expectations = record["expectations"].as_array().unwrap();
    assert_eq!(expectations.len(), 3);
    for claim in expectations {
        assert_eq!(claim["met"], true, "{claim}");
    }
    assert_eq!(told.matches(": as expected").count(), 3, "{told}");
    assert!(told.contains("report: demo/report.html"), "{told}");
    assert!(told.contains(record["answer"].as_str().unwrap()));

    let files = listing(&scratch.path("demo"));
    for name in RESULTS {
        assert!(files.contains_key(Path::new(name)), "{name}");
    }
    let count = |ending: &str| {
        files
            .keys()
            .filter(|path| path.starts_with("figures"))
            .filter(|path| path.extension().is_some_and(|e| e == ending))
            .count()
    };
    assert!(count("svg") >= 4);
    assert_eq!([count("png"), count("pdf")], [count("svg"); 2]);
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let [one, two] = ["1", "2"].map(|threads| {
        let scratch = Scratch::new();
        scratch.ok(&["demo", "--threads", threads]);
        scratch
    });
    assert_same_files(&one.path("consilience-demo"), &two.path("consilience-demo"));
    assert_same_files(&one.cache(), &two.cache());
}

#[test]
fn a_warm_cache_changes_no_byte_and_saves_the_work() {
    let scratch = Scratch::small_study();
    scratch.ok(&["run", "study.toml", "--out", "cold"]);
    let cache = listing(&scratch.cache());
    let again = scratch.run(&["run", "study.toml", "--out", "warm"]);
    assert_eq!(again.code, Some(0));
    assert!(!again.stderr.contains("activations"), "{}", again.stderr);
    assert_same_files(&scratch.path("cold"), &scratch.path("warm"));
    assert_eq!(cache, listing(&scratch.cache()));

    // Deleting the cache is always safe.
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    scratch.ok(&["run", "study.toml", "--out", "cold"]);
    assert_same_files(&scratch.path("cold"), &scratch.path("warm"));
}

/// Kills a run after each of the delays, takes it up again and compares with `expected`.
fn kill_and_resume(scratch: &Scratch, args: &[&str], results: &str, expected: &Path) {
    // Most of the delays fall into the work of a debug build; the early ones also into the
    // inference of a run that found its activations in the cache.
    for milliseconds in [0, 50, 100, 200, 350, 500, 700, 900, 1200] {
        let mut child = scratch
            .command(args)
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
        // What has its final name is whole.
        for (name, bytes) in listing(&scratch.path(results)) {
            let is_partial = name
                .file_name()
                .is_some_and(|n| n.to_string_lossy().starts_with('.'));
            if !is_partial {
                let whole = std::fs::read(expected.join(&name)).unwrap();
                assert!(bytes == whole, "{} after {milliseconds} ms", name.display());
            }
        }
    }
    scratch.ok(args);
    assert_no_partial_files(&scratch.path(results));
    assert_same_files(&scratch.path(results), expected);
}

#[test]
fn a_killed_run_is_taken_up_again() {
    let scratch = Scratch::new();
    scratch.ok(&["demo", "--out", "demo"]);
    std::fs::remove_dir_all(scratch.cache()).unwrap();
    std::fs::rename(scratch.path("demo/study"), scratch.path("study")).unwrap();
    let args = ["run", "study/study.toml", "--out", "taken-up"];
    kill_and_resume(&scratch, &args, "taken-up", &scratch.path("demo"));
}

#[test]
fn a_kill_in_the_middle_of_inference_costs_no_activation() {
    let scratch = Scratch::small_study();
    let long = ["--set", "analysis.resamples=20000"];
    let args = ["run", "study.toml", "--out", "taken-up", long[0], long[1]];
    let mut child = scratch
        .command(&args)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The RDMs are in the cache as soon as inference begins.
    let n_rdms = || listing(&scratch.cache().join("rdms")).len();
    while n_rdms() < 2 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(n_rdms(), 2);
    assert!(!scratch.path("taken-up").exists());

    let resumed = scratch.run(&args);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(
        !resumed.stderr.contains("activations"),
        "{}",
        resumed.stderr
    );
    let fresh = Scratch::small_study();
    fresh.ok(&args);
    assert_same_files(&scratch.path("taken-up"), &fresh.path("taken-up"));
}

#[test]
fn leftovers_of_a_killed_run_are_cleared_away() {
    let scratch = Scratch::small_study();
    scratch.put("results/.partial-abc123", b"half");
    scratch.put("results/figures/.partial-def456", b"half");
    scratch.ok(&["run", "study.toml"]);
    assert_no_partial_files(&scratch.path("results"));
}

#[test]
fn the_seed_changes_the_numbers_and_nothing_else_does() {
    let scratch = Scratch::small_study();
    let scores = |out: &str, seed: &[&str]| {
        scratch.ok(&[&["run", "study.toml", "--out", out], seed].concat());
        std::fs::read_to_string(scratch.path(out).join("scores.csv")).unwrap()
    };
    let three = scores("a", &[]);
    let also_three = scores("b", &["--seed", "3"]);
    let four = scores("c", &["--seed", "4"]);
    assert_eq!(three, also_three);
    assert_ne!(three, four);
    assert_eq!(scratch.record("c")["provenance"]["seed"], 4);
    let value = |out: &str| {
        scratch.record(out)["analyses"][0]["targets"][0]["scores"][0]["estimate"]["value"].clone()
    };
    assert_eq!(value("a"), value("c"), "a score is not drawn");
}

#[test]
fn results_of_another_plan_are_kept_unless_forced() {
    let scratch = Scratch::small_study();
    scratch.ok(&["run", "study.toml"]);
    let message = scratch.refused(
        &["run", "study.toml", "--seed", "4"],
        &["results", "another plan", "seed 3", "--out", "--force"],
    );
    assert!(message.starts_with("error: "), "{message}");
    scratch.ok(&["run", "study.toml"]);
    scratch.ok(&["run", "study.toml", "--seed", "4", "--force"]);
    assert_eq!(scratch.record("results")["provenance"]["seed"], 4);

    scratch.put("results/record.json", b"{");
    scratch.refused(
        &["run", "study.toml", "--seed", "4"],
        &["record.json", "--force"],
    );
}

#[test]
fn a_folder_with_a_record_is_complete() {
    let scratch = Scratch::small_study();
    scratch.ok(&["run", "study.toml"]);
    // The new page cannot take this name, so replacing stops half-way.
    std::fs::remove_file(scratch.path("results/report.html")).unwrap();
    std::fs::create_dir(scratch.path("results/report.html")).unwrap();
    let other = ["run", "study.toml", "--seed", "4", "--force"];
    let answer = scratch.run(&other);
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("report.html"), "{}", answer.stderr);
    assert!(!scratch.path("results/record.json").exists());
    assert_no_partial_files(&scratch.path("results"));
    std::fs::remove_dir(scratch.path("results/report.html")).unwrap();
    scratch.ok(&other[..4]);
    assert_eq!(scratch.record("results")["provenance"]["seed"], 4);
}

#[test]
fn a_report_is_rendered_again_from_its_record() {
    let scratch = Scratch::small_study();
    scratch.ok(&["run", "study.toml"]);
    let page = std::fs::read(scratch.path("results/report.html")).unwrap();
    for record in ["results", "results/record.json"] {
        let told = scratch.ok(&["report", record, "--out", "again.html"]);
        assert_eq!(told, "again.html\n");
        assert!(std::fs::read(scratch.path("again.html")).unwrap() == page);
    }
    std::fs::remove_file(scratch.path("results/report.html")).unwrap();
    scratch.ok(&["report", "results"]);
    assert!(std::fs::read(scratch.path("results/report.html")).unwrap() == page);
    let text = String::from_utf8(page).unwrap();
    for remote in ["src=\"http", "href=\"//", "@import", "<link"] {
        assert!(!text.contains(remote), "the page loads something: {remote}");
    }
}

#[test]
fn a_new_study_says_what_is_still_missing() {
    let scratch = Scratch::new();
    let told = scratch.ok(&["init", "rsa", "mine"]);
    assert!(told.contains("consilience check mine/study.toml"), "{told}");
    assert!(scratch.path("mine/README.md").exists());
    let images = "no file matches \"stimuli/*.png\"";
    let message = scratch.refused(&["check", "mine/study.toml"], &["mine/study.toml", images]);
    assert!(message.contains("images = \"stimuli/*.png\""), "{message}");
    scratch.refused(&["run", "mine/study.toml"], &[images]);
    scratch.refused(
        &["init", "rsa", "mine"],
        &["study.toml", "nothing was written"],
    );
    scratch.refused(&["init", "rsq"], &["\"rsq\"", "rsa"]);
}

#[test]
fn a_study_with_generated_data_is_ready_to_run() {
    let scratch = Scratch::new();
    let told = scratch.ok(&["init", "object2brain-planted", "mine"]);
    assert!(told.contains("consilience run mine/study.toml"), "{told}");
    let few = ["analysis[1].random-sets=400", "analysis[1].permutations=50"];
    let run = ["run", "mine/study.toml", "--set", few[0], "--set", few[1]];
    let told = scratch.ok(&run);
    assert!(told.contains("Without the filters for C"), "{told}");

    let again = ["init", "object2brain-planted", "mine"];
    scratch.refused(&again, &["data", "nothing was written"]);
    // The folders in `examples/` lack only their data.
    std::fs::remove_dir_all(scratch.path("mine/data")).unwrap();
    let other = ["init", "object2brain-null", "mine"];
    scratch.refused(&other, &["study.toml", "nothing was written"]);
    scratch.ok(&again);
    let first = std::fs::read(scratch.path("mine/data/ratings.csv")).unwrap();
    scratch.ok(&["init", "object2brain-planted", "other", "--seed", "2"]);
    assert!(std::fs::read(scratch.path("other/data/ratings.csv")).unwrap() != first);
}

#[test]
fn a_study_of_emotion_starts_from_a_text_or_with_generated_data() {
    let scratch = Scratch::new();
    let told = scratch.ok(&["init", "visual-emotion", "mine"]);
    assert!(told.contains("consilience check mine/study.toml"), "{told}");
    assert!(scratch.path("mine/README.md").exists() && !scratch.path("mine/data").exists());
    scratch.refused(
        &["check", "mine/study.toml"],
        &["no file matches \"stimuli/*.jpg\""],
    );
    let again = ["init", "visual-emotion", "mine"];
    scratch.refused(&again, &["study.toml", "nothing was written"]);

    let told = scratch.ok(&["init", "visual-emotion-planted", "planted"]);
    assert!(
        told.contains("consilience run planted/study.toml"),
        "{told}"
    );
    for name in [
        "pictures/119.png",
        "colours.onnx",
        "nuclei.toml",
        "ratings.csv",
    ] {
        assert!(scratch.path("planted/data").join(name).exists(), "{name}");
    }
    let subjects = npy_header(&scratch.path("planted/data/amygdala_20.npy"));
    assert!(subjects.contains("(120, 80)"), "{subjects}");
    let plan = scratch.ok(&["check", "planted/study.toml"]);
    assert!(plan.contains("visual cortex"), "{plan}");
    let few = [
        "permutations=19",
        "resamples=20",
        "random-sets=19",
        "repeats=1",
    ];
    let few = few.map(|set| format!("analysis[0].{set}"));
    let mut run = vec!["run", "planted/study.toml"];
    for set in &few {
        run.extend(["--set", set]);
    }
    let told = scratch.ok(&run);
    assert!(told.contains("predicts valence with r = 0."), "{told}");
    let page = std::fs::read_to_string(scratch.path("planted/results/report.html")).unwrap();
    for part in [
        "simulated",
        "Agreement with the brain",
        "selective for emotions",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let again = ["init", "visual-emotion-planted", "planted"];
    scratch.refused(&again, &["data", "nothing was written"]);
    scratch.refused(
        &["init", "visual-emotion-null", "planted"],
        &["study.toml", "nothing was written"],
    );
    scratch.ok(&["init", "visual-emotion-null", "null", "--seed", "2"]);
    let ratings =
        |folder: &str| std::fs::read(scratch.path(folder).join("data/ratings.csv")).unwrap();
    assert!(ratings("null") != ratings("planted"));
}

#[test]
fn a_check_prints_the_plan_and_changes_nothing() {
    let scratch = Scratch::small_study();
    let before = listing(&scratch.path(""));
    let text = scratch.ok(&["check", "study.toml"]);
    for part in [
        "Small",
        "12",
        "consilience_demo",
        "pool1",
        "region, 5 subject(s)",
        "memory",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let plan = scratch.json(&["check", "study.toml", "--format", "json"]);
    assert_eq!(plan["stimuli"].as_array().unwrap().len(), 12);
    assert_eq!(
        plan["stimuli"][2]["id"], "p2",
        "natural order: p2 before p10"
    );
    assert_eq!(plan["analyses"][0]["permutations"], 50);
    assert_eq!(before, listing(&scratch.path("")));
    assert!(!scratch.cache().exists());

    // The plan of the record is the one that was printed.
    scratch.ok(&["run", "study.toml"]);
    let hash = scratch.record("results")["provenance"]["plan_blake3"].clone();
    assert!(text.contains(hash.as_str().unwrap()), "{text}");
}

#[test]
fn values_are_replaced_from_the_command_line() {
    let scratch = Scratch::small_study();
    let plan = scratch.json(&[
        "check",
        "study.toml",
        "--format",
        "json",
        "--set",
        "analysis.permutations=7",
        "--set",
        "analysis[0].similarity=kendall-tau-a",
        "--set",
        "model.layers=[\"pool*\"]",
        "--set",
        "study.seed=9",
    ]);
    assert_eq!(plan["analyses"][0]["permutations"], 7);
    assert_eq!(plan["analyses"][0]["similarity"], "kendall-tau-a");
    assert_eq!(plan["seed"], 9);
    assert_eq!(plan["models"][0]["layers"].as_array().unwrap().len(), 3);

    // The record tells them, so that it can be made again.
    scratch.ok(&["run", "study.toml", "--set", "analysis.permutations=7"]);
    let record = scratch.record("results");
    assert_eq!(record["study"]["overrides"][0], "analysis.permutations=7");
    let page = std::fs::read_to_string(scratch.path("results/report.html")).unwrap();
    assert!(page.contains("--set &#x27;analysis.permutations=7&#x27;"));

    for (set, phrases) in [
        (
            "analysis.permutation=7",
            &["analysis.permutation=7", "did you mean `permutations`"][..],
        ),
        (
            "analysis.permutations=many",
            &["analysis.permutations=many", "invalid type"],
        ),
        ("brains.name=x", &["brains.name=x", "`brain`"]),
        ("analysis[4].alpha=0.1", &["no entry 4", "has 1"]),
        ("permutations", &["permutations", "KEY=VALUE"]),
    ] {
        scratch.refused(&["check", "study.toml", "--set", set], phrases);
    }
    scratch.refused(
        &[
            "run",
            "study.toml",
            "--set",
            "analysis.dissimilarity=correlations",
        ],
        &["\"correlations\"", "did you mean", "sqeuclidean"],
    );
    // The file has this key too, but its value is not the one at fault.
    scratch.edit("study.toml", "resamples = 40", "similarity = \"pearson\"");
    let set = "analysis.similarity=pearsonn";
    let message = scratch.refused(&["check", "study.toml", "--set", set], &["--set", set]);
    assert!(!message.contains("study.toml:"), "{message}");
}

#[test]
fn a_table_gives_order_and_categories() {
    let scratch = Scratch::small_study();
    let mut table = "picture,kind\n".to_owned();
    for idx in (0..12).rev() {
        table += &format!("p{idx}.png,{}\n", ["a", "b"][idx % 2]);
    }
    scratch.put("order.csv", table.as_bytes());
    scratch.edit(
        "study.toml",
        "images = \"pictures/*.png\"",
        "images = \"pictures/*.png\"\ntable = \"order.csv\"\nfile-column = \"picture\"\ncategory-column = \"kind\"",
    );
    let plan = scratch.json(&["check", "study.toml", "--format", "json"]);
    assert_eq!(plan["stimuli"][0]["id"], "p11");
    assert_eq!(plan["stimuli"][0]["category"], "b");
}

#[test]
fn pictures_that_nobody_should_have_to_see_are_shown_as_blocks() {
    let scratch = Scratch::small_study();
    let thumbnails = || -> Vec<serde_json::Value> {
        let record = scratch.record("results");
        let stimuli = record["stimuli"].as_array().unwrap();
        stimuli.iter().map(|s| s["thumbnail"].clone()).collect()
    };
    scratch.ok(&["run", "study.toml"]);
    let sharp = thumbnails();
    // The numbers are there already; only how they are shown is new.
    let blur = "report.blur=[\"p3\", \"p1*\"]";
    scratch.ok(&["run", "study.toml", "--set", blur]);
    let blurred = thumbnails();
    for (idx, (sharp, blurred)) in sharp.iter().zip(&blurred).enumerate() {
        assert!(blurred.is_string());
        assert_eq!(sharp != blurred, [1, 3, 10, 11].contains(&idx), "p{idx}");
    }
    let misspelt = "report.blur=[\"q*\"]";
    scratch.refused(
        &["run", "study.toml", "--set", misspelt],
        &["--set report.blur", "no stimulus and no category", "\"q*\""],
    );
}

#[test]
fn too_few_subjects_are_said_and_never_silent() {
    let scratch = Scratch::small_study();
    scratch.put_npy("region.npy", &crate::support::noise(1, 66, 7));
    scratch.ok(&["run", "study.toml"]);
    let record = scratch.record("results");
    let target = &record["analyses"][0]["targets"][0];
    assert!(target["ceiling"].is_null());
    assert!(target["scores"][0]["estimate"]["value"].is_number());
    let notes = target["notes"].as_array().unwrap();
    assert!(!notes.is_empty());
    let page = std::fs::read_to_string(scratch.path("results/report.html")).unwrap();
    for note in notes {
        let words = note
            .as_str()
            .unwrap()
            .split(['<', '>', '&', '\'', '"'])
            .next()
            .unwrap();
        assert!(
            page.contains(words),
            "the report keeps from its reader: {note}"
        );
    }
}
