#![allow(
    clippy::print_stderr,
    reason = "what was measured is the point of these tests"
)]

use super::*;

/// r of heads on features without any signal: `… chance -- --ignored --nocapture`, of more studies with `CONSILIENCE_STUDIES`.
#[test]
#[ignore = "slow: calibration, run by the checks"]
fn r_at_chance_is_nearly_zero_with_strata() {
    let n_studies: u64 = std::env::var("CONSILIENCE_STUDIES").map_or(30, |n| n.parse().unwrap());
    // The r beyond which Student's t, two-sided, is significant at 5 %.
    for (n, p, critical) in [(120, 64, 0.1793), (120, 512, 0.1793), (40, 64, 0.3120)] {
        for stratified in [true, false] {
            let params = HeadParams {
                runs: 1,
                stratified,
                ..HeadParams::default()
            };
            let r: Vec<f64> = (0..n_studies)
                .filter_map(|study| {
                    let features = normals(n, p, 100 + 2 * study);
                    let ratings = normals(n, 1, 101 + 2 * study).mapv(f64::from);
                    rated(&features, ratings.as_slice()?, &params)[0].r
                })
                .collect();
            let count = r.len() as f64;
            let mean = r.iter().sum::<f64>() / count;
            let sd = (r.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            let rate =
                |hit: &dyn Fn(f64) -> bool| r.iter().filter(|r| hit(**r)).count() as f64 / count;
            let (above, below) = (rate(&|r| r > critical), rate(&|r| r < -critical));
            eprintln!(
                "{n} × {p}, stratified {stratified}: mean r {mean:.3}, SD {sd:.3}, significant above {above:.3}, below {below:.3}"
            );
            if stratified {
                assert!(mean.abs() < 0.06 + 4.0 * sd / count.sqrt(), "{mean}");
            } else {
                assert!(mean < 0.0, "{mean}");
            }
        }
    }
}
