//! Heads step by step down the gradient.

use consilience_learn::train::{self, Arrays, Loss, Optimizer, TrainParams};
use consilience_models::Graph;
use consilience_models::graph::{Layer, Node, Tensor};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::{HeadKind, HeadParams};
use crate::error::Result;

/// A training set, scaled.
pub(super) struct Scaled<'a> {
    pub features: ArrayView2<'a, f64>,
    pub ratings: &'a [f64],
    pub weights: &'a [f64],
    /// δ of Huber's loss in their unit.
    pub huber: Option<f64>,
}

/// A head on scaled features.
pub(super) struct Descended {
    pub weights: Vec<f64>,
    pub bias: f64,
    /// The epoch that was kept.
    pub epoch: usize,
}

/// Trains on the rows `learnt`, and stops by the rows `stopping` if there are any.
pub(super) fn descend(
    data: &Scaled<'_>,
    learnt: &[usize],
    stopping: &[usize],
    params: &HeadParams,
    seed: u64,
) -> Result<Descended> {
    let part = |rows: &[usize]| {
        let features = data.features.select(Axis(0), rows).mapv(|x| x as f32);
        let ratings = Array2::from_shape_fn((rows.len(), 1), |(i, _)| data.ratings[rows[i]] as f32);
        let weights: Array1<f32> = rows.iter().map(|&row| data.weights[row] as f32).collect();
        (features, ratings, weights)
    };
    let (x, y, w) = part(learnt);
    let training = Arrays::new(x.view().into_dyn(), y.view())?.weighted(w.view())?;
    let (x, y, w) = part(stopping);
    let validation = Arrays::new(x.view().into_dyn(), y.view())?.weighted(w.view())?;
    let graph = graph(data.features.ncols(), params.head);
    let params = TrainParams {
        loss: match data.huber {
            Some(delta) => Loss::Huber { delta },
            None => Loss::MeanSquared,
        },
        optimizer: Optimizer::Adam {
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            weight_decay: params.weight_decay.unwrap_or(0.0),
        },
        learning_rate: params.learning_rate,
        epochs: params.epochs,
        batch: params.batch,
        seed,
        dropout: params.dropout,
        patience: params.patience.filter(|_| !stopping.is_empty()),
        ..TrainParams::default()
    };
    let validation = (!stopping.is_empty()).then_some(&validation as _);
    let trained = train::train(&graph, &training, validation, &params, None, |_| {})?;
    let values = |key: &str| trained.weights[key].iter().map(|&w| f64::from(w));
    Ok(Descended {
        weights: values("0.weight").collect(),
        bias: values("0.bias").sum(),
        epoch: trained.epoch,
    })
}

/// A head with weights of 0: where there are fewer pictures than features, what weights begin with would
/// partly stay and be noise in the ratings of other pictures.
fn graph(n_features: usize, kind: HeadKind) -> Graph {
    let mut graph = train::perceptron(&[n_features, 1], 0);
    for tensor in graph.initialisers.values_mut() {
        let shape = tensor.shape().to_vec();
        let zeros = vec![0.0; shape.iter().product()];
        *tensor = Tensor::from_f32(shape, &zeros).expect("as many zeros as the shape has");
    }
    if kind == HeadKind::Sigmoid {
        let name = "sigmoid".to_owned();
        graph.nodes.push(Node {
            name: name.clone(),
            op: "Sigmoid".to_owned(),
            inputs: graph.outputs.clone(),
            outputs: vec![name.clone()],
            ..Node::default()
        });
        graph.layers.push(Layer {
            name: name.clone(),
            tensor: name.clone(),
        });
        graph.outputs = vec![name];
    }
    graph
}
