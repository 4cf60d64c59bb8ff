//! `consilience lesion`

use std::io::Write;

use anyhow::{Context, Result, bail};
use consilience::experiments::head::{HeadOutput, RatingHead, channel_contributions};
use consilience::io::weights::Weights;
use consilience::methods::behaviour::CorrelationKind;
use consilience::methods::objects::{
    LesionEffect, NoRandomTest, RandomFilterParams, RandomFilterTest, Spread, lesion_effect,
    random_filter_tests, random_filters,
};
use consilience::methods::rsa::Correction;
use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::arrays;
use crate::tables::{self, Named, Report, Sheet};

const HELP: &str = "\
Example: a network that is cut at a layer and ends in a rating head; what does it lose without the filters of people?

  consilience extract --model resnet18 --images pictures --layers layer3 --pool mean --out features
  consilience head --x features/layer3.npy --y valence.npy --out head
  consilience lesion features/layer3.npy --head head/head.safetensors --filters filters/filters.csv --layer layer3 \\
    --targets valence.npy --subsets condition.npy --format text

Several heads are several models, over which effects are averaged. JSON: n_pictures, n_filters, n_models, correlation, random_sets, \
seed, correction; effects, one for each set of filters, subset and target: filters, n_filters, subset, target, r, r_lesioned, delta, delta_sd, \
models (delta of each), p_random, p_corrected, random_mean, random_sd, n_random, reason (why something is undefined).";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// What heads read (pictures × features): a number for each filter, or all positions filter by filter
    #[arg(value_name = "X.npy")]
    x: String,
    /// A linear head on these features, as `consilience head` writes it; may be repeated, for several models
    #[arg(long, value_name = "HEAD.safetensors", required = true)]
    head: Vec<String>,
    /// Filters to switch off, from 0: numbers and ranges (3,5-9), or a table with the columns category and
    /// filter, as `consilience sensitivity` writes it
    #[arg(long, value_name = "3,5-9|FILTERS.csv")]
    filters: String,
    /// Layer whose rows of the table are meant, if it has several
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Filters of the layer; default: as many as features
    #[arg(long, value_name = "N")]
    n_filters: Option<usize>,
    /// What ratings are correlated with (pictures × targets): an array, or a table of numbers
    #[arg(long, value_name = "T.npy|T.csv")]
    targets: String,
    /// Integer labels that divide the pictures into subsets, beside all of them
    #[arg(long, value_name = "LABELS.npy")]
    subsets: Option<String>,
    /// pearson, spearman
    #[arg(long, value_name = "NAME", default_value = "pearson")]
    correlation: CorrelationKind,
    /// Sets of equally many random filters that each effect is compared with; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    random_sets: usize,
    /// Draw them only from filters that are not switched off
    #[arg(long)]
    only_others: bool,
    /// Correction of p over all effects: none, fdr, fdr-any, fwe, bonferroni
    #[arg(long, value_name = "NAME", default_value = "none")]
    correction: Correction,
    /// Seed of the random sets
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    report: Report,
}

