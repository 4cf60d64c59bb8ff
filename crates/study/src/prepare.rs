//! `Study` → `Plan` with the sources it speaks of, everything checked before any work is done.

use std::path::Path;

use consilience_core::{InputFile, Rdms, Stimuli, Stimulus, TargetKind};
use consilience_io::source::Source;
use consilience_io::table::Table;
use consilience_io::{Limits, hash, rdms};
use consilience_models::{ExecutorChoice, ExtractParams, Extractor, Layer, Network, Pool, zoo};
use ndarray::Array2;

use crate::file::{
    self, Analysis, ExpectOptions, KeyPath, ModelOptions, RsaOptions, Study, TargetOptions,
};
use crate::places::Places;
use crate::plan::{
    Plan, PlannedExpectation, PlannedLayer, PlannedModel, PlannedRsa, PlannedStimulus,
    PlannedTarget,
};
use crate::{Result, StudyError, nearest};

/// A plan and what it is carried out on.
#[derive(Debug)]
pub struct Prepared {
    /// What will be done.
    pub plan: Plan,
    /// The pictures.
    pub stimuli: Stimuli,
    /// The networks, in the order of [`Plan::models`].
    pub networks: Vec<Network>,
    /// The subject RDMs, in the order of [`Plan::targets`].
    pub targets: Vec<Rdms>,
    /// What runs the networks.
    pub executor: ExecutorChoice,
    /// What the reader of the record must know.
    pub warnings: Vec<consilience_core::Warning>,
}

