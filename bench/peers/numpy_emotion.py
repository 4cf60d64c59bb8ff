"""Selective units and geometry of valence and arousal in NumPy and SciPy, as one would write them with care."""

import clock
import numpy as np
import scipy
import scipy.spatial
import scipy.stats


def bin_selectivity(responses, ratings, resamples):
    x, ratings = np.load(responses), np.load(ratings)
    x = x - x.mean(0)
    n, n_resamples = len(x), int(resamples)
    edges = [np.quantile(axis, [1 / 3, 2 / 3]) for axis in ratings.T]
    valence, arousal = (np.digitize(axis, cuts) for axis, cuts in zip(ratings.T, edges))
    bins = 3 * (2 - arousal) + valence
    members = (bins == np.arange(9)[:, None]).astype(float)
    both = np.hstack([x, x * x])

    def counts(times):
        weights = members * times
        sums, squares = np.split(weights @ both, 2, axis=1)
        inside = weights.sum(1, keepdims=True)
        outside = inside.sum() - inside
        groups = [(inside, sums, squares), (outside, sums.sum(0) - sums, squares.sum(0) - squares)]
        (n_in, mean_in, var_in), (n_out, mean_out, var_out) = (
            (k, s / k, (q - s * s / k) / (k - 1)) for k, s, q in groups
        )
        passes = (mean_in - mean_out) / np.sqrt((var_in + var_out) / 2) > 0.65
        a, b = var_in / n_in, var_out / n_out
        t = (mean_in - mean_out) / np.sqrt(a + b)
        dof = (a + b) ** 2 / (a**2 / (n_in - 1) + b**2 / (n_out - 1))
        passes[passes] = 2 * scipy.stats.t.sf(np.abs(t[passes]), dof[passes]) < 0.05
        return passes.sum(1)

    def work():
        rng = np.random.default_rng(1)
        draws = [counts(np.bincount(rng.integers(0, n, n), minlength=n)) for _ in range(n_resamples)]
        sem = np.std(draws, axis=0, ddof=1) * np.sqrt(n / (n - 1))
        return [*counts(np.ones(n)), *sem]

    return work


def geometry(patterns, ratings, sets):
    x, ratings = np.load(patterns), np.load(ratings)
    upper = np.triu_indices(len(x), 1)

    def ranks(values):
        found = scipy.stats.rankdata(values)
        found -= found.mean()
        return found / np.sqrt(found @ found)

    def work():
        model = ranks(scipy.spatial.distance.pdist(ratings))
        return [ranks(1 - np.corrcoef(x)[upper]) @ model for _ in range(int(sets))]

    return work


if __name__ == "__main__":
    clock.main(
        {"bin-selectivity": bin_selectivity, "geometry": geometry},
        {"numpy": np.__version__, "scipy": scipy.__version__},
    )
