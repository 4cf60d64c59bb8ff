//! One layer of cut networks, picture by picture.

use ndarray::{Array1, Array2, ArrayView3};

use super::gather::Gathering;
use super::inputs::same;
use super::read_out::{contributions, features, mean_gradients};
use super::{
    CutLayer, LayerOutcome, LesionWith, Object2BrainError, Object2BrainParams, ObjectInputs,
    PictureObjects,
};
use crate::Result;
use crate::head::RunHeads;

/// `EmoCAM` and Object2Brain at one layer of cut networks.
///
/// Pictures are added one at a time and forgotten: what stays is a number for each run, picture and filter, the sensitivities,
/// and with [`LesionWith::Mean`] one activation.
///
/// # Definition
///
/// The activation A of a picture is pooled and weighted by the head of the run that did not learn from the picture: sum = Σ_k c_k + bias, where
/// c_k is what filter k adds. α_k is the mean over positions of ∂sum/∂A_k, see [`layer_map`](super::layer_map). A sigmoid would multiply the gradient
/// of a picture by one positive number; it is left out, which no scaled map can tell.
///
/// - Sensitivity of filter k: α_k A_k within boxes, see [`FilterSensitivity`](consilience_methods::objects::FilterSensitivity);
///   filters of a category: [`sensitive_filters`](consilience_methods::objects::sensitive_filters), for each run.
/// - Lesion of filters F: Σ_{k∉F} c_k + bias, with [`LesionWith::Mean`] plus what the mean activation of F over all stimuli adds, through the head's output.
/// - Effect: [`lesion_effect`](consilience_methods::objects::lesion_effect), its mean over the runs compared with random filters. Set i of these
///   is one random assignment of filters to filters for all runs, so that runs share as many as they do of the selected ones.
///   Filters of a category go together, and then even a target of noise can seem to need them; so the effect is also compared with those on
///   targets whose stimuli are permuted.
/// - Importance: [`importance`](consilience_methods::objects::importance()) of boxes in the map of the whole layer, averaged over runs, then
///   [`corpus_importance`](consilience_methods::objects::corpus_importance).
///
/// # References
///
/// arXiv 2407.14314 (`EmoCAM`), 2509.21384 (Object2Brain, whose formulas are reconstructed).
///
/// # Example
///
/// ```
/// use consilience_experiments::head::{HeadOutput, RatingHead, RunHeads};
/// use consilience_experiments::object2brain::{
///     Category, CutLayer, CutScan, Object2BrainParams, ObjectInputs, PictureObjects, Pool,
/// };
/// use consilience_methods::objects::{DetectedObject, PictureBox};
/// use ndarray::{Array3, array};
///
/// let head = RatingHead { weights: vec![1.0, 0.5], bias: 0.0, output: HeadOutput::Linear };
/// let runs = [RunHeads { heads: vec![head], head_of: vec![0; 4] }];
/// let face = DetectedObject { bounds: PictureBox::new(0.0, 0.0, 32.0, 64.0), class: 0, score: 0.9 };
/// let picture = PictureObjects { size: [64.0, 64.0], objects: vec![face] };
/// let (valence, all) = (array![[1.0, 2.0, 3.0, 4.0]], array![[true, true, true, true]]);
/// let inputs = ObjectInputs {
///     classes: &["Human face".to_owned()],
///     categories: &[Category { name: "Body Parts".to_owned(), classes: vec![0] }],
///     pictures: &vec![picture; 4],
///     targets: valence.view(),
///     subsets: all.view(),
/// };
/// let layer = CutLayer { runs: &runs, pool: Pool::Mean };
/// let mut scan = CutScan::new(layer, [2, 1, 2], inputs, Object2BrainParams::default())?;
/// for (face, rest) in [(1.0, 2.0), (2.0, 1.0), (3.0, 1.5), (4.0, 3.0)] {
///     // The first filter answers to the face on the left, the second to what is on the right.
///     scan.add(array![[[face, 0.0]], [[0.0, rest]]].view())?;
/// }
/// let outcome = scan.finish()?;
/// let body_parts = &outcome.categories[0];
/// assert_eq!(body_parts.filters.as_ref().unwrap()[0].filters, [0]);
/// assert!(body_parts.effects[[0, 0]].delta.unwrap().mean < 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CutScan<'a> {
    layer: CutLayer<'a>,
    gathering: Gathering<'a>,
    runs: Vec<RunScan>,
    /// Sum of the features over the pictures, when lesions need their mean.
    feature_sums: Option<Vec<f64>>,
}

