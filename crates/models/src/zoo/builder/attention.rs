//! Tokens and attention.
//!
//! Attention is written with `MatMul`, `Softmax`, `Reshape`, `Transpose`, `Slice` and `Mul`, tokens
//! with `Pad`, `Concat` and `Add` besides, so that whatever runs or differentiates a graph needs no
//! operator of its own for them.

use super::{Builder, Value};
use crate::graph::{Attribute, Layout, TokenGrid};

impl Builder {
    /// Matrix product of the last two axes.
    pub fn matmul(&mut self, tensor: &str, a: &Value, b: &Value) -> Value {
        let mut shape = a.shape.clone();
        if let (Some(columns), Some(n)) = (shape.last_mut(), b.shape.last()) {
            *columns = *n;
        }
        self.op(tensor, "MatMul", &[a, b], &[], shape)
    }

    /// Zeros around the values: `before` and `after` for each axis.
    pub fn pad(&mut self, tensor: &str, x: &Value, before: &[usize], after: &[usize]) -> Value {
        let shape = (x.shape.iter().zip(before).zip(after))
            .map(|((extent, before), after)| before + extent + after)
            .collect();
        let behind_batch = |n: &[usize]| -> Vec<i64> {
            let axes = n.iter().map(|&n| n as i64);
            std::iter::once(0).chain(axes).collect()
        };
        let widths = [behind_batch(before), behind_batch(after)].concat();
        let widths = self.integers(&format!("{tensor}/widths"), &widths);
        self.op(tensor, "Pad", &[x, &widths], &[], shape)
    }

    /// A parameter `(1, n, width)` as `(n, width)`, the same for each image.
    pub fn shared(&mut self, key: &str, n: usize, width: usize) -> Value {
        let parameter = self.parameter(key, vec![1, n, width]);
        Value {
            shape: vec![n, width],
            ..parameter
        }
    }

    /// States that layers named from now on may be tokens: `n_prefix`, then those of `map`.
    pub fn lay_out_tokens(&mut self, map: &Value, n_prefix: usize) {
        self.lay_out(Layout::Tokens(TokenGrid {
            n_prefix,
            height: map.shape[1],
            width: map.shape[2],
        }));
    }

    /// A map `(c, h, w)` as `(h · w, c)`, row by row.
    pub fn patches(&mut self, tensor: &str, map: &Value) -> Value {
        let [channels, height, width] = [map.shape[0], map.shape[1], map.shape[2]];
        let flat = format!("{tensor}/flat");
        let flat = self.reshape(&flat, map, vec![channels, height * width]);
        self.transpose(tensor, &flat, &[1, 0])
    }

    /// The tokens `prefix`, which are the same for each image, then `patches` + `positions`.
    ///
    /// Zeros take the place of the prefix until the sum, as joining would need the number of images.
    pub fn embed(
        &mut self,
        tensor: &str,
        patches: &Value,
        prefix: &[&Value],
        positions: &Value,
    ) -> Value {
        let n_prefix = prefix.iter().map(|tokens| tokens.shape[0]).sum();
        let padded = format!("{tensor}/padded");
        let padded = self.pad(&padded, patches, &[n_prefix, 0], &[0, 0]);
        let added: Vec<&Value> = prefix.iter().copied().chain([positions]).collect();
        let added = self.concat(&format!("{tensor}/added"), &added, 0);
        self.add(tensor, &padded, &added)
    }

    /// Row `idx` of `(tokens, width)` as `(width)`.
    pub fn token(&mut self, tensor: &str, x: &Value, idx: usize) -> Value {
        let row = self.slice(&format!("{tensor}/row"), x, 0, idx, idx + 1);
        self.flatten(tensor, &row)
    }

    /// `n` equal parts of the last axis.
    pub fn parts<const N: usize>(&mut self, tensors: [&str; N], x: &Value) -> [Value; N] {
        let axis = x.shape.len() - 1;
        let width = x.shape[axis] / N;
        let mut from = 0;
        tensors.map(|tensor| {
            from += width;
            self.slice(tensor, x, axis, from - width, from)
        })
    }

