//! Grad-CAM: which positions of a layer speak for a class.

mod maps;
mod overlay;
mod params;

use consilience_io::image;
use consilience_models::graph::{Layout, TokenGrid};
use consilience_models::{Images, Layer, Network, Preprocessing};
use ndarray::{Array3, Array4, ArrayD, ArrayView3, Axis, Ix2, Ix3, IxDyn, s};
use rayon::prelude::*;

use crate::differentiable::{Differentiable, ImageGradients, Scalar};
use crate::error::{LearnError, Result};

pub use maps::{filter_maps, map};
pub use overlay::{overlay, seen};
pub use params::{Filters, GradCamParams, Target};

/// A layer as its maps will come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CamLayer {
    /// Name.
    pub name: String,
    /// Number of channels.
    pub n_channels: usize,
    /// Height and width of the maps.
    pub size: [usize; 2],
    /// Where channels and positions are in the layer's values.
    pub layout: Layout,
}

/// The maps of one image at one layer.
#[derive(Debug)]
pub struct CamBlock<'a> {
    /// Index into [`GradCam::layers`].
    pub layer_idx: usize,
    /// Index of the image.
    pub image_idx: usize,
    /// The class that is explained.
    pub class: usize,
    /// `(1, h, w)`, or `(n_channels, h, w)` for maps of filters.
    pub maps: ArrayView3<'a, f32>,
}

/// A network that is ready to explain its classes at chosen layers, all in one backward pass.
pub struct GradCam {
    /// The layers in the order they were asked for, those left out excepted.
    pub layers: Vec<CamLayer>,
    /// Layers that no positions can be told of, with their shapes.
    pub left_out: Vec<(String, Vec<usize>)>,
    selected: Vec<Layer>,
    differentiable: Differentiable,
    preprocessing: Preprocessing,
    params: GradCamParams,
}

impl GradCam {
    /// Takes the network's weights and finds out the shapes of `layers` by running one black image.
    ///
    /// # Errors
    ///
    /// [`LearnError::NoPositions`] when no layer is left, [`LearnError::InputShape`] when the
    /// preprocessing does not give what the network takes, [`LearnError::UnknownOperator`].
    pub fn prepare(network: &Network, layers: &[Layer], params: &GradCamParams) -> Result<Self> {
        let differentiable = Differentiable::new(network);
        let free = |axis: usize| {
            let input = network.graph.inputs.first();
            input
                .and_then(|input| *input.shape.get(axis)?)
                .unwrap_or(224)
        };
        let [height, width] = network
            .preprocessing
            .fixed_size()
            .unwrap_or([free(2), free(3)]);
        let black = Array4::zeros((1, 3, height, width));
        let activations = differentiable.forward(black.view(), layers)?;
        let mut cam = Self {
            layers: Vec::new(),
            left_out: Vec::new(),
            selected: Vec::new(),
            differentiable,
            preprocessing: network.preprocessing.clone(),
            params: *params,
        };
        for (layer, activation) in layers.iter().zip(&activations) {
            let layout = network.graph.layout(&layer.tensor);
            let activation = activation.index_axis(Axis(0), 0).to_owned();
            let shape = activation.shape().to_vec();
            match positions(activation, layout) {
                Some(map) => {
                    let (n_channels, height, width) = map.dim();
                    cam.selected.push(layer.clone());
                    cam.layers.push(CamLayer {
                        name: layer.name.clone(),
                        n_channels,
                        size: [height, width],
                        layout,
                    });
                }
                None => cam.left_out.push((layer.name.clone(), shape)),
            }
        }
        match cam.left_out.first() {
            Some((layer, shape)) if cam.layers.is_empty() => Err(LearnError::NoPositions {
                layer: layer.clone(),
                shape: shape.clone(),
            }),
            _ => Ok(cam),
        }
    }

