//! A module of nuclei as it is trained and looked into.

use std::collections::BTreeMap;

use consilience_core::NucleusInfo;
use consilience_methods::emotion::attention_entropy;
use consilience_models::Graph;
use consilience_models::graph::{Attribute, Element, Input, Node, Tensor};
use consilience_models::nuclei::{Dropout, Features, Nuclei, Nucleus, Variant};
use ndarray::{Array2, ArrayD, ArrayView2};
use serde::{Deserialize, Serialize};

use super::VisualEmotionError;
use super::forward::{Change, Forward};
use super::tokens::{by_stimulus, by_token};
use crate::error::Result;

/// Keys of the linear map in front of the nuclei.
const ADAPTER: [&str; 2] = ["adapter.weight", "adapter.bias"];

/// What a module is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// `"I"` to `"IV"`, or the name of a file with nuclei.
    pub name: String,
    /// Its nuclei.
    pub nuclei: Nuclei,
    /// Width of what the nuclei read, made from the features by a linear map that is trained with them; `None` for the features
    /// themselves.
    pub adapter: Option<usize>,
    /// Tokens of each stimulus that its nuclei read, at least 2; `None` for one vector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
}

impl Structure {
    /// One of the four of Liu et al. 2025 on features of `n_features` numbers.
    ///
    /// Without a width it has that of the features, as published. With one, a linear map brings the features to it, and the nuclei
    /// shrink in proportion to those on 768 features: 256 becomes a third of the width, 512 twice that.
    #[must_use]
    pub fn variant(variant: Variant, n_features: usize, width: Option<usize>) -> Self {
        let mut nuclei = variant.nuclei(width.unwrap_or(n_features));
        if let Some(width) = width {
            // The heads of CE divide the sum of the widths.
            let third = (width / 3).max(1);
            for nucleus in &mut nuclei.nucleus {
                for of_map in &mut nucleus.widths {
                    *of_map = match nucleus.name.as_str() {
                        "CE" => width + 2 * third,
                        "LA" => width,
                        _ => third,
                    };
                }
                if let Some(transformer) = &mut nucleus.transformer {
                    transformer.hidden = 2 * third;
                }
            }
        }
        Self {
            name: variant.name().to_owned(),
            nuclei,
            adapter: width,
            tokens: None,
        }
    }

    fn width(&self, n_features: usize) -> Features {
        let width = self.adapter.unwrap_or(n_features);
        match self.tokens {
            None => Features::Vector { width },
            Some(n) => Features::Tokens { n, width },
        }
    }

    /// The same with about `n_parameters` trainable numbers.
    ///
    /// # Errors
    ///
    /// [`NucleiError`](consilience_models::nuclei::NucleiError).
    pub fn matched_to(
        &self,
        n_parameters: usize,
        n_features: usize,
        n_ratings: usize,
    ) -> Result<Self> {
        let of_adapter = self.adapter.map_or(0, |width| width * (n_features + 1));
        let rest = n_parameters.saturating_sub(of_adapter);
        let features = self.width(n_features);
        let nuclei = self.nuclei.matched_to(rest, features, n_ratings);
        Ok(Self {
            nuclei: nuclei.map_err(VisualEmotionError::from)?,
            ..self.clone()
        })
    }

    /// The module as a network on `n_features` numbers of a stimulus, or of each of its tokens.
    ///
    /// # Errors
    ///
    /// [`NucleiError`](consilience_models::nuclei::NucleiError).
    pub fn wired(&self, n_features: usize, n_ratings: usize) -> Result<Wired> {
        let module = self.nuclei.build(self.width(n_features), n_ratings);
        let module = module.map_err(VisualEmotionError::from)?;
        let (mut graph, mut parameters) = (module.graph, module.parameters);
        if let Some(width) = self.adapter {
            adapt(&mut graph, n_features, width, self.tokens);
            parameters.insert(ADAPTER[0].to_owned(), vec![width, n_features]);
            parameters.insert(ADAPTER[1].to_owned(), vec![width]);
        }
        Ok(Wired {
            structure: self.nuclei.clone(),
            has_adapter: self.adapter.is_some(),
            tokens: self.tokens,
            copies: module.copies,
            graph,
            parameters,
            dropped: module.dropped,
            nuclei: module.nuclei,
            n_ratings,
        })
    }

