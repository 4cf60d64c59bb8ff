//! The subjects' RDMs.

use std::path::Path;

use consilience_core::{InputFile, Rdms, Stimuli};
use consilience_io::source::Source;
use consilience_io::{Limits, rdms};
use ndarray::Array2;

use super::{at, input, invalid};
use crate::Result;
use crate::file::{KeyPath, TargetOptions};
use crate::places::Places;

pub(super) fn load_target(
    options: &TargetOptions,
    table: &KeyPath,
    places: &Places,
    stimuli: &Stimuli,
    inputs: &mut Vec<InputFile>,
) -> Result<Rdms> {
    let key = table.clone().key("rdms");
    let given = options.rdms.as_deref().unwrap_or_default();
    let named = Source::parse(given);
    let file = named.path.to_string_lossy().into_owned();
    let path = places.file(&key, &file)?;
    inputs.push(input(&options.name, &file, &path)?);
    let found = Source { path, ..named };
    let loaded = rdms::read_rdms(&found, &Limits::default()).map_err(|e| at(&key, e))?;
    if loaded.rdms.n_conditions() != stimuli.len() {
        return Err(invalid(
            &key,
            &format!(
                "{} has RDMs of {} conditions, but the study has {} pictures; expected one condition a picture, in the same order: {}",
                options.name,
                loaded.rdms.n_conditions(),
                stimuli.len(),
                given
            ),
        ));
    }
    if let Some(labels) = &loaded.conditions {
        check_labels(labels, stimuli, &key, options)?;
    }
    if let Some(((rdm, pair), value)) = loaded
        .rdms
        .vectors()
        .indexed_iter()
        .find(|(_, value)| !value.is_finite())
    {
        let (i, j) = consilience_core::pairs::iter(stimuli.len())
            .nth(pair)
            .unwrap_or_default();
        return Err(invalid(
            &key,
            &format!(
                "{} has {value} in RDM {rdm} at conditions {i} and {j} (counted from 0), expected numbers; leave out the subject or the pictures: {}",
                options.name, given
            ),
        ));
    }
    subjects(&loaded.rdms, &loaded.dims, options, table)
}

fn check_labels(
    labels: &[String],
    stimuli: &Stimuli,
    key: &KeyPath,
    options: &TargetOptions,
) -> Result<()> {
    for (idx, (label, stimulus)) in labels.iter().zip(stimuli.iter()).enumerate() {
        let stem = Path::new(label)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy();
        if *label != stimulus.id && stem != stimulus.id {
            return Err(invalid(
                key,
                &format!(
                    "{} has the label {label:?} at row {idx} (counted from 0), but the picture there is {:?}; bring the rows or the pictures into the same order: {}",
                    options.name,
                    stimulus.id,
                    options.rdms.as_deref().unwrap_or_default()
                ),
            ));
        }
    }
    Ok(())
}

/// One RDM a subject: the mean over every axis that is not `subject`.
fn subjects(rdms: &Rdms, dims: &[usize], options: &TargetOptions, table: &KeyPath) -> Result<Rdms> {
    let Some(axes) = &options.axes else {
        return Ok(rdms.clone());
    };
    let axes_key = table.clone().key("axes");
    if axes.len() != dims.len() {
        return Err(invalid(
            &axes_key,
            &format!(
                "axes names {} dimensions, but {} has {} before the conditions, of sizes {dims:?}; name each, outermost first",
                axes.len(),
                options.rdms.as_deref().unwrap_or_default(),
                dims.len()
            ),
        ));
    }
    let is_subject: Vec<bool> = axes.iter().map(|axis| axis == "subject").collect();
    let n_subjects: usize = dims
        .iter()
        .zip(&is_subject)
        .filter(|(_, s)| **s)
        .map(|(d, _)| d)
        .product();
    let mut sums = Array2::<f64>::zeros((n_subjects, rdms.vectors().ncols()));
    for (flat, row) in rdms.vectors().rows().into_iter().enumerate() {
        let mut rest = flat;
        let mut subject = 0;
        let mut stride = 1;
        // The first dimension runs fastest.
        for (&size, &is_subject) in dims.iter().zip(&is_subject) {
            if is_subject {
                subject += stride * (rest % size);
                stride *= size;
            }
            rest /= size;
        }
        let mut sum = sums.row_mut(subject);
        sum += &row;
    }
    let n_each = rdms.n_rdms() / n_subjects.max(1);
    sums /= n_each as f64;
    Rdms::from_vectors(sums).map_err(|e| at(table, e))
}

/// Hash of the values.
pub(super) fn hash_of(rdms: &Rdms) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in rdms.vectors() {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array1;

    fn averaged(axes: &[&str], dims: &[usize]) -> Result<Vec<f64>> {
        let n_rdms: usize = dims.iter().product();
        // RDM k holds the value k in every pair.
        let rows = Array1::from_iter((0..n_rdms).map(|k| k as f64)).insert_axis(ndarray::Axis(1));
        let rdms = Rdms::from_vectors(rows.broadcast((n_rdms, 3)).unwrap().to_owned()).unwrap();
        let axes: Vec<String> = axes.iter().map(|axis| (*axis).to_owned()).collect();
        let options = TargetOptions {
            axes: Some(axes),
            ..TargetOptions::default()
        };
        let subjects = subjects(&rdms, dims, &options, &KeyPath::root("brain").index(0))?;
        Ok(subjects.vectors().column(0).to_vec())
    }

    #[test]
    fn sessions_are_averaged_within_subjects() {
        // The first dimension runs fastest: subject s, session t is RDM s + 2·t.
        assert_eq!(
            averaged(&["subject", "session"], &[2, 3]).unwrap(),
            [2.0, 3.0]
        );
        assert_eq!(
            averaged(&["session", "subject"], &[2, 3]).unwrap(),
            [0.5, 2.5, 4.5]
        );
        assert_eq!(averaged(&["session"], &[4]).unwrap(), [1.5]);
        assert_eq!(averaged(&["subject"], &[3]).unwrap(), [0.0, 1.0, 2.0]);
    }

    #[test]
    fn axes_must_name_every_dimension() {
        let message = averaged(&["subject"], &[2, 3]).unwrap_err().to_string();
        assert!(message.contains("[2, 3]"), "{message}");
    }
}
