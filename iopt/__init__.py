"""Run neural networks on devices that are too small for them: optimal plans, with a proof.

    import iopt
    problem = iopt.Problem(iopt.load("vgg11"), iopt.Cluster.load("cal4"))
    result = iopt.solve(problem, method="milp", time_limit_s=60)

Names are imported when they are first used, so that `import iopt` is fast and planning never needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.lazy import lazy

if TYPE_CHECKING:
    from iopt.cluster import Cluster, Device, Network
    from iopt.errors import IoptError
    from iopt.graph import Graph, Operator
    from iopt.inference import run
    from iopt.model import load
    from iopt.partition.evaluation import Evaluation, evaluate
    from iopt.partition.methods import compare, solve
    from iopt.partition.plan import Plan, Split
    from iopt.partition.problem import Problem
    from iopt.partition.runtime.execution import Execution
    from iopt.result import Result, Status

_HOMES = {
    "Cluster": "cluster",
    "Device": "cluster",
    "Evaluation": "partition.evaluation",
    "Execution": "partition.runtime.execution",
    "Graph": "graph",
    "IoptError": "errors",
    "Network": "cluster",
    "Operator": "graph",
    "Plan": "partition.plan",
    "Problem": "partition.problem",
    "Result": "result",
    "Split": "partition.plan",
    "Status": "result",
    "compare": "partition.methods",
    "evaluate": "partition.evaluation",
    "load": "model",
    "run": "inference",
    "solve": "partition.methods",
}

__all__ = [
    "Cluster",
    "Device",
    "Evaluation",
    "Execution",
    "Graph",
    "IoptError",
    "Network",
    "Operator",
    "Plan",
    "Problem",
    "Result",
    "Split",
    "Status",
    "compare",
    "evaluate",
    "load",
    "run",
    "solve",
]

__getattr__, __dir__ = lazy(__name__, _HOMES)
