//! `consilience init`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::study::{TEMPLATES, planted};

use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind of study: rsa, valence-appraisal, visual-emotion, object2brain-planted, object2brain-null, visual-emotion-planted,
    /// visual-emotion-null
    kind: String,
    /// Folder to write into; default: the kind's name
    dir: Option<PathBuf>,
    /// Seed of the data, for kinds that come with generated ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let Some(template) = TEMPLATES.iter().find(|template| template.kind == args.kind) else {
        let known: Vec<&str> = TEMPLATES.iter().map(|template| template.kind).collect();
        bail!(
            "no kind of study is called {:?}; there is: {}",
            args.kind,
            known.join(", ")
        );
    };
    let folder = args.dir.clone().unwrap_or_else(|| template.kind.into());
    // The folders in `examples/` have the files that would be written, and lack only their data.
    let may_stay = |name: &str, text: &str| {
        let found = std::fs::read(folder.join(name));
        template.data.is_some() && found.is_ok_and(|found| found == text.as_bytes())
    };
    let files = template.files.iter();
    let in_the_way = files
        .filter(|(name, text)| !may_stay(name, text))
        .map(|(name, _)| *name)
        .chain(template.data.map(|_| planted::DATA))
        .find(|name| folder.join(name).exists());
    if let Some(name) = in_the_way {
        bail!(
            "there is a {name} already; nothing was written: {}",
            folder.join(name).display()
        );
    }
    if let Some(planted) = template.data {
        planted::write(&folder, planted, args.seed)?;
    }
    for (name, text) in template.files {
        arrays::write_text(&folder.join(name), text)?;
    }
    let study = folder.join("study.toml");
    let next = match template.data {
        None => "edit it, then: consilience check",
        Some(_) => "its data are there, so: consilience run",
    };
    writeln!(out, "wrote {0}\n{next} {0}", study.display())?;
    Ok(())
}
