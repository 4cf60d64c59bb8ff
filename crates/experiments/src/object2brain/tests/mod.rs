//! Tests of Object2Brain. A new test goes to
//! - `naive`: the same by perturbing features, by lesions of activations and by Grad-CAM
//! - `laws`: what must hold for any input
//! - `refusals`: what degenerate input is answered with
//! - `frame`: boxes in the frame that a network saw
//! - `whole`: inner layers of whole networks
//! - `planted`: simulated studies with a known truth, and error rates (slow)

mod frame;
mod laws;
mod naive;
mod planted;
mod refusals;
mod whole;

use consilience_methods::objects::{Cut, DetectedObject, PictureBox};
use consilience_stats::random::{Domain, Stream};
use ndarray::{Array2, Array3};

use super::{
    Category, CutLayer, CutScan, LayerOutcome, Object2BrainParams, ObjectInputs, PictureObjects,
    Pool,
};
use crate::Result;
use crate::head::{HeadOutput, RatingHead, RunHeads};

const SHAPE: [usize; 3] = [7, 4, 5];
const N_STIMULI: usize = 14;

/// A small study: two runs of two folds, classes 0 to 4, of which 4 is in no category.
struct Study {
    pool: Pool,
    runs: Vec<RunHeads>,
    classes: Vec<String>,
    categories: Vec<Category>,
    pictures: Vec<PictureObjects>,
    targets: Array2<f64>,
    subsets: Array2<bool>,
    activations: Vec<Array3<f32>>,
}

impl Study {
    fn new(seed: u64, pool: Pool, output: HeadOutput) -> Self {
        let mut draw = Stream::new(seed, Domain::Simulation, 0);
        let [n_filters, height, width] = SHAPE;
        let n_features = match pool {
            Pool::Mean => n_filters,
            Pool::Flat => n_filters * height * width,
        };
        let mut head = || RatingHead {
            weights: (0..n_features).map(|_| draw.normal() as f32).collect(),
            bias: draw.normal() as f32,
            output,
        };
        let mut run = || RunHeads {
            heads: vec![head(), head()],
            head_of: (0..N_STIMULI).map(|i| i % 2).collect(),
        };
        let runs = vec![run(), run()];
        let mut object = |picture: usize| {
            let (x, y) = (draw.uniform() * 40.0, draw.uniform() * 30.0);
            let (w, h) = (5.0 + draw.uniform() * 20.0, 5.0 + draw.uniform() * 20.0);
            DetectedObject {
                bounds: PictureBox::new(x, y, x + w, y + h),
                class: (picture + draw.below(3) as usize) % 5,
                score: draw.uniform(),
            }
        };
        let pictures = (0..N_STIMULI)
            .map(|picture| PictureObjects {
                size: [50.0, 40.0],
                objects: (0..picture % 4).map(|_| object(picture)).collect(),
            })
            .collect();
        let category = |name: &str, classes: &[usize]| Category {
            name: name.to_owned(),
            classes: classes.to_vec(),
        };
        Self {
            pool,
            runs,
            classes: ["a", "b", "c", "d", "e"].map(str::to_owned).to_vec(),
            categories: vec![category("first", &[0, 2]), category("second", &[3, 1])],
            pictures,
            targets: Array2::from_shape_fn((2, N_STIMULI), |_| draw.normal()),
            subsets: Array2::from_shape_fn((2, N_STIMULI), |(s, i)| s == 0 || i % 3 > 0),
            activations: (0..N_STIMULI)
                .map(|_| Array3::from_shape_fn(SHAPE, |_| draw.normal().max(-0.2) as f32))
                .collect(),
        }
    }

    fn inputs(&self) -> ObjectInputs<'_> {
        ObjectInputs {
            classes: &self.classes,
            categories: &self.categories,
            pictures: &self.pictures,
            targets: self.targets.view(),
            subsets: self.subsets.view(),
        }
    }

    fn outcome(&self, params: Object2BrainParams) -> Result<LayerOutcome> {
        let layer = CutLayer {
            runs: &self.runs,
            pool: self.pool,
        };
        let mut scan = CutScan::new(layer, SHAPE, self.inputs(), params)?;
        for activation in &self.activations {
            scan.add(activation.view())?;
        }
        scan.finish()
    }
}

/// The three most sensitive filters of seven, against 19 random sets.
fn few_sets() -> Object2BrainParams {
    let mut params = Object2BrainParams {
        random_sets: 19,
        permutations: 29,
        ..Object2BrainParams::default()
    };
    params.select.cut = Cut::Top(3);
    params
}
