"""Where the blocks of an early-exit network run: least energy over device, edge and cloud.

    from iopt.cluster import Cluster
    from iopt.exits import Application, Problem, load_profile, solve
    camera = Application(load_profile("b-alexnet").network, accuracy=0.8, latency_s=5e-3)
    result = solve(Problem((camera,), Cluster.load("mobile-edge-cloud")))

Names are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.lazy import lazy

if TYPE_CHECKING:
    from iopt.exits.evaluation import Evaluation, evaluate
    from iopt.exits.files import load_profile, save_profile
    from iopt.exits.fronts import Front, Point, front, threshold_front
    from iopt.exits.methods import compare, solve
    from iopt.exits.network import Block, Exit, ExitNetwork
    from iopt.exits.plan import Placement, Plan
    from iopt.exits.problem import Application, Problem
    from iopt.exits.profiling import observe, profile
    from iopt.exits.runtime import execute
    from iopt.exits.thresholds import grid, variants

_HOMES = {
    "Application": "problem",
    "Block": "network",
    "Evaluation": "evaluation",
    "Exit": "network",
    "ExitNetwork": "network",
    "Front": "fronts",
    "Placement": "plan",
    "Plan": "plan",
    "Point": "fronts",
    "Problem": "problem",
    "compare": "methods",
    "evaluate": "evaluation",
    "execute": "runtime",
    "front": "fronts",
    "grid": "thresholds",
    "load_profile": "files",
    "observe": "profiling",
    "profile": "profiling",
    "save_profile": "files",
    "solve": "methods",
    "threshold_front": "fronts",
    "variants": "thresholds",
}

__all__ = [
    "Application",
    "Block",
    "Evaluation",
    "Exit",
    "ExitNetwork",
    "Front",
    "Placement",
    "Plan",
    "Point",
    "Problem",
    "compare",
    "evaluate",
    "execute",
    "front",
    "grid",
    "load_profile",
    "observe",
    "profile",
    "save_profile",
    "solve",
    "threshold_front",
    "variants",
]

__getattr__, __dir__ = lazy(__name__, _HOMES)
