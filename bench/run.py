#!/usr/bin/env python3
"""Times consilience against its peers on the same input files, and checks that both agree.

    python bench/run.py            measures, writes bench/results/DATE.md and .json
    python bench/run.py --quick    tiny sizes, no measurement worth reading: do all benches work and agree?
    python bench/run.py --arrays   only methods on arrays, in process: needs neither the program nor networks

Run it with a Python that has bench/peers/requirements.txt. docs/bench.md says what is measured.
"""

import argparse
import datetime
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from cases import ARRAYS, GROUPS
from checks import numbers
from measure import DATA, ROOT, Bar, Growth, Setup, call, measure
from report import as_json, as_markdown, machine


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="tiny sizes, only checks")
    parser.add_argument("--arrays", action="store_true", help="only methods on arrays, in process")
    parser.add_argument("--rounds", type=int, default=3, help="alternations of us and the peer")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="cases whose name begins with one of these")
    parser.add_argument("--name", help="the results' name after the date; default: what --only says")
    parser.add_argument("--patience", type=float, default=60, help="seconds to wait for a quiet machine")
    parser.add_argument("--ridge-python", default=sys.executable, help="a Python with himalaya")
    parser.add_argument("--torch-python", default="/usr/bin/python3", help="a Python with PyTorch")
    parser.add_argument("--work", help="folder for large files; default: /dev/shm where there is one")
    parser.add_argument("--no-build", action="store_true")
    return parser.parse_args()


def build(args):
    kernel = ["--manifest-path", "bench/Cargo.toml"]
    for extra in [[*kernel, "--no-default-features"]] if args.arrays else [[], kernel]:
        subprocess.run(["cargo", "build", "--release", "--locked", *extra], cwd=ROOT, check=True)


class Run:
    """What was measured so far."""

    def __init__(self, args, setup, environment, cache):
        self.args, self.setup, self.environment, self.cache = args, setup, environment, cache
        # One round is enough to see that a bench works.
        self.rounds, self.patience = (1, 0) if args.quick else (args.rounds, args.patience)
        self.versions, self.bars, self.cases, self.growths = {}, [], [], []

    def wants_group(self, group):
        """Whether it may hold a case that was asked for."""
        if self.args.arrays and group not in ARRAYS:
            return False
        only = [name.split("/", 1)[0] for name in self.args.only]
        return self.needs(group) or not only or any(group.startswith(name) for name in only)

    def needs(self, group):
        """Rates of other cases are told as shares of products'."""
        return group == "product" and any(case.flops for case in self.cases)

    def wants(self, group, item):
        return self.needs(group) or not self.args.only or any(item.name.startswith(name) for name in self.args.only)

    def measure(self, side, whole, fresh=()):
        return measure(side, whole, fresh, self.environment, self.patience)

    def bar(self, bar):
        for _ in range(1 if "large-layer" in bar.name else self.rounds):
            self.measure(bar.side, True, [self.cache, self.setup.folder / "results"])
        self.bars.append(bar)

    def growth(self, growth):
        self.measure(growth.side, False)
        self.growths.append(growth)

    def case(self, case):
        if case.prepare:
            call(case.prepare, self.environment)
        for _ in range(1 if case.slow else self.rounds):
            for side, output in zip((case.ours, case.theirs), case.outputs):
                # Programs make their folders themselves.
                printed = self.measure(side, case.whole, [output] if not output.suffix else [])
                if output.suffix == ".json":
                    output.write_text(printed)
                elif side is case.theirs and printed:
                    self.versions |= json.loads(printed).get("versions", {})
        ours, theirs = case.outputs
        if ours.suffix:
            ours, theirs = numbers(ours), numbers(theirs)
        case.agreement = case.check(ours, theirs)
        self.cases.append(case)

    def group(self, group):
        for item in GROUPS[group](self.setup):
            if not self.wants(group, item):
                continue
            peer = f": {item.peer}{', whole command' if item.whole else ''}" if hasattr(item, "peer") else ""
            print(f"{item.name}{peer}", file=sys.stderr)
            if isinstance(item, Bar):
                self.bar(item)
            elif isinstance(item, Growth):
                self.growth(item)
            else:
                self.case(item)
            if not self.args.quick:
                self.save()

    def tables(self):
        return machine(self.args.threads, self.versions), self.bars, self.cases, self.growths

    def save(self):
        """Writes what is there so far: a run of many minutes may be cut short."""
        folder = ROOT / "bench" / "results"
        folder.mkdir(exist_ok=True)
        words = [self.args.name] if self.args.name else [name.replace("/", "-") for name in self.args.only]
        name = "-".join([datetime.date.today().isoformat(), *words])
        (folder / f"{name}.md").write_text(as_markdown(*self.tables()))
        (folder / f"{name}.json").write_text(as_json(*self.tables()))


def main():
    args = arguments()
    if not args.no_build:
        build(args)
    shared_memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=args.work or shared_memory) as folder:
        compare(args, pathlib.Path(folder))


def compare(args, folder):
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
    setup = Setup(
        quick=args.quick, threads=args.threads, inner=3, programs=not args.arrays, executors=executors,
        python=sys.executable, ridge_python=args.ridge_python, torch_python=args.torch_python,
    )
    run = Run(args, setup, environment, cache)
    for group in GROUPS:
        # Gigabytes on the disk, so only when it is asked for.
        if not run.wants_group(group) or (group == "large-layer" and group not in args.only):
            continue
        with tempfile.TemporaryDirectory(dir=folder) as own:
            setup.folder = pathlib.Path(own)
            run.group(group)
    print(as_markdown(*run.tables()))
    if args.quick:
        print("every bench works and agrees with its peer")


if __name__ == "__main__":
    main()
