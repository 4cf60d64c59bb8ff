"""RDMs of patterns, and matrix products, which say what the machine could do."""

import numpy as np

from checks import relative, within

from .common import in_process, patterns, runs_of_patterns, whole_command

NUMPY, RSATOOLBOX = "numpy_rdm.py", "rsatoolbox_rsa.py"


def correlation(setup):
    for n, p in [(40, 300)] if setup.quick else [(1000, 50_000), (8000, 4096)]:
        name, x = f"rdm/{n}x{p}", [patterns(setup.folder / "patterns.npy", n, p)]
        large = n > 1000
        # A product of rows with rows, of which half is needed.
        options = {"rounds": 1 if large else None, "flops": n * (n - 1) * p, "width": "f32"}
        yield in_process(
            setup, name, "numpy.corrcoef", NUMPY, ("rdm", "rdm"), x, within(1e-5),
            at_least=4 if large else None, **options,
        )
        yield in_process(
            setup, name, "numpy.corrcoef, dtype f32", NUMPY, ("rdm", "rdm-f32"), x, within(1e-5), **options
        )
        yield in_process(
            setup, name, "rsatoolbox calc_rdm", RSATOOLBOX, ("rdm", "rdm"), x, within(1e-5), slow=True,
            at_least=45 if large else None, **options,
        )
        if setup.programs and not large:
            command = ["rdm", *x, "--dissimilarity", "correlation"]
            yield whole_command(setup, name, "numpy.corrcoef", NUMPY, "rdm", x, command, within(1e-5))


def crossnobis(setup):
    size = (6, 3, 20) if setup.quick else (92, 8, 500)
    inputs = runs_of_patterns(setup.folder, *size)
    name = "crossnobis/" + "x".join(map(str, size))
    for suffix, own in [("", inputs[:3]), ("/precision", inputs)]:
        yield in_process(
            setup, name + suffix, "rsatoolbox calc_rdm", RSATOOLBOX, ("crossnobis", "crossnobis"), own,
            relative(1e-9), at_least=10,
        )


def products(setup):
    n = 64 if setup.quick else 4096
    for dtype, width, tolerance in [(np.float32, "f32", 1e-4), (np.float64, "f64", 1e-10)]:
        factors = [setup.folder / f"{side}.npy" for side in "ab"]
        rng = np.random.default_rng(4)
        for path in factors:
            np.save(path, rng.standard_normal((n, n), dtype))
        yield in_process(
            setup, f"product/{n}/{width}", "numpy.matmul", NUMPY, ("product", "product"), factors,
            relative(tolerance), flops=2 * n**3, width=width,
        )
