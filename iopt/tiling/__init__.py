"""Fit a network into the memory of one device: groups of layers, run tile by tile.

    from iopt import zoo
    from iopt.tiling import Problem, solve, written
    result = solve(Problem(zoo.graph("yolov2-16"), memory_bytes=20 * 2**20))
    print(result.status, result.objective, written(result.plan))

Names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.lazy import lazy

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

__getattr__, __dir__ = lazy(__name__, _HOMES)
