//! The networks and their layers.

use std::path::Path;

use consilience_core::InputFile;
use consilience_io::hash;
use consilience_io::weights::WeightsFile;
use consilience_models::graph::Node;
use consilience_models::{
    Clip, Clips, Edit, ExecutorChoice, ExtractParams, Extractor, Layer, ModelError, Network, Pool,
    zoo,
};

use super::stimuli::planned_clip;
use super::{at, input, invalid};
use crate::Result;
use crate::file::{self, KeyPath, ModelOptions};
use crate::places::Places;
use crate::plan::{PlannedEdit, PlannedLayer, PlannedModel};
use crate::reduce::{Reduction, UnknownReduction};

/// A network with everything that its activations are made from.
pub(super) struct Loaded {
    /// Without edits.
    pub network: Network,
    /// With the files where they were found.
    pub edits: Vec<Edit>,
    /// Pictures and films to fit principal components on.
    pub reduce_fit: Clips,
    pub planned: PlannedModel,
}

pub(super) fn load_model(
    options: &ModelOptions,
    key: &KeyPath,
    places: &Places,
    executor: ExecutorChoice,
    n_threads: usize,
    stimuli: &Clips,
    inputs: &mut Vec<InputFile>,
) -> Result<Loaded> {
    let (mut network, architecture, weights_blake3) = match (&options.onnx, &options.weights) {
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
            let files = Network::onnx_files(&path).map_err(|e| at(&key, e))?;
            for file in &files[1..] {
                // Called as the study calls the .onnx file, from the same folder.
                let location = path
                    .parent()
                    .and_then(|folder| file.strip_prefix(folder).ok());
                let name = Path::new(onnx).with_file_name(location.unwrap_or(file));
                inputs.push(input("weights", &name.to_string_lossy(), file)?);
            }
            (
                Network::from_onnx(&path).map_err(|e| at(&key, e))?,
                "onnx".to_owned(),
                hash::blake3_files(&files).map_err(|e| at(&key, e))?,
            )
        }
        (None, Some(weights)) => {
            let (name, name_key) = match &options.architecture {
                Some(architecture) => (architecture, "architecture"),
                None => (&options.name, "name"),
            };
            zoo::catalogue::find(name).map_err(|e| at(&key.clone().key(name_key), e))?;
            let key = key.clone().key("weights");
            let (file, named) = weights_file(weights, &key, places)?;
            inputs.push(input("weights", &named, &file.path)?);
            (
                Network::from_zoo_file(name, &file).map_err(|e| at(&key, e))?,
                name.clone(),
                file.blake3().map_err(|e| at(&key, e))?,
            )
        }
        (None, None) => {
            let (name, name_key) = match &options.architecture {
                Some(architecture) => (architecture, "architecture"),
                None => (&options.name, "name"),
            };
            let published = zoo::catalogue::find(name)
                .ok()
                .and_then(|(_, weights)| weights);
            let found = published
                .as_ref()
                .and_then(|weights| weights.file_name())
                .and_then(|file| Some((file, places.file(key, file).ok()?)));
            let Some((file, path)) = found else {
                return Err(invalid(
                    key,
                    "the model has no weights; add `weights = \"FILE.safetensors\"` (or .pth) or `onnx = \"FILE.onnx\"`, or get published ones with `consilience models get NAME`",
                ));
            };
            inputs.push(input("weights", file, &path)?);
            (
                Network::from_zoo(name, &path).map_err(|e| at(&key.clone().key(name_key), e))?,
                name.clone(),
                hash::blake3_file(&path).map_err(|e| at(key, e))?,
            )
        }
        (Some(_), Some(_)) => {
            return Err(invalid(
                &key.clone().key("onnx"),
                "give either `onnx` or `weights`, not both",
            ));
        }
    };
    if let Some(choice) = &options.preprocessing {
        network.preprocessing = choice
            .resolve(&network.preprocessing)
            .map_err(|e| at(&key.clone().key("preprocessing"), e))?;
    }
    let pool = match options.pool {
        file::Pool::None => Pool::None,
        file::Pool::Mean => Pool::Mean,
        file::Pool::Max => Pool::Max,
        file::Pool::Cls => Pool::Cls,
    };
    let params = ExtractParams {
        pool,
        executor,
        n_threads,
        ..ExtractParams::default()
    };
    let (reduce, reduce_fit) = load_reduction(options, key, places, stimuli)?;
    let (edits, planned_edits) = load_edits(options, key, places, inputs)?;
    let edited = in_form(&network, &edits, options, key, &params)?;
    let layers_key = key.clone().key("layers");
    let selected = edited
        .graph
        .select(&options.layers)
        .map_err(|e| at(&layers_key, e))?;
    let (distinct, aliases) = distinct_tensors(selected);
    let extractor = Extractor::prepare(&edited, &distinct, &params).map_err(|e| match e {
        // The fault of the network, not of the layers that were chosen.
        ModelError::MissingOperator { .. } | ModelError::Load { .. } => {
            let (option, named) = source(options);
            invalid(&key.clone().key(option), &format!("{named}: {e}"))
        }
        _ => at(&layers_key, e),
    })?;
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
                n_features: reduce.n_features(found.n_features, stimuli.n_rows()),
                tokens: found.tokens.clone(),
            })
        })
        .collect();
    let planned = PlannedModel {
        name: options.name.clone(),
        architecture,
        weights_blake3,
        preprocessing: network.preprocessing.clone(),
        pool,
        executor: extractor.executor.to_string(),
        reduce,
        reduce_fit: reduce_fit
            .clips()
            .iter()
            .map(|clip: &Clip| {
                let blake3 = hash::blake3_file(&clip.path).map_err(|e| at(key, e))?;
                Ok(match planned_clip(clip, reduce_fit.selection()) {
                    Some(planned) => planned.key(&blake3),
                    None => blake3,
                })
            })
            .collect::<Result<_>>()?,
        edits: planned_edits,
        layers,
        n_products: products(&edited),
    };
    Ok(Loaded {
        network,
        edits,
        reduce_fit,
        planned,
    })
}

