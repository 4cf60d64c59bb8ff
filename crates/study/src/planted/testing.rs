//! What tests of all generated studies need: their records, and rates over many of them.

use consilience_core::Record;
use consilience_models::ExecutorChoice;

use super::{Planted, write};
use crate::file::{Override, StudyText};
use crate::{Cache, Places, Silent, TEMPLATES, prepare, run};

/// The record of one study, of which both data and seed are `seed`.
pub fn record(planted: Planted, seed: u64, sets: &[&str]) -> Record {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), planted, seed).unwrap();
    let template = TEMPLATES.iter().find(|t| t.data == Some(planted)).unwrap();
    let (_, text) = template.files[0];
    let text = StudyText::new("study.toml", text);
    let overrides: Vec<Override> = sets.iter().map(|set| set.parse().unwrap()).collect();
    let mut study = text.parse(&overrides).unwrap();
    study.study.seed = seed;
    let places = Places::new(folder.path(), &[]);
    let prepared = prepare(&study, &places, ExecutorChoice::Rten, 2).unwrap();
    let cache = Cache::new(folder.path().join("cache"));
    run(&prepared, &text, &overrides, &cache, 2, &Silent).unwrap()
}

/// As many studies as the checks have time for; the published rates are of what `CONSILIENCE_STUDIES` asks for.
pub fn n_studies() -> u64 {
    std::env::var("CONSILIENCE_STUDIES").map_or(4, |n| n.parse().expect("a number of studies"))
}

/// Three standard errors above a share of 0.05 among as many studies.
pub fn most() -> f64 {
    0.05 + 3.0 * (0.05 * 0.95 / n_studies() as f64).sqrt()
}

/// Three standard errors below a share of 0.9 among as many studies.
pub fn least() -> f64 {
    0.9 - 3.0 * (0.9 * 0.1 / n_studies() as f64).sqrt()
}

/// How many are true, of how many.
pub fn share<'a>(all: impl Iterator<Item = &'a bool>) -> (usize, usize) {
    all.fold((0, 0), |(hits, n), &hit| (hits + usize::from(hit), n + 1))
}

pub fn rate((hits, n): (usize, usize)) -> f64 {
    hits as f64 / n as f64
}

/// Largest distance of the distribution of p from the uniform one.
pub fn kolmogorov_smirnov(p: &mut [f64]) -> f64 {
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let distances = p.iter().enumerate().map(|(i, p)| {
        let (below, above) = (i as f64 / n, (i + 1) as f64 / n);
        (above - p).max(p - below)
    });
    distances.fold(0.0, f64::max)
}
