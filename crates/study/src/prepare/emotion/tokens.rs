//! What stands in the way of modules that read several tokens.

use consilience_experiments::visual_emotion::Learning;
use consilience_models::Pool;

use super::super::invalid;
use crate::Result;
use crate::file::KeyPath;
use crate::plan::{PlannedModel, PlannedModule};
use crate::reduce::Reduction;

/// Bytes that the tokens of all pictures of a network may take.
const MOST_FEATURES: u64 = 1 << 30;

/// Bytes that the attention of the pictures of a step of training, which is kept for its gradient, may take.
const MOST_ATTENTION: u64 = 1 << 30;

/// Whether the last layer of each of the `chosen` models has several tokens.
pub(super) fn check_models(key: &KeyPath, models: &[PlannedModel], chosen: &[usize]) -> Result<()> {
    for &model in chosen {
        let model = &models[model];
        let name = &model.name;
        if model.pool != Pool::None {
            let problem = format!(
                "{name} is pooled, which leaves one token; set `pool = \"none\"` in its [[model]], or leave `tokens` out"
            );
            return Err(invalid(key, &problem));
        }
        if model.reduce != Reduction::None {
            let problem = format!(
                "the features of {name} are reduced, which mixes its tokens; leave `reduce` out of its [[model]], or leave `tokens` out"
            );
            return Err(invalid(key, &problem));
        }
        let Some(layer) = model.layers.last() else {
            continue;
        };
        if layer.tokens.n() < 2 {
            let problem = format!(
                "{} of {name}, its last layer, has one token, to which attention is a linear map; end its `layers` with one that has several (patches, or a map), or leave `tokens` out",
                layer.name
            );
            return Err(invalid(key, &problem));
        }
    }
    Ok(())
}

/// Whether tokens and attention to them fit into memory.
pub(super) fn check_memory(
    key: &KeyPath,
    models: &[PlannedModel],
    modules: &[PlannedModule],
    n_pictures: usize,
    learning: &Learning,
) -> Result<()> {
    for module in modules {
        let model = &models[module.model];
        let Some(layer) = model.layers.last() else {
            continue;
        };
        let (n_tokens, n_channels) = (layer.tokens.n() as u64, layer.tokens.n_channels as u64);
        let factors = [n_pictures as u64, n_tokens, n_channels, 4];
        if let Some(bytes) = above(MOST_FEATURES, &factors) {
            let problem = format!(
                "{n_pictures} pictures × {n_tokens} tokens × {n_channels} channels of {} of {} take {}, more than {}; end its `layers` with one that has fewer tokens or channels, take fewer pictures, or leave `tokens` out",
                layer.name,
                model.name,
                gib(bytes),
                gib(MOST_FEATURES)
            );
            return Err(invalid(key, &problem));
        }
        let nuclei = &module.structure.nuclei;
        let transformers = nuclei.nucleus.iter().filter_map(|n| n.transformer);
        let n_maps: u64 = transformers.map(|t| (t.layers * t.heads) as u64).sum();
        let at_once = learning.params.batch.min(learning.params.piece) as u64;
        let steps = nuclei.steps as u64;
        let factors = [at_once, steps, n_maps, n_tokens, n_tokens, 4];
        if let Some(bytes) = above(MOST_ATTENTION, &factors) {
            let problem = format!(
                "the attention of {at_once} pictures of a step of training to {n_tokens} tokens each, in {} layers and heads of {}, takes {}, more than {}; end the `layers` of {} with one that has fewer tokens, or set a smaller `batch`",
                steps * n_maps,
                module.structure.name,
                gib(bytes),
                gib(MOST_ATTENTION),
                model.name
            );
            return Err(invalid(key, &problem));
        }
    }
    Ok(())
}

/// The product, if it is more than `most`.
fn above(most: u64, factors: &[u64]) -> Option<u64> {
    let product = factors.iter().fold(1, |all: u64, &n| all.saturating_mul(n));
    (product > most).then_some(product)
}

fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_told_by_its_size() {
        // 5000 pictures of 196 tokens of 768 channels.
        let bytes = above(MOST_FEATURES, &[5000, 196, 768, 4]);
        assert_eq!(bytes.map(gib).as_deref(), Some("2.8 GiB"));
        assert_eq!(above(MOST_FEATURES, &[1000, 196, 768, 4]), None);
        assert_eq!(above(MOST_FEATURES, &[1 << 30]), None);
        assert!(above(MOST_FEATURES, &[u64::MAX, 2]).is_some());
    }
}
