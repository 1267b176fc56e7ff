"""Configurations are run in forks of a process that has loaded the network, and no process stays behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe, active_children, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from types import FrameType

import pytest

from iopt.errors import ModelError, OptionError, RunError
from iopt.importer.machine import threads
from iopt.tiling.evaluation import evaluate
from iopt.tiling.executor.scratch import scratch_limit_bytes
from iopt.tiling.host.forks import apart
from iopt.tiling.host.runs import runs
from iopt.tiling.host.server import Task, loaded
from iopt.tiling.notation import parse
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.executed import weights

torch = pytest.importorskip("torch")

GRAPH = chain("net", (2, 64, 64), [conv(8, 3, padding=1, pooling=max_pool(2)), conv(8, 3, padding=1), linear(5)])
PROBLEM = Problem(GRAPH, weights="none")
CONFIGURATIONS = [parse(text, 4) for text in ("1x1/NoCut", "4x4/2/1x1", "2x2c/3/1x1")]
GIVEN = (GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 64, 64))
ENDLESS = Task(CONFIGURATIONS[0], 10**9, counts=False)

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="forks end with who made them on Linux")


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What waits longer fails."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done within {seconds} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    """A process that nobody waited for yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def when_it_forks(server: BaseProcess, act: Callable[[], None]) -> list[int]:
    """Do something then, in a thread; what the server forked is added to the list."""
    forks: list[int] = []

    def watch() -> None:
        assert server.pid is not None
        while not forks and server.is_alive():
            forks.extend(children(server.pid))
            time.sleep(0.1)
        act()

    Thread(target=watch, daemon=True).start()
    return forks


def wait_until(holds: Callable[[], bool]) -> None:
    with within(30):
        while not holds():
            time.sleep(0.01)


def test_each_has_its_least_time_and_its_peak() -> None:
    said: list[str] = []
    found = runs(*GIVEN, CONFIGURATIONS, repeat=3, on_step=said.append)
    assert [run.configuration for run in found] == CONFIGURATIONS
    for run in found:
        beyond = run.peak_bytes - evaluate(PROBLEM, run.configuration).peak_bytes
        assert 0 <= beyond <= scratch_limit_bytes(PROBLEM.layers)
        assert 0 < run.time_s < 10
    assert said == [f"run {number} of 6" for number in range(1, 7)]
    assert active_children() == []


def test_forks_compute_with_as_many_threads_as_are_set() -> None:
    """Where the process that forks had a pool of threads, a fork of it would wait for them for ever."""
    before = threads()
    torch.set_num_threads(2)
    try:
        torch.ones(512, 512) @ torch.ones(512, 512)
        with within(120), loaded(*GIVEN, "lean") as timed:
            found = [timed(Task(configuration, 1, counts=True)) for configuration in CONFIGURATIONS]
    finally:
        torch.set_num_threads(before)
    assert [each.threads for each in found] == [2, 2, 2]


def test_what_cannot_be_run() -> None:
    with pytest.raises(ModelError, match=r"the input is 1x2x8x8 in torch\.float32; expected 1x2x64x64 in fp32"):
        runs(GRAPH, GIVEN[1], torch.zeros(1, 2, 8, 8), CONFIGURATIONS)


def test_a_system_without_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OptionError, match="forks of a process, which Windows has not"):
        runs(GRAPH, {}, torch.zeros(1, 2, 64, 64), CONFIGURATIONS)


def test_a_server_that_is_killed_between_two_runs() -> None:
    def kill(step: str) -> None:
        if step == "run 2 of 3":
            (server,) = active_children()
            server.kill()
            server.join()

    with within(120), pytest.raises(RunError, match="process that loads the network ended with exit code -9"):
        runs(*GIVEN, CONFIGURATIONS, repeat=1, on_step=kill)


@only_linux
def test_a_server_that_is_killed_in_a_run_takes_its_fork_along() -> None:
    with within(120), loaded(*GIVEN, "lean") as timed:
        (server,) = active_children()
        forks = when_it_forks(server, server.kill)
        with pytest.raises(RunError, match="exit code -9"):
            timed(ENDLESS)
    (fork,) = forks
    wait_until(lambda: not is_running(fork))


@only_linux
def test_an_interrupt_leaves_neither_process_nor_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with within(120), pytest.raises(KeyboardInterrupt), loaded(*GIVEN, "lean") as timed:
            (server,) = active_children()
            forks = when_it_forks(server, lambda: os.kill(os.getpid(), signal.SIGUSR1))
            timed(ENDLESS)
    finally:
        signal.signal(signal.SIGUSR1, before)
    (fork,) = forks
    assert server.exitcode is not None
    assert not is_running(fork)
    assert list(tmp_path.iterdir()) == []


def test_weights_on_the_way_have_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Path]] = []
    save = torch.save
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(torch, "save", lambda *given: (save(*given), seen.append(list(tmp_path.iterdir()))))
    assert len(runs(*GIVEN, CONFIGURATIONS[:1], repeat=1)) == 1
    assert seen == [[]]


def test_what_a_fork_finds_raises_or_loses() -> None:
    mine: list[int] = []

    def fails() -> int:
        raise ModelError("what is wrong")

    assert apart(lambda: mine.append(1) or os.getpid()) != os.getpid()
    assert mine == []
    with pytest.raises(ModelError, match="what is wrong"):
        apart(fails)
    with pytest.raises(RunError, match="a process that ran the network ended with exit code 3"):
        apart(lambda: os._exit(3))


def test_a_fork_with_too_little_memory() -> None:
    with pytest.raises(RunError, match="could not allocate memory: there is too little of it"):
        apart(lambda: torch.empty(2**60, dtype=torch.uint8).numel())
    with pytest.raises(RuntimeError, match="something else"):
        apart(lambda: (_ for _ in ()).throw(RuntimeError("something else")))


def test_a_fork_that_nobody_waits_for_is_ended() -> None:
    here, there = Pipe()
    there.close()
    with within(30), pytest.raises(RunError, match="nobody waits"):
        apart(lambda: time.sleep(600), asker=here)
    assert active_children() == []
    here.close()


def forks_and_waits(there: Connection) -> None:
    apart(lambda: (there.send(os.getpid()), time.sleep(600)))


@only_linux
def test_a_fork_ends_with_who_made_it() -> None:
    here, there = Pipe()
    maker = get_context("fork").Process(target=forks_and_waits, args=(there,))
    maker.start()
    with within(30):
        fork: int = here.recv()
    assert is_running(fork)
    maker.kill()
    maker.join()
    wait_until(lambda: not is_running(fork))
    here.close()
    there.close()
