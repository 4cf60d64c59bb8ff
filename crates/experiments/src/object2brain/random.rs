//! Random filters in place of those that the runs selected.

use consilience_stats::random::{Domain, Stream};

/// Sets of random filters for all runs at once.
///
/// Runs of one layer mostly select the same filters. Drawn anew for each run, random filters would not, and the mean over the
/// runs would vary less than it does for the selected ones. So set i is one random assignment of filters to filters, and each run gets what its
/// own are assigned to: as many of them, and shared with the other runs as before.
pub(super) struct RandomFilters {
    /// Filters that any run selected, ascending.
    selected: Vec<usize>,
    /// Filters that are drawn from.
    pool: Vec<usize>,
    seed: u64,
}

/// Fewer filters to draw from than are needed.
pub(super) struct TooFewOthers {
    pub n_selected: usize,
}

impl RandomFilters {
    pub fn new(
        runs: &[&[usize]],
        n_filters: usize,
        only_others: bool,
        seed: u64,
    ) -> Result<Self, TooFewOthers> {
        let mut is_selected = vec![false; n_filters];
        for &filter in runs.iter().copied().flatten() {
            is_selected[filter] = true;
        }
        let all = 0..n_filters;
        let selected: Vec<usize> = all.clone().filter(|&k| is_selected[k]).collect();
        let pool: Vec<usize> = all.filter(|&k| !(only_others && is_selected[k])).collect();
        if pool.len() < selected.len() {
            return Err(TooFewOthers {
                n_selected: selected.len(),
            });
        }
        Ok(Self {
            selected,
            pool,
            seed,
        })
    }

    /// Set `i` of each run, ascending.
    ///
    /// With a single run it is that of [`random_filters`](consilience_methods::objects::random_filters).
    pub fn set(&self, i: usize, runs: &[&[usize]]) -> Vec<Vec<usize>> {
        let order =
            Stream::new(self.seed, Domain::Permutations, i as u64).permutation(self.pool.len());
        let assigned = |filter: &usize| {
            let place = self.selected.partition_point(|k| k < filter);
            self.pool[order[place]]
        };
        let of_run = |filters: &&[usize]| {
            let mut set: Vec<usize> = filters.iter().map(assigned).collect();
            set.sort_unstable();
            set
        };
        runs.iter().map(of_run).collect()
    }
}
