//! Arrangements of items on a screen.

use std::collections::BTreeMap;

use crate::{CoreError, Result};

/// Largest size of a coordinate: beyond it products of distances leave the range of `f64`.
const LARGEST_COORDINATE: f64 = 1e60;

/// One arrangement: some of the items and where they were put.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Name of the trial, for messages.
    pub name: String,
    /// 0-based items, ascending and each once; at least two.
    pub items: Vec<usize>,
    /// Place (x, y) of each item on the screen, in the order of `items`.
    pub positions: Vec<[f64; 2]>,
}

/// The arrangements of one subject in one task, and the items that they are about.
///
/// # Example
///
/// ```
/// use consilience_core::Trials;
///
/// let placed = [("1", "dog", [0.0, 0.0]), ("1", "cat", [3.0, 4.0])];
/// let trials = Trials::from_placements(placed)?;
/// assert_eq!(trials.items(), ["cat", "dog"]);
/// assert_eq!(trials.trials()[0].distances().collect::<Vec<_>>(), [5.0]);
/// # Ok::<(), consilience_core::CoreError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    items: Vec<String>,
    trials: Vec<Trial>,
}

impl Trial {
    /// Distances on the screen of each pair of items, in the order of [`pairs`](crate::pairs).
    pub fn distances(&self) -> impl Iterator<Item = f64> + '_ {
        crate::pairs::iter(self.items.len()).map(|(i, j)| {
            let [a, b] = [self.positions[i], self.positions[j]];
            (a[0] - b[0]).hypot(a[1] - b[1])
        })
    }

    /// Positions in the RDM vector of `n_items` items of the pairs of this trial.
    pub fn pair_indices(&self, n_items: usize) -> impl Iterator<Item = usize> + '_ {
        crate::pairs::iter(self.items.len())
            .map(move |(i, j)| crate::pairs::pair_idx(self.items[i], self.items[j], n_items))
    }
}

impl Trials {
    /// Takes items and trials; the items of each trial may come in any order.
    ///
    /// # Errors
    ///
    /// [`CoreError::DuplicateItem`] for two items of one name, [`CoreError::NoTrials`], and
    /// [`CoreError::Arrangement`] for a trial with fewer than two items, with an item twice, with a
    /// place that is no finite number or too large, or with all items in one place.
    pub fn new(items: Vec<String>, mut trials: Vec<Trial>) -> Result<Self> {
        let mut names: Vec<&String> = items.iter().collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            return Err(CoreError::DuplicateItem {
                item: twice[0].clone(),
            });
        }
        if trials.is_empty() {
            return Err(CoreError::NoTrials);
        }
        for trial in &mut trials {
            check(trial, &items).map_err(|problem| CoreError::Arrangement {
                trial: trial.name.clone(),
                problem,
            })?;
        }
        Ok(Self { items, trials })
    }

    /// Gathers places `(trial, item, [x, y])` in any order.
    ///
    /// # Definition
    ///
    /// Trials come in the order of their first place. Items come in ascending order: of their values
    /// when all are whole numbers, else of their characters.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn from_placements<'a>(
        placements: impl IntoIterator<Item = (&'a str, &'a str, [f64; 2])>,
    ) -> Result<Self> {
        Self::from_placements_of(placements, None)
    }

    /// [`from_placements`](Self::from_placements) of given items in a given order, which need not all be
    /// placed.
    ///
    /// # Errors
    ///
    /// [`CoreError::UnlistedItem`] for a place of another item; else as [`new`](Self::new).
    pub fn from_placements_of<'a>(
        placements: impl IntoIterator<Item = (&'a str, &'a str, [f64; 2])>,
        items: Option<&[String]>,
    ) -> Result<Self> {
        let placements: Vec<_> = placements.into_iter().collect();
        let items = match items {
            Some(items) => items.to_vec(),
            None => ascending(placements.iter().map(|&(_, item, _)| item)),
        };
        let item_idx: BTreeMap<&str, usize> = items
            .iter()
            .enumerate()
            .map(|(idx, item)| (item.as_str(), idx))
            .collect();
        let mut trials: Vec<Trial> = Vec::new();
        let mut trial_idx: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, item, position) in &placements {
            let idx = *trial_idx.entry(name).or_insert_with(|| {
                trials.push(Trial {
                    name: (*name).to_owned(),
                    items: Vec::new(),
                    positions: Vec::new(),
                });
                trials.len() - 1
            });
            let Some(&item) = item_idx.get(item) else {
                return Err(CoreError::UnlistedItem {
                    trial: (*name).to_owned(),
                    item: (*item).to_owned(),
                });
            };
            trials[idx].items.push(item);
            trials[idx].positions.push(*position);
        }
        Self::new(items, trials)
    }

    /// Names of the items, in the order of the RDM.
    #[must_use]
    pub fn items(&self) -> &[String] {
        &self.items
    }

    /// The trials, in their order.
    #[must_use]
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Number of items.
    #[must_use]
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// The same items with some of the trials, by position.
    ///
    /// # Errors
    ///
    /// [`CoreError::NoTrials`] when none is chosen.
    ///
    /// # Panics
    ///
    /// When a position is out of range.
    pub fn select(&self, trial_idx: &[usize]) -> Result<Self> {
        if trial_idx.is_empty() {
            return Err(CoreError::NoTrials);
        }
        Ok(Self {
            items: self.items.clone(),
            trials: trial_idx.iter().map(|&t| self.trials[t].clone()).collect(),
        })
    }
}

