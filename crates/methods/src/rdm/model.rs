//! RDMs that a hypothesis predicts, from what a table says of the conditions.

use std::f64::consts::TAU;

use consilience_core::pairs;

use crate::error::at_least;
use crate::{MethodsError, Result};

/// 0 for conditions of the same category, 1 for conditions of different ones.
///
/// # Shapes
///
/// A label for each condition; the result is `(n_pairs,)`.
///
/// # Errors
///
/// [`MethodsError::TooFew`] conditions.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::categorical_model;
///
/// assert_eq!(categorical_model(&["cat", "dog", "cat"])?, [1.0, 0.0, 1.0]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// rsatoolbox 0.3.2 `rdm.get_categorical_rdm`.
pub fn categorical_model<T: PartialEq>(labels: &[T]) -> Result<Vec<f64>> {
    at_least("conditions to compare", 2, labels.len())?;
    Ok(of_pairs(labels.len(), |i, j| {
        f64::from(u8::from(labels[i] != labels[j]))
    }))
}

/// Distance of the conditions in the order of a value: how many different values lie between them, over
/// the most possible.
///
/// # Definition
///
/// |rᵢ − rⱼ| / (k − 1), where r counts the different values from the smallest and k is their number: values
/// with equal steps. 0 for all when there is one value.
///
/// # Errors
///
/// [`MethodsError::TooFew`] conditions, [`MethodsError::NonFinite`] values.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::ordinal_model;
///
/// assert_eq!(ordinal_model(&[1.0, 7.0, 2.0])?, [1.0, 0.5, 0.5]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
pub fn ordinal_model(values: &[f64]) -> Result<Vec<f64>> {
    check(values)?;
    let mut levels = values.to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup_by(|a, b| a == b);
    let ranks: Vec<f64> = values
        .iter()
        .map(|value| levels.partition_point(|level| level < value) as f64)
        .collect();
    let widest = (levels.len() - 1).max(1) as f64;
    Ok(of_pairs(values.len(), |i, j| {
        (ranks[i] - ranks[j]).abs() / widest
    }))
}

/// Absolute difference of a value.
///
/// # Errors
///
/// [`MethodsError::TooFew`] conditions, [`MethodsError::NonFinite`] values.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::interval_model;
///
/// assert_eq!(interval_model(&[1.0, 7.0, 2.0])?, [6.0, 1.0, 5.0]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # Peers
///
/// SciPy `pdist` with `cityblock` on one column.
pub fn interval_model(values: &[f64]) -> Result<Vec<f64>> {
    check(values)?;
    Ok(of_pairs(values.len(), |i, j| (values[i] - values[j]).abs()))
}

/// Shorter way round between values on a circle.
///
/// # Definition
///
/// With δ the difference modulo `period`: min(δ, period − δ), 0 … period/2. Degrees have the period 360,
/// orientations of lines 180, hours 24.
///
/// # Errors
///
/// [`MethodsError::TooFew`] conditions, [`MethodsError::NonFinite`] values,
/// [`MethodsError::OptionOutOfRange`] for a period that is not positive.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::circular_model;
///
/// assert_eq!(circular_model(&[10.0, 350.0, 100.0], 360.0)?, [20.0, 90.0, 110.0]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
pub fn circular_model(values: &[f64], period: f64) -> Result<Vec<f64>> {
    check(values)?;
    if !(period > 0.0 && period.is_finite()) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the period of the circle",
            value: period,
            expected: "a positive number",
        });
    }
    Ok(of_pairs(values.len(), |i, j| {
        let way = (values[i] - values[j]).rem_euclid(period);
        way.min(period - way)
    }))
}

