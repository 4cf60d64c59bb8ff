//! One box for each thing.

use super::BoxXyxy;

/// A box that a network proposes for a class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proposal {
    /// Position of the class among the network's classes.
    pub class_idx: usize,
    /// Confidence, in 0 … 1.
    pub score: f64,
    /// Where.
    pub bounds: BoxXyxy,
}

/// Greedy non-maximum suppression, class by class.
///
/// # Definition
///
/// The proposals are ordered by falling score; equal scores by class, then in the order given. Going
/// down the list, a proposal is dropped when its intersection over union with a kept one of its class
/// is above `iou`. Of each class the `n_candidates` first proposals take part, the others are dropped,
/// which bounds the work.
///
/// # Example
///
/// ```
/// use consilience_models::detect::{BoxXyxy, Proposal, suppress};
///
/// let proposal = |class_idx, score, x_max| Proposal {
///     class_idx, score, bounds: BoxXyxy::new(0.0, 0.0, x_max, 10.0),
/// };
/// let all = vec![proposal(0, 0.5, 10.0), proposal(0, 0.9, 9.0), proposal(1, 0.6, 9.0)];
/// let kept: Vec<f64> = suppress(all, 0.45, 1000).iter().map(|kept| kept.score).collect();
/// assert_eq!(kept, [0.9, 0.6]);
/// ```
///
/// # Peers
///
/// torchvision `batched_nms`: the same boxes where no two scores are equal.
#[must_use]
pub fn suppress(mut proposals: Vec<Proposal>, iou: f64, n_candidates: usize) -> Vec<Proposal> {
    // The sort is stable, so equal ones stay in the order given.
    proposals.sort_by(|a, b| {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then(a.class_idx.cmp(&b.class_idx))
    });
    let n_classes = proposals.iter().map(|p| p.class_idx + 1).max().unwrap_or(0);
    let mut kept_of: Vec<Vec<BoxXyxy>> = vec![Vec::new(); n_classes];
    let mut n_seen = vec![0; n_classes];
    proposals.retain(|proposal| {
        let class = proposal.class_idx;
        n_seen[class] += 1;
        let keeps = n_seen[class] <= n_candidates
            && kept_of[class]
                .iter()
                .all(|kept| kept.iou(&proposal.bounds) <= iou);
        if keeps {
            kept_of[class].push(proposal.bounds);
        }
        keeps
    });
    proposals
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn proposal(class_idx: usize, score: f64, x: f64) -> Proposal {
        Proposal {
            class_idx,
            score,
            bounds: BoxXyxy::new(x, 0.0, x + 10.0, 10.0),
        }
    }

    #[test]
    fn equal_scores_are_taken_by_class_and_then_in_order() {
        let all = vec![
            proposal(1, 0.5, 0.0),
            proposal(0, 0.5, 1.0),
            proposal(0, 0.5, 0.0),
            proposal(0, 0.5, 40.0),
        ];
        assert_eq!(
            suppress(all.clone(), 0.45, 9),
            [all[1], all[3], all[0]],
            "the third overlaps the second"
        );
        assert_eq!(suppress(all.clone(), 1.0, 9).len(), 4);
        assert_eq!(suppress(all.clone(), 1.0, 1), [all[1], all[0]]);
        assert_eq!(suppress(all, 0.45, 0), []);
    }

    #[test]
    fn a_suppressed_box_suppresses_nothing() {
        // Neighbours overlap by 0.5625 ÷ 1.4375, the outer two do not.
        let chain = vec![
            proposal(0, 0.9, 0.0),
            proposal(0, 0.8, 4.0),
            proposal(0, 0.7, 8.0),
        ];
        let kept = suppress(chain.clone(), 0.3, 9);
        assert_eq!(kept, [chain[0], chain[2]]);
    }

    proptest! {
        #[test]
        fn what_is_kept_overlaps_little_and_what_is_dropped_overlaps_a_better_one(
            all in prop::collection::vec((0..3_usize, 0..6_u8, 0..30_u8), 0..40),
            iou in 0.0..1.0_f64,
        ) {
            let all: Vec<Proposal> = all
                .into_iter()
                .map(|(class, score, x)| proposal(class, f64::from(score) / 6.0, f64::from(x)))
                .collect();
            let kept = suppress(all.clone(), iou, usize::MAX);
            for (at, one) in kept.iter().enumerate() {
                for other in &kept[..at] {
                    prop_assert!(one.class_idx != other.class_idx || one.bounds.iou(&other.bounds) <= iou);
                    prop_assert!(one.score <= other.score);
                }
            }
            for one in &all {
                let explained = |other: &Proposal| {
                    other == one
                        || (other.class_idx == one.class_idx
                            && other.score >= one.score
                            && other.bounds.iou(&one.bounds) > iou)
                };
                prop_assert!(kept.iter().any(explained));
            }
        }
    }
}
