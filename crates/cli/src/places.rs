//! What the program reads from its surroundings: environment variables and the number of cores.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::models::zoo::catalogue::FOLDER;

/// Folders searched for data, in order: `CONSILIENCE_DATA`, else the project's neighbour
/// `../shared/data` where there is one, and the user's data folder; then the cache's published
/// weights.
pub fn data_folders() -> Vec<PathBuf> {
    let mut folders = match std::env::var_os("CONSILIENCE_DATA") {
        Some(folder) => vec![folder.into()],
        None => [
            Some(PathBuf::from("../shared/data")),
            user_folder("XDG_DATA_HOME", ".local/share"),
        ]
        .into_iter()
        .flatten()
        .collect(),
    };
    folders.extend(cache_folder().ok().map(|cache| cache.join(FOLDER)));
    folders
}

/// Where downloads go: `CONSILIENCE_DATA`, else the user's data folder.
pub fn download_folder() -> Result<PathBuf> {
    match std::env::var_os("CONSILIENCE_DATA") {
        Some(folder) => Ok(folder.into()),
        None => user_folder("XDG_DATA_HOME", ".local/share")
            .context("no home folder is known; set CONSILIENCE_DATA to a folder for the data"),
    }
}

/// The cache: `CONSILIENCE_CACHE`, else `consilience/` under `XDG_CACHE_HOME` or the platform's
/// cache folder.
pub fn cache_folder() -> Result<PathBuf> {
    match std::env::var_os("CONSILIENCE_CACHE") {
        Some(folder) => Ok(folder.into()),
        None => user_folder("XDG_CACHE_HOME", ".cache")
            .context("no home folder is known; set CONSILIENCE_CACHE to a folder for the cache"),
    }
}

fn user_folder(variable: &str, under_home: &str) -> Option<PathBuf> {
    let base = match std::env::var_os(variable) {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ if cfg!(windows) => PathBuf::from(std::env::var_os("LOCALAPPDATA")?),
        _ if cfg!(target_os = "macos") && under_home == ".cache" => {
            PathBuf::from(std::env::var_os("HOME")?).join("Library/Caches")
        }
        _ if cfg!(target_os = "macos") => {
            PathBuf::from(std::env::var_os("HOME")?).join("Library/Application Support")
        }
        _ => PathBuf::from(std::env::var_os("HOME")?).join(under_home),
    };
    Some(base.join("consilience"))
}

/// Bytes of memory that are free, where the system tells.
pub fn free_memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// Refuses what needs more memory than is free, where the system tells.
pub fn check_memory(needed: f64, what: &str, cure: &str) -> Result<()> {
    match free_memory() {
        Some(free) if needed > free => bail!(
            "{what} needs about {:.1} GB of memory beside the data, {:.1} GB are free; {cure}, or use a larger machine",
            needed / 1e9,
            free / 1e9
        ),
        _ => Ok(()),
    }
}

/// Sets the size of the thread pool and returns it.
pub fn set_threads(threads: Option<NonZeroUsize>) -> Result<usize> {
    let n = threads
        .or_else(|| std::thread::available_parallelism().ok())
        .map_or(1, NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(n)
        .build_global()
        .context("starting the worker threads")?;
    Ok(n)
}