/// A set of filters and its name.
struct FilterSet {
    name: String,
    filters: Vec<usize>,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let x = arrays::matrix_f64(&args.x, "the feature matrix")?;
    let n_filters = args.n_filters.unwrap_or(x.ncols());
    let models = args.head.iter();
    let models = models
        .map(|file| Model::new(file, x.view(), n_filters, &args.x))
        .collect::<Result<Vec<_>>>()?;
    let sets = filter_sets(args)?;
    for set in &sets {
        if let Some(filter) = set.filters.iter().find(|&&filter| filter >= n_filters) {
            bail!(
                "filter {filter} of {} is not there; {} has {n_filters} filters, numbered from 0",
                set.name,
                args.x
            );
        }
    }
    let targets = Named::load(&args.targets, "the targets")?;
    if targets.values.nrows() != x.nrows() {
        bail!(
            "{} has {} pictures (rows), {} has {}; give the same pictures in the same order",
            args.targets,
            targets.values.nrows(),
            args.x,
            x.nrows()
        );
    }
    let by_picture = targets.values.view().reversed_axes();
    let (subset_names, subsets) = subsets(args, x.nrows())?;
    let ratings = |filters: &[usize]| {
        let rows: Vec<f64> = models.iter().flat_map(|m| m.without(filters)).collect();
        Array2::from_shape_vec((models.len(), x.nrows()), rows).expect("a rating for each picture")
    };
    let intact = ratings(&[]);
    let kind = args.correlation;
    let files = [args.x.as_str(), &args.targets];
    let effects_of = |filters: &[usize]| {
        let lesioned = ratings(filters);
        lesion_effect(
            intact.view(),
            lesioned.view(),
            by_picture,
            subsets.view(),
            kind,
        )
    };
    let mut cells: Vec<(&FilterSet, usize, usize, LesionEffect)> = Vec::new();
    let mut random: Vec<Option<f64>> = Vec::new();
    for set in &sets {
        let found = arrays::in_files(effects_of(&set.filters), &files)?;
        if args.random_sets > 0 {
            let (n, seed) = (args.random_sets, args.seed);
            let drawn = random_filters(n_filters, &set.filters, n, args.only_others, seed);
            let drawn = drawn.with_context(|| format!("random filters for {}", set.name))?;
            let of_sets: Vec<Array2<LesionEffect>> = drawn
                .par_iter()
                .map(|filters| effects_of(filters))
                .collect::<Result<_, _>>()?;
            for at in found.indexed_iter().map(|(at, _)| at) {
                random.extend(
                    of_sets
                        .iter()
                        .map(|of| of[at].delta.map(|delta| delta.mean)),
                );
            }
        }
        let found = found
            .indexed_iter()
            .map(|((s, t), effect)| (set, s, t, effect.clone()));
        cells.extend(found);
    }
    let tests = tests(args, &cells, random)?;
    let rows: Vec<Row<'_>> = cells
        .iter()
        .zip(tests)
        .map(|((set, subset, target, effect), test)| Row {
            set,
            subset: &subset_names[*subset],
            target: &targets.columns[*target],
            effect,
            test,
        })
        .collect();
    let json = json!({
        "n_pictures": x.nrows(),
        "n_filters": n_filters,
        "n_models": models.len(),
        "correlation": kind.to_string(),
        "random_sets": args.random_sets,
        "seed": args.seed,
        "correction": args.correction.to_string(),
        "effects": rows.iter().map(Row::json).collect::<Vec<_>>(),
    });
    args.report.write(&json, &text(&rows), out)
}

/// One model: what each filter adds to its ratings.
struct Model {
    /// `(n_filters, n_pictures)`.
    added: Array2<f64>,
    bias: f64,
}

impl Model {
    fn new(file: &str, x: ArrayView2<'_, f64>, n_filters: usize, x_file: &str) -> Result<Self> {
        let weights = Weights::read(file)?;
        let tensors = weights.tensors();
        let (Some(weight), Some(bias)) = (tensors.get("weight"), tensors.get("bias")) else {
            bail!("{file} has no `weight` and `bias`; give a head without hidden layers");
        };
        if weight.len() != x.ncols() || bias.len() != 1 {
            bail!(
                "{file} has {:?} weights and {} outputs, expected one output of the {} features of {x_file}",
                weight.shape(),
                bias.len(),
                x.ncols()
            );
        }
        let head = RatingHead {
            weights: weight.iter().copied().collect(),
            bias: bias.iter().sum(),
            output: HeadOutput::Linear,
        };
        let mut added = Array2::zeros((n_filters, x.nrows()));
        for (picture, row) in x.rows().into_iter().enumerate() {
            #[allow(clippy::cast_possible_truncation, reason = "heads read 32 bits")]
            let row = row.mapv(|value| value as f32);
            let of_filters = channel_contributions(&head, row.view(), n_filters)
                .with_context(|| format!("--n-filters {n_filters}, {x_file}"))?;
            added
                .column_mut(picture)
                .assign(&ndarray::aview1(&of_filters));
        }
        Ok(Self {
            added,
            bias: f64::from(head.bias),
        })
    }

