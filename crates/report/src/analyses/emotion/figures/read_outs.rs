//! Categories of valence read out of nuclei, with units silenced and enhanced.

use consilience_core::{CategoryReadOut, EmotionRecord, GainedReadOut};

use super::{
    WIDTH, of_main,
    rows::{Line, Marked, Shape, ends, panel},
};
use crate::{
    figures::{Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top},
    methods::n_stimuli,
    palette::Ink,
    svg::Dash,
    view,
};

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord) -> Plate {
    let alpha = emotion.settings.alpha;
    let all = emotion
        .read_outs
        .iter()
        .filter(|r| view::finite(r.f1).is_some());
    let categories = view::distinct(all.clone().map(|r| r.category.as_str()));
    let of = |category: &str| -> Vec<&CategoryReadOut> {
        all.clone().filter(|r| r.category == category).collect()
    };
    let lines: Vec<Vec<Line>> = categories
        .iter()
        .map(|category| of(category).into_iter().map(|r| line(r, alpha)).collect())
        .collect();
    let headings: Vec<Heading> = categories
        .iter()
        .map(|category| {
            let n = of(category).first().map_or(0, |r| r.n_stimuli);
            let title = format!("{category} valence");
            Heading::new(&title, &n_stimuli(n), WIDTH)
        })
        .collect();
    let top = common_top(&headings) + 4.0;
    let x = ends(lines.iter().flatten(), Some(1.0));
    let panels: Vec<Panel> = (categories.iter().zip(&lines).zip(&headings))
        .map(|((category, lines), heading)| {
            let chance = of(category).first().map(|r| r.chance);
            let told: Vec<String> = (of(category).iter())
                .map(|r| format!("{} {}", nucleus(r), view::score(r.f1.unwrap_or(f64::NAN))))
                .collect();
            let alt = format!(
                "F1 of {category} stimuli read out of nuclei: {}.",
                view::listed(&told)
            );
            panel(lines, x, ("F1", chance), (heading, top), alt)
        })
        .collect();
    let caption = format!(
        "Stimuli of a category of valence told from all others by the units of a nucleus (logistic regression learnt from the pictures that \
         modules learnt from, tested on their stimuli; mean F1 over repeats, the number at the end). Units that are selective for a bin of the category{} \
         are silenced, or enhanced by the gain of the study that helps most. Lines: mean ± SD of equally many random units of the same nuclei ({}), \
         silenced, and enhanced by the gain that helps them most. Filled in colour: p < {} against these (two-sided, uncorrected). Dashed: F1 of calling \
         every stimulus so.{}",
        match emotion.settings.units.as_str() {
            "consistent" => " in both sets of pictures",
            _ => "",
        },
        view::plural(emotion.settings.random_sets, "set"),
        alpha,
        of_main(emotion)
    );
    Plate {
        name: format!("{analysis}-read-outs"),
        title: "Categories of valence read out of nuclei".into(),
        caption,
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key: vec![
            KeyEntry::new(Mark::Ring, Ink::Text, "intact"),
            KeyEntry::new(Mark::Up, Ink::Series(0), "enhanced"),
            KeyEntry::new(Mark::Down, Ink::Series(1), "silenced"),
            KeyEntry::new(Mark::Whisker, Ink::Muted, "random units, ± SD"),
            KeyEntry::new(
                Mark::Line(Dash::Long),
                Ink::Text,
                "every stimulus called so",
            ),
        ],
        definitions: String::new(),
    }
}

fn nucleus(of: &CategoryReadOut) -> &str {
    match of.nucleus.as_str() {
        "all" => "all nuclei",
        other => other,
    }
}

fn line(of: &CategoryReadOut, alpha: f64) -> Line {
    let mut marks = Vec::new();
    let mut changed = |gained: &GainedReadOut, shape, ink, what: &str| {
        marks.push(Marked {
            value: gained.random,
            spread: gained.random_sd,
            shape: Shape::Tick,
            ink: Ink::Muted,
            is_filled: true,
            what: format!("random units {what}"),
        });
        marks.push(Marked {
            value: gained.f1,
            spread: None,
            shape,
            ink,
            is_filled: view::finite(gained.p).is_some_and(|p| p < alpha),
            what: what.to_owned(),
        });
    };
    changed(&of.lesioned, Shape::Down, Ink::Series(1), "silenced");
    if let Some(enhanced) = &of.enhanced {
        let what = format!("enhanced (α = {})", view::short(enhanced.gain));
        changed(enhanced, Shape::Up, Ink::Series(0), &what);
    }
    marks.push(Marked {
        value: of.f1,
        spread: None,
        shape: Shape::Ring,
        ink: Ink::Text,
        is_filled: true,
        what: "intact".to_owned(),
    });
    Line {
        name: nucleus(of).to_owned(),
        marks,
        end: of.f1,
    }
}
