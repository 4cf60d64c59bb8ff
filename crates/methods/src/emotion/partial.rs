//! A partial Mantel test: the correlation of two RDMs beyond what others share with them.

use consilience_core::pairs;
use consilience_stats::correlation::unit;
use consilience_stats::random::{Domain, Stream};
use consilience_stats::rank::average_ranks;
use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::{MethodsError, Result};

/// What is left of a vector of unit length, below which it is rounding.
const ROUNDING: f64 = 1e-10;

/// The group's RDM and the controls, in ranks.
pub(super) struct PartialTest {
    n_conditions: usize,
    /// Ranks of the group, centred, at unit length.
    group: Vec<f64>,
    /// An orthonormal basis of the ranks of the controls.
    controls: Vec<Vec<f64>>,
}

impl PartialTest {
    pub fn new(group: &[f64], controls: ArrayView2<'_, f64>) -> Result<Self> {
        let n_conditions = pairs::n_conditions(group.len())?;
        let group = ranks("the group's RDM", 0, group)?;
        let mut basis: Vec<Vec<f64>> = Vec::new();
        for (row, control) in controls.rows().into_iter().enumerate() {
            let control = ranks("the control RDMs", row, &control.to_vec())?;
            let rest = without(control, &basis).ok_or(MethodsError::Collinear { model: row })?;
            basis.push(rest);
        }
        Ok(Self {
            n_conditions,
            group,
            controls: basis,
        })
    }

    /// Partial correlation with model `row`, and its one-sided p.
    pub fn of(
        &self,
        row: usize,
        model: ArrayView1<'_, f64>,
        permutations: usize,
        seed: u64,
    ) -> Result<(f64, f64)> {
        let model = ranks("the model RDMs", row, &model.to_vec())?;
        let own = without(model, &self.controls).ok_or(MethodsError::Collinear { model: row })?;
        let score = self
            .score(&own, &self.group)
            .ok_or(MethodsError::UndefinedRdm {
                similarity: "partial correlation",
                what: "the group's RDM",
                row: 0,
                why: "the controls explain all of it",
            })?;
        let n_as_large = (0..permutations as u64)
            .into_par_iter()
            .filter(|&index| {
                let mut draw = Stream::new(seed, Domain::Permutations, index);
                let order = draw.permutation(self.n_conditions);
                let place = |(i, j): (usize, usize)| {
                    let (a, b) = (order[i].min(order[j]), order[i].max(order[j]));
                    self.group[pairs::pair_idx(a, b, self.n_conditions)]
                };
                let permuted: Vec<f64> = pairs::iter(self.n_conditions).map(place).collect();
                // Where nothing can be said, it counts against the model.
                (self.score(&own, &permuted)).is_none_or(|found| found >= score - 1e-12)
            })
            .count();
        Ok((score, (1 + n_as_large) as f64 / (1 + permutations) as f64))
    }

    /// Correlation of what is left of a model with what the controls leave of `group`.
    fn score(&self, own: &[f64], group: &[f64]) -> Option<f64> {
        let explained: f64 = self.controls.iter().map(|c| dot(c, group).powi(2)).sum();
        let rest = (1.0 - explained).max(0.0).sqrt();
        (rest > ROUNDING).then(|| (dot(own, group) / rest).clamp(-1.0, 1.0))
    }
}

fn ranks(what: &'static str, row: usize, values: &[f64]) -> Result<Vec<f64>> {
    if let Some((column, &value)) = values.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(MethodsError::NonFinite {
            what,
            row,
            column,
            value,
            cure: "leave out the conditions without a value",
        });
    }
    // Dissimilarities of ranks over few voxels tie, and rounding must not order them.
    let largest = values
        .iter()
        .fold(f64::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let digits = values.iter().map(|v| (v / largest * 1e12).round());
    let digits: Vec<f64> = digits.collect();
    unit(&average_ranks(&digits)).ok_or(MethodsError::UndefinedRdm {
        similarity: "partial correlation",
        what,
        row,
        why: "all its dissimilarities are equal",
    })
}

/// A vector of unit length without what lies along an orthonormal basis, at unit length again; `None` when nothing is left.
fn without(mut vector: Vec<f64>, basis: &[Vec<f64>]) -> Option<Vec<f64>> {
    // The second pass takes away what rounding left in the first.
    for _ in 0..2 {
        for direction in basis {
            let along = dot(&vector, direction);
            vector
                .iter_mut()
                .zip(direction)
                .for_each(|(v, d)| *v -= along * d);
        }
    }
    let length = dot(&vector, &vector).sqrt();
    vector.iter_mut().for_each(|v| *v /= length);
    (length > ROUNDING).then_some(vector)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::ranks;

    #[test]
    fn rounding_does_not_part_ties() {
        let values = [0.5, 0.25, 0.5 + 1e-15, 1.0, 0.25 - 1e-16];
        let exact = [0.5, 0.25, 0.5, 1.0, 0.25];
        assert_eq!(
            ranks("it", 0, &values).unwrap(),
            ranks("it", 0, &exact).unwrap()
        );
        // Whatever the unit.
        let small = values.map(|v| v * 1e-9);
        assert_eq!(
            ranks("it", 0, &small).unwrap(),
            ranks("it", 0, &exact).unwrap()
        );
        assert!(ranks("it", 0, &[0.0; 3]).is_err());
    }
}
