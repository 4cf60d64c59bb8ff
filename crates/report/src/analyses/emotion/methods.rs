//! The methods of visual emotion: full sentences that can stand in a paper.

use consilience_core::{EmotionModule, EmotionPictureSet, EmotionRecord, Record};

use super::{scores, second};
use crate::{
    methods,
    view::{corrected, count, distinct, listed, plural, score, short},
};

/// One paragraph for each step of the analysis.
pub(super) fn paragraphs(record: &Record, emotion: &EmotionRecord) -> Vec<String> {
    let steps = [
        Some(modules(record, emotion)),
        Some(prediction(record, emotion)),
        selectivity(emotion),
        second::paragraph(emotion),
        geometry(emotion),
        regions(emotion),
        gains(emotion),
        connections(emotion),
        read_outs(emotion),
        Some(methods::software(&record.provenance)),
    ];
    steps.into_iter().flatten().collect()
}

/// `"2 repeats, each with its own initial weights and folds"`.
fn repeats(emotion: &EmotionRecord) -> String {
    match emotion.settings.repeats {
        1 => "a single repeat".to_owned(),
        n => format!(
            "{}, each with its own initial weights and folds",
            plural(n, "repeat")
        ),
    }
}

fn modules(record: &Record, emotion: &EmotionRecord) -> String {
    let settings = &emotion.settings;
    let mut out = format!(
        "Modules of nuclei read the features of {} and predicted {}: {}.",
        listed(&inputs(emotion)),
        listed(&names(emotion)),
        structures(emotion).join("; ")
    );
    if let [first, _, ..] = scores::encoders(emotion).as_slice() {
        out.push_str(&format!(" (Sizes are those on {first}.)"));
    }
    out.push_str(&methods::activations(record, &scores::encoders(emotion)));
    out.push_str(&format!(
        " The networks stayed as they were; modules were trained on {} with the preset “{}”",
        settings.trained_on, settings.preset
    ));
    if !settings.changes.is_empty() {
        out.push_str(&format!(" (changed: {})", listed(&settings.changes)));
    }
    out.push_str(&format!(
        " for {}, in {}.",
        plural(settings.epochs, "epoch"),
        repeats(emotion)
    ));
    if let Some(views) = &settings.augmentation {
        out.push_str(&format!(
            " In every epoch each picture that was learnt from was seen in a new view: {views}. Views were the same in all folds, structures and \
             repeats; pictures that chose the epoch or were tested stayed as they were."
        ));
    }
    out.push_str(&training_sets(emotion));
    let nuclei = || emotion.modules.iter().flat_map(|m| &m.nuclei);
    if nuclei().any(scores::attends_to_one_token) {
        out.push_str(
            " Transformers read the features as one token, as released; attention over one token is a linear map, and queries and keys \
             have no effect.",
        );
    }
    out
}

/// Sets of other pictures with their scales, and what was done with pictures that are there twice; begins with a space.
fn training_sets(emotion: &EmotionRecord) -> String {
    if emotion.training.is_empty() {
        return String::new();
    }
    let set = |set: &EmotionPictureSet| {
        let [low, high] = set.scale.map(short);
        let n = plural(set.n_pictures, "picture");
        format!("{n} of {}, rated from {low} to {high}", set.name)
    };
    let sets: Vec<String> = emotion.training.iter().map(set).collect();
    format!(
        " These are {}; ratings were brought to the scale of the stimuli’s by a line through its ends. Pictures whose files have the content of a \
         stimulus, or of a picture before them, were left out.",
        sets.join("; ")
    )
}

fn names(emotion: &EmotionRecord) -> Vec<&str> {
    emotion.ratings.iter().map(|r| r.name.as_str()).collect()
}

/// Encoders with their layers, each once.
fn inputs(emotion: &EmotionRecord) -> Vec<String> {
    let all: Vec<String> = emotion
        .modules
        .iter()
        .map(|m| format!("{} at {} ({})", m.encoder, m.layer, scores::read(m)))
        .collect();
    let each = distinct(all.iter().map(String::as_str));
    each.into_iter().map(str::to_owned).collect()
}

/// Structures with their nuclei, each once.
fn structures(emotion: &EmotionRecord) -> Vec<String> {
    let each = scores::structures(emotion).into_iter();
    each.filter_map(|name| emotion.modules.iter().find(|m| m.structure == name))
        .map(structure)
        .collect()
}

