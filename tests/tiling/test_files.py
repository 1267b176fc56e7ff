"""Configuration files give back what was written: which network, which problem, which keys."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import iopt.tiling
from iopt.errors import IoptError, OptionError, PlanError
from iopt.tiling import files
from iopt.tiling.evaluation import evaluate
from iopt.tiling.files.configuration_schema import json_schema
from iopt.tiling.instance import instance_hash
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.methods import METHODS, solve
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, max_pool
from tests.tiling.file_example import GRAPH, HOST, PLAN, PROBLEM, RESULT, data
from tests.tiling.instances import tiny_problem
from tests.tiling.networks import drawn

# There and back


@pytest.mark.parametrize("seed", range(25))
def test_what_a_method_finds_in_any_problem_there_and_back(seed: int, tmp_path: Path) -> None:
    problem = tiny_problem(seed)
    for method in METHODS:
        if method == "milp" and seed % 5:
            continue
        result = solve(problem, method)
        path = tmp_path / "config.json"
        files.save(path, problem, result)
        file = files.load(path, problem.graph)
        assert (file.problem, file.result, file.max_groups) == (problem, replace(result, history=()), None)
        assert file.evaluation == (None if result.plan is None else evaluate(problem, result.plan))


def test_of_at_most_so_many_groups() -> None:
    layers = [conv(8, 3, padding=1), conv(8, 3, padding=1, pooling=max_pool(2)), conv(8, 3, padding=1), conv(4, 1)]
    problem = Problem(chain("deep", (3, 24, 32), layers), 26_000, weights="none")
    few, any_number = solve(problem, max_groups=1), solve(problem)
    assert few.objective is not None and any_number.objective is not None and few.objective > any_number.objective
    file = files.from_data(files.to_dict(problem, few, 1), "one.json")
    assert file.max_groups == 1
    assert files.check(file) == []
    (said,) = files.check(files.from_data(files.to_dict(problem, few), "one.json"))
    assert said.startswith(f"result.bound_value is {few.bound}")


def test_the_package_has_them() -> None:
    assert (iopt.tiling.load, iopt.tiling.save) == (files.load, files.save)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IoptError, match="cannot be written"):
        files.save(tmp_path / "missing" / "config.json", PROBLEM, RESULT)


def test_what_is_no_problem_and_no_result() -> None:
    with pytest.raises(OptionError, match=r"problem is a Graph; expected a Problem"):
        files.to_dict(GRAPH, RESULT)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"result is a Configuration; expected a Result: iopt.tiling.solve gives one"):
        files.to_dict(PROBLEM, PLAN)  # type: ignore[arg-type]


# Which network


def test_of_another_network(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    files.save(path, PROBLEM, RESULT)
    assert files.load(path, replace(GRAPH, name="renamed")).plan == PLAN
    message = r"config\.json: a configuration of the network 'net' on an input of 1x3x24x32, not of 'drawn-1' on 1x"
    with pytest.raises(PlanError, match=message):
        files.load(path, drawn(1))
    with pytest.raises(OptionError, match=r"network is 'lenet'; expected a Graph: iopt.load\('lenet'\) gives one"):
        files.load(path, "lenet")  # type: ignore[arg-type]


# The hash


def test_the_hash_is_of_the_problem() -> None:
    others = [
        replace(PROBLEM, memory_bytes=2**20 + 1),
        replace(PROBLEM, memory_bytes=None),
        replace(PROBLEM, objective="memory"),
        replace(PROBLEM, objective="memory", overhead=1.5),
        replace(PROBLEM, predictor="torch"),
        replace(PROBLEM, predictor="mafat", bias_bytes=1),
        replace(PROBLEM, predictor="mafat", bias_bytes=2),
        replace(PROBLEM, weights="none"),
        replace(PROBLEM, backend="im2col"),
        replace(PROBLEM, grid="ceil"),
        replace(PROBLEM, crop="rim", reuse=False),
        replace(PROBLEM, reuse=False),
        replace(PROBLEM, max_tiles=7),
        replace(PROBLEM, host=None),
        replace(PROBLEM, host=replace(HOST, call_s=0.0)),
        replace(PROBLEM, host=replace(HOST, copy_s=0.0)),
        replace(PROBLEM, graph=chain("net", (3, 24, 32), [*[conv(8, 3, padding=1)] * 3, conv(4, 1)])),
    ]
    assert len({instance_hash(problem) for problem in [PROBLEM, *others]}) == len(others) + 1


def test_equal_problems_have_one_hash_that_stays() -> None:
    whole = HostModel((LayerTime((1, 100), (1e-6, 1e-4)),) * 4, 1e-6, 2e-6, 1e-9)
    assert instance_hash(replace(PROBLEM, host=whole)) == instance_hash(PROBLEM)
    two = replace(PROBLEM, objective="memory", overhead=2)
    assert instance_hash(two) == instance_hash(replace(two, overhead=2.0))
    assert instance_hash(PROBLEM) == "5d95005bd1763d8288678fd7c4b84c61aa792de8ecd231d924e766c0f259f9f3"


# The format


def test_the_keys_stay() -> None:
    """Other tools read them."""
    keys = "schema model instance_hash input_shape options host notation groups result evaluation network"
    found = data()
    assert list(found) == keys.split()
    assert found["schema"] == "iopt/tiling-configuration/1"
    assert found["notation"] == "2x3c/3/1x1"
    assert found["groups"][0] == {"first": 0, "last": 2, "rows": 2, "columns": 3, "reuse": "checkerboard"}
    assert list(found["evaluation"]) == ["peak_bytes", "macs", "mac_factor", "latency_s", "groups", "violations"]


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parent / "configuration.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()
