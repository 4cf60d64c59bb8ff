"""RDMs with RDMs, and inference on that."""

from checks import score_and_p, scores_and_errors, within

from .common import in_process, rdms, whole_command

RSATOOLBOX = "rsatoolbox_rsa.py"


def compare(setup):
    few, many = (12, 30) if setup.quick else (92, 700)
    for similarity, (n_a, n_b, n), at_least in [
        ("spearman", (200, 200, few), None),
        ("spearman", (1, 1000, few), 20),
        ("kendall-tau-a", (1, 200, few), 10),
        ("kendall-tau-a", (1, 5, many), 5),
    ]:
        a, b = rdms(setup.folder, n, [("a", n_a, 2.0), ("b", n_b, 2.0)])
        name, inputs = f"compare/{similarity}/{n_a}x{n_b}x{n}", [a, b]
        case = (name, "rsatoolbox compare", RSATOOLBOX)
        arguments = [*inputs, similarity]
        yield in_process(setup, *case, ("compare", "compare"), arguments, within(1e-9), at_least=at_least)
        if setup.programs and at_least is None:
            command = ["compare", *inputs, "--similarity", similarity]
            yield whole_command(setup, *case, "compare", arguments, command, within(1e-9))


def ceiling(setup):
    n = 12 if setup.quick else 92
    data = rdms(setup.folder, n, [("data", 8, 1.5)])
    case = (f"ceiling/8x{n}", "rsatoolbox boot_noise_ceiling", RSATOOLBOX)
    yield in_process(setup, *case, ("ceiling", "ceiling"), data, within(1e-9))
    if setup.programs:
        command = ["ceiling", *data, "--similarity", "spearman"]
        yield whole_command(setup, *case, "ceiling", data, command, within(1e-9))


def infer(setup):
    n = 12 if setup.quick else 92
    resamples = 40 if setup.quick else 1000
    inputs = rdms(setup.folder, n, [("models", 8, 2.0), ("data", 16, 1.5)])
    # rsatoolbox takes six minutes for all resamples of ranks; its time grows with their number.
    for similarity, theirs, at_least in [("cosine", resamples, 200), ("spearman", resamples // (2 if setup.quick else 20), 500)]:
        peer = "rsatoolbox eval_dual_bootstrap"
        yield in_process(
            setup, f"infer/both/{similarity}/8x16x{n}/{resamples}",
            peer if theirs == resamples else f"{peer}, {theirs} resamples, × {resamples // theirs}",
            RSATOOLBOX, ("infer", "infer"), [*inputs, similarity, "both", resamples], scores_and_errors(theirs),
            theirs=[*inputs, similarity, "both", theirs], share=theirs / resamples, slow=True, at_least=at_least,
        )
    if not setup.programs:
        return
    resamples = 20 if setup.quick else 50
    models, data = rdms(setup.folder, n, [("models", 10, 2.0), ("data", 8, 1.5)])
    for bootstrap, function in [
        ("both", "eval_dual_bootstrap"),
        ("conditions", "eval_bootstrap_pattern"),
    ]:
        command = ["infer", "--models", models, "--data", data, "--similarity", "spearman", "--seed", 1]
        yield whole_command(
            setup, f"infer/{bootstrap}/spearman/10x8x{n}/{resamples}", f"rsatoolbox {function}",
            RSATOOLBOX, "infer", [models, data, "spearman", bootstrap, resamples],
            [*command, "--bootstrap", bootstrap, "--resamples", resamples],
            scores_and_errors(resamples), slow=True,
        )


def mantel(setup):
    n, permutations = (20, 99) if setup.quick else (700, 1000)
    # So noisy that p is not at its floor, where anything would agree.
    a, b = rdms(setup.folder, n, [("a", 1, 20.0), ("b", 1, 20.0)])
    yield in_process(
        setup, f"mantel/spearman/{n}/{permutations}", "NumPy, ranks once", "numpy_mantel.py", ("mantel", "mantel"),
        [a, b, permutations], score_and_p(permutations), rounds=1, at_least=15,
    )
