"""Plan files give back what was written, in a format that stays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iopt.errors import IoptError
from iopt.partition import files
from iopt.partition.files.schema import json_schema
from iopt.partition.instance import instance_hash
from iopt.partition.methods import METHODS, judged, solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import Result, Status
from tests.instances import chain, cluster, linear, plans, problems, tiny_problem
from tests.partition.plan_files import CLUSTER, NETWORK, PROBLEM, RESULT, data, read


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
    problem = replace(PROBLEM, cluster=CLUSTER.with_memory((10, 10)))
    files.save(tmp_path / "plan.json", problem, infeasible, 1e-4)
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
    assert instance_hash(PROBLEM) == "0ac55811f6ef327e62d822269ed2c3f29dd8b6cea6caefb69f6cda966297c7ee"


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
    assert list(written["evaluation"]) == [
        "latency_s",
        "compute_s",
        "transfer_s",
        "memory_bytes",
        "violations",
        "phases",
    ]
    assert list(written["evaluation"]["phases"][0]) == ["operator", "kind", "time_s", "bytes"]
    assert list(written["options"]) == ["along_rows", "memory", "relayout"]


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parent / "plan.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()
