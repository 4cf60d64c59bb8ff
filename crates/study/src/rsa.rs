//! One representational similarity analysis: model RDMs × target RDMs → its part of the record.

use consilience_core::{
    DisplayRdm, MdsMap, Predictor, RsaRecord, RsaScore, RsaSettings, RsaTarget, pairs,
};
use consilience_methods::mds::{self, MdsParams};
use consilience_methods::rsa::{InferParams, infer};
use consilience_stats::rank;
use ndarray::{Array1, Array2, ArrayView1, Axis, concatenate};

use crate::activations::model_rdms;
use crate::cache::{Cache, Key};
use crate::plan::PlannedRsa;
use crate::prepare::Prepared;
use crate::progress::Progress;
use crate::{Result, StudyError};

/// Beyond this many conditions a heat map is averaged down: it would not show more on a page.
const LARGEST_HEAT_MAP: usize = 400;

/// Carries out one analysis of the plan.
pub fn run(
    prepared: &Prepared,
    analysis: &PlannedRsa,
    cache: &Cache,
    n_threads: usize,
    progress: &dyn Progress,
) -> Result<RsaRecord> {
    let plan = &prepared.plan;
    let mut predictors = Vec::new();
    let mut blocks = Vec::new();
    for &model_idx in &analysis.models {
        let model = &plan.models[model_idx];
        predictors.extend(model.layers.iter().map(|layer| Predictor {
            model: model.name.clone(),
            layer: layer.name.clone(),
            n_features: layer.n_features,
        }));
        blocks.push(model_rdms(
            prepared,
            model_idx,
            analysis.dissimilarity,
            cache,
            n_threads,
            progress,
        )?);
    }
    let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
    let models = concatenate(Axis(0), &views).expect("RDMs of one study have one length");

    let mut targets = Vec::new();
    for &target_idx in &analysis.targets {
        targets.push(score_target(
            prepared, analysis, target_idx, &models, cache, progress,
        )?);
    }
    let (rdms, maps) = display(prepared, analysis, &predictors, &models, &targets)?;
    Ok(RsaRecord {
        settings: RsaSettings {
            dissimilarity: analysis.dissimilarity.to_string(),
            similarity: analysis.similarity.to_string(),
            bootstrap: analysis.bootstrap.to_string(),
            resamples: analysis.resamples,
            permutations: analysis.permutations,
            correction: analysis.correction.to_string(),
            alpha: analysis.alpha,
        },
        predictors,
        targets,
        rdms,
        maps,
    })
}

