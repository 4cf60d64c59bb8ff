//! Filters of an inner layer of a whole network.

use ndarray::{Array2, Array4, ArrayView3, ArrayView4, Axis, Zip, s};

use super::gather::Gathering;
use super::inputs::same;
use super::{LayerOutcome, LesionWith, Object2BrainParams, ObjectInputs};
use crate::Result;

/// `EmoCAM` and Object2Brain at an inner layer of a network that ends in a head further on.
///
/// As [`CutScan`](super::CutScan), but gradients come from a backward pass, and a lesion is a pass through the rest of the network: zeros (or the
/// mean over all stimuli) take the place of the filters in the layer's activation, which is kept for all stimuli (`n_stimuli` × the layer, 32 bits).
/// Each set of random filters costs such a pass for each run, so ask for few, e.g. 100.
///
/// [`HeadedNetwork`](super::HeadedNetwork) gives gradients and passes.
pub struct WholeScan<'a> {
    gathering: Gathering<'a>,
    /// `(n_stimuli, n_filters, h, w)`.
    activations: Array4<f32>,
}

/// Ratings of all stimuli by one run (0-based) from an activation `(n_stimuli, n_filters, h, w)`.
pub type Passes<'a> = dyn Fn(usize, ArrayView4<'_, f32>) -> Result<Vec<f64>> + Sync + 'a;

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
        let [n_filters, height, width] = shape;
        Ok(Self {
            gathering: Gathering::new(n_runs, shape, inputs, params)?,
            activations: Array4::zeros((inputs.pictures.len(), n_filters, height, width)),
        })
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
            alphas.push(gradient.outer_iter().map(mean).collect::<Vec<f64>>());
        }
        let picture = self.gathering.n_added;
        self.activations
            .index_axis_mut(Axis(0), picture)
            .assign(&activation);
        let alphas: Vec<&[f64]> = alphas.iter().map(Vec::as_slice).collect();
        self.gathering.add(activation, &alphas)
    }

    /// Selects filters, switches them off and compares the effects with those of random filters.
    ///
    /// # Errors
    ///
    /// What `passes` says; [`ExperimentError::Count`](crate::ExperimentError::Count) when stimuli or ratings are missing, and as
    /// [`CutScan::finish`](super::CutScan::finish).
    pub fn finish(self, passes: &Passes<'_>) -> Result<LayerOutcome> {
        let n_stimuli = self.gathering.inputs.pictures.len();
        same("stimuli", n_stimuli, self.gathering.n_added)?;
        let rated = |run: usize, activations: ArrayView4<'_, f32>| {
            let ratings = passes(run, activations)?;
            same("ratings of a pass", n_stimuli, ratings.len())?;
            Ok(ratings)
        };
        let means = (self.gathering.params.lesion == LesionWith::Mean).then(|| {
            let sums = self.activations.map(|&v| f64::from(v)).sum_axis(Axis(0));
            sums.mapv(|sum| (sum / n_stimuli as f64) as f32)
        });
        let mut intact = Array2::zeros((self.gathering.n_runs(), n_stimuli));
        for (run, mut row) in intact.rows_mut().into_iter().enumerate() {
            row.assign(&ndarray::aview1(&rated(run, self.activations.view())?));
        }
        let lesioned = |run: usize, filters: &[usize]| {
            let mut activations = self.activations.clone();
            for &filter in filters {
                let mut maps = activations.slice_mut(s![.., filter, .., ..]);
                match &means {
                    None => maps.fill(0.0),
                    Some(means) => {
                        let mean = means.index_axis(Axis(0), filter);
                        Zip::from(&mut maps)
                            .and_broadcast(&mean)
                            .for_each(|v, &mean| *v = mean);
                    }
                }
            }
            rated(run, activations.view()).map(Some)
        };
        self.gathering.finish(intact, &lesioned)
    }
}
