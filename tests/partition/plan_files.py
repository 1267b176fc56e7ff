"""A plan file that holds every kind of thing, for tests that change one of them."""

from __future__ import annotations

import copy
import json

from iopt.partition import files
from iopt.partition.evaluation import evaluate
from iopt.partition.plan import Axis, Direct, Plan, Scatter, Split
from iopt.partition.problem import Problem
from iopt.result import Result, Status
from tests.changes import Data
from tests.instances import chain, cluster, conv, linear, max_pool

NETWORK = chain("net", (3, 8, 8), [conv(4, 3, padding=1, pooling=max_pool(2)), linear(6), linear(2)])
CLUSTER = cluster((1e6, 2e6), (1e5, 2e5), connection_s=1e-3, memory_bytes=(8_000, None), sink=1)
PROBLEM = Problem(NETWORK, CLUSTER)
PLAN = Plan(
    (
        Split("op1", Axis.H, ((0, 2), (2, 4)), via="source"),
        Split("op2", Axis.IC, ((0, 1), (1, 4)), "rows", Scatter(((0, 2), (2, 6)))),
        Split("op3", Axis.IC, ((0, 2), (2, 6)), None, Direct()),
    )
)
LATENCY_S = evaluate(PROBLEM, PLAN).latency_s
BOUND_S, GAP_TOLERANCE = LATENCY_S * 0.6, 0.5
"""True: the best plan takes 0.7 of the latency of this one."""

RESULT = Result("milp", Status.OPTIMAL, PLAN, LATENCY_S, BOUND_S, 1.5, "HiGHS 1")


def data() -> Data:
    """Every kind of phase, combine and option that a file can hold, and no claim that is not true."""
    return copy.deepcopy(files.to_dict(PROBLEM, RESULT, GAP_TOLERANCE))


def read(data: Data) -> files.PlanFile:
    return files.from_data(json.loads(json.dumps(data)), "plan.json")
