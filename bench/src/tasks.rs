//! What can be timed.

use std::path::Path;

use anyhow::{Context, Result, bail};
use consilience::io::{AnyArray, npy};
use consilience::methods::NanPolicy;
use consilience::methods::rdm::{Patterns, RdmParams, rdm};
use consilience::methods::rsa::{self, Similarity};
use consilience::models::{ExtractParams, Extractor, Images, ModelError, Network};
use ndarray::{Array2, Ix2, s};

/// A task with its inputs in memory; each call does all the work again.
type Work = Box<dyn FnMut() -> Result<Vec<f64>>>;

/// Reads the inputs of a task.
pub fn prepare(task: &str, inputs: &[String]) -> Result<Work> {
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Ok(match (task, inputs.as_slice()) {
        ("rdm", &[patterns]) => rdm_of(patterns)?,
        ("compare", &[a, b]) => {
            let (a, b) = (matrix(a)?, matrix(b)?);
            Box::new(move || {
                let found =
                    rsa::compare(a.view(), b.view(), Similarity::Spearman, NanPolicy::Refuse)?;
                Ok(found.scores.into_iter().collect())
            })
        }
        ("ceiling", &[data]) => {
            let data = matrix(data)?;
            Box::new(move || {
                let ceiling =
                    rsa::noise_ceiling(data.view(), Similarity::Spearman, NanPolicy::Refuse)?;
                Ok(vec![ceiling.lower, ceiling.upper])
            })
        }
        ("extract", &[weights, images, executor, threads]) => {
            extract(weights, images, executor, threads.parse()?)?
        }
        _ => bail!("no task {task} with {} inputs", inputs.len()),
    })
}

fn rdm_of(patterns: &str) -> Result<Work> {
    let AnyArray::F32(patterns) = npy::read(patterns)? else {
        bail!("{patterns} holds no f32");
    };
    let patterns = patterns.into_dimensionality::<Ix2>()?;
    Ok(Box::new(move || {
        Ok(rdm(Patterns::F32(patterns.view()), &RdmParams::default())?.vector)
    }))
}

/// All layers of SqueezeNet 1.1, kept in memory; the numbers are the means of the first picture.
///
/// Loading the executor belongs to each call: an extractor serves one run.
fn extract(weights: &str, images: &str, executor: &str, n_threads: usize) -> Result<Work> {
    let network = Network::from_zoo("squeezenet1_1", Path::new(weights))?;
    let layers = network.select(&["*"])?;
    let images = consilience::study::pictures_in(Path::new(images)).context("no pictures")?;
    let params = ExtractParams {
        executor: executor.parse()?,
        n_threads,
        ..ExtractParams::default()
    };
    let mut kept: Vec<Array2<f32>> = Vec::new();
    Ok(Box::new(move || {
        let extractor = Extractor::prepare(&network, &layers, &params)?;
        let (sizes, is_new): (Vec<usize>, Vec<bool>) = extractor
            .layers
            .iter()
            .map(|layer| (layer.n_features, layer.alias_of.is_none()))
            .unzip();
        if kept.is_empty() {
            let rows = |is_new| if is_new { images.len() } else { 0 };
            kept = (sizes.iter().zip(&is_new))
                .map(|(&n_features, &is_new)| Array2::zeros((rows(is_new), n_features)))
                .collect();
        }
        extractor.run(
            Images::Files(&images),
            |block| {
                let rows = block.first_row..block.first_row + block.rows.nrows();
                kept[block.layer_idx]
                    .slice_mut(s![rows, ..])
                    .assign(&block.rows);
                Ok::<(), ModelError>(())
            },
            |_| {},
        )?;
        // The first image's mean says that the numbers are the same; more would be timed as well.
        let firsts = kept.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
        Ok(firsts
            .map(|(layer, _)| {
                let row = layer.row(0);
                row.iter().map(|&v| f64::from(v)).sum::<f64>() / row.len() as f64
            })
            .collect())
    }))
}

fn matrix(path: &str) -> Result<Array2<f64>> {
    Ok(npy::read(path)?.into_f64().into_dimensionality()?)
}