fn structure(module: &EmotionModule) -> String {
    let nuclei: Vec<String> = module
        .nuclei
        .iter()
        .map(|n| {
            let visual = |name: &String| match name.as_str() {
                "visual" => "the features".to_owned(),
                name => name.to_owned(),
            };
            let reads: Vec<String> = n.reads.iter().map(visual).collect();
            let mut out = format!("{} reads {}", n.name, reads.join(", "));
            if !n.inhibited_by.is_empty() {
                out.push_str(&format!(
                    " and is inhibited by {}",
                    n.inhibited_by.join(", ")
                ));
            }
            if !n.feedback.is_empty() {
                out.push_str(&format!(" with feedback from {}", n.feedback.join(", ")));
            }
            format!("{out} ({}, {})", plural(n.width, "unit"), n.unit)
        })
        .collect();
    format!(
        "structure {} with {} ({}; read-out from {})",
        module.structure,
        plural(module.n_parameters, "trainable parameter"),
        nuclei.join(", "),
        module.read_out
    )
}

fn prediction(record: &Record, emotion: &EmotionRecord) -> String {
    let settings = &emotion.settings;
    let mut out = format!(
        "Predictions for {} come from {}, so that no module predicts what it learnt from. They were compared with the ratings by Pearson’s r, \
         Spearman’s ρ, the root mean square error and R² as predicted, and by the root mean square error and r² after a line was fitted to the \
         tested stimuli themselves, as published.",
        methods::n_stimuli(record.stimuli.len()),
        settings.validation
    );
    let mut tables = emotion
        .modules
        .iter()
        .flat_map(|m| m.quantiles.iter().flatten());
    if tables.next().is_some() {
        out.push_str(
            " Stimuli were also divided by their given rating into bins of about equal size (quantiles), and the means of given and predicted \
             ratings in these compared in the same way; noise averages out in them, so that they say nothing of single stimuli.",
        );
    }
    if emotion.modules.iter().any(|m| m.plane.is_some()) {
        out.push_str(
            " The plane of predicted ratings was compared with that of given ones by the Procrustes disparity (both clouds centred, scaled to unit \
             size and turned onto each other; the sum of squares that remains) and by the energy distance.",
        );
    }
    if settings.resamples > 0 {
        out.push_str(&format!(
            " Intervals are those of the mean prediction over repeats, by {} bootstrap resamples of the stimuli.",
            count(settings.resamples)
        ));
    }
    if !emotion.baselines.is_empty() {
        out.push_str(" The baseline is ridge regression on the same features and folds.");
    }
    let ceilings: Vec<String> = emotion
        .ratings
        .iter()
        .filter_map(|r| Some(format!("{} {}", r.name, score(r.ceiling?))))
        .collect();
    if !ceilings.is_empty() {
        out.push_str(&format!(
            " The noise ceiling is the root of the reliability of the mean ratings, from the spread over raters: {}.",
            listed(&ceilings)
        ));
    }
    if !emotion.comparisons.is_empty() {
        let how = match settings.correction.as_str() {
            "bonferroni" => "corrected after Bonferroni".to_owned(),
            other => match corrected(other) {
                "uncorrected" => "not corrected for their number".to_owned(),
                "FDR-corrected" => "corrected, controlling the false discovery rate".to_owned(),
                _ => "corrected, controlling the family-wise error rate".to_owned(),
            },
        };
        out.push_str(&format!(
            " Modules were compared by Welch’s t-test over repeats, which share their stimuli, so that it holds for other initial weights and folds \
             and not for other stimuli; effect sizes are Cohen’s d, p-values were {how}, and p < {} is called significant.",
            settings.alpha
        ));
    }
    out
}

fn selectivity(emotion: &EmotionRecord) -> Option<String> {
    if emotion.selectivity.is_empty() {
        return None;
    }
    let settings = &emotion.settings;
    let kept = scores::kept_bins(emotion);
    Some(format!(
        "Stimuli were divided into bins of valence and arousal ({}); bins with fewer than {} were left out, {} remained. A unit is selective for a \
         bin when d′ = (μ_in − μ_out) ÷ √((σ²_in + σ²_out) ÷ 2) of its activations exceeds {} and p < {} in Welch’s test, {}. Standard errors and tests of change by training rest on {} bootstrap resamples of the stimuli, chance on {}. A tuning value is the \
         mean activation in a bin minus the mean over all stimuli, divided by their standard deviation.",
        settings.edges,
        methods::n_stimuli(settings.min_images),
        count(kept.len()),
        short(settings.threshold),
        settings.alpha,
        match corrected(&settings.unit_correction) {
            "uncorrected" => "without correction over units".to_owned(),
            corrected => format!("{corrected} over units and bins"),
        },
        count(settings.resamples),
        plural(settings.permutations, "shuffle") + " of the bins"
    ))
}