/// Each name once, ascending: by value when all are whole numbers, else by characters.
pub fn ascending<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    let numbers: Option<Vec<i64>> = names.iter().map(|name| name.parse().ok()).collect();
    if let Some(numbers) = numbers {
        let mut order: Vec<(i64, &str)> = numbers.into_iter().zip(names).collect();
        order.sort_unstable();
        return order.into_iter().map(|(_, name)| name.to_owned()).collect();
    }
    names.into_iter().map(str::to_owned).collect()
}

/// What is wrong with one arrangement.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrangementProblem {
    /// Nothing to measure a distance between.
    #[error("it has {found} item, expected at least 2; leave the trial out")]
    TooFewItems {
        /// Items in the trial.
        found: usize,
    },
    /// As many places as items are needed.
    #[error("it has {n_items} items and {n_positions} places, expected one place for each item")]
    Uneven {
        /// Items in the trial.
        n_items: usize,
        /// Places in the trial.
        n_positions: usize,
    },
    /// An item outside the list of items.
    #[error("it has item {item} (counted from 0) of {n_items}")]
    UnknownItem {
        /// 0-based item.
        item: usize,
        /// Items that there are.
        n_items: usize,
    },
    /// The same item in two places.
    #[error(
        "item {item:?} occurs twice; each item has one place in a trial (several subjects? name the column that tells them apart)"
    )]
    RepeatedItem {
        /// Name of the item.
        item: String,
    },
    /// A place that is no place.
    #[error("item {item:?} is at ({x}, {y}), expected finite coordinates no larger than 1e60")]
    NoPlace {
        /// Name of the item.
        item: String,
        /// Horizontal coordinate.
        x: f64,
        /// Vertical coordinate.
        y: f64,
    },
    /// An arrangement without any distance.
    #[error("all its items are in one place, so it has no scale; leave the trial out")]
    OnePlace,
}

