//! Times steps of the module.
use consilience_learn::train::{self, Arrays, Progress, TrainParams};
use consilience_models::nuclei::{Features, Variant};
use ndarray::Array2;
use std::time::Instant;
#[allow(clippy::print_stdout, missing_docs)]
fn main() {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .map(|a| a.parse().unwrap())
        .collect();
    let (n, d, piece, batch, epochs) = (args[0], args[1], args[2], args[3], args[4]);
    let x = Array2::from_shape_fn((n, d), |(i, j)| {
        ((i * 31 + j * 17) % 101) as f32 / 50.0 - 1.0
    });
    let y = Array2::from_shape_fn((n, 2), |(i, j)| 1.0 + ((i * 7 + j) % 8) as f32);
    let module = Variant::AnatomicalTransformer
        .nuclei(d)
        .build(Features::Vector { width: d }, 2)
        .unwrap();
    let t = Instant::now();
    let graph = module
        .with_weights(train::torch_weights(&module.parameters, &module.copies, 1))
        .unwrap();
    println!("weights {:?}", t.elapsed());
    let samples = Arrays::new(x.view().into_dyn(), y.view()).unwrap();
    let params = TrainParams {
        dropped: if args.len() > 5 {
            vec![]
        } else {
            module.dropped.clone()
        },
        epochs,
        piece,
        batch,
        ..TrainParams::release2026()
    };
    let mut last = Instant::now();
    let mut times = vec![];
    train::train(&graph, &samples, None, &params, None, |p| {
        if let Progress::Step { .. } = p {
            times.push(last.elapsed().as_secs_f64());
        }
        last = Instant::now();
    })
    .unwrap();
    times.sort_by(f64::total_cmp);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    println!(
        "steps {} median {:.6} min {:.6} {peak}",
        times.len(),
        times[times.len() / 2],
        times[0]
    );
}
