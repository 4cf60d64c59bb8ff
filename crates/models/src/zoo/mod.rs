//! Architectures that are known by name.
//!
//! An [`Architecture`] is data (description, citation, preprocessing) and a recipe that builds its
//! graph for the size of its preprocessing; with a state dict in torchvision's keys it becomes a
//! network.
//!
//! # Names of layers
//!
//! A layer is called as torch's module path (`layer1.0.conv2`), a container as its path too
//! (`layer1.0`). A module that is called several times in one pass, as the one `relu` of a ResNet
//! block, gives `layer1.0.relu`, `layer1.0.relu_1`, … in the order of the calls, and steps that are
//! no module have the names of torchvision's feature extraction (`layer1.0.add`, `flatten`).
//!
//! # Attention
//!
//! Tokens are rows, `(tokens, width)` for one image; [`Graph::layout`] says how many come before the
//! patches and how the patches lie in the picture, and which maps have their channels last. An
//! attention module's layer is what torch's hook sees, after the output projection. How much each
//! query attends to each key is a layer of its own, `NAME.attention_weights`, `(heads, queries,
//! keys)`, in Swin `(windows, heads, queries, keys)`.
//!
//! # Operators
//!
//! Convolution, pooling and normalisation are `Conv`, `MaxPool`, `AveragePool`,
//! `GlobalAveragePool`, `BatchNormalization` and `LayerNormalization`; linear maps `Gemm` and
//! `MatMul`; arithmetic `Add`, `Mul`, `Div`, `Min`, `Max`, `Clip`, `Exp`, `Erf`, `ReduceMean`,
//! `ReduceL2`; activations `Relu`, `LeakyRelu`, `PRelu`, `Sigmoid`, `HardSigmoid`, `HardSwish`,
//! `Tanh`, `Softmax`; shape `Reshape`, `Flatten`, `Transpose`, `Slice`, `Concat`, `Pad`, `Gather`.
//! All are read by operator set 17.

mod alexnet;
mod builder;
pub mod catalogue;
mod classes;
mod clip;
mod convnext;
mod cornet;
pub mod darknet;
mod demo;
mod densenet;
mod dino;
mod efficientnet;
mod face;
mod inception;
mod mnasnet;
mod mobilenet;
pub mod nuclei;
mod places365;
mod regnet;
mod resnet;
mod resnet_cifar;
mod shufflenet;
mod squeezenet;
mod state_dict;
mod swin;
mod two_roads;
mod vgg;
mod vit;

use std::fmt;
use std::sync::Arc;

use consilience_core::Citation;

use crate::graph::Graph;
use crate::preprocess::{Filter, Resize};
use crate::suggest::nearest;
use crate::{ModelError, Preprocessing, Result};
use builder::{Activation, Builder, Built, Conv, Pool, Value};

pub use classes::ClassNames;
pub use state_dict::StateDict;

/// An architecture without its weights.
#[derive(Debug, Clone)]
pub struct Architecture {
    /// Name, torchvision's where it has the architecture.
    pub name: String,
    /// Architectures that differ in depth or width only share it.
    pub family: &'static str,
    /// One sentence about it.
    pub description: String,
    /// Work to cite; `None` for this project's own.
    pub citation: Option<Citation>,
    /// Numbers that come out at the end: classes, or features of an embedding.
    pub n_classes: usize,
    /// Names of the classes, where there is a public list of them.
    pub class_names: Option<ClassNames>,
    /// What its usual weights expect done to an image.
    pub preprocessing: Preprocessing,
    recipe: Recipe,
    /// The present key for a key of older weight files.
    renamed: fn(&str) -> Option<String>,
}

/// Builds the graph onto the images and gives what the network is for.
#[derive(Clone)]
struct Recipe(Arc<Build>);

type Build = dyn Fn(&mut Builder, &Value) -> Value + Send + Sync;

impl Recipe {
    fn new(build: impl Fn(&mut Builder, &Value) -> Value + Send + Sync + 'static) -> Self {
        Self(Arc::new(build))
    }
}

impl fmt::Debug for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipe")
    }
}

