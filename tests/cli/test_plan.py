"""`iopt plan`: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iopt.cli.codes import reason
from iopt.cli.options import Memory
from iopt.cli.plan import METHODS
from iopt.partition import files, methods
from iopt.partition.caps import tight_caps
from iopt.partition.plan import Plan
from iopt.partition.problem import MemoryModel
from iopt.result import Result, Status
from tests.cli.conftest import Iopt

HOME = ("net.json", "--cluster", "mixed2")


def test_the_help_names_every_method_and_memory_model() -> None:
    assert METHODS.split("|") == list(methods.METHODS)
    assert set(Memory) == set(MemoryModel.__args__)  # type: ignore[attr-defined]


def test_it_shows_proves_and_writes(iopt: Iopt) -> None:
    code, out, err = iopt("plan", *HOME, "-o", "plan.json")
    assert code == 0
    assert out.startswith("net on mixed2: 14.62 kFLOP, 3 operators, 2 devices\nOPTIMAL by milp (HiGHS ")
    assert "op1 " in out
    assert "latency " in out
    assert err == "written to plan.json\n"
    assert files.load("plan.json").result.status is Status.OPTIMAL
    assert "written" not in iopt("plan", *HOME, "-o", "plan.json", "--quiet").err


@pytest.mark.parametrize("method", ["dp", "iop", "coedge", "oc", "modnn", "single"])
def test_every_method_by_name(iopt: Iopt, method: str) -> None:
    code, out, err = iopt("plan", *HOME, "--method", method, "-o", "plan.json")
    assert (code, err) == (0, "written to plan.json\n")
    assert f"FEASIBLE by {method}" in out
    assert iopt("check", "plan.json").code == 0


def test_a_file_named_as_a_preset_may_be_written(iopt: Iopt) -> None:
    """It is not what `--cluster` names."""
    for _ in range(2):
        assert iopt("plan", *HOME, "--method", "single", "-o", "mixed2").code == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("compute: 1 MFLOP/s", "compute: 1 kFLOP/s"),
        ("compute: 1 MFLOP/s", "compute: 1e6 TFLOP/s"),
        ("bandwidth: 1 MB/s", "bandwidth: 1 B/s"),
        ("bandwidth: 1 MB/s", "bandwidth: 1000 TB/s"),
        ("connection: 0.1 ms", "connection: 1e6 s"),
        ("name: a,", "name: a, overhead: 1e6 s,"),
        ("memory: 100 B", "memory: 8192 TiB"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_the_ends_of_every_range(iopt: Iopt, old: str, new: str) -> None:
    text = Path("small.yaml").read_text().replace("memory: 100 B", "memory: 1 MB")
    Path("odd.yaml").write_text(text.replace(old if "memory" not in old else "memory: 1 MB", new, 1))
    code, out, err = iopt("plan", "net.json", "--cluster", "odd.yaml")
    assert (code, err) == (0, "")
    assert "OPTIMAL" in out


def test_json_is_the_plan_file(iopt: Iopt) -> None:
    code, out, err = iopt("plan", *HOME, "--method", "iop", "--json", "-o", "plan.json")
    assert (code, err) == (0, "written to plan.json\n")
    assert json.loads(out) == json.loads(Path("plan.json").read_text())


def test_options_reach_the_problem(iopt: Iopt) -> None:
    said = iopt("plan", *HOME, "--method", "oc", "--memory", "paper", "--no-along-rows", "--tight", "--json")
    file = files.from_data(json.loads(said.out), "plan.json")
    assert (file.problem.memory, file.problem.along_rows) == ("paper", False)
    assert {device.memory_bytes for device in file.problem.cluster.devices} == {tight_caps(file.problem.graph, 2)}


def test_infeasible_is_an_answer(iopt: Iopt) -> None:
    code, out, err = iopt("plan", "net.json", "--cluster", "small.yaml", "-o", "plan.json")
    assert code == 3
    assert "INFEASIBLE" in out
    written, said = err.splitlines()
    assert written == "written to plan.json"
    assert said.startswith("iopt: infeasible: no plan keeps every memory cap; the least total of extra memory is ")
    shown = iopt("show", "plan.json")
    assert shown.code == 0
    assert "the least total of extra memory is" in shown.out


def test_a_plan_that_breaks_a_cap_is_written(iopt: Iopt) -> None:
    code, out, err = iopt("plan", "net.json", "--cluster", "small.yaml", "--method", "single", "-o", "plan.json")
    assert code == 4
    assert "UNKNOWN by single" in out
    assert "iopt: the plan of single breaks a memory cap: " in err
    assert files.load("plan.json").plan is not None
    assert "breaks a memory cap" in iopt("show", "plan.json").out


def test_no_plan_within_the_limit(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = Result[Plan]("milp", Status.UNKNOWN, None, None, 1e-3, 7.0, "HiGHS")
    monkeypatch.setattr(methods, "solve", lambda *_: unknown)
    code, out, err = iopt("plan", *HOME, "--time-limit", "7", "-o", "plan.json", "--quiet")
    assert (code, err) == (4, "iopt: no plan was found within the time limit of 7 s\n")
    assert "no plan is below 1.000 ms" in out
    assert files.load("plan.json").result == unknown
    assert "no plan that keeps every memory cap was found" in iopt("show", "plan.json").out


@pytest.mark.parametrize(
    ("runtime_s", "message", "said"),
    [
        (0.96 * 7, "", "no plan was found within the time limit of 7 s"),
        (0.94 * 7, "", "no plan that keeps every memory cap was found"),
        (0.1, "the solver gave up", "no plan that keeps every memory cap was found: the solver gave up"),
    ],
)
def test_the_limit_is_blamed_where_it_was_reached(runtime_s: float, message: str, said: str) -> None:
    assert reason(Result[Plan]("milp", Status.UNKNOWN, None, None, None, runtime_s, message=message), 7.0) == said


def test_nothing_is_solved_for_a_file_that_cannot_be_written(iopt: Iopt, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(methods, "solve", never)
    for path, problem in (("missing/plan.json", "there is no folder "), (".", "it is a folder")):
        code, _, err = iopt("plan", *HOME, "-o", path)
        assert code == 2
        assert err.startswith(f"iopt: {path}: cannot be written: {problem}")


def test_a_module_in_the_current_directory(iopt: Iopt) -> None:
    pytest.importorskip("torch")
    Path("my_nets.py").write_text(
        "from torch import nn\n\ndef build():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n"
    )
    code, out, _ = iopt("plan", "my_nets:build", "--input", "1x3x8x8", "--cluster", "mixed2", "--method", "dp")
    assert code == 0
    assert ":build on mixed2: " in out.splitlines()[0]
