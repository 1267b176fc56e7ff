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
    from iopt.tiling.files import ConfigurationFile, Host, load, load_host, save, save_host
    from iopt.tiling.fronts import Front, Point, front
    from iopt.tiling.latency import HostModel, LayerTime
    from iopt.tiling.layers import Layer, chain
    from iopt.tiling.methods import compare, solve
    from iopt.tiling.notation import parse, written
    from iopt.tiling.plan import Configuration, Group
    from iopt.tiling.problem import Problem

_HOMES = {
    "Configuration": "plan",
    "ConfigurationFile": "files",
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "Front": "fronts",
    "Group": "plan",
    "GroupCost": "evaluation",
    "Host": "files",
    "HostModel": "latency",
    "Layer": "layers",
    "LayerTime": "latency",
    "Point": "fronts",
    "Problem": "problem",
    "chain": "layers",
    "compare": "methods",
    "evaluate": "evaluation",
    "front": "fronts",
    "load": "files",
    "load_host": "files",
    "parse": "notation",
    "save": "files",
    "save_host": "files",
    "solve": "methods",
    "tiles": "evaluation",
    "written": "notation",
}

__all__ = [
    "Configuration",
    "ConfigurationFile",
    "Evaluation",
    "Evaluator",
    "Front",
    "Group",
    "GroupCost",
    "Host",
    "HostModel",
    "Layer",
    "LayerTime",
    "Point",
    "Problem",
    "chain",
    "compare",
    "evaluate",
    "front",
    "load",
    "load_host",
    "parse",
    "save",
    "save_host",
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
