//! `consilience odd-one-out`

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use consilience::io::{long, npy};
use consilience::methods::MethodsError;
use consilience::methods::behaviour::{
    BehaviourError, ChoiceCeiling, OddOneOut, Similarities, odd_one_out, odd_one_out_ceiling,
    triplet_similarity,
};
use ndarray::{Array1, Array2, ArrayView1};
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Missing, Named, Report, Sheet};

const HELP: &str = "\
Example: how often does an embedding choose the odd one of three pictures as people do, and how often could it?

  participant,first,second,third,odd
  p1,aardvark,abacus,zebra,abacus
  …

  consilience odd-one-out trials.csv --shown first,second,third --odd odd \\
    --embedding embedding.csv --format text

Items are rows of the embedding, by the names in its first column or in --names, or counted from 0. The triplets of THINGS \
are three numbers a row, the odd one last: consilience odd-one-out testset1.txt --embedding embedding.npy

JSON: n_triplets, n_omitted, temperature; accuracy, ci (95 %), p (one-sided, above 1/3), log_likelihood (mean, natural), n_ties, \
null without an embedding or RDM; ceiling: upper, lower, upper_ci, lower_ci, n_triplets, n_judgements, null where no triplet was \
judged twice. ci and p take triplets as independent.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Triplets (triplets × 3), items counted from 0 and the odd one last; or a table with a trial a row
    #[arg(value_name = "TRIPLETS.csv|TRIPLETS.npy")]
    triplets: String,
    /// Columns of the table with the three items
    #[arg(long, value_name = "A,B,C", value_delimiter = ',', requires = "odd")]
    shown: Vec<String>,
    /// Column of the table with the item that was chosen as odd
    #[arg(long, value_name = "COLUMN", requires = "shown")]
    odd: Option<String>,
    /// Embedding (items × dimensions) that predicts the choices; similarity is the inner product
    #[arg(long, value_name = "X.npy", conflicts_with = "rdm")]
    embedding: Option<String>,
    /// RDM (n_pairs,) that predicts the choices
    #[arg(long, value_name = "D.npy")]
    rdm: Option<String>,
    /// Text file with the name of each item, one a line, in the order of the embedding or RDM
    #[arg(long, value_name = "NAMES.txt")]
    names: Option<PathBuf>,
    /// Temperature of the choices
    #[arg(long, value_name = "T", default_value_t = 1.0)]
    temperature: f64,
    /// File for the probability of each choice (n_triplets,)
    #[arg(long, value_name = "FILE.npy")]
    probabilities: Option<PathBuf>,
    /// File for how probably each two items are the pair that is left, over all third items (n_pairs,)
    #[arg(long, value_name = "FILE.npy")]
    similarities: Option<PathBuf>,
    /// What to do with trials without a choice
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// What predicts the choices.
enum Model {
    Embedding(Array2<f64>),
    Rdm(Array1<f64>),
}

