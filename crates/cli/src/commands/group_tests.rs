//! `consilience group-tests`

use std::io::Write;

use anyhow::{Context, Result};
use consilience::methods::group::{
    self, Alternative, GroupParams, GroupTest, GroupTests, MixedModel, MixedParams, MixedTest,
};
use consilience::methods::rsa::Correction;
use ndarray::Array2;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Format;
use crate::arrays::{self, Nan};
use crate::tables;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  consilience infer --models m.npy --data d.npy > scores.json
  consilience group-tests scores.json --format text

`consilience explain group-tests` says which test answers what.")]
pub struct Args {
    /// Scores (models × subjects), or what `infer` or `evaluate` printed as JSON
    #[arg(value_name = "SCORES.npy|.json")]
    scores: String,
    /// Score to expect by chance
    #[arg(
        long,
        value_name = "X",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    chance: f64,
    /// Which means of models speak against chance: greater, less, two-sided
    #[arg(long, value_name = "NAME", default_value = "greater")]
    alternative: Alternative,
    /// Which differences of two models speak against equality: greater, less, two-sided
    #[arg(long, value_name = "NAME", default_value = "two-sided")]
    pair_alternative: Alternative,
    /// Scale of the Cauchy prior of the Bayes factor
    #[arg(long, value_name = "R", default_value_t = std::f64::consts::FRAC_1_SQRT_2)]
    prior_scale: f64,
    /// Most sign flips over subjects; all there are when they are no more; 0 for none
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    flips: usize,
    /// Seed of the sign flips
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Correction over models and over pairs of models: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "fdr")]
    correction: Correction,
    /// Also fit a mixed model of all scores: an intercept for each subject, p corrected by Holm; with `--nan omit`, only the scores
    /// that are NaN are left out of it
    #[arg(long)]
    mixed: bool,
    /// What to do with NaN; `omit` leaves out a subject of the model concerned
    #[arg(long, value_enum, default_value_t = Nan::Refuse)]
    nan: Nan,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

/// What of an inference is needed.
#[derive(Deserialize)]
struct Inferred {
    models: Vec<InferredModel>,
}

#[derive(Deserialize)]
struct InferredModel {
    name: String,
    per_subject: Vec<Option<f64>>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (names, scores) = load(&args.scores)?;
    let params = GroupParams {
        chance: args.chance,
        alternative: args.alternative,
        pair_alternative: args.pair_alternative,
        prior_scale: args.prior_scale,
        flips: args.flips,
        seed: args.seed,
        correction: args.correction,
        nan: args.nan.into(),
    };
    let found = arrays::in_files(group::group_tests(scores.view(), &params), &[&args.scores])?;
    let mixed = args.mixed.then(|| {
        let params = MixedParams {
            chance: args.chance,
            alternative: args.alternative,
            pair_alternative: args.pair_alternative,
            nan: args.nan.into(),
        };
        group::mixed_model(scores.view(), &[], &params)
    });
    let mixed = arrays::in_files(mixed.transpose(), &[&args.scores])?;
    match args.format {
        Format::Json => {
            let mut document = as_json(&found, &names, args);
            if let Some(mixed) = &mixed {
                document["mixed"] = mixed_json(mixed, &names);
            }
            arrays::print_json(&document, out)
        }
        Format::Text => {
            as_text(&found, &names, out)?;
            mixed.map_or(Ok(()), |mixed| mixed_as_text(&mixed, &names, out))
        }
    }
}

