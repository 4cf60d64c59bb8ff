//! Which axis of a tensor holds the channels, and where its positions lie in the picture.

/// How the values of one image are laid out in a tensor.
///
/// Convolutional maps have their channels first; transformers keep a row for each token, or maps
/// with the channels last. Whatever reads positions or channels of a layer (pooling, Grad-CAM,
/// lesions of units or tokens) asks [`Graph::layout`](super::Graph::layout).
///
/// # Shapes
///
/// Of one image: `ChannelsFirst` `(channels, height, width)` or `(features)`; `ChannelsLast`
/// `(height, width, channels)`; `Tokens` `(grid.n_tokens(), channels)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Layout {
    /// The first axis is the channels; further ones are positions.
    #[default]
    ChannelsFirst,
    /// The last axis is the channels; the two before it are the rows and columns of positions.
    ChannelsLast,
    /// A row for each token, the channels along the last axis.
    Tokens(TokenGrid),
}

/// How the rows of a token tensor lie in the picture.
///
/// # Definition
///
/// Row i < `n_prefix` stands for no place: row 0 is the class token, registers follow. Row
/// `n_prefix` + y · `width` + x stands for the patch in row y and column x of the picture, both from
/// the upper left corner.
///
/// # Example
///
/// ```
/// use consilience_models::graph::TokenGrid;
///
/// let vit_b_32 = TokenGrid { n_prefix: 1, height: 7, width: 7 };
/// assert_eq!(vit_b_32.n_tokens(), 50);
/// assert_eq!(vit_b_32.n_patches(), 49);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenGrid {
    /// Tokens before those of the grid; 0 for a network without a class token.
    pub n_prefix: usize,
    /// Rows of the grid.
    pub height: usize,
    /// Columns of the grid.
    pub width: usize,
}

impl Layout {
    /// The axis of the channels in one image's value of `n_axes` axes.
    ///
    /// Two axes of which nothing is known are those of tokens, as in transformers from a file.
    #[must_use]
    pub fn channel_axis(self, n_axes: usize) -> Option<usize> {
        match self {
            Self::ChannelsFirst if n_axes != 2 => (n_axes > 0).then_some(0),
            _ => n_axes.checked_sub(1),
        }
    }

    /// The axis of the tokens in one image's value of `n_axes` axes, where there are tokens.
    #[must_use]
    pub fn token_axis(self, n_axes: usize) -> Option<usize> {
        (n_axes == 2 && self != Self::ChannelsLast).then_some(0)
    }
}

impl TokenGrid {
    /// Tokens that stand for a place.
    #[must_use]
    pub fn n_patches(self) -> usize {
        self.height * self.width
    }

    /// All tokens.
    #[must_use]
    pub fn n_tokens(self) -> usize {
        self.n_prefix + self.n_patches()
    }
}
