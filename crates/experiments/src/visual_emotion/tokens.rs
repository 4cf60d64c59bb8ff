//! Features of several tokens, which lie side by side in a row: those of token t are columns t·channels to (t + 1)·channels.

use ndarray::{Array2, ArrayView2, CowArray, Ix2};

/// Means over tokens, `(n, n_channels)`, of features `(n, tokens · n_channels)`; without tokens the features themselves.
///
/// Summed in 64 bits in the order of the tokens, as where layers are pooled.
///
/// # Panics
///
/// When the tokens do not divide the features.
#[must_use]
pub fn token_means(features: ArrayView2<'_, f32>, tokens: Option<usize>) -> CowArray<'_, f32, Ix2> {
    let Some(n_tokens) = tokens else {
        return CowArray::from(features);
    };
    let n_channels = features.ncols() / n_tokens;
    assert_eq!(n_channels * n_tokens, features.ncols(), "tokens of a row");
    let mean = |(row, channel)| {
        let values = (0..n_tokens).map(|t| f64::from(features[[row, t * n_channels + channel]]));
        (values.sum::<f64>() / n_tokens as f64) as f32
    };
    CowArray::from(Array2::from_shape_fn((features.nrows(), n_channels), mean))
}

/// A row for each token, `(n · tokens, n_channels)`.
pub(super) fn by_token(features: ArrayView2<'_, f32>, n_tokens: usize) -> Array2<f32> {
    reshaped(features.to_owned(), |(n, width)| {
        (n * n_tokens, width / n_tokens)
    })
}

/// The tokens of a stimulus side by side again, `(n, tokens · n_channels)`.
pub(super) fn by_stimulus(rows: Array2<f32>, n_tokens: usize) -> Array2<f32> {
    reshaped(rows, |(n, width)| (n / n_tokens, width * n_tokens))
}

fn reshaped(values: Array2<f32>, shape: impl Fn((usize, usize)) -> (usize, usize)) -> Array2<f32> {
    let shape = shape(values.dim());
    let values = values.as_standard_layout().into_owned();
    let reshaped = values.into_shape_with_order(shape);
    reshaped.expect("every stimulus has as many tokens")
}
