"""Fit a network into the memory of one device: groups of layers, run tile by tile.

    from iopt import zoo
    from iopt.tiling import Problem, solve, written
    result = solve(Problem(zoo.graph("yolov2-16"), memory_bytes=20 * 2**20))
    print(result.status, result.objective, written(result.plan))

Names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iopt.tiling.evaluation import Evaluation, Evaluator, GroupCost, evaluate, tiles
    from iopt.tiling.fronts import Front, Point, front
    from iopt.tiling.latency import HostModel, LayerTime
    from iopt.tiling.layers import Layer, chain
    from iopt.tiling.methods import compare, solve
    from iopt.tiling.notation import parse, written
    from iopt.tiling.plan import Configuration, Group
    from iopt.tiling.problem import Problem

_HOMES = {
    "Configuration": "plan",
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "Front": "fronts",
    "Group": "plan",
    "GroupCost": "evaluation",
    "HostModel": "latency",
    "Layer": "layers",
    "LayerTime": "latency",
    "Point": "fronts",
    "Problem": "problem",
    "chain": "layers",
    "compare": "methods",
    "evaluate": "evaluation",
    "front": "fronts",
    "parse": "notation",
    "solve": "methods",
    "tiles": "evaluation",
    "written": "notation",
}

__all__ = [
    "Configuration",
    "Evaluation",
    "Evaluator",
    "Front",
    "Group",
    "GroupCost",
    "HostModel",
    "Layer",
    "LayerTime",
    "Point",
    "Problem",
    "chain",
    "compare",
    "evaluate",
    "front",
    "parse",
    "solve",
    "tiles",
    "written",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'iopt.tiling' has no attribute {name!r}")
    return getattr(import_module(f"iopt.tiling.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