/// About how many products a picture takes: weights of a convolution, or of a map of tokens, are used at some 200 places, those of other
/// linear maps once.
fn products(network: &Network) -> f64 {
    let initialisers = &network.graph.initialisers;
    let of_node = |node: &Node| {
        let weights = node.inputs.iter().filter_map(|name| initialisers.get(name));
        let n: usize = weights.map(|w| w.shape().iter().product::<usize>()).sum();
        let n_places = if node.op == "Gemm" { 1.0 } else { 200.0 };
        n_places * n as f64
    };
    network.graph.nodes.iter().map(of_node).sum()
}

/// The option that says which network it is, and its value.
fn source(options: &ModelOptions) -> (&'static str, &str) {
    match (&options.onnx, &options.weights, &options.architecture) {
        (Some(onnx), ..) => ("onnx", onnx),
        (_, Some(weights), _) => ("weights", weights),
        (.., Some(architecture)) => ("architecture", architecture),
        _ => ("name", &options.name),
    }
}

/// The weights that a study names, `FILE` or `FILE:ENTRY`, and how the study calls the file.
fn weights_file(spec: &str, key: &KeyPath, places: &Places) -> Result<(WeightsFile, String)> {
    let is_file = |path: &Path| places.file(key, &path.to_string_lossy()).is_ok();
    let mut file = WeightsFile::parse_with(spec, is_file);
    let named = file.path.to_string_lossy().into_owned();
    file.path = places.file(key, &named)?;
    Ok((file, named))
}

