//! Fitting the parameters of models to the RDMs of some subjects on some conditions.

use super::levels::Levels;
use super::model::ModelKind;
use super::regression::{Triangular, non_negative};
use super::row::{Row, Source, dot};
use super::sample::Sample;
use super::similarity::Similarity;
use super::whitening::Whitener;

/// The component RDMs of a model.
pub(super) struct Components<'a> {
    pub kind: ModelKind,
    pub source: Source<'a>,
}

/// What models are fitted to: the RDMs of some subjects on some conditions.
pub(super) struct Training<'a> {
    pub sample: &'a Sample,
    /// Subjects on the sample, by the similarity and by the [`criterion`] of weights.
    pub subjects: &'a [Row],
    pub criteria: &'a [Row],
    /// How often each subject takes part.
    pub multiplicities: &'a [u32],
    pub similarity: Similarity,
}

/// The similarity that weights are fitted for: one that is an inner product.
pub(super) fn criterion(similarity: Similarity) -> Similarity {
    match similarity {
        s if s.is_rank_based() => Similarity::Pearson,
        Similarity::Bures => Similarity::Cosine,
        s => s,
    }
}

/// The components of one model on the training sample.
pub(super) struct Prepared {
    /// By the similarity, for `selected` only; `None` where undefined.
    rows: Vec<Option<Row>>,
    /// By the criterion, for weights only.
    criteria: Vec<Option<Row>>,
}

impl Components<'_> {
    /// What of the fit does not depend on the subjects.
    pub fn prepared(&self, sample: &Sample, similarity: Similarity) -> Prepared {
        let by = |wanted: bool, similarity| {
            if wanted {
                self.source.on(sample, similarity)
            } else {
                Vec::new()
            }
        };
        let selected = self.kind == ModelKind::Selected;
        let weighted = self.kind.is_flexible() && !selected;
        Prepared {
            rows: by(selected, similarity),
            criteria: by(weighted, criterion(similarity)),
        }
    }

    /// Weights of the components; `None` where none of them can be compared with the data.
    pub fn fit(&self, prepared: &Prepared, training: &Training<'_>) -> Option<Vec<f64>> {
        match self.kind {
            ModelKind::Fixed => Some(vec![1.0]),
            ModelKind::Selected => best_component(&prepared.rows, training),
            kind => weights(kind, &prepared.criteria, training),
        }
    }

    /// What it predicts on a sample; `None` where that has no similarity with anything.
    pub fn predicted_on(
        &self,
        weights: &[f64],
        sample: &Sample,
        similarity: Similarity,
        whitener: Option<&Whitener>,
    ) -> Option<Row> {
        if matches!(self.kind, ModelKind::Fixed | ModelKind::Selected) {
            let component = weights.iter().position(|w| *w != 0.0)?;
            return self.source.one_on(component, sample, similarity, whitener);
        }
        let mut sum = vec![0.0; sample.n_pairs()];
        for (vector, &weight) in self.source.vectors.iter().zip(weights) {
            if weight != 0.0 {
                sample.add_to(&mut sum, weight, vector);
            }
        }
        if similarity.is_rank_based() {
            let levels = Levels::of_values(&sum);
            Row::of_levels(levels.of, levels.n, sample, similarity)
        } else {
            Row::of_values(sum, sample, similarity, whitener)
        }
    }
}

/// Weight 1 for the component of the largest mean similarity.
fn best_component(components: &[Option<Row>], training: &Training<'_>) -> Option<Vec<f64>> {
    let value = |row: &Row| -> f64 {
        let similarities = training.subjects.iter().zip(training.multiplicities);
        similarities
            .filter(|(_, m)| **m > 0)
            .map(|(s, &m)| f64::from(m) * row.similarity(s, training.sample, training.similarity))
            .sum()
    };
    let values = components.iter().map(|row| row.as_ref().map(value));
    let best = first_largest(values.enumerate().filter_map(|(j, v)| Some((j, v?))))?;
    Some(only(best, components.len()))
}

fn only(component: usize, n: usize) -> Vec<f64> {
    let mut weights = vec![0.0; n];
    weights[component] = 1.0;
    weights
}

fn first_largest(values: impl Iterator<Item = (usize, f64)>) -> Option<usize> {
    values
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .map(|(j, _)| j)
}

