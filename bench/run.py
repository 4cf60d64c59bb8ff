#!/usr/bin/env python3
"""Times consilience against its peers on the same input files, and checks that both agree.

    python bench/run.py            measures, writes bench/results/DATE.md and .json
    python bench/run.py --quick    tiny sizes, no measurement worth reading: do all benches work and agree?

Run it with a Python that has bench/peers/requirements.txt. docs/bench.md says what is measured.
"""

import argparse
import contextlib
import dataclasses
import datetime
import glob
import itertools
import json
import os
import pathlib
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PROGRAM = ROOT / "target" / "release" / "consilience"
KERNEL = ROOT / "bench" / "target" / "release" / "kernel"
DATA = pathlib.Path(os.environ.get("CONSILIENCE_DATA", ROOT / ".." / "shared" / "data")).resolve()
WEIGHTS = DATA / "squeezenet1_1" / "squeezenet1_1.safetensors"
PICTURES = DATA / "kriegeskorte92" / "stimuli"


@dataclasses.dataclass
class Side:
    """One way to do a case: what is run, and how long it took."""

    command: list
    seconds: list = dataclasses.field(default_factory=list)
    others: list = dataclasses.field(default_factory=list)
    peak_mib: float = 0.0


@dataclasses.dataclass
class Case:
    """The same work by us and by a peer.

    A kernel writes its numbers to a file and prints the seconds of each round inside the process;
    a whole command is timed from outside.
    """

    name: str
    peer: str
    ours: Side
    theirs: Side
    whole: bool
    check: object
    outputs: tuple
    slow: bool = False
    agreement: str = ""
    # Run once before, outside the clock.
    prepare: tuple = ()


@dataclasses.dataclass
class Bar:
    """A whole command of ours with limits that were set beforehand."""

    name: str
    side: Side
    max_seconds: float
    max_mib: float


# --- running -------------------------------------------------------------------------------------


