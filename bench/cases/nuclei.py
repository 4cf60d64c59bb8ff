"""Training of modules of nuclei."""

import numpy as np

from checks import relative

from .common import in_process
from .networks import lacks


def shapes(width, hidden=512, basal=256):
    """Keys of the released module with the shapes of their tensors."""
    joined = width + 2 * basal

    def linear(key, n_in, n_out):
        return {f"{key}.weight": (n_out, n_in), f"{key}.bias": (n_out,)}

    def layers(module, n, count):
        found = {}
        for layer in (f"{module}.layers.{idx}" for idx in range(count)):
            found |= {f"{layer}.self_attn.in_proj_weight": (3 * n, n), f"{layer}.self_attn.in_proj_bias": (3 * n,)}
            found |= linear(f"{layer}.self_attn.out_proj", n, n)
            found |= linear(f"{layer}.linear1", n, hidden) | linear(f"{layer}.linear2", hidden, n)
            found |= {f"{layer}.norm{k}.{part}": (n,) for k in (1, 2) for part in ("weight", "bias")}
        return found

    found = layers("LA", width, 2)
    for nucleus in ("BA", "BL"):
        found |= layers(f"{nucleus}.0", width, 1) | linear(f"{nucleus}.1", width, basal)
    return found | layers("CE.0", joined, 2) | linear("CE.1", joined, joined) | linear("LastFC", joined, 2)


def epoch(setup):
    """One epoch on features that are at hand, with dropout; which values are dropped is each side's own draw."""
    if lacks(setup, "module", "torch"):
        return
    n, width = (300, 32) if setup.quick else (14306, 768)
    rng = np.random.default_rng(2026)
    paths = [setup.folder / f"{name}.npy" for name in ("features", "ratings", "weights")]
    np.save(paths[0], rng.standard_normal((n, width), np.float32))
    np.save(paths[1], rng.uniform(1, 9, (n, 2)).astype(np.float32))
    weights = []
    for key, shape in sorted(shapes(width).items()):
        if "norm" in key and key.endswith("weight"):
            weights.append(np.ones(shape, np.float32))
        else:
            limit = np.float32(shape[-1] ** -0.5)
            weights.append((2 * rng.random(np.prod(shape), np.float32) - 1) * limit)
    np.save(paths[2], np.concatenate([values.ravel() for values in weights])[None])
    yield in_process(
        setup, f"module/epoch/{n}x{width}", "PyTorch", "torch_nuclei.py", ("train-module", "train-module"), paths,
        relative(0.05), python=setup.torch_python, slow=True, at_least=1.0,
    )
