//! What is said of units in two sets of pictures: a sentence, a paragraph, a table.

use consilience_core::{EmotionRecord, EmotionSecondSet, NucleusConsistency};

use super::{
    figures::consistency::name,
    scores::{self, units},
    tables::CONSISTENCY,
};
use crate::{
    section::{Cell, Filter, Row, Sort, TableView, columns},
    view,
};

fn all(second: &EmotionSecondSet) -> Option<&NucleusConsistency> {
    second.nuclei.last().filter(|of| of.nucleus == "all")
}

/// How many units are kept.
pub(super) fn statement(emotion: &EmotionRecord) -> Option<String> {
    let second = emotion.second.as_ref()?;
    let of = all(second)?;
    let any = of.overlaps.last()?;
    let kept = view::finite(any.kept).map_or_else(String::new, |kept| {
        format!(" ({} of them)", view::score(kept))
    });
    let mut text = format!(
        "Of {} that are selective for a bin of both sets in the stimuli, {}{kept} are selective for the same one in {}; {} would be by chance ({}).",
        counted(any.first),
        units(any.both),
        second.set.name,
        units(any.expected),
        view::p_clause(any.p)
    );
    let found = &of.preference;
    if let (Some(same), Some(shuffled)) = (view::finite(found.same), view::finite(found.shuffled)) {
        let p =
            view::finite(found.p).map_or_else(String::new, |p| format!(" ({})", view::p_clause(p)));
        text.push_str(&format!(
            " {} of all units prefer the same bin in both, with shuffled bins {}{p}.",
            view::score(same),
            view::score(shuffled)
        ));
    }
    Some(text)
}

fn counted(n: f64) -> String {
    match n == 1.0 {
        true => "1 unit".to_owned(),
        false => format!("{} units", units(n)),
    }
}

/// What was done.
pub(super) fn paragraph(emotion: &EmotionRecord) -> Option<String> {
    let second = emotion.second.as_ref()?;
    let [low, high] = second.set.scale.map(view::short);
    let mut out = format!(
        "The same units were tested on {} of {} (rated from {low} to {high}, brought to the scale of the stimuli), from which no module learnt, by the same \
         rules, with edges of its own where they depend on ratings. Bins with enough pictures in both sets were compared: {}.",
        view::plural(second.set.n_pictures, "picture"),
        second.set.name,
        view::listed(&second.shared)
    );
    let n_folds = scores::main(emotion)
        .runs
        .first()
        .map_or(1, |run| run.epochs.len());
    if n_folds > 1 {
        out.push_str(
            " Its pictures were dealt to the modules of the folds as stimuli are, so that a unit is the same mixture of modules in both sets.",
        );
    }
    out.push_str(&format!(
        " The overlap of selective units was compared with the hypergeometric distribution within each nucleus (over all nuclei with its sum, for any bin with {} of \
         units), p merged over repeats by their median so that it holds however repeats depend on each other; units are taken for independent. The share of units \
         with the same preferred bin (largest tuning value) was compared with {} of the second set’s bins. Genuine units are those that prefer the same in both \
         after the fifth with the lowest selectivity index in either was dropped (Liu et al. 2024).",
        view::plural(emotion.settings.permutations, "permutation"),
        view::plural(emotion.settings.permutations, "shuffle")
    ));
    Some(out)
}

/// Every nucleus and bin.
pub(super) fn table(emotion: &EmotionRecord) -> Option<TableView> {
    let second = emotion.second.as_ref().filter(|s| !s.shared.is_empty())?;
    let nuclei: Vec<String> = second.nuclei.iter().map(name).collect();
    let bins: Vec<String> = second
        .shared
        .iter()
        .cloned()
        .chain(["any".to_owned()])
        .collect();
    let mut rows = Vec::new();
    for (nucleus, of) in second.nuclei.iter().enumerate() {
        for (bin, overlap) in of.overlaps.iter().enumerate() {
            rows.push(Row {
                keys: vec![nucleus + 1, bin + 1],
                best: false,
                cells: vec![
                    Cell::ordered(&nuclei[nucleus], nucleus),
                    Cell::ordered(&bins[bin], bin),
                    Cell::number(Some(overlap.first), units),
                    Cell::number(Some(overlap.second), units),
                    Cell::number(Some(overlap.both), units),
                    Cell::number(overlap.both_sd, view::score),
                    Cell::number(Some(overlap.expected), view::score),
                    Cell::number(overlap.kept, view::score),
                    Cell::number(overlap.jaccard, view::score),
                    Cell::number(Some(overlap.p), view::p_value),
                ],
            });
        }
    }
    (!rows.is_empty()).then(|| TableView {
        title: "Units in both sets of pictures",
        file: CONSISTENCY.to_owned(),
        columns: columns(
            &[("Nucleus", Sort::Order), ("Bin", Sort::Order)],
            &["Stimuli", "Second set", "Both", "SD", "By chance", "Kept", "Jaccard", "p"],
        ),
        filters: vec![
            Filter {
                label: "Nucleus",
                options: nuclei,
            },
            Filter {
                label: "Bin",
                options: bins,
            },
        ],
        rows,
        legend: format!(
            "Units that are selective for the bin in the stimuli, in {}, and in both, mean over repeats (any: for some bin, in both for the same one); SD: of both \
             over repeats; by chance: both, if the sets of units had nothing to do with each other within each nucleus; kept: both ÷ stimuli; Jaccard: both ÷ \
             either; p: one-sided, hypergeometric, merged over repeats, uncorrected.",
            second.set.name
        ),
    })
}