    /// Its nuclei as a record tells them.
    #[must_use]
    pub fn described(&self, wired: &Wired) -> Vec<NucleusInfo> {
        let nuclei = self.nuclei.nucleus.iter().zip(&wired.nuclei);
        nuclei
            .map(|(nucleus, (name, width))| NucleusInfo {
                name: name.clone(),
                width: *width,
                unit: match (&nucleus.transformer, nucleus.widths.is_empty()) {
                    (Some(_), true) => "transformer",
                    (Some(_), false) => "transformer and linear",
                    (None, true) => "relay",
                    (None, false) => "linear",
                }
                .to_owned(),
                reads: nucleus.reads.clone(),
                inhibited_by: nucleus.inhibited_by.clone(),
                feedback: nucleus.feedback.clone(),
                attention_entropy: None,
            })
            .collect()
    }
}

/// Puts a linear map between the features and what the nuclei read, of `width` numbers.
fn adapt(graph: &mut Graph, n_features: usize, width: usize, tokens: Option<usize>) {
    let mut shape = vec![None, Some(n_features)];
    if let Some(n) = tokens {
        shape.insert(1, Some(n));
    }
    let visual = std::mem::replace(
        &mut graph.inputs,
        vec![Input {
            name: "features".to_owned(),
            shape,
        }],
    );
    let visual: Vec<String> = visual.into_iter().map(|input| input.name).collect();
    let [weight, bias] = ADAPTER.map(str::to_owned);
    let map = |from: &str, to: Vec<String>| Node {
        name: "adapter".to_owned(),
        op: "Gemm".to_owned(),
        inputs: vec![from.to_owned(), weight, bias],
        outputs: to,
        attributes: BTreeMap::from([("transB".to_owned(), Attribute::Int(1))]),
        ..Node::default()
    };
    let Some(n) = tokens else {
        graph.nodes.insert(0, map("features", visual));
        return;
    };
    // The map is of matrices: a row for each token.
    let mut reshape = |from: &str, to: Vec<String>, shape: &[usize]| {
        let name = format!("{}/shape", to[0]);
        let extents = [-1].into_iter().chain(shape.iter().map(|&n| n as i64));
        let bytes: Vec<u8> = extents.flat_map(i64::to_le_bytes).collect();
        let extents = Tensor::from_bytes(Element::I64, vec![1 + shape.len()], bytes.into());
        let extents = extents.expect("eight bytes for each integer");
        graph.initialisers.insert(name.clone(), extents);
        Node {
            name: to[0].clone(),
            op: "Reshape".to_owned(),
            inputs: vec![from.to_owned(), name],
            outputs: to,
            ..Node::default()
        }
    };
    let [rows, mapped] = ["adapter/rows", "adapter/gemm"];
    let nodes = [
        reshape("features", vec![rows.to_owned()], &[n_features]),
        map(rows, vec![mapped.to_owned()]),
        reshape(mapped, visual, &[n, width]),
    ];
    graph.nodes.splice(..0, nodes);
}

/// How a nucleus gets values of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It reads them.
    Reads,
    /// They are subtracted before its last rectifier.
    Inhibits,
    /// Those of the step before are added there.
    Feedback,
}

impl Link {
    /// As records call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Inhibits => "inhibition",
            Self::Feedback => "feedback",
        }
    }
}

/// A connection from one nucleus to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The nucleus whose values go along it.
    pub from: String,
    /// The nucleus that gets them.
    pub to: String,
    /// How.
    pub kind: Link,
}

/// A module as a network on features `(n, n_features)` that gives `(n, n_ratings)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Wired {
    /// The network; its parameters have no numbers yet.
    pub graph: Graph,
    /// Keys and shapes of its parameters.
    pub parameters: BTreeMap<String, Vec<usize>>,
    /// What is dropped in training.
    pub dropped: Vec<Dropout>,
    /// Parameters that begin as copies of others.
    pub copies: BTreeMap<String, String>,
    /// Nuclei with their widths, in their order.
    pub nuclei: Vec<(String, usize)>,
    structure: Nuclei,
    has_adapter: bool,
    /// Tokens of a stimulus.
    pub(super) tokens: Option<usize>,
    n_ratings: usize,
}

