"""Why there is no configuration, in a sentence: how much memory the least needs, and which layer binds."""

from __future__ import annotations

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
    few = "" if max_groups is None else f" of at most {max_groups} groups"
    few += f" with at most {problem.max_tiles} x {problem.max_tiles} tiles" + (
        "" if problem.may_reuse else ", no reuse"
    )
    least = (
        f"the least memory of any configuration{few} is {evaluation.peak_bytes} B "
        f"({evaluation.peak_bytes / 2**20:.2f} MiB, {written(found.configuration)}); {where} binds"
    )
    if problem.memory_bytes is not None and evaluation.peak_bytes > problem.memory_bytes:
        return f"the limit is {problem.memory_bytes} B: {least}"
    if problem.overhead is not None and problem.memory_bytes is not None:
        return f"no configuration{few} keeps {problem.memory_bytes} B and {problem.overhead:g} times the work; {least}"
    return f"no configuration{few} computes as little as {problem.overhead:g} times the untiled network"
