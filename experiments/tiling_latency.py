"""The latency model of `iopt tile profile` judged: its error on configurations that it was not fitted to, and how good
its choices are.

`taskset -c 1 python -m experiments.tiling_latency` keeps it on one core. `--quick` tries the experiment on a part of
the set and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments import page
from experiments.tiling_host import Network, core_share
from experiments.tiling_latency_text import HEADER, line, words
from iopt.tiling import Configuration, Evaluator, HostModel, solve, written
from iopt.tiling.files import Host, load_host
from iopt.tiling.heuristics.mafat import space
from iopt.tiling.host.calibration import errors
from iopt.tiling.host.draw import divided, drawn
from iopt.tiling.host.measurement import CONFIGURATIONS

NETWORK, REPEAT, MOST_LIMITS = "yolov2-16", 5, 12


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    data = measured(*((8, 2, 5) if is_quick else (CONFIGURATIONS, REPEAT, 1)))
    text = words(data) + page.table(HEADER, [line(row) for row in data["limits"]])
    print(text)
    if not is_quick:
        print(page.write("tiling_latency", "Tiling: the latency model and its choices", text, data))


def measured(count: int, repeat: int, every: int) -> dict[str, Any]:
    """`count`: configurations of the profile; `every`: takes one of so many configurations of the sweep."""
    start, own = os.times(), Network.of(NETWORK)
    file = profiled(own, count, repeat)
    host, swept = file.model, sweep(own)[::every]
    known, _ = divided(drawn(own.problem(), count))
    found = own.runs(swept, repeat)
    judged = [run for run in found if run.configuration not in known]
    peaks = limits(own, host, swept)
    shown = spread(peaks, MOST_LIMITS)
    free = {limit: solve(own.problem(limit, host)).plan for limit in shown}
    others = dict.fromkeys(plan for plan in free.values() if plan not in (None, own.untiled.configuration))
    untiled, *later = own.runs([own.untiled.configuration, *(plan for plan in others if plan is not None)], repeat)
    seconds = {run.configuration: run.time_s for run in (*later, *found)}
    return {
        "repeat": repeat,
        "share_of_core": core_share(start),
        "file": asdict(file.measured) if file.measured is not None else {},
        "errors": {
            written(run.configuration): off
            for run, off in zip(judged, errors(own.problem(), host, judged), strict=True)
        },
        "front": len(peaks),
        "limits": [row(own, host, limit, swept, free[limit], seconds) for limit in shown],
        "untiled_later_s": untiled.time_s,
        "seconds": {written(plan): value for plan, value in seconds.items()},
        "sweep": len(swept),
        "cuts": sorted({plan.groups[1].first for plan in swept if len(plan.groups) > 1}),
        "size": list(own.graph.input_shape),
    }


def spread(values: Sequence[int], most: int) -> list[int]:
    """At most so many, evenly from the first to the last."""
    if len(values) <= most:
        return list(values)
    return [values[index * (len(values) - 1) // (most - 1)] for index in range(most)]


def profiled(own: Network, count: int, repeat: int) -> Host:
    """What the command measures, from the file that it writes."""
    options = ["--configurations", str(count), "--repeat", str(repeat), "--quiet"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "host.json"
        command = [sys.executable, "-m", "iopt", "tile", "profile", own.name, *options, "-o", str(path)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
        return load_host(path, own.graph)


def sweep(own: Network) -> list[Configuration]:
    """MAFAT's space with any square in the second group; two untiled groups are one."""
    found = space(own.problem(), "free")
    return [plan for plan in found if len(plan.groups) == 1 or any(group.is_tiled for group in plan.groups)]


def limits(own: Network, host: HostModel, swept: Sequence[Configuration]) -> list[int]:
    """Peaks of the configurations that no other beats in both memory and predicted latency, the largest first."""
    judge, found, best = Evaluator(own.problem(host=host)), [], float("inf")
    costs = sorted((judge(plan).peak_bytes, judge(plan).latency_s or 0.0) for plan in swept)
    for peak, seconds in costs:
        if seconds < best:
            found.append(peak)
            best = seconds
    return found[::-1]


def row(
    own: Network,
    host: HostModel,
    limit: int,
    swept: Sequence[Configuration],
    free: Configuration | None,
    seconds: dict[Configuration, float],
) -> dict[str, Any]:
    """One limit: what the model chooses, and what is best."""
    judge = Evaluator(own.problem(limit, host))
    model = {plan: found.latency_s or 0.0 for plan in swept if (found := judge(plan)).is_feasible}
    chosen, best = min(model, key=model.__getitem__), min(model, key=seconds.__getitem__)
    found: dict[str, Any] = {
        "limit_bytes": limit,
        "feasible": len(model),
        "chosen": written(chosen),
        "chosen_model_s": model[chosen],
        "chosen_s": seconds[chosen],
        "best": written(best),
        "best_model_s": model[best],
        "best_s": seconds[best],
        "above": seconds[chosen] / seconds[best] - 1,
    }
    if free is not None:
        cost = judge(free)
        found |= {"any": written(free), "any_model_s": cost.latency_s, "any_s": seconds[free]}
        found |= {"any_peak_bytes": cost.peak_bytes}
    return found


if __name__ == "__main__":
    main()
