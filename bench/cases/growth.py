"""How our own time and memory grow with the size of the work: three sizes each."""

from measure import KERNEL, Growth, Side

from .common import arrangements, features_and_targets, patterns, rdms, runs_of_patterns


def growth(setup):
    small = setup.quick
    folder = setup.folder

    def at(work, size, task, inputs):
        rounds = 1 if small else setup.inner
        return Growth(f"growth/{work}", size, Side([KERNEL, task, rounds, setup.outputs[0], *inputs]))

    for n in (10, 20, 40) if small else (1000, 2000, 4000):
        p = 100 if small else 4096
        yield at("rdm, conditions", f"{n} × {p}", "rdm", [patterns(folder / "x.npy", n, p)])
    for p in (100, 200, 400) if small else (12_500, 25_000, 50_000):
        n = 10 if small else 1000
        yield at("rdm, channels", f"{n} × {p}", "rdm", [patterns(folder / "x.npy", n, p)])
    for n in (5, 10, 20) if small else (46, 92, 184):
        n_runs, p = (3, 20) if small else (8, 500)
        inputs = runs_of_patterns(folder, n, n_runs, p)
        yield at("crossnobis, conditions", f"{n} × {n_runs} × {p}", "crossnobis", inputs)
    for count in (5, 10, 20) if small else (250, 500, 1000):
        n = 8 if small else 92
        inputs = rdms(folder, n, [("a", 1, 2.0), ("b", count, 2.0)])
        yield at("compare spearman, RDMs", f"1 × {count} of {n}", "compare", [*inputs, "spearman"])
    sizes = [(8, r) for r in (10, 20, 40)] if small else [(92, r) for r in (250, 500, 1000)]
    for n, resamples in sizes:
        inputs = rdms(folder, n, [("models", 8, 2.0), ("data", 16, 1.5)])
        arguments = [*inputs, "spearman", "both", resamples]
        yield at("infer spearman, resamples", f"8 × 16 of {n}, {resamples}", "infer", arguments)
    for n in (8, 12, 16) if small else (46, 92, 184):
        resamples = 10 if small else 250
        inputs = rdms(folder, n, [("models", 8, 2.0), ("data", 16, 1.5)])
        arguments = [*inputs, "spearman", "both", resamples]
        yield at("infer spearman, conditions", f"8 × 16 of {n}, {resamples}", "infer", arguments)
    for n in (8, 12, 16) if small else (175, 350, 700):
        permutations = 20 if small else 1000
        inputs = rdms(folder, n, [("a", 1, 20.0), ("b", 1, 20.0)])
        yield at("mantel, conditions", f"{n}, {permutations}", "mantel", [*inputs, permutations])
    for v in (20, 40, 80) if small else (5000, 10_000, 20_000):
        n, p, n_alphas = (30, 40, 3) if small else (1000, 4096, 20)
        inputs = features_and_targets(folder, n, p, v, n_alphas)
        yield at("ridge, targets", f"{n} × {p} → {v}, {n_alphas}", "ridge", inputs)
    for n_items, n_trials in ((8, 5), (8, 10), (8, 20)) if small else ((100, 50), (100, 100), (100, 200)):
        per_trial = 5 if small else 20
        inputs = arrangements(folder, n_items, n_trials, per_trial)
        yield at("inverse-mds, trials", f"{n_items}, {n_trials} × {per_trial}", "inverse-mds", inputs)
