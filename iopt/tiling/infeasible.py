"""Why there is no configuration, in a sentence: how much memory the least needs, and which layer binds."""

from __future__ import annotations

from iopt.door.wording import in_bytes
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.notation import written
from iopt.tiling.problem import Problem
from iopt.tiling.search.exact import least_memory
from iopt.tiling.search.table import Table


def shortage(problem: Problem, table: Table | None = None, max_groups: int | None = None) -> str:
    """For a problem whose limits no configuration (of at most `max_groups` groups) keeps. `table`: of the problem, if
    it is known."""
    found = least_memory(problem, table, max_groups)
    evaluation = Evaluator(problem)(found.configuration)
    cost = evaluation.binding
    layer = problem.layers[cost.layer].name
    where = f"layer {cost.layer} ({layer})" + ("" if cost.tile is None else f" of tile {cost.tile}")
    few = "" if max_groups is None else f" of at most {max_groups} group{'s' * (max_groups > 1)}"
    few += f" with at most {problem.max_tiles} x {problem.max_tiles} tiles" + (
        "" if problem.may_reuse else ", no reuse"
    )
    weights = f", {in_bytes(problem.weights_bytes)} of it weights" if problem.weights_bytes else ""
    least = (
        f"the least memory of any configuration{few} is {in_bytes(evaluation.peak_bytes)} for "
        f"{written(found.configuration)}{weights}; {where} binds"
    )
    limit = "" if problem.memory_bytes is None else in_bytes(problem.memory_bytes)
    if problem.memory_bytes is not None and evaluation.peak_bytes > problem.memory_bytes:
        return f"the limit is {limit}: {least}"
    if problem.overhead is not None and problem.memory_bytes is not None:
        return f"no configuration{few} keeps {limit} and {problem.overhead:g} times the work; {least}"
    return f"no configuration{few} computes as little as {problem.overhead:g} times the untiled network"
