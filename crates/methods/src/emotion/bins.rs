//! Items by valence and arousal: nine bins, or three categories of valence.

use std::fmt;
use std::str::FromStr;

use super::{EmotionError, RatingScale};
use crate::behaviour::quantile;
use crate::error::{at_least, same_count};
use crate::{MethodsError, Result};

/// Where an axis of ratings is divided into low, middle and high.
///
/// Written as `thirds`, `tertiles`, `3,5` or `4.3,6,0.5`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Edges {
    /// Thirds of the declared scale: 3.67 and 6.33 on 1 to 9.
    #[default]
    Thirds,
    /// The quantiles 1/3 and 2/3 of the ratings, linear between order statistics.
    Tertiles,
    /// Two edges; a rating on an edge belongs above it.
    At([f64; 2]),
    /// Two cut points and a gap: ratings no farther from a cut point than the gap belong nowhere. Liu et al. 2024 take 4.3 and 6.0,
    /// each ± 0.5, on 1 to 9.
    Gap {
        /// The cut points, the lower one first.
        cuts: [f64; 2],
        /// How far around each no item counts, above 0.
        gap: f64,
    },
}

impl Edges {
    /// The cut points of valence in Liu et al. 2024, on a scale from 1 to 9.
    pub const LIU_2024: Self = Self::Gap {
        cuts: [4.3, 6.0],
        gap: 0.5,
    };
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thirds => f.pad("thirds"),
            Self::Tertiles => f.pad("tertiles"),
            Self::At([low, high]) => write!(f, "{low},{high}"),
            Self::Gap {
                cuts: [low, high],
                gap,
            } => write!(f, "{low},{high},{gap}"),
        }
    }
}

impl FromStr for Edges {
    type Err = MethodsError;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "thirds" => return Ok(Self::Thirds),
            "tertiles" => return Ok(Self::Tertiles),
            _ => {}
        }
        let numbers: Option<Vec<f64>> = text.split(',').map(|v| v.trim().parse().ok()).collect();
        match numbers.as_deref() {
            Some(&[low, high]) => Ok(Self::At([low, high])),
            Some(&[low, high, gap]) => Ok(Self::Gap {
                cuts: [low, high],
                gap,
            }),
            _ => Err(EmotionError::UnknownEdges {
                found: text.to_owned(),
            }
            .into()),
        }
    }
}

/// Options of [`bins`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinParams {
    /// The scale that both ratings are on (default: 1 to 9).
    pub scale: RatingScale,
    /// How valence is divided (default: thirds of the scale).
    pub valence: Edges,
    /// How arousal is divided (default: thirds of the scale).
    pub arousal: Edges,
    /// Items that a bin needs to be looked at (default 10; at least 2 count as needed).
    pub min_items: usize,
}

impl Default for BinParams {
    fn default() -> Self {
        Self {
            scale: RatingScale::default(),
            valence: Edges::default(),
            arousal: Edges::default(),
            min_items: 10,
        }
    }
}

/// Items in bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Bins {
    /// Name of each bin: HN, HM, HP, MN, MM, MP, LN, LM, LP (arousal high, middle, low; valence negative, middle, positive), or N, M, P
    /// without arousal.
    pub names: Vec<&'static str>,
    /// Items of each bin.
    pub counts: Vec<usize>,
    /// The bin of each item, as a position in `names`; `None` for an item in a gap between edges.
    pub of_items: Vec<Option<usize>>,
    /// Items that a bin needs to be looked at.
    pub min_items: usize,
    /// Where low ends, middle begins and ends, high begins, for valence.
    pub valence_edges: [[f64; 2]; 2],
    /// The same for arousal; `None` without.
    pub arousal_edges: Option<[[f64; 2]; 2]>,
}

/// Names of the nine bins, and of the three categories of valence.
const NINE: [&str; 9] = ["HN", "HM", "HP", "MN", "MM", "MP", "LN", "LM", "LP"];
const THREE: [&str; 3] = ["N", "M", "P"];

impl Bins {
    /// Positions of the bins with enough items.
    #[must_use]
    pub fn kept(&self) -> Vec<usize> {
        let enough = |&bin: &usize| self.counts[bin] >= self.min_items;
        (0..self.names.len()).filter(enough).collect()
    }

    /// The third of valence that a rating is in, 0 negative, 1 middle, 2 positive, by the edges of these items; `None` in a gap.
    #[must_use]
    pub fn third_of_valence(&self, valence: f64) -> Option<usize> {
        third(valence, &self.valence_edges)
    }

    /// Refuses responses to more or fewer items.
    pub(super) fn check_items(&self, n_items: usize) -> Result<()> {
        let what = "items of the responses, as many as in the bins";
        same_count(what, self.of_items.len(), n_items)
    }

    /// Positions of those with too few.
    #[must_use]
    pub fn left_out(&self) -> Vec<usize> {
        let too_few = |&bin: &usize| self.counts[bin] < self.min_items;
        (0..self.names.len()).filter(too_few).collect()
    }

    /// Items in a gap between edges, which belong to no bin.
    #[must_use]
    pub fn n_between(&self) -> usize {
        self.of_items.iter().filter(|bin| bin.is_none()).count()
    }
}