fn geometry(emotion: &EmotionRecord) -> Option<String> {
    let models = distinct(emotion.geometry.iter().map(|g| g.model.as_str()));
    if models.is_empty() && emotion.dimensionality.is_empty() {
        return None;
    }
    let mut out = format!(
        "The geometry of a nucleus is the matrix of dissimilarities ({}) between its patterns of activation for every pair of stimuli, epoch by \
         epoch from before training.",
        emotion.settings.dissimilarity
    );
    if !models.is_empty() {
        out.push_str(&format!(
            " It was compared, by Spearman’s ρ over pairs, with models of emotion: {}.",
            listed(&models)
        ));
    }
    if !emotion.dimensionality.is_empty() {
        out.push_str(
            " The number of dimensions that a nucleus uses is the participation ratio of its principal components’ variances.",
        );
    }
    Some(out)
}

fn regions(emotion: &EmotionRecord) -> Option<String> {
    if emotion.regions.is_empty() {
        return None;
    }
    let each: Vec<String> = emotion
        .regions
        .iter()
        .map(|r| {
            let simulated = if r.is_simulated { ", simulated" } else { "" };
            format!(
                "{} ({}{simulated})",
                r.name,
                plural(r.n_subjects, "subject")
            )
        })
        .collect();
    let mut out = format!(
        "The same was compared with regions of the brain: {}. The score is Spearman’s ρ with the RDM of all subjects together; p-values are one-sided, by \
         {} of the stimuli, and not corrected. Agreement with single subjects’ RDMs stands beside the noise ceiling, which brackets what the \
         unknown true model could reach.",
        listed(&each),
        plural(emotion.settings.permutations, "permutation")
    );
    let controls = distinct(
        emotion
            .regions
            .iter()
            .flat_map(|r| &r.controls)
            .map(String::as_str),
    );
    if !controls.is_empty() {
        out.push_str(&format!(
            " Partial scores are partial correlations of ranks given {}.",
            listed(&controls)
        ));
    }
    Some(out)
}

fn gains(emotion: &EmotionRecord) -> Option<String> {
    if emotion.gains.is_empty() {
        return None;
    }
    let which = match emotion.settings.units.as_str() {
        "consistent" => {
            " Units that are selective for the same bin in both sets of pictures, and those that are so in the stimuli only, were changed separately."
        }
        _ => "",
    };
    Some(format!(
        "Values of units were multiplied by 1 + α, −1 being a lesion, and ratings predicted again.{which} Each gain was compared (two-sided, not corrected) \
         with {} of equally many units drawn at random from the same nucleus.",
        plural(emotion.settings.random_sets, "set")
    ))
}

fn connections(emotion: &EmotionRecord) -> Option<String> {
    (!emotion.connections.is_empty()).then(|| {
        "Each connection between nuclei was silenced alone, its end reading zeros, and ratings predicted again without training.".to_owned()
    })
}

fn read_outs(emotion: &EmotionRecord) -> Option<String> {
    emotion.read_outs.iter().find(|r| r.f1.is_some())?;
    let gains = emotion.read_outs.iter().any(|r| r.enhanced.is_some());
    let enhanced = match gains {
        true => {
            " or multiplied by the gain that raised F1 most, which was chosen with the tested stimuli, for random units too"
        }
        false => "",
    };
    let which = match emotion.settings.units.as_str() {
        "consistent" => " in both sets of pictures",
        _ => "",
    };
    Some(format!(
        "Stimuli were divided by valence into three categories, by the same edges, and each was told from the others by the units of a nucleus: a \
         logistic regression (penalty 1, classes of equal weight, z-scored units) learnt from the pictures that a module learnt from and was tested on its \
         stimuli by F1. Then the units selective for any bin of the category{which} were silenced{enhanced}. They were compared (two-sided, not \
         corrected) with {} of equally many random units of the same nuclei.",
        plural(emotion.settings.random_sets, "set")
    ))
}
