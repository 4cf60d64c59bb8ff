"""Did both sides find the same?"""

import json
import pathlib

import numpy as np


def largest_difference(found, expected):
    found, expected = np.ravel(found), np.ravel(expected)
    assert found.shape == expected.shape, f"{found.shape} numbers against {expected.shape}"
    return float(np.max(np.abs(found - expected)))


def within(tolerance):
    def check(found, expected):
        difference = largest_difference(found, expected)
        assert difference <= tolerance, f"numbers differ by {difference}, more than {tolerance}"
        return f"{difference:.0e}"

    return check


def relative(tolerance):
    def check(found, expected):
        difference = largest_difference(found, expected) / float(np.max(np.abs(expected)))
        assert difference <= tolerance, f"numbers differ by {difference} of the largest"
        return f"{difference:.0e} of the largest"

    return check


def determined(check, least):
    """`check` on the numbers that the peer states; at least this share, and NaN says that 32 bits do not determine the others."""

    def of_stated(found, expected):
        found, expected = np.ravel(found), np.ravel(expected)
        assert found.shape == expected.shape, f"{found.shape} numbers against {expected.shape}"
        stated = np.isfinite(expected)
        assert stated.mean() >= least, f"only {stated.mean():.2%} of the numbers are determined"
        return f"{check(found[stated], expected[stated])}, {np.sum(~stated)} of {stated.size} not determined"

    return of_stated


def scores_and_errors(resamples):
    """Scores are the same number; standard errors come from different draws."""
    # A standard error from N draws varies by 1/√(2N) of itself, the corrected one by some times that.
    tolerance = 5 / np.sqrt(resamples)

    def check(found, expected):
        n_models = len(expected) // 2
        difference = largest_difference(found[:n_models], expected[:n_models])
        assert difference <= 1e-9, f"scores differ by {difference}"
        ratio = found[n_models:] / expected[n_models:]
        worst = float(np.max(np.abs(ratio - 1)))
        assert worst <= tolerance, f"standard errors differ by {worst:.0%}, more than {tolerance:.0%}"
        return f"{difference:.0e}, errors within {worst:.0%}"

    return check


def score_and_p(permutations):
    """The score is the same number; both p come from permutations of their own."""

    def check(found, expected):
        difference = abs(found[0] - expected[0])
        assert difference <= 1e-9, f"scores differ by {difference}"
        between = abs(found[1] - expected[1])
        p = (found[1] + expected[1]) / 2
        tolerance = 5 * np.sqrt(2 * p * (1 - p) / permutations)
        assert between <= tolerance, f"p is {found[1]} and {expected[1]}"
        return f"{difference:.0e}, p {found[1]:.3f} and {expected[1]:.3f}"

    return check


def same_layers(found, expected):
    """Every layer file of the peer against ours, relative to the layer's largest value."""
    worst = 0.0
    for path in sorted(pathlib.Path(expected).glob("*.npy")):
        theirs = np.load(path, mmap_mode="r")
        ours = np.load(pathlib.Path(found) / path.name, mmap_mode="r")
        worst = max(worst, largest_difference(ours, theirs) / float(np.max(np.abs(theirs))))
    assert worst <= 1e-4, f"layers differ by {worst} of their largest value"
    return f"{worst:.0e} of the largest"


def numbers(path):
    """What a command wrote: an array, or the JSON it printed."""
    path = pathlib.Path(path)
    if path.suffix == ".npy":
        return np.load(path).ravel()
    found = json.loads(path.read_text())
    if "lower" in found:
        return np.array([found["lower"], found["upper"]])
    return np.array([m[key] for key in ("score", "sem") for m in found["models"]])