/// Names of models and their scores.
fn load(spec: &str) -> Result<(Vec<String>, Array2<f64>)> {
    if !spec.ends_with(".json") {
        let scores = arrays::matrix_f64(spec, "the scores")?;
        let names = (0..scores.nrows()).map(|m| format!("model_{m}")).collect();
        return Ok((names, scores));
    }
    let text = std::fs::read_to_string(spec).with_context(|| spec.to_owned())?;
    let inferred: Inferred = serde_json::from_str(&text).with_context(|| {
        format!("{spec} is not what `infer` or `evaluate` prints: expected models with name and per_subject")
    })?;
    let n_subjects = inferred.models.first().map_or(0, |m| m.per_subject.len());
    let rows: Vec<Vec<f64>> = inferred
        .models
        .iter()
        .map(|m| {
            m.per_subject
                .iter()
                .map(|s| s.unwrap_or(f64::NAN))
                .collect()
        })
        .collect();
    let scores = Array2::from_shape_vec((rows.len(), n_subjects), rows.concat())
        .with_context(|| format!("{spec}: models have different numbers of subjects"))?;
    Ok((
        inferred.models.into_iter().map(|m| m.name).collect(),
        scores,
    ))
}

fn as_json(found: &GroupTests, names: &[String], args: &Args) -> Value {
    let pairs = found.pairs.iter().map(|pair| (pair.models, &pair.test));
    let (models, pairs) = entries(&found.models, pairs, names, test_json);
    json!({
        "models": models,
        "pairs": pairs,
        "chance": args.chance,
        "alternative": args.alternative.to_string(),
        "pair_alternative": args.pair_alternative.to_string(),
        "flips": found.n_flips,
        "all_flips": found.all_flips,
        "correction": args.correction.to_string(),
        "seed": args.seed,
        "notes": found.notes,
    })
}

