"""A rank that hangs is found out and named, whatever it and the others were at; one that is only slow is waited for."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch
from torch import distributed

from iopt.errors import DeviceLostError, RunError
from iopt.inference import run
from iopt.partition.methods import solve
from iopt.partition.plan import Axis, Plan, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.runtime.board import Sign
from iopt.partition.runtime.emulation import wait_until
from iopt.partition.runtime.processes import run_together
from iopt.partition.runtime.pulse import Pulse
from iopt.partition.runtime.watch import START_S, Watch
from tests.instances import chain, cluster, conv, linear
from tests.partition.runtime.faults import Fault, inject, limited

TIMEOUT_S, SLOW_S = 1.5, 2.0
QUARTERS = intervals_from((2, 2, 2, 2))
GRAPH = chain("rows", (3, 8, 8), [*(conv(4, 3, padding=1) for _ in range(4)), linear(8)])
PROBLEM = Problem(GRAPH, cluster((1.0,) * 4))
CHAIN = Plan((*(Split(f"op{number}", Axis.H, QUARTERS) for number in range(1, 5)), Split("op5", Axis.OC, QUARTERS)))
"""Halos go to neighbours alone: who waits for the one that hangs is itself waited for."""
ALONE = Problem(chain("one", (4, 1, 1), [linear(4), linear(2)]), cluster((1.0,)))


@pytest.fixture(autouse=True)
def _ends() -> Iterator[None]:
    """Every test ends, and leaves no process behind."""
    with limited(60):
        yield
    assert not active_children()


STOP, LOOP = signal.SIGSTOP, None


@pytest.mark.parametrize(
    ("rank", "place", "by", "times"),
    [
        (3, "transfer into 'op3'", STOP, 2),
        (1, "compute of 'op2'", LOOP, 2),
        (2, "waits to receive from 'd1' in the transfer into 'op3'", STOP, 2),
        (0, "waits for the others at the start", STOP, 1),
        (2, "waits for the others before an inference", STOP, 1),
        (1, "waits for what was measured to be gathered", STOP, 1),
        (0, "waits for the output to be brought to the first device", STOP, 1),
        (3, "waits for the others at the end", STOP, 1),
    ],
)
def test_only_the_one_that_hangs_is_blamed(
    rank: int, place: str, by: signal.Signals | None, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject(monkeypatch, Fault(4, rank, place, by, times))
    began = time.monotonic()
    with pytest.raises(DeviceLostError) as caught:
        run(CHAIN, problem=PROBLEM, timeout_s=TIMEOUT_S)
    assert time.monotonic() - began < 20
    message = str(caught.value)
    assert caught.value.devices == (f"d{rank}",)
    where = f"while it {place}" if place.startswith("waits") else f"since it began the {place}"
    assert message.startswith(f"the process of device 'd{rank}' does not answer {where}")
    assert message.count("does not answer") == 1


def test_the_others_take_over_from_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(monkeypatch, Fault(4, 3, "transfer into 'op3'", STOP))
    found = run(CHAIN, problem=PROBLEM, timeout_s=TIMEOUT_S, on_failure="replan", verify=True)
    assert [*found.lost] == ["d3"]
    assert found.difference is not None
    assert found.difference < 1e-5


def test_a_device_alone_is_watched_too(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = solve(ALONE, "single").plan
    assert plan is not None
    inject(monkeypatch, Fault(1, 0, "compute of 'op2'", STOP))
    with pytest.raises(DeviceLostError, match="'d0' does not answer since it began the compute of 'op2'"):
        run(plan, problem=ALONE, timeout_s=TIMEOUT_S)


def test_a_device_that_is_slow_on_purpose_is_waited_for() -> None:
    """Computing takes longer than the timeout, and so does sending."""
    graph = chain("slow", (4, 1, 1), [linear(4), linear(4)])
    rate = sum(operator.flops for operator in graph) / SLOW_S
    slow = Problem(graph, cluster((1e9, rate), (16 / SLOW_S, 1e9), (1e9, 1e9)))
    nobody_first = intervals_from((0, 4))
    plan = Plan((Split("op1", Axis.OC, nobody_first), Split("op2", Axis.OC, nobody_first)))
    found = run(plan, problem=slow, emulate=True, timeout_s=TIMEOUT_S, verify=True)
    assert found.latency_s > 2 * SLOW_S
    assert found.difference is not None
    assert found.difference < 1e-5


def crossed(rank: int, folder: Path, pulse: Pulse) -> None:
    """Each of two waits for what the other does not send."""
    with pulse.waiting(f"waits for {1 - rank}"):
        distributed.recv(torch.empty(1), 1 - rank)


def test_nobody_is_lost_where_all_wait_for_each_other(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"all devices wait, .* for 1.5 s; device 'a' waits for 1; device 'b'") as caught:
        run_together(crossed, ["a", "b"], tmp_path, TIMEOUT_S)
    assert not isinstance(caught.value, DeviceLostError)


def dozing(rank: int, folder: Path, pulse: Pulse) -> None:
    """The first beats while it waits on purpose, the second waits for it."""
    if rank == 0:
        wait_until(time.perf_counter() + SLOW_S, pulse.beat)


def test_a_beat_is_enough(tmp_path: Path) -> None:
    run_together(dozing, ["a", "b"], tmp_path, TIMEOUT_S)


def sign(moves: int = 1, alive: int = 1, wait: str = "") -> Sign:
    return Sign(alive, moves, "", wait)


def test_who_works_must_get_on_and_who_waits_must_live() -> None:
    watch = Watch(5.0)
    for second in range(20):
        signs = {0: sign(), 1: sign(moves=second), 2: sign(alive=second, wait="waits"), 3: sign(wait="waits")}
        watch.look(signs, 1.0)
        assert watch.silent == ([0, 3] if second > 5 else [])
        assert not watch.is_stuck


def test_who_has_left_is_not_missed() -> None:
    watch = Watch(5.0)
    for second in range(20):
        watch.look({0: sign(), 1: sign(moves=second)} if second < 5 else {1: sign(moves=second)}, 1.0)
        assert watch.silent == []


def test_a_process_has_time_to_start() -> None:
    watch = Watch(5.0)
    looks = [(watch.look({0: sign(moves=0, alive=0)}, 1.0), watch.silent)[1] for _ in range(int(START_S) + 5)]
    assert looks.index([0]) > START_S


def test_who_looks_may_have_been_stopped_itself() -> None:
    """As by Ctrl-Z: all ranks were, too."""
    watch = Watch(5.0)
    watch.look({0: sign()}, 0.0)
    watch.look({0: sign()}, 3600.0)
    assert watch.silent == []


def test_signs_are_read_as_they_were_written() -> None:
    memory = bytearray(1000)
    pulse = Pulse("d", memory, 100)
    assert Sign.of(pulse.entry) == Sign(0, 0, "", "")
    pulse.begin("é" * 500)
    with pulse.waiting("waits for 'x'"):
        found = Sign.of(pulse.entry)
    assert (found.moves, found.wait, found.waits) == (2, "waits for 'x'", True)
    assert set(found.place) == {"é"}
    assert Sign.of(pulse.entry).moves == 3
    pulse.leave()
    assert Sign.of(pulse.entry).moves == -1
    assert not any(memory[:100])
