//! Tasks for developers of consilience: `cargo xtask TASK`.

#[cfg(feature = "train")]
mod demo_network;
mod generate;
mod layers;

use std::path::Path;

use anyhow::{Result, bail};

const USAGE: &str = "\
cargo xtask TASK

  check-layers        each crate uses only what its row in ARCHITECTURE.md names
  generate [--check]  write the generated reference pages (or fail when they are out of date)
  demo-network        train the demo's network again
                      (cargo run --release -p consilience-xtask --features train -- demo-network)
";

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["check-layers"] => layers::check(&root),
        ["generate"] => generate::run(&root, false),
        ["generate", "--check"] => generate::run(&root, true),
        #[cfg(feature = "train")]
        ["demo-network"] => demo_network::run(&root),
        _ => bail!("{USAGE}"),
    }
}
