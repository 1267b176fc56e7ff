"""A rank that a launcher of torch's starts: what it is given, and what it refuses in one line."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from torch import distributed

from iopt.partition.files.plan_file import save
from iopt.partition.methods import solve
from iopt.partition.problem import Problem
from iopt.partition.runtime import command, launched
from iopt.partition.runtime.command import _job, _parser, main
from iopt.partition.runtime.pulse import Pulse
from tests.instances import chain, cluster, linear
from tests.partition.runtime.faults import limited

PROBLEM = Problem(chain("pair", (4, 1, 1), [linear(4), linear(2)]), cluster((1.0, 1.0)))
Refused = Callable[..., tuple[int, str]]


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


@pytest.mark.parametrize(("variable", "stated"), [("RANK", "first"), ("RANK", "2"), ("WORLD_SIZE", "-2")])
def test_variables_that_are_no_ranks(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, variable: str, stated: str
) -> None:
    def rank(job: object) -> int:
        monkeypatch.setenv(variable, stated)
        return find(job)

    find = command._rank
    monkeypatch.setattr(command, "_rank", rank)
    code, said = refused(0)
    assert (code, said.startswith(f"iopt: {variable} is ")) == (2, True)


@pytest.mark.parametrize("options", [("--repeat", "few"), ("--emulate", "--emulate-compute"), ("--none",)])
def test_misused_options(refused: Refused, options: tuple[str, ...]) -> None:
    code, said = refused(0, *options)
    assert code == 2
    assert said.endswith("(try 'python -m iopt.partition.runtime --help')\n")


@pytest.mark.parametrize("option", ["--output", "--trace"])
def test_what_cannot_be_written_is_said_before_the_run(refused: Refused, tmp_path: Path, option: str) -> None:
    code, said = refused(0, option, str(tmp_path / "none" / "y"))
    assert (code, said.startswith(f"iopt: {tmp_path / 'none' / 'y'}: cannot be written: ")) == (2, True)


@pytest.mark.parametrize("option", ["--output", "--trace"])
def test_a_file_that_is_read_is_not_written(refused: Refused, tmp_path: Path, option: str) -> None:
    plan = tmp_path / "plan.json"
    assert refused(0, option, str(plan)) == (2, f"iopt: {plan}: cannot be written: it is the file that PLAN names\n")


def test_a_file_is_written_once(refused: Refused, tmp_path: Path) -> None:
    path = str(tmp_path / "y")
    found = refused(0, "--output", path, "--trace", path)
    assert found == (2, f"iopt: {path}: cannot be written: both --output and --trace name it\n")


def test_a_plan_file_with_an_untrue_claim(refused: Refused, tmp_path: Path) -> None:
    """As `iopt run` refuses it."""
    path = tmp_path / "plan.json"
    data = json.loads(path.read_text())
    data["evaluation"]["latency_s"] *= 2
    path.write_text(json.dumps(data))
    code, said = refused(0)
    assert code == 2
    assert "evaluation.latency_s" in said


class Unreachable:
    """A store whose host is lost."""

    def set(self, key: str, value: bytes) -> None:
        raise RuntimeError

    def multi_get(self, keys: list[str]) -> list[bytes]:
        raise RuntimeError


def test_nothing_else_is_said_once_a_rank_ends_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the others end, its own work fails, too: whoever would say so waits for the end."""
    ended: list[int] = []
    monkeypatch.setattr(launched, "LINGER_S", 0.5)
    monkeypatch.setattr(os, "_exit", ended.append)
    mates = launched.Mates(Unreachable(), Pulse("a"), ["a", "b"], 60.0, "here")
    Thread(target=mates._end, args=("b hangs",)).start()
    with limited(10):
        while not mates._last_word.locked():
            time.sleep(0.01)
        mates.leave()
    assert ended == [5]
    assert capsys.readouterr().err == "iopt: b hangs\n"
    mates._end("too late")
    assert capsys.readouterr().err == ""


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


def test_no_inference_is_none(refused: Refused) -> None:
    assert refused(0, "--repeat", "0") == (2, "iopt: --repeat is 0; expected a positive whole number\n")


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
