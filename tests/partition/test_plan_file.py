"""Plan files give back what was written, and say which of their claims are not true."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iopt.errors import IoptError, PlanError
from iopt.partition import files
from iopt.partition.evaluation import evaluate
from iopt.partition.files.schema import json_schema
from iopt.partition.instance import instance_hash
from iopt.partition.methods import METHODS, judged, solve
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split
from iopt.partition.problem import Problem
from iopt.result import Result, Status
from tests.instances import chain, cluster, conv, linear, max_pool, plans, problems, tiny_problem

Data = dict[str, Any]
Change = Callable[[Data], object]

NETWORK = chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), linear(6), linear(2)])
CLUSTER = cluster((1e6, 2e6), (1e5, 2e5), connection_s=1e-3, memory_bytes=(8_000, None), sink=1)
PROBLEM = Problem(NETWORK, CLUSTER)
PLAN = Plan(
    (
        Split("op1", Axis.H, ((0, 2), (2, 4)), via="source"),
        Split("op2", Axis.IC, ((0, 1), (1, 4)), "rows", Scatter(((0, 2), (2, 6)))),
        Split("op3", Axis.IC, ((0, 2), (2, 6)), None, Direct()),
    )
)
LATENCY_S = evaluate(PROBLEM, PLAN).latency_s
BOUND_S = LATENCY_S * (1 - 5e-5)
RESULT = Result("milp", Status.OPTIMAL, PLAN, LATENCY_S, BOUND_S, 1.5, "HiGHS 1")


def data() -> Data:
    """Every kind of phase, combine and option that a file can hold, and no claim that is not true."""
    return copy.deepcopy(files.to_dict(PROBLEM, RESULT, 1e-4))


def read(data: Data) -> files.PlanFile:
    return files.from_data(json.loads(json.dumps(data)), "plan.json")


def test_the_example_is_true_and_has_every_kind_of_phase() -> None:
    file = read(data())
    assert files.check(file) == []
    assert {phase["kind"] for phase in data()["evaluation"]["phases"]} == {
        "input",
        "gather",
        "transfer",
        "scatter",
        "output",
    }


# There and back


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), problems())
def test_any_plan_of_any_problem_there_and_back(draw: st.DataObject, problem: Problem) -> None:
    result = judged(problem, "hand", draw.draw(plans(problem, via=True)), 0.25)
    file = read(files.to_dict(problem, result, 1e-4))
    assert (file.problem, file.result) == (problem, result)
    assert files.check(file) == []


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(4))
def test_what_a_method_finds_there_and_back(method: str, seed: int, tmp_path: Path) -> None:
    problem = tiny_problem(seed, devices=2, operators=2, plan_limit=20_000)
    result = solve(problem, method, time_limit_s=20)
    path = tmp_path / "plan.json"
    files.save(path, problem, result, 1e-4)
    file = files.load(path)
    assert (file.problem, file.plan, file.result) == (problem, result.plan, replace(result, history=()))
    assert [entry.name for entry in tmp_path.iterdir()] == ["plan.json"]


def test_no_plan_there_and_back(tmp_path: Path) -> None:
    infeasible = Result[Plan]("milp", Status.INFEASIBLE, None, None, None, 2.0, "HiGHS 1", "d0 is short of 5 bytes")
    files.save(tmp_path / "plan.json", PROBLEM, infeasible, 1e-4)
    file = files.load(tmp_path / "plan.json")
    assert (file.result, file.evaluation) == (infeasible, None)
    written = json.loads((tmp_path / "plan.json").read_text())
    assert written["operators"] is written["evaluation"] is written["result"]["gap"] is None


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IoptError, match="cannot be written"):
        files.save(tmp_path / "missing" / "plan.json", PROBLEM, RESULT, 1e-4)


# The hash


def test_the_hash_is_of_network_cluster_and_options() -> None:
    longer = Problem(chain("net", (3, 8, 8), [linear(2)]), CLUSTER)
    others = [
        longer,
        replace(PROBLEM, cluster=replace(CLUSTER, sink=0)),
        replace(PROBLEM, along_rows=False),
        replace(PROBLEM, memory="paper"),
    ]
    assert len({instance_hash(problem) for problem in [PROBLEM, *others]}) == 5


def test_equal_problems_have_one_hash_that_stays() -> None:
    whole = Problem(
        NETWORK, cluster((10**6, 2 * 10**6), (10**5, 2 * 10**5), connection_s=1e-3, memory_bytes=(8_000, None), sink=1)
    )
    assert instance_hash(whole) == instance_hash(PROBLEM)
    assert instance_hash(PROBLEM) == "6213601c58d18ff8a66f1aea9d2af1daffa047bf18d490ca409dff1b2c3ab358"


# The format


def test_the_keys_stay() -> None:
    """Other tools read them."""
    written = data()
    keys = "schema model instance_hash input_shape options cluster operators result evaluation network"
    assert list(written) == keys.split()
    assert written["schema"] == "iopt/partition-plan/1"
    assert written["operators"] == [
        {"name": "op1", "axis": "H", "along": None, "intervals": [[0, 2], [2, 4]], "combine": None, "via": "source"},
        {
            "name": "op2",
            "axis": "IC",
            "along": "rows",
            "intervals": [[0, 1], [1, 4]],
            "combine": {"how": "scatter", "intervals": [[0, 2], [2, 6]]},
        },
        {"name": "op3", "axis": "IC", "along": None, "intervals": [[0, 2], [2, 6]], "combine": {"how": "direct"}},
    ]
    keys = "method status objective_s bound_s gap gap_tolerance runtime_s solver message"
    assert list(written["result"]) == keys.split()
    assert list(written["evaluation"]) == "latency_s compute_s transfer_s memory_bytes violations phases".split()
    assert list(written["evaluation"]["phases"][0]) == "operator kind time_s bytes".split()
    assert list(written["options"]) == "along_rows memory".split()


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parents[2] / "schema" / "plan.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()


# Claims that are not true


def put(*path: str | int, value: object) -> Change:
    def change(data: Data) -> None:
        for step in path[:-1]:
            data = data[step]  # type: ignore[index]
        assert data[path[-1]] != value  # type: ignore[index]
        data[path[-1]] = value  # type: ignore[index]

    return change


def together(*changes: Change) -> Change:
    return lambda data: [change(data) for change in changes]


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


# Files that are malformed

MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/partition-plan/1', got 'iopt/graph/1'": put("schema", value="iopt/graph/1"),
    "schema: expected 'iopt/partition-plan/1', got none": lambda data: data.pop("schema"),
    "modle: unknown key; did you mean 'model'?": lambda data: data.update(modle=data.pop("model")),
    "result: missing": lambda data: data.pop("result"),
    "operators[0].axis: expected 'H', 'OC' or 'IC', got 'W'": put("operators", 0, "axis", value="W"),
    "operators[0].along: expected 'rows', got 'columns'": put("operators", 0, "along", value="columns"),
    "operators[0].intervals[1][0]: expected a whole number, got '2'": put("operators", 0, "intervals", 1, 0, value="2"),
    "operators[0].intervals[1][0]: expected 0 or more, got -2": put("operators", 0, "intervals", 1, 0, value=-2),
    "operators[1].combine: direct has no intervals": put("operators", 1, "combine", "how", value="direct"),
    "operators[2].combine: scatter needs intervals": put("operators", 2, "combine", "how", value="scatter"),
    "operators[0].via: expected 'source', got 'sink'": put("operators", 0, "via", value="sink"),
    "result.status: expected 'OPTIMAL', 'FEASIBLE', 'INFEASIBLE' or 'UNKNOWN', got 'BEST'": put(
        "result", "status", value="BEST"
    ),
    "result.runtime_s: expected 0 or more, got -1": put("result", "runtime_s", value=-1),
    "result.objective_s: expected a number, got '1'": put("result", "objective_s", value="1"),
    "result.bound_s: expected a finite number, got nan": put("result", "bound_s", value=float("nan")),
    "operators and evaluation: expected both or neither to be null": put("operators", value=None),
    "options.memory: expected 'live' or 'paper', got 'none'": put("options", "memory", value="none"),
    "cluster: devices[0].flops_per_s: expected a number, got '1'": put(
        "cluster", "devices", 0, "flops_per_s", value="1"
    ),
    "cluster: sink: no device is named 'd9'": put("cluster", "sink", value="d9"),
    "network: operators[0].name: expected a valid string, got 1": put("network", "operators", 0, "name", value=1),
    "operators: the plan is not for net": put("operators", 0, "name", value="conv1"),
    "operators: operator 'op1': intervals: they end at 3; expected 4": put("operators", 0, "intervals", 1, 1, value=3),
    "operators: operator 'op3': axis H is not one it may take": put("operators", 2, "axis", value="H"),
    "network: net has branches": lambda data: data["network"]["operators"][2].update(
        inputs=["op1"], input_shapes=[[4, 4, 4]]
    ),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_is_one_line_with_its_key(message: str) -> None:
    changed = data()
    MALFORMED[message](changed)
    with pytest.raises(PlanError) as caught:
        read(changed)
    assert str(caught.value).startswith(f"plan.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: line 1 column 1"),
        ('{"schema": 1', "not JSON: line 1 column 13"),
        ("[]", "expected a mapping with schema 'iopt/partition-plan/1', got []"),
        ('{"schema": 1, "schema": 2}', "not JSON that iopt reads: key 'schema' occurs twice"),
        ("[" * 100_000, "not JSON that iopt reads: nested too deeply"),
        ("\udcff", "not a text file: byte 0 is not UTF-8"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_plan_file(text: str | None, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    if text is not None:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(PlanError) as caught:
        files.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)
