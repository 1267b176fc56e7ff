"""The instances of FIN's authors: constants as released, optima computed independently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from iopt.cluster import Cluster, LinkRate
from iopt.exits.enumeration import best_plan
from iopt.exits.evaluation import evaluate
from iopt.exits.files import load_profile
from iopt.exits.methods import solve
from iopt.exits.milp import solve_milp
from iopt.exits.network import ExitNetwork
from iopt.exits.plan import Plan
from iopt.exits.problem import Application, Problem
from iopt.result import Status

FIN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data" / "fin.json").read_text())
CASES: list[dict[str, Any]] = FIN["exact_optimum_unconditional_receiver_rate"]
CLUSTER = Cluster.load("mobile-edge-cloud")
PROFILES = {
    ("b-alexnet", "cifar10"): "b-alexnet",
    ("b-alexnet", "cifar100"): "b-alexnet-cifar100",
    ("b-resnet", "cifar10"): "b-resnet",
    ("b-lenet", "mnist"): "b-lenet",
}


def problem(case: dict[str, Any], link_rate: Any = "receiver", energy: Any = "unconditional") -> Problem:
    network = load_profile(case["network"]).network
    application = Application(network, case["accuracy"], case["latency_ms"] / 1e3)
    return Problem((application,), CLUSTER, energy=energy, link_rate=link_rate)


def test_there_are_thirteen() -> None:
    assert len(CASES) == 13


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['network']}-{case['accuracy']}-{case['latency_ms']}")
def test_the_optimum(case: dict[str, Any]) -> None:
    asked = problem(case)
    found = best_plan(asked)
    assert found is not None
    plans: dict[str, tuple[Plan | None, float | None]] = {"enumerate": found}
    for name in ("exact", "pareto", "milp"):
        result = solve(asked, name, gap=0.0)
        assert result.status is Status.OPTIMAL
        plans[name] = result.plan, result.objective
    for formulation in ("flow", "plain"):
        result = solve_milp(asked, formulation=formulation, reduce=False)
        plans[formulation] = result.plan, result.objective
    expected = tuple(node - 1 for node in case["placement"])
    for name, (plan, energy) in plans.items():
        assert plan is not None
        assert energy is not None
        assert f"{energy:.5f}" == f"{case['energy_j']:.5f}", name
        assert plan.placements[0].nodes == expected, name
        assert evaluate(asked, plan).is_feasible
        assert energy == pytest.approx(found[1], rel=1e-9)


def test_seven_cannot_be_met_at_the_lower_of_both_rates() -> None:
    statuses = [solve(problem(case, "min")).status for case in CASES]
    assert statuses.count(Status.INFEASIBLE) == 7
    assert statuses.count(Status.OPTIMAL) == 6
    for case, status in zip(CASES, statuses, strict=True):
        assert (best_plan(problem(case, "min")) is None) == (status is Status.INFEASIBLE)


def test_the_device_alone_does_not_send() -> None:
    """The rate of links matters only where something is sent."""
    for case in CASES:
        if set(case["placement"]) == {1}:
            lower, receiver = solve(problem(case, "min")), solve(problem(case))
            assert lower.objective == receiver.objective


def test_early_exits_save_energy_only_where_they_count() -> None:
    for case in CASES:
        expected, unconditional = solve(problem(case, energy="expected")), solve(problem(case))
        assert expected.objective is not None
        assert unconditional.objective is not None
        if case["placement"] == [1]:
            assert expected.objective == unconditional.objective
        else:
            assert expected.objective < unconditional.objective


def test_the_cluster_has_the_released_constants() -> None:
    assert [device.name for device in CLUSTER.devices] == list(FIN["nodes"])
    assert CLUSTER.tiers == ("device", "edge", "cloud")
    assert CLUSTER.network.link_rate is LinkRate.RECEIVER
    assert CLUSTER.network.connection_s == 0
    for index, (device, known) in enumerate(zip(CLUSTER.devices, FIN["nodes"].values(), strict=True)):
        assert device.flops_per_s == pytest.approx(known["ops_per_s"], rel=1e-12)
        assert device.power_w == pytest.approx(known["power_w"], rel=1e-12)
        assert device.energy_per_bit_j == pytest.approx(known["energy_per_bit_j"], rel=1e-12)
        assert CLUSTER.network.up_bytes_per_s[index] * 8 == pytest.approx(known["rate_bit_per_s"], rel=1e-12)
        assert CLUSTER.network.down_bytes_per_s[index] * 8 == pytest.approx(known["rate_bit_per_s"], rel=1e-12)
        assert device.memory_bytes is None
        assert device.overhead_s == 0


@pytest.mark.parametrize(("name", "data_set"), PROFILES)
def test_the_networks_have_the_released_constants(name: str, data_set: str) -> None:
    network: ExitNetwork = load_profile(PROFILES[name, data_set]).network
    known = FIN["networks"][name]
    assert [block.ops for block in network.blocks] == known["ops"]
    bits = [FIN["bits_per_feature"] * features for features in known["features_after"]]
    assert [block.out_bits for block in network.blocks] == [*bits, 0]
    assert [leave.after for leave in network.exits] == known["exits_after"]
    assert [leave.accuracy for leave in network.exits] == known["accuracy"][data_set]
    assert [leave.fraction for leave in network.exits] == known["exit_fraction"]


def test_every_network_and_data_set_is_a_profile() -> None:
    assert {(name, data) for name, net in FIN["networks"].items() for data in net["accuracy"]} == set(PROFILES)


def test_with_these_constants_moving_up_costs_energy() -> None:
    per_operation = [device.power_w / device.flops_per_s for device in CLUSTER.devices if device.power_w is not None]
    assert per_operation == sorted(per_operation)
    for case in CASES:
        loose = problem(case | {"latency_ms": 1e6})
        result = solve(loose)
        assert result.plan is not None
        assert set(result.plan.placements[0].nodes) == {0}
