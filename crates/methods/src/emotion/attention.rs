//! How widely attention is spread.

use ndarray::ArrayView3;

use super::EmotionError;
use crate::Result;
use crate::error::at_least;

/// A row of attention may miss a sum of 1 by this much: softmax in single precision.
const TOLERANCE: f64 = 1e-4;

/// Entropy of attention.
#[derive(Debug, Clone, PartialEq)]
pub struct AttentionEntropy {
    /// Mean over queries and heads, in nats: 0 when each query attends to one key, ln n when to all n alike.
    pub mean: f64,
    /// The same over ln n, 0…1; `None` for a single key, whose attention is 1 whatever the weights: the layer then is linear, and
    /// queries and keys do nothing.
    pub normalised: Option<f64>,
    /// Mean over queries, of each head, in nats.
    pub by_head: Vec<f64>,
}

/// Entropy of the attention of each query, averaged over queries and heads.
///
/// # Shapes
///
/// `weights` is `(n_heads, n_queries, n_keys)`: rows behind the softmax.
///
/// # Definition
///
/// −Σ p·ln p over the keys of a query, with 0·ln 0 = 0.
///
/// # Errors
///
/// [`MethodsError::TooFew`](crate::MethodsError::TooFew) heads, queries or keys; [`EmotionError::BadAttention`] for a row with a negative or non-finite weight
/// or a sum farther than 1e-4 from 1.
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::attention_entropy;
/// use ndarray::array;
///
/// let found = attention_entropy(array![[[0.5, 0.5], [1.0, 0.0]]].view())?;
/// assert!((found.normalised.unwrap() - 0.5).abs() < 1e-12);
/// assert_eq!(attention_entropy(array![[[1.0]]].view())?.normalised, None);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Shannon 1948, doi:10.1002/j.1538-7305.1948.tb01338.x.
///
/// # Peers
///
/// `scipy.stats.entropy` 1.17.1, to 1e-9.
pub fn attention_entropy(weights: ArrayView3<'_, f64>) -> Result<AttentionEntropy> {
    let (n_heads, n_queries, n_keys) = weights.dim();
    for (what, found) in [
        ("heads of the attention", n_heads),
        ("queries of the attention", n_queries),
        ("keys of the attention", n_keys),
    ] {
        at_least(what, 1, found)?;
    }
    let mut by_head = Vec::with_capacity(n_heads);
    for (head, queries) in weights.outer_iter().enumerate() {
        let mut sum = 0.0;
        for (query, row) in queries.rows().into_iter().enumerate() {
            let why = if row.iter().any(|p| !p.is_finite()) {
                "is not finite"
            } else if row.iter().any(|&p| p < 0.0) {
                "is negative"
            } else if (row.sum() - 1.0).abs() > TOLERANCE {
                "does not sum to 1"
            } else {
                let terms = row.iter().filter(|&&p| p > 0.0).map(|p| -p * p.ln());
                sum += terms.sum::<f64>();
                continue;
            };
            return Err(EmotionError::BadAttention { head, query, why }.into());
        }
        by_head.push(sum / n_queries as f64);
    }
    let mean = by_head.iter().sum::<f64>() / n_heads as f64;
    Ok(AttentionEntropy {
        mean,
        normalised: (n_keys > 1).then(|| mean / (n_keys as f64).ln()),
        by_head,
    })
}
