//! `consilience models`

use std::io::Write;

use anyhow::Result;
use consilience::models::zoo;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The architectures that are known by name
    List,
    /// Layers, preprocessing and citation of one
    Show {
        /// Name from the list
        name: String,
    },
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    match &args.action {
        Action::List => {
            for architecture in zoo::list() {
                writeln!(
                    out,
                    "{:<34} {}",
                    architecture.name, architecture.description
                )?;
            }
        }
        Action::Show { name } => {
            let architecture = zoo::find(name)?;
            writeln!(out, "{}: {}", architecture.name, architecture.description)?;
            if let Some(citation) = &architecture.citation {
                writeln!(out, "cite: {}", citation.text)?;
            }
            writeln!(out, "preprocessing: {}", architecture.preprocessing)?;
            writeln!(out, "layers:")?;
            for layer in &architecture.skeleton()?.layers {
                writeln!(out, "  {}", layer.name)?;
            }
        }
    }
    Ok(())
}
