"""Tiling makes a network faster, with no limit of memory at all: against untiled PyTorch, paired.

All ways to run a network are built in one process, which forks for every run; profiles build each in its fork.
`--quick` tries the experiment with few rounds and writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from statistics import median, quantiles
from typing import Any

import torch

from experiments import page
from experiments.tiling_host import Network, core_share, second_call
from iopt.tiling import Configuration, evaluate, parse, solve, written
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.trial import difference
from iopt.tiling.host.forks import apart
from iopt.tiling.host.measurement import CONFIGURATIONS, measured

MIB = 2**20
NETWORKS = ("yolov2-16", "vgg16")
REPEAT, ROUNDS = 5, 15
UNTILED = "1x1/NoCut"

ABOVE = """\
One input, one thread on one core; seconds of processor time, medians. The ways to run a network took turns in {rounds}
rounds, each in a process of its own, after a first call; a speed-up is the median of the ratios within a round. The
experiment had {share:.0%} of its core: the less it has, the more do other programs on the host disturb it.

*PyTorch*: the module as it is, maps with channels first; *channels last*: the module in PyTorch's other layout, which
is the executor's. *Untiled*: our executor `lean`, layer by layer; *again*: the same a second time, which shows the
noise: a gain is said to be more than it where the middle halves of both lots of ratios do not meet. *Fastest*: the
least latency by the model of `iopt tile profile` with no limit of memory (`exact`, tilings up to 8 x 8, reuse). Memory
is the peak at torch's allocator without weights and input, in MiB, with what the library takes besides.

{parts}

"""
HEADER = ("network", "run", "ms", "over PyTorch", "over channels last", "over untiled", "peak MiB", "difference")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    rounds, count, repeat = (2, 4, 1) if is_quick else (ROUNDS, CONFIGURATIONS, REPEAT)
    start = os.times()
    rows = [row for name in NETWORKS for row in rows_of(Network.of(name), rounds, count, repeat)]
    parts = "\n".join(f"* {parted([row for row in rows if row['network'] == name])}" for name in NETWORKS)
    text = ABOVE.format(rounds=rounds, share=core_share(start), parts=parts)
    text += page.table(HEADER, [line(row) for row in rows])
    print(text)
    if not is_quick:
        print(page.write("tiling_speed", "Tiling: faster without a limit", text, rows))


def rows_of(own: Network, rounds: int, count: int, repeat: int) -> list[dict[str, Any]]:
    """One per way to run the network."""
    host = measured(own.graph, own.state, own.image, repeat=repeat, configurations=count).model
    fastest = solve(own.problem(host=host)).plan
    assert fastest is not None
    untiled = parse(UNTILED, len(own.problem().layers))
    plans: dict[str, Configuration] = {"untiled": untiled, "again": untiled, "fastest": fastest}
    copy = deepcopy(own.module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no type for it
    laid = own.image.contiguous(memory_format=torch.channels_last)
    calls = {
        "PyTorch": lambda: own.module(own.image),
        "PyTorch, channels last": lambda: copy(laid),
        **{name: own.call(plan) for name, plan in plans.items()},
    }
    times = taken(calls, rounds)
    with torch.inference_mode():
        expected = own.module(own.image)
        outputs = {name: call() for name, call in calls.items()}
        memory = {name: measure(call) for name, call in calls.items()}
    for name, plan in plans.items():
        assert memory[name].peak_bytes == evaluate(own.problem(), plan).peak_bytes
    return [
        {
            "network": own.name,
            "run": name,
            "configuration": written(plans[name]) if name in plans else None,
            "seconds": median(own_times),
            "over_torch": ratio(times["PyTorch"], own_times),
            "over_channels_last": ratio(times["PyTorch, channels last"], own_times),
            "over_untiled": ratio(times["untiled"], own_times),
            "over_untiled_quartiles": middle_half(times["untiled"], own_times),
            "peak_bytes": memory[name].total_peak_bytes,
            "difference": difference(outputs[name], expected),
        }
        for name, own_times in times.items()
    ]


def taken(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each, once per round."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(apart(partial(second_call, call)))
    return times


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Median of the ratios within a round."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


def middle_half(slow: Sequence[float], fast: Sequence[float]) -> tuple[float, float]:
    """First and third quartile of the ratios within a round."""
    low, _, high = quantiles((a / b for a, b in zip(slow, fast, strict=True)), method="inclusive")
    return low, high


def parted(rows: Sequence[dict[str, Any]]) -> str:
    """Of one network: the noise, and which part of the speed-up is tiling and which the executor."""
    by_name = {row["run"]: row for row in rows}
    untiled, again, fastest = (by_name[name] for name in ("untiled", "again", "fastest"))
    text = f"{fastest['network']}: the same programme twice is {spread(again)}."
    executor = f"the executor {untiled['over_torch']:.2f} x over PyTorch, {untiled['over_channels_last']:.2f} x over"
    executor += " channels last"
    if fastest["configuration"] == untiled["configuration"]:
        return f"{text} The fastest by the model is the untiled programme: tiling gains nothing, {executor}."
    total = f"{fastest['over_torch']:.2f} x over PyTorch"
    is_real = fastest["over_untiled_quartiles"][0] > again["over_untiled_quartiles"][1]
    real = "which is more than the noise" if is_real else "which is within the noise"
    tiling = f"tiling itself (`{fastest['configuration']}` over our untiled) is **{spread(fastest)}**, {real}"
    return f"{text} Of {total} and {fastest['over_channels_last']:.2f} x over channels last, {tiling}; {executor}."


def spread(row: dict[str, Any]) -> str:
    """`1.08 x (middle half 1.06 to 1.09)`: over our untiled executor."""
    low, high = row["over_untiled_quartiles"]
    return f"{row['over_untiled']:.2f} x (middle half {low:.2f} to {high:.2f})"


def line(row: dict[str, Any]) -> list[str]:
    return [
        row["network"],
        row["run"] if row["configuration"] is None else f"{row['run']}, `{row['configuration']}`",
        f"{1e3 * row['seconds']:.0f}",
        f"{row['over_torch']:.2f}",
        f"{row['over_channels_last']:.2f}",
        f"{row['over_untiled']:.2f}",
        f"{row['peak_bytes'] / MIB:.1f}",
        f"{row['difference']:.1e}",
    ]


if __name__ == "__main__":
    main()
