"""A network on this host: its latency model fitted, and configurations of it run in turns. One thread.

Seconds are of processor time, which is wall time on an idle core, and does not count what else runs on a busy one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from statistics import median

import torch
from torch import nn

from iopt import zoo
from iopt.graph import Graph
from iopt.tiling import Configuration, Group, HostModel, Problem
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.trial import network
from iopt.tiling.host.calibration import Run, fit
from iopt.tiling.host.clock import clock
from iopt.tiling.host.profiling import profile


@dataclass(frozen=True)
class Network:
    """A network of the zoo with random weights and an input."""

    name: str
    module: nn.Module
    image: torch.Tensor
    graph: Graph
    state: Mapping[str, torch.Tensor]

    @classmethod
    def of(cls, name: str) -> Network:
        module = zoo.build(name)
        image = torch.randn(zoo.find(name).input_shape, generator=torch.Generator().manual_seed(0))
        return cls(name, module, image, *network(module, image, name))

    def problem(self, memory_bytes: int | None = None, host: HostModel | None = None) -> Problem:
        """Least latency, without weights; least work where there is no host."""
        objective = "macs" if host is None else "latency"
        return Problem(self.graph, memory_bytes, objective, weights="none", host=host)

    @cached_property
    def untiled(self) -> Runtime:
        return Runtime(self.graph, Configuration((Group(0, len(self.problem().layers) - 1),)), self.state)

    def call(self, configuration: Configuration) -> Callable[[], torch.Tensor]:
        runtime = Runtime(self.graph, configuration, self.state, like=self.untiled)
        return lambda: runtime(self.image)

    def times(self, configurations: Sequence[Configuration], rounds: int) -> list[list[float]]:
        """Seconds of each, once per round."""
        return in_turns([self.call(configuration) for configuration in configurations], rounds)


def in_turns(calls: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Seconds of each call by the clock of profiles, once per round, after a first one that does not count."""
    seconds = clock()
    times: list[list[float]] = [[] for _ in calls]
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for call, own in zip(calls, times, strict=True):
                start = seconds()
                call()
                if turn:
                    own.append(seconds() - start)
    return times


def random_configurations(problem: Problem, count: int, seed: int) -> list[Configuration]:
    """Up to four groups of up to 5 x 5 tiles, a fifth of them with reuse; groups in the second half often untiled."""
    random, found = Random(seed), []
    layers = problem.layers
    for _ in range(count):
        cuts = sorted(random.sample(range(1, len(layers)), random.randint(0, 3)))
        groups = []
        for first, stop in zip([0, *cuts], [*cuts, len(layers)], strict=True):
            output = layers[stop - 1].output
            rows, columns = random.randint(1, min(5, output.height)), random.randint(1, min(5, output.width))
            is_whole = any(layer.whole for layer in layers[first:stop])
            if is_whole or rows * columns == 1 or (first >= len(layers) // 2 and random.random() < 0.6):
                groups.append(Group(first, stop - 1))
            else:
                reuse = "checkerboard" if random.random() < 0.2 else "none"
                groups.append(Group(first, stop - 1, rows, columns, reuse))
        found.append(Configuration(tuple(groups)))
    return found


def fitted(own: Network, count: int, rounds: int, seed: int = 0) -> tuple[HostModel, list[Run]]:
    """The host's model, with what it was fitted to."""
    problem, profiled = own.problem(), profile(own.graph, own.state)
    configurations = random_configurations(problem, count, seed)
    times = own.times(configurations, rounds)
    runs = [Run(configuration, median(each)) for configuration, each in zip(configurations, times, strict=True)]
    return fit(problem, profiled, runs), runs
