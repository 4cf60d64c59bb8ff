//! Predictions and targets with their names, from arrays or a table.

use anyhow::{Result, bail};
use consilience::io::{Limits, long, source};
use ndarray::{Array1, Array2, Array3, Axis, Ix3, concatenate, stack};

use super::Args;
use crate::arrays;
use crate::tables::{self, Named, Sheet};

/// Predictions and targets with their names.
pub(super) struct Data {
    /// `(n_runs, n_items, n_predictions)`
    pub predictions: Array3<f64>,
    pub prediction_names: Vec<String>,
    /// `(n_items, n_targets)`
    pub targets: Array2<f64>,
    pub target_names: Vec<String>,
    /// The subset of each item, if it has one.
    pub labels: Option<Vec<Option<String>>>,
    pub items: Vec<String>,
}

impl Data {
    /// All items, then those of each label, as positions among the items that are left.
    pub fn subsets(&self, rows: &[usize]) -> (Vec<String>, Vec<Vec<usize>>) {
        let mut names = vec!["all".to_owned()];
        let mut subsets = vec![(0..rows.len()).collect::<Vec<_>>()];
        for (position, &row) in rows.iter().enumerate() {
            let Some(label) = self.labels.as_ref().and_then(|all| all[row].as_ref()) else {
                continue;
            };
            // The first subset is no label, whatever it is called.
            match names[1..].iter().position(|name| name == label) {
                Some(known) => subsets[known + 1].push(position),
                None => {
                    names.push(label.clone());
                    subsets.push(vec![position]);
                }
            }
        }
        (names, subsets)
    }
}

/// Predictions and targets in files of their own.
pub(super) fn from_arrays(args: &Args, target_file: &str) -> Result<Data> {
    if !(args.predictions.is_empty() && args.targets.is_empty() && args.run.is_none()) {
        bail!(
            "--predictions, --targets and --run name columns of one table; leave them out, or leave out {target_file}"
        );
    }
    let targets = Named::load(target_file, "the targets")?;
    let array = if tables::is_table(&args.data) {
        None
    } else {
        Some(source::load_array(&args.data)?.into_f64())
    };
    let (predictions, prediction_names) = match array {
        Some(array) if array.ndim() == 3 => {
            let array = array.into_dimensionality::<Ix3>()?;
            let names = tables::positions(array.len_of(Axis(2)));
            (array, names)
        }
        _ => {
            let named = Named::load(&args.data, "the predictions")?;
            tables::check_same_rows(&named.rows, &targets.rows, [&args.data, target_file])?;
            (named.values.insert_axis(Axis(0)), named.columns)
        }
    };
    let (n_runs, n_items, _) = predictions.dim();
    if n_runs == 0 {
        bail!("the predictions have no run: {}", args.data);
    }
    if targets.values.nrows() != n_items {
        bail!(
            "{target_file} has {} items (rows), {} has {n_items}; give the same items in the same order",
            targets.values.nrows(),
            args.data
        );
    }
    let labels = match &args.subsets {
        None => None,
        Some(spec) => {
            let labels = arrays::labels(spec, "the subsets")?;
            if labels.len() != n_items {
                bail!(
                    "{spec} has {} labels, expected one for each of the {n_items} items of {}",
                    labels.len(),
                    args.data
                );
            }
            Some(labels.iter().map(|label| Some(label.to_string())).collect())
        }
    };
    let items = (0..n_items).map(|item| format!("item {item} (counted from 0)"));
    Ok(Data {
        predictions,
        prediction_names,
        targets: targets.values,
        target_names: targets.columns,
        labels,
        items: items.collect(),
    })
}

/// Predictions and targets in columns of one table.
pub(super) fn from_table(args: &Args) -> Result<Data> {
    if !tables::is_table(&args.data) {
        bail!(
            "{} holds predictions only; give the targets as a second file, or a table (.csv) with both",
            args.data
        );
    }
    let sheet = Sheet::read(&args.data)?;
    for (option, columns) in [
        ("--predictions", &args.predictions),
        ("--targets", &args.targets),
    ] {
        if columns.is_empty() {
            bail!(
                "{option} is missing: name columns of the table, or give the targets as a second file; there are {}: {}",
                sheet.table.columns().join(", "),
                args.data
            );
        }
    }
    let labels = match &args.subsets {
        None => None,
        Some(column) => {
            let label = |cell: &str| (!long::is_missing(cell)).then(|| cell.trim().to_owned());
            let cells = sheet.at(sheet.table.column(column))?;
            Some(cells.into_iter().map(label).collect::<Vec<_>>())
        }
    };
    let columns = |names: &[String]| -> Result<Array2<f64>> {
        let columns: Vec<_> = names
            .iter()
            .map(|name| Ok(Array1::from(sheet.numbers(name)?)))
            .collect::<Result<_>>()?;
        let views: Vec<_> = columns.iter().map(|column| column.view()).collect();
        Ok(stack(Axis(1), &views)?)
    };
    let (prediction_names, target_names) = (args.predictions.clone(), args.targets.clone());
    let (Some(run), Some(item)) = (&args.run, &args.item) else {
        let rows = (0..sheet.table.n_rows()).map(|row| format!("row {}", row + 2));
        return Ok(Data {
            predictions: columns(&prediction_names)?.insert_axis(Axis(0)),
            targets: columns(&target_names)?,
            prediction_names,
            target_names,
            labels,
            items: rows.collect(),
        });
    };
    // A row for each item and run: predictions as (runs, items, predictions).
    let wide = |name: &String| {
        let names = [item.as_str(), run.as_str(), name.as_str()];
        let wide = long::widen(
            &sheet.table,
            names,
            long::Repeats::Refuse,
            &Limits::default(),
        );
        sheet.at(wide)
    };
    let predictions: Vec<Array3<f64>> = prediction_names
        .iter()
        .map(|name| Ok(wide(name)?.values.reversed_axes().insert_axis(Axis(2))))
        .collect::<Result<_>>()?;
    let views: Vec<_> = predictions.iter().map(|p| p.view()).collect();
    let predictions = concatenate(Axis(2), &views)?;
    let (item_of, items) = sheet.at(long::positions(&sheet.table, item))?;
    let mut targets = Array2::from_elem((items.len(), target_names.len()), f64::NAN);
    for (target, name) in target_names.iter().enumerate() {
        for (row, value) in sheet.numbers(name)?.into_iter().enumerate() {
            let known = &mut targets[[item_of[row], target]];
            if known.is_nan() {
                *known = value;
            } else if !value.is_nan() && *known != value {
                bail!(
                    "row {}, column {name}: {value} for {:?}, which had {known} in a row before; a target is the same in all runs: {}",
                    row + 2,
                    items[item_of[row]],
                    args.data
                );
            }
        }
    }
    let labels = labels.map(|of_rows| {
        let mut of_items = vec![None; items.len()];
        for (row, label) in of_rows.into_iter().enumerate() {
            of_items[item_of[row]] = of_items[item_of[row]].take().or(label);
        }
        of_items
    });
    Ok(Data {
        predictions,
        prediction_names,
        targets,
        target_names,
        labels,
        items: items.iter().map(|name| format!("item {name:?}")).collect(),
    })
}
