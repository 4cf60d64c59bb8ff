//! From nuclei to a graph.

use std::collections::BTreeMap;

use super::{Dropout, Features, Module, Nuclei, NucleiError, Nucleus, Transformer};
use crate::graph::Attribute;
use crate::zoo::builder::{Activation, Builder, Value};

/// As torch's `LayerNorm`.
const EPS: f32 = 1e-5;

struct Building {
    builder: Builder,
    dropped: Vec<Dropout>,
}

pub(super) fn build(
    nuclei: &Nuclei,
    features: Features,
    n_ratings: usize,
) -> Result<Module, NucleiError> {
    let shape = match features {
        Features::Vector { width } => vec![width],
        Features::Tokens { n, width } => vec![n, width],
    };
    let (builder, visual) = Builder::on_features("nuclei", "visual", shape);
    let mut building = Building {
        builder,
        dropped: Vec::new(),
    };
    let mut values = BTreeMap::from([("visual", visual)]);
    for _ in 0..nuclei.steps {
        let before = values.clone();
        for nucleus in &nuclei.nucleus {
            let value = building.nucleus(nucleus, &values, &before)?;
            values.insert(&nucleus.name, value);
        }
    }
    let widths = nuclei.nucleus.iter().map(|nucleus| {
        let shape = &values[nucleus.name.as_str()].shape;
        (nucleus.name.clone(), shape.last().copied().unwrap_or(0))
    });
    let widths = widths.collect();
    let b = &mut building.builder;
    let mut read = values[nuclei.read_out.as_str()].clone();
    if let Features::Tokens { width: _, .. } = features {
        let axes = [
            ("axes", Attribute::Ints(vec![1])),
            ("keepdims", Attribute::Int(0)),
        ];
        let shape = read.shape[1..].to_vec();
        read = b.op("mean", "ReduceMean", &[&read], &axes, shape);
    }
    let ratings = b.linear(&nuclei.read_out_key, &read, n_ratings, true);
    let built = building.builder.finish(&ratings);
    Ok(Module {
        graph: built.graph,
        copies: copies(nuclei, &built.parameters),
        parameters: built.parameters,
        dropped: building.dropped,
        nuclei: widths,
    })
}

/// Keys of layers that begin as another layer, with its key.
fn copies(nuclei: &Nuclei, parameters: &BTreeMap<String, Vec<usize>>) -> BTreeMap<String, String> {
    let mut copies: BTreeMap<String, String> = BTreeMap::new();
    for nucleus in &nuclei.nucleus {
        let Some(transformer) = nucleus.transformer else {
            continue;
        };
        let original = nucleus.starts_as.as_ref();
        let original = original.and_then(|name| nuclei.nucleus.iter().find(|n| n.name == *name));
        let first = format!("{}.layers.0.", module(original.unwrap_or(nucleus)));
        for layer in 0..transformer.layers {
            let own = format!("{}.layers.{layer}.", module(nucleus));
            if own == first {
                continue;
            }
            let of_layer = parameters.keys().filter_map(|key| key.strip_prefix(&own));
            for rest in of_layer {
                let of_first = format!("{first}{rest}");
                // The original may begin as a copy itself.
                let root = copies.get(&of_first).cloned().unwrap_or(of_first);
                copies.insert(format!("{own}{rest}"), root);
            }
        }
    }
    copies
}

/// Modules in series are numbered as in torch's `Sequential`, and one alone is not.
fn module(nucleus: &Nucleus) -> String {
    match nucleus.widths.is_empty() {
        true => nucleus.name.clone(),
        false => format!("{}.0", nucleus.name),
    }
}

impl Building {
    /// One nucleus from the `values` of those before it and those of all nuclei a step `before`.
    fn nucleus(
        &mut self,
        nucleus: &Nucleus,
        values: &BTreeMap<&str, Value>,
        before: &BTreeMap<&str, Value>,
    ) -> Result<Value, NucleiError> {
        let name = nucleus.name.as_str();
        let sources: Vec<&Value> = nucleus.reads.iter().map(|s| &values[s.as_str()]).collect();
        let mut x = match sources.as_slice() {
            [one] => (*one).clone(),
            several => {
                let axis = several[0].shape.len() - 1;
                self.builder.concat(&format!("{name}/read"), several, axis)
            }
        };
        if nucleus.is_relay() {
            // A tensor of its own, for lesions of it are none of its source.
            let shape = x.shape.clone();
            let copy = format!("{name}/relay");
            x = self.builder.op(&copy, "Identity", &[&x], &[], shape);
        }
        let mut number = 0;
        if let Some(transformer) = nucleus.transformer {
            x = self.transformer(nucleus, &module(nucleus), &x, transformer)?;
            number += 1;
        }
        for (idx, &width) in nucleus.widths.iter().enumerate() {
            x = self
                .builder
                .linear(&format!("{name}.{number}"), &x, width, true);
            if idx + 1 == nucleus.widths.len() {
                x = self.modulated(nucleus, x, values, before);
            }
            let rectifier = format!("{name}.{}", number + 1);
            x = self.builder.activation(&rectifier, &x, Activation::Relu);
            self.drop(&x, nucleus.dropout, 1);
            number += 3;
        }
        self.builder.container(name, &x);
        Ok(x)
    }

