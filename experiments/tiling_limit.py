"""YOLOv2's first 16 layers under a real memory limit: untiled, MAFAT's configuration and the best one. Root, Linux.

Each run is a fresh process. It loads everything, runs once, locks what it then has in memory, and is limited to that
and some headroom; then it runs once more, and that is measured. `--quick`: one repetition and three
limits, nothing written.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

from experiments import cgroups, page
from iopt import zoo
from iopt.tiling import Problem, evaluate, parse, solve, written

MIB = 2**20
NETWORK, LAYERS = "yolov2-16", 16
HEADROOMS = (96, 64, 32, 24, 16, 12)
"""MiB over what is loaded."""
MARGIN = 1.5
"""MiB of the headroom that plans leave to interpreter and library."""
REPETITIONS, SWAP_BYTES, PATIENCE_S = 5, 2**30, 180
MCL_CURRENT = 1

ABOVE = """\
{network} on 608x608, one input, one thread, a fresh process per run; medians of {repetitions}. *Headroom*: the limit of
the control group (v{version}) over what the process has when all is loaded and one inference has run; that part is
locked in memory, so that code and weights are never paged out and the headroom is for maps alone; it has what malloc
keeps for reuse, so a peak can be below the prediction, which is of tensors. A swap file of
{swap} MiB on the disk of this machine. *untiled*: PyTorch, channels last; the others: executor `lean`. Plans are made
for the headroom less {margin} MiB: `mafat` with its fallback, `exact` for least work. What differs from a Raspberry
Pi: processor, disk, and that nothing else competes for memory; ratios, not seconds, may carry over.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--worker", metavar="CONFIGURATION")
    given = parser.parse_args(arguments)
    if given.worker is not None:
        work(given.worker)
        return
    reason = cgroups.refusal()
    if reason is not None:
        print(f"skipped: {reason}")
        return
    headrooms, repetitions = ((96, 32, 12), 1) if given.quick else (HEADROOMS, REPETITIONS)
    with cgroups.swap(SWAP_BYTES):
        rows = [row for headroom in headrooms for row in rows_of(headroom, repetitions)]
    text = ABOVE.format(
        network=NETWORK,
        repetitions=repetitions,
        version=cgroups.version(),
        swap=SWAP_BYTES // MIB,
        margin=MARGIN,
    )
    text += page.table(HEADER, [line(row) for row in rows])
    print(text)
    if not given.quick:
        print(page.write("tiling_limit", "Tiling: under a real memory limit", text, rows))


def plans(headroom: int) -> dict[str, str]:
    """What is run at this limit."""
    limit = round((headroom - MARGIN) * MIB)
    problem = Problem(zoo.graph(NETWORK), limit, weights="none")
    found = {"untiled": "untiled", "untiled, lean": "1x1/NoCut"}
    for name in ("mafat", "exact"):
        plan = solve(problem, name, fallback=True).plan if name == "mafat" else solve(problem, name).plan
        if plan is not None:
            found[name] = written(plan)
    return found


def rows_of(headroom: int, repetitions: int) -> list[dict[str, Any]]:
    rows = []
    problem = Problem(zoo.graph(NETWORK), weights="none")
    for name, configuration in plans(headroom).items():
        runs = [limited(configuration, headroom, number) for number in range(repetitions)]
        finished = [run for run in runs if run is not None]
        peak = None if configuration == "untiled" else evaluate(problem, parse(configuration, LAYERS)).peak_bytes
        rows.append({"headroom_mib": headroom, "name": name, "configuration": configuration, "predicted_bytes": peak})
        rows[-1] |= {"runs": len(runs), "finished": len(finished)}
        if finished:
            rows[-1] |= {key: median(run[key] for run in finished) for key in finished[0]}
    slow = rows[0].get("time_s")
    for row in rows:
        row["speedup"] = slow / row["time_s"] if slow and "time_s" in row else None
    return rows


def limited(configuration: str, headroom: int, number: int) -> dict[str, float] | None:
    """One run in a process of its own; None if it did not live, or took too long."""
    command = [sys.executable, "-m", "experiments.tiling_limit", "--worker", configuration]
    with cgroups.group(f"iopt-{os.getpid()}-{number}") as group:
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            group.add(worker.pid)
            worker.stdin.write("load\n")
            worker.stdin.flush()
            if worker.stdout.readline() != "ready\n":
                raise RuntimeError("the process did not load")
            baseline, swapped = group.read("usage"), cgroups.swapped_out_bytes()
            group.limit(baseline + headroom * MIB)
            is_peak_of_run = group.restart_peak()
            worker.stdin.write("run\n")
            worker.stdin.flush()
            ready, _, _ = select.select([worker.stdout], [], [], PATIENCE_S)
            answer = worker.stdout.readline() if ready else ""
            if not answer:
                return None
            measured = json.loads(answer)
            if is_peak_of_run:
                measured["peak_bytes"] = group.read("peak") - baseline
            measured["swapped_bytes"] = cgroups.swapped_out_bytes() - swapped
            return dict(measured)
        finally:
            worker.kill()
            worker.communicate()


def work(configuration: str) -> None:
    """The process that is limited; it waits to be put into its group before it loads anything large."""
    sys.stdin.readline()
    import torch

    from experiments.tiling_host import Network

    own = Network.of(NETWORK)
    if configuration == "untiled":
        module = own.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has no type
        image = own.image.contiguous(memory_format=torch.channels_last)
        call = lambda: module(image)  # noqa: E731 - one of two ways to run the network
    else:
        call = own.call(parse(configuration, LAYERS))
    system = ctypes.CDLL(None, use_errno=True)
    with torch.inference_mode():
        call()
        system.malloc_trim(0)
        if system.mlockall(MCL_CURRENT):
            raise OSError(ctypes.get_errno(), "mlockall")
        print("ready", flush=True)
        sys.stdin.readline()
        faults, start = resource.getrusage(resource.RUSAGE_SELF).ru_majflt, time.perf_counter()
        call()
        seconds = time.perf_counter() - start
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_majflt - faults
    print(json.dumps({"time_s": seconds, "major_faults": faults}), flush=True)


HEADER = (
    "headroom MiB",
    "run",
    "configuration",
    "predicted MiB",
    "ms",
    "speed-up",
    "peak MiB",
    "major faults",
    "swapped MiB",
)


def line(row: dict[str, Any]) -> list[str]:
    def shown(key: str, form: str, factor: float = 1) -> str:
        return "-" if row.get(key) is None else form.format(row[key] * factor)

    return [
        str(row["headroom_mib"]),
        row["name"],
        row["configuration"],
        shown("predicted_bytes", "{:.1f}", 1 / MIB),
        shown("time_s", "{:.0f}", 1e3) if row["finished"] else f"killed ({row['runs']})",
        shown("speedup", "{:.2f}"),
        shown("peak_bytes", "{:.1f}", 1 / MIB),
        shown("major_faults", "{:.0f}"),
        shown("swapped_bytes", "{:.1f}", 1 / MIB),
    ]


if __name__ == "__main__":
    main()