impl Wired {
    /// Number of trainable numbers.
    #[must_use]
    pub fn n_parameters(&self) -> usize {
        let shapes = self.parameters.values();
        let size = |shape: &Vec<usize>| shape.iter().fold(1, |n: usize, &m| n.saturating_mul(m));
        shapes.map(size).fold(0, usize::saturating_add)
    }

    /// Units of all nuclei.
    #[must_use]
    pub fn n_units(&self) -> usize {
        self.nuclei.iter().map(|(_, width)| width).sum()
    }

    /// Outputs.
    #[must_use]
    pub fn n_ratings(&self) -> usize {
        self.n_ratings
    }

    /// The units of each nucleus among all.
    #[must_use]
    pub fn ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut first = 0;
        let nuclei = self.nuclei.iter();
        nuclei
            .map(|(_, width)| {
                first += width;
                first - width..first
            })
            .collect()
    }

    /// Connections between nuclei, those of the first nucleus that gets something first; what comes from the features is none.
    #[must_use]
    pub fn connections(&self) -> Vec<Connection> {
        let nuclei = self.structure.nucleus.iter();
        let of = |to: &Nucleus| {
            let kinds = [
                (&to.reads, Link::Reads),
                (&to.inhibited_by, Link::Inhibits),
                (&to.feedback, Link::Feedback),
            ];
            let to = to.name.clone();
            let all = kinds.into_iter().flat_map(move |(sources, kind)| {
                let to = to.clone();
                let nuclei = sources.iter().filter(|source| *source != "visual");
                nuclei.map(move |from| Connection {
                    from: from.clone(),
                    to: to.clone(),
                    kind,
                })
            });
            all.collect::<Vec<_>>()
        };
        nuclei.flat_map(of).collect()
    }

    /// What the nuclei read of features.
    pub(super) fn visual(
        &self,
        weights: &BTreeMap<String, ArrayD<f32>>,
        features: ArrayView2<'_, f32>,
    ) -> Array2<f32> {
        let forward = self.forward(weights);
        match (self.has_adapter, self.tokens) {
            (false, _) => features.to_owned(),
            (true, None) => forward.linear("adapter", features),
            (true, Some(n)) => {
                let rows = by_token(features, n);
                by_stimulus(forward.linear("adapter", rows.view()), n)
            }
        }
    }

    pub(super) fn forward<'a>(&'a self, weights: &'a BTreeMap<String, ArrayD<f32>>) -> Forward<'a> {
        Forward {
            nuclei: &self.structure,
            weights,
            tokens: self.tokens,
        }
    }

    /// Units of all nuclei, `(n, n_units)`, and ratings, `(n, n_ratings)`, of features; with tokens `(n, tokens · n_features)`, of whose
    /// units the mean is taken.
    ///
    /// # Panics
    ///
    /// When the weights are not those of the module.
    #[must_use]
    pub fn read(
        &self,
        weights: &BTreeMap<String, ArrayD<f32>>,
        features: ArrayView2<'_, f32>,
    ) -> (Array2<f32>, Array2<f32>) {
        let visual = self.visual(weights, features);
        self.forward(weights).run(visual.view(), Change::None)
    }

    /// Entropy of the attention of each nucleus as a share of that of even attention, ln tokens: mean over layers, heads, queries, steps and
    /// stimuli; `None` for nuclei that do not attend, or to one token.
    ///
    /// # Errors
    ///
    /// Those of [`attention_entropy`](consilience_methods::emotion::attention_entropy).
    ///
    /// # Panics
    ///
    /// When the weights are not those of the module.
    pub fn attention(
        &self,
        weights: &BTreeMap<String, ArrayD<f32>>,
        features: ArrayView2<'_, f32>,
    ) -> Result<Vec<Option<f64>>> {
        let visual = self.visual(weights, features);
        let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let mut failed = None;
        self.forward(weights)
            .watched(
                visual.view(),
                Change::None,
                &mut |nucleus, attention| match attention_entropy(attention.mapv(f64::from).view())
                {
                    Ok(entropy) => {
                        let of_nucleus = found.entry(nucleus.to_owned()).or_default();
                        of_nucleus.extend(entropy.normalised);
                    }
                    Err(error) => failed = Some(error),
                },
            );
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mean = |name: &String| {
            let all = found.get(name).filter(|all| !all.is_empty())?;
            Some(all.iter().sum::<f64>() / all.len() as f64)
        };
        Ok(self.nuclei.iter().map(|(name, _)| mean(name)).collect())
    }
}
