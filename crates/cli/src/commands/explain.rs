//! `consilience explain`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::topics;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A method or option, e.g. crossnobis, noise-ceiling, bootstrap; none lists the topics
    #[arg(allow_hyphen_values = true)]
    topic: Option<String>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let Some(name) = &args.topic else {
        for topic in topics::ALL {
            writeln!(out, "{:<18} {}", topic.name, topic.title())?;
        }
        return Ok(());
    };
    match topics::find(name) {
        Some(topic) => {
            write!(out, "{}", topic.text)?;
            Ok(())
        }
        None => {
            let known: Vec<&str> = topics::ALL.iter().map(|t| t.name).collect();
            let hint = consilience::study::nearest(name, known.iter().copied())
                .map_or(String::new(), |n| format!(", did you mean {n:?}?"));
            bail!("no topic {name:?}{hint}; there is: {}", known.join(", "))
        }
    }
}
