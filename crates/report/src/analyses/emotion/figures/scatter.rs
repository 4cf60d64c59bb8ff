//! Given ratings against those that the main module predicts, before and after training.

use consilience_core::{EmotionRecord, StimulusRecord};

use super::{AXIS, LEFT, WIDTH, of_main, over_repeats, scores};
use crate::{
    figures::{
        Flow, Heading, KeyEntry, Mark, Panel, Plate, common_top,
        plot::{Plot, Stroke, extent, shown},
    },
    palette::Ink,
    svg::{Dash, Draw},
    view,
};
use scores::When;

const SIDE: f64 = 300.0;
/// Most points of a panel: more would hide each other and make the page slow.
pub(super) const N_DRAWN: usize = 2000;
/// Most points that say which stimulus they are.
const N_NAMED: usize = 1000;

pub(super) fn plate(analysis: &str, emotion: &EmotionRecord, stimuli: &[StimulusRecord]) -> Plate {
    let module = scores::main(emotion);
    let places: Vec<(usize, When)> = match module.runs.is_empty() {
        true => Vec::new(),
        false => (0..emotion.ratings.len())
            .flat_map(|rating| When::BOTH.map(|when| (rating, when)))
            .collect(),
    };
    let headings: Vec<Heading> = places
        .iter()
        .map(|&(rating, when)| {
            let title = format!("{}, {}", emotion.ratings[rating].name, when.name());
            Heading::new(&title, &subtitle(emotion, rating, when), WIDTH)
        })
        .collect();
    let top = common_top(&headings) + 16.0;
    let panels: Vec<Panel> = places
        .iter()
        .zip(&headings)
        .map(|(&place, heading)| panel(emotion, stimuli, place, heading, top))
        .collect();
    let mut key = vec![
        KeyEntry::new(Mark::Line(Dash::Solid), Ink::Accent, "least squares"),
        KeyEntry::new(Mark::Line(Dash::Short), Ink::Axis, "equal"),
    ];
    if module.quantiles.iter().any(Option::is_some) {
        key.push(KeyEntry::new(Mark::Ring, Ink::Text, "mean of a bin"));
    }
    Plate {
        name: format!("{analysis}-predictions"),
        title: "Predicted and given ratings".into(),
        caption: format!(
            "Each dot is a stimulus: its given rating and {} of what the module predicts for it, which never learnt from \
             it. Line: least squares through the dots; dashes: where both are equal. Before training, predictions are \
             those of random weights and have an axis of their own.{}{}{}",
            over_repeats(emotion),
            of_quantiles(emotion),
            thinned(stimuli.len()),
            of_main(emotion)
        ),
        flow: Flow::Columns,
        max_columns: 2,
        panels,
        key,
        definitions: String::new(),
    }
}

/// What a caption says of the means of bins; begins with a space.
fn of_quantiles(emotion: &EmotionRecord) -> String {
    let tables = || scores::main(emotion).quantiles.iter().flatten();
    let Some(n) = tables().map(|table| table.counts.len()).max() else {
        return String::new();
    };
    let named = emotion.ratings.iter().zip(&scores::main(emotion).quantiles);
    let r: Vec<String> = named
        .filter_map(|(rating, table)| {
            let r = view::finite(table.as_ref()?.score.r)?;
            Some(format!("{} {}", rating.name, view::score(r)))
        })
        .collect();
    let r = match r.is_empty() {
        true => String::new(),
        false => format!("; r of these means is {}", view::listed(&r)),
    };
    format!(
        " Rings: means in {n} bins of about equally many stimuli{r}, which says nothing of single stimuli, as noise averages out."
    )
}

/// What a caption says where not all stimuli are drawn; begins with a space.
pub(super) fn thinned(n: usize) -> String {
    match n > N_DRAWN {
        true => format!(
            " Of {} stimuli every {} is drawn; emotion_predictions.csv has all.",
            view::count(n),
            view::ordinal(n.div_ceil(N_DRAWN))
        ),
        false => String::new(),
    }
}

