"""Correlation RDM by `numpy.corrcoef`, in the double precision that it chooses and in single."""

import clock
import numpy as np


def rdm(dtype):
    def prepare(patterns):
        patterns = np.load(patterns)
        upper = np.triu_indices(len(patterns), 1)
        return lambda: 1 - np.corrcoef(patterns, dtype=dtype)[upper]

    return prepare


if __name__ == "__main__":
    clock.main({"rdm": rdm(None), "rdm-f32": rdm(np.float32)}, {"numpy": np.__version__})
