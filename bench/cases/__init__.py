"""What is measured: a function for each group of cases, by the beginning of their names."""

from . import arrangement, comparison, emotion, encoding, growth, networks, nuclei, rdms

# Functions of a `Setup` that write their inputs and give cases, bars or growths.
GROUPS = {
    "demo": networks.demo,
    "run": networks.study,
    "large-layer": networks.large_layer,
    "rdm": rdms.correlation,
    "crossnobis": rdms.crossnobis,
    "compare": comparison.compare,
    "ceiling": comparison.ceiling,
    "infer": comparison.infer,
    "mantel": comparison.mantel,
    "ridge": encoding.ridge,
    "banded": encoding.banded,
    "partition": encoding.partition,
    "inverse-mds": arrangement.inverse_mds,
    "emotion": emotion.emotion,
    "growth": growth.growth,
    "extract": networks.extract,
    "forward": networks.forward,
    "gradcam": networks.gradcam,
    "sensitivity": networks.sensitivity,
    "lesions": networks.lesions,
    "weights": networks.weights_files,
    "photographs": networks.photographs,
    "module": nuclei.epoch,
    # Last, because what comes before may ask for it.
    "product": rdms.products,
}
# The groups that need neither the program nor networks.
ARRAYS = (
    "rdm", "crossnobis", "compare", "ceiling", "infer", "mantel", "ridge", "banded", "partition", "inverse-mds", "emotion",
    "growth", "product",
)
