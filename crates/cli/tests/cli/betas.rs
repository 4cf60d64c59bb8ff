//! `consilience betas`: from recordings to what a study reads.

use consilience::io::betas::{Betas, TrialTable};
use consilience::io::nifti::{Affine, Grid, Mask, Nifti, WriteParams, write};
use consilience::io::source::Source;
use consilience::methods::single_trial::{Event, Timing, regressor};
use ndarray::{Array3, Array4};

use crate::support::{Scratch, assert_no_partial_files, npy_values};

const N_VOLUMES: usize = 60;
const GRID: [usize; 3] = [2, 2, 1];
const EVENTS: [&str; 2] = [
    "onset\tduration\ttrial_type\tstim_file\n6\t3\tpicture\ta.png\n20\t0\tresponse\tn/a\n30\t3\tpicture\tb.png\n60\t3\tpicture\ta.png\n",
    "onset\tduration\ttrial_type\tstim_file\n8\t3\tpicture\tb.png\n42\t3\tpicture\tc.png\n",
];

/// Two runs in which voxel k answers to every picture with k, and to the response with 5, among motion and a drift.
fn runs() -> Scratch {
    let scratch = Scratch::new();
    let grid = Grid {
        shape: GRID,
        affine: Affine::from_sizes([3.0; 3]),
    };
    for (run, text) in EVENTS.iter().enumerate() {
        scratch.put(&format!("{run}.tsv"), text.as_bytes());
        let timing = Timing {
            n_volumes: N_VOLUMES,
            repetition_time: 2.0,
            first: 1.0,
        };
        let rows: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|l| l.split('\t').collect())
            .collect();
        let of = |kind: &str| {
            let events: Vec<Event> = rows
                .iter()
                .filter(|row| row[2] == kind)
                .map(|row| Event {
                    onset: row[0].parse().unwrap(),
                    duration: row[1].parse().unwrap(),
                })
                .collect();
            regressor(&events, &timing).unwrap()
        };
        let (pictures, responses) = (of("picture"), of("response"));
        let motion = |volume: usize| ((volume * volume + 3 * run) % 11) as f64;
        let recording =
            Array4::from_shape_fn((GRID[0], GRID[1], GRID[2], N_VOLUMES), |(x, y, _, t)| {
                let k = (x + 2 * y) as f64;
                (100.0 + k * pictures[t] + 5.0 * responses[t] + 2.0 * motion(t)) as f32
            });
        let params = WriteParams {
            repetition_time: Some(2.0),
            ..WriteParams::default()
        };
        write(
            scratch.path(&format!("{run}.nii.gz")),
            recording.view(),
            &grid,
            &params,
        )
        .unwrap();
        let confounds: String = (0..N_VOLUMES).map(|t| format!("{}\n", motion(t))).collect();
        scratch.put(
            &format!("{run}_confounds.tsv"),
            format!("motion\n{confounds}").as_bytes(),
        );
    }
    let mask = Array3::from_shape_fn(GRID, |(x, y, _)| f32::from(u8::from(x + y > 0)));
    write(
        scratch.path("mask.nii.gz"),
        mask.view(),
        &grid,
        &WriteParams::default(),
    )
    .unwrap();
    scratch
}

const BOTH: [&str; 11] = [
    "betas",
    "0.nii.gz",
    "1.nii.gz",
    "--events",
    "0.tsv",
    "1.tsv",
    "--slice-reference",
    "0.5",
    "--out",
    "one",
    "--confounds",
];

#[test]
fn betas_of_two_runs_are_read_as_patterns_of_pictures() {
    let scratch = runs();
    let args = [
        &BOTH[..],
        &[
            "0_confounds.tsv",
            "1_confounds.tsv",
            "--mask",
            "mask.nii.gz",
        ],
    ]
    .concat();
    assert_eq!(scratch.ok(&args), "one/betas.nii.gz\n");
    let mask = Mask::read(scratch.path("mask.nii.gz")).unwrap();
    let betas = Nifti::open(scratch.path("one/betas.nii.gz"))
        .unwrap()
        .voxels::<f64>(&mask)
        .unwrap()
        .values;
    assert_eq!(betas.dim(), (5, 3));
    for trial in betas.rows() {
        // In the order of the mask, the last axis fastest.
        for (beta, expected) in trial.iter().zip([2.0, 1.0, 3.0]) {
            assert!((beta - expected).abs() < 1e-3, "{beta} {expected}");
        }
    }
    let trials = TrialTable::read(scratch.path("one/trials.csv"), "picture", None).unwrap();
    let source = Source::parse(scratch.path("one/betas.nii.gz").to_str().unwrap());
    let patterns = Betas::read(&source, &[mask], Some(&trials), &["a", "b", "c"]).unwrap();
    assert_eq!(patterns.n_trials, [2, 2, 1]);
    let summary: serde_json::Value =
        serde_json::from_slice(&std::fs::read(scratch.path("one/summary.json")).unwrap()).unwrap();
    assert_eq!(summary["n_trials"], 5);
    assert_eq!(summary["runs"][0]["other_events"]["response"], 1);

    // All voxels without a mask; other numbers of threads change no byte.
    let all = [&BOTH[..9], &["all"]].concat();
    scratch.ok(&all);
    let bytes = std::fs::read(scratch.path("all/betas.nii.gz")).unwrap();
    scratch.ok(&[&all[..], &["--threads", "1"]].concat());
    assert!(std::fs::read(scratch.path("all/betas.nii.gz")).unwrap() == bytes);
}

