"""Configuration files give back what was written; whatever is changed in one is found."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import iopt.tiling
from iopt.errors import IoptError, OptionError, PlanError
from iopt.result import Result, Status
from iopt.tiling import files
from iopt.tiling.evaluation import evaluate
from iopt.tiling.files import claims
from iopt.tiling.files.configuration_schema import json_schema
from iopt.tiling.instance import instance_hash
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.methods import METHODS, solve
from iopt.tiling.notation import parse
from iopt.tiling.problem import Problem
from tests.changes import Change, Data, assert_seen, keys_dropped, put, together
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.instances import tiny_problem
from tests.tiling.networks import drawn

GRAPH = chain("net", (3, 24, 32), [conv(8, 3, padding=1), conv(8, 3, padding=1, pooling=max_pool(2)), conv(4, 1)])
HOST = HostModel((LayerTime((1.0, 100.0), (1e-6, 1e-4)),) * 4, 1e-6, 2e-6, 1e-9)
PROBLEM = Problem(GRAPH, 2**20, predictor="bound", weights="streamed", host=HOST, reuse=True)
PLAN = parse("2x3c/3/1x1", 4)
COST = evaluate(PROBLEM, PLAN)
RESULT = Result("milp", Status.FEASIBLE, PLAN, COST.macs, PROBLEM.macs * 0.9, 1.5, "HiGHS 1")


def data(result: Result[Any] = RESULT, problem: Problem = PROBLEM) -> Data:
    """A file whose claims are true."""
    return json.loads(json.dumps(files.to_dict(problem, result)))


def read(data: Data) -> files.ConfigurationFile:
    return files.from_data(data, "config.json")


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


# Claims

FIRST = ("evaluation", "groups", 0)
UNTRUE: dict[str, Change] = {
    "instance_hash is '000": put("instance_hash", value="0" * 64),
    "instance_hash is": put("options", "memory_bytes", value=2**19),
    "instance_hash is '": put("host", "call_s", value=1.0),
    "model is 'other'; the embedded network is 'net'": put("model", value="other"),
    "input_shape is [1, 24, 32]": put("input_shape", value=[1, 24, 32]),
    "notation is '2x3/3/1x1'; the groups are '2x3c/3/1x1'": put("notation", value="2x3/3/1x1"),
    "notation is '2x3c/3/1x1'; the groups are": put("groups", 0, "rows", value=3),
    "evaluation.peak_bytes": put("evaluation", "peak_bytes", value=COST.peak_bytes - 1),
    "evaluation.macs": put("evaluation", "macs", value=PROBLEM.macs),
    "evaluation.mac_factor": put("evaluation", "mac_factor", value=1.0),
    "evaluation.latency_s": put("evaluation", "latency_s", value=1.0),
    "evaluation.latency_s is None": put("evaluation", "latency_s", value=None),
    "evaluation.groups[0].peak_bytes": put(*FIRST, "peak_bytes", value=1),
    "evaluation.groups[0].layer": put(*FIRST, "layer", value="op3"),
    "evaluation.groups[0].tile": put(*FIRST, "tile", value=None),
    "evaluation.groups[0].strips_bytes": put(*FIRST, "strips_bytes", value=0),
    "evaluation.groups: 1 are stated; there are 2": lambda data: data["evaluation"]["groups"].pop(),
    "evaluation.violations": put("evaluation", "violations", value=["too much"]),
    "result.objective_value": put("result", "objective_value", value=float(PROBLEM.macs)),
    "result.gap": put("result", "gap", value=0.0),
    "result.bound_value": together(
        put("result", "bound_value", value=COST.macs * 2.0), put("result", "gap", value=0.0)
    ),
    "result.status is OPTIMAL": put("result", "status", value="OPTIMAL"),
    "result.status is INFEASIBLE": put("result", "status", value="INFEASIBLE"),
    "result.gap_tolerance is 0.5; configurations are proved to 1e-08": put("result", "gap_tolerance", value=0.5),
    "result.status is UNKNOWN": put("result", "status", value="UNKNOWN"),
}


def test_the_example_is_true() -> None:
    assert files.check(read(data())) == []


@pytest.mark.parametrize("key", UNTRUE)
def test_a_claim_that_is_not_true(key: str, tmp_path: Path) -> None:
    changed = copy.deepcopy(data())
    UNTRUE[key](changed)
    untrue = files.check(read(changed))
    assert any(line.startswith(key.replace("None", "null")) for line in untrue), untrue
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(PlanError, match=r"config\.json: changed by hand, or made for another model"):
        files.load(tmp_path / "config.json")


def test_every_number_of_the_evaluation_is_a_claim() -> None:
    def leaves(value: Any, *path: str | int) -> list[tuple[str | int, ...]]:
        if isinstance(value, dict | list):
            items = value.items() if isinstance(value, dict) else enumerate(value)
            return [leaf for key, entry in items for leaf in leaves(entry, *path, key)]
        return [path] if isinstance(value, int | float) else []

    paths = leaves(data()["evaluation"], "evaluation")
    assert len(paths) > 10
    for path in paths:
        changed = data()
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] += 1
        assert len(files.check(read(changed))) == 1, path


def test_a_bound_and_infeasibility_are_proved_anew() -> None:
    best = solve(PROBLEM).objective
    assert best is not None
    assert best < COST.macs
    bold = replace(RESULT, status=Status.OPTIMAL, bound=COST.macs)
    (said,) = files.check(read(data(bold)))
    assert said.startswith(f"result.bound_value is {COST.macs:.1f}; ") and said.endswith(f"its work is {best}")
    none = Result[Any]("exact", Status.INFEASIBLE, None, None, None, 1.0)
    (said,) = files.check(read(data(none)))
    assert said.startswith("result.status is INFEASIBLE; ") and said.endswith(" keeps every limit")
    tight = replace(PROBLEM, memory_bytes=1)
    assert files.check(read(data(none, tight))) == []


def test_a_bound_is_of_the_space_that_was_searched() -> None:
    outside = {"rows": 2, "columns": 3, "reuse": "checkerboard"}
    assert outside == {key: data()["groups"][0][key] for key in outside}
    bounded, free = replace(RESULT, bound=COST.macs / 2), replace(RESULT, bound=None)
    for problem, max_groups, said in (
        (replace(PROBLEM, max_tiles=2), None, "options.max_tiles is 2; the configuration has 3"),
        (replace(PROBLEM, reuse=False), None, "options.reuse is false; the configuration has groups with reuse"),
        (PROBLEM, 1, "result.max_groups is 1; the configuration has 2 groups"),
    ):
        stated = files.to_dict(problem, bounded, max_groups)
        assert files.check(read(stated)) == [said]
        assert files.check(read(files.to_dict(problem, free, max_groups))) == []


def test_what_only_reading_finds_needs_no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "exact", None)
    assert files.check(read(data(replace(RESULT, bound=None)))) == []


# Malformed

MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/tiling-configuration/1'": put("schema", value="iopt/tiling-configuration/2"),
    "notation, groups and evaluation: expected all or none to be null": put("evaluation", value=None),
    "groups[0].rows: expected 1 or more, got 0": put("groups", 0, "rows", value=0),
    "groups[0].reuse: expected 'none' or 'checkerboard', got 'all'": put("groups", 0, "reuse", value="all"),
    "groups[0].colums: unknown key; did you mean 'columns'?": put("groups", 0, value={"colums": 1}),
    "groups[1].first: expected a whole number, got '3'": put("groups", 1, "first", value="3"),
    "groups: group of layers 0 ... 2: 13 rows of tiles on a map of 12": put("groups", 0, "rows", value=13),
    "groups: group of layers 2 ... 3: expected groups that follow": put("groups", 1, "first", value=2),
    "groups: the configuration ends with layer 2; the network ends with 3": lambda data: data["groups"].pop(),
    "groups: the configuration has no groups": put("groups", value=[]),
    "options.memory_bytes: expected 1 or more, got 0": put("options", "memory_bytes", value=0),
    "options.predictor: expected 'lean', 'torch', 'bound',": put("options", "predictor", value="full"),
    "options: bias_bytes goes with the predictor 'mafat'": put("options", "predictor", value="mafat"),
    "options: overhead limits the objective 'memory'": put("options", "overhead", value=1.5),
    "options: max_tiles is 1000; expected a whole number from 1 to 64": put("options", "max_tiles", value=1000),
    "options: objective 'latency' needs a host model": together(
        put("options", "objective", value="latency"), put("host", value=None)
    ),
    "options: the host model has 3 layers; the network has 4": lambda data: data["host"]["layers"].pop(),
    "host: layers[2]: a layer's cells are (100.0, 1.0); expected rising": put(
        "host", "layers", 2, "cells", value=[100, 1]
    ),
    "host.layers[0].seconds[1]: expected 0.0 or more": put("host", "layers", 0, "seconds", 1, value=-1.0),
    "network: graph 'net': operator 'op1': kernel is (0, 3); expected positive": (
        put("network", "operators", 0, "body", "window", "kernel", value=[0, 3])
    ),
    "result.max_groups: expected 1 or more, got 0": put("result", "max_groups", value=0),
    "result.runtime_s: missing": lambda data: data["result"].pop("runtime_s"),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_says_where(message: str) -> None:
    changed = data()
    MALFORMED[message](changed)
    with pytest.raises(PlanError) as caught:
        read(changed)
    assert str(caught.value).startswith(f"config.json: {message}")
    assert "\n" not in str(caught.value)


def test_a_network_that_cannot_be_tiled_is_named() -> None:
    graph = chain("net", (3, 8, 8), [conv(4, 3), linear(2)])
    result = solve(Problem(graph), "untiled")
    changed = data(result, Problem(graph))
    changed["groups"][0]["rows"] = 2
    with pytest.raises(
        PlanError, match=r"config\.json: groups: group of layers 0 ... 1: op2 cannot be tiled: a linear "
    ):
        read(changed)


@pytest.mark.parametrize("path", [path for path, _ in keys_dropped(data())], ids=str)
def test_no_key_can_be_left_out_unseen(path: tuple[str | int, ...]) -> None:
    assert_seen(data(), path, lambda changed: files.check(read(changed)))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            "network: operators[0].body.groups: missing",
            lambda data: data["network"]["operators"][0]["body"].pop("groups"),
        ),
        ("host: call_s: expected 0.0, got 0", lambda data: data["host"].update(call_s=0)),
    ],
)
def test_what_is_hashed_is_what_is_there(message: str, change: Change) -> None:
    changed = data()
    change(changed)
    with pytest.raises(PlanError, match=r"^config\.json: ") as caught:
        read(changed)
    assert str(caught.value) == f"config.json: {message}"
