//! `consilience welch`

use std::io::Write;

use anyhow::{Result, bail};
use consilience::io::long;
use consilience::methods::behaviour::welch;
use ndarray::ArrayView1;
use serde_json::json;

use crate::arrays;
use crate::tables::{self, Missing, Report, Sheet};

const HELP: &str = "\
Example: do people with and without autism differ in their sensitivity?

  participant,group,d_prime
  p1,asd,0.94
  p2,control,1.31
  …

  consilience welch people.csv --value d_prime --group group --groups asd,control --format text

The difference is the first group minus the second. With arrays: consilience welch asd.npy control.npy

JSON: groups (name, n, mean and sd of each), difference, ci (95 %), t, dof, p (two-sided), cohens_d, hedges_g, d_average \
(the difference over the root of the mean variance), n_omitted.";

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub struct Args {
    /// Table with a value a row, or the values of the first group
    #[arg(value_name = "TABLE.csv|A.npy")]
    data: String,
    /// Values of the second group; not with a table of both
    #[arg(value_name = "B.npy")]
    second: Option<String>,
    /// Column of the values; default: value
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// Column of the groups; default: group, condition
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// The two groups to compare, out of more or in this order
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    groups: Vec<String>,
    /// What to do with missing values
    #[arg(long, value_enum, default_value_t = Missing::Refuse)]
    nan: Missing,
    #[command(flatten)]
    report: Report,
}

/// Two groups with their names.
struct Groups {
    names: [String; 2],
    values: [Vec<f64>; 2],
    n_omitted: usize,
}

pub fn run(args: &Args, out: &mut dyn Write) -> Result<()> {
    let groups = match &args.second {
        Some(second) => from_arrays(args, second)?,
        None => from_table(args)?,
    };
    let [first, second] = &groups.values;
    let found = welch(ArrayView1::from(first), ArrayView1::from(second));
    let files: Vec<&str> = std::iter::once(args.data.as_str())
        .chain(args.second.as_deref())
        .collect();
    let found = arrays::in_files(found, &files)?;
    let of_group = |k: usize| {
        json!({
            "name": groups.names[k],
            "n": found.n[k],
            "mean": found.means[k],
            "sd": found.sds[k],
        })
    };
    let json = json!({
        "groups": [of_group(0), of_group(1)],
        "difference": found.difference,
        "ci": found.interval,
        "t": found.t,
        "dof": found.dof,
        "p": found.p,
        "cohens_d": found.cohens_d,
        "hedges_g": found.hedges_g,
        "d_average": found.d_average,
        "n_omitted": groups.n_omitted,
    });
    let mut text = String::new();
    for k in 0..2 {
        text += &format!(
            "{}: mean {:.4}  sd {:.4}  n {}\n",
            groups.names[k], found.means[k], found.sds[k], found.n[k]
        );
    }
    text += &format!(
        "difference {:.4}  95 % interval {}\nt({:.2}) {:.4}  p {}  Cohen's d {:.4}  Hedges' g {:.4}\n",
        found.difference,
        tables::interval(Some(found.interval)),
        found.dof,
        found.t,
        tables::p_value(Some(found.p)),
        found.cohens_d,
        found.hedges_g,
    );
    args.report.write(&json, &text, out)
}

fn from_arrays(args: &Args, second: &str) -> Result<Groups> {
    if args.value.is_some() || args.group.is_some() || !args.groups.is_empty() {
        bail!(
            "--value, --group and --groups are for one table; leave them out, or leave out {second}"
        );
    }
    let mut n_omitted = 0;
    let mut values = |file: &str| -> Result<Vec<f64>> {
        let values = arrays::vector_f64(file, "the group")?;
        let gaps = values.iter().enumerate().map(|(k, v)| {
            v.is_nan()
                .then(|| format!("value {k} (counted from 0) is missing: {file}"))
        });
        let kept = tables::complete(args.nan, "values", gaps)?;
        n_omitted += kept.n_omitted;
        Ok(tables::at_rows(&values, &kept.rows))
    };
    Ok(Groups {
        values: [values(&args.data)?, values(second)?],
        names: [args.data.clone(), second.to_owned()],
        n_omitted,
    })
}

fn from_table(args: &Args) -> Result<Groups> {
    if !tables::is_table(&args.data) {
        bail!(
            "{} is one group; give the other one as a second file, or a table (.csv) with the columns value and group",
            args.data
        );
    }
    let sheet = Sheet::read(&args.data)?;
    let value = sheet.choose("--value", args.value.as_deref(), &["value"])?;
    let group = sheet.choose("--group", args.group.as_deref(), &["group", "condition"])?;
    let values = sheet.numbers(&value)?;
    let (group_of, known) = sheet.at(long::positions(&sheet.table, &group))?;
    let asked = match (&args.groups[..], &known[..]) {
        ([], [_, _]) => known.clone(),
        ([], _) => bail!(
            "column {group} has {} groups ({}), expected 2; name them with --groups A,B: {}",
            known.len(),
            known.join(", "),
            args.data
        ),
        ([a, b], _) if a != b => args.groups.clone(),
        (asked, _) => bail!(
            "--groups {} names {} groups, expected 2 different ones",
            asked.join(","),
            asked.len()
        ),
    };
    let position = |name: &String| match known.iter().position(|k| k == name.trim()) {
        Some(position) => Ok(position),
        None => bail!(
            "no group {name:?} in column {group}; there are {}: {}",
            known.join(", "),
            args.data
        ),
    };
    let chosen = [position(&asked[0])?, position(&asked[1])?];
    let of_chosen: Vec<usize> = (0..values.len())
        .filter(|row| chosen.contains(&group_of[*row]))
        .collect();
    let gaps = of_chosen
        .iter()
        .map(|&row| values[row].is_nan().then(|| sheet.gap(row, &value)));
    let kept = tables::complete(args.nan, "values", gaps)?;
    let rows = tables::at_rows(&of_chosen, &kept.rows);
    let of_group = |k: usize| -> Vec<f64> {
        let rows = rows.iter().filter(|row| group_of[**row] == chosen[k]);
        rows.map(|&row| values[row]).collect()
    };
    Ok(Groups {
        values: [of_group(0), of_group(1)],
        names: [known[chosen[0]].clone(), known[chosen[1]].clone()],
        n_omitted: kept.n_omitted,
    })
}
