//! Activations of many layers for many images, in one pass.

mod clips;
mod covered;
mod edited;
mod params;
mod pool;
mod source;
mod tokens;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use consilience_io::image::RgbImage;
use ndarray::{Array2, Array4, ArrayD, ArrayView2, Axis, s};

use crate::executor::{self, Executor};
use crate::graph::Layer;
use crate::preprocess::Changes;
use crate::{ExecutorInfo, ModelError, Network, Preprocessing, Result};

pub use clips::{Clip, ClipFrames, ClipPool, Clips, Film};
pub use covered::Covered;
pub use params::{ExtractParams, Images, Pool};
use pool::Pooling;
pub use source::Source;
pub use tokens::Tokens;

/// A layer as it will come out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtractedLayer {
    /// Name.
    pub name: String,
    /// Shape of one image's activation before pooling, `(c, h, w)` for a map.
    pub shape: Vec<usize>,
    /// Values for one image after pooling.
    pub n_features: usize,
    /// Where its tokens lie before pooling.
    pub tokens: Tokens,
    /// Index of an earlier layer that is the same tensor; its rows are not delivered twice.
    pub alias_of: Option<usize>,
}

/// Activations of consecutive images at one layer.
#[derive(Debug)]
pub struct Block<'a> {
    /// Index into [`Extractor::layers`].
    pub layer_idx: usize,
    /// Index of the image of the first row.
    pub first_row: usize,
    /// `(n_images, n_features)`.
    pub rows: ArrayView2<'a, f32>,
}

/// A network that is ready to give the activations of chosen layers.
pub struct Extractor {
    /// The layers in the order they were asked for, those left out excepted.
    pub layers: Vec<ExtractedLayer>,
    /// Layers that are not one 32-bit float pattern for each image, with what they are.
    pub left_out: Vec<(String, String)>,
    /// What runs the network.
    pub executor: ExecutorInfo,
    /// Images in one run: [`ExtractParams::batch`], or the number that the network insists on.
    pub batch: usize,
    preprocessing: Preprocessing,
    changes: Changes,
    taps: Vec<Tap>,
    executors: Vec<Box<dyn Executor>>,
    /// The network takes no other number of images than `batch`.
    full_batches_only: bool,
}

/// A batch on its way to a thread: its number, and those of its pictures that come from films.
type Fed = (usize, Result<Vec<Option<RgbImage>>>);

/// An output of the cut graph and the first layer that is it.
struct Tap {
    output_idx: usize,
    layer_idx: usize,
    pooling: Pooling,
}

impl Extractor {
    /// Loads the network, cut to what `layers` need, and finds out their shapes by running one black
    /// image.
    ///
    /// # Errors
    ///
    /// [`ModelError::Zero`] for a batch or thread count of 0, [`ModelError::InputSize`] when the
    /// preprocessing does not give what the network takes, [`ModelError::NotAPattern`] when no layer
    /// is left, and what the executor says when it refuses the network.
    pub fn prepare(network: &Network, layers: &[Layer], params: &ExtractParams) -> Result<Self> {
        for (what, value) in [
            ("batch", params.batch),
            ("number of threads", params.n_threads),
        ] {
            if value == 0 {
                return Err(ModelError::Zero { what });
            }
        }
        let input = &network.input().shape;
        let size = network.preprocessing.fixed_size();
        if let Some([height, width]) = size {
            let fits = |axis: usize, extent| input[axis].is_none_or(|fixed| fixed == extent);
            if !(fits(2, height) && fits(3, width)) {
                let expected: Vec<String> = input[1..]
                    .iter()
                    .map(|extent| extent.map_or("?".into(), |n| n.to_string()))
                    .collect();
                return Err(ModelError::InputSize {
                    expected: format!("[{}]", expected.join(", ")),
                    found: [3, height, width],
                });
            }
        }
        let batch = input[0].unwrap_or(params.batch);

        let mut outputs: Vec<&str> = Vec::new();
        let output_of: Vec<usize> = layers
            .iter()
            .map(|layer| {
                let known = outputs.iter().position(|name| *name == layer.tensor);
                known.unwrap_or_else(|| {
                    outputs.push(&layer.tensor);
                    outputs.len() - 1
                })
            })
            .collect();
        let graph = network.graph.cut(&outputs);
        let (executor, mut executors) =
            executor::load_with(params.executor, params.operations, &graph, params.n_threads)?;

        let [height, width] = size.unwrap_or([input[2].unwrap_or(224), input[3].unwrap_or(224)]);
        let n_probe = input[0].unwrap_or(1);
        let probe = Array4::zeros((n_probe, 3, height, width));
        let activations = match executors.first_mut() {
            Some(first) => first.run(probe.view())?,
            None => Vec::new(),
        };
        let mut extractor = Self {
            layers: Vec::new(),
            left_out: Vec::new(),
            executor,
            batch,
            preprocessing: network.preprocessing.clone(),
            changes: Changes::default(),
            taps: Vec::new(),
            executors,
            full_batches_only: input[0].is_some(),
        };
        extractor.describe(layers, &output_of, &activations, n_probe, |layer, shape| {
            let layout = network.graph.layout(&layer.tensor);
            let pooling = Pooling::new(params.pool, &layer.name, shape, layout)?;
            Ok((pooling, Tokens::new(shape, layout)))
        })?;
        Ok(extractor)
    }

