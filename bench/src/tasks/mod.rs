//! What can be timed: a file for each kind of work.

mod arrangement;
mod emotion;
mod encoding;
#[cfg(feature = "networks")]
mod networks;
#[cfg(feature = "networks")]
mod nuclei;
#[cfg(feature = "networks")]
mod objects;
mod products;
mod rdms;

use anyhow::{Result, bail};
use consilience_io::{AnyArray, npy};
use ndarray::Array2;

/// A task with its inputs in memory; each call does all the work again.
type Work = Box<dyn FnMut() -> Result<Vec<f64>>>;

/// Reads the inputs of a task.
pub fn prepare(task: &str, inputs: &[String]) -> Result<Work> {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let kinds = [
        rdms::prepare,
        encoding::prepare,
        emotion::prepare,
        arrangement::prepare,
        products::prepare,
        #[cfg(feature = "networks")]
        networks::prepare,
        #[cfg(feature = "networks")]
        nuclei::prepare,
        #[cfg(feature = "networks")]
        objects::prepare,
    ];
    for kind in kinds {
        if let Some(work) = kind(task, &inputs)? {
            return Ok(work);
        }
    }
    bail!("no task {task} with {} inputs in this build", inputs.len())
}

fn single(path: &str) -> Result<Array2<f32>> {
    let AnyArray::F32(array) = npy::read(path)? else {
        bail!("{path} holds no f32");
    };
    Ok(array.into_dimensionality()?)
}

fn matrix(path: &str) -> Result<Array2<f64>> {
    Ok(npy::read(path)?.into_f64().into_dimensionality()?)
}

fn numbers(path: &str) -> Result<Vec<f64>> {
    Ok(npy::read(path)?.into_f64().into_iter().collect())
}

/// Whole numbers.
fn labels(path: &str) -> Result<Vec<i64>> {
    Ok(numbers(path)?.into_iter().map(|v| v as i64).collect())
}