/// What heads of one run read.
struct RunScan {
    /// α of each filter, for each head.
    alphas: Vec<Vec<f64>>,
    /// Their mean over the heads.
    mean_alphas: Vec<f64>,
    /// `(n_filters, n_stimuli)`: what each filter adds to the sum.
    contributions: Array2<f64>,
}

impl<'a> CutScan<'a> {
    /// Of no picture yet.
    ///
    /// # Shapes
    ///
    /// Activations will be of `shape`, filters × height × width.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) of runs, stimuli, weights or positions; [`Object2BrainError::UnknownHead`],
    /// [`Object2BrainError::BadCategory`]; [`MethodsError`](consilience_methods::MethodsError) for options and for an object that is none.
    pub fn new(
        layer: CutLayer<'a>,
        shape: [usize; 3],
        inputs: ObjectInputs<'a>,
        params: Object2BrainParams,
    ) -> Result<Self> {
        let n_stimuli = inputs.pictures.len();
        let gathering = Gathering::new(layer.runs.len(), shape, inputs, params)?;
        layer.check(shape, n_stimuli)?;
        let [n_filters, height, width] = shape;
        let of_run = |run: &RunHeads| {
            let heads = run.heads.iter();
            let alphas: Vec<Vec<f64>> = heads
                .map(|head| mean_gradients(head, layer.pool, height * width))
                .collect();
            RunScan {
                mean_alphas: mean(&alphas, n_filters),
                alphas,
                contributions: Array2::zeros((n_filters, n_stimuli)),
            }
        };
        Ok(Self {
            runs: layer.runs.iter().map(of_run).collect(),
            feature_sums: (params.lesion == LesionWith::Mean).then(Vec::new),
            layer,
            gathering,
        })
    }

