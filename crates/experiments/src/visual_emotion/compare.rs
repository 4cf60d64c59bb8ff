//! Differences between modules over repeats.

use consilience_core::ModuleComparison;
use consilience_methods::behaviour::welch;
use consilience_methods::rsa::Correction;
use consilience_stats::correction::corrected;
use ndarray::Array1;

use super::score::mean;

/// A measure by its name, with the value of each repeat.
pub type Measure = (String, Vec<Option<f64>>);

/// A module among others.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Position of its encoder among the encoders.
    pub encoder: usize,
    /// Position of its structure among the structures.
    pub structure: usize,
    /// What of it is compared.
    pub measures: Vec<Measure>,
}

/// Compares neighbours: encoders that follow each other under the same structure, and structures on the same encoder.
///
/// # Definition
///
/// Welch's t-test over repeats (as if they were independent samples, which they are of initial weights and divisions, not of
/// stimuli), Cohen's d by the pooled standard deviation, p corrected over all comparisons.
#[must_use]
pub fn comparisons(modules: &[Compared], correction: Correction) -> Vec<ModuleComparison> {
    let mut found = Vec::new();
    for (a, first) in modules.iter().enumerate() {
        for (b, second) in modules.iter().enumerate() {
            let differ_in = match (
                second.encoder.wrapping_sub(first.encoder),
                second.structure.wrapping_sub(first.structure),
            ) {
                (1, 0) => "encoder",
                (0, 1) => "structure",
                _ => continue,
            };
            for ((measure, of_a), (_, of_b)) in first.measures.iter().zip(&second.measures) {
                found.extend(compared((a, of_a), (b, of_b), differ_in, measure));
            }
        }
    }
    let p: Vec<f64> = found.iter().filter_map(|c| c.p).collect();
    let all = match correction.procedure() {
        Some(procedure) => corrected(&p, procedure),
        None => p,
    };
    let tested = found.iter_mut().filter(|c| c.p.is_some());
    for (comparison, p) in tested.zip(all) {
        comparison.p_corrected = Some(p);
    }
    found
}

fn compared(
    (a, of_a): (usize, &[Option<f64>]),
    (b, of_b): (usize, &[Option<f64>]),
    differ_in: &str,
    measure: &str,
) -> Option<ModuleComparison> {
    let difference = mean(of_a)? - mean(of_b)?;
    let values = |of: &[Option<f64>]| of.iter().copied().flatten().collect::<Array1<f64>>();
    // Fewer than two repeats, or none that differ, have no test.
    let test = welch(values(of_a).view(), values(of_b).view()).ok();
    Some(ModuleComparison {
        a,
        b,
        differ_in: differ_in.to_owned(),
        measure: measure.to_owned(),
        difference,
        t: test.as_ref().map(|test| test.t),
        p: test.as_ref().map(|test| test.p),
        p_corrected: None,
        d: test.map(|test| test.cohens_d),
    })
}
