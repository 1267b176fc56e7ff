"""A network on this host: its latency model fitted, and configurations of it run in turns. One thread.

Seconds are of processor time, which is wall time on an idle core, and does not count what else runs on a busy one.
Every configuration runs in a process of its own, a fork of one that has loaded the network: where the packed weights of
many lie in one heap, some are slower by a third and more, whichever come late.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from random import Random

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
        torch.set_num_threads(1)
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

    def runs(self, configurations: Sequence[Configuration], rounds: int) -> list[Run]:
        """Each with the least of its seconds: what else the host does can only add to them."""
        times = self._times(configurations, rounds)
        return [Run(configuration, min(own)) for configuration, own in zip(configurations, times, strict=True)]

    def _times(self, configurations: Sequence[Configuration], rounds: int) -> list[list[float]]:
        """Seconds of each, twice per round; all in turns, in another order each round."""
        self.untiled(self.image)  # glibc's limits, from which on it maps a block by itself, rise where blocks are freed
        found: list[list[float]] = [[] for _ in configurations]
        for turn in range(rounds):
            for index in Random(turn).sample(range(len(configurations)), len(configurations)):
                found[index] += apart(partial(self._apart, configurations[index]))
        return found

    def _apart(self, configuration: Configuration) -> list[float]:
        """Seconds of two calls."""
        return in_turns([self.call(configuration)], 2)[0]


def apart(work: Callable[[], list[float]]) -> list[float]:
    """What a fork of this process finds."""
    context = get_context("fork")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(there, work))
    process.start()
    there.close()
    found: list[float] = here.recv()  # EOFError where the fork failed
    process.join()
    return found


def _send(there: Connection, work: Callable[[], list[float]]) -> None:
    there.send(work())


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


def core_share(since: os.times_result) -> float:
    """Processor time that we and our forks had since then, over what passed: below 1 where others wanted the core."""
    now = os.times()
    return (sum(now[:4]) - sum(since[:4])) / (now.elapsed - since.elapsed)


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


def fitted(own: Network, count: int, rounds: int) -> HostModel:
    """The host's model, fitted to so many configurations."""
    profiled = profile(own.graph, own.state)
    return fit(own.problem(), profiled, own.runs(random_configurations(own.problem(), count, seed=0), rounds))