fn load_reduction(
    options: &ModelOptions,
    key: &KeyPath,
    places: &Places,
    stimuli: &Clips,
) -> Result<(Reduction, Clips)> {
    let reduce_key = key.clone().key("reduce");
    let reduction: Reduction = options
        .reduce
        .parse()
        .map_err(|e: UnknownReduction| at(&reduce_key, e))?;
    let fit_key = key.clone().key("reduce-fit");
    let open = |paths: &[_]| {
        Clips::open(paths, *stimuli.selection(), stimuli.pool()).map_err(|e| at(&fit_key, e))
    };
    match (&options.reduce_fit, reduction.needs_fit()) {
        (Some(pattern), true) => Ok((reduction, open(&places.matching(&fit_key, pattern)?)?)),
        (None, false) => Ok((reduction, open(&[])?)),
        (None, true) => Err(invalid(
            &reduce_key,
            "principal components need pictures to be fitted on; add `reduce-fit = \"fit/*.png\"`",
        )),
        (Some(_), false) => Err(invalid(
            &fit_key,
            "`reduce-fit` belongs to `reduce = \"pca=50\"`; leave it out",
        )),
    }
}

/// The edits with the files where they are, and as they are planned.
fn load_edits(
    options: &ModelOptions,
    model: &KeyPath,
    places: &Places,
    inputs: &mut Vec<InputFile>,
) -> Result<(Vec<Edit>, Vec<PlannedEdit>)> {
    let mut edits = Vec::new();
    let mut planned = Vec::new();
    for (idx, options) in options.edits.iter().enumerate() {
        let key = edit_key(model, idx);
        let given = options.given();
        let given = given
            .iter()
            .map(|(option, value)| (*option, value.as_str()));
        let edit =
            Edit::from_options(&options.kind, given).map_err(|fault| match fault.option() {
                Some(option) => at(&key.clone().key(option), &fault),
                None => at(&key, &fault),
            })?;
        let mut found = edit.clone();
        let mut file_blake3 = None;
        if let Some(name) = edit.file() {
            let name = name.to_string_lossy();
            let option = if options.means.is_some() {
                "means"
            } else {
                "weights"
            };
            let (file, named) = weights_file(&name, &key.clone().key(option), places)?;
            let input = input("edit", &named, &file.path)?;
            file_blake3 = Some(input.blake3.clone());
            inputs.push(input);
            found = found.with_file(file.to_string().into());
        }
        edits.push(found);
        planned.push(PlannedEdit { edit, file_blake3 });
    }
    Ok((edits, planned))
}

fn edit_key(model: &KeyPath, idx: usize) -> KeyPath {
    model.clone().key("edits").index(idx)
}

/// The network as the edits leave its form; an error points at the first edit that does not fit.
fn in_form(
    network: &Network,
    edits: &[Edit],
    options: &ModelOptions,
    key: &KeyPath,
    params: &ExtractParams,
) -> Result<Network> {
    network.edited_in_form(edits, params).map_err(|error| {
        let culprit = |edit: &str| edits.iter().position(|e| e.to_string() == edit);
        match &error {
            ModelError::Edit { edit, fault } => match culprit(edit) {
                Some(idx) => at(
                    &edit_key(key, idx).key(fault.option().unwrap_or("kind")),
                    fault,
                ),
                None => at(&key.clone().key("edits"), fault),
            },
            ModelError::UnknownLayer { pattern, .. } => {
                let idx = options.edits.iter().position(|e| e.layer == *pattern);
                at(&edit_key(key, idx.unwrap_or(0)).key("layer"), &error)
            }
            _ => at(&key.clone().key("edits"), &error),
        }
    })
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

pub(super) fn warn_of_aliases(
    models: &[PlannedModel],
    warnings: &mut Vec<consilience_core::Warning>,
) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_is_named_by_its_own_module() {
        let layer = |name: &str, tensor: &str| Layer {
            name: name.into(),
            tensor: tensor.into(),
        };
        let (distinct, aliases) = distinct_tensors(vec![
            layer("features.0", "a"),
            layer("features", "b"),
            layer("features.1", "b"),
            layer("classifier.0", "b"),
        ]);
        assert_eq!(
            distinct,
            [layer("features.0", "a"), layer("features.1", "b")]
        );
        assert_eq!(
            aliases,
            [
                vec![],
                vec!["features".to_owned(), "classifier.0".to_owned()]
            ]
        );
    }
}
