"""Tiling makes a network faster, with no limit of memory at all: against untiled PyTorch, paired.

`--quick` tries the experiment with few rounds and writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from statistics import median
from typing import Any

import torch

from experiments import page
from experiments.tiling_host import Network, apart, core_share, fitted, in_turns
from iopt.tiling import Configuration, evaluate, parse, solve, written
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.trial import difference

MIB = 2**20
NETWORKS = ("yolov2-16", "vgg16")
FITTED, ROUNDS = 24, 15

ABOVE = """\
One input, one thread on one core; seconds of processor time, medians. The ways to run a network took turns in {rounds}
rounds, each in a process of its own, after a first call; a speed-up is the median of the ratios within a round. The
experiment had {share:.0%} of its core: the less it has, the more do other programs on the host disturb it.

*PyTorch*: the module as it is, maps with channels first; *channels last*: the module in PyTorch's other layout, which
is the executor's. *Untiled*: our executor `lean`, layer by layer. *Fastest*: the least latency by the model with no
limit of memory (`exact`, tilings up to 8 x 8, reuse). Memory is the peak at torch's allocator without weights and
input, in MiB, with what the library takes besides.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    count, rounds = (4, 2) if is_quick else (FITTED, ROUNDS)
    start = os.times()
    rows = [row for name in NETWORKS for row in rows_of(Network.of(name), count, rounds)]
    header = ("network", "run", "ms", "over PyTorch", "over channels last", "over untiled", "peak MiB", "difference")
    lines = [
        [
            row["network"],
            row["run"],
            f"{1e3 * row['seconds']:.0f}",
            f"{row['over_torch']:.2f}",
            f"{row['over_channels_last']:.2f}",
            f"{row['over_untiled']:.2f}",
            f"{row['peak_bytes'] / MIB:.1f}",
            f"{row['difference']:.1e}",
        ]
        for row in rows
    ]
    text = ABOVE.format(rounds=rounds, share=core_share(start)) + page.table(header, lines)
    print(text)
    if not is_quick:
        print(page.write("tiling_speed", "Tiling: faster without a limit", text, rows))


def rows_of(own: Network, count: int, rounds: int) -> list[dict[str, Any]]:
    """One per way to run the network."""
    host = fitted(own, count, 3 if rounds > 2 else 1)
    layers = own.problem().layers
    fastest = solve(own.problem(host=host)).plan
    assert fastest is not None
    plans: dict[str, Configuration] = {
        "untiled, `lean`": parse("1x1/NoCut", len(layers)),
        f"fastest, `{written(fastest)}`": fastest,
    }
    copy = deepcopy(own.module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # no type for it
    laid = own.image.contiguous(memory_format=torch.channels_last)
    calls = {
        "PyTorch": lambda: own.module(own.image),
        "PyTorch, channels last": lambda: copy(laid),
        **{name: own.call(plan) for name, plan in plans.items()},
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name] += apart(partial(seconds, call))
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
            "seconds": median(own_times),
            "over_torch": ratio(times["PyTorch"], own_times),
            "over_channels_last": ratio(times["PyTorch, channels last"], own_times),
            "over_untiled": ratio(times["untiled, `lean`"], own_times),
            "peak_bytes": memory[name].total_peak_bytes,
            "difference": difference(outputs[name], expected),
        }
        for name, own_times in times.items()
    ]


def seconds(call: Callable[[], object]) -> list[float]:
    """Of one call, after a first one."""
    return in_turns([call], 1)[0]


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """Median of the ratios within a round."""
    return median(a / b for a, b in zip(slow, fast, strict=True))


if __name__ == "__main__":
    main()
