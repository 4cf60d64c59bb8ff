"""RSA by rsatoolbox, as its documentation does it."""

import contextlib
import importlib.metadata
import io
import warnings

import clock
import numpy as np
from rsatoolbox.data import Dataset
from rsatoolbox.inference import (
    boot_noise_ceiling,
    eval_bootstrap_pattern,
    eval_dual_bootstrap,
    eval_fixed,
)
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs, calc_rdm
from rsatoolbox.rdm import compare as compare_rdms

# Our names of similarities, and its.
METHODS = {"cosine": "cosine", "spearman": "spearman", "kendall-tau-a": "tau-a"}


def rdm(patterns):
    dataset = Dataset(np.load(patterns))
    return lambda: calc_rdm(dataset, method="correlation").get_vectors()


def crossnobis(patterns, conditions, runs, precision=None):
    labels = {"condition": np.load(conditions), "run": np.load(runs)}
    dataset = Dataset(np.load(patterns), obs_descriptors=labels)
    noise = np.load(precision) if precision else None
    options = {"method": "crossnobis", "descriptor": "condition", "cv_descriptor": "run"}
    return lambda: calc_rdm(dataset, noise=noise, **options).get_vectors()


def compare(a, b, similarity):
    a, b = RDMs(np.load(a)), RDMs(np.load(b))
    return lambda: compare_rdms(a, b, METHODS[similarity])


def ceiling(data):
    data = RDMs(np.load(data))
    return lambda: boot_noise_ceiling(data, "spearman")


def infer(models, data, similarity, bootstrap, resamples):
    models = [ModelFixed(f"model_{idx}", RDMs(row)) for idx, row in enumerate(np.load(models))]
    data = RDMs(np.load(data))
    evaluate = {"both": eval_dual_bootstrap, "conditions": eval_bootstrap_pattern}[bootstrap]
    method = METHODS[similarity]

    def work():
        np.random.seed(1)
        # Its progress bar goes to standard error: nothing there is worth a terminal's time.
        with contextlib.redirect_stderr(io.StringIO()):
            result = evaluate(models, data, method=method, N=int(resamples))
        # The score of the data themselves: `evaluate` averages over resamples instead.
        scores = eval_fixed(models, data, method=method).get_means()
        return np.concatenate([scores, result.get_sem()])

    return work


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    clock.main(
        {"rdm": rdm, "crossnobis": crossnobis, "compare": compare, "ceiling": ceiling, "infer": infer},
        {"rsatoolbox": importlib.metadata.version("rsatoolbox"), "numpy": np.__version__},
    )