    /// Adds the activation of the next stimulus; they come in their order.
    ///
    /// After an error the scan is of no more use.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) for another shape or more stimuli than there are,
    /// [`Object2BrainError::NonFinite`], [`MethodsError`](consilience_methods::MethodsError) for a picture without size.
    pub fn add(&mut self, activation: ArrayView3<'_, f32>) -> Result<()> {
        self.gathering.next(activation)?;
        let picture = self.gathering.n_added;
        let n_filters = self.gathering.shape[0];
        let activation = activation.as_standard_layout();
        let features = features(activation.view(), self.layer.pool);
        if let Some(sums) = &mut self.feature_sums {
            sums.resize(features.len(), 0.0);
            let pairs = sums.iter_mut().zip(features.iter());
            pairs.for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for (scan, run) in self.runs.iter_mut().zip(self.layer.runs) {
            let added = contributions(run.of(picture), &features, n_filters);
            if let Some(filter) = added.iter().position(|c| !c.is_finite()) {
                return Err(Object2BrainError::NonFinite { picture, filter }.into());
            }
            for (filter, added) in added.into_iter().enumerate() {
                scan.contributions[[filter, picture]] = added;
            }
        }
        let runs = self.runs.iter().zip(self.layer.runs);
        let alphas: Vec<&[f64]> = runs
            .map(|(scan, run)| scan.alphas[run.head_of[picture]].as_slice())
            .collect();
        self.gathering.add(activation.view(), &alphas)
    }

    /// Adds a picture that is no stimulus, on which sensitivity is measured ([`Object2BrainParams::elsewhere`]).
    ///
    /// `picture` says what is in it; α is the mean over the heads of a run, none of which rates it.
    ///
    /// After an error the scan is of no more use.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) for another shape,
    /// [`MethodsError`](consilience_methods::MethodsError) for a picture without size, an object that is none and maps that are not finite.
    pub fn add_elsewhere(
        &mut self,
        activation: ArrayView3<'_, f32>,
        picture: &PictureObjects,
    ) -> Result<()> {
        let alphas = self.runs.iter().map(|scan| scan.mean_alphas.as_slice());
        let alphas: Vec<&[f64]> = alphas.collect();
        self.gathering.add_elsewhere(activation, picture, &alphas)
    }

    /// Selects filters, switches them off and compares the effects with those of random filters.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Count`](crate::ExperimentError::Count) when stimuli are missing; [`MethodsError`](consilience_methods::MethodsError) for targets
    /// that are not numbers or none at all.
    pub fn finish(self) -> Result<LayerOutcome> {
        let n_stimuli = self.gathering.inputs.pictures.len();
        same("stimuli", n_stimuli, self.gathering.n_added)?;
        let means: Option<Vec<f32>> = self.feature_sums.as_ref().map(|sums| {
            let mean = |sum: &f64| (sum / n_stimuli as f64) as f32;
            sums.iter().map(mean).collect()
        });
        let raters: Vec<Rater<'_>> = self
            .layer
            .runs
            .iter()
            .zip(&self.runs)
            .map(|(run, scan)| Rater::new(run, scan, means.as_deref()))
            .collect();
        let mut intact = Array2::zeros((raters.len(), n_stimuli));
        for (mut row, rater) in intact.rows_mut().into_iter().zip(&raters) {
            row.assign(&ndarray::aview1(&rater.ratings(&[])));
        }
        let lesioned = |run: usize, filters: &[usize]| Ok(raters[run].lesioned(filters));
        self.gathering.finish(intact, &lesioned)
    }
}

/// A run that rates the stimuli with any filters switched off.
struct Rater<'a> {
    run: &'a RunHeads,
    contributions: &'a Array2<f64>,
    /// Filters that add something to a rating, ascending.
    live: Vec<usize>,
    /// For each head, what the mean of each filter adds.
    means: Option<Vec<Vec<f64>>>,
}

impl<'a> Rater<'a> {
    fn new(run: &'a RunHeads, scan: &'a RunScan, means: Option<&[f32]>) -> Self {
        let n_filters = scan.contributions.nrows();
        Self {
            run,
            contributions: &scan.contributions,
            live: (0..n_filters)
                .filter(|&k| scan.contributions.row(k).iter().any(|&c| c != 0.0))
                .collect(),
            means: means.map(|means| {
                let of_head = |head| contributions(head, means, n_filters);
                run.heads.iter().map(of_head).collect()
            }),
        }
    }

    /// Ratings without the filters (ascending); `None` when nothing is left that they could follow.
    fn lesioned(&self, filters: &[usize]) -> Option<Vec<f64>> {
        let is_left = |k: &usize| filters.binary_search(k).is_err();
        self.live.iter().any(is_left).then(|| self.ratings(filters))
    }

    /// The sum is taken over what is left, in one order, so that it is exact where little is.
    fn ratings(&self, filters: &[usize]) -> Vec<f64> {
        let RunHeads { heads, head_of } = self.run;
        let biases = head_of.iter().map(|&head| f64::from(heads[head].bias));
        let mut sums: Array1<f64> = biases.collect();
        for &filter in &self.live {
            if filters.binary_search(&filter).is_err() {
                sums += &self.contributions.row(filter);
            } else if let Some(means) = &self.means {
                let added = head_of.iter().map(|&head| means[head][filter]);
                sums.iter_mut()
                    .zip(added)
                    .for_each(|(sum, added)| *sum += added);
            }
        }
        let outputs = sums.into_iter().zip(head_of);
        outputs.map(|(sum, &h)| heads[h].output.of(sum)).collect()
    }
}

/// The mean over heads, number by number.
fn mean(alphas: &[Vec<f64>], n_filters: usize) -> Vec<f64> {
    let sum = |filter: usize| alphas.iter().map(|of_head| of_head[filter]).sum::<f64>();
    (0..n_filters)
        .map(|filter| sum(filter) / alphas.len() as f64)
        .collect()
}