def busy_seconds():
    """Processor seconds that the whole machine has spent working."""
    fields = [int(x) for x in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    user, nice, system, _idle, _wait, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def wait_until_quiet(patience):
    """Waits until other processes use less than a fifth of a core, at most `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = busy_seconds() - own_seconds()
        time.sleep(0.5)
        if (busy_seconds() - own_seconds() - before) / 0.5 < 0.2:
            return


def call(command, environment):
    """Runs a command: its output, wall seconds, cores that others used meanwhile, peak MiB."""
    with tempfile.NamedTemporaryFile("r") as usage:
        others, start = busy_seconds() - own_seconds(), time.perf_counter()
        done = subprocess.run(
            ["/usr/bin/time", "-f", "%M", "-o", usage.name, *map(str, command)],
            env=environment, cwd=ROOT, text=True, capture_output=True,
        )
        wall = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"{' '.join(map(str, command))}\nended with {done.returncode}:\n{done.stderr}")
        others = (busy_seconds() - own_seconds() - others) / wall
        return done.stdout, wall, max(others, 0.0), int(usage.read().split()[-1]) / 1024


def measure(side, whole, fresh, environment, patience):
    for path in fresh:
        shutil.rmtree(path, ignore_errors=True)
    wait_until_quiet(patience)
    printed, wall, others, peak = call(side.command, environment)
    side.seconds += [wall] if whole else json.loads(printed)["seconds"]
    side.others.append(others)
    side.peak_mib = max(side.peak_mib, peak)
    return printed


# --- checking ------------------------------------------------------------------------------------


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


# --- cases ---------------------------------------------------------------------------------------


def write_inputs(folder, quick):
    """Arrays from fixed seeds; the RDMs share some structure, as those of real subjects do."""
    rng = np.random.default_rng(92)
    n, p = (40, 300) if quick else (1000, 50_000)
    np.save(folder / "patterns.npy", rng.standard_normal((n, p), np.float32))
    n_conditions = 12 if quick else 92
    shared = rng.standard_normal((n_conditions, 30))
    upper = np.triu_indices(n_conditions, 1)
    for name, count, noise in [("models", 10, 2.0), ("data", 8, 1.5), ("many", 200, 2.0)]:
        noisy = [shared + noise * rng.standard_normal(shared.shape) for _ in range(count)]
        np.save(folder / f"{name}.npy", np.array([1 - np.corrcoef(x)[upper] for x in noisy]))
    return f"{n}x{p}", n_conditions


def array_cases(folder, quick, threads, inner):
    size, n_conditions = write_inputs(folder, quick)
    patterns, models, data, many = (
        folder / f"{name}.npy" for name in ("patterns", "models", "data", "many")
    )
    ours, theirs = folder / "ours.npy", folder / "theirs.npy"

    def in_process(name, peer, script, tasks, inputs, tolerance, slow=False):
        rounds = 1 if slow else inner
        return Case(
            name, peer,
            Side([KERNEL, tasks[0], rounds, ours, *inputs]),
            Side([sys.executable, PEERS / script, tasks[1], rounds, theirs, *inputs]),
            False, within(tolerance), (ours, theirs), slow,
        )

    def whole(name, peer, script, task, inputs, command, check, slow=False):
        """A command that prints JSON or is told where to write an array."""
        written = ours if task in ("rdm", "compare") else folder / "ours.json"
        to = ["--out", ours] if written == ours else []
        return Case(
            name, peer,
            Side([PROGRAM, *command, *to, "--threads", threads]),
            Side([sys.executable, PEERS / script, task, 0, theirs, *inputs]),
            True, check, (written, theirs), slow,
        )

    rsatoolbox = "rsatoolbox_rsa.py"
    name, x = f"rdm/{size}", [patterns]
    yield in_process(name, "numpy.corrcoef", "numpy_rdm.py", ("rdm", "rdm"), x, 1e-5)
    yield in_process(
        name, "numpy.corrcoef, dtype f32", "numpy_rdm.py", ("rdm", "rdm-f32"), x, 1e-5
    )
    yield in_process(
        name, "rsatoolbox calc_rdm", rsatoolbox, ("rdm", "rdm"), x, 1e-5, slow=True
    )
    command = ["rdm", patterns, "--dissimilarity", "correlation"]
    yield whole(name, "numpy.corrcoef", "numpy_rdm.py", "rdm", x, command, within(1e-5))

    spearman = ["--similarity", "spearman"]
    for task, case, peer, inputs in [
        ("compare", f"200x200x{n_conditions}", "compare", [many, many]),
        ("ceiling", f"8x{n_conditions}", "boot_noise_ceiling", [data]),
    ]:
        name, peer = f"{task}/{case}", f"rsatoolbox {peer}"
        yield in_process(name, peer, rsatoolbox, (task, task), inputs, 1e-9)
        command = [task, *inputs, *spearman]
        yield whole(name, peer, rsatoolbox, task, inputs, command, within(1e-9))

    # A thousand resamples take rsatoolbox many minutes; the time of both grows with their number.
    resamples = 20 if quick else 50
    for bootstrap, function in [
        ("both", "eval_dual_bootstrap"),
        ("conditions", "eval_bootstrap_pattern"),
    ]:
        command = ["infer", "--models", models, "--data", data, *spearman, "--seed", 1]
        yield whole(
            f"infer/{bootstrap}/10x8x{n_conditions}/{resamples}", f"rsatoolbox {function}",
            rsatoolbox, "infer", [models, data, bootstrap, resamples],
            [*command, "--bootstrap", bootstrap, "--resamples", resamples],
            scores_and_errors(resamples), slow=True,
        )


def ridge_cases(folder, quick, threads, inner):
    """Features with a falling spectrum; targets of which most follow them more or less."""
    n, p, v, n_alphas = (60, 90, 300, 7) if quick else (1000, 4096, 20_000, 20)
    rng = np.random.default_rng(7)
    x = rng.standard_normal((n, p), np.float32) * (1 + np.arange(p, dtype=np.float32)) ** -0.5
    y = x @ rng.standard_normal((p, v), np.float32) * np.linspace(0, 2, v, dtype=np.float32)
    y += rng.standard_normal((n, v), np.float32)
    inputs = [folder / f"ridge_{name}.npy" for name in ("x", "y", "alphas")]
    for path, array in zip(inputs, (x, y, np.geomspace(1e-2, 1e5, n_alphas))):
        np.save(path, array)
    ours, theirs = folder / "ours.npy", folder / "theirs.npy"
    for task, peer in [("ridge-kernel", "himalaya KernelRidgeCV"), ("ridge-rows", "himalaya RidgeCV")]:
        yield Case(
            f"ridge/{n}x{p}/{v}/{n_alphas}/5", peer,
            Side([KERNEL, "ridge", inner, ours, *inputs]),
            Side([sys.executable, PEERS / "himalaya_ridge.py", task, inner, theirs, *inputs]),
            False, within(1e-5), (ours, theirs),
        )
    out = folder / "ridge"
    yield Case(
        f"ridge/{n}x{p}/{v}/{n_alphas}/5", "himalaya KernelRidgeCV",
        Side([PROGRAM, "ridge", "--x", inputs[0], "--y", inputs[1], "--alphas", inputs[2], "--out", out, "--threads", threads]),
        Side([sys.executable, PEERS / "himalaya_ridge.py", "ridge-kernel", 0, theirs, *inputs]),
        True, within(1e-5), (out / "r2.npy", theirs),
    )


def extraction_cases(folder, quick, threads, torch_python, executors):
    pictures = PICTURES
    if quick:
        pictures = folder / "pictures"
        pictures.mkdir()
        for path in sorted(PICTURES.glob("*.png"))[:3]:
            shutil.copy(path, pictures)
    n = len(list(pictures.glob("*.png")))
    ours, theirs = folder / "ours.npy", folder / "theirs.npy"
    torch = [torch_python, PEERS / "torch_extract.py"]
    for executor in executors:
        for batch in [1] if quick else [1, 8]:
            yield Case(
                f"extract/squeezenet1_1/{n}/{executor}", f"PyTorch hooks, batch {batch}",
                Side([KERNEL, "extract", 2, ours, WEIGHTS, pictures, executor, threads]),
                Side([*torch, "extract", 2, theirs, WEIGHTS, pictures, batch]),
                False, within(1e-4), (ours, theirs),
            )
        ours_files, theirs_files = folder / "ours-layers", folder / "theirs-layers"
        command = ["extract", "--model", "squeezenet1_1", "--weights", WEIGHTS, "--images", pictures]
        yield Case(
            f"extract/squeezenet1_1/{n}/{executor}", "PyTorch hooks, batch 1",
            Side([PROGRAM, *command, "--executor", executor, "--out", ours_files, "--threads", threads]),
            Side([*torch, "save", WEIGHTS, pictures, 1, theirs_files]),
            True, same_layers, (ours_files, theirs_files),
        )


# A layer in the middle, by torchvision's name.
NETWORKS = {
    "alexnet": "features.8",
    "vgg16": "features.17",
    "resnet50": "layer3.0.conv2",
    "vit_b_16": "encoder.layers.encoder_layer_5",
}


def network_cases(folder, quick, threads, torch_python, executors):
    """A batch of 16 pictures in memory to a layer in the middle."""
    torch = [torch_python, PEERS / "torch_networks.py"]
    pictures = folder / "batch"
    drawn_pictures(pictures, 2 if quick else 16)
    ours, theirs = folder / "ours.npy", folder / "theirs.npy"
    for name, layer in NETWORKS.items():
        weights = folder / f"{name}.safetensors"
        for executor in executors:
            yield Case(
                f"forward/{name}/b16/{executor}", "PyTorch, hook",
                Side([KERNEL, "forward", 1 if quick else 5, ours, name, weights, pictures, layer, executor, threads]),
                Side([*torch, "forward", 1 if quick else 5, theirs, name, weights, pictures, layer]),
                False, relative(1e-4), (ours, theirs), prepare=[*torch, "weights", name, weights],
            )


CONVOLUTIONS = [f"features.{idx}" for idx in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]


def explanation_cases(folder, quick, torch_python):
    """Grad-CAM of every convolution of VGG16, which we do in one pass, and files of weights."""
    torch = [torch_python, PEERS / "torch_networks.py"]
    pictures = folder / "explained"
    drawn_pictures(pictures, 1 if quick else 4)
    ours, theirs = folder / "ours.npy", folder / "theirs.npy"
    name, layers = ("squeezenet1_1", ["features.0"]) if quick else ("vgg16", CONVOLUTIONS)
    weights = folder / f"{name}.safetensors"
    inputs = [name, weights, pictures, ",".join(layers)]
    rounds = 1 if quick else 3
    yield Case(
        f"gradcam/{name}/{len(layers)} layers", "pytorch-grad-cam, a call a layer",
        Side([KERNEL, "gradcam", rounds, ours, *inputs]),
        Side([*torch, "gradcam", rounds, theirs, *inputs]),
        False, relative(1e-3), (ours, theirs), slow=True, prepare=[*torch, "weights", name, weights],
    )
    name = "squeezenet1_1" if quick else "resnet50"
    weights = folder / f"{name}.safetensors"
    for file, reader in [(weights, "safetensors"), (weights.with_suffix(".pth"), "torch.load")]:
        yield Case(
            f"weights/{file.name}", reader,
            Side([KERNEL, "weights-file", 3, ours, file]),
            Side([*torch, "weights-file", 3, theirs, file]),
            False, within(1e-7), (ours, theirs), prepare=[*torch, "weights", name, weights],
        )


def photographs(folder, count):
    """JPEG files of a camera's shape, cut at random from the photographs of the data folder."""
    folder.mkdir()
    sources = sorted(path for path in (DATA / "net2brain78").rglob("*.jpg"))
    sources += sorted(path for path in (DATA / "sample_photos").rglob("*.jpg"))
    rng = np.random.default_rng(1000)
    for i in range(count):
        with Image.open(sources[i % len(sources)]) as source:
            source = source.convert("RGB")
            share = rng.uniform(0.6, 1.0)
            width, height = (int(share * extent) for extent in source.size)
            left, upper = (int(rng.integers(0, a - b + 1)) for a, b in zip(source.size, (width, height)))
            cut = source.crop((left, upper, left + width, upper + height))
            cut.resize((500, 375), Image.Resampling.LANCZOS).save(folder / f"{i:05}.jpg", quality=90)


def photograph_cases(folder, quick, threads, torch_python, executors):
    """From files to pooled features on the disk: a whole command against a DataLoader with a hook."""
    torch = [torch_python, PEERS / "torch_networks.py"]
    pictures = folder / "photographs"
    n = 4 if quick else 1000
    photographs(pictures, n)
    for name, layer in [("squeezenet1_1", "features.12")] if quick else [("alexnet", "features.12"), ("resnet50", "layer4")]:
        weights = folder / f"{name}.safetensors"
        for executor in executors:
            ours, theirs = folder / "ours-features", folder / "theirs-features"
            command = ["extract", "--model", name, "--weights", weights, "--images", pictures, "--layers", layer]
            yield Case(
                f"photographs/{name}/{n}/{executor}", "torchvision DataLoader, hook",
                Side([PROGRAM, *command, "--pool", "mean", "--executor", executor, "--out", ours, "--threads", threads]),
                Side([*torch, "folder", name, weights, pictures, layer, theirs]),
                True, same_layers, (ours, theirs), slow=True, prepare=[*torch, "weights", name, weights],
            )


def large_layer(folder, threads, torch_python, executors):
    """Memory while 10,000 pictures pass through a layer of 193,600 units, which makes a file of 7.2 GiB."""
    pictures = folder / "many-photographs"
    photographs(pictures, 500)
    names = "\n".join(str(path) for path in sorted(pictures.glob("*.jpg")))
    (folder / "list.txt").write_text("\n".join([names] * 20) + "\n")
    weights = folder / "alexnet.safetensors"
    subprocess.run([torch_python, PEERS / "torch_networks.py", "weights", "alexnet", weights], check=True)
    for executor in executors:
        command = ["extract", "--model", "alexnet", "--weights", weights, "--images", folder / "list.txt"]
        out = folder / "results"
        yield Bar(
            f"large-layer ({executor})",
            Side([PROGRAM, *command, "--layers", "features.0", "--executor", executor, "--out", out, "--threads", threads]),
            600, 1500,
        )


def drawn_pictures(folder, count):
    """Smooth noise of the networks' size."""
    folder.mkdir()
    rng = np.random.default_rng(16)
    for i in range(count):
        coarse = rng.integers(0, 256, (14, 14, 3), np.uint8)
        Image.fromarray(coarse).resize((224, 224), Image.Resampling.BICUBIC).save(folder / f"{i:02}.png")


def bars(folder, quick, threads, executors):
    out = folder / "results"
    command = [PROGRAM, "demo", "--out", out, "--threads", threads]
    yield Bar("demo", Side(command), 30, 1500)
    if not quick and DATA.is_dir():
        study = ROOT / "examples" / "kriegeskorte92" / "study.toml"
        for executor in executors:
            yield Bar(
                f"run kriegeskorte92 ({executor}, cold cache)",
                Side([PROGRAM, "run", study, "--executor", executor, "--out", out, "--threads", threads]),
                60, 1500,
            )


# --- report --------------------------------------------------------------------------------------


def first_line(*command):
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(
            command, cwd=ROOT, text=True, capture_output=True, check=True
        ).stdout.strip().split("\n")[0]
    return "unknown"


def machine(threads, versions):
    processor = [
        line.split(":")[1].strip()
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "processor": processor[0] if processor else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": threads,
        "consilience": first_line(PROGRAM, "--version"),
        "commit": first_line("git", "rev-parse", "--short", "HEAD"),
        "rustc": first_line("rustc", "--version"),
        "python": platform.python_version(),
        **versions,
    }


def duration(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def as_markdown(facts, bars, cases):
    """Ratio above one: we are that many times as fast."""
    lines = ["| " + " | ".join(str(key) for key in facts) + " |", "|" + "---|" * len(facts)]
    lines += ["| " + " | ".join(str(value) for value in facts.values()) + " |", ""]
    lines += ["| whole command | wall min / median | peak memory | limits | others' load |"]
    lines += ["|---|---|---|---|---|"]
    for bar in bars:
        s = bar.side
        lines.append(
            f"| {bar.name} | {duration(min(s.seconds))} / {duration(statistics.median(s.seconds))} "
            f"| {s.peak_mib:.0f} MiB | {bar.max_seconds:.0f} s, {bar.max_mib:.0f} MB "
            f"| {max(s.others):.2f} |"
        )
    lines += ["", "| case | measured | peer | ours min / median | peer min / median "]
    lines[-1] += "| ratio to peer | peak MiB ours / peer | largest difference | others' load |"
    lines += ["|" + "---|" * 9]
    for case in cases:
        ours, theirs = case.ours, case.theirs
        ratio = min(theirs.seconds) / min(ours.seconds)
        lines.append(
            f"| {case.name} | {'whole command' if case.whole else 'in process'} | {case.peer} "
            f"| {duration(min(ours.seconds))} / {duration(statistics.median(ours.seconds))} "
            f"| {duration(min(theirs.seconds))} / {duration(statistics.median(theirs.seconds))} "
            f"| {ratio:.2f} | {ours.peak_mib:.0f} / {theirs.peak_mib:.0f} | {case.agreement} "
            f"| {max(ours.others + theirs.others):.2f} |"
        )
    return "\n".join(lines) + "\n"


def as_json(facts, bars, cases):
    def plain(value):
        entry = dataclasses.asdict(value)
        for unwanted in ("check", "outputs", "prepare"):
            entry.pop(unwanted, None)
        for side in (entry.get(key) for key in ("ours", "theirs", "side")):
            if side:
                # The command without the machine's folders.
                side["command"] = [pathlib.Path(str(word)).name for word in side["command"]]
        return entry

    results = {"machine": facts, "bars": [*map(plain, bars)], "cases": [*map(plain, cases)]}
    return json.dumps(results, indent=1) + "\n"


# --- main ----------------------------------------------------------------------------------------


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only checks")
    parser.add_argument("--rounds", type=int, default=3, help="alternations of us and the peer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet machine")
    parser.add_argument("--torch-python", default="/usr/bin/python3", help="a Python with PyTorch")
    parser.add_argument("--work", help="folder for large files; default: /dev/shm where there is one")
    parser.add_argument("--no-build", action="store_true")
    return parser.parse_args()


def save(args, versions, done_bars, done_cases):
    """Writes what is there so far: a run of many minutes may be cut short."""
    facts = machine(args.threads, versions)
    folder = ROOT / "bench" / "results"
    folder.mkdir(exist_ok=True)
    name = datetime.date.today().isoformat() + (f"-{args.only}" if args.only else "")
    (folder / f"{name}.md").write_text(as_markdown(facts, done_bars, done_cases))
    (folder / f"{name}.json").write_text(as_json(facts, done_bars, done_cases))


def main():
    args = arguments()
    if not args.no_build:
        for extra in ([], ["--manifest-path", "bench/Cargo.toml"]):
            subprocess.run(["cargo", "build", "--release", "--locked", *extra], cwd=ROOT, check=True)
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=args.work or shared_memory) as folder:
        compare(args, pathlib.Path(folder))


def compare(args, folder):
    # One round is enough to see that a bench works.
    rounds, inner, patience = (1, 1, 0) if args.quick else (args.rounds, 3, args.patience)
    cache = folder / "cache"
    environment = {
        **os.environ,
        **{f"{name}_NUM_THREADS": str(args.threads) for name in ("OMP", "OPENBLAS", "RAYON")},
        "CONSILIENCE_CACHE": str(cache),
        "CONSILIENCE_DATA": str(DATA),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    executors = ["rten"]
    found = glob.glob(f"{sys.prefix}/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so*")
    if found:
        environment["ORT_DYLIB_PATH"] = found[0]
        executors.append("onnx-runtime")

    torch, torchvision = (
        first_line(args.torch_python, "-c", f"import {name}; print({name}.__version__)")
        for name in ("torch", "torchvision")
    )
    cases = array_cases(folder, args.quick, args.threads, inner)
    with_torch = []
    if torch == "unknown":
        print(f"SKIPPED: extraction against PyTorch ({args.torch_python} has none)", file=sys.stderr)
    elif not DATA.is_dir():
        print("SKIPPED: extraction against PyTorch (no data folder)", file=sys.stderr)
    else:
        with_torch = extraction_cases(
            folder, args.quick, args.threads, args.torch_python, executors
        )

    with_torchvision, large = [], []
    if torchvision == "unknown":
        print(f"SKIPPED: networks ({args.torch_python} has no torchvision)", file=sys.stderr)
    else:
        with_torchvision = itertools.chain(
            network_cases(folder, args.quick, args.threads, args.torch_python, executors),
            explanation_cases(folder, args.quick, args.torch_python),
        )
        if DATA.is_dir():
            with_torchvision = itertools.chain(
                with_torchvision,
                photograph_cases(folder, args.quick, args.threads, args.torch_python, executors),
            )
            # Gigabytes on the disk, so only when it is asked for.
            if "large-layer" in args.only:
                large = large_layer(folder, args.threads, args.torch_python, executors)

    versions, done_bars, done_cases = {}, [], []
    for bar in itertools.chain(bars(folder, args.quick, args.threads, executors), large):
        if args.only not in bar.name:
            continue
        print(bar.name, file=sys.stderr)
        for _ in range(1 if "large-layer" in bar.name else rounds):
            measure(bar.side, True, [cache, folder / "results"], environment, patience)
        done_bars.append(bar)
    with_himalaya = ridge_cases(folder, args.quick, args.threads, inner)
    for case in itertools.chain(cases, with_himalaya, with_torch, with_torchvision):
        if args.only not in case.name:
            continue
        if case.prepare:
            call(case.prepare, environment)
        print(f"{case.name}: {case.peer}{', whole command' if case.whole else ''}", file=sys.stderr)
        for _ in range(1 if case.slow else rounds):
            for side, output in zip((case.ours, case.theirs), case.outputs):
                # Programs make their folders themselves.
                fresh = [output] if not output.suffix else []
                printed = measure(side, case.whole, fresh, environment, patience)
                if output.suffix == ".json":
                    output.write_text(printed)
                elif side is case.theirs and printed:
                    versions |= json.loads(printed)["versions"]
        ours, theirs = case.outputs
        if ours.suffix:
            ours, theirs = numbers(ours), numbers(theirs)
        case.agreement = case.check(ours, theirs)
        done_cases.append(case)

        if not args.quick:
            save(args, versions, done_bars, done_cases)
    print(as_markdown(machine(args.threads, versions), done_bars, done_cases))
    if args.quick:
        print("every bench works and agrees with its peer")


if __name__ == "__main__":
    main()
