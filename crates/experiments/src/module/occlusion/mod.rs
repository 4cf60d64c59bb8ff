//! Where in a picture its predicted ratings come from.

#[cfg(test)]
mod tests;

use std::ops::Range;

use consilience_io::image::RgbImage;
use consilience_methods::occlusion::Windows;
use consilience_models::preprocess::{Filter, Resize};
use consilience_models::{Covered, ExtractParams, Extractor, Layer, Network, Preprocessing};
use ndarray::{Array2, ArrayView2, Axis, s};

use super::Trained;
use crate::error::{ExperimentError, Result};

/// Rows of features that are kept before the module reads them.
const ROWS: usize = 64;

/// A frozen network with the module that reads one of its layers.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The network, with its preprocessing.
    pub network: &'a Network,
    /// The layer that the module reads.
    pub layer: &'a Layer,
    /// How it is read.
    pub params: &'a ExtractParams,
    /// The module.
    pub module: &'a Trained,
}

/// What covering windows of one picture does to its ratings.
#[derive(Debug, Clone, PartialEq)]
pub struct Occlusion {
    /// Ratings of the whole picture, in the order of [`Description::ratings`](super::Description::ratings).
    pub ratings: Vec<f64>,
    /// A map `(height, width)` for each; see [`Windows::map`].
    pub maps: Vec<Array2<f64>>,
}

impl Reader<'_> {
    /// Maps of pictures, which are given as the network sees them ([`seen`](consilience_learn::gradcam::seen)), picture by picture.
    ///
    /// Each picture costs a pass of the network for itself and one for each window. A window is covered with the colour that the
    /// preprocessing subtracts. `progress` gets the number of passes that are done. Memory holds a few batches, and one picture's maps.
    /// The maps are the same for any number of threads.
    ///
    /// # Errors
    ///
    /// As [`Extractor::prepare`], [`Extractor::run`] and [`Trained::predict`];
    /// [`ModelError::ImageSize`](consilience_models::ModelError::ImageSize) for a picture of another size than the windows are for; what `sink` ends with.
    pub fn occlude<E: From<ExperimentError>>(
        &self,
        pictures: &[RgbImage],
        windows: &Windows,
        mut sink: impl FnMut(usize, Occlusion) -> std::result::Result<(), E>,
        progress: impl FnMut(usize),
    ) -> std::result::Result<(), E> {
        let network = Network {
            preprocessing: of_seen(&self.network.preprocessing, windows.size()),
            ..self.network.clone()
        };
        let layers = std::slice::from_ref(self.layer);
        let extractor =
            Extractor::prepare(&network, layers, self.params).map_err(ExperimentError::from)?;
        let covered: Vec<[Range<usize>; 2]> = windows.iter().collect();
        let images = Covered {
            pictures,
            windows: &covered,
        };
        let n_each = images.n_each();
        let n_features = extractor.layers[0].n_features;
        let mut features = Rows::new(n_features);
        // Of the present picture: the whole first, then the windows.
        let mut ratings: Vec<Vec<f64>> = Vec::with_capacity(n_each);
        let mut picture_idx = 0;
        let mut n_done = 0;
        let n_images = images.len();
        extractor
            .run(
                images,
                |block| -> std::result::Result<(), Raised<E>> {
                    for row in block.rows.axis_chunks_iter(Axis(0), 1) {
                        features.push(row);
                        n_done += 1;
                        if !features.is_full() && n_done < n_images {
                            continue;
                        }
                        let found = self.module.predict(features.filled())?.ratings;
                        features.clear();
                        for row in found.outer_iter() {
                            ratings.push(row.to_vec());
                            if ratings.len() == n_each {
                                sink(picture_idx, maps(windows, &ratings)?).map_err(Raised)?;
                                picture_idx += 1;
                                ratings.clear();
                            }
                        }
                    }
                    Ok(())
                },
                progress,
            )
            .map_err(|Raised(error)| error)
    }
}

/// An error of the sink, or one of ours on its way to it.
struct Raised<E>(E);

impl<E: From<ExperimentError>, S: Into<ExperimentError>> From<S> for Raised<E> {
    fn from(error: S) -> Self {
        Self(E::from(error.into()))
    }
}

/// Rows of features that wait for the module.
struct Rows {
    values: Array2<f32>,
    n: usize,
}

impl Rows {
    fn new(n_features: usize) -> Self {
        Self {
            values: Array2::zeros((ROWS, n_features)),
            n: 0,
        }
    }

    fn push(&mut self, row: ArrayView2<'_, f32>) {
        self.values.slice_mut(s![self.n..=self.n, ..]).assign(&row);
        self.n += 1;
    }

    fn is_full(&self) -> bool {
        self.n == self.values.nrows()
    }

    fn filled(&self) -> ArrayView2<'_, f32> {
        self.values.slice(s![..self.n, ..])
    }

    fn clear(&mut self) {
        self.n = 0;
    }
}

/// The map of each rating, from the ratings of the whole picture and of its windows.
fn maps(windows: &Windows, ratings: &[Vec<f64>]) -> Result<Occlusion> {
    let whole = &ratings[0];
    let maps = (0..whole.len()).map(|k| {
        let covered: Vec<f64> = ratings[1..].iter().map(|row| row[k]).collect();
        Ok(windows.map(whole[k], &covered)?)
    });
    Ok(Occlusion {
        ratings: whole.clone(),
        maps: maps.collect::<Result<_>>()?,
    })
}

/// What is left to do to pictures that were resized and cut already.
fn of_seen(preprocessing: &Preprocessing, [height, width]: [usize; 2]) -> Preprocessing {
    Preprocessing {
        resize: Resize::Exact {
            height,
            width,
            filter: Filter::Bilinear,
        },
        crop: None,
        ..preprocessing.clone()
    }
}
