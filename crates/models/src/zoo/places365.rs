//! What the networks trained on Places365 share: 365 classes instead of 1000, and their way of
//! resizing.

use super::{Architecture, Builder, Recipe, Value, classes, square};
use crate::Preprocessing;

pub(super) const N_CLASSES: usize = 365;

const CITATION: &str = "Zhou B, Lapedriza A, Khosla A, Oliva A, Torralba A (2018) Places: a 10 \
     million image database for scene recognition. IEEE TPAMI 40(6), 1452-1464";

/// `original` for Places365; the recipe is the original's with [`N_CLASSES`] classes.
pub(super) fn variant(
    original: Architecture,
    recipe: impl Fn(&mut Builder, &Value) -> Value + Send + Sync + 'static,
) -> Architecture {
    Architecture {
        name: format!("{}_places365", original.name),
        description: format!("{}, for 365 kinds of scenes", original.description),
        n_classes: N_CLASSES,
        class_names: Some(classes::PLACES365),
        preprocessing: Preprocessing {
            resize: square(256),
            ..Preprocessing::imagenet()
        },
        recipe: Recipe::new(recipe),
        ..original
    }
    .cite(CITATION, Some("10.1109/TPAMI.2017.2723009"))
}