/// Finds, reads and checks everything that a study names. Changes nothing.
///
/// # Errors
///
/// [`StudyError::Invalid`] with the key at fault: a missing file, an unknown layer, RDMs of another
/// number of conditions than there are pictures, labels in another order, NaN, an unknown name.
pub fn prepare(
    study: &Study,
    places: &Places,
    executor: ExecutorChoice,
    n_threads: usize,
) -> Result<Prepared> {
    let mut inputs = Vec::new();
    let (stimuli, planned_stimuli) = load_stimuli(study, places, &mut inputs)?;
    let mut networks = Vec::new();
    let mut models: Vec<PlannedModel> = Vec::new();
    let mut warnings = Vec::new();
    for (idx, options) in study.models.iter().enumerate() {
        let key = KeyPath::root("model").index(idx);
        unique(&key, &options.name, models.iter().map(|m| m.name.as_str()))?;
        let (network, planned) =
            load_model(options, &key, places, executor, n_threads, &mut inputs)?;
        networks.push(network);
        models.push(planned);
    }
    let mut targets = Vec::new();
    let mut planned_targets: Vec<PlannedTarget> = Vec::new();
    let brains = study.brains.iter().enumerate().map(|(idx, options)| {
        (
            KeyPath::root("brain").index(idx),
            TargetOptions::from(options),
            TargetKind::Brain,
        )
    });
    let behaviours = study.behaviours.iter().enumerate().map(|(idx, options)| {
        (
            KeyPath::root("behaviour").index(idx),
            TargetOptions::from(options),
            TargetKind::Behaviour,
        )
    });
    for (key, options, kind) in brains.chain(behaviours) {
        unique(
            &key,
            options.name,
            planned_targets.iter().map(|t| t.name.as_str()),
        )?;
        let rdms = load_target(&options, &key, places, &stimuli, &mut inputs)?;
        planned_targets.push(PlannedTarget {
            name: options.name.to_owned(),
            kind,
            n_subjects: rdms.n_rdms(),
            blake3: hash_of(&rdms),
        });
        targets.push(rdms);
    }
    let analyses = study
        .analyses
        .iter()
        .enumerate()
        .map(|(idx, Analysis::Rsa(options))| {
            resolve_rsa(
                options,
                &KeyPath::root("analysis").index(idx),
                &models,
                &planned_targets,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    let expectations = study
        .expectations
        .iter()
        .enumerate()
        .map(|(idx, options)| {
            resolve_expectation(
                options,
                &KeyPath::root("expect").index(idx),
                &models,
                &planned_targets,
            )
        })
        .collect::<Result<Vec<_>>>()?;
    for (table, is_empty) in [
        ("model", models.is_empty()),
        ("analysis", analyses.is_empty()),
        ("brain", planned_targets.is_empty()),
    ] {
        if is_empty {
            return Err(StudyError::Invalid {
                key: KeyPath::root(table),
                message: format!(
                    "the study has no [[{table}]]{}; add one (`consilience init rsa` writes an example)",
                    if table == "brain" {
                        " and no [[behaviour]]"
                    } else {
                        ""
                    }
                ),
            });
        }
    }
    warn_of_aliases(&models, &mut warnings);
    let plan = Plan {
        title: study.study.title.clone(),
        description: study.study.description.clone(),
        thumbnails: study.report.thumbnails,
        seed: study.study.seed,
        stimuli: planned_stimuli,
        models,
        targets: planned_targets,
        analyses,
        expectations,
        inputs,
    };
    Ok(Prepared {
        plan,
        stimuli,
        networks,
        targets,
        executor,
        warnings,
    })
}

fn load_stimuli(
    study: &Study,
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<(Stimuli, Vec<PlannedStimulus>)> {
    let options = &study.stimuli;
    let key = KeyPath::root("stimuli");
    let images_key = key.clone().key("images");
    let mut paths = places.matching(&images_key, &options.images)?;
    let mut categories = vec![None; paths.len()];
    if let Some(name) = &options.table {
        let table_key = key.clone().key("table");
        let path = places.file(&table_key, name)?;
        inputs.push(input("stimulus table", name, &path)?);
        let rows = Table::read(&path).map_err(|e| at(&table_key, e))?;
        let files = rows
            .column(&options.file_column)
            .map_err(|e| at(&key.clone().key("file-column"), e))?;
        if let Some(column) = &options.category_column {
            categories = rows
                .column(column)
                .map_err(|e| at(&key.clone().key("category-column"), e))?
                .into_iter()
                .map(|category| Some(category.to_owned()))
                .collect();
        }
        paths = in_table_order(&files, &paths, &table_key, name)?;
    } else if options.category_column.is_some() {
        return Err(invalid(
            &key.key("category-column"),
            "category-column needs a table; add `table = \"stimuli.tsv\"`",
        ));
    }
    let mut items = Vec::with_capacity(paths.len());
    let mut planned = Vec::with_capacity(paths.len());
    for (path, category) in paths.into_iter().zip(categories) {
        let id = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let file = input(
            "stimulus",
            &path.file_name().unwrap_or_default().to_string_lossy(),
            &path,
        )?;
        planned.push(PlannedStimulus {
            id: id.clone(),
            category: category.clone(),
            blake3: file.blake3.clone(),
        });
        inputs.push(file);
        items.push(Stimulus { id, path, category });
    }
    if items.len() < 3 {
        return Err(invalid(
            &images_key,
            &format!(
                "{} pictures match {:?}; an RDM needs at least 3",
                items.len(),
                options.images
            ),
        ));
    }
    let stimuli = Stimuli::new(items).map_err(|e| invalid(&images_key, &e.to_string()))?;
    Ok((stimuli, planned))
}

/// The pictures in the order of a table's file column; both must name the same files.
fn in_table_order(
    files: &[&str],
    paths: &[std::path::PathBuf],
    key: &KeyPath,
    table_name: &str,
) -> Result<Vec<std::path::PathBuf>> {
    let file_name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let find = |wanted: &str| {
        let wanted = file_name(Path::new(wanted));
        paths.iter().find(|path| file_name(path) == wanted)
    };
    let ordered = files
        .iter()
        .map(|file| {
            find(file).cloned().ok_or_else(|| {
                invalid(
                    key,
                    &format!(
                        "{table_name} names the picture {file:?}, which is not among the {} pictures of `images`; correct one of them",
                        paths.len()
                    ),
                )
            })
        })
        .collect::<Result<Vec<_>>>()?;
    if ordered.len() != paths.len() {
        return Err(invalid(
            key,
            &format!(
                "{table_name} has {} rows, but `images` matches {} pictures; expected a row for each",
                ordered.len(),
                paths.len()
            ),
        ));
    }
    Ok(ordered)
}

fn load_model(
    options: &ModelOptions,
    key: &KeyPath,
    places: &Places,
    executor: ExecutorChoice,
    n_threads: usize,
    inputs: &mut Vec<InputFile>,
) -> Result<(Network, PlannedModel)> {
    let (network, architecture, file) = match (&options.onnx, &options.weights) {
        (Some(onnx), None) => {
            let key = key.clone().key("onnx");
            if options.architecture.is_some() {
                return Err(invalid(
                    &key,
                    "give either `onnx` or `architecture` with `weights`, not both",
                ));
            }
            let path = places.file(&key, onnx)?;
            inputs.push(input("network", onnx, &path)?);
            (
                Network::from_onnx(&path).map_err(|e| at(&key, e))?,
                "onnx".to_owned(),
                path,
            )
        }
        (None, Some(weights)) => {
            let (name, name_key) = match &options.architecture {
                Some(architecture) => (architecture, "architecture"),
                None => (&options.name, "name"),
            };
            zoo::find(name).map_err(|e| at(&key.clone().key(name_key), e))?;
            let key = key.clone().key("weights");
            let path = places.file(&key, weights)?;
            inputs.push(input("weights", weights, &path)?);
            (
                Network::from_zoo(name, &path).map_err(|e| at(&key, e))?,
                name.clone(),
                path,
            )
        }
        (None, None) => {
            return Err(invalid(
                key,
                "the model has no weights; add `weights = \"FILE.safetensors\"` or `onnx = \"FILE.onnx\"`",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(invalid(
                &key.clone().key("onnx"),
                "give either `onnx` or `weights`, not both",
            ));
        }
    };
    let layers_key = key.clone().key("layers");
    let selected = network
        .graph
        .select(&options.layers)
        .map_err(|e| at(&layers_key, e))?;
    let (distinct, aliases) = distinct_tensors(selected);
    let pool = match options.pool {
        file::Pool::None => Pool::None,
        file::Pool::Mean => Pool::Mean,
        file::Pool::Max => Pool::Max,
    };
    let params = ExtractParams {
        pool,
        executor,
        n_threads,
        ..ExtractParams::default()
    };
    let extractor =
        Extractor::prepare(&network, &distinct, &params).map_err(|e| at(&layers_key, e))?;
    // What is not a pattern for each image (a shape, a count) can be in an .onnx file; it is left out.
    let layers = distinct
        .iter()
        .zip(aliases)
        .filter_map(|(layer, aliases)| {
            let found = extractor.layers.iter().find(|l| l.name == layer.name)?;
            Some(PlannedLayer {
                name: layer.name.clone(),
                tensor: layer.tensor.clone(),
                aliases,
                n_features: found.n_features,
            })
        })
        .collect();
    let planned = PlannedModel {
        name: options.name.clone(),
        architecture,
        weights_blake3: hash::blake3_file(&file).map_err(|e| at(key, e))?,
        preprocessing: network.preprocessing.clone(),
        pool,
        executor: extractor.executor.to_string(),
        layers,
    };
    Ok((network, planned))
}

/// Each tensor once, with the other names it was selected by.
///
/// The longest module path names it (`features.12` rather than its container `features`), the
/// first of equals.
fn distinct_tensors(selected: Vec<Layer>) -> (Vec<Layer>, Vec<Vec<String>>) {
    let depth = |name: &str| name.matches('.').count();
    let mut distinct: Vec<Layer> = Vec::new();
    let mut aliases: Vec<Vec<String>> = Vec::new();
    for mut layer in selected {
        match distinct.iter().position(|l| l.tensor == layer.tensor) {
            Some(idx) => {
                if depth(&layer.name) > depth(&distinct[idx].name) {
                    std::mem::swap(&mut layer, &mut distinct[idx]);
                }
                aliases[idx].push(layer.name);
            }
            None => {
                distinct.push(layer);
                aliases.push(Vec::new());
            }
        }
    }
    (distinct, aliases)
}

fn warn_of_aliases(models: &[PlannedModel], warnings: &mut Vec<consilience_core::Warning>) {
    for model in models {
        let same: Vec<String> = model
            .layers
            .iter()
            .filter(|layer| !layer.aliases.is_empty())
            .map(|layer| format!("{} = {}", layer.name, layer.aliases.join(" = ")))
            .collect();
        if !same.is_empty() {
            warnings.push(consilience_core::Warning {
                about: model.name.clone(),
                message: format!(
                    "layers with identical output are shown once: {}",
                    same.join("; ")
                ),
            });
        }
    }
}

fn load_target(
    options: &TargetOptions<'_>,
    table: &KeyPath,
    places: &Places,
    stimuli: &Stimuli,
    inputs: &mut Vec<InputFile>,
) -> Result<Rdms> {
    let key = table.clone().key("rdms");
    let named = Source::parse(options.rdms);
    let file = named.path.to_string_lossy().into_owned();
    let path = places.file(&key, &file)?;
    inputs.push(input(options.name, &file, &path)?);
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
                options.rdms
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
                options.name, options.rdms
            ),
        ));
    }
    subjects(&loaded.rdms, &loaded.dims, options, table)
}

fn check_labels(
    labels: &[String],
    stimuli: &Stimuli,
    key: &KeyPath,
    options: &TargetOptions<'_>,
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
                    options.name, stimulus.id, options.rdms
                ),
            ));
        }
    }
    Ok(())
}