/// All architectures, in alphabetical order.
#[must_use]
pub fn list() -> Vec<Architecture> {
    let mut all: Vec<Architecture> = [
        alexnet::entries(),
        clip::entries(),
        convnext::entries(),
        cornet::entries(),
        darknet::entries(),
        demo::entries(),
        densenet::entries(),
        dino::entries(),
        efficientnet::entries(),
        face::entries(),
        inception::entries(),
        mnasnet::entries(),
        mobilenet::entries(),
        regnet::entries(),
        resnet::entries(),
        resnet_cifar::entries(),
        shufflenet::entries(),
        squeezenet::entries(),
        swin::entries(),
        two_roads::entries(),
        vgg::entries(),
        vit::entries(),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

/// The architecture called `name`.
///
/// # Errors
///
/// [`ModelError::UnknownModel`] with the nearest names.
///
/// # Example
///
/// ```
/// use consilience_models::zoo;
///
/// assert_eq!(zoo::find("squeezenet1_1")?.n_classes, 1000);
/// let error = zoo::find("squeezenet11").unwrap_err();
/// assert!(error.to_string().contains("squeezenet1_1"));
/// # Ok::<(), consilience_models::ModelError>(())
/// ```
pub fn find(name: &str) -> Result<Architecture> {
    let mut all = list();
    match all
        .iter()
        .position(|architecture| architecture.name == name)
    {
        Some(idx) => Ok(all.swap_remove(idx)),
        None => {
            let names = all.iter().map(|architecture| architecture.name.as_str());
            Err(ModelError::UnknownModel {
                name: name.to_owned(),
                nearest: nearest(name, names, 2),
            })
        }
    }
}

/// Both sides become `side` pixels long, whatever the proportion.
fn square(side: usize) -> Resize {
    Resize::Exact {
        height: side,
        width: side,
        filter: Filter::Bilinear,
    }
}

impl Architecture {
    /// An architecture for ImageNet's 1000 classes with the preprocessing of torchvision's first
    /// weights for it, or the usual one; what differs is to be overwritten.
    fn imagenet(
        name: impl Into<String>,
        family: &'static str,
        description: impl Into<String>,
        recipe: impl Fn(&mut Builder, &Value) -> Value + Send + Sync + 'static,
    ) -> Self {
        let name = name.into();
        Self {
            preprocessing: Preprocessing::torchvision(&name, "IMAGENET1K_V1").unwrap_or_default(),
            name,
            family,
            description: description.into(),
            citation: None,
            n_classes: 1000,
            class_names: Some(classes::IMAGENET),
            recipe: Recipe::new(recipe),
            renamed: |_| None,
        }
    }

    /// The work to cite for it, in one line, and its digital object identifier if it has one.
    fn cite(mut self, text: &str, doi: Option<&str>) -> Self {
        self.citation = Some(Citation {
            text: text.to_owned(),
            doi: doi.map(str::to_owned),
            used_for: format!("network {}", self.name),
        });
        self
    }

    /// The graph without weights for the size of [`Architecture::preprocessing`]: layer names are
    /// there, numbers are not.
    ///
    /// # Errors
    ///
    /// As [`Architecture::skeleton_at`].
    pub fn skeleton(&self) -> Result<Graph> {
        Ok(self.build()?.graph)
    }

    /// The graph without weights for images of `[height, width]`.
    ///
    /// # Errors
    ///
    /// [`ModelError::TooSmallFor`] where a window is larger than what is left of the image.
    pub fn skeleton_at(&self, size: [usize; 2]) -> Result<Graph> {
        Ok(self.build_at(size)?.graph)
    }

    /// Height and width of the images that the graph is built for: those of the preprocessing, or
    /// 224 × 224 where it leaves them open.
    #[must_use]
    pub fn size(&self) -> [usize; 2] {
        self.preprocessing.fixed_size().unwrap_or([224, 224])
    }

    fn build(&self) -> Result<Built> {
        self.build_at(self.size())
    }

    fn build_at(&self, size: [usize; 2]) -> Result<Built> {
        let (mut builder, input) = Builder::new(&self.name, size);
        let output = (self.recipe.0)(&mut builder, &input);
        let built = builder.finish(&output);
        match built.too_small {
            Some(layer) => Err(ModelError::TooSmallFor {
                architecture: self.name.clone(),
                size,
                layer,
            }),
            None => Ok(built),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::graph::{Layout, TokenGrid};

    #[test]
    fn torchvision_names_its_layers_so() {
        let names = |architecture: &str| -> Vec<String> {
            let graph = find(architecture).unwrap().skeleton().unwrap();
            graph.layers.into_iter().map(|layer| layer.name).collect()
        };
        let squeezenet = names("squeezenet1_1");
        assert_eq!(squeezenet.len(), 5 + 8 * 7 + 6);
        assert_eq!(
            squeezenet[3..10],
            [
                "features.3.squeeze",
                "features.3.squeeze_activation",
                "features.3.expand1x1",
                "features.3.expand1x1_activation",
                "features.3.expand3x3",
                "features.3.expand3x3_activation",
                "features.3",
            ]
        );
        assert_eq!(
            squeezenet[squeezenet.len() - 6..],
            [
                "features",
                "classifier.0",
                "classifier.1",
                "classifier.2",
                "classifier.3",
                "classifier"
            ]
        );
        assert_eq!(
            names("consilience_demo"),
            [
                "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "conv3", "relu3", "pool3",
                "conv4", "relu4", "avgpool", "fc"
            ]
        );
        // torchvision counts 1,248,424 parameters in squeezenet1_0 and 1,235,496 in squeezenet1_1.
        let n_parameters = |architecture: &str| -> usize {
            let parameters = find(architecture).unwrap().parameters().unwrap();
            parameters
                .values()
                .map(|shape| shape.iter().product::<usize>())
                .sum()
        };
        assert_eq!(n_parameters("squeezenet1_0"), 1_248_424);
        assert_eq!(n_parameters("squeezenet1_1"), 1_235_496);
    }

    #[test]
    fn a_star_selects_every_module() {
        let squeezenet = find("squeezenet1_1").unwrap().skeleton().unwrap();
        let selected = squeezenet.select(&["*"]).unwrap();
        let names: Vec<&str> = selected.iter().map(|layer| layer.name.as_str()).collect();
        for name in [
            "features.0",
            "features.12",
            "features",
            "classifier.0",
            "classifier.3",
        ] {
            assert!(names.contains(&name), "{name} is missing");
        }
        // `features` has 13 modules, 8 of them Fire modules with 6 parts; the classifier has 4; and
        // there are the two containers.
        assert_eq!(names.len(), 13 + 8 * 6 + 4 + 2);
    }

    #[test]
    fn names_are_sorted_and_distinct() {
        let names: Vec<String> = list().into_iter().map(|a| a.name).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }

    #[test]
    fn every_graph_is_whole() {
        for architecture in list() {
            let name = &architecture.name;
            let built = architecture.build().unwrap();
            let graph = built.graph;
            let mut made: HashSet<&str> = graph.initialisers.keys().map(String::as_str).collect();
            made.extend(built.parameters.keys().map(String::as_str));
            made.insert("input");
            for node in &graph.nodes {
                for input in &node.inputs {
                    assert!(made.contains(input.as_str()), "{name}: {input}");
                }
                for output in &node.outputs {
                    assert!(made.insert(output), "{name}: {output} is made twice");
                }
            }
            let mut layers = HashSet::new();
            for layer in &graph.layers {
                assert!(made.contains(layer.tensor.as_str()), "{name}: {layer:?}");
                assert!(
                    layers.insert(&layer.name),
                    "{name}: {layer:?} is named twice"
                );
            }
            assert!(made.contains(graph.outputs[0].as_str()), "{name}");
        }
    }

    #[test]
    fn tokens_and_channels_are_laid_out_as_stated() {
        let layout = |architecture: &str, layer: &str| {
            let graph = find(architecture).unwrap().skeleton().unwrap();
            let found = graph.layers.iter().find(|l| l.name == layer).unwrap();
            graph.layout(&found.tensor)
        };
        let tokens = |n_prefix, side| {
            Layout::Tokens(TokenGrid {
                n_prefix,
                height: side,
                width: side,
            })
        };
        let last = "encoder.layers.encoder_layer_11";
        assert_eq!(layout("vit_b_32", last), tokens(1, 7));
        assert_eq!(layout("vit_b_32", "conv_proj"), Layout::ChannelsFirst);
        let weights = format!("{last}.self_attention.attention_weights");
        assert_eq!(layout("vit_b_32", &weights), Layout::ChannelsFirst);
        let clip = "visual.transformer.resblocks.11.mlp.gelu";
        assert_eq!(layout("clip_vit_b_32", clip), tokens(1, 7));
        assert_eq!(layout("dino_vits16", "blocks.11"), tokens(1, 14));
        assert_eq!(layout("dinov2_vits14_reg", "norm"), tokens(5, 16));
        assert_eq!(layout("swin_t", "features.3.1"), Layout::ChannelsLast);
        assert_eq!(layout("swin_t", "permute"), Layout::ChannelsFirst);
        assert_eq!(
            layout("convnext_tiny", "features.1.0.block.3"),
            Layout::ChannelsLast
        );
        assert_eq!(
            layout("convnext_tiny", "features.1.0.block.6"),
            Layout::ChannelsFirst
        );
        assert_eq!(
            layout("convnext_tiny", "features.1.0"),
            Layout::ChannelsFirst
        );
    }

    #[test]
    fn any_size_is_a_graph_or_an_error() {
        for architecture in list() {
            for size in [[1, 1], [7, 3], [33, 65]] {
                match architecture.skeleton_at(size) {
                    Ok(graph) => assert!(!graph.nodes.is_empty()),
                    Err(error) => assert!(
                        matches!(error, ModelError::TooSmallFor { .. }),
                        "{}: {error}",
                        architecture.name
                    ),
                }
            }
        }
    }
}
