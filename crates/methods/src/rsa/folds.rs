//! Folds of cross-validation over subjects, conditions or both.

use consilience_stats::random::{Domain, Stream};

use super::bootstrap::Draw;

/// Fewest different conditions that models are fitted to or judged by: fewer have at most one pair.
pub(super) const MIN_FOLD_CONDITIONS: usize = 3;

/// Into how many folds each factor is divided; 1 leaves it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FoldCounts {
    pub subjects: usize,
    pub conditions: usize,
}

/// A fold number for each subject and each condition; those of the fold are judged by, all others learnt
/// from. A factor of one fold is both.
#[derive(Debug, Clone)]
pub(super) struct Division {
    pub counts: FoldCounts,
    pub subjects: Vec<usize>,
    pub conditions: Vec<usize>,
}

impl Division {
    /// Division `index` of what a draw holds, copies together; `None` where that is too little for the
    /// folds.
    pub fn random(draw: &Draw, counts: FoldCounts, seed: u64, index: u64) -> Option<Self> {
        let mut stream = Stream::new(seed, Domain::Split, index);
        Some(Self {
            counts,
            subjects: dealt(&draw.subjects, counts.subjects, 1, &mut stream)?,
            conditions: dealt(
                &draw.conditions,
                counts.conditions,
                MIN_FOLD_CONDITIONS,
                &mut stream,
            )?,
        })
    }
}

/// Deals what was drawn into folds at random, each with at least `fewest` different members.
fn dealt(drawn: &[u32], n_folds: usize, fewest: usize, stream: &mut Stream) -> Option<Vec<usize>> {
    let members: Vec<usize> = (0..drawn.len()).filter(|&i| drawn[i] > 0).collect();
    if members.len() < fewest * n_folds {
        return None;
    }
    let mut folds = vec![0; drawn.len()];
    for (place, i) in stream.permutation(members.len()).into_iter().enumerate() {
        folds[members[i]] = place % n_folds;
    }
    Some(folds)
}

/// How often each takes part in what is judged by in a fold.
pub(super) fn tested(drawn: &[u32], folds: &[usize], fold: usize) -> Vec<u32> {
    let in_fold = drawn.iter().zip(folds);
    in_fold
        .map(|(&m, &f)| if f == fold { m } else { 0 })
        .collect()
}

/// How often each takes part in what is learnt from beside a fold.
pub(super) fn learnt_from(drawn: &[u32], folds: &[usize], fold: usize, n_folds: usize) -> Vec<u32> {
    if n_folds == 1 {
        return drawn.to_vec();
    }
    let in_fold = drawn.iter().zip(folds);
    in_fold
        .map(|(&m, &f)| if f == fold { 0 } else { m })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_even_and_hold_what_was_drawn() {
        let draw = Draw {
            subjects: vec![1, 0, 3, 1, 1],
            conditions: vec![1; 11],
        };
        let counts = FoldCounts {
            subjects: 2,
            conditions: 3,
        };
        let division = Division::random(&draw, counts, 1, 0).unwrap();
        for fold in 0..3 {
            let tests = tested(&draw.conditions, &division.conditions, fold);
            let trains = learnt_from(&draw.conditions, &division.conditions, fold, 3);
            assert!((3..=4).contains(&tests.iter().sum::<u32>()));
            assert!(tests.iter().zip(&trains).all(|(a, b)| a + b == 1));
        }
        let n_tested: u32 = (0..2)
            .map(|f| {
                tested(&draw.subjects, &division.subjects, f)
                    .iter()
                    .sum::<u32>()
            })
            .sum();
        assert_eq!(n_tested, 6);
        let counts = FoldCounts {
            conditions: 4,
            ..counts
        };
        assert!(Division::random(&draw, counts, 1, 0).is_none());
    }
}
