//! What figures, tables and sentences of visual emotion share.

use consilience_core::{
    EmotionBaseline, EmotionModule, EmotionRecord, EmotionSettings, ModuleComparison, NucleusInfo,
    PredictionScore,
};

use crate::view;

/// The module that units, geometry and gains are of.
pub(super) fn main(emotion: &EmotionRecord) -> &EmotionModule {
    &emotion.modules[emotion.main]
}

/// When predictions were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

impl When {
    pub(super) const BOTH: [Self; 2] = [Self::Before, Self::After];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Before => "before training",
            Self::After => "after training",
        }
    }

    pub(super) fn scores(self, module: &EmotionModule) -> &[PredictionScore] {
        match self {
            Self::Before => &module.before,
            Self::After => &module.after,
        }
    }
}

/// `"mean prediction 0.63, 95 % interval 0.51 to 0.70"`; of a single repeat the interval alone.
pub(super) fn of_mean(score: &PredictionScore) -> Option<String> {
    let several = score.r_sd.is_some();
    let r = view::finite(score.r_of_mean).filter(|_| several);
    let r = r.map(|r| format!("mean prediction {}", view::score(r)));
    let interval = score.r_interval.map(|[low, high]| {
        format!(
            "95 % interval {} to {}",
            view::score(low),
            view::score(high)
        )
    });
    let parts: Vec<String> = r.into_iter().chain(interval).collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// `"d′ > 0.65 and p < 0.05 in Welch’s test"`, with the correction if there is one.
pub(super) fn selective_when(settings: &EmotionSettings) -> String {
    let rule = format!(
        "d′ > {} and p < {} in Welch’s test",
        view::short(settings.threshold),
        settings.alpha
    );
    match view::corrected(&settings.unit_correction) {
        "uncorrected" => rule,
        corrected => format!("{rule}, {corrected} over units and bins"),
    }
}

/// Names of the simulated regions in a sentence.
pub(super) fn simulated(emotion: &EmotionRecord) -> Option<String> {
    let regions = emotion.regions.iter().filter(|r| r.is_simulated);
    let names: Vec<&str> = regions.map(|r| r.name.as_str()).collect();
    view::simulated_sentence(&names)
}

/// Encoders in study order.
pub(super) fn encoders(emotion: &EmotionRecord) -> Vec<&str> {
    view::distinct(emotion.modules.iter().map(|m| m.encoder.as_str()))
}

/// Structures in study order.
pub(super) fn structures(emotion: &EmotionRecord) -> Vec<&str> {
    view::distinct(emotion.modules.iter().map(|m| m.structure.as_str()))
}

/// The baseline on what a module reads.
pub(super) fn baseline<'a>(
    emotion: &'a EmotionRecord,
    module: &EmotionModule,
) -> Option<&'a EmotionBaseline> {
    let mut of = emotion.baselines.iter();
    of.find(|b| b.encoder == module.encoder && b.layer == module.layer)
}

/// What a module predicts for each stimulus, mean over repeats; nothing without any repeat.
pub(super) fn mean_prediction(module: &EmotionModule, when: When, rating: usize) -> Vec<f64> {
    let rows: Vec<&[f64]> = module
        .runs
        .iter()
        .map(|run| match when {
            When::Before => run.before[rating].as_slice(),
            When::After => run.after[rating].as_slice(),
        })
        .collect();
    let Some(first) = rows.first() else {
        return Vec::new();
    };
    (0..first.len())
        .map(|idx| rows.iter().map(|row| row[idx]).sum::<f64>() / rows.len() as f64)
        .collect()
}

/// Pearson's r of each repeat after training, for the points of figures.
pub(super) fn r_of_runs(
    emotion: &EmotionRecord,
    module: &EmotionModule,
    rating: usize,
) -> Vec<Option<f64>> {
    let given = &emotion.ratings[rating].values;
    let runs = module.runs.iter();
    runs.map(|run| pearson(given, &run.after[rating])).collect()
}

/// Pearson's r over pairs of numbers; `None` when either does not vary.
fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let line = line(x, y)?;
    view::finite(Some(line.r))
}

/// A line through points, by least squares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) intercept: f64,
    r: f64,
}

