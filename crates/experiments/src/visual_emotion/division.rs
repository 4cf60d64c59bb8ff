//! Which pictures a module learns from, which choose its epoch, and which it is tested on.

use consilience_stats::random::{Domain, Stream};

use super::VisualEmotionError;
use crate::appraise;
use crate::error::Result;

/// Pictures of one training, by their rows, each list ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Division {
    /// Learnt from.
    pub training: Vec<usize>,
    /// By which the epoch is chosen.
    pub validation: Vec<usize>,
    /// Stimuli that are predicted.
    pub tested: Vec<usize>,
}

/// Fewest pictures that a module learns from.
const FEWEST: usize = 4;

/// Divides stimuli into folds, each tested once, with a part of the others to choose the epoch by.
///
/// # Definition
///
/// Folds are stratified by `ratings`, as those of rating heads: pictures are taken in the order of their ratings, and every
/// `n_folds` of them in turn go to different folds. Of the pictures outside a fold, `share` (rounded, at least one) are drawn for
/// validation.
///
/// # Errors
///
/// [`VisualEmotionError::TooFewPictures`], [`VisualEmotionError::Parameter`].
pub fn folds(ratings: &[f64], n_folds: usize, share: f64, seed: u64) -> Result<Vec<Division>> {
    check_share(share)?;
    let n = ratings.len();
    let needed = (2 * n_folds).max(FEWEST + 2 * n_folds);
    if n_folds < 2 || n < needed {
        return Err(VisualEmotionError::TooFewPictures { n, n_folds, needed }.into());
    }
    let fold_of = appraise::folds(ratings, n_folds, true, seed);
    let division = |fold: usize| {
        let (tested, rest): (Vec<usize>, Vec<usize>) =
            (0..n).partition(|&row| fold_of[row] == fold);
        let (training, validation) = parted(&rest, share, seed, 1 + fold as u64);
        Division {
            training,
            validation,
            tested,
        }
    };
    Ok((0..n_folds).map(division).collect())
}

/// Divides `n` other pictures into those to learn from and those to choose the epoch by; all `n_stimuli` are tested.
///
/// # Errors
///
/// [`VisualEmotionError::TooFewPictures`], [`VisualEmotionError::Parameter`].
pub fn elsewhere(n: usize, n_stimuli: usize, share: f64, seed: u64) -> Result<Vec<Division>> {
    check_share(share)?;
    let needed = FEWEST + 1;
    if n < needed {
        return Err(VisualEmotionError::TooFewPictures {
            n,
            n_folds: 1,
            needed,
        }
        .into());
    }
    let all: Vec<usize> = (0..n).collect();
    let (training, validation) = parted(&all, share, seed, 0);
    Ok(vec![Division {
        training,
        validation,
        tested: (0..n_stimuli).collect(),
    }])
}

/// The module that each picture of a second set is shown to, as a position among `n_modules`: pictures are dealt as [`folds`] are, so that a unit
/// is the same mixture of modules as for the stimuli.
#[must_use]
pub fn dealt(ratings: &[f64], n_modules: usize, seed: u64) -> Vec<usize> {
    match n_modules {
        0 | 1 => vec![0; ratings.len()],
        n => appraise::folds(ratings, n, true, seed),
    }
}

fn check_share(share: f64) -> Result<()> {
    match share > 0.0 && share < 1.0 {
        true => Ok(()),
        false => Err(VisualEmotionError::Parameter {
            what: "the share of pictures that choose the epoch",
            expected: "above 0 and below 1",
            found: share,
        }
        .into()),
    }
}

/// Rows without a drawn share of them, and these, both ascending.
fn parted(rows: &[usize], share: f64, seed: u64, index: u64) -> (Vec<usize>, Vec<usize>) {
    let n_out = (share * rows.len() as f64).round() as usize;
    let n_out = n_out.clamp(1, rows.len().saturating_sub(1).max(1));
    let order = Stream::new(seed, Domain::Split, index).permutation(rows.len());
    let of = |places: &[usize]| {
        let mut rows: Vec<usize> = places.iter().map(|&place| rows[place]).collect();
        rows.sort_unstable();
        rows
    };
    let (out, kept) = order.split_at(n_out);
    (of(kept), of(out))
}
