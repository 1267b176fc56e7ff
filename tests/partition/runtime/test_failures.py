"""Processes that are lost, hang or refuse: the error says which device and where, soon, and nothing is left running."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from pathlib import Path

import pytest

from iopt.errors import ModelError, RunError
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem
from iopt.partition.runtime.launch import launch
from iopt.partition.runtime.rank import Job
from tests.instances import chain, cluster, conv, linear

LOOPBACK_6 = "0" * 24 + "01000000"
THIRDS = intervals_from((1, 1, 1))
GRAPH = chain("pair", (3, 3, 3), [conv(3, 3, padding=1), linear(3)])
PLANS = {
    "input": Plan((Split("op1", Axis.OC, THIRDS), Split("op2", Axis.IC, THIRDS, None, Direct()))),
    "scatter": Plan(
        (Split("op1", Axis.IC, intervals_from((3, 0, 0)), None, Scatter(THIRDS)), Split("op2", Axis.OC, THIRDS))
    ),
    "gather": Plan((Split("op1", Axis.H, THIRDS, via="source"), Split("op2", Axis.OC, THIRDS))),
}


def endless(name: str) -> Job:
    return Job(Problem(GRAPH, cluster((1.0,) * 3)), PLANS[name], repeat=20_000)


def listening(address: str, path: Path) -> Iterator[str]:
    """Inodes of sockets that listen on other addresses than this."""
    for line in path.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and not fields[1].startswith(address):
            yield fields[9]


def sockets(pid: int) -> list[str]:
    """Links of the open ones; a file may be closed while one looks."""
    links = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            links.append(str(entry.readlink()))
    return [link for link in links if link.startswith("socket:")]


@contextmanager
def disturbed(number: int, by: signal.Signals, elsewhere: list[str]) -> Iterator[None]:
    """Meanwhile one of three ranks gets a signal, when all have been exchanging messages for a while; before, sockets
    of theirs that listen on other addresses than the loopback's are noted."""
    before = {process.pid for process in active_children()}

    def disturb() -> None:
        while True:
            pids = sorted(process.pid for process in active_children() if process.pid not in before)
            if len(pids) == 3 and all(len(sockets(pid)) >= 2 for pid in pids):
                break
            time.sleep(0.05)
        time.sleep(1.0)
        foreign = {*listening("0100007F", Path("/proc/net/tcp")), *listening(LOOPBACK_6, Path("/proc/net/tcp6"))}
        mine = {re.sub(r"\D", "", link) for pid in pids for link in sockets(pid)}
        elsewhere.extend(foreign & mine)
        os.kill(pids[number], by)

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    yield
    thread.join(timeout=5)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("name", "number"),
    [("scatter", 1), *(pytest.param(name, rank, marks=pytest.mark.full) for name in PLANS for rank in range(3))],
)
def test_a_killed_process_is_named_at_once(name: str, number: int) -> None:
    elsewhere: list[str] = []
    with pytest.raises(RunError) as caught, disturbed(number, signal.SIGKILL, elsewhere):
        launch([endless(name)], 60.0)
    message = str(caught.value)
    assert message.startswith(f"the process of device 'd{number}' was ended by SIGKILL")
    for other in {0, 1, 2} - {number}:
        assert re.search(
            rf"'d{other}' (could not (send to|receive from) 'd\d' in the \w+ (into|of) 'op|waited)", message
        )
    assert not active_children()
    assert not elsewhere


@pytest.mark.full
def test_a_process_that_hangs_is_named_after_the_timeout() -> None:
    with pytest.raises(RunError) as caught, disturbed(2, signal.SIGSTOP, []):
        launch([endless("input")], 2.0)
    message = str(caught.value)
    assert message.startswith("the process of device 'd2' does not answer")
    assert "it waited too long" in message or "in vain" in message
    assert not active_children()


def test_a_rank_that_refuses_ends_all(tmp_path: Path) -> None:
    missing = Job(Problem(GRAPH, cluster((1.0,) * 3)), PLANS["input"], str(tmp_path / "none.safetensors"))
    with pytest.raises(ModelError, match="there is no such file"):
        launch([missing], 30.0)
    assert not active_children()
