"""Correlation RDM by `numpy.corrcoef`, in the double precision that it chooses and in single; matrix products."""

import clock
import numpy as np


def rdm(dtype):
    def prepare(patterns):
        patterns = np.load(patterns)
        upper = np.triu_indices(len(patterns), 1)
        return lambda: 1 - np.corrcoef(patterns, dtype=dtype)[upper]

    return prepare


def product(a, b):
    """As in `bench/src/tasks/products.rs`: the numbers are the first column."""
    a, b = np.load(a), np.load(b)
    c = np.empty((len(a), b.shape[1]), a.dtype)

    def work():
        np.matmul(a, b, out=c)
        return c[:, 0]

    return work


if __name__ == "__main__":
    tasks = {"rdm": rdm(None), "rdm-f32": rdm(np.float32), "product": product}
    clock.main(tasks, {"numpy": np.__version__})
