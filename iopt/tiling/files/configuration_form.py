"""Configurations and evaluations as JSON data, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from iopt.tiling.evaluation import Evaluation, GroupCost
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    from iopt.tiling.files.configuration_schema import GroupData


def groups_to_list(configuration: Configuration) -> list[dict[str, Any]]:
    return [asdict(group) for group in configuration.groups]


def configuration_of(groups: list[GroupData]) -> Configuration:
    """`groups_to_list`'s; whether it fits a network is for the evaluator to say."""
    return Configuration(tuple(Group(**group.model_dump()) for group in groups))


def evaluation_to_dict(problem: Problem, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "peak_bytes": evaluation.peak_bytes,
        "macs": evaluation.macs,
        "mac_factor": evaluation.mac_factor,
        "latency_s": evaluation.latency_s,
        "groups": [_cost_to_dict(problem, cost) for cost in evaluation.groups],
        "violations": list(evaluation.violations),
    }


def _cost_to_dict(problem: Problem, cost: GroupCost) -> dict[str, Any]:
    return {
        "peak_bytes": cost.peak_bytes,
        "layer": problem.layers[cost.layer].name,
        "tile": None if cost.tile is None else list(cost.tile),
        "macs": cost.macs,
        "latency_s": cost.latency_s,
        "strips_bytes": cost.strips_bytes,
    }
