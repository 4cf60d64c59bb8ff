//! Differences of correlations between subsets and between networks, one panel for each target.

use consilience_core::{AppraisalRecord, DifferenceOf, RatingDifference};

use super::{
    forest::{self, Group},
    scores, simulated,
};
use crate::{
    figures::{Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    palette::Ink,
    view,
};

/// Most lines of a group.
const N_SHOWN: usize = 40;

/// Whole networks over one subset and another.
pub(super) fn of_subsets(analysis: &str, appraisal: &AppraisalRecord) -> Plate {
    let whole = scores::whole(appraisal);
    let subset = |idx: usize| appraisal.subsets[idx].name.as_str();
    let groups = |target: usize| {
        let of = scores::differences(appraisal, DifferenceOf::Subsets)
            .filter(|d| d.target == target && whole.contains(&d.within));
        grouped(of, |d| {
            (
                format!("{} − {}", subset(d.first), subset(d.second)),
                scores::rater_name(&appraisal.raters[d.within]),
            )
        })
    };
    plate(
        appraisal,
        format!("{analysis}-subsets"),
        "Differences between sets of stimuli",
        "Correlation of each network with the target over one set of stimuli minus that over the other",
        groups,
    )
}

/// Pairs of whole networks over all stimuli.
pub(super) fn of_networks(analysis: &str, appraisal: &AppraisalRecord) -> Plate {
    let whole = scores::whole(appraisal);
    let rater = |idx: usize| scores::rater_name(&appraisal.raters[idx]);
    let groups = |target: usize| {
        let of = scores::differences(appraisal, DifferenceOf::Raters)
            .filter(|d| d.target == target && d.within == 0)
            .filter(|d| whole.contains(&d.first) && whole.contains(&d.second));
        grouped(of, |d| {
            (
                format!("over {} stimuli", appraisal.subsets[d.within].name),
                forest::pair(&rater(d.first), &rater(d.second)),
            )
        })
    };
    plate(
        appraisal,
        format!("{analysis}-pairs"),
        "Differences between networks",
        "Correlation of the first network with the target minus that of the second, over all stimuli",
        groups,
    )
}

/// Differences in groups of one title, in the order in which titles first come.
fn grouped<'a>(
    differences: impl Iterator<Item = &'a RatingDifference>,
    names: impl Fn(&RatingDifference) -> (String, String),
) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for d in differences {
        let (title, name) = names(d);
        match groups.iter_mut().find(|g| g.title == title) {
            Some(group) => group.lines.push((name, d)),
            None => groups.push(Group {
                title,
                lines: vec![(name, d)],
            }),
        }
    }
    groups
}

/// The largest differences of groups with too many, in their order; and whether any were left out.
fn shortened(groups: &mut [Group<'_>]) -> bool {
    let mut any = false;
    for group in groups {
        if group.lines.len() > N_SHOWN {
            any = true;
            let size = |d: &RatingDifference| view::finite(d.difference).map_or(0.0, f64::abs);
            let mut sizes: Vec<f64> = group.lines.iter().map(|(_, d)| size(d)).collect();
            sizes.sort_by(|a, b| b.total_cmp(a));
            let least = sizes[N_SHOWN - 1];
            group.lines.retain(|(_, d)| size(d) >= least);
            group.lines.truncate(N_SHOWN);
        }
    }
    any
}

fn plate<'a>(
    appraisal: &'a AppraisalRecord,
    name: String,
    title: &str,
    what: &str,
    groups: impl Fn(usize) -> Vec<Group<'a>>,
) -> Plate {
    let mut of_targets: Vec<(usize, Vec<Group<'_>>)> = (0..appraisal.targets.len())
        .map(|target| (target, groups(target)))
        .filter(|(_, groups)| !groups.is_empty())
        .collect();
    // Every target is looked at, whether or not the first has too many.
    let is_shortened = of_targets
        .iter_mut()
        .fold(false, |any, (_, groups)| shortened(groups) | any);
    let all = || of_targets.iter().flat_map(|(_, groups)| groups);
    let titled = of_targets.iter().any(|(_, groups)| groups.len() > 1);
    let (values, names) = (forest::extent(all()), forest::name_width(all(), titled));
    let headings: Vec<Heading> = of_targets
        .iter()
        .map(|(target, groups)| {
            // One title is the panel's; several stand above their lines.
            let subtitle = match groups.as_slice() {
                [only] => only.title.as_str(),
                _ => "",
            };
            let name = &appraisal.targets[*target].name;
            Heading::new(name, subtitle, forest::WIDTH)
        })
        .collect();
    let top = common_top(&headings) + 4.0;
    let alpha = appraisal.settings.alpha;
    let label = format!(
        "difference of {}",
        view::coefficient(&appraisal.settings.correlation)
    );
    let panels: Vec<Panel> = of_targets
        .iter()
        .zip(&headings)
        .map(|((_, groups), heading)| {
            forest::panel(groups, (heading, top), (&values, names), alpha, &label)
        })
        .collect();
    let source = view::corrected(&appraisal.settings.correction);
    Plate {
        name,
        title: title.to_owned(),
        caption: format!(
            "{what}, with 95 % interval. Filled: p < {alpha} (two-sided, {source}).{}{}",
            if is_shortened {
                " The largest differences; all are in correlation_differences.csv."
            } else {
                ""
            },
            simulated(appraisal)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: vec![
            KeyEntry::new(Mark::Dot, Ink::Text, format!("p < {alpha}, {source}")),
            KeyEntry::new(Mark::Ring, Ink::Axis, "not significant"),
        ],
        definitions: String::new(),
    }
}
