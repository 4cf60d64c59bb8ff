//! `consilience models verify`

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use consilience::io::weights::WeightsFile;
use consilience::io::{image, npz};
use consilience::learn;
use consilience::models::ModelError;
use consilience::models::verify::{self, Activations, Compared};
use consilience::study::Progress;

use super::network::network;
use crate::console::Console;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Architecture from `consilience models list`, or an .onnx file
    #[arg(value_name = "NAME|FILE.onnx")]
    model: String,
    /// Weights of the architecture (.safetensors, .pth), one of several state dicts as FILE.pth:ENTRY;
    /// default: those in the cache
    #[arg(long, value_name = "FILE[:ENTRY]")]
    weights: Option<PathBuf>,
    /// The picture to run
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Activations of the same picture that another program recorded (.npz, .safetensors; see
    /// tools/reference_activations.py)
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Largest difference that counts as none, relative to a layer's largest value
    #[arg(long, value_name = "X", default_value_t = verify::TOLERANCE)]
    tolerance: f64,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (network, _) = network(&args.model, args.weights.as_deref())?;
    let picture = image::read_oriented(&args.image, network.preprocessing.orientation)?;
    let console = Console::new();
    let mut all = Vec::new();
    for executor in verify::EXECUTORS {
        match Activations::of(&network, &picture, executor) {
            Ok(activations) => all.push(activations),
            Err(ModelError::NoOnnxRuntime { reason }) => {
                console.note(&format!("note: without ONNX Runtime: {reason}"));
            }
            Err(error @ (ModelError::MissingOperator { .. } | ModelError::Load { .. })) => {
                console.note(&format!("note: without {executor}: {error}"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let gradients = learn::verify::forward(&network, &picture)?;
    for obstacle in &gradients.obstacles {
        console.note(&format!(
            "note: without some layers of gradients: {obstacle}"
        ));
    }
    if !gradients.activations.layers.is_empty() {
        all.push(gradients.activations);
    }
    if let Some(path) = &args.reference {
        all.push(recorded(path)?);
    }
    let Some((first, others)) = all.split_first().filter(|(_, others)| !others.is_empty()) else {
        bail!(
            "fewer than two ways to run {} are here, so there is nothing to compare; install ONNX Runtime or give --reference FILE",
            args.model
        );
    };
    let mut differing = None;
    for other in others {
        let compared = verify::compare(first, other, args.tolerance);
        if compared.is_empty() {
            bail!(
                "{} has none of the network's layers; its names have to be those of `consilience models show`",
                other.by
            );
        }
        print(first, other, &compared, out)?;
        if let Some(layer) = compared.into_iter().find(|layer| !layer.agrees) {
            differing.get_or_insert((other.by.clone(), layer));
        }
    }
    if let Some((by, layer)) = differing {
        bail!(
            "{:?} is the first layer that differs between {} and {by}: by {:e} where its largest value is {:e}",
            layer.layer,
            first.by,
            layer.difference,
            layer.scale
        );
    }
    Ok(())
}

fn print(
    first: &Activations,
    other: &Activations,
    compared: &[Compared],
    out: &mut dyn Write,
) -> Result<()> {
    writeln!(out, "{} and {}", first.by, other.by)?;
    for layer in compared {
        let [n, n_other] = layer.n_values;
        let count = match n == n_other {
            true => n.to_string(),
            false => format!("{n} / {n_other}"),
        };
        writeln!(
            out,
            "  {:<44} {count:>16}  largest {:<10.4e} difference {:<10.2e} {}",
            layer.layer,
            layer.scale,
            layer.difference,
            if layer.agrees { "agrees" } else { "DIFFERS" }
        )?;
    }
    let n_agreeing = compared.iter().filter(|layer| layer.agrees).count();
    writeln!(out, "  {n_agreeing} of {} layers agree", compared.len())?;
    let n_missing = first.layers.len() - compared.len();
    if n_missing > 0 {
        writeln!(out, "  {n_missing} layers are not in {}", other.by)?;
    }
    Ok(())
}

fn recorded(path: &Path) -> Result<Activations> {
    let by = path.display().to_string();
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    if ending != "npz" {
        return Ok(Activations::recorded(
            by,
            WeightsFile::parse(path).read()?.into_tensors(),
        ));
    }
    let tensors = npz::keys(path)?
        .into_iter()
        .map(|key| {
            let array = npz::read(path, Some(&key))?.into_f64();
            Ok((key, array.mapv(|value| value as f32)))
        })
        .collect::<Result<Vec<_>>>()
        .with_context(|| format!("reading the recorded activations {by}"))?;
    Ok(Activations::recorded(by, tensors))
}