/// Divides items into nine bins by valence and arousal, or into three by valence alone.
///
/// # Shapes
///
/// `valence` is `(n_items,)`, and so is `arousal` where it is given.
///
/// # Definition
///
/// Each axis is divided as its [`Edges`] say: low is x < a, middle a ≤ x < b, high x ≥ b. With a gap g: low x < a − g, middle
/// a + g < x < b − g, high x > b + g, and what is left belongs to no bin. A bin is left out when it has fewer than `min_items` items; its items
/// still count as outside of the other bins.
///
/// # Errors
///
/// [`MethodsError::ShapeMismatch`], [`MethodsError::TooFew`] items (1), [`EmotionError::OutOfScale`], [`EmotionError::BadEdges`].
///
/// # Example
///
/// ```
/// use consilience_methods::emotion::{BinParams, Edges, bins};
///
/// let params = BinParams { valence: Edges::At([3.0, 5.0]), min_items: 2, ..BinParams::default() };
/// let found = bins(&[2.0, 3.0, 8.0, 8.5], Some(&[7.0, 5.0, 1.0, 2.0]), &params)?;
/// let names: Vec<&str> = found.of_items.iter().flatten().map(|&bin| found.names[bin]).collect();
/// assert_eq!(names, ["HN", "MM", "LP", "LP"]);
/// assert_eq!(found.kept(), [8]);
/// # Ok::<(), consilience_methods::MethodsError>(())
/// ```
///
/// # References
///
/// Liu, Bo, Ding & Fang 2024, doi:10.1371/journal.pcbi.1011943 (cut points of valence); Liu et al. 2025,
/// doi:10.1101/2025.10.20.683439 (nine bins, at least ten images).
///
/// # Peers
///
/// `numpy.digitize` for given edges and tertiles, exactly.
pub fn bins(valence: &[f64], arousal: Option<&[f64]>, params: &BinParams) -> Result<Bins> {
    at_least("items to divide into bins", 1, valence.len())?;
    params.scale.check(valence)?;
    let valence_edges = resolved("valence", valence, params.valence, &params.scale)?;
    let mut arousal_edges = None;
    if let Some(arousal) = arousal {
        same_count(
            "ratings of arousal, one for each item",
            valence.len(),
            arousal.len(),
        )?;
        params.scale.check(arousal)?;
        arousal_edges = Some(resolved("arousal", arousal, params.arousal, &params.scale)?);
    }
    let names: Vec<&'static str> = match arousal {
        Some(_) => NINE.to_vec(),
        None => THREE.to_vec(),
    };
    let of_items: Vec<Option<usize>> = valence
        .iter()
        .enumerate()
        .map(|(item, &v)| {
            let column = third(v, &valence_edges)?;
            match (arousal, &arousal_edges) {
                // The names begin with high arousal.
                (Some(a), Some(edges)) => Some(3 * (2 - third(a[item], edges)?) + column),
                _ => Some(column),
            }
        })
        .collect();
    let mut counts = vec![0; names.len()];
    of_items.iter().flatten().for_each(|&bin| counts[bin] += 1);
    Ok(Bins {
        names,
        counts,
        of_items,
        // A variance needs two items, whatever was asked for.
        min_items: params.min_items.max(2),
        valence_edges,
        arousal_edges,
    })
}

/// 0 below, 1 between and 2 above the edges; `None` in a gap around either.
fn third(value: f64, [low, high]: &[[f64; 2]; 2]) -> Option<usize> {
    let is_below = |edge: &[f64; 2]| value < edge[0];
    // Without a gap, a value on the edge is above it.
    let is_above = |edge: &[f64; 2]| match edge[0] < edge[1] {
        true => value > edge[1],
        false => value >= edge[1],
    };
    if is_below(low) {
        Some(0)
    } else if is_above(high) {
        Some(2)
    } else if is_above(low) && is_below(high) {
        Some(1)
    } else {
        None
    }
}

/// Where each bin of an axis ends and the next begins.
fn resolved(
    axis: &'static str,
    values: &[f64],
    edges: Edges,
    scale: &RatingScale,
) -> Result<[[f64; 2]; 2]> {
    let (cuts, gap) = match edges {
        Edges::Thirds => {
            let third = (scale.high() - scale.low()) / 3.0;
            ([scale.low() + third, scale.high() - third], 0.0)
        }
        Edges::Tertiles => {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            ([1.0, 2.0].map(|k| quantile(&sorted, k / 3.0)), 0.0)
        }
        Edges::At(cuts) => (cuts, 0.0),
        Edges::Gap { cuts, gap } => (cuts, gap),
    };
    if matches!(edges, Edges::Gap { .. }) && !(gap > 0.0 && gap.is_finite()) {
        return Err(MethodsError::OptionOutOfRange {
            option: "the gap around the edges",
            value: gap,
            expected: "a positive number",
        });
    }
    let [low, high] = cuts.map(|cut| [cut - gap, cut + gap]);
    // NaN is not below anything.
    if low[1] < high[0] && low[0].is_finite() && high[1].is_finite() {
        return Ok([low, high]);
    }
    Err(EmotionError::BadEdges {
        axis,
        low: low[1],
        high: high[0],
    }
    .into())
}
