"""Ranks that somebody starts: who hangs is said in one line each, and nothing lives longer than who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

import iopt as package
from iopt.partition.files.plan_file import save
from iopt.partition.methods import solve
from iopt.partition.problem import Problem
from tests.instances import chain, cluster, linear
from tests.partition.runtime.faults import limited
from tests.partition.runtime.listening import listening

SLOW = ["--emulate-compute", "--repeat", "1000", "--timeout", "5"]


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        (1, "iopt: the process of device 'd1' does not answer "),
        pytest.param(0, "iopt: the store at 127.0.0.1:{port} does not answer", marks=pytest.mark.full),
    ],
)
def test_a_rank_that_hangs_is_named_by_the_others(stopped: int, expected: str, tmp_path: Path, port: int) -> None:
    """The first rank holds the store where they meet."""
    with limited(60), by_hand(tmp_path, port, 2, SLOW) as ranks:
        stop(ranks, stopped)
        (said,) = others_say(ranks, stopped)
        assert said.startswith(expected.format(port=port))
        assert said.count("\n") == 1
        assert ranks[1 - stopped].returncode == 5


@pytest.mark.full
def test_whoever_ends_first_every_other_rank_says_one_line(tmp_path: Path, port: int) -> None:
    """The rank that has the store is among those that find out who hangs, and its end is seen by the others."""
    with limited(90), by_hand(tmp_path, port, 4, SLOW) as ranks:
        stop(ranks, 3)
        for said in others_say(ranks, 3):
            assert said.startswith("iopt: the process of device 'd3' does not answer ")
            assert said.count("\n") == 1
        assert [rank.returncode for rank in ranks[:3]] == [5] * 3


@pytest.mark.full
def test_ranks_that_were_started_differently_say_so(tmp_path: Path, port: int) -> None:
    with limited(90), by_hand(tmp_path, port, 2, [], {1: ["--seed", "3"]}) as ranks:
        expected = "iopt: the ranks were not started alike: rank 1 has other options than rank 0\n"
        assert [rank.communicate()[1] for rank in ranks] == [expected] * 2
        assert [rank.returncode for rank in ranks] == [2, 2]


@contextmanager
def by_hand(
    folder: Path, port: int, count: int, options: Sequence[str], more: Mapping[int, Sequence[str]] | None = None
) -> Iterator[list[subprocess.Popen[str]]]:
    """Ranks of a plan for slow devices, started with torchrun's variables; `more`: options of some of them."""
    graph = chain("pair", (4, 1, 1), [linear(4), linear(2)])
    slow = Problem(graph, cluster((10.0,) * count))
    save(folder / "plan.json", slow, solve(slow, "oc"), 1e-4)
    words = [sys.executable, "-m", "iopt.partition.runtime", str(folder / "plan.json"), *options]
    given = {**environment(), "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen(
            [*words, *(more or {}).get(rank, ())],
            env={**given, "RANK": str(rank)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        yield ranks
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()


def stop(ranks: Sequence[subprocess.Popen[str]], which: int) -> None:
    """When all have met, and one second later."""
    while not all(listening(rank.pid) for rank in ranks):  # gloo does
        assert all(rank.poll() is None for rank in ranks)
        time.sleep(0.1)
    time.sleep(1.0)
    ranks[which].send_signal(signal.SIGSTOP)


def others_say(ranks: Sequence[subprocess.Popen[str]], which: int) -> list[str]:
    """On standard error, in the end."""
    return [rank.communicate()[1] for number, rank in enumerate(ranks) if number != which]


ENDLESS = """
from iopt.partition.runtime import launch
from tests.partition.runtime.test_launched import PROBLEM, solve

if __name__ == "__main__":
    launch.launch([launch.Job(PROBLEM, solve(PROBLEM, "oc").plan, repeat=10**9)], 60.0)
"""


@pytest.mark.full
def test_ranks_end_with_who_started_them(tmp_path: Path) -> None:
    script = tmp_path / "endless.py"
    script.write_text(ENDLESS)
    with limited(60), subprocess.Popen([sys.executable, script], env=environment()) as parent:
        try:
            while len(ranks := below(parent.pid)) < 4:  # the server, what tracks its resources, and two ranks
                assert parent.poll() is None
                time.sleep(0.1)
        finally:
            parent.send_signal(signal.SIGKILL)
        while any(Path(f"/proc/{pid}").exists() for pid in ranks):
            time.sleep(0.1)


def environment() -> dict[str, str]:
    """For a process that imports this package and these tests."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(Path(package.__file__).parents[1]), str(Path.cwd())))}


def below(pid: int) -> set[int]:
    """All processes that this one has started, and those that they have."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found
