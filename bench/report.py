"""The tables of a run, and the facts that they rest on."""

import dataclasses
import json
import os
import pathlib
import platform
import statistics

from measure import PROGRAM, first_line


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


def both(seconds):
    return f"{duration(min(seconds))} / {duration(statistics.median(seconds))}"


def head(*columns):
    return ["", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]


def as_markdown(facts, bars, cases, growths):
    """Ratio above one: we are that many times as fast."""
    lines = head(*map(str, facts))[1:]
    lines += ["| " + " | ".join(str(value) for value in facts.values()) + " |"]
    tables = [(of_bars, bars), (of_cases, cases), (of_rates, [c for c in cases if c.flops]), (of_growth, growths)]
    for table, rows in tables:
        if rows:
            lines += table(rows)
    return "\n".join(lines) + "\n"


def of_bars(bars):
    lines = head("whole command", "wall min / median", "peak memory", "limits", "others' load")
    for bar in bars:
        s = bar.side
        lines.append(
            f"| {bar.name} | {both(s.seconds)} | {s.peak_mib:.0f} MiB "
            f"| {bar.max_seconds:.0f} s, {bar.max_mib:.0f} MB | {max(s.others):.2f} |"
        )
    return lines


def of_cases(cases):
    lines = head(
        "case", "measured", "peer", "ours min / median", "peer min / median", "ratio to peer", "at least",
        "peak MiB ours / peer", "largest difference", "others' load",
    )
    for case in cases:
        ours, theirs = case.ours, case.theirs
        ratio = min(case.their_seconds) / min(ours.seconds)
        lines.append(
            f"| {case.name} | {'whole command' if case.whole else 'in process'} | {case.peer} "
            f"| {both(ours.seconds)} | {both(case.their_seconds)} | {ratio:.2f} | {case.at_least or ''} "
            f"| {ours.peak_mib:.0f} / {theirs.peak_mib:.0f} | {case.agreement} "
            f"| {max(ours.others + theirs.others):.2f} |"
        )
    return lines


def of_rates(cases):
    """Operations a second against what matrix products of the same width reach."""
    products = {case.width: case for case in cases if case.name.startswith("product/")}
    lines = head("case", "width", "GFLOP", "GFLOP/s", "of faer's product", "of NumPy's product")
    seen = set()
    for case in cases:
        if case.name in seen or case.whole:
            continue
        seen.add(case.name)
        # The same work of ours stands beside each of its peers.
        seconds = min(min(c.ours.seconds) for c in cases if c.name == case.name and not c.whole)
        shares = ["", ""]
        if case.width in products:
            product = products[case.width]
            sides = (min(product.ours.seconds), min(product.their_seconds))
            shares = [f"{case.flops / seconds / (product.flops / side):.0%}" for side in sides]
        lines.append(
            f"| {case.name} | {case.width} | {case.flops / 1e9:.3g} | {case.flops / seconds / 1e9:.3g} | "
            + " | ".join(shares) + " |"
        )
    return lines


def of_growth(growths):
    lines = head("ours alone", "size", "min / median", "times the size before", "peak MiB", "others' load")
    for before, growth in zip([None, *growths], growths):
        times = ""
        if before and before.name == growth.name:
            times = f"{min(growth.side.seconds) / min(before.side.seconds):.2f}"
        lines.append(
            f"| {growth.name.removeprefix('growth/')} | {growth.size} | {both(growth.side.seconds)} | {times} "
            f"| {growth.side.peak_mib:.0f} | {max(growth.side.others):.2f} |"
        )
    return lines


def as_json(facts, bars, cases, growths):
    def plain(value):
        entry = dataclasses.asdict(value)
        for unwanted in ("check", "outputs", "prepare"):
            entry.pop(unwanted, None)
        for side in (entry.get(key) for key in ("ours", "theirs", "side")):
            if side:
                # The command without the machine's folders.
                side["command"] = [pathlib.Path(str(word)).name for word in side["command"]]
        return entry

    tables = {"bars": bars, "cases": cases, "growth": growths}
    results = {"machine": facts, **{name: [*map(plain, rows)] for name, rows in tables.items()}}
    return json.dumps(results, indent=1) + "\n"