    /// Ratings without some filters.
    fn without(&self, filters: &[usize]) -> Vec<f64> {
        let mut is_off = vec![false; self.added.nrows()];
        for &filter in filters {
            is_off[filter] = true;
        }
        let mut ratings = vec![self.bias; self.added.ncols()];
        let rows = self.added.axis_iter(Axis(0)).zip(is_off);
        for (row, _) in rows.filter(|(_, is_off)| !is_off) {
            ratings.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
        ratings
    }
}

/// What is switched off together.
fn filter_sets(args: &Args) -> Result<Vec<FilterSet>> {
    if !tables::is_table(&args.filters) {
        let filters = numbers(&args.filters).with_context(|| {
            format!(
                "--filters {}; expected numbers and ranges as in 3,5-9, or a .csv",
                args.filters
            )
        })?;
        let name = args.filters.clone();
        return Ok(vec![FilterSet { name, filters }]);
    }
    let sheet = Sheet::read(&args.filters)?;
    let has_layers = sheet.table.columns().iter().any(|name| name == "layer");
    let layers = match has_layers {
        true => sheet.at(sheet.table.column("layer"))?,
        false => vec![""; sheet.table.n_rows()],
    };
    let mut known = layers.clone();
    known.sort_unstable();
    known.dedup();
    let layer = match (&args.layer, known.as_slice()) {
        (Some(layer), _) if known.contains(&layer.as_str()) => layer.as_str(),
        (None, [only]) => *only,
        (None, []) => bail!("there are no filters to switch off: {}", args.filters),
        (Some(layer), _) => bail!(
            "{} has no filters of layer {layer}, but of {}",
            args.filters,
            known.join(", ")
        ),
        (None, _) => bail!(
            "{} has filters of several layers; name one with --layer: {}",
            args.filters,
            known.join(", ")
        ),
    };
    let names = sheet.at(sheet.table.column("category"))?;
    let filters = sheet.at(sheet.table.column("filter"))?;
    let mut sets: Vec<FilterSet> = Vec::new();
    for (row, (name, filter)) in names.iter().zip(&filters).enumerate() {
        if layers[row] != layer {
            continue;
        }
        let filter: usize = filter.trim().parse().with_context(|| {
            format!(
                "row {}, column filter: {filter:?} is no number of a filter: {}",
                row + 2,
                args.filters
            )
        })?;
        match sets.iter_mut().find(|set| set.name == *name) {
            Some(set) => set.filters.push(filter),
            None => sets.push(FilterSet {
                name: (*name).to_owned(),
                filters: vec![filter],
            }),
        }
    }
    for set in &mut sets {
        set.filters.sort_unstable();
        set.filters.dedup();
    }
    Ok(sets)
}

/// Ascending numbers, from `3,5-9`.
fn numbers(text: &str) -> Result<Vec<usize>> {
    let mut all = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            None => all.push(part.trim().parse()?),
            Some((first, last)) => {
                let (first, last): (usize, usize) = (first.trim().parse()?, last.trim().parse()?);
                if last < first {
                    bail!("{part} ends before it begins");
                }
                all.extend(first..=last);
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

/// All pictures, then those of each label.
fn subsets(args: &Args, n_pictures: usize) -> Result<(Vec<String>, Array2<bool>)> {
    let labels = match &args.subsets {
        None => Vec::new(),
        Some(spec) => arrays::labels(spec, "the subsets")?,
    };
    if let Some(spec) = args.subsets.as_ref().filter(|_| labels.len() != n_pictures) {
        bail!(
            "{spec} has {} labels, expected one for each of the {n_pictures} pictures of {}",
            labels.len(),
            args.x
        );
    }
    let mut known = labels.clone();
    known.sort_unstable();
    known.dedup();
    let names = std::iter::once("all".to_owned()).chain(known.iter().map(i64::to_string));
    let masks = Array2::from_shape_fn((1 + known.len(), n_pictures), |(subset, picture)| {
        subset == 0 || labels[picture] == known[subset - 1]
    });
    Ok((names.collect(), masks))
}

type Test = Result<RandomFilterTest, NoRandomTest>;

/// The effects against those of random filters, if there are any.
fn tests(
    args: &Args,
    cells: &[(&FilterSet, usize, usize, LesionEffect)],
    random: Vec<Option<f64>>,
) -> Result<Vec<Option<Test>>> {
    if args.random_sets == 0 {
        return Ok(vec![None; cells.len()]);
    }
    let deltas: Vec<Option<f64>> = cells.iter().map(|c| c.3.delta.map(|d| d.mean)).collect();
    let random = Array2::from_shape_vec((cells.len(), args.random_sets), random)?;
    let params = RandomFilterParams {
        correction: args.correction,
        ..RandomFilterParams::default()
    };
    let found = random_filter_tests(&deltas, random.view(), &params)?;
    Ok(found.into_iter().map(Some).collect())
}

/// An effect with its names.
struct Row<'a> {
    set: &'a FilterSet,
    subset: &'a str,
    target: &'a str,
    effect: &'a LesionEffect,
    test: Option<Test>,
}

impl Row<'_> {
    /// Why something is undefined.
    fn reason(&self) -> Option<String> {
        let of_models = self.effect.models.iter().filter_map(|m| m.as_ref().err());
        let of_test = self.test.as_ref().and_then(|test| test.as_ref().err());
        let mut all: Vec<String> = of_models.map(ToString::to_string).collect();
        all.dedup();
        all.extend(of_test.map(ToString::to_string));
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn test(&self) -> Option<RandomFilterTest> {
        self.test.and_then(Result::ok)
    }

    fn json(&self) -> Value {
        let mean = |spread: Option<Spread>| spread.map(|spread| spread.mean);
        let models = self.effect.models.iter();
        let test = self.test();
        json!({
            "filters": self.set.name,
            "n_filters": self.set.filters.len(),
            "subset": self.subset,
            "target": self.target,
            "r": mean(self.effect.r),
            "r_lesioned": mean(self.effect.r_lesioned),
            "delta": mean(self.effect.delta),
            "delta_sd": self.effect.delta.and_then(|delta| delta.sd),
            "models": models.map(|m| m.as_ref().ok().map(|m| m.delta)).collect::<Vec<_>>(),
            "p_random": test.map(|test| test.p),
            "p_corrected": test.and_then(|test| test.p_corrected),
            "random_mean": test.map(|test| test.mean),
            "random_sd": test.and_then(|test| test.sd),
            "n_random": test.map(|test| test.n_random),
            "reason": self.reason(),
        })
    }
}

fn text(rows: &[Row<'_>]) -> String {
    let header = [
        "filters", "n", "subset", "target", "r", "without", "change", "sd", "p random", "",
    ];
    let mut lines = vec![header.map(str::to_owned).to_vec()];
    for row in rows {
        let effect = row.effect;
        let mean = |spread: Option<Spread>| tables::number(spread.map(|spread| spread.mean));
        lines.push(vec![
            row.set.name.clone(),
            row.set.filters.len().to_string(),
            row.subset.to_owned(),
            row.target.to_owned(),
            mean(effect.r),
            mean(effect.r_lesioned),
            mean(effect.delta),
            tables::number(effect.delta.and_then(|delta| delta.sd)),
            tables::p_value(row.test().map(|test| test.p)),
            row.reason().unwrap_or_default(),
        ]);
    }
    tables::aligned(&lines)
}
