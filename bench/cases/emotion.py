"""Selective units and geometry of valence and arousal."""

import numpy as np

from checks import scores_and_errors, within

from .common import in_process


def emotion(setup):
    n, n_units, resamples = (120, 60, 100) if setup.quick else (1182, 2560, 1000)
    rng = np.random.default_rng(6)
    ratings = rng.uniform(1, 9, (n, 2))
    responses = rng.standard_normal((n, n_units))
    responses += 0.25 * (ratings - 5) @ rng.standard_normal((2, n_units))
    # Some units prefer what is neither pleasant nor unpleasant, so that no bin has an error of 0.
    responses -= 0.5 * np.abs(ratings - 5).sum(1)[:, None] * (rng.uniform(size=n_units) < 0.3)
    paths = [setup.folder / f"{name}.npy" for name in ("responses", "ratings", "patterns")]
    for path, array in zip(paths, (responses, ratings, responses[:, : n_units // 5].astype(np.float32))):
        np.save(path, array)
    # A twentieth of the resamples and sets is enough for the peer.
    fewer = max(resamples // 20, 50)
    yield in_process(
        setup, f"emotion/selectivity/{n_units}x{n}/{resamples}", "NumPy", "numpy_emotion.py",
        ("bin-selectivity", "bin-selectivity"), [*paths[:2], resamples], scores_and_errors(fewer),
        theirs=[*paths[:2], fewer], share=fewer / resamples, slow=True,
    )
    n_sets = 4 if setup.quick else 255
    fewer = max(n_sets // 20, 2)
    agree = within(1e-5)
    yield in_process(
        setup, f"emotion/geometry/{n}x{n_units // 5}/{n_sets}", "NumPy and SciPy", "numpy_emotion.py",
        ("geometry", "geometry"), [paths[2], paths[1], n_sets], lambda found, expected: agree(found[:fewer], expected),
        theirs=[paths[2], paths[1], fewer], share=fewer / n_sets, slow=True,
    )