    /// Maps of the images, delivered in their order.
    ///
    /// `sink` gets one [`CamBlock`] for each image and layer, image by image, layers in order;
    /// `progress` gets the number of images that are done. Memory stays at two images for each thread.
    /// The blocks are the same for any number of threads.
    ///
    /// # Errors
    ///
    /// The sink's own error, an image that cannot be read or has another size than the first,
    /// [`LearnError::UnknownClass`], [`LearnError::NonFinite`]. What was delivered before stays
    /// delivered.
    pub fn run<E: From<LearnError>>(
        &self,
        images: Images<'_>,
        mut sink: impl FnMut(CamBlock<'_>) -> std::result::Result<(), E>,
        mut progress: impl FnMut(usize),
    ) -> std::result::Result<(), E> {
        let window = 2 * rayon::current_num_threads();
        let mut done = 0;
        while done < images.len() {
            let block = done..images.len().min(done + window);
            let of_images = block
                .clone()
                .into_par_iter()
                .map(|image_idx| self.image_maps(images, image_idx))
                .collect::<Result<Vec<_>>>()?;
            for (image_idx, (class, of_layers)) in block.clone().zip(&of_images) {
                for (layer_idx, maps) in of_layers.iter().enumerate() {
                    sink(CamBlock {
                        layer_idx,
                        image_idx,
                        class: *class,
                        maps: maps.view(),
                    })?;
                }
                progress(image_idx + 1);
            }
            done = block.end;
        }
        Ok(())
    }

    fn image_maps(
        &self,
        images: Images<'_>,
        image_idx: usize,
    ) -> Result<(usize, Vec<Array3<f32>>)> {
        let input = match images {
            Images::Files(paths) => {
                let orientation = self.preprocessing.orientation;
                let picture = image::read_oriented(&paths[image_idx], orientation)?;
                self.preprocessing.apply(&picture)?
            }
            Images::Decoded(pictures) => self.preprocessing.apply(&pictures[image_idx])?,
        };
        let scalar = match self.params.target {
            Target::Max => Scalar::MaxClass,
            Target::Class(class) => Scalar::Class(class),
        };
        self.differentiable
            .check(input.view().insert_axis(Axis(0)))?;
        let ImageGradients {
            class,
            activations,
            gradients,
            ..
        } = self.differentiable.image_gradients(
            image_idx,
            input.view(),
            &self.selected,
            &scalar,
        )?;
        let maps = self
            .layers
            .iter()
            .zip(activations.into_iter().zip(gradients))
            .map(|(layer, (activation, gradient))| self.layer_maps(layer, activation, gradient))
            .collect::<Result<_>>()?;
        Ok((class.unwrap_or_default(), maps))
    }

    fn layer_maps(
        &self,
        layer: &CamLayer,
        activation: ArrayD<f32>,
        gradient: ArrayD<f32>,
    ) -> Result<Array3<f32>> {
        let [height, width] = layer.size;
        let expected = (layer.n_channels, height, width);
        let positioned = |values: ArrayD<f32>| -> Result<Array3<f32>> {
            let found = values.shape().to_vec();
            let map = positions(values, layer.layout).filter(|map| map.dim() == expected);
            map.ok_or_else(|| LearnError::ShapeMismatch {
                what: "the layer of an image of another size",
                expected: vec![layer.n_channels, height, width],
                found,
            })
        };
        let (activation, gradient) = (positioned(activation)?, positioned(gradient)?);
        match self.params.filters {
            Some(filters) => filter_maps(activation.view(), gradient.view(), filters),
            None => Ok(map(activation.view(), gradient.view())?.insert_axis(Axis(0))),
        }
    }
}

/// One image's values of a layer as `(channels, height, width)`; `None` when they have no positions.
///
/// Tokens that stand for no place (the class token, registers) are left out.
pub fn positions(values: ArrayD<f32>, layout: Layout) -> Option<Array3<f32>> {
    match layout {
        Layout::ChannelsFirst => values.into_dimensionality::<Ix3>().ok(),
        Layout::ChannelsLast => {
            let map = values.into_dimensionality::<Ix3>().ok()?;
            Some(map.permuted_axes([2, 0, 1]))
        }
        Layout::Tokens(grid) => {
            let TokenGrid {
                n_prefix,
                height,
                width,
            } = grid;
            let tokens = values.into_dimensionality::<Ix2>().ok()?;
            if tokens.nrows() != grid.n_tokens() {
                return None;
            }
            let n_channels = tokens.ncols();
            let patches = tokens.slice(s![n_prefix.., ..]).to_owned();
            let map = patches
                .into_shape_with_order((height, width, n_channels))
                .ok()?;
            Some(map.permuted_axes([2, 0, 1]))
        }
    }
}

/// Maps of all images in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct CamMaps {
    /// The layers.
    pub layers: Vec<CamLayer>,
    /// The class that was explained, for each image.
    pub classes: Vec<usize>,
    /// `(n_images, h, w)` for each layer, or `(n_images, n_channels, h, w)` for maps of filters.
    pub maps: Vec<ArrayD<f32>>,
}

/// Grad-CAM maps of `images` at `layers`; see [`map()`] for the definition.
///
/// # Errors
///
/// As [`GradCam::prepare`] and [`GradCam::run`].
///
/// # Example
///
/// ```no_run
/// use consilience_learn::{GradCamParams, gradcam};
/// use consilience_models::{Images, Network};
///
/// let network = Network::from_zoo("squeezenet1_1", "squeezenet1_1.safetensors".as_ref())?;
/// let layers = network.select(&["features.12"])?;
/// let pictures = ["cat.png".into()];
/// let maps = gradcam(&network, &layers, Images::Files(&pictures), &GradCamParams::default())?;
/// assert_eq!(maps.maps[0].shape(), [1, 13, 13]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn gradcam(
    network: &Network,
    layers: &[Layer],
    images: Images<'_>,
    params: &GradCamParams,
) -> Result<CamMaps> {
    let cam = GradCam::prepare(network, layers, params)?;
    let mut classes = vec![0; images.len()];
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); cam.layers.len()];
    cam.run(
        images,
        |block| {
            classes[block.image_idx] = block.class;
            values[block.layer_idx].extend(block.maps.iter());
            Ok::<(), LearnError>(())
        },
        |_| {},
    )?;
    let maps = cam.layers.iter().zip(values).map(|(layer, values)| {
        let [height, width] = layer.size;
        let shape = match params.filters {
            Some(_) => vec![images.len(), layer.n_channels, height, width],
            None => vec![images.len(), height, width],
        };
        ArrayD::from_shape_vec(IxDyn(&shape), values).expect("every image gave its maps")
    });
    Ok(CamMaps {
        maps: maps.collect(),
        layers: cam.layers.clone(),
        classes,
    })
}
