"""Fit a network into the memory of one device: groups of layers, run tile by tile.

    from iopt import zoo
    from iopt.tiling import Problem, solve, written
    result = solve(Problem(zoo.graph("yolov2-16"), memory_bytes=24 * 2**20))
    print(result.status, result.objective, written(result.plan))

Names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.lazy import lazy

if TYPE_CHECKING:
    from iopt.tiling.evaluation import Evaluation, Evaluator, GroupCost, evaluate
    from iopt.tiling.executor.execution import Execution
    from iopt.tiling.executor.runtime import Runtime
    from iopt.tiling.executor.trial import execute
    from iopt.tiling.files import ConfigurationFile, Host, load, load_host, save, save_host
    from iopt.tiling.fronts import Front, Point, front
    from iopt.tiling.host.measurement import Measurement, measured
    from iopt.tiling.host.profiling import profile
    from iopt.tiling.latency import HostModel, LayerTime
    from iopt.tiling.layers import Layer, layers_of
    from iopt.tiling.methods import compare, solve
    from iopt.tiling.notation import parse, written
    from iopt.tiling.plan import Configuration, Group
    from iopt.tiling.problem import Problem

_HOMES = {
    "Configuration": "plan",
    "ConfigurationFile": "files",
    "Evaluation": "evaluation",
    "Evaluator": "evaluation",
    "Execution": "executor.execution",
    "Front": "fronts",
    "Group": "plan",
    "GroupCost": "evaluation",
    "Host": "files",
    "HostModel": "latency",
    "Layer": "layers",
    "LayerTime": "latency",
    "Measurement": "host.measurement",
    "Point": "fronts",
    "Problem": "problem",
    "Runtime": "executor.runtime",
    "layers_of": "layers",
    "compare": "methods",
    "evaluate": "evaluation",
    "execute": "executor.trial",
    "front": "fronts",
    "load": "files",
    "load_host": "files",
    "measured": "host.measurement",
    "parse": "notation",
    "profile": "host.profiling",
    "save": "files",
    "save_host": "files",
    "solve": "methods",
    "written": "notation",
}

__all__ = [
    "Configuration",
    "ConfigurationFile",
    "Evaluation",
    "Evaluator",
    "Execution",
    "Front",
    "Group",
    "GroupCost",
    "Host",
    "HostModel",
    "Layer",
    "LayerTime",
    "Measurement",
    "Point",
    "Problem",
    "Runtime",
    "compare",
    "evaluate",
    "execute",
    "front",
    "layers_of",
    "load",
    "load_host",
    "measured",
    "parse",
    "profile",
    "save",
    "save_host",
    "solve",
    "written",
]

__getattr__, __dir__ = lazy(__name__, _HOMES)
