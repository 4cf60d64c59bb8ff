//! Selective units that were put there.

use consilience_methods::emotion::{BinParams, BinSelectivityParams, bins};
use ndarray::{Array2, Array3, Axis};

use super::*;
use crate::visual_emotion::selective_units;

#[test]
fn planted_units_are_counted_after_training_and_not_before() {
    let wired = structure().wired(5, 2).unwrap();
    let n = 90;
    let valence: Vec<f64> = (0..n).map(|i| [2.0, 5.0, 8.0][i % 3]).collect();
    let params = BinParams {
        min_items: 10,
        ..BinParams::default()
    };
    let binned = bins(&valence, None, &params).unwrap();
    let repeat = |seed: u64| {
        let mut stream = Stream::new(seed, Domain::Simulation, 9);
        let mut noise = || stream.normal() as f32;
        let before = Array3::from_shape_simple_fn((1, n, wired.n_units()), &mut noise);
        let mut after = Array2::from_shape_simple_fn((n, wired.n_units()), &mut noise);
        // Two units of LA for negative, three of CE for positive pictures.
        for (units, bin) in [(0..2, 0), (15..18, 2)] {
            for (i, mut row) in after.axis_iter_mut(Axis(0)).enumerate() {
                for unit in units.clone().filter(|_| i % 3 == bin) {
                    row[unit] += 2.0;
                }
            }
        }
        Repeat {
            seed,
            epochs: vec![0],
            losses: vec![[None; 2]],
            ratings: Array3::zeros((1, n, 2)),
            after: Array2::zeros((n, 2)),
            units: before,
            units_after: after,
            attention: Vec::new(),
        }
    };
    let repeats = [repeat(1), repeat(2)];
    let found = selective_units(
        &wired,
        &repeats,
        &binned,
        &BinSelectivityParams {
            shuffles: 50,
            resamples: 50,
            ..BinSelectivityParams::default()
        },
    )
    .unwrap();
    assert_eq!(found.bins, ["N", "M", "P"]);
    let nucleus = |name: &str| found.nuclei.iter().find(|n| n.nucleus == name).unwrap();
    let count = |name: &str, bin: usize| nucleus(name).counts[bin].after;
    assert_eq!((count("LA", 0), count("CE", 2)), (2.0, 3.0));
    assert_eq!((count("all", 0), count("all", 2)), (2.0, 3.0));
    assert_eq!(nucleus("all").counts[3].bin, "any");
    assert_eq!(nucleus("all").counts[3].after, 5.0);
    for change in [&nucleus("LA").counts[0], &nucleus("CE").counts[2]] {
        assert_eq!(change.before, 0.0);
        assert!(change.shuffled.unwrap() < 0.1, "{change:?}");
        assert!((change.p_shuffled.unwrap() - 1.0 / 51.0).abs() < 1e-12);
    }
    let tuning = nucleus("CE").tuning[2].clone().unwrap();
    assert!(
        tuning[2] > 0.8 && tuning[0] < 0.0 && tuning[1] < 0.0,
        "{tuning:?}"
    );
    assert_eq!(nucleus("BA").tuning[0], None);
    assert!(found.selective[0][[0, 0]] && !found.selective[0][[2, 0]]);
}
