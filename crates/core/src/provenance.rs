//! Where a result comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One file that went into a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputFile {
    /// What it was used for (`"stimulus"`, `"weights"`, `"human IT"` …).
    pub role: String,
    /// The path as the study file gives it.
    pub path: String,
    /// Size in bytes.
    pub n_bytes: u64,
    /// BLAKE3 hash, hexadecimal.
    pub blake3: String,
}

/// One network as it was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModelProvenance {
    /// Name in the study.
    pub name: String,
    /// Architecture, or `"onnx"`.
    pub architecture: String,
    /// BLAKE3 hash of the weights file, hexadecimal; `HASH:ENTRY` for one of several state dicts in it.
    pub weights_blake3: String,
    /// Executor and its version, e.g. `"rten 0.27"`.
    pub executor: String,
    /// Changes of the network in their order, e.g. `"lesion layer=features.8 channels=3 with=zero"`.
    #[serde(default)]
    pub edits: Vec<String>,
    /// Preprocessing in words, e.g. `"resize 256 (bilinear, antialiased), centre crop 224, …"`.
    pub preprocessing: String,
}

/// A work to cite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Citation {
    /// Authors, year, title, venue in one line.
    pub text: String,
    /// Digital object identifier without a resolver address.
    pub doi: Option<String>,
    /// What it was used for.
    pub used_for: String,
}

/// Everything needed to say how a record came about and to make it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Version of consilience.
    pub version: String,
    /// BLAKE3 hash of the resolved plan, hexadecimal.
    pub plan_blake3: String,
    /// Seed of every random draw.
    pub seed: u64,
    /// Files that were read.
    pub inputs: Vec<InputFile>,
    /// Networks that were run.
    pub models: Vec<ModelProvenance>,
    /// Works to cite for the methods that were used.
    pub citations: Vec<Citation>,
}
