"""A configuration file whose claims are true, to be changed."""

from __future__ import annotations

import json
from typing import Any

from iopt.result import Result, Status
from iopt.tiling import files
from iopt.tiling.evaluation import evaluate
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.notation import parse
from iopt.tiling.problem import Problem
from tests.changes import Data
from tests.instances import chain, conv, max_pool

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
