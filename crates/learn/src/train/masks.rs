//! Values inside a network that are dropped at random.

use std::collections::{BTreeSet, HashMap};

use burn_backend::ops::FloatTensorOps;
use burn_backend::{Shape, TensorData};
use burn_flex::FlexTensor;
use consilience_models::Graph;
use consilience_models::nuclei::Dropout;
use consilience_stats::random::{Domain, Stream};

use crate::error::{LearnError, Result};
use crate::value::{Ad, Tensor, shape};

/// Tensors that lose each group of values with probability `share` and keep the others ÷ (1 − share), as inputs do.
///
/// A sample's groups are drawn from a stream of its own, by the seed, the epoch and the sample alone, one tensor after
/// another in the order in which the network makes them: neither other samples of a step nor an interruption changes them.
pub(super) struct Masks<'a> {
    by_tensor: HashMap<&'a str, Vec<&'a Dropout>>,
    seed: u64,
}

/// The masks of samples that go through the network together.
pub(super) struct PieceMasks<'a> {
    masks: &'a Masks<'a>,
    streams: Vec<Stream>,
    /// What kept a tensor from being masked.
    pub fault: Option<LearnError>,
}

impl<'a> Masks<'a> {
    pub fn new(graph: &Graph, dropped: &'a [Dropout], seed: u64) -> Result<Self> {
        let outputs = graph.nodes.iter().flat_map(|node| &node.outputs);
        let inputs = graph.inputs.iter().map(|input| &input.name);
        let made: BTreeSet<&str> = outputs.chain(inputs).map(String::as_str).collect();
        let mut by_tensor: HashMap<&str, Vec<&Dropout>> = HashMap::new();
        for dropout in dropped {
            if !made.contains(dropout.tensor.as_str()) {
                return Err(LearnError::UnknownChoice {
                    what: "tensor to drop values of",
                    found: dropout.tensor.clone(),
                    expected: "a tensor that the network makes",
                });
            }
            by_tensor.entry(&dropout.tensor).or_default().push(dropout);
        }
        Ok(Self { by_tensor, seed })
    }

    pub fn is_empty(&self) -> bool {
        self.by_tensor.is_empty()
    }

    pub fn piece(&'a self, epoch: usize, piece: &[usize]) -> PieceMasks<'a> {
        let stream = |&idx: &usize| {
            // Inputs take streams below 2⁶².
            let index = 1 << 63 | (epoch as u64) << 32 | idx as u64;
            Stream::new(self.seed, Domain::Training, index)
        };
        PieceMasks {
            masks: self,
            streams: match self.is_empty() {
                true => Vec::new(),
                false => piece.iter().map(stream).collect(),
            },
            fault: None,
        }
    }
}

impl PieceMasks<'_> {
    /// The tensor `name` with its mask, if it has one.
    pub fn apply(&mut self, name: &str, tensor: Tensor) -> Tensor {
        let Some(dropouts) = self.masks.by_tensor.get(name) else {
            return tensor;
        };
        dropouts.iter().fold(tensor, |tensor, dropout| {
            let extents = shape(&tensor);
            match self.draw(dropout, &extents) {
                Ok(mask) => {
                    let data = TensorData::new(mask, Shape::from(extents));
                    Ad::float_mul(tensor, Tensor::new(FlexTensor::from_data(data)))
                }
                Err(fault) => {
                    self.fault.get_or_insert(fault);
                    tensor
                }
            }
        })
    }

