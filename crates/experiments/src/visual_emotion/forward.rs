//! What a trained module makes of features, with the gains of its units.
//!
//! The same as the module's network gives, on matrices of all stimuli: a study computes modules tens of thousands of times, at every epoch
//! and for every set of units, and each is small.

use std::collections::BTreeMap;

use consilience_models::nuclei::{Nuclei, Nucleus, Transformer};
use ndarray::{
    Array1, Array2, ArrayD, ArrayView1, ArrayView2, Axis, CowArray, Ix1, Ix2, concatenate, s,
};

use super::module::{Connection, Link};

/// As torch's `LayerNorm`.
const EPS: f32 = 1e-5;

/// What of a module is not as it was trained.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change<'a> {
    /// Nothing.
    None,
    /// The factor of each unit, at every step.
    Gains(&'a [f32]),
    /// A connection that carries nothing.
    Cut(&'a Connection),
}

impl Change<'_> {
    fn cuts(self, from: &str, to: &str, kind: Link) -> bool {
        match self {
            Self::Cut(cut) => cut.from == from && cut.to == to && cut.kind == kind,
            _ => false,
        }
    }
}

/// A module with its weights.
#[derive(Debug, Clone)]
pub(super) struct Forward<'a> {
    pub nuclei: &'a Nuclei,
    pub weights: &'a BTreeMap<String, ArrayD<f32>>,
}

impl Forward<'_> {
    /// Units of all nuclei at the last step, `(n, n_units)`, and ratings, `(n, n_ratings)`, of what the nuclei read, `(n, width)`.
    pub fn run(
        &self,
        visual: ArrayView2<'_, f32>,
        change: Change<'_>,
    ) -> (Array2<f32>, Array2<f32>) {
        let mut values: BTreeMap<&str, Array2<f32>> =
            BTreeMap::from([("visual", visual.to_owned())]);
        for _ in 0..self.nuclei.steps {
            let before = values.clone();
            let mut first = 0;
            for nucleus in &self.nuclei.nucleus {
                let mut value = self.nucleus(nucleus, &values, &before, change);
                let width = value.ncols();
                if let Change::Gains(gains) = change {
                    value *= &ArrayView1::from(&gains[first..first + width]);
                }
                first += width;
                values.insert(&nucleus.name, value);
            }
        }
        let nuclei = self.nuclei.nucleus.iter();
        let units: Vec<ArrayView2<'_, f32>> =
            nuclei.map(|n| values[n.name.as_str()].view()).collect();
        let read = &values[self.nuclei.read_out.as_str()];
        let ratings = self.linear(&self.nuclei.read_out_key, read.view());
        (joined(&units), ratings)
    }

    /// x·Wᵀ + b with the weights of a linear map.
    pub fn linear(&self, key: &str, x: ArrayView2<'_, f32>) -> Array2<f32> {
        x.dot(&self.matrix(&format!("{key}.weight")).t()) + self.vector(&format!("{key}.bias"))
    }

    fn nucleus<'b>(
        &self,
        nucleus: &Nucleus,
        values: &BTreeMap<&'b str, Array2<f32>>,
        before: &BTreeMap<&'b str, Array2<f32>>,
        change: Change<'_>,
    ) -> Array2<f32> {
        let name = nucleus.name.as_str();
        let sources = nucleus.reads.iter().map(|source| {
            let value = &values[source.as_str()];
            match change.cuts(source, name, Link::Reads) {
                true => CowArray::from(Array2::zeros(value.dim())),
                false => CowArray::from(value.view()),
            }
        });
        let sources: Vec<CowArray<'_, f32, Ix2>> = sources.collect();
        let mut x = joined(&sources.iter().map(|s| s.view()).collect::<Vec<_>>());
        // Numbered as in torch's `Sequential`: a map, its rectifier, its dropout.
        let mut number = 0;
        if let Some(transformer) = nucleus.transformer {
            let module = match nucleus.widths.is_empty() {
                true => name.to_owned(),
                false => format!("{name}.0"),
            };
            x = self.transformer(&module, x, transformer);
            number += 1;
        }
        for idx in 0..nucleus.widths.len() {
            x = self.linear(&format!("{name}.{number}"), x.view());
            if idx + 1 == nucleus.widths.len() {
                let carries = |source: &&String, kind| !change.cuts(source, name, kind);
                let feedback = nucleus.feedback.iter();
                for source in feedback.filter(|s| carries(s, Link::Feedback)) {
                    if let Some(value) = before.get(source.as_str()) {
                        let weight = self.matrix(&format!("{name}.feedback.{source}.weight"));
                        x += &value.dot(&weight.t());
                    }
                }
                let inhibition = nucleus.inhibited_by.iter();
                for source in inhibition.filter(|s| carries(s, Link::Inhibits)) {
                    let weight = self.matrix(&format!("{name}.inhibition.{source}.weight"));
                    x -= &values[source.as_str()].dot(&weight.mapv(f32::abs).t());
                }
            }
            x.mapv_inplace(|v| v.max(0.0));
            number += 3;
        }
        x
    }

    /// Layers of a transformer on one token: attention is a linear map of it.
    fn transformer(&self, module: &str, mut x: Array2<f32>, settings: Transformer) -> Array2<f32> {
        let n = x.ncols();
        for layer in 0..settings.layers {
            let key = |name: &str| format!("{module}.layers.{layer}.{name}");
            let weight = self.matrix(&key("self_attn.in_proj_weight"));
            let bias = self.vector(&key("self_attn.in_proj_bias"));
            let values = x.dot(&weight.slice(s![2 * n.., ..]).t()) + bias.slice(s![2 * n..]);
            let attended = self.linear(&key("self_attn.out_proj"), values.view());
            x = self.normalised(&key("norm1"), x + attended);
            let mut hidden = self.linear(&key("linear1"), x.view());
            hidden.mapv_inplace(|v| v.max(0.0));
            let mapped = self.linear(&key("linear2"), hidden.view());
            x = self.normalised(&key("norm2"), x + mapped);
        }
        x
    }

    fn normalised(&self, key: &str, mut x: Array2<f32>) -> Array2<f32> {
        let weight = self.vector(&format!("{key}.weight"));
        let bias = self.vector(&format!("{key}.bias"));
        let n = x.ncols() as f32;
        for mut row in x.rows_mut() {
            let mean = row.sum() / n;
            row -= mean;
            let variance = row.iter().map(|v| v * v).sum::<f32>() / n;
            row *= 1.0 / (variance + EPS).sqrt();
            row *= &weight;
            row += &bias;
        }
        x
    }

    fn matrix(&self, key: &str) -> ArrayView2<'_, f32> {
        let found = self.weights[key].view().into_dimensionality::<Ix2>();
        found.expect("weights have the shapes of the module's parameters")
    }

    fn vector(&self, key: &str) -> ArrayView1<'_, f32> {
        let found = self.weights[key].view().into_dimensionality::<Ix1>();
        found.expect("weights have the shapes of the module's parameters")
    }
}

fn joined(parts: &[ArrayView2<'_, f32>]) -> Array2<f32> {
    concatenate(Axis(1), parts).expect("all have a row for each stimulus")
}

/// Gains of all units: 1 + α for those that are chosen, else 1.
pub(super) fn gains_of(n_units: usize, units: &[usize], alpha: f64) -> Vec<f32> {
    let mut gains = Array1::ones(n_units);
    units
        .iter()
        .for_each(|&unit| gains[unit] = (1.0 + alpha) as f32);
    gains.to_vec()
}
