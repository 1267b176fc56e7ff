"""A process that has loaded a network, and forks for every run of it.

It computes with one thread itself, as no other survives a fork.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import recv_handle, send_handle
from tempfile import TemporaryFile
from typing import NamedTuple

import torch

from iopt.errors import RunError
from iopt.graph import Graph
from iopt.importer.machine import threads
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.host.clock import clock
from iopt.tiling.host.forks import apart, in_words
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem

GRACE_S = 2.0
"""How long the process may take to end itself and its fork."""


class Task(NamedTuple):
    """A configuration, to be timed so often; `counts`: whether to count its memory."""

    configuration: Configuration
    calls: int
    counts: bool


class Timed(NamedTuple):
    """Seconds of every call, the peak with the library's scratch, 0 where it was not counted, and the threads that
    computed."""

    seconds: list[float]
    peak_bytes: int
    threads: int


@contextmanager
def loaded(
    graph: Graph, state: Mapping[str, torch.Tensor], image: torch.Tensor, executor: Executor
) -> Iterator[Callable[[Task], Timed]]:
    """Carries out tasks in forks of a new process that has loaded the network; both end with the context.

    Weights and image pass through a file without a name, which is gone whoever is killed. Raises what `Runtime`
    raises, `RunError` where a process is lost.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, graph, executor, threads()))

    def timed(task: Task) -> Timed:
        found = _answer(process, here, partial(here.send, task))
        assert isinstance(found, Timed)
        return found

    try:
        process.start()
        there.close()
        with TemporaryFile() as file:
            torch.save({"state": dict(state), "image": image}, file)
            file.flush()
            _answer(process, here, partial(send_handle, here, file.fileno(), process.pid))
        yield timed
    finally:
        here.close()  # which the process hears, and ends its fork
        there.close()
        if process.pid is not None:
            process.join(GRACE_S)
            process.kill()
            process.join()


def _answer(process: BaseProcess, here: Connection, ask: Callable[[], None]) -> object:
    """What the process says when it was asked; what it says went wrong is raised."""
    try:
        ask()
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
    def of(cls, graph: Graph, handle: int, executor: Executor, threads: int) -> _Network:
        """`handle`: of the open file."""
        torch.set_num_threads(1)
        with os.fdopen(handle, "rb") as file:
            file.seek(0)
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
        peak_bytes = measure(partial(runtime, self.image)).total_peak_bytes if task.counts else 0
        return Timed(times, peak_bytes, torch.get_num_threads())


def _serve(there: Connection, graph: Graph, executor: Executor, threads: int) -> None:
    """Answers every task; says what went wrong instead. Ends when nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with suppress(EOFError, OSError):
        try:
            network = _Network.of(graph, recv_handle(there), executor, threads)
        except Exception as error:
            there.send(in_words(error))
            return
        there.send(None)
        while True:
            task = there.recv()
            try:
                found: Timed | Exception = apart(partial(network.timed, task), asker=there)
            except Exception as error:
                found = error
            there.send(found)