    /// Factors for a tensor of shape `extents`, of which the first axis counts samples.
    fn draw(&mut self, dropout: &Dropout, extents: &[usize]) -> Result<Vec<f32>> {
        let n = self.streams.len();
        if extents.first() != Some(&n) {
            return Err(LearnError::NotAPattern {
                layer: dropout.tensor.clone(),
            });
        }
        let n_values: usize = extents[1..].iter().product();
        if dropout.group == 0 || !n_values.is_multiple_of(dropout.group) {
            return Err(LearnError::Parameter {
                what: "the number of neighbouring values that are dropped together",
                expected: "a divisor of a sample's values of the tensor",
                found: dropout.group as f64,
            });
        }
        let kept = (1.0 / (1.0 - dropout.share)) as f32;
        // Shares are counted in units of 2⁻³¹.
        let dropped_below = (dropout.share * f64::from(UNITS)).round() as u32;
        let mut mask = vec![kept; n * n_values];
        let groups = mask.chunks_exact_mut(n_values.max(1));
        for (of_sample, stream) in groups.zip(&mut self.streams) {
            for group in of_sample.chunks_exact_mut(dropout.group) {
                if stream.below(UNITS) < dropped_below {
                    group.fill(0.0);
                }
            }
        }
        Ok(mask)
    }
}

const UNITS: u32 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::perceptron;
    use crate::value::{Precision, array, tensor};
    use ndarray::{Array, ArrayD, Axis};

    fn dropout(share: f64, group: usize) -> Dropout {
        Dropout {
            tensor: "0".into(),
            share,
            group,
        }
    }

    fn masked(dropped: &[Dropout], epoch: usize, piece: &[usize], width: usize) -> ArrayD<f32> {
        let graph = perceptron(&[3, width], 0);
        let masks = Masks::new(&graph, dropped, 9).unwrap();
        let mut of_piece = masks.piece(epoch, piece);
        let ones = Array::ones((piece.len(), width)).into_dyn();
        let ones = tensor(ones.view(), Precision::Single);
        // A tensor without a mask passes as it is.
        let ones = of_piece.apply("input", ones);
        let found = of_piece.apply("0", ones);
        assert!(of_piece.fault.is_none());
        array(found.primitive().clone())
    }

    #[test]
    fn values_are_dropped_or_enlarged_and_their_mean_stays() {
        let found = masked(&[dropout(0.2, 1)], 0, &[4, 5], 5000);
        assert!(found.iter().all(|&x| x == 0.0 || x == 1.25));
        // Five standard errors.
        assert!((found.mean().unwrap() - 1.0).abs() < 0.025);
        // Whoever else is in the piece, a sample loses the same values, in another epoch others.
        let alone = masked(&[dropout(0.2, 1)], 0, &[5], 5000);
        assert_eq!(found.index_axis(Axis(0), 1), alone.index_axis(Axis(0), 0));
        assert_ne!(found.index_axis(Axis(0), 0), alone.index_axis(Axis(0), 0));
        assert_ne!(alone, masked(&[dropout(0.2, 1)], 1, &[5], 5000));
    }

    #[test]
    fn a_group_is_dropped_as_one() {
        let found = masked(&[dropout(0.5, 4)], 3, &[0, 1, 2], 400);
        let found: Vec<f32> = found.into_iter().collect();
        let groups: Vec<&[f32]> = found.chunks(4).collect();
        assert!(groups.iter().all(|g| g.iter().all(|&x| x == g[0])));
        let n_dropped = groups.iter().filter(|g| g[0] == 0.0).count();
        // 150 of 300 with a standard deviation of 8.7.
        assert!((100..200).contains(&n_dropped), "{n_dropped}");
    }

    #[test]
    fn what_cannot_be_dropped_is_refused() {
        let graph = perceptron(&[3, 4], 0);
        let unknown = Dropout {
            tensor: "1".into(),
            share: 0.5,
            group: 1,
        };
        assert!(Masks::new(&graph, &[unknown], 0).is_err());
        let dropped = [dropout(0.5, 3)];
        let masks = Masks::new(&graph, &dropped, 0).unwrap();
        let mut of_piece = masks.piece(0, &[0]);
        let ones = Array::ones((1, 4)).into_dyn();
        of_piece.apply("0", tensor(ones.view(), Precision::Single));
        assert!(matches!(of_piece.fault, Some(LearnError::Parameter { .. })));
    }
}
