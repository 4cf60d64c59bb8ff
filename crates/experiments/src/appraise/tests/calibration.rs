#![allow(
    clippy::print_stderr,
    reason = "what was measured is the point of these tests"
)]

use super::*;

/// `cargo test --release -p consilience-experiments a_study -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn a_study_takes_its_time() {
    for p in [64, 512, 1000] {
        let (features, ratings) = planted(120, p);
        for params in [
            HeadParams::default(),
            HeadParams {
                epochs: 100,
                patience: None,
                ..sigmoid()
            },
        ] {
            let begin = std::time::Instant::now();
            let run = &rated(&features, &ratings, &HeadParams { runs: 1, ..params })[0];
            eprintln!(
                "120 × {p}, {}: {:?} for 5 heads, r {:?}",
                params.solver(),
                begin.elapsed(),
                run.r
            );
        }
    }
}

/// r of heads on features without any signal: `… chance -- --ignored --nocapture`
#[test]
#[ignore = "calibration"]
fn r_at_chance_is_below_zero() {
    for (n, p) in [(120, 64), (120, 512), (40, 64)] {
        let r: Vec<f64> = (0..30)
            .filter_map(|study| {
                let (features, ratings) = (
                    normals(n, p, 100 + 2 * study),
                    normals(n, 1, 101 + 2 * study),
                );
                let ratings: Vec<f64> = ratings.iter().map(|&v| f64::from(v)).collect();
                rated(
                    &features,
                    &ratings,
                    &HeadParams {
                        runs: 1,
                        ..HeadParams::default()
                    },
                )[0]
                .r
            })
            .collect();
        let mean = r.iter().sum::<f64>() / r.len() as f64;
        let sd = (r.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (r.len() - 1) as f64).sqrt();
        eprintln!(
            "{n} × {p}: mean r {mean:.3}, SD {sd:.3} over {} studies",
            r.len()
        );
        assert!(mean < 0.0);
    }
}