    /// `x` with feedback added and inhibition subtracted.
    fn modulated(
        &mut self,
        nucleus: &Nucleus,
        mut x: Value,
        values: &BTreeMap<&str, Value>,
        before: &BTreeMap<&str, Value>,
    ) -> Value {
        let name = nucleus.name.as_str();
        let b = &mut self.builder;
        for source in &nucleus.feedback {
            // Nothing was there before the first step.
            let Some(value) = before.get(source.as_str()) else {
                continue;
            };
            let key = format!("{name}.feedback.{source}");
            let weight = b.parameter(&format!("{key}.weight"), vec![width(&x), width(value)]);
            let added = b.affine(&key, value, &weight, None);
            x = b.add(&format!("{key}/sum"), &x, &added);
        }
        for source in &nucleus.inhibited_by {
            let value = &values[source.as_str()];
            let key = format!("{name}.inhibition.{source}");
            let shape = vec![width(&x), width(value)];
            let weight = b.parameter(&format!("{key}.weight"), shape.clone());
            let weight = b.op(&format!("{key}/size"), "Abs", &[&weight], &[], shape);
            let subtracted = b.affine(&key, value, &weight, None);
            let shape = x.shape.clone();
            x = b.op(
                &format!("{key}/difference"),
                "Sub",
                &[&x, &subtracted],
                &[],
                shape,
            );
        }
        x
    }

    /// torch's `TransformerEncoder` called `module`.
    fn transformer(
        &mut self,
        nucleus: &Nucleus,
        module: &str,
        x: &Value,
        settings: Transformer,
    ) -> Result<Value, NucleiError> {
        if !width(x).is_multiple_of(settings.heads) {
            return Err(NucleiError::Heads {
                nucleus: nucleus.name.clone(),
                n_heads: settings.heads,
                width: width(x),
            });
        }
        let mut x = x.clone();
        for layer in 0..settings.layers {
            x = self.layer(&format!("{module}.layers.{layer}"), &x, settings);
        }
        if module != nucleus.name {
            self.builder.container(module, &x);
        }
        Ok(x)
    }

    /// torch's `TransformerEncoderLayer`: attention and two linear maps, each added and then normalised.
    fn layer(&mut self, module: &str, x: &Value, settings: Transformer) -> Value {
        let child = |name: &str| format!("{module}.{name}");
        let share = settings.dropout;
        let attended = self.attention(&child("self_attn"), x, settings.heads, share);
        self.drop(&attended, share, 1);
        let sum = self.builder.add(&child("sum1"), x, &attended);
        let x = self.builder.layer_norm(&child("norm1"), &sum, EPS);

        let hidden = self
            .builder
            .linear(&child("linear1"), &x, settings.hidden, true);
        let hidden = self
            .builder
            .activation(&child("relu"), &hidden, Activation::Relu);
        self.drop(&hidden, share, 1);
        let mapped = self
            .builder
            .linear(&child("linear2"), &hidden, width(&x), true);
        self.drop(&mapped, share, 1);
        let sum = self.builder.add(&child("sum2"), &x, &mapped);
        let x = self.builder.layer_norm(&child("norm2"), &sum, EPS);
        self.builder.container(module, &x);
        x
    }

    /// torch's `MultiheadAttention` of tokens to each other, or of a vector to itself.
    fn attention(&mut self, module: &str, x: &Value, n_heads: usize, share: f64) -> Value {
        let n = width(x);
        let b = &mut self.builder;
        let weight = b.parameter(&format!("{module}.in_proj_weight"), vec![3 * n, n]);
        let bias = b.parameter(&format!("{module}.in_proj_bias"), vec![3 * n]);
        let attended = if x.shape.len() == 1 {
            // The softmax over one key is 1, so only the values count: the last third of the maps.
            let weight = b.rows(&format!("{module}/v_weight"), &weight, 2 * n, 3 * n);
            let bias = b.rows(&format!("{module}/v_bias"), &bias, 2 * n, 3 * n);
            let values = b.affine(&format!("{module}/v"), x, &weight, Some(&bias));
            self.drop(&values, share, n / n_heads);
            values
        } else {
            let qkv = b.affine(&format!("{module}/qkv"), x, &weight, Some(&bias));
            let parts = ["q", "k", "v"].map(|part| format!("{module}/{part}"));
            let [q, k, v] = b.parts(parts.each_ref().map(String::as_str), &qkv);
            let scores = b.scaled_scores(module, &q, &k, n_heads);
            let weights = b.attention_weights(module, &scores);
            self.drop(&weights, share, 1);
            self.builder.attended(module, &weights, &v)
        };
        let b = &mut self.builder;
        let weight = b.parameter(&format!("{module}.out_proj.weight"), vec![n, n]);
        let bias = b.parameter(&format!("{module}.out_proj.bias"), vec![n]);
        let y = b.affine(module, &attended, &weight, Some(&bias));
        b.container(module, &y);
        y
    }

    fn drop(&mut self, value: &Value, share: f64, group: usize) {
        if share > 0.0 {
            self.dropped.push(Dropout {
                tensor: value.name.clone(),
                share,
                group,
            });
        }
    }
}

fn width(value: &Value) -> usize {
    value.shape.last().copied().unwrap_or(0)
}
