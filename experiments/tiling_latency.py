"""The latency model judged: its error on configurations that it was not fitted to, and how good its choices are.

`taskset -c 1 python -m experiments.tiling_latency` keeps it on one core. `--quick` tries the experiment on a part of
the set and writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from statistics import median
from typing import Any

from experiments import page
from experiments.tiling_host import Network, core_share, random_configurations
from iopt.tiling import Configuration, Evaluator, HostModel, evaluate, parse, solve, written
from iopt.tiling.host.calibration import Run, errors, fit
from iopt.tiling.host.profiling import profile

MIB = 2**20
NETWORK = "yolov2-16"
LIMITS = (64, 32, 24, 20, 16, 14, 12, 11)
"""MiB, by the predictor `lean`, without weights."""
SIDES, CUTS = (1, 2, 3, 4, 5), (4, 8, 12)
FITTED, ROUNDS = 30, 3

ABOVE = """\
{network} on {size}, executor `lean`, one thread on one core. Seconds of processor time: the least of two runs in each
of {rounds} rounds in which all configurations took turns, each in a process of its own. The experiment had {share:.0%}
of its core: the less it has, the more do other programs on the host disturb it.

The model (per layer a function of the cells of a tile) was profiled layer by layer, then one factor, seconds per byte
written and seconds per byte copied were fitted to {fitted} configurations drawn at random ({fit_median:.1%} median
error, worst {fit_worst:.1%}). Judged on the {count} configurations of the sweep: **median {median:.1%}, worst
{worst:.1%}**.

The sweep is all configurations of one or two groups of square tilings 1x1 ... 5x5 with the cut before layer 4, 8 or 12
(after a pooling). *Chosen*: the fastest of them by the model among those that fit the limit by the predictor; *best*:
the fastest by measurement. *Any*: what the search for the least latency finds among any number of groups and any tiling
up to 8 x 8, reuse included. These were measured in rounds of their own, after the others; the untiled network took
{untiled_ms:.0f} ms then, and {before_ms:.0f} ms before.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    sides, count, rounds = ((1, 3, 5), 8, 2) if is_quick else (SIDES, FITTED, ROUNDS)
    own, start = Network.of(NETWORK), os.times()
    profiled, swept = profile(own.graph, own.state), sweep(own, sides)
    drawn = [plan for plan in random_configurations(own.problem(), count, seed=0) if plan not in swept]
    measured = own.runs([*drawn, *swept], rounds)
    host = fit(own.problem(), profiled, measured[: len(drawn)])
    free = {limit: any_tiling(own, host, limit) for limit in LIMITS}
    found = list(dict.fromkeys(plan for plan in free.values() if plan is not None))
    untiled, *later = own.runs([own.untiled.configuration, *found], rounds)
    seconds = {run.configuration: run.time_s for run in (*measured, *later)}
    rows = [row(own, host, limit, swept, free[limit], seconds) for limit in LIMITS]
    fit_errors, judged = (absolute(own, host, runs) for runs in (measured[: len(drawn)], measured[len(drawn) :]))
    text = ABOVE.format(
        network=NETWORK,
        size="x".join(map(str, own.graph.input_shape)),
        rounds=rounds,
        share=core_share(start),
        fitted=len(drawn),
        fit_median=median(fit_errors),
        fit_worst=max(fit_errors),
        count=len(swept),
        median=median(judged),
        worst=max(judged),
        untiled_ms=1e3 * untiled.time_s,
        before_ms=1e3 * seconds[untiled.configuration],
    )
    text += page.table(HEADER, [line(row) for row in rows])
    print(text)
    if not is_quick:
        data = {
            "limits": rows,
            "seconds": {written(configuration): value for configuration, value in seconds.items()},
            "error": {"median": median(judged), "worst": max(judged)},
        }
        print(page.write("tiling_latency", "Tiling: the latency model and its choices", text, data))


def sweep(own: Network, sides: Sequence[int]) -> list[Configuration]:
    """All configurations of the stated set."""
    texts = [f"{n}x{n}/NoCut" for n in sides]
    texts += [f"{top}x{top}/{cut}/{n}x{n}" for cut in CUTS for top in sides for n in sides if top * n > 1]
    return [parse(text, len(own.problem().layers)) for text in texts]


def any_tiling(own: Network, host: HostModel, limit: int) -> Configuration | None:
    """The fastest by the model, of any number of groups."""
    return solve(own.problem(limit * MIB, host)).plan


def absolute(own: Network, host: HostModel, runs: Sequence[Run]) -> list[float]:
    return [abs(error) for error in errors(own.problem(), host, runs)]


HEADER = ("limit MiB", "of", "chosen", "ms", "best", "ms", "above best %", "any tiling", "ms")


def row(
    own: Network,
    host: HostModel,
    limit: int,
    swept: Sequence[Configuration],
    free: Configuration | None,
    seconds: dict[Configuration, float],
) -> dict[str, Any]:
    """One limit: what the model chooses, and what is best."""
    judge = Evaluator(own.problem(limit * MIB, host))
    fitting = [configuration for configuration in swept if judge(configuration).is_feasible]
    found: dict[str, Any] = {"limit_mib": limit, "feasible": len(fitting)}
    if fitting:
        chosen = min(fitting, key=lambda configuration: judge(configuration).latency_s or 0.0)
        best = min(fitting, key=seconds.__getitem__)
        found |= {
            "chosen": written(chosen),
            "chosen_s": seconds[chosen],
            "best": written(best),
            "best_s": seconds[best],
            "above": seconds[chosen] / seconds[best] - 1,
        }
    if free is not None:
        peak = evaluate(own.problem(), free).peak_bytes
        found |= {"any": written(free), "any_s": seconds[free], "any_peak_bytes": peak}
    return found


def line(row: dict[str, Any]) -> list[str]:
    def shown(key: str, form: str = "{}", factor: float = 1) -> str:
        return form.format(row[key] * factor) if key in row else "-"

    return [
        str(row["limit_mib"]),
        str(row["feasible"]),
        shown("chosen"),
        shown("chosen_s", "{:.0f}", 1e3),
        shown("best"),
        shown("best_s", "{:.0f}", 1e3),
        shown("above", "{:.1f}", 100),
        shown("any"),
        shown("any_s", "{:.0f}", 1e3),
    ]


if __name__ == "__main__":
    main()
