//! Filters that are sensitive to a category.

use crate::names::named;

use super::params::check_number;
use super::{FilterSensitivity, ObjectsError};
use crate::{MethodsError, Result};

/// What a filter's sensitivity to a category is, of those to its classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassRule {
    /// The largest: a filter is sensitive if it is to any class.
    #[default]
    Any,
    /// Their mean.
    Mean,
}

impl ClassRule {
    const NAMES: [(&'static str, Self); 2] = [("any", Self::Any), ("mean", Self::Mean)];
}

named!(ClassRule, "rule for classes");

/// Which values of filters are large enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cut {
    /// Those above a number. `EmoCAM` takes 0.3.
    Above(f64),
    /// The largest share of all filters, rounded to a whole number of them.
    TopShare(f64),
    /// As many of the largest.
    Top(usize),
}

impl Default for Cut {
    fn default() -> Self {
        Self::Above(0.3)
    }
}

/// Options of [`sensitive_filters`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SelectParams {
    /// How classes make a category (default: any).
    pub rule: ClassRule,
    /// Which values are large enough (default: above 0.3).
    pub cut: Cut,
    /// Pictures that a class needs to be looked at (default 1).
    pub min_images: usize,
}

impl Default for SelectParams {
    fn default() -> Self {
        Self {
            rule: ClassRule::default(),
            cut: Cut::default(),
            min_images: 1,
        }
    }
}

impl SelectParams {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// [`MethodsError::OptionOutOfRange`] for a threshold that is no number or a share beyond 0 … 1.
    pub fn validate(&self) -> Result<()> {
        match self.cut {
            Cut::Above(threshold) => check_number("the threshold of sensitivity", threshold),
            Cut::TopShare(share) if !(0.0..=1.0).contains(&share) => {
                Err(MethodsError::OptionOutOfRange {
                    option: "the share of filters",
                    value: share,
                    expected: "a number from 0 to 1",
                })
            }
            Cut::TopShare(_) | Cut::Top(_) => Ok(()),
        }
    }
}

/// Filters of a category.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectedFilters {
    /// The filters, 0-based and ascending. There may be none, or all.
    pub filters: Vec<usize>,
    /// Sensitivity of every filter to the category.
    pub sensitivity: Vec<f64>,
    /// Classes of the category that are in enough pictures.
    pub classes: Vec<usize>,
    /// Classes that are not.
    pub left_out: Vec<usize>,
}

/// Which filters are sensitive to a category.
///
/// # Definition
///
/// The sensitivity of filter k is the largest (or mean) Sₖ(c) over the classes c of the category that are in at least `min_images` pictures. With a
/// top share or number, the first of equal filters goes first.
///
/// # Errors
///
/// [`ObjectsError::BadCategory`], [`ObjectsError::RareCategory`], [`MethodsError::OptionOutOfRange`].
pub fn sensitive_filters(
    sensitivity: &FilterSensitivity,
    category: &[usize],
    params: &SelectParams,
) -> Result<SelectedFilters> {
    params.validate()?;
    let n_classes = sensitivity.n_classes();
    let mut members = category.to_vec();
    members.sort_unstable();
    members.dedup();
    if members.len() != category.len() || members.last().is_none_or(|&last| last >= n_classes) {
        return Err(ObjectsError::BadCategory {
            classes: category.to_vec(),
            n_classes,
        }
        .into());
    }
    let n_images = sensitivity.n_images();
    // A mean needs a picture, whatever was asked for.
    let needed = params.min_images.max(1);
    let (classes, left_out): (Vec<usize>, Vec<usize>) = members
        .iter()
        .partition(|&&class| n_images[class] >= needed);
    if classes.is_empty() {
        return Err(ObjectsError::RareCategory {
            min_images: needed,
            found: members.iter().map(|&c| n_images[c]).max().unwrap_or(0),
        }
        .into());
    }
    let of_filter = |filter: usize| {
        let values = classes.iter().filter_map(|&c| sensitivity.mean(filter, c));
        match params.rule {
            ClassRule::Any => values.fold(f64::NEG_INFINITY, f64::max),
            ClassRule::Mean => values.sum::<f64>() / classes.len() as f64,
        }
    };
    let values: Vec<f64> = (0..sensitivity.n_filters()).map(of_filter).collect();
    Ok(SelectedFilters {
        filters: cut(&values, params.cut),
        sensitivity: values,
        classes,
        left_out,
    })
}

fn cut(values: &[f64], cut: Cut) -> Vec<usize> {
    let n_top = match cut {
        Cut::Above(threshold) => {
            return (0..values.len())
                .filter(|&k| values[k] > threshold)
                .collect();
        }
        Cut::TopShare(share) => (share * values.len() as f64).round() as usize,
        Cut::Top(n) => n,
    };
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    order.truncate(n_top);
    order.sort_unstable();
    order
}
