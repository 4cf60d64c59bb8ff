"""RDMs from arrangements."""

from checks import relative

from .common import arrangements, in_process


def inverse_mds(setup):
    size = (8, 10, 5) if setup.quick else (100, 200, 20)
    n_items, n_trials, per_trial = size
    # Rounding may end a scaling a step earlier or later.
    yield in_process(
        setup, f"inverse-mds/{n_items}/{n_trials}x{per_trial}", "NumPy, trial by trial", "numpy_arrangement.py",
        ("inverse-mds", "inverse-mds"), arrangements(setup.folder, *size), relative(1e-3), slow=True, at_least=50,
    )
