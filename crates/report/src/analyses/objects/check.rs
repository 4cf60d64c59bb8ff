//! Whether a record of Object2Brain fits together.

use consilience_core::{CategoryMatrix, ObjectsRecord};

use crate::{
    Result,
    analyses::check::{same, within},
};

pub(crate) fn check(objects: &ObjectsRecord) -> Result<()> {
    let n_layers = objects.layers.len();
    let n_categories = objects.categories.len();
    let n_subsets = objects.subsets.len();
    let n_targets = objects.targets.len();
    let n_effects = n_layers * n_categories * n_subsets * n_targets;
    same("effects of lesions", n_effects, objects.effects.len())?;
    for (idx, effect) in objects.effects.iter().enumerate() {
        // Their order is fixed, so that figures find an entry without searching for it.
        let rest = n_subsets * n_targets;
        let place = [
            ("layer", idx / (n_categories * rest), effect.layer),
            ("category", idx / rest % n_categories, effect.category),
            ("subset", idx / n_targets % n_subsets, effect.subset),
            ("target", idx % n_targets, effect.target),
        ];
        for (part, expected, found) in place {
            same(format!("{part} of effect {}", idx + 1), expected, found)?;
        }
    }
    let n_importances = n_layers * n_categories;
    same("importances", n_importances, objects.importance.len())?;
    for (idx, importance) in objects.importance.iter().enumerate() {
        let about = |part: &str| format!("{part} of importance {}", idx + 1);
        same(about("layer"), idx / n_categories, importance.layer)?;
        same(about("category"), idx % n_categories, importance.category)?;
    }
    square("overlap", &objects.overlap, n_categories)?;
    square("co-occurrence", &objects.co_occurrence, n_categories)?;
    for overlay in &objects.overlays {
        for mark in &overlay.boxes {
            if let Some(category) = mark.category {
                let what = format!("category of a box on {:?}", overlay.stimulus);
                within(what, category, n_categories)?;
            }
        }
    }
    Ok(())
}

fn square(name: &str, matrix: &CategoryMatrix, n: usize) -> Result<()> {
    same(format!("rows of {name}"), n, matrix.values.len())?;
    same(
        format!("rows of counts of {name}"),
        n,
        matrix.n_stimuli.len(),
    )?;
    for row in &matrix.values {
        same(format!("columns of {name}"), n, row.len())?;
    }
    for row in &matrix.n_stimuli {
        same(format!("columns of counts of {name}"), n, row.len())?;
    }
    Ok(())
}
