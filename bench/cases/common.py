"""What the groups of cases on arrays have in common."""

import numpy as np

from measure import KERNEL, PEERS, PROGRAM, Case, Side


def in_process(setup, name, peer, script, tasks, inputs, check, theirs=None, rounds=None, python=None, **options):
    """Our task and the peer's on the same inputs; `theirs` where the peer's inputs are others."""
    if setup.quick or options.get("slow"):
        rounds = 1
    rounds = rounds or setup.inner
    ours_out, theirs_out = setup.outputs
    return Case(
        name, peer,
        Side([KERNEL, tasks[0], rounds, ours_out, *inputs]),
        Side([python or setup.python, PEERS / script, tasks[1], rounds, theirs_out, *(theirs or inputs)]),
        False, check, setup.outputs, **options,
    )


def whole_command(setup, name, peer, script, task, inputs, command, check, **options):
    """A command that prints JSON or is told where to write an array."""
    ours, theirs = setup.outputs
    written = ours if task in ("rdm", "compare") else setup.folder / "ours.json"
    to = ["--out", ours] if written == ours else []
    return Case(
        name, peer,
        Side([PROGRAM, *command, *to, "--threads", setup.threads]),
        Side([setup.python, PEERS / script, task, 0, theirs, *inputs]),
        True, check, (written, theirs), **options,
    )


def patterns(path, n, p, seed=92):
    np.save(path, np.random.default_rng(seed).standard_normal((n, p), np.float32))
    return path


def rdms(folder, n_conditions, sets, seed=92):
    """Sets of RDMs, (name, how many, noise) each, that share some structure, as those of real subjects do."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n_conditions, 30))
    upper = np.triu_indices(n_conditions, 1)
    paths = []
    for name, count, noise in sets:
        noisy = (shared + noise * rng.standard_normal(shared.shape) for _ in range(count))
        paths.append(folder / f"{name}.npy")
        np.save(paths[-1], np.array([1 - np.corrcoef(x)[upper] for x in noisy]))
    return paths


def runs_of_patterns(folder, n_conditions, n_runs, n_channels, seed=8):
    """Patterns of every condition in every run with correlated noise, their labels, and the noise's precision."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((n_conditions, n_channels))
    mixing = np.eye(n_channels) + 0.3 * rng.standard_normal((n_channels, n_channels)) / np.sqrt(n_channels)
    conditions, runs = np.tile(np.arange(n_conditions), n_runs), np.repeat(np.arange(n_runs), n_conditions)
    noise = rng.standard_normal((n_runs * n_conditions, n_channels)) @ mixing
    precision = np.linalg.inv(mixing.T @ mixing)
    arrays = {
        "responses": truth[conditions] + 2 * noise,
        "conditions": conditions,
        "runs": runs,
        "precision": (precision + precision.T) / 2,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [folder / f"{name}.npy" for name in arrays]


def features_and_targets(folder, n, p, v, n_alphas, seed=7):
    """Features with a falling spectrum; targets of which most follow them more or less."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p), np.float32) * (1 + np.arange(p, dtype=np.float32)) ** -0.5
    y = x @ rng.standard_normal((p, v), np.float32) * np.linspace(0, 2, v, dtype=np.float32)
    y += rng.standard_normal((n, v), np.float32)
    paths = [folder / f"{name}.npy" for name in ("x", "y", "alphas")]
    for path, array in zip(paths, (x, y, np.geomspace(1e-2, 1e5, n_alphas))):
        np.save(path, array)
    return paths


def arrangements(folder, n_items, n_trials, per_trial, seed=100):
    """Places of items on a round table, (n_trials, n_items, 2): all in the first trial, then some of them.

    What a subject has in mind has five dimensions, of which a trial shows the two principal ones and noise.
    """
    rng = np.random.default_rng(seed)
    mind = rng.standard_normal((n_items, 5)) * (1.0, 0.9, 0.7, 0.5, 0.4)
    places = np.full((n_trials, n_items, 2), np.nan)
    for trial in range(n_trials):
        items = np.arange(n_items) if trial == 0 else rng.choice(n_items, per_trial, replace=False)
        own = mind[items] - mind[items].mean(0)
        _, _, axes = np.linalg.svd(own, full_matrices=False)
        plane = own @ axes[:2].T
        plane += 0.05 * plane.std() * rng.standard_normal(plane.shape)
        places[trial, items] = 0.5 * plane / np.abs(plane).max()
    np.save(folder / "places.npy", places)
    return [folder / "places.npy"]
