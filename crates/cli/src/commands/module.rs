//! `consilience module`

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use consilience::experiments::module::RATINGS;
use consilience::experiments::visual_emotion::Structure;
use consilience::models::nuclei::{Nuclei, Variant};

mod encoder;
mod exchange;
mod features;
mod predict;
mod ratings;
mod summary;
mod train;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Nuclei, widths, wiring and parameters of a structure or a trained module
    Summary(summary::Args),
    /// Features (or pictures) with ratings → a trained module
    Train(train::Args),
    /// A trained module and features or pictures → predicted valence and arousal
    Predict(predict::Args),
    /// Weights with the released names → a module
    Import(exchange::ImportArgs),
    /// A module → weights with the released names
    Export(exchange::ExportArgs),
}

/// What a module rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Head {
    /// How pleasant
    Valence,
    /// How arousing
    Arousal,
}

impl Head {
    fn name(self) -> &'static str {
        RATINGS[self as usize]
    }
}

/// Names of heads, each once.
fn heads(given: &[Head]) -> Result<Vec<&'static str>> {
    let names: Vec<&str> = given.iter().map(|head| head.name()).collect();
    if names.is_empty() || (names.len() > 1 && names[0] == names[1]) || names.len() > 2 {
        bail!("--heads names valence, arousal or both, each once");
    }
    Ok(names)
}

/// One of the four structures of Liu et al. 2025, or nuclei from a file, for so many features.
fn structure(name: &str, n_features: usize, width: Option<usize>) -> Result<Structure> {
    if let Some(width) = width
        && (width < 12 || !width.is_multiple_of(4))
    {
        bail!("--width is {width}, expected a multiple of 4 from 12 on");
    }
    if let Some(variant) = Variant::ALL.into_iter().find(|known| known.name() == name) {
        return Ok(Structure::variant(variant, n_features, width));
    }
    let is_file = Path::new(name)
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    if !is_file {
        bail!(
            "no structure is called {name:?}; there is: I, II, III, IV, or a file with nuclei (.toml)"
        );
    }
    let text = std::fs::read_to_string(name).with_context(|| format!("cannot read {name}"))?;
    Ok(Structure {
        name: name.to_owned(),
        nuclei: Nuclei::from_toml(&text).with_context(|| name.to_owned())?,
        adapter: width,
        tokens: None,
    })
}

pub fn run(args: &Args, threads: usize, out: &mut dyn Write) -> Result<()> {
    match &args.action {
        Action::Summary(args) => summary::run(args, out),
        Action::Train(args) => train::run(args, threads, out),
        Action::Predict(args) => predict::run(args, threads, out),
        Action::Import(args) => exchange::import(args, out),
        Action::Export(args) => exchange::export(args, out),
    }
}
