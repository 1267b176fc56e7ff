"""Configurations run on this host, in turns, each in a process of its own.

Where the packed weights of many lie in one heap, some are slower by a third and more, whichever come late. So one
process loads the network and forks for every run. It computes with one thread itself, as no other survives a fork.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch

from iopt.door.given import check_count
from iopt.errors import OptionError, RunError
from iopt.graph import Graph
from iopt.importer.machine import threads
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import Runtime, check_input
from iopt.tiling.executor.weights import check_state
from iopt.tiling.host.calibration import Run
from iopt.tiling.host.clock import clock
from iopt.tiling.host.forks import apart
from iopt.tiling.host.profiling import OnStep, silent
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem

CALLS = 2
"""That one process times."""


class Task(NamedTuple):
    """A configuration, to be timed so often; `counts`: whether to count its memory."""

    configuration: Configuration
    calls: int
    counts: bool


class Timed(NamedTuple):
    """Seconds of every call, and the peak with the library's scratch: 0 where it was not counted."""

    seconds: list[float]
    peak_bytes: int


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
    a process is lost, `OptionError`.
    """
    if sys.platform == "win32":
        raise OptionError("configurations are timed in forks of a process, which Windows has not")
    check_count(repeat, "repeat")
    check_state(graph, state)
    check_input(graph, image)
    times: list[list[float]] = [[] for _ in configurations]
    peaks, rounds = [0 for _ in configurations], [CALLS] * (repeat // CALLS) + [repeat % CALLS] * (repeat % CALLS > 0)
    with _loaded(graph, state, image, executor) as timed:
        for turn, calls in enumerate(rounds):
            order = Random(turn).sample(range(len(configurations)), len(configurations))
            for number, index in enumerate(order, turn * len(order) + 1):
                on_step(f"run {number} of {len(rounds) * len(order)}")
                found = timed(Task(configurations[index], calls, counts=turn == 0))
                times[index] += found.seconds
                peaks[index] = max(peaks[index], found.peak_bytes)
    return [Run(*each) for each in zip(configurations, map(min, times), peaks, strict=True)]


@contextmanager
def _loaded(
    graph: Graph, state: Mapping[str, torch.Tensor], image: torch.Tensor, executor: Executor
) -> Iterator[Callable[[Task], Timed]]:
    """Carries out tasks in forks of a new process that has loaded the network; it ends with the context."""
    here, there = get_context("spawn").Pipe()
    with TemporaryDirectory(prefix="iopt-runs-") as folder:
        file = Path(folder) / "network.pt"
        torch.save({"state": dict(state), "image": image}, file)
        process = get_context("spawn").Process(target=_serve, args=(there, graph, file, executor, threads()))
        process.start()
        there.close()

        def timed(task: Task) -> Timed:
            here.send(task)
            found = _answer(here, process)
            assert isinstance(found, Timed)
            return found

        try:
            _answer(here, process)
            file.unlink()  # it is as large as the weights, and stays where this process is killed
            yield timed
        finally:
            here.close()
            process.kill()
            process.join()


def _answer(here: Connection, process: BaseProcess) -> object:
    """What the process says; what it says went wrong is raised."""
    try:
        found = here.recv()
    except (EOFError, OSError):
        process.join()
        raise RunError(f"the process that loads the network ended with exit code {process.exitcode}") from None
    if isinstance(found, Exception):
        raise found
    return found


@dataclass(frozen=True)
class _Network:
    """In the process that forks; `untiled` has run."""

    state: Mapping[str, torch.Tensor]
    image: torch.Tensor
    untiled: Runtime
    threads: int

    @classmethod
    def of(cls, graph: Graph, file: Path, executor: Executor, threads: int) -> _Network:
        torch.set_num_threads(1)
        found = torch.load(file, weights_only=True)
        whole = Configuration((Group(0, len(Problem(graph).layers) - 1),))
        untiled = Runtime(graph, whole, found["state"], executor)
        untiled(found["image"])  # the size from which on glibc maps a block by itself rises where blocks are freed
        return cls(found["state"], found["image"], untiled, threads)

    def timed(self, task: Task) -> Timed:
        torch.set_num_threads(self.threads)
        graph, executor, seconds, times = self.untiled.graph, self.untiled.executor, clock(), []
        runtime = Runtime(graph, task.configuration, self.state, executor, like=self.untiled)
        runtime(self.image)
        for _ in range(task.calls):
            start = seconds()
            runtime(self.image)
            times.append(seconds() - start)
        return Timed(times, measure(partial(runtime, self.image)).total_peak_bytes if task.counts else 0)


def _serve(there: Connection, graph: Graph, file: Path, executor: Executor, threads: int) -> None:
    """Answers every task; says what went wrong instead. Ends when nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(EOFError, OSError):
        try:
            network = _Network.of(graph, file, executor, threads)
        except Exception as error:
            there.send(error)
            return
        there.send(None)
        while True:
            task = there.recv()
            try:
                found: Timed | Exception = apart(partial(network.timed, task))
            except Exception as error:
                found = error
            there.send(found)