#[test]
fn a_matrix_with_the_same_values_has_the_same_betas() {
    let scratch = runs();
    let mask = Mask::read(scratch.path("mask.nii.gz")).unwrap();
    let recording = Nifti::open(scratch.path("0.nii.gz"))
        .unwrap()
        .voxels::<f64>(&mask)
        .unwrap()
        .values;
    scratch.put_npy("0.npy", &recording);
    let of = |file: &str, more: &[&str], out: &str| {
        let args = [
            "betas", file, "--events", "0.tsv", "--drop", "2", "--out", out,
        ];
        scratch.ok(&[&args[..], more].concat());
    };
    of("0.npy", &["--repetition-time", "2"], "matrix");
    of("0.nii.gz", &["--mask", "mask.nii.gz"], "volumes");
    let volumes = Nifti::open(scratch.path("volumes/betas.nii.gz"))
        .unwrap()
        .voxels::<f64>(&mask)
        .unwrap()
        .values;
    assert_eq!(
        npy_values(&scratch.path("matrix/betas.npy")),
        volumes.into_raw_vec_and_offset().0
    );
}

#[test]
fn runs_that_do_not_fit_together_are_refused() {
    let scratch = runs();
    scratch.put("short.tsv", b"motion\n1\n2\n");
    scratch.put(
        "late.tsv",
        b"onset\tduration\tstim_file\n5000\t1\ta.png\n6\t1\tb.png\n",
    );
    scratch.put("none.tsv", b"onset\tduration\tstim_file\n5\t1\tn/a\n");
    scratch.put_npy("0.npy", &crate::support::noise(N_VOLUMES, 3, 1));
    let one = ["betas", "0.nii.gz", "--events", "0.tsv", "--out", "no"];
    for (args, phrases) in [
        (
            &[
                "betas", "0.nii.gz", "1.nii.gz", "--events", "0.tsv", "--out", "no",
            ][..],
            &["--events names 1 files for 2 runs"][..],
        ),
        (
            &[&one[..], &["--confounds", "short.tsv"]].concat(),
            &["2 rows", "60 volumes", "short.tsv"],
        ),
        (
            &[&one[..], &["--picture-column", "image"]].concat(),
            &["image", "stim_file", "0.tsv"],
        ),
        (
            &[&one[..], &["--drop", "60"]].concat(),
            &["--drop 60", "60 volumes"],
        ),
        (
            &[&one[..], &["--slice-reference", "2"]].concat(),
            &["--slice-reference is 2"],
        ),
        (
            &["betas", "0.nii.gz", "--events", "late.tsv", "--out", "no"],
            &["trial 0", "is 0 in this run", "late.tsv"],
        ),
        (
            &["betas", "0.nii.gz", "--events", "none.tsv", "--out", "no"],
            &["no row has a picture", "--picture-column"],
        ),
        (
            &["betas", "0.npy", "--events", "0.tsv", "--out", "no"],
            &["--repetition-time", "0.npy"],
        ),
        (
            &[
                "betas",
                "0.npy",
                "--events",
                "0.tsv",
                "--mask",
                "mask.nii.gz",
                "--out",
                "no",
            ],
            &["--mask", "matrix"],
        ),
        (
            &[
                "betas", "0.nii.gz", "0.npy", "--events", "0.tsv", "1.tsv", "--out", "no",
            ],
            &["not those of the first run"],
        ),
    ] {
        scratch.refused(args, phrases);
        assert!(!scratch.path("no").exists());
    }
    assert_no_partial_files(&scratch.path(""));
}