    /// The same for changed pictures.
    ///
    /// A picture's random numbers follow its position among the images of the run, or of all clips.
    #[must_use]
    pub fn changed(mut self, changes: Changes) -> Self {
        self.changes = changes;
        self
    }

    fn describe(
        &mut self,
        layers: &[Layer],
        output_of: &[usize],
        activations: &[Option<ArrayD<f32>>],
        n_probe: usize,
        pooling_of: impl Fn(&Layer, &[usize]) -> Result<(Pooling, Tokens)>,
    ) -> Result<()> {
        let mut first_with: HashMap<usize, usize> = HashMap::new();
        for (layer, &output_idx) in layers.iter().zip(output_of) {
            let shape = match activations.get(output_idx) {
                Some(Some(values)) if values.ndim() >= 2 && values.shape()[0] == n_probe => {
                    values.shape()[1..].to_vec()
                }
                Some(Some(values)) => {
                    let found = format!("shape {:?} for {n_probe} image(s)", values.shape());
                    self.left_out.push((layer.name.clone(), found));
                    continue;
                }
                _ => {
                    let found = "another kind of number".to_owned();
                    self.left_out.push((layer.name.clone(), found));
                    continue;
                }
            };
            let layer_idx = self.layers.len();
            let alias_of = first_with.get(&output_idx).copied();
            let (pooling, tokens) = pooling_of(layer, &shape)?;
            let n_features = pooling.n_features(shape.iter().product());
            if alias_of.is_none() {
                first_with.insert(output_idx, layer_idx);
                self.taps.push(Tap {
                    output_idx,
                    layer_idx,
                    pooling,
                });
            }
            self.layers.push(ExtractedLayer {
                name: layer.name.clone(),
                n_features,
                shape,
                tokens,
                alias_of,
            });
        }
        match self.left_out.first() {
            Some((layer, found)) if self.layers.is_empty() => Err(ModelError::NotAPattern {
                layer: layer.clone(),
                found: found.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Runs the images and delivers the activations, in the order of the images.
    ///
    /// `sink` gets one [`Block`] for each batch and layer (aliases excepted), batch by batch, layers
    /// in order; `progress` gets the number of images that are done. Memory stays at a few batches
    /// for each thread. The blocks are the same for any number of threads. Frames of films are decoded
    /// in their order by one more thread, while the network runs on those before; files of pictures by
    /// the threads that run the network.
    ///
    /// # Errors
    ///
    /// The sink's own error, an image that cannot be read ([`ModelError::File`]) or has another size
    /// than the network takes, [`ModelError::NonFinite`] activations, [`ModelError::Run`]. What was
    /// delivered before stays delivered.
    pub fn run<'a, E: From<ModelError>>(
        mut self,
        images: impl Into<Source<'a>>,
        mut sink: impl FnMut(Block<'_>) -> std::result::Result<(), E>,
        mut progress: impl FnMut(usize),
    ) -> std::result::Result<(), E> {
        let images = images.into();
        let n_batches = images.len().div_ceil(self.batch);
        let executors = std::mem::take(&mut self.executors);
        // Batches that may be in flight: one for each thread, and one waiting for its turn.
        let window = executors.len() + 1;
        let (todo, wanted) = sync_channel::<usize>(window);
        let (fed, next) = sync_channel::<Fed>(window);
        let next = Mutex::new(next);
        let (done, finished) = sync_channel::<(usize, Result<Vec<Array2<f32>>>)>(window);
        let (this, next) = (&self, &next);
        thread::scope(|scope| {
            scope.spawn(move || this.feed(images, &wanted, &fed));
            for mut executor in executors {
                let done = done.clone();
                scope.spawn(move || this.work(executor.as_mut(), images, next, &done));
            }
            drop(done);
            // Both are dropped at the end of this block, whatever the outcome: then the threads stop.
            let (todo, finished) = (todo, finished);
            let mut given = 0;
            let mut early: HashMap<usize, Result<Vec<Array2<f32>>>> = HashMap::new();
            for batch_idx in 0..n_batches {
                while given < n_batches.min(batch_idx + window) {
                    // Room is there for `window` numbers, and a thread lives while `todo` does.
                    todo.send(given).expect("a thread waits for work");
                    given += 1;
                }
                let rows = loop {
                    if let Some(rows) = early.remove(&batch_idx) {
                        break rows;
                    }
                    let (idx, rows) = finished.recv().expect("every batch is answered");
                    early.insert(idx, rows);
                }?;
                let first_row = batch_idx * this.batch;
                for (tap, rows) in this.taps.iter().zip(&rows) {
                    sink(Block {
                        layer_idx: tap.layer_idx,
                        first_row,
                        rows: rows.view(),
                    })?;
                }
                progress((first_row + this.batch).min(images.len()));
            }
            Ok(())
        })
    }

    /// What the first thread does: decodes the frames of the batches that are wanted, in order.
    fn feed(&self, images: Source<'_>, wanted: &Receiver<usize>, fed: &SyncSender<Fed>) {
        while let Ok(batch_idx) = wanted.recv() {
            let frames = self.guarded(|| images.frames(self.images_of(batch_idx, images)));
            if fed.send((batch_idx, frames)).is_err() {
                return;
            }
        }
    }

    /// What the other threads do: take the next batch until there is none or nobody listens.
    fn work(
        &self,
        executor: &mut dyn Executor,
        images: Source<'_>,
        next: &Mutex<Receiver<Fed>>,
        done: &SyncSender<(usize, Result<Vec<Array2<f32>>>)>,
    ) {
        loop {
            let taken = match next.lock() {
                Ok(next) => next.recv(),
                Err(_) => return,
            };
            let Ok((batch_idx, frames)) = taken else {
                return;
            };
            let rows = self.guarded(|| {
                let range = self.images_of(batch_idx, images);
                self.run_batch(executor, images, range, frames?)
            });
            if done.send((batch_idx, rows)).is_err() {
                return;
            }
        }
    }

    fn images_of(&self, batch_idx: usize, images: Source<'_>) -> Range<usize> {
        let first = batch_idx * self.batch;
        first..(first + self.batch).min(images.len())
    }

    /// A panic would leave those who wait for the batch waiting for ever.
    fn guarded<T>(&self, code: impl FnOnce() -> Result<T>) -> Result<T> {
        executor::guard(|| Ok(code())).unwrap_or_else(|reason| {
            Err(ModelError::Run {
                executor: self.executor.name,
                reason,
            })
        })
    }

    fn run_batch(
        &self,
        executor: &mut dyn Executor,
        images: Source<'_>,
        range: Range<usize>,
        frames: Vec<Option<RgbImage>>,
    ) -> Result<Vec<Array2<f32>>> {
        let (first, n_images) = (range.start, range.len());
        let input = self.preprocess(images, range, frames)?;
        let mut activations = executor.run(input.view())?;
        self.taps
            .iter()
            .map(|tap| {
                let layer = &self.layers[tap.layer_idx];
                let wrong = |found: String| ModelError::NotAPattern {
                    layer: layer.name.clone(),
                    found,
                };
                let values = activations
                    .get_mut(tap.output_idx)
                    .and_then(Option::take)
                    .ok_or_else(|| wrong("another kind of number".into()))?;
                if values.shape().first() != Some(&input.dim().0)
                    || values.shape()[1..] != layer.shape[..]
                {
                    return Err(wrong(format!("shape {:?}", values.shape())));
                }
                self.rows(values, n_images, tap, images, first)
            })
            .collect()
    }

    /// The images of a range as the network takes them; the last one repeated where the network wants
    /// full batches.
    fn preprocess(
        &self,
        images: Source<'_>,
        range: Range<usize>,
        frames: Vec<Option<RgbImage>>,
    ) -> Result<Array4<f32>> {
        let n_images = range.len();
        let n_rows = if self.full_batches_only {
            self.batch
        } else {
            n_images
        };
        let mut input: Option<Array4<f32>> = None;
        for (row, (image_idx, frame)) in range.zip(frames).enumerate() {
            let picture = match frame {
                Some(frame) => Cow::Owned(frame),
                None => images.picture(image_idx, self.preprocessing.orientation)?,
            };
            let [height, width] = self
                .preprocessing
                .output_size([picture.height, picture.width]);
            let input = input.get_or_insert_with(|| Array4::zeros((n_rows, 3, height, width)));
            let (_, _, expected_height, expected_width) = input.dim();
            if (height, width) != (expected_height, expected_width) {
                return Err(ModelError::ImageSize {
                    expected: [3, expected_height, expected_width],
                    found: [3, height, width],
                    image: images.name(image_idx),
                });
            }
            let mut out = input.index_axis_mut(Axis(0), row);
            if self.changes.is_empty() {
                self.preprocessing.apply_into(&picture, out.view_mut())?;
            } else {
                let position = (images.first() + image_idx) as u64;
                self.changes
                    .apply_into(&self.preprocessing, &picture, position, out.view_mut())?;
            }
            if let Source::Covered(covered) = images {
                covered.cover(image_idx, out);
            }
        }
        let mut input = input.unwrap_or_default();
        for row in n_images..n_rows {
            let last = input.index_axis(Axis(0), n_images - 1).to_owned();
            input.index_axis_mut(Axis(0), row).assign(&last);
        }
        Ok(input)
    }

    /// Pools and flattens; refuses what is not finite.
    fn rows(
        &self,
        values: ArrayD<f32>,
        n_images: usize,
        tap: &Tap,
        images: Source<'_>,
        first: usize,
    ) -> Result<Array2<f32>> {
        let layer = &self.layers[tap.layer_idx];
        let n_rows = values.shape()[0];
        let n_values: usize = layer.shape.iter().product();
        let mut flat = values
            .into_shape_with_order((n_rows, n_values))
            .expect("outputs of executors are in standard layout");
        flat.slice_collapse(s![..n_images, ..]);
        for (row_idx, row) in flat.outer_iter().enumerate() {
            if let Some(value) = row.iter().find(|value| !value.is_finite()) {
                return Err(ModelError::NonFinite {
                    layer: layer.name.clone(),
                    image: images.name(first + row_idx),
                    value: *value,
                });
            }
        }
        if layer.n_features == n_values {
            return Ok(flat);
        }
        let shape = (n_images, layer.n_features);
        Ok(Array2::from_shape_fn(shape, |(row, channel)| {
            tap.pooling.feature(flat.row(row), channel)
        }))
    }
}
