"""YOLOv2's first 16 layers under a real memory limit: untiled, MAFAT's configuration and the best one. Root, Linux.

`--quick`: the tightest limit, one repetition, nothing written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import gettempdir
from typing import Any

from experiments import cgroups, page
from experiments.interrupts import interruptible
from experiments.limited import PREFIX, RUN_S, limited
from experiments.limited_worker import PYTORCH
from experiments.swapfile import filesystem, left, swap
from experiments.tiling_limit_text import FIGURE, LEAN, draw, remarks, table, verdicts
from iopt import zoo
from iopt.errors import IoptError
from iopt.report.picture import check_picture
from iopt.tiling import Problem, evaluate, parse, solve, written

MIB = 2**20
NETWORK = "yolov2-16"
HEADROOMS = (96, 64, 32, 24, 16, 12)
"""MiB over what is loaded."""
MARGIN = 1.5
"""MiB of the headroom that plans leave to interpreter and library."""
REPETITIONS, SWAP_BYTES = 5, 2**30

ABOVE = """\
{network} on 608x608, one input, one thread, a fresh process per run; medians of {repetitions}, all ways to run it in
turns. *Headroom*: the limit of the control group (v{version}) over what the process has when all is loaded and one
inference has run; that part is locked in memory, so that code and weights are never paged out and the headroom is for
maps alone. A swap file of {swap} MiB on the disk of this machine ({filesystem}). *PyTorch*: the module untiled,
channels last; the others: executor `lean`. Plans are made for the headroom less {margin} MiB: `mafat` with its
fallback, `exact` for least work. What differs from a Raspberry Pi: processor, disk, and that nothing else competes for
memory; ratios, not seconds, may carry over. A run that takes more than {patience:g} s is ended. A run that
did not finish counts as slower than those that did; where half of them or more did not, there is no median.
{remarks}

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--swap-folder", type=Path, default=Path(gettempdir()), help="on a disk; default: %(default)s")
    given = parser.parse_args(arguments)
    headrooms, repetitions = (HEADROOMS[-1:], 1) if given.quick else (HEADROOMS, REPETITIONS)
    rows: list[dict[str, Any]] = []
    try:
        with interruptible():
            measured(headrooms, repetitions, given.swap_folder, rows)
    except (cgroups.Unavailable, IoptError) as error:
        print(f"skipped: {error}")
        return
    except cgroups.LeftBehind as error:
        print(table(rows))
        sys.exit(f"stopped, nothing is written: {error}")
    except KeyboardInterrupt:
        sys.exit(f"interrupted; {what_is_left(given.swap_folder)}")
    write(rows, repetitions, filesystem(given.swap_folder), is_kept=not given.quick)


def measured(headrooms: Sequence[int], repetitions: int, folder: Path, rows: list[dict[str, Any]]) -> None:
    """Adds to `rows` one per limit and way to run. Raises `Unavailable` before the first run, and `LeftBehind`."""
    reason = cgroups.refusal()
    if reason is not None:
        raise cgroups.Unavailable(reason)
    check_picture(Path(FIGURE))
    with swap(SWAP_BYTES, folder):
        with cgroups.group(f"{PREFIX}trial"):
            pass
        for headroom in headrooms:
            rows += rows_of(headroom, repetitions)


def what_is_left(folder: Path) -> str:
    """Of control groups and the swap file of this process."""
    found = [*cgroups.left(PREFIX), *left(folder)]
    listed = " and ".join(map(str, found))
    return f"{listed} cannot be removed" if found else "the control group and the swap file are gone"


def plans(headroom: int) -> Iterator[tuple[str, str]]:
    """What is run at this limit, by name."""
    problem = Problem(zoo.graph(NETWORK), round((headroom - MARGIN) * MIB), weights="none")
    yield from ((PYTORCH, PYTORCH), (LEAN, "1x1/NoCut"))
    for name, result in (("mafat", solve(problem, "mafat", fallback=True)), ("exact", solve(problem, "exact"))):
        if result.plan is not None:
            yield name, written(result.plan)


def rows_of(headroom: int, repetitions: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {
            "headroom_mib": headroom,
            "name": name,
            "configuration": configuration,
            "predicted_bytes": predicted(configuration),
            "runs": [],
        }
        for name, configuration in plans(headroom)
    ]
    for number in range(repetitions):
        for row in rows:
            run = run_of(row["configuration"], headroom)
            row["runs"].append(run)
            what = f"{run['time_s']:.3f} s" if run["outcome"] == "finished" else f"{run['outcome']}: {run['message']}"
            print(f"{headroom} MiB, {row['name']}, {number + 1} of {repetitions}: {what}", file=sys.stderr, flush=True)
    for row in rows:
        row |= summary(row["runs"])
    return rows


def run_of(configuration: str, headroom: int) -> dict[str, Any]:
    """As of `limited`; one that could not be set up has failed, and the others are kept."""
    try:
        return limited(NETWORK, configuration, headroom * MIB)
    except cgroups.Unavailable as error:
        return {"outcome": "failed", "message": str(error)}


def predicted(configuration: str) -> int | None:
    """Bytes of tensors; None of PyTorch itself."""
    if configuration == PYTORCH:
        return None
    problem = Problem(zoo.graph(NETWORK), weights="none")
    return evaluate(problem, parse(configuration, len(problem.layers))).peak_bytes


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many finished and, where more than half did, medians: of the seconds of all, where a run that did not finish
    took longest, and of what else was measured on those that did."""
    finished = [run for run in runs if run["outcome"] == "finished"]
    found: dict[str, Any] = {"finished": len(finished)}
    if 2 * len(finished) > len(runs):
        found["time_s"] = median(run.get("time_s", float("inf")) for run in runs)
        keys = ("peak_bytes", "major_faults", "swapped_bytes")
        found |= {key: median(run[key] for run in finished) for key in keys if all(key in run for run in finished)}
    return found


def write(rows: Sequence[dict[str, Any]], repetitions: int, kind: str, is_kept: bool) -> None:
    text = ABOVE.format(
        network=NETWORK,
        repetitions=repetitions,
        version=cgroups.version(),
        swap=SWAP_BYTES // MIB,
        filesystem=kind,
        margin=MARGIN,
        patience=RUN_S,
        remarks=remarks(rows),
    )
    text += f"{verdicts(rows)}\n\n"
    if is_kept:
        draw(rows, page.RESULTS / FIGURE)
        text += f"![seconds by headroom]({FIGURE})\n\n"
    text += table(rows)
    print(text)
    if is_kept:
        print(page.write("tiling_limit", "Tiling: under a real memory limit", text, rows))


if __name__ == "__main__":
    main()
