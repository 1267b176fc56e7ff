"""Placement files give back what was written; whatever is changed in one is found."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from iopt.cluster import Cluster
from iopt.errors import IoptError, OptionError, PlanError
from iopt.exits import files, methods
from iopt.exits.evaluation import evaluate
from iopt.exits.files.placement_schema import json_schema
from iopt.exits.instance import instance_hash, networks_of
from iopt.exits.methods import solve
from iopt.exits.observations import Measured, Profile
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem
from iopt.result import Result, Status
from tests.changes import Change, Data, assert_seen, keys_dropped, put, together
from tests.exits.instances import random_plan, tiny_problem

PROFILE = replace(files.load_profile("b-alexnet"), measured=Measured("entropy", (0.3, 0.4), 100), graph_hash="0" * 64)
PROBLEM = Problem(
    (
        Application(PROFILE.network, 0.8, 0.005, name="first"),
        Application(PROFILE.network, 0.7, 0.005, 2.0, "device", name="second"),
    ),
    Cluster.load("mobile-edge-cloud"),
    energy="unconditional",
)
PLAN = Plan((Placement("first", 2, (0, 0, 0, 1, 1)), Placement("second", 1, (0, 0, 0))))
ENERGY_J = evaluate(PROBLEM, PLAN).energy_j
RESULT = Result("milp", Status.OPTIMAL, PLAN, ENERGY_J, ENERGY_J * 0.9, 1.5, "HiGHS 1")


def data() -> Data:
    """A file whose claims are true."""
    return copy.deepcopy(files.to_dict(PROBLEM, RESULT, 0.2, [PROFILE]))


def read(data: Data) -> files.PlacementFile:
    return files.from_data(json.loads(json.dumps(data)), "placement.json")


# There and back


@pytest.mark.parametrize("seed", range(25))
def test_any_placement_of_any_problem_there_and_back(seed: int) -> None:
    problem = tiny_problem(seed, applications=1 + seed % 3)
    plan = random_plan(problem, Random(seed))
    evaluation = evaluate(problem, plan)
    status = Status.FEASIBLE if evaluation.is_feasible else Status.UNKNOWN
    result = Result("hand", status, plan, evaluation.energy_j, None, 0.25, message="; ".join(evaluation.violations))
    file = read(files.to_dict(problem, result, 1e-6))
    assert (file.problem, file.result) == (problem, result)
    assert files.check(file) == []


@pytest.mark.parametrize("method", ["exact", "fin", "larac", "mcp", "sequential"])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_a_method_finds_there_and_back(method: str, seed: int, tmp_path: Path) -> None:
    problem = tiny_problem(seed)
    result = solve(problem, method, time_limit_s=20)
    path = tmp_path / "placement.json"
    files.save(path, problem, result, 1e-6)
    file = files.load(path)
    assert (file.problem, file.plan, file.result) == (problem, result.plan, replace(result, history=()))


def test_where_networks_come_from() -> None:
    file = read(data())
    assert len(file.claims.networks) == len(networks_of(PROBLEM)) == 1
    assert file.profiles == (Profile(PROFILE.network, "0" * 64, PROFILE.measured),) * 2
    assert read(files.to_dict(PROBLEM, RESULT, 0.2)).profiles == (Profile(PROFILE.network),) * 2


@pytest.mark.parametrize("gap_tolerance", [None, -4, 1, 10**400])
def test_a_gap_that_no_file_may_state(gap_tolerance: float, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^gap_tolerance is .*; expected a number from 0 to below 1$"):
        files.save(tmp_path / "placement.json", PROBLEM, RESULT, gap_tolerance)
    assert not list(tmp_path.iterdir())


def test_what_is_no_problem_and_no_result() -> None:
    with pytest.raises(OptionError, match=r"^problem is None; expected a Problem"):
        files.to_dict(None, RESULT, 0.1)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"^result is a Plan; expected a Result: solve gives one"):
        files.to_dict(PROBLEM, PLAN, 0.1)  # type: ignore[arg-type]


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(IoptError, match="cannot be written"):
        files.save(tmp_path / "missing" / "placement.json", PROBLEM, RESULT, 1e-6)


# The hash


def test_the_hash_is_of_the_problem() -> None:
    (first, second) = PROBLEM.applications
    others = [
        replace(PROBLEM, energy="expected"),
        replace(PROBLEM, link_rate="min"),
        replace(PROBLEM, pinned=False),
        replace(PROBLEM, max_load=0.5),
        replace(PROBLEM, applications=(second, first)),
        replace(PROBLEM, applications=(replace(first, latency_s=0.006), second)),
        replace(PROBLEM, cluster=replace(PROBLEM.cluster, source=1)),
    ]
    assert len({instance_hash(problem) for problem in [PROBLEM, *others]}) == 8


def test_equal_problems_have_one_hash_that_stays() -> None:
    (first, second) = PROBLEM.applications
    whole = replace(PROBLEM, applications=(first, replace(second, rate_per_s=2)), max_load=1)
    assert instance_hash(whole) == instance_hash(PROBLEM)
    assert instance_hash(PROBLEM) == "411c5c703d6eae1ac98e17b4199651386d314a18d788900ada85c82f42e33c69"


# The format


def test_the_keys_stay() -> None:
    """Other tools read them."""
    keys = "schema instance_hash options applications cluster placements result evaluation networks origins"
    assert list(data()) == keys.split()
    assert data()["schema"] == "iopt/exits-placement/1"
    assert data()["placements"][1] == {"application": "second", "exit": "exit-2", "nodes": ["device"] * 3}
    assert list(data()["evaluation"]["applications"][0]["blocks"][0]) == [
        *("block", "node", "compute_j", "transfer_j", "compute_s", "transfer_s")
    ]


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parent / "placement.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()


# Claims

FIRST = ("evaluation", "applications", 0)
UNTRUE: dict[str, Change] = {
    "instance_hash": put("instance_hash", value="0" * 64),
    "evaluation.energy_j": put("evaluation", "energy_j", value=ENERGY_J * (1 + 1e-6)),
    "evaluation.applications[0].latency_s": put(*FIRST, "latency_s", value=0.001),
    "evaluation.applications[0].accuracy": put(*FIRST, "accuracy", value=0.9),
    "evaluation.applications[0].blocks[3].node": put(*FIRST, "blocks", 3, "node", value="cloud"),
    "evaluation.applications[0].blocks[3].transfer_j": put(*FIRST, "blocks", 3, "transfer_j", value=0.0),
    "evaluation.applications[0].blocks": lambda data: data["evaluation"]["applications"][0]["blocks"].pop(),
    "evaluation.used.compute_ops_per_s.edge": put("evaluation", "used", "compute_ops_per_s", "edge", value=1.0),
    "evaluation.used.links": put("evaluation", "used", "links", value=[]),
    "evaluation.violations": put("evaluation", "violations", value=["too slow"]),
    "result.objective_j": put("result", "objective_j", value=ENERGY_J / 2),
    "result.gap": put("result", "gap", value=0.0),
    "result.bound_j": together(put("result", "bound_j", value=ENERGY_J * 2), put("result", "gap", value=0.0)),
    "result.status is OPTIMAL": put("result", "gap_tolerance", value=1e-6),
    "result.status is FEASIBLE": put("result", "status", value="FEASIBLE"),
    "result.status is INFEASIBLE": put("result", "status", value="INFEASIBLE"),
    "result.status is UNKNOWN": put("result", "status", value="UNKNOWN"),
    "instance_hash is": put("options", "energy", value="expected"),
    "instance_hash is '": put("networks", 0, "blocks", 0, "ops", value=1.0),
    "evaluation.energy_j is": put("placements", 0, "nodes", value=["device", "device", "edge", "edge", "edge"]),
}


def test_the_example_is_true() -> None:
    assert files.check(read(data())) == []


@pytest.mark.parametrize("key", UNTRUE)
def test_a_claim_that_is_not_true(key: str, tmp_path: Path) -> None:
    changed = data()
    UNTRUE[key](changed)
    untrue = files.check(read(changed))
    assert any(line.startswith(key) for line in untrue), untrue
    (tmp_path / "placement.json").write_text(json.dumps(changed))
    with pytest.raises(PlanError, match=r"placement\.json: changed by hand, or made for another model"):
        files.load(tmp_path / "placement.json")


@pytest.mark.parametrize("applications", [1, 2])
def test_a_bound_and_infeasibility_are_tried(applications: int) -> None:
    problem = replace(PROBLEM, applications=PROBLEM.applications[:applications])
    plan = Plan((Placement("first", 2, (0, 0, 1, 1, 1)), *PLAN.placements[1:applications]))
    energy = evaluate(problem, plan).energy_j
    bold = Result("milp", Status.OPTIMAL, plan, energy, energy, 1.0)
    (said,) = files.check(read(files.to_dict(problem, bold, 1e-6)))
    assert said.startswith(f"result.bound_j is {energy}; the plan of ")
    none = Result[Plan]("milp", Status.INFEASIBLE, None, None, None, 1.0)
    (said,) = files.check(read(files.to_dict(problem, none, 1e-6)))
    assert said.startswith("result.status is INFEASIBLE; the plan of ")


def test_what_only_reading_finds_needs_no_method(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "solve", None)
    changed = data()
    changed["result"].update(bound_j=None, gap=None, status="FEASIBLE")
    assert files.check(read(changed)) == []


# Malformed

MALFORMED: dict[str, Change] = {
    "schema: expected 'iopt/exits-placement/1'": put("schema", value="iopt/partition-plan/1"),
    "placements[0].nodes[4]: no device is named 'egde'; did you mean 'edge'?": (
        put("placements", 0, "nodes", 4, value="egde")
    ),
    "placements[0].nodes: 4 entries; expected 5, one per block up to exit 'final'": (
        lambda data: data["placements"][0]["nodes"].pop()
    ),
    "placements[1].exit: no exit is named 'exit-3'": put("placements", 1, "exit", value="exit-3"),
    "placements[1].application: got 'third'; expected 'second'": put("placements", 1, "application", value="third"),
    "placements: 1 entries; expected 2": lambda data: data["placements"].pop(),
    "application 'first': network is 3; expected 0 ... 0": put("applications", 0, "network", value=3),
    "application 'second': source: no device is named 'x'": put("applications", 1, "source", value="x"),
    "networks[0]: network 'b-alexnet': exits: fractions with a sum of": (
        put("networks", 0, "exits", 0, "fraction", value=0.5)
    ),
    "origins: 0 entries; expected 1, one per network": lambda data: data["origins"].clear(),
    "thresholds: 1 given; expected 2": put("origins", 0, "measured", "thresholds", value=[0.5]),
    "placements and evaluation: expected both": put("evaluation", value=None),
    "applications[0].rate_per_s: expected a number above 0": put("applications", 0, "rate_per_s", value=-1.0),
    "cluster: devices: missing": lambda data: data["cluster"].pop("devices"),
    "options.pinned: expected true or false": put("options", "pinned", value="yes"),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_file_says_where(message: str) -> None:
    changed = data()
    MALFORMED[message](changed)
    with pytest.raises(PlanError) as caught:
        read(changed)
    assert str(caught.value).startswith(f"placement.json: {message}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", [path for path, _ in keys_dropped(data())], ids=str)
def test_no_key_can_be_left_out_unseen(path: tuple[str | int, ...]) -> None:
    assert_seen(data(), path, lambda changed: files.check(read(changed)))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (
            "networks[0].blocks[0].weight_bytes: missing",
            lambda data: data["networks"][0]["blocks"][0].pop("weight_bytes"),
        ),
        ("options: max_load: expected 1.0, got 1", lambda data: data["options"].update(max_load=1)),
        (
            "origins[0].graph_hash: string should match pattern '^[0-9a-f]{64}$', got 'edited'",
            lambda data: data["origins"][0].update(graph_hash="edited"),
        ),
    ],
)
def test_what_is_hashed_is_what_is_there(message: str, change: Change) -> None:
    changed = data()
    change(changed)
    with pytest.raises(PlanError, match=r"^placement\.json: ") as caught:
        read(changed)
    assert str(caught.value) == f"placement.json: {message}"
