//! `consilience module summary`

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use consilience::experiments::module::Trained;
use consilience::experiments::visual_emotion::{Structure, Wired};
use serde_json::json;

use super::{Head, heads, structure};
use crate::tables::{self, Report};

const HELP: &str = "\
Example: the released module on the 768 features of CLIP ViT-L/14

  consilience module summary IV --features 768 --format text

JSON: structure, n_features, adapter, ratings, nuclei (name, width, unit, reads, inhibited_by, feedback, n_parameters), read_out, \
read_out_parameters, adapter_parameters, n_units, n_parameters.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// I, II, III, IV, a file with nuclei, or the folder of a trained module
    #[arg(value_name = "STRUCTURE|NUCLEI.toml|MODULE")]
    structure: String,
    /// Numbers that the module reads of a picture; a trained module knows them
    #[arg(long, value_name = "D")]
    features: Option<usize>,
    /// What it rates; a trained module knows it [default: valence,arousal]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    heads: Vec<Head>,
    /// Width that a trained linear map brings the features to; the nuclei of I to IV shrink in proportion
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    #[command(flatten)]
    report: Report,
}

/// What is told of.
struct Subject {
    structure: Structure,
    wired: Wired,
    n_features: usize,
    ratings: Vec<String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let subject = subject(args)?;
    let (structure, wired) = (&subject.structure, &subject.wired);
    let of = |prefix: &str| -> usize {
        let own = wired
            .parameters
            .iter()
            .filter(|(key, _)| key.starts_with(prefix));
        own.map(|(_, shape)| shape.iter().product::<usize>()).sum()
    };
    let nuclei = structure.described(wired);
    let read_out = format!("{}.", structure.nuclei.read_out_key);
    let header = [
        "nucleus",
        "width",
        "units of",
        "reads",
        "inhibited by",
        "feedback",
        "parameters",
    ];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let list = |names: &[String]| match names.is_empty() {
        true => "–".to_owned(),
        false => names.join(", "),
    };
    let blank = || "–".to_owned();
    let mut row = |cells: [String; 7]| rows.push(cells.to_vec());
    if let Some(width) = structure.adapter {
        let source = format!("{} features", subject.n_features);
        let n = of("adapter.").to_string();
        row([
            "adapter".to_owned(),
            width.to_string(),
            "linear, no rectifier".to_owned(),
            source,
            blank(),
            blank(),
            n,
        ]);
    }
    for nucleus in &nuclei {
        row([
            nucleus.name.clone(),
            nucleus.width.to_string(),
            nucleus.unit.clone(),
            list(&nucleus.reads),
            list(&nucleus.inhibited_by),
            list(&nucleus.feedback),
            of(&format!("{}.", nucleus.name)).to_string(),
        ]);
    }
    row([
        structure.nuclei.read_out_key.clone(),
        subject.ratings.len().to_string(),
        format!("ratings: {}", subject.ratings.join(", ")),
        structure.nuclei.read_out.clone(),
        blank(),
        blank(),
        of(&read_out).to_string(),
    ]);
    let mut text = tables::aligned(&rows);
    text += &format!(
        "{} units, {} parameters; visual is the {} features{}\n",
        wired.n_units(),
        wired.n_parameters(),
        structure.adapter.unwrap_or(subject.n_features),
        match structure.adapter {
            Some(_) => " that the adapter makes",
            None => "",
        }
    );
    let attends = structure
        .nuclei
        .nucleus
        .iter()
        .any(|nucleus| nucleus.transformer.is_some());
    if attends {
        text += "Each picture is one token: attention is a linear map, its queries and keys (a third each of in_proj) do nothing.\n";
    }
    let json = json!({
        "structure": structure.name,
        "n_features": subject.n_features,
        "adapter": structure.adapter,
        "ratings": subject.ratings,
        "nuclei": nuclei.iter().map(|nucleus| json!({
            "name": nucleus.name, "width": nucleus.width, "unit": nucleus.unit, "reads": nucleus.reads,
            "inhibited_by": nucleus.inhibited_by, "feedback": nucleus.feedback,
            "n_parameters": of(&format!("{}.", nucleus.name)),
        })).collect::<Vec<_>>(),
        "read_out": structure.nuclei.read_out,
        "read_out_parameters": of(&read_out),
        "adapter_parameters": of("adapter."),
        "n_units": wired.n_units(),
        "n_parameters": wired.n_parameters(),
    });
    args.report.write(&json, &text, out)
}

fn subject(args: &Args) -> Result<Subject> {
    let name = args.structure.as_str();
    if Path::new(name).is_dir() {
        if args.features.is_some() || !args.heads.is_empty() || args.width.is_some() {
            bail!(
                "a trained module knows its features, heads and width; leave --features, --heads and --width out"
            );
        }
        let module = Trained::read(name)?;
        return Ok(Subject {
            wired: module.wired().clone(),
            n_features: module.description.n_features,
            ratings: module.description.ratings,
            structure: module.description.structure,
        });
    }
    let Some(n_features) = args.features else {
        bail!(
            "how many numbers does the module read of a picture? add --features D, such as 768 for CLIP ViT-L/14"
        );
    };
    let ratings = match args.heads.is_empty() {
        true => heads(&[Head::Valence, Head::Arousal])?,
        false => heads(&args.heads)?,
    };
    let structure = structure(name, n_features, args.width)?;
    Ok(Subject {
        wired: structure.wired(n_features, ratings.len())?,
        structure,
        n_features,
        ratings: ratings.into_iter().map(str::to_owned).collect(),
    })
}
