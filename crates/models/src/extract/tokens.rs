//! The positions of a layer as tokens.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use crate::graph::Layout;

/// Where the tokens of one image lie in the flattened value of a layer: patches of a transformer (no class token, no registers), or positions
/// of a map.
///
/// The value at outer position o, channel c and inner position i lies at (o · channels + c) · inner + i.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Channels of a token.
    pub n_channels: usize,
    /// Positions before the channel axis that stand for places.
    outer: Range<usize>,
    /// Positions after the channel axis.
    n_inner: usize,
    n_values: usize,
}

impl Tokens {
    /// Of a layer whose value for one image has `shape`.
    pub(super) fn new(shape: &[usize], layout: Layout) -> Self {
        let axis = layout.channel_axis(shape.len()).unwrap_or(0);
        let n_outer: usize = shape.iter().take(axis).product();
        let n_prefix = match layout {
            Layout::Tokens(grid) => grid.n_prefix,
            _ => 0,
        };
        Self {
            n_channels: shape.get(axis).copied().unwrap_or(1),
            outer: n_prefix.min(n_outer)..n_outer,
            n_inner: shape.iter().skip(axis + 1).product(),
            n_values: shape.iter().product(),
        }
    }

    /// How many.
    #[must_use]
    pub fn n(&self) -> usize {
        self.outer.len() * self.n_inner
    }

    /// Flattened values `(n_images, n_values)` token by token, `(n_images, tokens · channels)`; the mean over tokens is what
    /// [`Pool::Mean`](super::Pool::Mean) gives.
    ///
    /// # Panics
    ///
    /// When the values are those of another layer.
    #[must_use]
    pub fn side_by_side(&self, values: ArrayView2<'_, f32>) -> Array2<f32> {
        assert_eq!(values.ncols(), self.n_values, "values of one image");
        let from: Vec<usize> = (self.outer.clone())
            .flat_map(|outer| (0..self.n_inner).map(move |inner| (outer, inner)))
            .flat_map(|(outer, inner)| {
                let of = move |c| (outer * self.n_channels + c) * self.n_inner + inner;
                (0..self.n_channels).map(of)
            })
            .collect();
        Array2::from_shape_fn((values.nrows(), from.len()), |(row, at)| {
            values[[row, from[at]]]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::TokenGrid;
    use ndarray::Array1;

    fn found(shape: &[usize], layout: Layout) -> (usize, usize, Vec<f32>) {
        let n: usize = shape.iter().product();
        let values = Array1::from_iter((0..n).map(|k| k as f32));
        let tokens = Tokens::new(shape, layout);
        let rows = tokens.side_by_side(values.view().insert_axis(ndarray::Axis(0)));
        (tokens.n(), tokens.n_channels, rows.into_iter().collect())
    }

    #[test]
    fn channels_of_a_token_lie_together() {
        let grid = TokenGrid {
            n_prefix: 1,
            height: 1,
            width: 2,
        };
        let first = Layout::ChannelsFirst;
        // Two channels of one row of three positions.
        let of_map = vec![0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
        assert_eq!(found(&[2, 1, 3], first), (3, 2, of_map));
        let as_it_is: Vec<f32> = (0..6).map(|k| k as f32).collect();
        let last = Layout::ChannelsLast;
        assert_eq!(found(&[1, 3, 2], last), (3, 2, as_it_is.clone()));
        // A class token and two patches.
        let patches = as_it_is[2..].to_vec();
        assert_eq!(found(&[3, 2], Layout::Tokens(grid)), (2, 2, patches));
        // Tokens of a file, of which nothing is known: all of them.
        assert_eq!(found(&[3, 2], first), (3, 2, as_it_is.clone()));
        // A vector is one token.
        assert_eq!(found(&[6], first), (1, 6, as_it_is));
    }
}
