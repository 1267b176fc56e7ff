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
    from iopt.tiling.execution import Execution
    from iopt.tiling.fronts import Front, Point, front
    from iopt.tiling.latency import HostModel, LayerTime
    from iopt.tiling.layers import Layer, chain
    from iopt.tiling.methods import compare, solve
    from iopt.tiling.notation import parse, written
    from iopt.tiling.plan import Configuration, Group
    from iopt.tiling.problem import Problem
    from iopt.tiling.profiling import profile
    from iopt.tiling.runtime import Runtime
    from iopt.tiling.trial import execute

_HOMES = {
    "Configuration": "plan",
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "Execution": "execution",
    "Front": "fronts",
    "Group": "plan",
    "GroupCost": "evaluation",
    "HostModel": "latency",
    "Layer": "layers",
    "LayerTime": "latency",
    "Point": "fronts",
    "Problem": "problem",
    "Runtime": "runtime",
    "chain": "layers",
    "compare": "methods",
    "evaluate": "evaluation",
    "execute": "trial",
    "front": "fronts",
    "parse": "notation",
    "profile": "profiling",
    "solve": "methods",
    "tiles": "evaluation",
    "written": "notation",
}

__all__ = [
    "Configuration",
    "Evaluation",
    "Evaluator",
    "Execution",
    "Front",
    "Group",
    "GroupCost",
    "HostModel",
    "Layer",
    "LayerTime",
    "Point",
    "Problem",
    "Runtime",
    "chain",
    "compare",
    "evaluate",
    "execute",
    "front",
    "parse",
    "profile",
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
