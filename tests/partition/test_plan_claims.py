"""Whatever is changed in a plan file is found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iopt.errors import PlanError
from iopt.partition import files, methods
from iopt.partition.methods import judged, solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import ACCURACY, Result, Status
from tests.changes import put, together
from tests.partition.plan_files import CLUSTER, LATENCY_S, PLAN, PROBLEM, data, read

UNTRUE = {
    "model": put("model", value="vgg11"),
    "input_shape": put("input_shape", value=[3, 9, 9]),
    "instance_hash": put("instance_hash", value="0" * 64),
    "evaluation.latency_s": put("evaluation", "latency_s", value=LATENCY_S * (1 + 1e-6)),
    "evaluation.compute_s": put("evaluation", "compute_s", value=0.0),
    "evaluation.transfer_s": put("evaluation", "transfer_s", value=1),
    "evaluation.memory_bytes.d1": put("evaluation", "memory_bytes", "d1", value=1),
    "evaluation.memory_bytes.d7": lambda data: data["evaluation"]["memory_bytes"].update(d7=5),
    "evaluation.memory_bytes.d0": lambda data: data["evaluation"]["memory_bytes"].pop("d0"),
    "evaluation.violations": put("evaluation", "violations", value=["d0 is full"]),
    "evaluation.phases[0].operator": put("evaluation", "phases", 0, "operator", value="op2"),
    "evaluation.phases[1].kind": put("evaluation", "phases", 1, "kind", value="scatter"),
    "evaluation.phases[2].time_s": put("evaluation", "phases", 2, "time_s", value=0.5),
    "evaluation.phases[3].bytes": put("evaluation", "phases", 3, "bytes", 0, 1, value=1),
    "evaluation.phases": lambda data: data["evaluation"]["phases"].pop(),
    "result.objective_s": put("result", "objective_s", value=LATENCY_S / 2),
    "result.gap": put("result", "gap", value=0.0),
    "result.bound_s": together(put("result", "bound_s", value=LATENCY_S * 2), put("result", "gap", value=0.0)),
    "result.status is OPTIMAL": together(put("result", "gap_tolerance", value=1e-6)),
    "result.status is FEASIBLE": put("result", "status", value="FEASIBLE"),
    "result.status is UNKNOWN": put("result", "status", value="UNKNOWN"),
    "result.status is INFEASIBLE": put("result", "status", value="INFEASIBLE"),
    "instance_hash is": put("cluster", "network", "connection_s", value=0.25),
    "instance_hash is '": put("options", "memory", value="paper"),
    "evaluation.latency_s is": put("operators", 0, "intervals", value=[[0, 1], [1, 4]]),
}


@pytest.mark.parametrize("key", UNTRUE)
def test_a_claim_that_is_not_true(key: str, tmp_path: Path) -> None:
    changed = data()
    UNTRUE[key](changed)
    untrue = files.check(read(changed))
    assert any(line.startswith(key) for line in untrue), untrue
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(changed))
    with pytest.raises(PlanError, match=r"plan\.json: changed by hand, or made for another model"):
        files.load(path)


def leaves(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every number and text of JSON data with its path."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if entries is None:
        yield path, value
        return
    for step, entry in entries:
        yield from leaves(entry, (*path, step))


FREE = {"method", "runtime_s", "solver", "message", "weight", "bias"}
"""Stated, and not to be found wrong: names do not change what a plan costs, but those of weights are in the hash."""


@pytest.mark.parametrize("path", [path for path, _ in leaves(data()) if path[-1] not in FREE], ids=str)
def test_no_number_or_text_can_change_unseen(path: tuple[str | int, ...]) -> None:
    changed = data()
    value = dict(leaves(changed))[path]
    holder = changed
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]
    by_one = (
        5
        if value is None
        else f"{value}x"
        if isinstance(value, str)
        else not value
        if isinstance(value, bool)
        else value + 1
    )
    holder[path[-1]] = by_one  # type: ignore[index]
    try:
        untrue = files.check(read(changed))
    except PlanError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("plan.json: ")
        return
    assert untrue


@pytest.mark.parametrize(
    ("status", "capped", "said"),
    [
        ("OPTIMAL", True, "there is no plan"),
        ("FEASIBLE", True, "there is no plan"),
        ("INFEASIBLE", False, "no device has"),
    ],
)
def test_a_status_without_a_plan(status: str, capped: bool, said: str) -> None:
    problem = PROBLEM if capped else replace(PROBLEM, cluster=CLUSTER.with_memory((None, None)))
    result = Result[Plan]("milp", Status(status), None, None, None, 1.0)
    (line,) = files.check(read(files.to_dict(problem, result, 1e-4)))
    assert line.startswith(f"result.status is {status}; {said}")


def test_a_plan_that_breaks_a_cap_cannot_be_feasible() -> None:
    problem = replace(PROBLEM, cluster=CLUSTER.with_memory((10, None)))
    result = replace(judged(problem, "hand", PLAN, 0.0), status=Status.FEASIBLE)
    (line,) = files.check(read(files.to_dict(problem, result, 1e-4)))
    assert line == "result.status is FEASIBLE; the plan breaks the memory caps"


# Bounds and infeasibility


def checked(result: Result[Plan], problem: Problem = PROBLEM, gap_tolerance: float = 1e-4) -> list[str]:
    return files.check(read(files.to_dict(problem, result, gap_tolerance)))


def test_a_bound_above_the_plan_of_dp_is_refuted() -> None:
    best = solve(PROBLEM, "dp")
    slower = solve(PROBLEM, "single")
    assert best.objective is not None
    assert slower.objective is not None
    assert slower.objective > best.objective
    (line,) = checked(replace(slower, status=Status.OPTIMAL, bound=slower.objective))
    assert line.startswith(f"result.bound_s is {slower.objective}; the plan of dp keeps every memory cap")
    assert line.endswith(str(best.objective))
    assert checked(replace(best, status=Status.OPTIMAL, bound=best.objective)) == []


def test_a_plan_that_breaks_the_caps_refutes_nothing() -> None:
    problem = replace(PROBLEM, cluster=CLUSTER.with_memory((10, 10)))
    assert checked(Result("milp", Status.INFEASIBLE, None, None, None, 1.0), problem) == []
    assert checked(Result("milp", Status.UNKNOWN, None, None, 1e6, 1.0), problem) == []


def test_infeasible_is_refuted_by_the_plan_of_dp() -> None:
    (line,) = checked(Result("milp", Status.INFEASIBLE, None, None, None, 1.0))
    assert line == "result.status is INFEASIBLE; the plan of dp keeps every memory cap"


def test_a_problem_too_large_to_be_tried_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr(methods, "solve", solve)
    with pytest.raises(PlanError, match=r"^plan\.json: network: its tensors are too large to be planned$"):
        checked(Result("milp", Status.INFEASIBLE, None, None, None, 1.0))


@pytest.mark.parametrize("tolerance", [0.0, 1e-4])
def test_what_a_solver_may_call_optimal_is_optimal(tolerance: float) -> None:
    best = solve(PROBLEM, "dp")
    assert best.objective is not None
    for status, beyond, is_true in (
        (Status.OPTIMAL, ACCURACY, True),
        (Status.OPTIMAL, 3 * ACCURACY, False),
        (Status.FEASIBLE, 1.1 * ACCURACY, True),
        (Status.FEASIBLE, -ACCURACY, False),
    ):
        result = replace(best, status=status, bound=best.objective * (1 - tolerance - beyond))
        if (result.bound or 0) <= best.objective:
            assert (checked(result, gap_tolerance=tolerance) == []) is is_true, (status, beyond)
