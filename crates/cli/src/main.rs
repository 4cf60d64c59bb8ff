//! The `consilience` program.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Keeps the memory of freed arrays for the next ones: giving it back to the system each time stops all
/// threads, which costs large RDMs a third of their time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = consilience_cli::Cli::parse();
    match consilience_cli::run(cli, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of our output went away (`| head`): nothing to tell anyone.
        Err(error) if consilience_cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            consilience_cli::explain_failure(&error, &mut std::io::stderr().lock());
            ExitCode::from(2)
        }
    }
}
