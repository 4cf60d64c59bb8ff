"""Running what is compared: commands, their clock and their memory, what else used the machine."""

import contextlib
import dataclasses
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
PROGRAM = ROOT / "target" / "release" / "consilience"
KERNEL = ROOT / "bench" / "target" / "release" / "kernel"
DATA = pathlib.Path(os.environ.get("CONSILIENCE_DATA", ROOT / ".." / "shared" / "data")).resolve()


@dataclasses.dataclass
class Setup:
    """What all cases of a run share."""

    quick: bool
    threads: int
    # Rounds inside a process.
    inner: int
    # Whether whole commands are measured too, for which the program has to be built.
    programs: bool
    executors: list
    python: str
    ridge_python: str
    torch_python: str
    # Where a case may write; another one for each group of cases.
    folder: pathlib.Path = None

    @property
    def outputs(self):
        return self.folder / "ours.npy", self.folder / "theirs.npy"


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
    # One turn of either side.
    slow: bool = False
    agreement: str = ""
    # Run once before, outside the clock.
    prepare: tuple = ()
    # The peer did this share of the work: its seconds are divided by it.
    share: float = 1.0
    # The ratio to the peer that was asked for beforehand.
    at_least: float = None
    # Operations that the work takes, and the width that we do them in.
    flops: float = 0.0
    width: str = ""

    @property
    def their_seconds(self):
        return [seconds / self.share for seconds in self.theirs.seconds]


@dataclasses.dataclass
class Growth:
    """Work of ours at one size of several."""

    name: str
    size: str
    side: Side


@dataclasses.dataclass
class Bar:
    """A whole command of ours with limits that were set beforehand."""

    name: str
    side: Side
    max_seconds: float
    max_mib: float


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


def first_line(*command):
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        return subprocess.run(
            command, cwd=ROOT, text=True, capture_output=True, check=True
        ).stdout.strip().split("\n")[0]
    return "unknown"
