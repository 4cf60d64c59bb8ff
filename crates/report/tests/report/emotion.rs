//! Reports of visual emotion.
