"""Placements and evaluations as JSON data, and back: devices and exits by name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from iopt.door.wording import hint, shown
from iopt.errors import PlanError
from iopt.exits.evaluation import ApplicationCost, Evaluation
from iopt.exits.limits import Limits
from iopt.exits.plan import Placement, Plan
from iopt.exits.problem import Application, Problem

if TYPE_CHECKING:
    from iopt.exits.files.placement_schema import PlacementEntry


def placements_to_list(problem: Problem, plan: Plan) -> list[dict[str, Any]]:
    names = device_names(problem)
    return [
        {
            "application": placement.application,
            "exit": application.network.exits[placement.exit].name,
            "nodes": [names[node] for node in placement.nodes],
        }
        for application, placement in zip(problem.applications, plan.placements, strict=True)
    ]


def plan_of(problem: Problem, entries: list[PlacementEntry]) -> Plan:
    """Raises `PlanError` that names the entry for a device or an exit that does not exist."""
    if len(entries) != len(problem.applications):
        expected = f"expected {len(problem.applications)}, one per application"
        raise PlanError(f"placements: {len(entries)} entries; {expected}")
    pairs = zip(problem.applications, entries, strict=True)
    return Plan(
        tuple(
            _placement(problem, application, entry, f"placements[{i}]") for i, (application, entry) in enumerate(pairs)
        )
    )


def evaluation_to_dict(problem: Problem, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "energy_j": evaluation.energy_j,
        "applications": [_cost_to_dict(problem, cost) for cost in evaluation.applications],
        "used": _used_to_dict(problem, evaluation.used),
        "violations": list(evaluation.violations),
    }


def device_names(problem: Problem) -> list[str]:
    return [device.name for device in problem.cluster.devices]


def _placement(problem: Problem, application: Application, entry: PlacementEntry, where: str) -> Placement:
    names, exits = device_names(problem), application.network.exits
    if entry.application != application.name:
        raise PlanError(f"{where}.application: got {entry.application!r}; expected {application.name!r}")
    nodes = [_index(name, names, "device", f"{where}.nodes[{block}]") for block, name in enumerate(entry.nodes)]
    exit = _index(entry.exit, [leave.name for leave in exits], "exit", f"{where}.exit")
    if exits[exit].after != len(nodes):
        expected = f"expected {exits[exit].after}, one per block up to exit {entry.exit!r}"
        raise PlanError(f"{where}.nodes: {len(nodes)} entries; {expected}")
    return Placement(application.name, exit, tuple(nodes))


def _index(name: str, names: list[str], what: str, where: str) -> int:
    if name not in names:
        raise PlanError(f"{where}: no {what} is named {name!r}{hint(name, names)} ({what}s: {shown(names)[1:-1]})")
    return names.index(name)


def _cost_to_dict(problem: Problem, cost: ApplicationCost) -> dict[str, Any]:
    names = device_names(problem)
    return {
        "name": cost.name,
        "energy_j": cost.energy_j,
        "latency_s": _finite(cost.latency_s),
        "accuracy": cost.accuracy,
        "blocks": [
            {
                "block": block.block,
                "node": names[block.node],
                "compute_j": block.compute_j,
                "transfer_j": block.transfer_j,
                "compute_s": block.compute_s,
                "transfer_s": _finite(block.transfer_s),
            }
            for block in cost.blocks
        ],
    }


def _used_to_dict(problem: Problem, used: Limits) -> dict[str, Any]:
    names = device_names(problem)
    return {
        "compute_ops_per_s": dict(zip(names, used.compute.tolist(), strict=True)),
        "weight_bytes": dict(zip(names, used.memory.tolist(), strict=True)),
        "links": [
            {"sender": names[n], "receiver": names[m], "bit_per_s": float(used.links[n, m])}
            for n, m in np.argwhere(used.links > 0).tolist()
        ],
    }


def _finite(seconds: float) -> float | None:
    """None for what never ends: JSON has no infinity."""
    return float(seconds) if math.isfinite(seconds) else None