fn subtitle(emotion: &EmotionRecord, rating: usize, when: When) -> String {
    let score = &when.scores(scores::main(emotion))[rating];
    let mut parts = vec![match view::finite(score.r) {
        None => "no correlation: predictions are constant".to_owned(),
        Some(r) => format!("r = {}", view::score(r)),
    }];
    if let Some(sd) = view::finite(score.r_sd) {
        parts[0].push_str(&format!(" ± {}", view::score(sd)));
    }
    parts.extend(scores::of_mean(score));
    parts.push(format!("RMSE {}", view::score(score.rmse)));
    parts.join(", ")
}

fn panel(
    emotion: &EmotionRecord,
    stimuli: &[StimulusRecord],
    (rating, when): (usize, When),
    heading: &Heading,
    top: f64,
) -> Panel {
    let of = &emotion.ratings[rating];
    let predicted = scores::mean_prediction(scores::main(emotion), when, rating);
    let mut d = Draw::default();
    heading.draw(&mut d);
    let x = extent(of.values.iter().copied().chain(of.scale));
    let scale = match when {
        When::Before => None,
        When::After => Some(of.scale),
    };
    let y = extent(predicted.iter().copied().chain(scale.into_iter().flatten()));
    let plot = Plot::new(x, y, (LEFT, WIDTH - 8.0), (top, top + SIDE));
    plot.y_axis(&mut d, 6, "predicted");
    plot.x_axis(&mut d, &plot.x.ticks(8), "given");

    equality(&mut d, &plot, x, y);
    let n = stimuli.len();
    let step = n.div_ceil(N_DRAWN).max(1);
    let (radius, opacity) = match n {
        0..=150 => (3.0, 0.7),
        151..=600 => (2.4, 0.55),
        _ => (1.7, 0.4),
    };
    for idx in (0..n).step_by(step) {
        let value = shown(Some(of.values[idx])).zip(shown(Some(predicted[idx])));
        let Some((given, predicted)) = value else {
            continue;
        };
        let tip = match n > N_NAMED {
            true => String::new(),
            false => format!(
                "{}: given {}, predicted {}",
                stimuli[idx].id,
                view::score(given),
                view::score(predicted)
            ),
        };
        d.dot(
            plot.at(given, predicted),
            radius,
            Ink::Series(rating),
            opacity,
            &tip,
        );
    }
    if let Some(line) = scores::line(&of.values, &predicted) {
        let ends = extent(of.values.iter().copied());
        let points: Vec<(f64, Option<f64>)> = [ends.0.max(x.0), ends.1.min(x.1)]
            .map(|x| (x, Some(line.intercept + line.slope * x)))
            .into();
        let style = Stroke {
            ink: Ink::Accent,
            width: 1.8,
            dash: Dash::Solid,
        };
        plot.curve(&mut d, &points, style);
    }
    if let (When::After, Some(table)) = (when, &scores::main(emotion).quantiles[rating]) {
        for (&given, &predicted) in table.given.iter().zip(&table.predicted) {
            if let Some((given, predicted)) = shown(Some(given)).zip(shown(Some(predicted))) {
                d.ring(plot.at(given, predicted), 4.0, Ink::Text, 1.5);
            }
        }
    }
    Panel {
        alt: format!(
            "Scatter of given and predicted {} of {} stimuli {}: {}.",
            of.name,
            n,
            when.name(),
            subtitle(emotion, rating, when)
        ),
        size: (WIDTH, top + SIDE + AXIS),
        body: d.into_string(),
    }
}

/// Where predicted and given ratings are equal, as far as the field goes.
fn equality(d: &mut Draw, plot: &Plot, x: (f64, f64), y: (f64, f64)) {
    let (from, to) = (x.0.max(y.0), x.1.min(y.1));
    if from < to {
        let ends = [plot.at(from, from), plot.at(to, to)];
        d.dashes(&ends, Ink::Axis, 1.0, Dash::Short);
    }
}
