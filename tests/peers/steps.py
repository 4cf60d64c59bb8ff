"""Calls the program on random arrays and compares with SciPy and rsatoolbox.

    python tests/peers/steps.py PROGRAM

The committed fixtures pin the library; this pins what a script sees. Needs the packages of
fixtures/generate/requirements.txt.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import rsatoolbox
from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling
from rsatoolbox.rdm.compare import compare
from scipy.spatial.distance import pdist
from scipy.stats import rankdata

program = sys.argv[1]
folder = Path(tempfile.mkdtemp())
rng = np.random.default_rng(92)
n_checks = 0


def call(*args):
    done = subprocess.run([program, *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


def save(name, array):
    np.save(folder / name, array)
    return folder / name


def same(what, found, expected, tolerance):
    global n_checks
    error = np.max(np.abs(np.asarray(found) - expected) / np.maximum(1, np.abs(expected)))
    assert error <= tolerance, f"{what}: differs by {error:.3g}, allowed {tolerance}"
    n_checks += 1


def rdm(x, name, *options):
    out = folder / "d.npy"
    call("rdm", save("x.npy", x), "--dissimilarity", name, *options, "--out", out)
    return np.load(out)


x = rng.normal(3, 2, size=(24, 31))
n, p = x.shape
expected = {
    "correlation": pdist(x, "correlation"),
    "cosine": pdist(x, "cosine"),
    "euclidean": pdist(x),
    "sqeuclidean": pdist(x, "sqeuclidean"),
    "spearman": pdist(np.apply_along_axis(rankdata, 1, x), "correlation"),
}
for name, values in expected.items():
    same(name, rdm(x, name), values, 1e-9)
    single = x.astype(np.float32)
    y = single.astype(np.float64)
    y = np.apply_along_axis(rankdata, 1, y) if name == "spearman" else y
    metric = {"spearman": "correlation"}.get(name, name)
    same(f"{name}, f32", rdm(single, name), pdist(y, metric), 1e-5)
same("per channel", rdm(x, "sqeuclidean", "--per-channel"), pdist(x, "sqeuclidean") / p, 1e-9)

conditions = np.tile(np.repeat([5, -1, 3, 8], 2), 3)
runs = np.repeat([2, 0, 1], 8)
root = rng.normal(size=(p, p))
precision = root @ root.T / p + np.eye(p)
data = rsatoolbox.data.Dataset(x, obs_descriptors={"c": conditions, "r": runs})
options = ["--conditions", save("c.npy", conditions)]
noise = ["--noise", save("s.npy", precision)]
peer = rsatoolbox.rdm.calc_rdm(data, "mahalanobis", descriptor="c", noise=precision)
order = [list(peer.pattern_descriptors["c"]).index(c) for c in sorted(set(conditions))]
square = lambda rdms: rdms.get_matrices()[0][np.ix_(order, order)][np.triu_indices(4, 1)]
same("mahalanobis", rdm(x, "mahalanobis", *options, *noise), square(peer), 1e-9)
peer = rsatoolbox.rdm.calc_rdm(
    data, "crossnobis", descriptor="c", cv_descriptor="r", noise=precision
)
run_option = ["--runs", save("r.npy", runs)]
same("crossnobis", rdm(x, "crossnobis", *options, *run_option, *noise), square(peer), 1e-9)
counts = rng.poisson(4.0, size=x.shape).astype(float)
peer = rsatoolbox.rdm.calc_rdm(rsatoolbox.data.Dataset(counts), "poisson")
same("poisson-kl", rdm(counts, "poisson-kl"), peer.dissimilarities[0], 1e-9)

pattern = rng.normal(size=(20, 15))
models = np.stack([pdist(pattern + rng.normal(0, s, size=pattern.shape)) for s in (0.5, 1, 3)])
subjects = np.stack([pdist(pattern + rng.normal(0, 1, size=pattern.shape)) for _ in range(6)])
a, b = save("a.npy", models), save("b.npy", subjects)
as_rdms = rsatoolbox.rdm.RDMs
names = {
    "pearson": "corr",
    "spearman": "spearman",
    "kendall-tau-a": "tau-a",
    "kendall-tau-b": "tau-b",
    "rho-a": "rho-a",
    "cosine": "cosine",
    "whitened-pearson": "corr_cov",
    "whitened-cosine": "cosine_cov",
    "bures": "bures",
}
for ours, theirs in names.items():
    call("compare", a, b, "--similarity", ours, "--out", folder / "s.npy")
    peer = compare(as_rdms(models), as_rdms(subjects), method=theirs)
    # The peer's bures takes square roots of eigenvalues that are zero but for rounding.
    tolerance = 1e-7 if ours == "bures" else 1e-9
    same(f"compare {ours}", np.load(folder / "s.npy"), peer, tolerance)
    if ours == "bures":
        continue
    ceiling = json.loads(call("ceiling", b, "--similarity", ours))
    lower, upper = boot_noise_ceiling(as_rdms(subjects), method=theirs)
    same(f"ceiling {ours}", [ceiling["lower"], ceiling["upper"]], np.array([lower, upper]), 1e-9)

fixed = [rsatoolbox.model.ModelFixed(str(k), m) for k, m in enumerate(models)]
peer = rsatoolbox.inference.eval_fixed(fixed, as_rdms(subjects), method="spearman")
common = ["--models", a, "--data", b, "--similarity", "spearman", "--seed", 3]
found = json.loads(call("infer", *common, "--bootstrap", "none"))
pick = lambda key: np.array([m[key] for m in found["models"]])
same("eval_fixed score", pick("score"), peer.get_means(), 1e-9)
same("eval_fixed sem", pick("sem"), peer.get_sem(), 1e-9)
same("eval_fixed p", pick("p_zero"), peer.test_zero(), 1e-9)
found = json.loads(call("infer", *common, "--bootstrap", "both", "--resamples", 2000))
np.random.seed(1)
peer = rsatoolbox.inference.eval_dual_bootstrap(
    fixed, as_rdms(subjects), method="spearman", k_pattern=1, k_rdm=1, N=1000
)
same("eval_dual_bootstrap sem (two draws)", pick("sem") / peer.get_sem(), 1.0, 0.15)

print(f"{n_checks} comparisons with SciPy and rsatoolbox agree")