/// One RDM a subject: the mean over every axis that is not `subject`.
fn subjects(
    rdms: &Rdms,
    dims: &[usize],
    options: &TargetOptions<'_>,
    table: &KeyPath,
) -> Result<Rdms> {
    let Some(axes) = options.axes else {
        return Ok(rdms.clone());
    };
    let axes_key = table.clone().key("axes");
    if axes.len() != dims.len() {
        return Err(invalid(
            &axes_key,
            &format!(
                "axes names {} dimensions, but {} has {} before the conditions, of sizes {dims:?}; name each, outermost first",
                axes.len(),
                options.rdms,
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

fn resolve_rsa(
    options: &RsaOptions,
    key: &KeyPath,
    models: &[PlannedModel],
    targets: &[PlannedTarget],
) -> Result<PlannedRsa> {
    fn parse<T: std::str::FromStr>(key: &KeyPath, name: &str, value: &str) -> Result<T>
    where
        T::Err: std::fmt::Display,
    {
        value
            .parse()
            .map_err(|e: T::Err| invalid(&key.clone().key(name), &e.to_string()))
    }
    if !(options.alpha > 0.0 && options.alpha < 1.0) {
        return Err(invalid(
            &key.clone().key("alpha"),
            &format!(
                "alpha is {}, expected a number between 0 and 1",
                options.alpha
            ),
        ));
    }
    Ok(PlannedRsa {
        dissimilarity: parse(key, "dissimilarity", &options.dissimilarity)?,
        similarity: parse(key, "similarity", &options.similarity)?,
        bootstrap: parse(key, "bootstrap", &options.bootstrap)?,
        resamples: options.resamples,
        permutations: options.permutations,
        correction: parse(key, "correction", &options.correction)?,
        alpha: options.alpha,
        models: chosen(
            &key.clone().key("models"),
            options.models.as_deref(),
            models,
            |m| &m.name,
        )?,
        targets: chosen(
            &key.clone().key("targets"),
            options.targets.as_deref(),
            targets,
            |t| &t.name,
        )?,
    })
}

/// Positions of the named entries; all when no names are given.
fn chosen<T>(
    key: &KeyPath,
    names: Option<&[String]>,
    all: &[T],
    name_of: impl Fn(&T) -> &str,
) -> Result<Vec<usize>> {
    match names {
        None => Ok((0..all.len()).collect()),
        Some(names) => names
            .iter()
            .map(|name| position(key, name, all, &name_of))
            .collect(),
    }
}

fn position<T>(
    key: &KeyPath,
    name: &str,
    all: &[T],
    name_of: impl Fn(&T) -> &str,
) -> Result<usize> {
    all.iter()
        .position(|entry| name_of(entry) == name)
        .ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(&name_of).collect();
            let hint = nearest(name, known.iter().copied())
                .map_or(String::new(), |n| format!(", did you mean {n:?}?"));
            invalid(
                key,
                &format!(
                    "no {name:?} in the study{hint} There is: {}",
                    known.join(", ")
                ),
            )
        })
}

fn resolve_expectation(
    options: &ExpectOptions,
    key: &KeyPath,
    models: &[PlannedModel],
    targets: &[PlannedTarget],
) -> Result<PlannedExpectation> {
    let model = match &options.model {
        Some(name) => position(&key.clone().key("model"), name, models, |m| &m.name)?,
        None if models.len() == 1 => 0,
        None => {
            return Err(invalid(
                key,
                "the study has several models; add `model = …`",
            ));
        }
    };
    let layers = &models[model].layers;
    let layer_key = key.clone().key("layer");
    let by_alias = layers
        .iter()
        .position(|layer| layer.aliases.contains(&options.layer));
    let layer = match by_alias {
        Some(layer) => layer,
        None => position(&layer_key, &options.layer, layers, |l| &l.name)?,
    };
    let target = position(&key.clone().key("target"), &options.target, targets, |t| {
        &t.name
    })?;
    Ok(PlannedExpectation {
        target,
        model,
        layer,
    })
}

fn unique<'a>(key: &KeyPath, name: &str, mut before: impl Iterator<Item = &'a str>) -> Result<()> {
    match before.any(|other| other == name) {
        true => Err(invalid(
            &key.clone().key("name"),
            &format!("the name {name:?} is used twice; names must be unique"),
        )),
        false => Ok(()),
    }
}

fn input(role: &str, name: &str, path: &Path) -> Result<InputFile> {
    Ok(InputFile {
        role: role.to_owned(),
        path: name.to_owned(),
        n_bytes: std::fs::metadata(path).map(|m| m.len()).unwrap_or(0),
        blake3: hash::blake3_file(path)?,
    })
}

fn hash_of(rdms: &Rdms) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in rdms.vectors() {
        hasher.update(&value.to_le_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

fn invalid(key: &KeyPath, message: &str) -> StudyError {
    StudyError::Invalid {
        key: key.clone(),
        message: message.to_owned(),
    }
}

fn at(key: &KeyPath, error: impl std::error::Error) -> StudyError {
    invalid(key, &error.to_string())
}