/// Tests of models and of pairs of them, each with what it is of.
fn entries<'t, T: 't>(
    models: &[T],
    pairs: impl Iterator<Item = ([usize; 2], &'t T)>,
    names: &[String],
    json: impl Fn(&T) -> Value,
) -> (Vec<Value>, Vec<Value>) {
    let of_model = |(test, name): (&T, &String)| {
        let mut entry = json(test);
        entry["name"] = json!(name);
        entry
    };
    let of_pair = |(models, test): ([usize; 2], &T)| {
        let mut entry = json(test);
        entry["names"] = json!(models.map(|m| &names[m]));
        entry
    };
    (
        models.iter().zip(names).map(of_model).collect(),
        pairs.map(of_pair).collect(),
    )
}

/// What the rows of a table are of, models and then pairs of them, and the width of its first column.
fn first_column(
    names: &[String],
    pairs: impl Iterator<Item = [usize; 2]>,
    least_width: usize,
) -> (Vec<String>, usize) {
    let pairs = pairs.map(|models| models.map(|m| names[m].as_str()).join(" − "));
    let rows: Vec<String> = names.iter().cloned().chain(pairs).collect();
    let widths = rows.iter().map(|row| row.chars().count() + 2);
    let width = widths.fold(least_width, usize::max);
    (rows, width)
}

fn test_json(test: &GroupTest) -> Value {
    let student = test.student.as_ref();
    json!({
        "n": test.n,
        "n_omitted": test.n_omitted,
        "mean": test.mean,
        "sd": student.map(|t| t.sd),
        "ci": student.map(|t| t.interval.map(Some)).unwrap_or_default(),
        "t": student.map(|t| t.t),
        "dof": student.map(|t| t.dof),
        "p": student.map(|t| t.p),
        "p_corrected": student.and_then(|t| t.p_corrected),
        "cohens_d": student.map(|t| t.cohens_d),
        "cohens_d_ci": student.map(|t| t.d_interval.map(Some)).unwrap_or_default(),
        "hedges_g": student.and_then(|t| t.hedges_g),
        "bayes_factor": student.and_then(|t| t.bayes_factor),
        "ln_bayes_factor": student.map(|t| t.ln_bayes_factor),
        "wilcoxon": test.signed_rank.as_ref().map(|w| json!({
            "n": w.n_used,
            "w_plus": w.w_plus,
            "p": w.p,
            "p_corrected": w.p_corrected,
            "exact": w.exact,
            "rank_biserial": w.rank_biserial,
        })),
        "sign_flips": test.sign_flip.as_ref().map(|s| json!({
            "p": s.p,
            "p_corrected": s.p_corrected,
            "p_fwe": s.p_fwe,
        })),
    })
}

fn as_text(found: &GroupTests, names: &[String], out: &mut dyn Write) -> Result<()> {
    let (rows, width) = first_column(names, found.pairs.iter().map(|p| p.models), 12);
    writeln!(
        out,
        "{:<width$}{:>4}{:>10}{:>20}{:>8}{:>10}{:>8}{:>11}{:>10}{:>10}",
        "", "n", "mean", "95 % interval", "t", "p", "d", "BF10", "p ranks", "p flips"
    )?;
    let of_pairs = found.pairs.iter().map(|pair| &pair.test);
    for (name, test) in rows.iter().zip(found.models.iter().chain(of_pairs)) {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
        let student = test.student.as_ref();
        writeln!(
            out,
            "{name:<width$}{:>4}{:>10}{:>20}{:>8}{:>10}{:>8}{:>11}{:>10}{:>10}",
            test.n,
            tables::number(test.mean),
            tables::interval(student.map(|t| t.interval)),
            or_dash(student.map(|t| format!("{:.2}", t.t))),
            tables::p_value(student.map(|t| t.p)),
            or_dash(student.map(|t| format!("{:.2}", t.cohens_d))),
            or_dash(student.map(|t| factor(t.ln_bayes_factor))),
            tables::p_value(test.signed_rank.as_ref().map(|w| w.p)),
            tables::p_value(test.sign_flip.as_ref().map(|s| s.p)),
        )?;
    }
    for note in &found.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn mixed_json(found: &MixedModel, names: &[String]) -> Value {
    let test = |test: &MixedTest| {
        json!({
            "estimate": test.estimate,
            "sem": test.sem,
            "ci": test.interval,
            "t": test.t,
            "dof": test.dof,
            "p": test.p,
            "p_holm": test.p_corrected,
        })
    };
    let pairs = found.pairs.iter().map(|pair| (pair.models, &pair.test));
    let (models, pairs) = entries(&found.models, pairs, names, test);
    json!({
        "models": models,
        "pairs": pairs,
        "n_scores": found.n_scores,
        "n_missing": found.n_missing,
        "n_subjects": found.n_subjects,
        "subject_variance": found.subject_variance,
        "residual_variance": found.residual_variance,
        "icc": found.icc,
        "at_boundary": found.at_boundary,
        "ln_likelihood": found.ln_likelihood,
        "notes": found.notes,
    })
}

fn mixed_as_text(found: &MixedModel, names: &[String], out: &mut dyn Write) -> Result<()> {
    let (rows, width) = first_column(names, found.pairs.iter().map(|p| p.models), 14);
    writeln!(
        out,
        "\n{:<width$}{:>10}{:>20}{:>8}{:>8}{:>10}{:>10}",
        "mixed model", "estimate", "95 % interval", "t", "dof", "p", "p Holm"
    )?;
    let of_pairs = found.pairs.iter().map(|pair| &pair.test);
    for (name, test) in rows.iter().zip(found.models.iter().chain(of_pairs)) {
        writeln!(
            out,
            "{name:<width$}{:>10}{:>20}{:>8.2}{:>8.1}{:>10}{:>10}",
            tables::number(Some(test.estimate)),
            tables::interval(Some(test.interval)),
            test.t,
            test.dof,
            tables::p_value(Some(test.p)),
            tables::p_value(Some(test.p_corrected)),
        )?;
    }
    writeln!(
        out,
        "variance between subjects {:.4e}, within {:.4e}; intraclass correlation {:.3}",
        found.subject_variance, found.residual_variance, found.icc
    )?;
    for note in &found.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

/// A Bayes factor in few digits.
fn factor(ln: f64) -> String {
    if ln.abs() < 1e4_f64.ln() {
        format!("{:.3}", ln.exp())
    } else {
        format!("10^{:.1}", ln / std::f64::consts::LN_10)
    }
}
