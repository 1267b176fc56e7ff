"""Configurations are run in forks of a process that has loaded the network."""

from __future__ import annotations

import os
import sys

import pytest

from iopt.errors import ModelError, OptionError, RunError
from iopt.importer.machine import threads
from iopt.tiling.evaluation import evaluate
from iopt.tiling.executor.scratch import scratch_limit_bytes
from iopt.tiling.host.forks import apart
from iopt.tiling.host.runs import runs
from iopt.tiling.notation import parse
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.executed import weights

torch = pytest.importorskip("torch")

GRAPH = chain("net", (2, 64, 64), [conv(8, 3, padding=1, pooling=max_pool(2)), conv(8, 3, padding=1), linear(5)])
PROBLEM = Problem(GRAPH, weights="none")
CONFIGURATIONS = [parse(text, 4) for text in ("1x1/NoCut", "4x4/2/1x1", "2x2c/3/1x1")]


def test_each_has_its_least_time_and_its_peak() -> None:
    said: list[str] = []
    found = runs(GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 64, 64), CONFIGURATIONS, repeat=3, on_step=said.append)
    assert [run.configuration for run in found] == CONFIGURATIONS
    for run in found:
        beyond = run.peak_bytes - evaluate(PROBLEM, run.configuration).peak_bytes
        assert 0 <= beyond <= scratch_limit_bytes(PROBLEM.layers)
        assert 0 < run.time_s < 10
    assert said == [f"run {number} of 6" for number in range(1, 7)]


def test_forks_compute_with_as_many_threads_as_are_set() -> None:
    """Where this process had a pool of threads, a fork of it would wait for them for ever."""
    before = threads()
    torch.set_num_threads(2)
    try:
        torch.ones(512, 512) @ torch.ones(512, 512)
        found = runs(GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 64, 64), CONFIGURATIONS[:1], repeat=1)
    finally:
        torch.set_num_threads(before)
    assert found[0].time_s > 0


def test_what_cannot_be_run() -> None:
    with pytest.raises(ModelError, match=r"the input is 1x2x8x8 in torch\.float32; expected 1x2x64x64 in fp32"):
        runs(GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 8, 8), CONFIGURATIONS)


def test_a_system_without_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OptionError, match="forks of a process, which Windows has not"):
        runs(GRAPH, {}, torch.zeros(1, 2, 64, 64), CONFIGURATIONS)


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
