"""A network on this host, on one thread; its configurations are run as `iopt tile profile` runs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from iopt import zoo
from iopt.graph import Graph
from iopt.tiling import Configuration, Group, HostModel, Problem
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.trial import network
from iopt.tiling.host.calibration import Run
from iopt.tiling.host.clock import clock
from iopt.tiling.host.runs import runs


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

    def runs(self, configurations: Sequence[Configuration], repeat: int) -> list[Run]:
        return runs(self.graph, self.state, self.image, configurations, repeat=repeat)


def second_call(call: Callable[[], object]) -> float:
    """Its seconds, by the clock of profiles; the first call does not count."""
    seconds = clock()
    with torch.inference_mode():
        call()
        start = seconds()
        call()
        return seconds() - start


def core_share(since: os.times_result) -> float:
    """Processor time that we and our forks had since then, over what passed: below 1 where others wanted the core."""
    now = os.times()
    return (sum(now[:4]) - sum(since[:4])) / (now.elapsed - since.elapsed)
