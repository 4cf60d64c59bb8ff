//! What a trained module makes of features, with the gains of its units.
//!
//! The same as the module's network gives, on matrices of all stimuli: a study computes modules tens of thousands of times, at every epoch
//! and for every set of units, and each is small.

use std::collections::BTreeMap;

use consilience_models::nuclei::{Nuclei, Nucleus, Transformer};
use ndarray::{
    Array1, Array2, ArrayD, ArrayView1, ArrayView2, ArrayView3, Axis, CowArray, Ix1, Ix2,
    concatenate, s,
};

use super::module::{Connection, Link};
use super::tokens::{by_stimulus, by_token, token_means};

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
    /// Tokens of a stimulus; `None` for one vector, whose attention is a linear map.
    pub tokens: Option<usize>,
}

/// Gets the attention of a head of a nucleus to the tokens of a stimulus, `(1, tokens, tokens)`.
pub(super) type Watch<'a> = &'a mut dyn FnMut(&str, ArrayView3<'_, f32>);

/// Rows of tokens that are computed at a time: memory does not grow with the stimuli.
const ROWS: usize = 4096;

impl Forward<'_> {
    /// Units of all nuclei at the last step, `(n, n_units)`, and ratings, `(n, n_ratings)`, of what the nuclei read, `(n, width)`, or
    /// `(n, tokens · width)`.
    pub fn run(
        &self,
        visual: ArrayView2<'_, f32>,
        change: Change<'_>,
    ) -> (Array2<f32>, Array2<f32>) {
        self.watched(visual, change, &mut |_, _| {})
    }

    /// The same, with an eye on attention to several tokens.
    pub fn watched(
        &self,
        visual: ArrayView2<'_, f32>,
        change: Change<'_>,
        watch: Watch<'_>,
    ) -> (Array2<f32>, Array2<f32>) {
        let Some(n_tokens) = self.tokens else {
            return self.block(visual.to_owned(), change, watch);
        };
        let n_at_once = (ROWS / n_tokens).max(1);
        let blocks = visual.axis_chunks_iter(Axis(0), n_at_once);
        let (units, ratings): (Vec<_>, Vec<_>) = blocks
            .map(|block| self.block(by_token(block, n_tokens), change, watch))
            .unzip();
        let stacked = |parts: &[Array2<f32>], width: usize| match parts {
            [] => Array2::zeros((0, width)),
            parts => {
                let views: Vec<_> = parts.iter().map(|part| part.view()).collect();
                concatenate(Axis(0), &views).expect("blocks have one width")
            }
        };
        let read_out = self.matrix(&format!("{}.weight", self.nuclei.read_out_key));
        (stacked(&units, 0), stacked(&ratings, read_out.nrows()))
    }

    /// Of some stimuli, with a row for each of their tokens.
    fn block(
        &self,
        visual: Array2<f32>,
        change: Change<'_>,
        watch: Watch<'_>,
    ) -> (Array2<f32>, Array2<f32>) {
        let mut values: BTreeMap<&str, Array2<f32>> = BTreeMap::from([("visual", visual)]);
        for _ in 0..self.nuclei.steps {
            let before = values.clone();
            let mut first = 0;
            for nucleus in &self.nuclei.nucleus {
                let mut value = self.nucleus(nucleus, &values, &before, change, watch);
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
        let read = self.over_tokens(values[self.nuclei.read_out.as_str()].clone());
        let ratings = self.linear(&self.nuclei.read_out_key, read.view());
        (self.over_tokens(joined(&units)), ratings)
    }

    /// Means over the tokens of each stimulus.
    fn over_tokens(&self, rows: Array2<f32>) -> Array2<f32> {
        let Some(n) = self.tokens else {
            return rows;
        };
        token_means(by_stimulus(rows, n).view(), self.tokens).into_owned()
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
        watch: Watch<'_>,
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
            x = self.transformer(&module, x, transformer, &mut |attention| {
                watch(name, attention);
            });
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

    /// Layers of a transformer.
    fn transformer(
        &self,
        module: &str,
        mut x: Array2<f32>,
        settings: Transformer,
        watch: &mut dyn FnMut(ArrayView3<'_, f32>),
    ) -> Array2<f32> {
        let n = x.ncols();
        for layer in 0..settings.layers {
            let key = |name: &str| format!("{module}.layers.{layer}.{name}");
            let weight = self.matrix(&key("self_attn.in_proj_weight"));
            let bias = self.vector(&key("self_attn.in_proj_bias"));
            let values = match self.tokens {
                // Attention to one token is a linear map of it.
                None => x.dot(&weight.slice(s![2 * n.., ..]).t()) + bias.slice(s![2 * n..]),
                Some(n_tokens) => {
                    let all = x.dot(&weight.t()) + bias;
                    attended(all.view(), n_tokens, settings.heads, watch)
                }
            };
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

/// What each token gets of the values of all tokens of its stimulus, from queries, keys and values side by side, `(rows, 3 · n)`.
fn attended(
    all: ArrayView2<'_, f32>,
    n_tokens: usize,
    n_heads: usize,
    watch: &mut dyn FnMut(ArrayView3<'_, f32>),
) -> Array2<f32> {
    let n = all.ncols() / 3;
    let of_head = n / n_heads;
    let scale = 1.0 / (of_head as f32).sqrt();
    let mut found = Array2::zeros((all.nrows(), n));
    for first in (0..all.nrows()).step_by(n_tokens) {
        let tokens = first..first + n_tokens;
        for head in 0..n_heads {
            let [queries, keys, values] = [0, 1, 2].map(|part| {
                let from = part * n + head * of_head;
                all.slice(s![tokens.clone(), from..from + of_head])
            });
            let mut weights = (&queries * scale).dot(&keys.t());
            for mut row in weights.rows_mut() {
                let most = row.fold(f32::NEG_INFINITY, |most, v| most.max(*v));
                row.mapv_inplace(|v| (v - most).exp());
                row /= row.sum();
            }
            watch(weights.view().insert_axis(Axis(0)));
            let columns = head * of_head..(head + 1) * of_head;
            let mut to = found.slice_mut(s![tokens.clone(), columns]);
            to.assign(&weights.dot(&values));
        }
    }
    found
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
