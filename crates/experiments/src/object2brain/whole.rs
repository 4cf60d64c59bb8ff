//! Filters of an inner layer of a whole network.

use std::ops::Range;

use ndarray::{Array2, Array3, Array4, ArrayView3, ArrayView4, Axis, Zip, s};

use super::gather::Gathering;
use super::inputs::same;
use super::{LayerOutcome, LesionWith, Object2BrainParams, ObjectInputs, PictureObjects};
use crate::Result;

/// `EmoCAM` and Object2Brain at an inner layer of a network that ends in a head further on.
///
/// As [`CutScan`](super::CutScan), but gradients come from a backward pass, and a lesion is a pass through the rest of the network: zeros (or the
/// mean over all stimuli) take the place of the filters in the layer's activation. Each set of random filters costs such a pass for each
/// run, so ask for few, e.g. 100. Stimuli go through in blocks of 16, so memory stays at the activations and a block for each thread.
///
/// [`HeadedNetwork`](super::HeadedNetwork) gives gradients and passes.
pub struct WholeScan<'a> {
    gathering: Gathering<'a>,
}

/// Ratings of the stimuli from the given one (0-based) on by one run (0-based), from an activation `(n, n_filters, h, w)`.
pub type Passes<'a> = dyn Fn(usize, usize, ArrayView4<'_, f32>) -> Result<Vec<f64>> + Sync + 'a;

/// Stimuli of a pass.
const BLOCK: usize = 16;

impl<'a> WholeScan<'a> {
    /// Of no picture yet.
    ///
    /// # Errors
    ///
    /// As [`CutScan::new`](super::CutScan::new).
    pub fn new(
        n_runs: usize,
        shape: [usize; 3],
        inputs: ObjectInputs<'a>,
        params: Object2BrainParams,
    ) -> Result<Self> {
        let gathering = Gathering::new(n_runs, shape, inputs, params)?;
        Ok(Self { gathering })
    }

    /// Adds the activation of the next stimulus, and for each run the gradient of the head's sum with respect to it.
    ///
    /// After an error the scan is of no more use.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) for another shape, number of runs or more stimuli than there are;
    /// [`MethodsError`](consilience_methods::MethodsError) for maps that are not finite.
    pub fn add(
        &mut self,
        activation: ArrayView3<'_, f32>,
        gradients: &[ArrayView3<'_, f32>],
    ) -> Result<()> {
        self.gathering.next(activation)?;
        let alphas = self.alphas(activation, gradients)?;
        let alphas: Vec<&[f64]> = alphas.iter().map(Vec::as_slice).collect();
        self.gathering.add(activation, &alphas)
    }

    /// Adds a picture that is no stimulus, on which sensitivity is measured ([`Object2BrainParams::elsewhere`]).
    ///
    /// # Errors
    ///
    /// As [`WholeScan::add`], and for an object that is none.
    pub fn add_elsewhere(
        &mut self,
        activation: ArrayView3<'_, f32>,
        gradients: &[ArrayView3<'_, f32>],
        picture: &PictureObjects,
    ) -> Result<()> {
        let alphas = self.alphas(activation, gradients)?;
        let alphas: Vec<&[f64]> = alphas.iter().map(Vec::as_slice).collect();
        self.gathering.add_elsewhere(activation, picture, &alphas)
    }

    /// For each run, the mean gradient of each filter.
    fn alphas(
        &self,
        activation: ArrayView3<'_, f32>,
        gradients: &[ArrayView3<'_, f32>],
    ) -> Result<Vec<Vec<f64>>> {
        same(
            "gradients, one for each run",
            self.gathering.n_runs(),
            gradients.len(),
        )?;
        let mut alphas = Vec::with_capacity(gradients.len());
        for gradient in gradients {
            same("units of a gradient", activation.len(), gradient.len())?;
            let mean = |map: ndarray::ArrayView2<'_, f32>| {
                map.iter().map(|&g| f64::from(g)).sum::<f64>() / map.len() as f64
            };
            alphas.push(gradient.outer_iter().map(mean).collect());
        }
        Ok(alphas)
    }

    /// Selects filters, switches them off and compares the effects with those of random filters.
    ///
    /// # Shapes
    ///
    /// `activations` of all stimuli, `(n_stimuli, n_filters, h, w)`.
    ///
    /// # Errors
    ///
    /// What `passes` says; [`ExperimentError::Count`](crate::ExperimentError::Count) when stimuli or ratings are missing, and as
    /// [`CutScan::finish`](super::CutScan::finish).
    pub fn finish(
        self,
        activations: ArrayView4<'_, f32>,
        passes: &Passes<'_>,
    ) -> Result<LayerOutcome> {
        let n_stimuli = self.gathering.inputs.pictures.len();
        same("stimuli", n_stimuli, self.gathering.n_added)?;
        same(
            "stimuli with an activation",
            n_stimuli,
            activations.len_of(Axis(0)),
        )?;
        if let Some(first) = activations.outer_iter().next() {
            self.gathering.check_shape(first)?;
        }
        let lesions = Lesions {
            activations,
            means: (self.gathering.params.lesion == LesionWith::Mean).then(|| mean(activations)),
            passes,
        };
        let mut intact = Array2::zeros((self.gathering.n_runs(), n_stimuli));
        for (run, mut row) in intact.rows_mut().into_iter().enumerate() {
            row.assign(&ndarray::aview1(&lesions.ratings(run, &[])?));
        }
        let lesioned = |run: usize, filters: &[usize]| lesions.ratings(run, filters).map(Some);
        self.gathering.finish(intact, &lesioned)
    }
}

/// Mean over the stimuli, summed with 64 bits.
fn mean(activations: ArrayView4<'_, f32>) -> Array3<f32> {
    let (n_stimuli, n_filters, height, width) = activations.dim();
    let mut sums = Array3::<f64>::zeros((n_filters, height, width));
    for activation in activations.outer_iter() {
        sums.zip_mut_with(&activation, |sum, &v| *sum += f64::from(v));
    }
    sums.mapv(|sum| (sum / n_stimuli as f64) as f32)
}

struct Lesions<'a> {
    activations: ArrayView4<'a, f32>,
    /// What is left of filters, unless zeros are.
    means: Option<Array3<f32>>,
    passes: &'a Passes<'a>,
}

impl Lesions<'_> {
    /// Ratings of all stimuli by one run without some filters.
    fn ratings(&self, run: usize, filters: &[usize]) -> Result<Vec<f64>> {
        let n_stimuli = self.activations.len_of(Axis(0));
        let mut ratings = Vec::with_capacity(n_stimuli);
        for first in (0..n_stimuli).step_by(BLOCK) {
            let block = self.without(first..n_stimuli.min(first + BLOCK), filters);
            let rated = (self.passes)(run, first, block.view())?;
            same("ratings of a pass", block.len_of(Axis(0)), rated.len())?;
            ratings.extend(rated);
        }
        Ok(ratings)
    }

    fn without(&self, stimuli: Range<usize>, filters: &[usize]) -> Array4<f32> {
        let mut block = self.activations.slice(s![stimuli, .., .., ..]).to_owned();
        for &filter in filters {
            let mut maps = block.slice_mut(s![.., filter, .., ..]);
            match &self.means {
                None => maps.fill(0.0),
                Some(means) => Zip::from(&mut maps)
                    .and_broadcast(&means.index_axis(Axis(0), filter))
                    .for_each(|v, &mean| *v = mean),
            }
        }
        block
    }
}
