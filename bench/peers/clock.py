"""The protocol of `bench/src/main.rs`, for peers: `TASK ROUNDS OUT.npy INPUT…`."""

import json
import sys
import time

import numpy as np


def main(tasks, versions):
    """Runs a task ROUNDS times, after an unmeasured one when there are several; 0 is once, untimed."""
    task, rounds, out, *inputs = sys.argv[1:]
    work = tasks[task](*inputs)
    n_rounds, seconds = int(rounds), []
    if n_rounds != 1:
        numbers = work()
    for _ in range(n_rounds):
        start = time.perf_counter()
        numbers = work()
        seconds.append(time.perf_counter() - start)
    np.save(out, np.asarray(numbers, np.float64).ravel())
    print(json.dumps({"seconds": seconds, "versions": versions}))
