//! `consilience data`

use std::io::Write;

use anyhow::Result;
use consilience::io::catalogue::{self, DataSet, Terms};
use consilience::io::download::{self, Options};
use consilience::study::Progress;

use crate::console::Console;
use crate::places;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The data sets there are
    List,
    /// Files, size, licence and citation of one
    Show {
        /// Name from the list
        name: String,
    },
    /// Download one into the data folder (CONSILIENCE_DATA, else the user's data folder)
    Get {
        /// Name from the list
        name: String,
        /// Agree to the terms of a data set whose use is restricted
        #[arg(long)]
        accept_terms: bool,
        /// Take the files from this address instead (a mirror)
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
    },
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    match &args.action {
        Action::List => list(out),
        Action::Show { name } => show(&catalogue::find(name)?, out),
        Action::Get {
            name,
            accept_terms,
            from,
        } => get(&catalogue::find(name)?, *accept_terms, from.as_deref(), out),
    }
}

fn list(out: &mut dyn Write) -> Result<()> {
    for set in catalogue::data_sets() {
        let megabytes = set.n_bytes() as f64 / 1e6;
        writeln!(
            out,
            "{:<20} {megabytes:>6.1} MB  {:<11} {}",
            set.name,
            terms(&set),
            set.title
        )?;
    }
    Ok(())
}

fn show(set: &DataSet, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "{}: {}", set.name, set.title)?;
    writeln!(out, "licence: {}", set.licence)?;
    writeln!(out, "terms: {}", terms(set))?;
    writeln!(out, "cite: {}", set.citation)?;
    for file in set.files() {
        writeln!(
            out,
            "  {:<48} {:>10} bytes  sha256 {}",
            file.path, file.n_bytes, file.sha256
        )?;
    }
    Ok(())
}

fn get(set: &DataSet, accept_terms: bool, from: Option<&str>, out: &mut dyn Write) -> Result<()> {
    let folder = places::download_folder()?;
    let mut options = Options {
        accept_terms,
        ..Options::default()
    };
    if let Some(address) = from {
        options.base = address.to_owned();
    }
    let console = Console::new();
    console.begin(&set.name, set.n_bytes());
    let summary = download::get(set, &folder, &options, &mut |progress| {
        console.advance_to(progress.n_done);
    });
    console.end();
    let summary = summary?;
    writeln!(
        out,
        "{}: {} file(s) fetched, {} already there, {} derived, in {}",
        set.name,
        summary.n_fetched,
        summary.n_kept,
        summary.derived.len(),
        summary.folder.display()
    )?;
    writeln!(out, "licence: {}", set.licence)?;
    writeln!(out, "cite: {}", set.citation)?;
    Ok(())
}

fn terms(set: &DataSet) -> &'static str {
    match set.terms {
        Terms::Permissive => "open",
        Terms::Restricted => "restricted",
    }
}
