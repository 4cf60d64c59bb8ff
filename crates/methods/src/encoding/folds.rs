//! Which rows are predicted together.

use super::EncodingError;
use crate::Result;
use crate::error::same_count;

/// How rows are divided for cross-validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Folds {
    /// So many contiguous blocks; the first ones have a row more where rows do not divide evenly.
    Contiguous(usize),
    /// A fold number for each row, at least 0.
    Given(Vec<i64>),
}

impl Default for Folds {
    fn default() -> Self {
        Self::Contiguous(5)
    }
}

impl Folds {
    /// The rows of each fold, ascending; folds in ascending order of their numbers.
    ///
    /// # Errors
    ///
    /// [`EncodingError::FoldCount`] for fewer than two folds (three when `nested`) or more than rows,
    /// [`EncodingError::NegativeFold`], [`MethodsError::ShapeMismatch`](crate::MethodsError::ShapeMismatch) when fold numbers and rows
    /// differ in number.
    ///
    /// # Peers
    ///
    /// scikit-learn `KFold` without shuffling, and `PredefinedSplit` without −1: the same rows.
    pub fn rows(&self, n_rows: usize, nested: bool) -> Result<Vec<Vec<usize>>> {
        let rows = match self {
            Self::Contiguous(n_folds) if (1..=n_rows).contains(n_folds) => {
                let (size, n_larger) = (n_rows / n_folds, n_rows % n_folds);
                let start = |fold: usize| fold * size + fold.min(n_larger);
                (0..*n_folds)
                    .map(|fold| (start(fold)..start(fold + 1)).collect())
                    .collect()
            }
            // Refused below.
            Self::Contiguous(n_folds) => vec![Vec::new(); *n_folds],
            Self::Given(numbers) => by_number(numbers, n_rows)?,
        };
        let needed = if nested { 3 } else { 2 };
        if rows.len() < needed || rows.len() > n_rows {
            return Err(EncodingError::FoldCount {
                found: rows.len(),
                needed,
                n_rows,
                nested,
            }
            .into());
        }
        Ok(rows)
    }
}

fn by_number(numbers: &[i64], n_rows: usize) -> Result<Vec<Vec<usize>>> {
    same_count("fold numbers, one for each row", n_rows, numbers.len())?;
    if let Some(row) = numbers.iter().position(|&fold| fold < 0) {
        return Err(EncodingError::NegativeFold {
            row,
            fold: numbers[row],
        }
        .into());
    }
    let mut order: Vec<usize> = (0..n_rows).collect();
    order.sort_by_key(|&row| numbers[row]);
    Ok(order
        .chunk_by(|&a, &b| numbers[a] == numbers[b])
        .map(<[usize]>::to_vec)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MethodsError;

    #[test]
    fn contiguous_blocks_differ_by_one_row_at_most() {
        let rows = Folds::Contiguous(3).rows(8, false).unwrap();
        assert_eq!(rows, [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7]]);
    }

    #[test]
    fn fold_numbers_may_be_any_and_in_any_order() {
        let rows = Folds::Given(vec![7, 0, 7, 3, 0]).rows(5, true).unwrap();
        assert_eq!(rows, [vec![1, 4], vec![3], vec![0, 2]]);
    }

    #[test]
    fn impossible_divisions_are_refused() {
        let refused = |folds: Folds, n_rows, nested| folds.rows(n_rows, nested).unwrap_err();
        for (n_folds, nested) in [(0, false), (1, false), (9, false), (2, true)] {
            let error = refused(Folds::Contiguous(n_folds), 8, nested);
            assert!(
                matches!(
                    error,
                    MethodsError::Encoding(EncodingError::FoldCount { found, .. }) if found == n_folds
                ),
                "{error}"
            );
        }
        let message = refused(Folds::Given(vec![0, 1, -1]), 3, false).to_string();
        assert!(
            message.contains("row 2") && message.contains("-1"),
            "{message}"
        );
        let message = refused(Folds::Given(vec![0, 1]), 3, false).to_string();
        assert!(message.contains("expected 3, found 2"), "{message}");
    }
}
