//! `consilience init`

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use consilience::study::TEMPLATES;

use crate::arrays;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind of study: rsa
    kind: String,
    /// Folder to write into; default: the kind's name
    dir: Option<PathBuf>,
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
    for (name, _) in template.files {
        let path = folder.join(name);
        if path.exists() {
            bail!(
                "there is a {name} already; nothing was written: {}",
                path.display()
            );
        }
    }
    for (name, text) in template.files {
        arrays::write_text(&folder.join(name), text)?;
    }
    let study = folder.join("study.toml");
    writeln!(
        out,
        "wrote {0}\nedit it, then: consilience check {0}",
        study.display()
    )?;
    Ok(())
}