impl Model {
    fn similarities(&self) -> Similarities<'_> {
        match self {
            Self::Embedding(x) => Similarities::Embedding(x.view()),
            Self::Rdm(d) => Similarities::Rdm(d.view()),
        }
    }
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let (model, names) = model(args)?;
    let (triplets, n_omitted) = match &args.odd {
        Some(odd) => named_triplets(args, odd, names)?,
        None => numbered_triplets(args)?,
    };
    let spec = args.embedding.as_deref().or(args.rdm.as_deref());
    let files: Vec<&str> = std::iter::once(args.triplets.as_str())
        .chain(spec)
        .collect();
    let found = match &model {
        None if args.probabilities.is_some() || args.similarities.is_some() => bail!(
            "--probabilities and --similarities come from what predicts the choices; give --embedding or --rdm"
        ),
        None => None,
        Some(model) => {
            let found = odd_one_out(model.similarities(), triplets.view(), args.temperature);
            Some(arrays::in_files(found, &files)?)
        }
    };
    let ceiling = match odd_one_out_ceiling(triplets.view()) {
        Ok(ceiling) => Some(ceiling),
        Err(MethodsError::Behaviour(BehaviourError::NoRepeatedTriplet { .. }))
            if found.is_some() =>
        {
            None
        }
        Err(reason) => {
            let cure = match found {
                Some(_) => "",
                None => " (with --embedding or --rdm there is an accuracy)",
            };
            return Err(reason).context(format!("{}{cure}", args.triplets));
        }
    };
    if let (Some(path), Some(found)) = (&args.probabilities, &found) {
        npy::write(path, ArrayView1::from(&found.probabilities))?;
    }
    if let (Some(path), Some(model)) = (&args.similarities, &model) {
        let values = triplet_similarity(model.similarities(), args.temperature);
        let values = arrays::in_files(values, &files)?;
        npy::write(path, ArrayView1::from(&values))?;
    }
    let json = json!({
        "n_triplets": triplets.nrows(),
        "n_omitted": n_omitted,
        "temperature": args.temperature,
        "accuracy": found.as_ref().map(|f| f.accuracy),
        "ci": found.as_ref().map(|f| f.interval),
        "p": found.as_ref().map(|f| f.p),
        "log_likelihood": found.as_ref().map(|f| f.log_likelihood),
        "n_ties": found.as_ref().map(|f| f.n_ties),
        "ceiling": ceiling.map(|c| json!({
            "upper": c.upper,
            "lower": c.lower,
            "upper_ci": c.intervals.map(|[upper, _]| upper),
            "lower_ci": c.intervals.map(|[_, lower]| lower),
            "n_triplets": c.n_triplets,
            "n_judgements": c.n_judgements,
        })),
    });
    let text = text(found.as_ref(), ceiling, triplets.nrows());
    args.report.write(&json, &text, out)
}

fn text(found: Option<&OddOneOut>, ceiling: Option<ChoiceCeiling>, n: usize) -> String {
    let mut text = String::new();
    if let Some(found) = found {
        text += &format!(
            "accuracy {:.4}  95 % interval {}  p {}  chance 0.3333  triplets {n}\nlog-likelihood {:.4}  ties {}\n",
            found.accuracy,
            tables::interval(Some(found.interval)),
            tables::p_value(Some(found.p)),
            found.log_likelihood,
            found.n_ties,
        );
    }
    if let Some(ceiling) = ceiling {
        for (name, value, interval) in [
            ("upper", ceiling.upper, ceiling.intervals.map(|i| i[0])),
            ("lower", ceiling.lower, ceiling.intervals.map(|i| i[1])),
        ] {
            text += &format!(
                "{name} ceiling {value:.4}  95 % interval {}\n",
                tables::interval(interval)
            );
        }
        text += &format!(
            "from {} judgements of {} triplets\n",
            ceiling.n_judgements, ceiling.n_triplets
        );
    } else {
        text += "no triplet was judged twice: there is no ceiling\n";
    }
    text
}

/// What predicts the choices, and the names of its items if they have some.
fn model(args: &Args) -> Result<(Option<Model>, Option<Vec<String>>)> {
    let (model, mut names) = match (&args.embedding, &args.rdm) {
        (Some(spec), _) => {
            let named = Named::load(spec, "the embedding's items")?;
            (Some(Model::Embedding(named.values)), named.rows)
        }
        (None, Some(spec)) => (Some(Model::Rdm(arrays::one_rdm(spec, "--rdm")?)), None),
        (None, None) => (None, None),
    };
    if let Some(path) = &args.names {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let given: Vec<String> = text
            .lines()
            .map(|line| line.trim().to_owned())
            .filter(|line| !line.is_empty())
            .collect();
        let n_items = match &model {
            Some(Model::Embedding(x)) => x.nrows(),
            Some(Model::Rdm(d)) => consilience::core::pairs::n_conditions(d.len())?,
            None => given.len(),
        };
        if given.len() != n_items {
            bail!(
                "{} has {} names, expected {n_items}, one for each item",
                path.display(),
                given.len()
            );
        }
        names = Some(given);
    }
    Ok((model, names))
}

