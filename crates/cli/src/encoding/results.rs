//! Arrays and summary of an encoding model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use consilience::io::source::Source;
use consilience::io::{hash, npy};
use consilience::methods::encoding::GridEnds;
use consilience::study::Progress;
use ndarray::ArrayView2;
use serde_json::{Map, Value, json};

use super::{Common, Problem, Rows};
use crate::arrays;
use crate::console::Console;

/// Constant targets that a summary names.
const MAX_NAMED: usize = 20;
/// Every array that some encoding command writes; a folder holds those of one run.
const ARRAYS: [&str; 11] = [
    "alpha.npy",
    "alpha_folds.npy",
    "baseline.npy",
    "components.npy",
    "parts.npy",
    "predictions.npy",
    "product_measure.npy",
    "r.npy",
    "r2.npy",
    "shapley.npy",
    "shares.npy",
];

/// Results of one run, written together at the end.
pub struct Results<'a> {
    folder: &'a Path,
    summary: Map<String, Value>,
    warnings: Vec<String>,
}

impl<'a> Results<'a> {
    /// Takes away what an earlier run left. The summary goes first and comes last: a folder with a summary is
    /// complete.
    pub fn begin(folder: &'a Path) -> Result<Self> {
        for name in std::iter::once("summary.json").chain(ARRAYS) {
            let path = folder.join(name);
            if path.exists() {
                std::fs::remove_file(&path)
                    .with_context(|| format!("cannot replace {}", path.display()))?;
            }
        }
        let mut results = Self {
            folder,
            summary: Map::new(),
            warnings: Vec::new(),
        };
        results.say(json!({ "consilience": env!("CARGO_PKG_VERSION") }));
        Ok(results)
    }

    pub fn write(&self, name: &str, values: ArrayView2<'_, f64>) -> Result<()> {
        debug_assert!(ARRAYS.contains(&name));
        Ok(npy::write(self.folder.join(name), values)?)
    }

    pub fn write_vector(&self, name: &str, values: &[f64]) -> Result<()> {
        debug_assert!(ARRAYS.contains(&name));
        Ok(npy::write(
            self.folder.join(name),
            ndarray::ArrayView1::from(values),
        )?)
    }

    /// Writes how well targets are predicted, and the predictions of all rows.
    pub fn write_scores(
        &self,
        [r, r2]: [&[f64]; 2],
        predictions: ArrayView2<'_, f64>,
        rows: &Rows,
    ) -> Result<()> {
        self.write_vector("r.npy", r)?;
        self.write_vector("r2.npy", r2)?;
        self.write("predictions.npy", rows.spread(predictions).view())
    }

    /// Adds to the summary.
    pub fn say(&mut self, entries: Value) {
        if let Value::Object(entries) = entries {
            self.summary.extend(entries);
        }
    }

    /// Adds the inputs, and what is the same for every kind of model.
    pub fn say_inputs(
        &mut self,
        x: &[&str],
        common: &Common,
        problem: &Problem,
        constant: &[usize],
    ) -> Result<()> {
        let size = problem.size();
        let hashes: Vec<String> = x.iter().map(|x| blake3(x)).collect::<Result<_>>()?;
        self.say(json!({
            "x": x,
            "x_blake3": hashes,
            "y": common.y,
            "y_blake3": blake3(&common.y)?,
            "n_rows": size.n_rows,
            "n_rows_omitted": problem.rows.n_omitted(),
            "n_features": size.n_features,
            "n_targets": size.n_targets,
        }));
        self.say_constant(constant, size.n_targets);
        Ok(())
    }

    /// Names the targets that do not vary.
    pub fn say_constant(&mut self, constant: &[usize], n_targets: usize) {
        self.say(json!({
            "n_constant_targets": constant.len(),
            "constant_targets": constant.iter().take(MAX_NAMED).collect::<Vec<_>>(),
        }));
        self.warn(constant.first().map(|first| {
            format!(
                "{} of {n_targets} targets have the same value in all rows (the first is column {first}, counted from 0): their r and r2 are 0",
                constant.len()
            )
        }));
    }

    pub fn warn(&mut self, warnings: impl IntoIterator<Item = String>) {
        self.warnings.extend(warnings);
    }

    /// Tells the warnings and writes the summary; its path.
    pub fn finish(mut self) -> Result<PathBuf> {
        for warning in &self.warnings {
            Console::new().note(&format!("warning: {warning}"));
        }
        let warnings = std::mem::take(&mut self.warnings);
        self.say(json!({ "warnings": warnings }));
        let path = self.folder.join("summary.json");
        arrays::write_json(&path, &self.summary)?;
        Ok(path)
    }
}

/// What is to be said of targets that chose an end of the grid.
pub fn grid_warnings(ends: GridEnds, alphas: &[f64], n_targets: usize) -> Vec<String> {
    let smallest = alphas.iter().copied().fold(f64::INFINITY, f64::min);
    let largest = alphas.iter().copied().fold(0.0, f64::max);
    let mut warnings = Vec::new();
    if ends.n_largest > 0 {
        warnings.push(format!(
            "{} of {n_targets} targets chose the largest alpha, {largest:e}: the best may lie above it; extend the grid upwards",
            ends.n_largest
        ));
    }
    if ends.n_smallest > 0 {
        warnings.push(format!(
            "{} of {n_targets} targets chose the smallest alpha, {smallest:e}: the best may lie below it; extend the grid downwards",
            ends.n_smallest
        ));
    }
    warnings
}

pub fn blake3(spec: &str) -> Result<String> {
    Ok(hash::blake3_file(&Source::parse(spec).path)?)
}
