"""Encoding models with five folds."""

import numpy as np

from checks import within
from measure import PEERS, PROGRAM, Case, Side

from .common import features_and_targets, in_process

HIMALAYA = "himalaya_encoding.py"


def ridge(setup):
    n, p, v, n_alphas = (60, 90, 300, 7) if setup.quick else (1000, 4096, 20_000, 20)
    inputs = features_and_targets(setup.folder, n, p, v, n_alphas)
    name = f"ridge/{n}x{p}/{v}/{n_alphas}/5"
    # Products of rows, half of them, and the predictions of each penalty from four folds of five.
    flops = n * n * p + 2 * n_alphas * n * (4 * n // 5) * v
    for task, peer, at_least in [
        ("ridge-kernel", "himalaya KernelRidgeCV", 4),
        ("ridge-rows", "himalaya RidgeCV", None),
    ]:
        yield in_process(
            setup, name, peer, HIMALAYA, ("ridge", task), inputs, within(1e-5), python=setup.ridge_python,
            rounds=1, at_least=at_least, flops=flops, width="f32",
        )
    if setup.programs:
        x, y, alphas = inputs
        out, theirs = setup.folder / "ridge", setup.outputs[1]
        command = ["ridge", "--x", x, "--y", y, "--alphas", alphas, "--out", out, "--threads", setup.threads]
        yield Case(
            name, "himalaya KernelRidgeCV",
            Side([PROGRAM, *command]),
            Side([setup.ridge_python, PEERS / HIMALAYA, "ridge-kernel", 0, theirs, *inputs]),
            True, within(1e-5), (out / "r2.npy", theirs),
        )


def bands_and_targets(folder, n, widths, v, n_alphas, dtype):
    """Bands of features, and targets that follow one, two or all of them."""
    rng = np.random.default_rng(3)
    bands = [rng.standard_normal((n, p)) * (1 + np.arange(p)) ** -0.5 for p in widths]
    weights = rng.dirichlet([0.5] * len(widths), v)
    y = rng.standard_normal((n, v))
    for band, weight in zip(bands, weights.T):
        signal = band @ rng.standard_normal((band.shape[1], v))
        y += weight * signal / signal.std(0)
    for name, array in [("y", y), *((f"band{b}", band) for b, band in enumerate(bands))]:
        np.save(folder / f"{name}.npy", array.astype(dtype))
    np.save(folder / "alphas.npy", np.geomspace(1e-1, 1e5, n_alphas))
    names = ["y", "alphas", *(f"band{b}" for b in range(len(widths)))]
    return [folder / f"{name}.npy" for name in names]


def banded(setup):
    n, widths, v, n_alphas, n_shares = (
        (60, (5, 20, 70), 40, 5, 4) if setup.quick else (1000, (256, 1024, 2048), 2000, 10, 8)
    )
    y, alphas, *bands = bands_and_targets(setup.folder, n, widths, v, n_alphas, np.float32)
    shares = setup.folder / "shares.npy"
    np.save(shares, np.vstack([np.full(3, 1 / 3), np.random.default_rng(5).dirichlet([0.5] * 3, n_shares - 1)]))
    yield in_process(
        setup, f"banded/{n}x{'+'.join(map(str, widths))}/{v}/{n_alphas}/{n_shares}/5",
        "himalaya MultipleKernelRidgeCV, r2_score_split", HIMALAYA, ("banded", "banded"), [y, alphas, shares, *bands],
        within(1e-4), python=setup.ridge_python, slow=True, at_least=3,
    )


def partition(setup):
    n, widths, v, n_alphas = (60, (5, 20, 70), 40, 5) if setup.quick else (1000, (256, 1024, 2048), 5000, 10)
    inputs = bands_and_targets(setup.folder, n, widths, v, n_alphas, np.float64)
    yield in_process(
        setup, f"partition/{n}x{'+'.join(map(str, widths))}/{v}/{n_alphas}/5",
        "himalaya KernelRidgeCV on each subset", HIMALAYA, ("partition", "partition"), inputs, within(1e-7),
        python=setup.ridge_python, slow=True, at_least=3,
    )
