"""Mantel test in NumPy as one would write it with care: ranks once, a permutation only rearranges them."""

import clock
import numpy as np


def ranks(values):
    """Average ranks, centred, of length one."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    found = (np.cumsum(counts) - (counts - 1) / 2)[where]
    found -= found.mean()
    return found / np.sqrt(found @ found)


def mantel(a, b, permutations):
    a, b = np.load(a)[0], np.load(b)[0]
    n_permutations = int(permutations)
    n = round((1 + np.sqrt(1 + 8 * len(a))) / 2)
    upper = np.triu_indices(n, 1)

    def square(values):
        found = np.zeros((n, n))
        found[upper] = values
        return found + found.T

    def work():
        rng = np.random.default_rng(1)
        first, second = square(ranks(a)), square(ranks(b))
        score = np.vdot(first, second) / 2
        n_at_least = 0
        for _ in range(n_permutations):
            order = rng.permutation(n)
            permuted = second[order].take(order, axis=1)
            n_at_least += np.vdot(first, permuted) / 2 >= score - 1e-12
        return [score, (1 + n_at_least) / (1 + n_permutations)]

    return work


if __name__ == "__main__":
    clock.main({"mantel": mantel}, {"numpy": np.__version__})