/// Three whole numbers a row.
fn numbered_triplets(args: &Args) -> Result<(Array2<usize>, usize)> {
    let values = Named::load(&args.triplets, "the triplets")
        .context("a table of trials needs --shown A,B,C and --odd COLUMN")?
        .values;
    let gaps = values.rows().into_iter().enumerate().map(|(row, values)| {
        let gap = values.iter().any(|v| v.is_nan());
        gap.then(|| {
            format!(
                "triplet {row} (counted from 0) lacks an item ({})",
                args.triplets
            )
        })
    });
    let kept = tables::complete(args.nan, "trials", gaps)?;
    let mut items = Vec::with_capacity(kept.rows.len() * values.ncols());
    for &row in &kept.rows {
        for &value in values.row(row) {
            if !(value >= 0.0 && value.fract() == 0.0 && value < 9e15) {
                bail!(
                    "triplet {row} (counted from 0) holds {value}, expected the position of an item, counted from 0: {}",
                    args.triplets
                );
            }
            items.push(value as usize);
        }
    }
    let shape = (kept.rows.len(), values.ncols());
    Ok((Array2::from_shape_vec(shape, items)?, kept.n_omitted))
}

/// Trials of a table, whose items have the given names, else names of their own if nothing predicts the choices, else numbers.
fn named_triplets(
    args: &Args,
    odd: &str,
    names: Option<Vec<String>>,
) -> Result<(Array2<usize>, usize)> {
    let sheet = Sheet::read(&args.triplets)?;
    let [a, b, c] = &args.shown[..] else {
        bail!(
            "--shown names {} columns, expected 3: one for each item of a triplet",
            args.shown.len()
        );
    };
    let columns = [a.as_str(), b, c, odd]
        .into_iter()
        .map(|column| sheet.at(sheet.table.column(column)))
        .collect::<Result<Vec<_>>>()?;
    let gaps = (0..sheet.table.n_rows()).map(|row| {
        let missing = columns[3][row].trim();
        long::is_missing(missing).then(|| sheet.gap(row, odd))
    });
    let kept = tables::complete(args.nan, "trials", gaps)?;
    let has_model = args.embedding.is_some() || args.rdm.is_some();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (position, name) in names.iter().flatten().enumerate() {
        if known.insert(name.clone(), position).is_some() {
            bail!("{name:?} is the name of several items; names tell items apart");
        }
    }
    let mut triplets = Array2::zeros((kept.rows.len(), 3));
    for (triplet, &row) in kept.rows.iter().enumerate() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].trim()).collect();
        let (shown, chosen) = (&cells[..3], cells[3]);
        let Some(place) = shown.iter().position(|name| *name == chosen) else {
            bail!(
                "row {}, column {odd}: {chosen:?} is none of the items {}; expected the name of one of them: {}",
                row + 2,
                shown.join(", "),
                args.triplets
            );
        };
        let others = (0..3).filter(|k| *k != place);
        for (column, k) in others.chain([place]).enumerate() {
            let name = cells[k];
            let item = match (&names, has_model) {
                (Some(_), _) => known.get(name).copied(),
                (None, true) => name.parse().ok(),
                (None, false) => {
                    let next = known.len();
                    Some(*known.entry(name.to_owned()).or_insert(next))
                }
            };
            triplets[[triplet, column]] = item.with_context(|| {
                let expected = match names {
                    Some(_) => "the name of an item of the embedding or RDM",
                    None => "the position of an item, counted from 0, or names for them (--names)",
                };
                format!(
                    "row {}: found {name:?}, expected {expected}: {}",
                    row + 2,
                    args.triplets
                )
            })?;
        }
    }
    Ok((triplets, kept.n_omitted))
}