/// Distance in a circumplex of two dimensions, such as valence and arousal, by direction alone.
///
/// # Definition
///
/// The angle between the conditions as seen from `centre`, over π: 0 for one direction, 1 for opposite
/// ones. Their distance from the centre has no say; for a model in which it has, take the Euclidean RDM of
/// both columns.
///
/// # Errors
///
/// [`MethodsError::TooFew`] conditions, [`MethodsError::NonFinite`] values,
/// [`MethodsError::NoDirection`] for a condition at the centre.
///
/// # Example
///
/// ```
/// use consilience_methods::rdm::circumplex_model;
///
/// let found = circumplex_model(&[[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0]], [0.0, 0.0])?;
/// assert!((found[0] - 0.5).abs() < 1e-15 && (found[1] - 1.0).abs() < 1e-15);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Russell 1980, doi:10.1037/h0077714.
pub fn circumplex_model(places: &[[f64; 2]], centre: [f64; 2]) -> Result<Vec<f64>> {
    for axis in 0..2 {
        check(
            &places
                .iter()
                .map(|p| p[axis] - centre[axis])
                .collect::<Vec<_>>(),
        )?;
    }
    let at_centre = |p: &[f64; 2]| *p == centre;
    if let Some(condition) = places.iter().position(at_centre) {
        return Err(MethodsError::NoDirection { condition });
    }
    let angles: Vec<f64> = places
        .iter()
        .map(|p| (p[1] - centre[1]).atan2(p[0] - centre[0]))
        .collect();
    let ways = circular_model(&angles, TAU)?;
    Ok(ways.into_iter().map(|way| way / (0.5 * TAU)).collect())
}

fn of_pairs(n: usize, value: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    pairs::iter(n).map(|(i, j)| value(i, j)).collect()
}

fn check(values: &[f64]) -> Result<()> {
    at_least("conditions to compare", 2, values.len())?;
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(row) => Err(MethodsError::NonFinite {
            what: "the column of the table",
            row,
            column: 0,
            value: values[row],
            cure: "leave out the conditions without a value",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Each is a distance: 0 for equals, never negative, the same both ways, no detour shorter.
        #[test]
        fn models_are_distances(values in prop::collection::vec(-50.0..50.0_f64, 3..12)) {
            let n = values.len();
            let labels: Vec<i64> = values.iter().map(|v| *v as i64 % 3).collect();
            let places: Vec<[f64; 2]> = values.iter().map(|v| [v.cos() * 2.0, v.sin()]).collect();
            for model in [
                categorical_model(&labels).unwrap(),
                ordinal_model(&values).unwrap(),
                interval_model(&values).unwrap(),
                circular_model(&values, 24.0).unwrap(),
                circumplex_model(&places, [0.0, 0.0]).unwrap(),
            ] {
                let d = |i: usize, j: usize| match i.cmp(&j) {
                    std::cmp::Ordering::Less => model[pairs::pair_idx(i, j, n)],
                    std::cmp::Ordering::Equal => 0.0,
                    std::cmp::Ordering::Greater => model[pairs::pair_idx(j, i, n)],
                };
                for (i, j) in pairs::iter(n) {
                    prop_assert!(d(i, j) >= 0.0);
                    for k in 0..n {
                        prop_assert!(d(i, j) <= d(i, k) + d(k, j) + 1e-9);
                    }
                }
            }
        }

        /// Order and interval ignore what they should.
        #[test]
        fn models_keep_their_scale_level(values in prop::collection::vec(-5.0..5.0_f64, 2..12)) {
            let bent: Vec<f64> = values.iter().map(|v| v.exp()).collect();
            prop_assert_eq!(ordinal_model(&values).unwrap(), ordinal_model(&bent).unwrap());
            let shifted: Vec<f64> = values.iter().map(|v| v + 24.0).collect();
            let (a, b) = (circular_model(&values, 24.0).unwrap(), circular_model(&shifted, 24.0).unwrap());
            prop_assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }

    #[test]
    fn ties_have_no_distance() {
        assert_eq!(ordinal_model(&[2.0, 2.0, 5.0]).unwrap(), [0.0, 1.0, 1.0]);
        assert_eq!(ordinal_model(&[2.0, 2.0]).unwrap(), [0.0]);
        assert_eq!(ordinal_model(&[0.0, -0.0]).unwrap(), [0.0]);
    }

    #[test]
    fn what_has_no_distance_is_refused() {
        assert!(matches!(
            categorical_model(&["a"]),
            Err(MethodsError::TooFew { .. })
        ));
        assert!(matches!(
            interval_model(&[0.0, f64::NAN]),
            Err(MethodsError::NonFinite { row: 1, .. })
        ));
        for period in [0.0, -1.0, f64::INFINITY] {
            assert!(circular_model(&[0.0, 1.0], period).is_err());
        }
        assert!(matches!(
            circumplex_model(&[[1.0, 0.0], [0.5, 0.5]], [0.5, 0.5]),
            Err(MethodsError::NoDirection { condition: 1 })
        ));
    }
}