/// Weights with the largest mean similarity, where similarity is an inner product of unit vectors: then the
/// mean over subjects is the inner product with their mean vector.
fn weights(
    kind: ModelKind,
    components: &[Option<Row>],
    training: &Training<'_>,
) -> Option<Vec<f64>> {
    // Whitened vectors have more entries than there are pairs.
    let mut target = vec![0.0; training.criteria.first()?.vector()?.entries.len()];
    for (row, &m) in training.criteria.iter().zip(training.multiplicities) {
        if m > 0 {
            for (sum, entry) in target.iter_mut().zip(&row.vector()?.entries) {
                *sum += f64::from(m) * entry;
            }
        }
    }
    let defined: Vec<(usize, &[f64], f64)> = components
        .iter()
        .enumerate()
        .filter_map(|(j, row)| {
            let unit = row.as_ref()?.vector()?;
            Some((j, unit.entries.as_slice(), unit.length))
        })
        .collect();
    let columns: Vec<&[f64]> = defined.iter().map(|(_, column, _)| *column).collect();
    let found = match kind {
        ModelKind::Interpolated => between_neighbours(&columns, &target)?,
        ModelKind::WeightedAnySign => any_sign(&columns, &target),
        _ => in_cone(&columns, &target)?,
    };
    let mut weights = vec![0.0; components.len()];
    for ((j, _, length), weight) in defined.into_iter().zip(found) {
        weights[j] = weight / length;
    }
    let scale = if kind == ModelKind::Interpolated {
        weights.iter().sum::<f64>()
    } else {
        dot(&weights, &weights).sqrt()
    };
    (scale > 0.0).then(|| weights.iter().map(|w| w / scale).collect())
}

/// The direction nearest to `target` among sums of unit vectors with weights of at least 0; where all point
/// away from it, the unit vector that does so least.
fn in_cone(columns: &[&[f64]], target: &[f64]) -> Option<Vec<f64>> {
    let weights = non_negative(columns, target);
    if weights.iter().any(|w| *w > 0.0) {
        return Some(weights);
    }
    let along = columns.iter().map(|column| dot(column, target)).enumerate();
    Some(only(first_largest(along)?, columns.len()))
}

/// The same for sums of two vectors that follow each other.
fn between_neighbours(columns: &[&[f64]], target: &[f64]) -> Option<Vec<f64>> {
    let n = columns.len();
    if n == 1 {
        return Some(vec![1.0]);
    }
    let candidates: Vec<Vec<f64>> = columns
        .windows(2)
        .map(|two| in_cone(two, target))
        .collect::<Option<_>>()?;
    let cosines = candidates.iter().zip(columns.windows(2)).map(|(w, two)| {
        let along = w[0] * dot(two[0], target) + w[1] * dot(two[1], target);
        let square = w[0] * w[0] + w[1] * w[1] + 2.0 * w[0] * w[1] * dot(two[0], two[1]);
        along / square.sqrt()
    });
    let best = first_largest(cosines.enumerate())?;
    let mut weights = vec![0.0; n];
    weights[best..best + 2].copy_from_slice(&candidates[best]);
    Some(weights)
}

/// Least squares; a column that is a sum of those before it gets weight 0.
fn any_sign(columns: &[&[f64]], target: &[f64]) -> Vec<f64> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let decomposition = loop {
        let picked: Vec<Vec<f64>> = kept.iter().map(|&j| columns[j].to_vec()).collect();
        match Triangular::of(&picked) {
            Ok(decomposition) => break decomposition,
            Err(superfluous) => {
                kept.remove(superfluous);
            }
        }
    };
    let mut weights = vec![0.0; columns.len()];
    for (j, weight) in kept.into_iter().zip(decomposition.solve(target)) {
        weights[j] = weight;
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [f64; 3] = [1.0, 0.0, 0.0];
    const Y: [f64; 3] = [0.0, 1.0, 0.0];

    #[test]
    fn a_cone_holds_the_nearest_direction() {
        assert_eq!(in_cone(&[&X, &Y], &[3.0, 4.0, 7.0]).unwrap(), [3.0, 4.0]);
        assert_eq!(in_cone(&[&X, &Y], &[3.0, -4.0, 7.0]).unwrap(), [3.0, 0.0]);
        // All point away: the least.
        assert_eq!(in_cone(&[&X, &Y], &[-3.0, -4.0, 0.0]).unwrap(), [1.0, 0.0]);
        assert_eq!(in_cone(&[], &[1.0]), None);
    }

    #[test]
    fn neighbours_only_are_mixed() {
        let z = [0.0, 0.0, 1.0];
        let found = between_neighbours(&[&X, &Y, &z], &[5.0, 1.0, 4.0]).unwrap();
        assert_eq!(found, [5.0, 1.0, 0.0]);
        let found = between_neighbours(&[&X, &Y, &z], &[1.0, 1.0, 4.0]).unwrap();
        assert_eq!(found, [0.0, 1.0, 4.0]);
    }

    #[test]
    fn a_repeated_column_counts_once() {
        let found = any_sign(&[&X, &X, &Y], &[-2.0, 3.0, 1.0]);
        assert_eq!(found, [-2.0, 0.0, 3.0]);
    }
}