    /// Multi-head attention of tokens to each other from their queries, keys and values
    /// `(…, tokens, 3 · width)`: gives `(…, tokens, width)`.
    ///
    /// # Definition
    ///
    /// softmax(Q Kᵀ / √d) V in each head of d = width / `n_heads` channels.
    pub fn self_attention(&mut self, module: &str, qkv: &Value, n_heads: usize) -> Value {
        let names = ["q", "k", "v"].map(|part| format!("{module}/{part}"));
        let [q, k, v] = self.parts(names.each_ref().map(String::as_str), qkv);
        let scores = self.scaled_scores(module, &q, &k, n_heads);
        let weights = self.attention_weights(module, &scores);
        self.attended(module, &weights, &v)
    }

    /// Q Kᵀ / √d, `(…, heads, n_queries, n_keys)`.
    pub fn scaled_scores(&mut self, module: &str, q: &Value, k: &Value, n_heads: usize) -> Value {
        let n_channels = q.shape[q.shape.len() - 1] / n_heads;
        let scale = self.scalar(1.0 / (n_channels as f32).sqrt());
        let q = self.mul(&format!("{module}/q_scaled"), q, &scale);
        let q = self.heads(&format!("{module}/q_heads"), &q, n_heads);
        let k = self.heads_transposed(&format!("{module}/k_heads"), k, n_heads);
        self.matmul(&format!("{module}/scores"), &q, &k)
    }

    /// Softmax of the scores: how much each query attends to each key. This is the layer
    /// `{module}.attention_weights`.
    pub fn attention_weights(&mut self, module: &str, scores: &Value) -> Value {
        self.module(
            &format!("{module}.attention_weights"),
            "Softmax",
            &[scores],
            &[("axis", Attribute::Int(-1))],
            scores.shape.clone(),
        )
    }

    /// What the values `(…, n_keys, width)` give under the weights, heads joined again.
    pub fn attended(&mut self, module: &str, weights: &Value, v: &Value) -> Value {
        let n_axes = weights.shape.len();
        let n_heads = weights.shape[n_axes - 3];
        let v = self.heads(&format!("{module}/v_heads"), v, n_heads);
        let heads = self.matmul(&format!("{module}/heads"), weights, &v);
        let tokens = self.swap(&format!("{module}/joined"), &heads, n_axes - 3, n_axes - 2);
        let mut shape = tokens.shape.clone();
        let n_channels = shape.pop().unwrap_or_default();
        if let Some(last) = shape.last_mut() {
            *last *= n_channels;
        }
        self.reshape(&format!("{module}/attended"), &tokens, shape)
    }

    /// `(…, tokens, width)` as `(…, heads, tokens, width / heads)`.
    pub fn heads(&mut self, tensor: &str, x: &Value, n_heads: usize) -> Value {
        let split = self.split_heads(tensor, x, n_heads);
        let n_axes = split.shape.len();
        self.swap(tensor, &split, n_axes - 3, n_axes - 2)
    }

    /// `(…, tokens, width)` as `(…, heads, width / heads, tokens)`.
    pub fn heads_transposed(&mut self, tensor: &str, x: &Value, n_heads: usize) -> Value {
        let split = self.split_heads(tensor, x, n_heads);
        let n_axes = split.shape.len();
        let mut order: Vec<usize> = (0..n_axes).collect();
        order[n_axes - 3..].rotate_left(1);
        self.transpose(tensor, &split, &order)
    }

    fn split_heads(&mut self, tensor: &str, x: &Value, n_heads: usize) -> Value {
        let mut shape = x.shape.clone();
        let width = shape.pop().unwrap_or_default();
        shape.extend([n_heads, width / n_heads]);
        self.reshape(&format!("{tensor}/split"), x, shape)
    }

    /// Two axes exchanged.
    fn swap(&mut self, tensor: &str, x: &Value, a: usize, b: usize) -> Value {
        let mut order: Vec<usize> = (0..x.shape.len()).collect();
        order.swap(a, b);
        self.transpose(tensor, x, &order)
    }
}