/// All predictors against one target, from the cache when it was done before.
fn score_target(
    prepared: &Prepared,
    analysis: &PlannedRsa,
    target_idx: usize,
    models: &Array2<f64>,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<RsaTarget> {
    let planned = &prepared.plan.targets[target_idx];
    let rdms = &prepared.targets[target_idx];
    let mut hasher = blake3::Hasher::new();
    for value in models {
        hasher.update(&value.to_le_bytes());
    }
    let key = Key::new(
        "rsa",
        &(
            hasher.finalize().to_hex().to_string(),
            planned,
            analysis.similarity.to_string(),
            analysis.bootstrap.to_string(),
            (
                analysis.resamples,
                analysis.permutations,
                prepared.plan.seed,
            ),
            analysis.correction.to_string(),
        ),
    );
    if let Some(done) = cache.json("rsa", &key) {
        return Ok(done);
    }
    let params = InferParams {
        similarity: analysis.similarity,
        bootstrap: analysis.bootstrap,
        resamples: analysis.resamples,
        permutations: analysis.permutations,
        seed: prepared.plan.seed,
        correction: analysis.correction,
        ..InferParams::default()
    };
    let n_steps = analysis.resamples + analysis.permutations;
    progress.begin(&format!("agreement with {}", planned.name), n_steps as u64);
    let inference = infer(models.view(), rdms.vectors(), &params, &|done, _| {
        progress.advance_to(done as u64);
    })
    .map_err(|source| StudyError::Target {
        target: planned.name.clone(),
        source: Box::new(source),
    })?;
    progress.end();
    let target = RsaTarget {
        name: planned.name.clone(),
        kind: planned.kind,
        n_subjects: rdms.n_rdms(),
        n_conditions: rdms.n_conditions(),
        ceiling: inference.ceiling,
        best: best(&inference.models),
        scores: inference.models,
        p_difference: inference.p_difference_corrected,
        notes: inference.notes,
    };
    cache.put_json("rsa", &key, &target)?;
    Ok(target)
}

/// The predictor with the highest score; the first of equals.
fn best(scores: &[RsaScore]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (idx, score) in scores.iter().enumerate() {
        let Some(estimate) = &score.estimate else {
            continue;
        };
        if best.is_none_or(|(_, highest)| estimate.value > highest) {
            best = Some((idx, estimate.value));
        }
    }
    best.map(|(idx, _)| idx)
}

/// RDMs and maps to look at: each target's mean and its best predictor.
fn display(
    prepared: &Prepared,
    analysis: &PlannedRsa,
    predictors: &[Predictor],
    models: &Array2<f64>,
    targets: &[RsaTarget],
) -> Result<(Vec<DisplayRdm>, Vec<MdsMap>)> {
    let mut shown: Vec<(String, Array1<f64>)> = Vec::new();
    for (target, &target_idx) in targets.iter().zip(&analysis.targets) {
        let rdms = &prepared.targets[target_idx];
        let title = match target.n_subjects {
            1 => target.name.clone(),
            n => format!("{} (mean of {n} subjects)", target.name),
        };
        let mean = rdms
            .vectors()
            .mean_axis(Axis(0))
            .expect("a target has at least one RDM");
        shown.push((title, mean));
    }
    for best in targets.iter().filter_map(|target| target.best) {
        let title = format!("{} {}", predictors[best].model, predictors[best].layer);
        if shown.iter().all(|(other, _)| *other != title) {
            shown.push((title, models.row(best).to_owned()));
        }
    }
    self::shown(prepared, shown)
}

/// RDMs with their titles as heat maps and arrangements.
pub fn shown(
    prepared: &Prepared,
    shown: Vec<(String, Array1<f64>)>,
) -> Result<(Vec<DisplayRdm>, Vec<MdsMap>)> {
    let order = category_order(prepared);
    let mut rdms = Vec::new();
    let mut maps = Vec::new();
    for (title, rdm) in shown {
        let values = rdm.as_slice().expect("owned vectors are contiguous");
        let map = mds::mds(values, MdsParams::default()).map_err(|source| StudyError::Target {
            target: title.clone(),
            source: Box::new(source),
        })?;
        // Without a fit all dissimilarities are the same, and there is nothing to arrange.
        if let Some(fit) = map.fit {
            maps.push(MdsMap {
                title: title.clone(),
                points: map
                    .points
                    .iter()
                    .map(|&[x, y]| [x as f32, y as f32])
                    .collect(),
                fit,
            });
        }
        rdms.push(display_rdm(title, rdm.view(), &order));
    }
    Ok((rdms, maps))
}

/// Positions of the stimuli with each category together, categories in order of appearance.
fn category_order(prepared: &Prepared) -> Vec<usize> {
    let categories: Vec<Option<&str>> = prepared
        .stimuli
        .iter()
        .map(|s| s.category.as_deref())
        .collect();
    let first = |idx: usize| categories.iter().position(|c| *c == categories[idx]);
    let mut order: Vec<usize> = (0..categories.len()).collect();
    order.sort_by_key(|&idx| first(idx));
    order
}

/// Percentile ranks of an RDM; a large one is put in category order and averaged down.
fn display_rdm(title: String, rdm: ArrayView1<'_, f64>, order: &[usize]) -> DisplayRdm {
    let n = order.len();
    let ranks = rank::average_ranks(&rdm.to_vec());
    let top = (ranks.len().max(2) - 1) as f64;
    let percentiles: Vec<f64> = ranks.iter().map(|rank| (rank - 1.0) / top).collect();
    if n <= LARGEST_HEAT_MAP {
        return DisplayRdm {
            title,
            n,
            ranks: percentiles.iter().map(|&p| p as f32).collect(),
        };
    }
    let n_cells = LARGEST_HEAT_MAP;
    let cell_of = |position: usize| position * n_cells / n;
    let mut sums = vec![(0.0, 0usize); pairs::n_pairs(n_cells)];
    for (a, b) in pairs::iter(n) {
        let (cell_a, cell_b) = (cell_of(a), cell_of(b));
        if cell_a < cell_b {
            let (i, j) = (order[a].min(order[b]), order[a].max(order[b]));
            let cell = &mut sums[pairs::pair_idx(cell_a, cell_b, n_cells)];
            cell.0 += percentiles[pairs::pair_idx(i, j, n)];
            cell.1 += 1;
        }
    }
    let ranks = sums
        .iter()
        .map(|(sum, count)| (sum / *count as f64) as f32)
        .collect();
    DisplayRdm {
        title,
        n: n_cells,
        ranks,
    }
}
