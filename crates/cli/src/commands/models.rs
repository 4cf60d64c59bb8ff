//! `consilience models`

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use consilience::io::IoError;
use consilience::io::catalogue::Terms;
use consilience::io::download::{self, Pin};
use consilience::models::zoo::catalogue::{self, PublishedWeights};
use consilience::models::zoo::{self, Architecture};
use consilience::study::Progress;
use serde_json::{Value, json};

use super::verify;
use crate::console::Console;
use crate::{Format, arrays, places};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The architectures that are known by name, and weights published for them
    List {
        /// How the list is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Layers, keys, preprocessing, names of classes, weights and citation of one
    Show {
        /// Name from the list
        name: String,
        /// How it is printed
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Download published weights into the cache; then the name alone is enough for `--model`
    Get {
        /// Architecture, or ARCHITECTURE.WEIGHTS, from the list
        name: String,
        /// Agree to the terms of weights whose use is restricted
        #[arg(long)]
        accept_terms: bool,
        /// Take the file from this address instead (a mirror with the same paths)
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
    },
    /// Compare the executors, what gradients are computed from, and recorded activations, layer by
    /// layer on a picture
    Verify(verify::Args),
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    match &args.action {
        Action::List { format } => list(*format, out),
        Action::Show { name, format } => show(name, *format, out),
        Action::Get {
            name,
            accept_terms,
            from,
        } => get(name, *accept_terms, from.as_deref(), out),
        Action::Verify(args) => verify::run(args, out),
    }
}

fn list(format: Format, out: &mut dyn Write) -> Result<()> {
    let cache = places::cache_folder().ok();
    let cache = cache.as_deref();
    let all = zoo::list();
    if format == Format::Json {
        let all = all.iter().map(|a| described(a, cache));
        let all = all.collect::<Result<Vec<Value>>>()?;
        return arrays::print_json(&all, out);
    }
    for architecture in &all {
        writeln!(
            out,
            "{:<34} {}",
            architecture.name, architecture.description
        )?;
        for weights in catalogue::of(&architecture.name) {
            writeln!(
                out,
                "    {:<20} {:>9}  {:<10}  {}: {}",
                weights.name,
                size(&weights),
                state(&weights, cache),
                weights.publisher,
                weights.licence,
            )?;
        }
    }
    Ok(())
}

fn show(name: &str, format: Format, out: &mut dyn Write) -> Result<()> {
    let cache = places::cache_folder().ok();
    let cache = cache.as_deref();
    let (architecture, _) = catalogue::find(name)?;
    let graph = architecture.skeleton()?;
    let parameters = architecture.parameters()?;
    if format == Format::Json {
        let mut whole = described(&architecture, cache)?;
        if let Some(names) = architecture.class_names {
            whole["class_names"]["names"] = json!(names.iter().collect::<Vec<_>>());
        }
        whole["layers"] = graph.layers.iter().map(|l| l.name.clone()).collect();
        whole["parameters"] = json!(parameters);
        return arrays::print_json(&whole, out);
    }
    writeln!(out, "{}: {}", architecture.name, architecture.description)?;
    if let Some(citation) = &architecture.citation {
        writeln!(out, "cite: {}", citation.text)?;
    }
    writeln!(out, "preprocessing: {}", architecture.preprocessing)?;
    writeln!(out, "{}", classes(&architecture))?;
    let n_parameters: usize = parameters
        .values()
        .map(|shape| shape.iter().product::<usize>())
        .sum();
    writeln!(out, "numbers in the weights: {n_parameters}")?;
    for weights in catalogue::of(&architecture.name) {
        writeln!(out, "weights {}:", weights.full_name())?;
        writeln!(out, "  publisher: {}", weights.publisher)?;
        writeln!(out, "  licence: {} ({})", weights.licence, terms(&weights))?;
        writeln!(
            out,
            "  preprocessing: {}",
            weights.preprocessing(&architecture)?
        )?;
        match (&weights.address, &weights.sha256, &weights.by_hand) {
            (Some(address), Some(sha256), _) => {
                let pinned = match sha256.len() {
                    64 => "sha256",
                    _ => "sha256 begins with",
                };
                writeln!(
                    out,
                    "  file: {address} ({}), {pinned} {sha256}",
                    size(&weights)
                )?;
            }
            (_, _, by_hand) => {
                let place = by_hand.as_deref().unwrap_or("its publisher");
                writeln!(out, "  file: by hand from {place} (no hash is published)")?;
            }
        }
        writeln!(out, "  {}", state(&weights, cache))?;
    }
    writeln!(out, "layers:")?;
    for layer in &graph.layers {
        writeln!(out, "  {}", layer.name)?;
    }
    writeln!(out, "keys:")?;
    for (key, shape) in &parameters {
        writeln!(out, "  {key} {shape:?}")?;
    }
    Ok(())
}

fn get(name: &str, accept_terms: bool, from: Option<&str>, out: &mut dyn Write) -> Result<()> {
    let (architecture, weights) = catalogue::find(name)?;
    let Some(weights) = weights else {
        bail!(
            "no weights are published for {name} that we know of; give your own with --weights FILE"
        );
    };
    let (Some(address), Some(sha256)) = (&weights.address, &weights.sha256) else {
        bail!(
            "no hash of {} is published, so it is not fetched; get the file by hand from {} and give it with --weights FILE",
            weights.full_name(),
            weights.by_hand.as_deref().unwrap_or("its publisher")
        );
    };
    if weights.terms == Terms::Restricted && !accept_terms {
        return Err(IoError::TermsNotAccepted {
            name: weights.full_name(),
            licence: weights.licence,
        }
        .into());
    }
    let cache = places::cache_folder()?;
    let path = weights
        .path_in(&cache)
        .context("the catalogue's address names no file")?;
    let address = match from {
        Some(mirror) => format!("{}{}", mirror.trim_end_matches('/'), path_of(address)),
        None => address.clone(),
    };
    let pin = Pin {
        n_bytes: weights.n_bytes,
        sha256,
    };
    let console = Console::new();
    let expected = weights
        .n_bytes
        .or(weights.megabytes.map(|mb| (mb * 1048576.0) as u64));
    console.begin(&weights.full_name(), expected.unwrap_or(0));
    let fetched = download::get_file(&address, &path, pin, &mut |n_done, _| {
        console.advance_to(n_done);
    });
    console.end();
    let word = match fetched? {
        true => "fetched",
        false => "already there",
    };
    writeln!(out, "{}: {word}, {}", weights.full_name(), path.display())?;
    if sha256.len() < 64 {
        writeln!(
            out,
            "verified: the sha256 begins with {sha256}, which is all that its publisher states"
        )?;
    }
    writeln!(out, "licence: {}", weights.licence)?;
    if let Some(citation) = &architecture.citation {
        writeln!(out, "cite: {}", citation.text)?;
    }
    Ok(())
}

/// What follows the host of an address.
fn path_of(address: &str) -> &str {
    let after = address.split_once("://").map_or(address, |(_, rest)| rest);
    after.find('/').map_or("", |slash| &after[slash..])
}

/// Class names that are printed for reading.
const N_NAMES: usize = 5;

/// How many classes there are, what they are called, and who says so.
fn classes(architecture: &Architecture) -> String {
    let n_classes = architecture.n_classes;
    let Some(names) = architecture.class_names else {
        return format!("outputs: {n_classes}, without names");
    };
    let first: Vec<&str> = names.iter().take(N_NAMES).collect();
    let more = if names.len() > N_NAMES { ", …" } else { "" };
    format!(
        "classes: {n_classes}: {}{more} ({})",
        first.join(", "),
        names.source
    )
}

fn described(architecture: &Architecture, cache: Option<&Path>) -> Result<Value> {
    let weights = catalogue::of(&architecture.name)
        .iter()
        .map(|weights| {
            let mut entry = json!(weights);
            entry["cached"] = json!(is_cached(weights, cache));
            entry["preprocessing"] = json!(weights.preprocessing(architecture)?.to_string());
            Ok(entry)
        })
        .collect::<Result<Vec<Value>>>()?;
    Ok(json!({
        "name": architecture.name,
        "family": architecture.family,
        "description": architecture.description,
        "citation": architecture.citation.as_ref().map(|citation| &citation.text),
        "n_classes": architecture.n_classes,
        "class_names": architecture
            .class_names
            .map(|names| json!({"n": names.len(), "source": names.source})),
        "preprocessing": architecture.preprocessing.to_string(),
        "weights": weights,
    }))
}

fn is_cached(weights: &PublishedWeights, cache: Option<&Path>) -> bool {
    cache
        .and_then(|cache| weights.path_in(cache))
        .is_some_and(|path| path.is_file())
}

fn state(weights: &PublishedWeights, cache: Option<&Path>) -> &'static str {
    match (is_cached(weights, cache), &weights.address) {
        (true, _) => "in cache",
        (false, Some(_)) => "to fetch",
        (false, None) => "by hand",
    }
}

fn size(weights: &PublishedWeights) -> String {
    let megabytes = weights.n_bytes.map(|n| n as f64 / 1048576.0);
    match megabytes.or(weights.megabytes) {
        Some(megabytes) => format!("{megabytes:.1} MiB"),
        None => "size ?".to_owned(),
    }
}

fn terms(weights: &PublishedWeights) -> &'static str {
    match weights.terms {
        Terms::Permissive => "open",
        Terms::Restricted => "restricted: needs --accept-terms",
    }
}
