//! Times one method of consilience inside the process; what it reads is read outside the clock.
//!
//! ```text
//! kernel TASK ROUNDS OUT.npy INPUT…
//! ```
//!
//! runs the task `ROUNDS` times, after an unmeasured one when there are several, writes its numbers as a one-dimensional
//! f64 array to `OUT.npy` and prints `{"seconds": […]}`. The peers in `bench/peers` do the same with
//! the same arguments, so that `bench/run.py` can compare times and numbers.

mod tasks;

use std::time::Instant;

use anyhow::{Context, Result, bail};
use consilience_io::npy;
use mimalloc::MiMalloc;
use ndarray::ArrayView1;
use serde_json::json;

/// As in the program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [task, rounds, out, inputs @ ..] = arguments.as_slice() else {
        bail!("usage: kernel TASK ROUNDS OUT.npy INPUT…");
    };
    let n_rounds: usize = rounds.parse().context("ROUNDS is a whole number")?;
    let mut work = tasks::prepare(task, inputs)?;

    let mut numbers = Vec::new();
    if n_rounds != 1 {
        numbers = work()?;
    }
    let mut seconds = Vec::with_capacity(n_rounds);
    for _ in 0..n_rounds {
        let start = Instant::now();
        numbers = work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    npy::write(out, ArrayView1::from(&numbers))?;
    println!("{}", json!({ "seconds": seconds }));
    Ok(())
}
