//! From the value of a layer to a feature vector.

use ndarray::ArrayView1;

use super::Pool;
use crate::graph::Layout;
use crate::{ModelError, Result};

/// How the flattened value of one image at one layer is pooled.
///
/// The value at position o, channel c and inner position i lies at (o · channels + c) · inner + i.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pooling {
    pool: Pool,
    n_channels: usize,
    /// Positions before the channel axis that take part.
    outer: std::ops::Range<usize>,
    /// Positions after the channel axis.
    n_inner: usize,
}

impl Pooling {
    /// # Errors
    ///
    /// [`ModelError::NoClassToken`] for a layer without one.
    pub(super) fn new(pool: Pool, layer: &str, shape: &[usize], layout: Layout) -> Result<Self> {
        let axis = layout.channel_axis(shape.len()).unwrap_or(0);
        let n_outer: usize = shape.iter().take(axis).product();
        let n_prefix = match layout {
            Layout::Tokens(grid) => grid.n_prefix,
            _ => 0,
        };
        let outer = match pool {
            Pool::None => 0..n_outer,
            Pool::Mean | Pool::Max => n_prefix.min(n_outer)..n_outer,
            Pool::Cls if n_prefix > 0 && n_outer > 0 => 0..1,
            Pool::Cls => {
                return Err(ModelError::NoClassToken {
                    layer: layer.to_owned(),
                    shape: shape.to_vec(),
                });
            }
        };
        Ok(Self {
            pool,
            n_channels: shape.get(axis).copied().unwrap_or(1),
            outer,
            n_inner: shape.iter().skip(axis + 1).product(),
        })
    }

    /// Values that come out for one image whose value has `n_values`.
    pub(super) fn n_features(&self, n_values: usize) -> usize {
        match self.pool {
            Pool::None => n_values,
            Pool::Mean | Pool::Max | Pool::Cls => self.n_channels,
        }
    }

    /// Feature `channel` of a value.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the mean of f32 is within their range"
    )]
    pub(super) fn feature(&self, value: ArrayView1<'_, f32>, channel: usize) -> f32 {
        let positions = self.outer.clone().flat_map(|outer| {
            let first = (outer * self.n_channels + channel) * self.n_inner;
            first..first + self.n_inner
        });
        match self.pool {
            Pool::Max => positions.fold(f32::NEG_INFINITY, |most, at| most.max(value[at])),
            _ => {
                // Summed in 64 bits; of the class token there is one position.
                let n = self.outer.len() * self.n_inner;
                let sum: f64 = positions.map(|at| f64::from(value[at])).sum();
                (sum / n as f64) as f32
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::TokenGrid;
    use ndarray::Array1;

    fn pooled(pool: Pool, shape: &[usize], layout: Layout) -> Vec<f32> {
        let n: usize = shape.iter().product();
        let value = Array1::from_iter((0..n).map(|k| k as f32));
        let pooling = Pooling::new(pool, "l", shape, layout).unwrap();
        (0..pooling.n_features(n))
            .map(|channel| pooling.feature(value.view(), channel))
            .collect()
    }

    #[test]
    fn positions_are_pooled_wherever_the_channels_are() {
        let grid = TokenGrid {
            n_prefix: 1,
            height: 1,
            width: 2,
        };
        let first = Layout::ChannelsFirst;
        // Two channels of one row of three.
        assert_eq!(pooled(Pool::Mean, &[2, 1, 3], first), [1.0, 4.0]);
        assert_eq!(pooled(Pool::Max, &[2, 1, 3], first), [2.0, 5.0]);
        assert_eq!(pooled(Pool::Mean, &[3], first), [0.0, 1.0, 2.0]);
        // One row of three positions with two channels each.
        assert_eq!(
            pooled(Pool::Mean, &[1, 3, 2], Layout::ChannelsLast),
            [2.0, 3.0]
        );
        // A class token and two patches: only the patches are pooled.
        assert_eq!(
            pooled(Pool::Mean, &[3, 2], Layout::Tokens(grid)),
            [3.0, 4.0]
        );
        assert_eq!(pooled(Pool::Max, &[3, 2], Layout::Tokens(grid)), [4.0, 5.0]);
        assert_eq!(pooled(Pool::Cls, &[3, 2], Layout::Tokens(grid)), [0.0, 1.0]);
        // Tokens of a file, of which nothing is known: all of them.
        assert_eq!(pooled(Pool::Mean, &[3, 2], first), [2.0, 3.0]);
    }

    #[test]
    fn without_a_class_token_there_is_none() {
        let grid = TokenGrid {
            n_prefix: 0,
            height: 1,
            width: 3,
        };
        for (shape, layout) in [
            (&[3, 2][..], Layout::Tokens(grid)),
            (&[3, 2], Layout::ChannelsFirst),
            (&[2, 3, 3], Layout::ChannelsFirst),
        ] {
            let error = Pooling::new(Pool::Cls, "l", shape, layout).unwrap_err();
            assert!(error.to_string().contains("no class token"), "{error}");
        }
    }
}