/// The line that predicts y from x; `None` when x does not vary. Points without a number are left out.
pub(super) fn line(x: &[f64], y: &[f64]) -> Option<Line> {
    let points: Vec<(f64, f64)> = x
        .iter()
        .copied()
        .zip(y.iter().copied())
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let n = points.len() as f64;
    let (sx, sy) = points
        .iter()
        .fold((0.0, 0.0), |(a, b), p| (a + p.0, b + p.1));
    let (mx, my) = (sx / n, sy / n);
    let sum =
        |f: &dyn Fn(f64, f64) -> f64| points.iter().map(|p| f(p.0 - mx, p.1 - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(&|x, _| x * x), sum(&|_, y| y * y), sum(&|x, y| x * y));
    let slope = view::finite(Some(xy / xx))?;
    Some(Line {
        slope,
        intercept: my - slope * mx,
        r: xy / (xx * yy).sqrt(),
    })
}

/// Names of the bins that have enough stimuli.
pub(super) fn kept_bins(emotion: &EmotionRecord) -> Vec<&str> {
    let kept = emotion.bins.iter().filter(|bin| bin.is_kept);
    kept.map(|bin| bin.name.as_str()).collect()
}

/// Nuclei of the main module in their order.
pub(super) fn nuclei(emotion: &EmotionRecord) -> Vec<&str> {
    let nuclei = main(emotion).nuclei.iter();
    nuclei.map(|n| n.name.as_str()).collect()
}

/// Place of a nucleus in its module, which gives it a colour; `None` for what is over nuclei.
pub(super) fn nucleus_idx(emotion: &EmotionRecord, name: &str) -> Option<usize> {
    nuclei(emotion).iter().position(|n| *n == name)
}

/// What a module reads of a picture: `512 features`, `49 tokens of 512 features`.
pub(super) fn read(module: &EmotionModule) -> String {
    let features = view::plural(module.n_features, "feature");
    match module.n_tokens {
        None => features,
        Some(n) => format!("{} of {features}", view::plural(n, "token")),
    }
}

/// Whether a nucleus attends to one token only, so that its attention is a linear map.
pub(super) fn attends_to_one_token(nucleus: &NucleusInfo) -> bool {
    nucleus.unit.contains("transformer") && nucleus.attention_entropy.is_none()
}

/// The p-value that decides whether two modules differ.
pub(super) fn p_difference(comparison: &ModuleComparison) -> Option<f64> {
    view::finite(comparison.p_corrected).or(view::finite(comparison.p))
}

/// Whether two modules differ.
pub(super) fn is_significant(emotion: &EmotionRecord, comparison: &ModuleComparison) -> bool {
    p_difference(comparison).is_some_and(|p| p < emotion.settings.alpha)
}

/// What was done to the p-values of [`p_difference`].
pub(super) fn p_difference_source(emotion: &EmotionRecord) -> &'static str {
    let any = |c: &ModuleComparison| view::finite(c.p_corrected).is_some();
    match emotion.comparisons.iter().any(any) {
        true => match emotion.settings.correction.as_str() {
            "bonferroni" => "Bonferroni-corrected",
            other => view::corrected(other),
        },
        false => "uncorrected",
    }
}

/// A number of units, which may be a mean.
pub(super) fn units(n: f64) -> String {
    match n.fract() == 0.0 && n.abs() < 1e9 {
        true => view::count(n.max(0.0) as usize),
        false => format!("{n:.1}"),
    }
}

/// In which pictures changed units are selective, after "selective in".
pub(super) fn pictures(selective_in: &str) -> &str {
    match selective_in {
        "stimuli only" => "the stimuli only",
        other => other,
    }
}

/// A region with its origin.
pub(super) fn kind_of_region(is_simulated: bool) -> &'static str {
    view::kind_and_origin(consilience_core::TargetKind::Brain, is_simulated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_follow_points_and_leave_gaps_out() {
        let x = [1.0, 2.0, f64::NAN, 3.0];
        let y = [3.0, 5.0, 100.0, 7.0];
        let of = line(&x, &y).unwrap();
        assert!((of.slope - 2.0).abs() < 1e-12 && (of.intercept - 1.0).abs() < 1e-12);
        assert!((pearson(&x, &y).unwrap() - 1.0).abs() < 1e-12);
        assert!(line(&[1.0, 1.0], &[2.0, 3.0]).is_none());
        assert!(line(&[], &[]).is_none());
        assert_eq!(pearson(&[1.0, 2.0], &[3.0, 3.0]), None);
    }
}