/// Sorts the items of a trial and checks it.
fn check(trial: &mut Trial, items: &[String]) -> std::result::Result<(), ArrangementProblem> {
    let n_items = trial.items.len();
    let n_positions = trial.positions.len();
    if n_items != n_positions {
        return Err(ArrangementProblem::Uneven {
            n_items,
            n_positions,
        });
    }
    if n_items < 2 {
        return Err(ArrangementProblem::TooFewItems { found: n_items });
    }
    let mut placed: Vec<(usize, [f64; 2])> = trial
        .items
        .iter()
        .copied()
        .zip(trial.positions.iter().copied())
        .collect();
    placed.sort_by_key(|&(item, _)| item);
    if let Some(&(item, _)) = placed.iter().find(|&&(item, _)| item >= items.len()) {
        return Err(ArrangementProblem::UnknownItem {
            item,
            n_items: items.len(),
        });
    }
    if let Some(twice) = placed.windows(2).find(|w| w[0].0 == w[1].0) {
        return Err(ArrangementProblem::RepeatedItem {
            item: items[twice[0].0].clone(),
        });
    }
    let outside = |v: &f64| !v.is_finite() || v.abs() > LARGEST_COORDINATE;
    if let Some(&(item, [x, y])) = placed.iter().find(|(_, p)| p.iter().any(outside)) {
        return Err(ArrangementProblem::NoPlace {
            item: items[item].clone(),
            x,
            y,
        });
    }
    (trial.items, trial.positions) = placed.into_iter().unzip();
    // Two places may differ by so little that no distance is left.
    if trial.distances().all(|d| d == 0.0) {
        return Err(ArrangementProblem::OnePlace);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(placements: &[(&str, &str, [f64; 2])]) -> ArrangementProblem {
        match Trials::from_placements(placements.iter().copied()) {
            Err(CoreError::Arrangement { problem, .. }) => problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_sorted_by_value_or_by_characters() {
        let order = |names: &[&str]| ascending(names.iter().copied());
        assert_eq!(order(&["10", "9", "-1", "9"]), ["-1", "9", "10"]);
        assert_eq!(order(&["10", "9", "x"]), ["10", "9", "x"]);
        // Two spellings of a number are two items.
        assert_eq!(order(&["1", "01"]), ["01", "1"]);
    }

    #[test]
    fn places_are_gathered_whatever_their_order() {
        let placed = [
            ("b", "2", [1.0, 0.0]),
            ("a", "10", [0.0, 0.0]),
            ("b", "10", [0.0, 1.0]),
            ("a", "2", [2.0, 0.0]),
        ];
        let trials = Trials::from_placements(placed).unwrap();
        assert_eq!(trials.items(), ["2", "10"]);
        let names: Vec<&str> = trials.trials().iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["b", "a"]);
        assert_eq!(trials.trials()[1].items, [0, 1]);
        assert_eq!(trials.trials()[1].positions, [[2.0, 0.0], [0.0, 0.0]]);
        assert_eq!(trials.select(&[1]).unwrap().trials()[0].name, "a");
    }

    #[test]
    fn what_is_no_arrangement_is_refused() {
        let p = [0.0, 1.0];
        assert_eq!(
            problem(&[("1", "a", p)]),
            ArrangementProblem::TooFewItems { found: 1 }
        );
        assert_eq!(
            problem(&[("1", "a", p), ("1", "b", [1.0; 2]), ("1", "a", p)]),
            ArrangementProblem::RepeatedItem { item: "a".into() }
        );
        assert_eq!(
            problem(&[("1", "a", p), ("1", "b", p)]),
            ArrangementProblem::OnePlace
        );
        for value in [f64::INFINITY, f64::NAN, 1e61] {
            let found = problem(&[("1", "a", p), ("1", "b", [0.0, value])]);
            assert!(matches!(found, ArrangementProblem::NoPlace { .. }));
        }
        assert_eq!(Trials::new(vec![], vec![]), Err(CoreError::NoTrials));
        assert!(matches!(
            Trials::new(vec!["a".into(), "a".into()], vec![]),
            Err(CoreError::DuplicateItem { .. })
        ));
        let one = |items: Vec<usize>, positions| {
            let name = "t".into();
            let trial = Trial {
                name,
                items,
                positions,
            };
            Trials::new(vec!["a".into(), "b".into()], vec![trial]).unwrap_err()
        };
        let message = one(vec![0, 2], vec![p, [1.0; 2]]).to_string();
        assert!(message.contains("trial \"t\""), "{message}");
        assert!(one(vec![0, 1], vec![p]).to_string().contains("1 places"));
    }
}
