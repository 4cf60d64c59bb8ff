mod fixtures;
mod laws;
mod next;
mod reliability;

use consilience_core::{Trial, Trials, pairs};
use consilience_stats::random::{Domain, Stream};

/// Trials of items "i000", "i001", … from 0-based items and places.
fn trials(n_items: usize, placed: &[(Vec<usize>, Vec<[f64; 2]>)]) -> Trials {
    let trials = placed
        .iter()
        .enumerate()
        .map(|(t, (items, positions))| Trial {
            name: t.to_string(),
            items: items.clone(),
            positions: positions.clone(),
        });
    let items = (0..n_items).map(|i| format!("i{i:03}")).collect();
    Trials::new(items, trials.collect()).unwrap()
}

/// Random arrangements of planted points: all items first, then subsets, turned, scaled and shaken.
fn simulated(n_items: usize, sizes: &[usize], noise: f64, seed: u64) -> (Trials, Vec<f64>) {
    let mut draw = Stream::new(seed, Domain::Simulation, 0);
    let points: Vec<[f64; 2]> = (0..n_items)
        .map(|_| [draw.normal(), draw.normal()])
        .collect();
    let placed: Vec<_> = sizes
        .iter()
        .map(|&size| {
            let items = draw.permutation(n_items)[..size].to_vec();
            let (sin, cos) = (std::f64::consts::TAU * draw.uniform()).sin_cos();
            let scale = 0.1 + 0.4 * draw.uniform();
            let positions = items
                .iter()
                .map(|&i| {
                    let [x, y] = points[i];
                    [
                        scale * (cos * x - sin * y) + noise * draw.normal(),
                        scale * (sin * x + cos * y) + noise * draw.normal(),
                    ]
                })
                .collect();
            (items, positions)
        })
        .collect();
    let truth = pairs::iter(n_items)
        .map(|(i, j)| (points[i][0] - points[j][0]).hypot(points[i][1] - points[j][1]))
        .collect();
    (trials(n_items, &placed), truth)
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let product = |a: &[f64], b: &[f64], x: f64, y: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - x) * (b - y)).sum()
    };
    product(a, b, mean_a, mean_b)
        / (product(a, a, mean_a, mean_a) * product(b, b, mean_b, mean_b)).sqrt()
}

/// Largest difference after bringing both to a mean square of 1.
fn off(a: &[f64], b: &[f64]) -> f64 {
    let rms = |v: &[f64]| (v.iter().map(|x| x * x).sum::<f64>() / v.len() as f64).sqrt();
    let (rms_a, rms_b) = (rms(a), rms(b));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a / rms_a - b / rms_b).abs())
        .fold(0.0, f64::max)
}
