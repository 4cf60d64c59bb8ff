//! `consilience module import` and `module export`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::experiments::module::{self, Trained};
use consilience::io::atomic::NewFolder;
use consilience::io::weights::WeightsFile;

use super::encoder::EncoderArgs;
use super::{Head, heads, structure};
use crate::rated::scale;

#[derive(Debug, clap::Args)]
pub struct ImportArgs {
    /// Weights with the names LA., BA., BL., CE., LastFC. (.safetensors, .pth), one of several state dicts as FILE.pth:ENTRY
    #[arg(value_name = "FILE[:ENTRY]")]
    file: PathBuf,
    /// I, II, III, IV, or a file with nuclei
    #[arg(
        long,
        visible_alias = "nuclei",
        value_name = "NAME|FILE.toml",
        default_value = "IV"
    )]
    structure: String,
    /// Width of the features; default: that of the weights, for I to IV
    #[arg(long, value_name = "D")]
    features: Option<usize>,
    /// What the outputs rate, in their order [default: arousal,valence, as released; valence where there is one]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    heads: Vec<Head>,
    /// Scale of the ratings that the weights were trained on
    #[arg(long, value_name = "LOW,HIGH", default_value = "1,9", value_parser = scale)]
    scale: consilience::methods::emotion::RatingScale,
    /// The network that the module reads, if it is at hand: then `predict` needs no other word on it
    #[command(flatten)]
    encoder: EncoderArgs,
    /// Folder for module.safetensors and module.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub fn import(args: &ImportArgs, out: &mut dyn Write) -> Result<()> {
    let file = WeightsFile::parse(&args.file);
    let weights = file.read()?;
    let released = module::released_width(&weights);
    let n_features = match (args.features, released) {
        (Some(n), _) => n,
        (None, Some((n, _))) if !args.structure.ends_with(".toml") => n,
        (None, None) if !args.structure.ends_with(".toml") => bail!(
            "{file} has no LastFC.weight (ratings, features + 512), so it is no released module; give --structure NUCLEI.toml and --features D for other nuclei"
        ),
        _ => bail!(
            "how many features do the nuclei of {} read? add --features D",
            args.structure
        ),
    };
    let structure = structure(&args.structure, n_features, None)?;
    let key = format!("{}.weight", structure.nuclei.read_out_key);
    let n_ratings = weights
        .tensors()
        .get(&key)
        .map_or(2, |weight| weight.shape()[0]);
    let names = match (args.heads.is_empty(), n_ratings) {
        (false, _) => heads(&args.heads)?,
        (true, 1) => heads(&[Head::Valence])?,
        (true, _) => heads(&[Head::Arousal, Head::Valence])?,
    };
    let ends = [args.scale.low(), args.scale.high()];
    let imported = module::import(structure, n_features, &names, ends, weights);
    let mut imported = imported.with_context(|| file.to_string())?;
    if args.encoder.is_given() {
        let frozen = args.encoder.load(None, 1)?;
        let found = frozen.n_features()?;
        if found != n_features {
            bail!(
                "the module reads {n_features} features, layer {} of {} has {found}; name the layer that it was trained on",
                frozen.encoder.layer,
                frozen.encoder.model
            );
        }
        imported.description.encoder = Some(frozen.encoder);
    }
    let _new = NewFolder::watch(&args.out);
    imported.write(&args.out)?;
    writeln!(out, "{}", args.out.join("module.json").display())?;
    Ok(())
}

#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// Folder of a module
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// File for the weights (.safetensors), arousal before valence
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
}

pub fn export(args: &ExportArgs, out: &mut dyn Write) -> Result<()> {
    let trained = Trained::read(&args.module).with_context(|| args.module.display().to_string())?;
    module::export(&trained)?.write(&args.out)?;
    writeln!(out, "{}", args.out.display())?;
    Ok(())
}
