"""Configurations run on this host, in turns, each in a process of its own.

Where the packed weights of many lie in one heap, those that come late may be slower. So one process loads the network
and forks for every run, see `server.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from iopt.door.given import check_count
from iopt.errors import OptionError
from iopt.graph import Graph
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import check_input
from iopt.tiling.executor.weights import check_state
from iopt.tiling.host.calibration import Run
from iopt.tiling.host.profiling import OnStep, silent
from iopt.tiling.host.server import Task, loaded
from iopt.tiling.plan import Configuration

if TYPE_CHECKING:
    import torch

CALLS = 2
"""That one process times."""


def runs(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    image: torch.Tensor,
    configurations: Sequence[Configuration],
    executor: Executor = "lean",
    repeat: int = 5,
    on_step: OnStep = silent,
) -> list[Run]:
    """Each configuration with the least of `repeat` times, since others' load only adds to them, and its peak.

    `state`: weights by the names in the graph; `image`: as of `Runtime`. Every process times two calls after a first
    one, and all configurations take turns, in another order each round. Raises what `Runtime` raises, `RunError` where
    a process is lost or has too little memory, `OptionError`.
    """
    if sys.platform == "win32":
        raise OptionError("configurations are timed in forks of a process, which Windows has not")
    check_count(repeat, "repeat")
    check_state(graph, state)
    check_input(graph, image)
    times: list[list[float]] = [[] for _ in configurations]
    peaks, rounds = [0 for _ in configurations], [CALLS] * (repeat // CALLS) + [repeat % CALLS] * (repeat % CALLS > 0)
    with loaded(graph, state, image, executor) as timed:
        for turn, calls in enumerate(rounds):
            order = Random(turn).sample(range(len(configurations)), len(configurations))
            for number, index in enumerate(order, turn * len(order) + 1):
                on_step(f"run {number} of {len(rounds) * len(order)}")
                found = timed(Task(configurations[index], calls, counts=turn == 0))
                times[index] += found.seconds
                peaks[index] = max(peaks[index], found.peak_bytes)
    return [Run(*each) for each in zip(configurations, map(min, times), peaks, strict=True)]
