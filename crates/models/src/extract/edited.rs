//! Networks with edits: finding out what the edits need, then applying them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use consilience_io::npy;
use consilience_io::weights::WeightsFile;

use super::{ExtractParams, Extractor, Pool, Source};
use crate::graph::{Edit, EditInputs, Fill, Head, Linear, Tensor};
use crate::{ModelError, Network, Result};

impl Network {
    /// The network with the edits; see [`Graph::edited`](crate::Graph::edited) and
    /// [`Edit`].
    ///
    /// Shapes of layers are found by running a black image, means by running `images` through the
    /// network without edits (one more pass, only when an edit wants a mean), new weights are read.
    ///
    /// # Errors
    ///
    /// [`ModelError::UnknownLayer`], [`ModelError::Edit`], a file that cannot be read, and what
    /// running the network can end with.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use consilience_models::{ExtractParams, Images, Network};
    ///
    /// let network = Network::from_zoo("squeezenet1_1", "squeezenet1_1.safetensors".as_ref())?;
    /// let edits = ["lesion layer=features.8 channels=3,5-9".parse().unwrap()];
    /// let lesioned = network.edited(&edits, Images::Files(&[]), &ExtractParams::default())?;
    /// # Ok::<(), consilience_models::ModelError>(())
    /// ```
    pub fn edited<'a>(
        &self,
        edits: &[Edit],
        images: impl Into<Source<'a>>,
        params: &ExtractParams,
    ) -> Result<Network> {
        let images = images.into();
        let wanting: BTreeSet<&str> = edits
            .iter()
            .filter(|edit| edit.needs_mean() && !images.is_empty())
            .map(Edit::layer)
            .collect();
        let means = match wanting.is_empty() {
            true => BTreeMap::new(),
            false => self.means(&wanting, images, params)?,
        };
        self.edited_with(edits, |given| given.means.clone_from(&means), params)
    }

    /// The network with the edits as far as its form goes: every mean counts as zero. Tells whether the
    /// edits fit, which layers there are, and their shapes, without running an image.
    ///
    /// # Errors
    ///
    /// As [`Network::edited`].
    pub fn edited_in_form(&self, edits: &[Edit], params: &ExtractParams) -> Result<Network> {
        let zeros = |given: &mut EditInputs| {
            let n_units = |shape: &Vec<usize>| vec![0.0; shape.iter().product()];
            let means = given.shapes.iter();
            given.means = means
                .map(|(layer, s)| (layer.clone(), n_units(s)))
                .collect();
        };
        self.edited_with(edits, zeros, params)
    }

    fn edited_with(
        &self,
        edits: &[Edit],
        means: impl Fn(&mut EditInputs),
        params: &ExtractParams,
    ) -> Result<Network> {
        let mut network = self.clone();
        // A new head changes the shapes that the edits after it meet.
        for edits in edits.chunk_by(|before, _| !matches!(before, Edit::ReplaceHead { .. })) {
            let mut given = EditInputs {
                shapes: network.shapes(edits, params)?,
                ..EditInputs::default()
            };
            means(&mut given);
            read_files(edits, &mut given)?;
            network.graph = network.graph.edited(edits, &given)?;
        }
        Ok(network)
    }

    /// Shapes of the layers whose shapes the edits need.
    fn shapes(
        &self,
        edits: &[Edit],
        params: &ExtractParams,
    ) -> Result<BTreeMap<String, Vec<usize>>> {
        let wanting: BTreeSet<&str> = edits
            .iter()
            .filter(|edit| edit.needs_shape())
            .map(Edit::layer)
            .collect();
        let layers: Vec<_> = self
            .layers()
            .iter()
            .filter(|layer| wanting.contains(layer.name.as_str()))
            .cloned()
            .collect();
        // A name that is no layer is for the graph to complain about.
        if layers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let params = ExtractParams {
            n_threads: 1,
            pool: Pool::None,
            ..params.clone()
        };
        let probed = Extractor::prepare(self, &layers, &params)?;
        let shapes = probed.layers.into_iter();
        Ok(shapes.map(|layer| (layer.name, layer.shape)).collect())
    }

    /// Mean of each unit of each layer over the images (frames of films each count as one), summed in 64 bits in the images' order.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the mean of f32 is within their range"
    )]
    fn means(
        &self,
        layers: &BTreeSet<&str>,
        images: Source<'_>,
        params: &ExtractParams,
    ) -> Result<BTreeMap<String, Vec<f32>>> {
        let wanted: Vec<&str> = layers.iter().copied().collect();
        let known = self.layers().iter();
        let chosen: Vec<_> = known
            .filter(|layer| wanted.contains(&layer.name.as_str()))
            .cloned()
            .collect();
        if chosen.is_empty() {
            return Ok(BTreeMap::new());
        }
        let params = ExtractParams {
            pool: Pool::None,
            ..params.clone()
        };
        let extractor = Extractor::prepare(self, &chosen, &params)?;
        let layers = extractor.layers.clone();
        let mut sums: Vec<Vec<f64>> = layers
            .iter()
            .map(|layer| match layer.alias_of {
                Some(_) => Vec::new(),
                None => vec![0.0; layer.n_features],
            })
            .collect();
        extractor.run(
            images,
            |block| -> Result<()> {
                for row in block.rows.rows() {
                    for (sum, value) in sums[block.layer_idx].iter_mut().zip(row) {
                        *sum += f64::from(*value);
                    }
                }
                Ok(())
            },
            |_| {},
        )?;
        let n_images = images.len() as f64;
        Ok(layers
            .iter()
            .enumerate()
            .map(|(idx, layer)| {
                let sums = &sums[layer.alias_of.unwrap_or(idx)];
                let means = sums.iter().map(|sum| (sum / n_images) as f32).collect();
                (layer.name.clone(), means)
            })
            .collect())
    }
}

