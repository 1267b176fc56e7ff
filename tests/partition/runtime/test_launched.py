"""Ranks that a launcher of torch's starts: refusals in one line, and nothing that lives longer than who started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torch import distributed

import iopt as package
from iopt.partition.files.plan_file import save
from iopt.partition.methods import solve
from iopt.partition.problem import Problem
from iopt.partition.runtime.__main__ import _job, _parser, main
from tests.instances import chain, cluster, linear
from tests.partition.runtime.faults import limited
from tests.partition.runtime.listening import listening

PROBLEM = Problem(chain("pair", (4, 1, 1), [linear(4), linear(2)]), cluster((1.0, 1.0)))
Refused = Callable[..., tuple[int, str]]


@pytest.fixture
def port() -> Iterator[int]:
    """One that nobody listens at, unless somebody takes it meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    yield number


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], port: int) -> Refused:
    """Exit code of a rank, and the one line that it says."""
    save(tmp_path / "plan.json", PROBLEM, solve(PROBLEM, "oc"), 1e-4)
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", str(port))
    monkeypatch.setenv("WORLD_SIZE", "2")

    def refused(rank: int, *options: str) -> tuple[int, str]:
        monkeypatch.setenv("RANK", str(rank))
        with limited(30):
            code = main([str(tmp_path / "plan.json"), "--timeout", "1", *options])
        assert not distributed.is_initialized()
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.count("\n") == 1
        return code, said.err

    return refused


@pytest.mark.parametrize("rank", [0, 1])
def test_too_few_hosts(refused: Refused, port: int, rank: int) -> None:
    code, said = refused(rank)
    assert code == 5
    assert said.startswith(f"iopt: not all ranks came to 127.0.0.1:{port} within 1 s: ")


def test_a_port_in_use(refused: Refused, port: int) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", port))
        taken.listen()
        code, said = refused(0)
    assert (code, said) == (2, f"iopt: the ranks cannot meet at 127.0.0.1:{port}: the port is in use; choose another\n")


def test_what_torchrun_leaves_out(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MASTER_PORT")
    code, said = refused(0)
    assert code == 2
    assert "MASTER_PORT expected, but not set" in said


def test_too_many_ranks(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    assert refused(0) == (2, "iopt: torchrun started 3 ranks; expected 2, one per device of the plan\n")


def test_nobody_can_plan_again_when_a_rank_takes_the_input_with_it(refused: Refused) -> None:
    code, said = refused(0, "--on-failure", "replan")
    assert code == 2
    assert said.startswith("iopt: --on-failure replan: expected fail, since the input is lost with its rank")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", (0, 1, False, False, False, False)),
        ("--seed 3 --repeat 2 --keep-buffers", (3, 2, False, False, True, False)),
        ("--emulate", (0, 1, True, True, False, False)),
        ("--emulate-compute", (0, 1, True, False, False, False)),
        ("--overlap", (0, 1, False, False, False, True)),
    ],
)
def test_options_reach_the_ranks(refused: Refused, tmp_path: Path, options: str, expected: tuple[object, ...]) -> None:
    job = _job(_parser().parse_args([str(tmp_path / "plan.json"), *options.split()]))
    found = (job.seed, job.repeat, job.emulate, job.emulate and job.emulate_links, job.keep_buffers, job.overlap)
    assert found == expected


def test_nothing_overlaps_in_what_is_emulated(refused: Refused) -> None:
    code, said = refused(0, "--emulate-compute", "--overlap")
    assert (code, said.startswith("iopt: --overlap: the model")) == (2, True)


def test_every_rank_checks_the_hash_of_its_weights(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"other")
    code, said = refused(1, "--weights", str(tmp_path / "w.safetensors"), "--weights-hash", "0" * 64)
    assert code == 2
    assert "w.safetensors: wrong weights: its SHA-256 is" in said
    assert refused(1, "--weights-hash", "0" * 64)[1].startswith("iopt: --weights-hash is given without --weights")


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "0"])
def test_a_timeout_is_a_time(refused: Refused, seconds: str) -> None:
    code, said = refused(0, f"--timeout={seconds}")
    assert (code, said) == (2, f"iopt: --timeout is {float(seconds)}; expected a positive number\n")


@pytest.mark.parametrize(
    ("stopped", "expected"),
    [
        (1, "iopt: the process of device 'd1' does not answer "),
        pytest.param(0, "iopt: the store at 127.0.0.1:{port} does not answer", marks=pytest.mark.full),
    ],
)
def test_a_rank_that_hangs_is_named_by_the_others(stopped: int, expected: str, tmp_path: Path, port: int) -> None:
    """The first rank holds the store where they meet."""
    slow = Problem(PROBLEM.graph, cluster((10.0, 10.0)))
    save(tmp_path / "plan.json", slow, solve(slow, "oc"), 1e-4)
    words = [sys.executable, "-m", "iopt.partition.runtime", str(tmp_path / "plan.json")]
    words += ["--emulate-compute", "--repeat", "1000", "--timeout", "5"]
    given = {**environment(), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [
        subprocess.Popen(words, env={**given, "RANK": str(rank)}, stderr=subprocess.PIPE, text=True) for rank in (0, 1)
    ]
    try:
        with limited(60):
            while not connected(ranks):
                assert all(rank.poll() is None for rank in ranks)
                time.sleep(0.1)
            time.sleep(1.0)
            ranks[stopped].send_signal(signal.SIGSTOP)
            _, said = ranks[1 - stopped].communicate()
    finally:
        for rank in ranks:
            rank.kill()
            rank.wait()
    ours = [line for line in said.splitlines() if line.startswith("iopt: ")]  # torch warns of the store on its own
    assert len(ours) == 1
    assert ours[0].startswith(expected.format(port=port))
    assert ranks[1 - stopped].returncode == 5


def connected(ranks: list[subprocess.Popen[str]]) -> bool:
    """Whether gloo listens in all."""
    return all(listening(rank.pid) for rank in ranks)


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
