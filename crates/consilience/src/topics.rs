//! The texts of `consilience explain`: definitions, assumptions and references.

/// One text.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// Name on the command line.
    pub name: &'static str,
    /// Other names that lead here.
    pub aliases: &'static [&'static str],
    /// The text, Markdown that reads well as it is.
    pub text: &'static str,
}

impl Topic {
    /// The first line of the text without its mark.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("# ")
    }
}

macro_rules! topics {
    ($($name:literal: $aliases:expr),* $(,)?) => {
        &[$(Topic {
            name: $name,
            aliases: &$aliases,
            text: include_str!(concat!("../../../docs/explain/", $name, ".md")),
        }),*]
    };
}

/// Every text, in the order of a study's way from pictures to answer.
pub const ALL: &[Topic] = topics![
    "activations": [
        "extract", "layers", "pool", "batch", "executor", "rten", "onnx-runtime", "model", "weights",
        "cls", "operations", "fused", "as-stated",
        "images",
    ],
    "films": ["film", "video", "videos", "clip", "clips", "span", "frames-per-second"],
    "edits": [
        "edit", "lesion", "gain", "cut", "tap", "replace-head", "channels", "units", "heads", "of",
        "tokens", "with", "means", "outputs",
    ],
    "networks": ["architecture", "architectures", "zoo", "verify", "reference"],
    "detection": [
        "detect", "boxes", "faces", "alignment", "landmarks", "yolo", "yolov3", "darknet", "nms", "iou",
        "score", "overlay",
    ],
    "reduce": [
        "reduction", "reduce-fit", "sparse", "pca", "random-projection", "principal-components",
    ],
    "preprocessing": ["resize", "jpeg"],
    "lowlevel": [
        "image-features", "feature", "pixels", "luminance", "gist", "spectrum", "orientations", "scales",
        "grid", "low-level",
    ],
    "rsa": ["rdm", "rdms", "compare", "kind"],
    "dissimilarity": [
        "correlation", "spearman-dissimilarity", "cosine-dissimilarity", "euclidean", "sqeuclidean",
        "mahalanobis", "poisson-kl", "poisson-kl-cv", "per-channel", "categorical", "ordinal", "interval", "circumplex",
        "movie", "window", "step", "samples", "compat",
    ],
    "crossnobis": [
        "runs", "noise", "precision", "incomplete-runs", "common-runs", "all-rows", "residuals",
        "noise-estimate", "shrink-diagonal", "shrink-identity",
    ],
    "similarity": [
        "pearson", "spearman", "kendall-tau-a", "kendall-tau-b", "rho-a", "cosine",
        "whitened-pearson", "whitened-cosine", "whitening", "bures", "kendall", "tau-a", "tau-b",
        "covariance", "negative-riemannian", "riemannian",
    ],
    "compare-patterns": [
        "measure", "cka", "unbiased-cka", "rv", "procrustes", "cca", "svcca", "angular-shape", "canonical-correlation",
    ],
    "regression": [
        "regress", "multiple-regression", "non-negative", "partial-correlation", "semi-partial-correlation", "partial",
        "semi-partial",
    ],
    "arrangement": [
        "arrange", "inverse-mds", "multi-arrangement", "evidence", "weighting", "set-size", "arena",
        "floor", "estimator", "lift-the-weakest", "meadows", "by",
    ],
    "noise-ceiling": ["ceiling"],
    "reliability": [
        "split-half", "cronbach", "pairwise", "leave-one-out", "spearman-brown", "ncsnr",
        "explainable-variance", "inter-subject", "scale", "raw", "z-scores", "ranks", "over", "splits",
        "averaged", "coefficient", "unit",
    ],
    "bootstrap": [
        "infer", "dual-bootstrap", "resamples", "both", "subjects", "conditions", "none", "sem", "ci",
        "p-zero", "p-ceiling", "p-difference",
    ],
    "evaluate": [
        "generalize-to", "fixed", "weighted", "weighted-any-sign", "selected", "interpolated", "divisions",
        "subject-folds", "condition-folds", "flexible-models",
    ],
    "permutation": ["permutations", "mantel", "blocks"],
    "correction": ["fdr", "fdr-any", "benjamini-hochberg", "benjamini-yekutieli", "fwe", "bonferroni", "holm", "alpha"],
    "ridge": [
        "alphas", "folds", "nested", "intercept", "no-intercept", "cross-validation", "encoding-model",
    ],
    "encoding": [
        "encode", "banded-ridge", "banded", "bands", "shares", "concentrations", "search", "product-measure", "partition",
        "variance-partitioning", "shapley", "adjusted", "cross-validated", "ols", "components", "pcr", "pls",
        "principal-component-regression", "partial-least-squares",
    ],
    "behaviour": [
        "correlate", "correlation-table", "disparity", "quantiles", "welch", "d-prime", "selectivity", "odd-one-out",
        "triplets", "error-consistency", "ratings", "steiger", "williams",
    ],
    "emotion": [
        "predictions", "refit", "energy-distance", "emotion-selectivity", "overlap-units", "geometry", "region-rsa",
        "valence-edges", "arousal-edges", "rescale", "participation-ratio", "attention-entropy", "arousal", "amygdala",
    ],
    "visual-emotion": [
        "nuclei", "structures", "preset", "release2026", "paper2025", "gains", "random-sets", "repeats", "matched", "width",
        "second-set", "consistency", "consistent", "genuine", "bins-within-nuclei",
    ],
    "module": [
        "modules", "predict", "structure", "validation", "augment", "augmentation", "transform", "transforms", "robustness",
        "standardise", "checkpoints", "import", "export", "summary",
    ],
    "objects": [
        "emocam", "object2brain", "importance", "co-occurrence", "overlap", "sensitivity", "random-filters", "lesions",
        "sensitivity-images", "sensitivity-boxes", "network",
    ],
    "group-tests": [
        "group", "t-test", "wilcoxon", "signed-rank", "sign-flip", "flips", "bayes-factor", "effect-size", "cohens-d",
        "hedges-g", "chance", "alternative", "prior-scale", "mixed", "mixed-model",
    ],
    "head": [
        "train", "training", "loss", "rating-head", "hold-out", "patience", "dropout", "weighted-mse", "bins",
    ],
    "appraisal": ["appraise", "raters", "valence", "cut-networks", "solver", "exact"],
    "betas": [
        "single-trial", "lss", "events", "confounds", "high-pass", "repetition-time", "slice-reference",
    ],
    "brain-ratings": ["rating-tables", "responses", "masks", "trials", "reads"],
    "missing-values": ["nan", "omit", "refuse"],
    "reproducibility": ["seed", "threads"],
    "cache": ["resume"],
];

/// The text called `name`, also by one of its other names; an option may keep its dashes.
#[must_use]
pub fn find(name: &str) -> Option<&'static Topic> {
    let name = name
        .trim_start_matches('-')
        .to_lowercase()
        .replace([' ', '_'], "-");
    ALL.iter().find(|topic| topic.name == name).or_else(|| {
        ALL.iter()
            .find(|topic| topic.aliases.contains(&name.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_once() {
        let mut names: Vec<&str> = ALL
            .iter()
            .flat_map(|t| t.aliases.iter().chain([&t.name]))
            .copied()
            .collect();
        for name in &names {
            assert!(find(name).is_some(), "{name}");
        }
        let n = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(n, names.len(), "a name leads to two texts");
        for name in ["--per-channel", "P_zero", "noise ceiling"] {
            assert!(find(name).is_some(), "{name}");
        }
        assert!(find("no such topic").is_none());
    }

    #[test]
    fn every_text_has_a_title_and_references() {
        for topic in ALL {
            assert!(topic.text.starts_with("# "), "{}", topic.name);
            assert!(!topic.title().is_empty());
        }
    }
}
