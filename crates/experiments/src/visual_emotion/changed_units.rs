//! Which units gains change.

use std::ops::Range;

use ndarray::{Array2, ArrayView1};

use super::{GainParams, Wired};

/// Units that are selective for bins, of which gains are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedUnits {
    /// In which pictures they are selective, as records say it; `None` for the stimuli, whatever they do elsewhere.
    pub selective_in: Option<&'static str>,
    /// Names of the bins.
    pub bins: Vec<String>,
    /// For each repeat the units of each bin, `(n_bins, n_units)`.
    pub of_bins: Vec<Array2<bool>>,
    /// For each repeat those that count for any bin.
    pub any: Vec<Vec<bool>>,
}

impl ChangedUnits {
    /// Units that are selective for the stimuli: for each repeat `(n_bins, n_units)`.
    #[must_use]
    pub fn selective(bins: &[String], of_bins: &[Array2<bool>]) -> Self {
        Self {
            selective_in: None,
            bins: bins.to_vec(),
            of_bins: of_bins.to_vec(),
            any: of_bins.iter().map(any).collect(),
        }
    }

    /// Units that are selective for the same bin in both sets of pictures, and those that are so for the stimuli only; for each repeat both
    /// `(n_bins, n_units)`.
    ///
    /// A unit that is selective for some bin in both sets is, for any bin, none of the second kind.
    #[must_use]
    pub fn consistent(bins: &[String], of_bins: &[[Array2<bool>; 2]]) -> [Self; 2] {
        let pairs = of_bins.iter();
        let both: Vec<Array2<bool>> = pairs
            .clone()
            .map(|[first, second]| first & second)
            .collect();
        let first_only = pairs.map(|[first, second]| first & &second.mapv(|is| !is));
        let first_only: Vec<Array2<bool>> = first_only.collect();
        let both = Self {
            selective_in: Some("both sets"),
            ..Self::selective(bins, &both)
        };
        let mut first_only = Self {
            selective_in: Some("stimuli only"),
            ..Self::selective(bins, &first_only)
        };
        for (only, both) in first_only.any.iter_mut().zip(&both.any) {
            for (only, both) in only.iter_mut().zip(both) {
                *only &= !both;
            }
        }
        [both, first_only]
    }
}

/// Which units are in any row.
pub(super) fn any(of_bins: &Array2<bool>) -> Vec<bool> {
    let any = |unit: ArrayView1<'_, bool>| unit.iter().any(|&is| is);
    of_bins.columns().into_iter().map(any).collect()
}

/// Units whose gain is changed, for each repeat.
pub(super) struct Chosen {
    pub nucleus: String,
    pub units: String,
    pub selective_in: Option<&'static str>,
    /// Of each repeat.
    pub sets: Vec<Vec<usize>>,
    pub gains: Vec<f64>,
    /// Whether random sets can differ from them.
    pub is_compared: bool,
}

impl Chosen {
    /// Whether there is no unit to change in any repeat.
    pub fn is_empty(&self) -> bool {
        self.sets.iter().all(Vec::is_empty)
    }
}

/// For each kind of units those of any bin, in each nucleus and in all; those of single bins, in all and within nuclei; then whole nuclei.
pub(super) fn chosen(
    wired: &Wired,
    n_repeats: usize,
    units: &[ChangedUnits],
    params: &GainParams,
) -> Vec<Chosen> {
    let mut nuclei: Vec<(String, Range<usize>)> = (wired.nuclei.iter())
        .zip(wired.ranges())
        .map(|((name, _), range)| (name.clone(), range))
        .collect();
    nuclei.push(("all".to_owned(), 0..wired.n_units()));
    let (all, single) = (&nuclei[nuclei.len() - 1..], &nuclei[..nuclei.len() - 1]);
    let mut found = Vec::new();
    for of in units {
        let selective = |(nucleus, range): &(String, Range<usize>), bin: Option<usize>| {
            let set = |repeat: usize| -> Vec<usize> {
                let is_chosen = |unit: &usize| match bin {
                    Some(bin) => of.of_bins[repeat][[bin, *unit]],
                    None => of.any[repeat][*unit],
                };
                range.clone().filter(is_chosen).collect()
            };
            let sets: Vec<Vec<usize>> = (0..n_repeats).map(set).collect();
            Chosen {
                nucleus: nucleus.clone(),
                units: bin.map_or_else(|| "any".to_owned(), |bin| of.bins[bin].clone()),
                selective_in: of.selective_in,
                // Without a unit, and where all are chosen, every set is the same.
                is_compared: sets
                    .iter()
                    .any(|set| !set.is_empty() && set.len() < range.len()),
                sets,
                gains: params.gains.clone(),
            }
        };
        found.extend(nuclei.iter().map(|nucleus| selective(nucleus, None)));
        let within = match params.bins_within_nuclei {
            true => single,
            false => &[],
        };
        for nucleus in all.iter().chain(within) {
            found.extend((0..of.bins.len()).map(|bin| selective(nucleus, Some(bin))));
        }
    }
    found.extend(single.iter().map(|(name, range)| Chosen {
        nucleus: name.clone(),
        units: "whole".to_owned(),
        selective_in: None,
        sets: vec![range.clone().collect(); n_repeats],
        // With the intact module beside, so that a curve shows what is lost.
        gains: vec![-1.0, 0.0],
        is_compared: false,
    }));
    found
}