fn read_files(edits: &[Edit], given: &mut EditInputs) -> Result<()> {
    for edit in edits {
        match edit {
            Edit::Lesion {
                with: Fill::MeanIn(file),
                ..
            } => {
                let values = npy::read(file)?.into_f64();
                #[allow(clippy::cast_possible_truncation, reason = "activations are f32")]
                let values = values.iter().map(|value| *value as f32).collect();
                given.mean_files.insert(file.clone(), values);
            }
            Edit::ReplaceHead {
                layer,
                head: Head::Weights(file),
            } => {
                let linear = read_head(layer, file).map_err(|error| error.at(file))?;
                given.heads.insert(file.clone(), linear);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The weight and the bias in a file, with or without the layer's name before them, and nothing else.
fn read_head(layer: &str, file: &Path) -> Result<Linear> {
    let weights = WeightsFile::parse(file).read()?;
    let tensors = weights.tensors();
    let prefix = match tensors.contains_key("weight") {
        true => String::new(),
        false => format!("{layer}."),
    };
    let keys = ["weight", "bias"].map(|key| format!("{prefix}{key}"));
    let mut missing = Vec::new();
    let mut take = |key: &String| {
        let Some(array) = tensors.get(key) else {
            missing.push(key.clone());
            return None;
        };
        let values: Vec<f32> = array.iter().copied().collect();
        Tensor::from_f32(array.shape().to_vec(), &values)
    };
    let (weight, bias) = (take(&keys[0]), take(&keys[1]));
    let extra: Vec<String> = tensors
        .keys()
        .filter(|key| !keys.contains(key))
        .cloned()
        .collect();
    match (weight, bias) {
        (Some(weight), Some(bias)) if extra.is_empty() => Ok(Linear { weight, bias }),
        _ => Err(ModelError::StateDict {
            architecture: format!("the head {layer}"),
            missing,
            extra,
            misshapen: Vec::new(),
        }),
    }
}
