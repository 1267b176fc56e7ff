"""Why there is no configuration, in a sentence: how much memory the least needs, and which layer binds."""

from __future__ import annotations

from dataclasses import replace

from iopt.door.wording import in_bytes
from iopt.errors import OptionError
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.notation import written
from iopt.tiling.problem import MOST_TILES, Problem
from iopt.tiling.search.budget import check_budget
from iopt.tiling.search.exact import exact, least_memory
from iopt.tiling.search.table import Table


def space(problem: Problem, max_groups: int | None = None) -> str:
    """` of at most 2 groups with at most 8 x 8 tiles, no reuse`: what was searched."""
    few = "" if max_groups is None else f" of at most {max_groups} group{'s' * (max_groups > 1)}"
    most = problem.max_tiles
    return f"{few} with at most {most} x {most} tiles" + ("" if problem.may_reuse else ", no reuse")


def shortage(problem: Problem, table: Table | None = None, max_groups: int | None = None) -> str:
    """For a problem whose limits no configuration (of at most `max_groups` groups) keeps. `table`: of the problem, if
    it is known."""
    found = least_memory(problem, table, max_groups)
    evaluation = Evaluator(problem)(found.configuration)
    cost = evaluation.binding
    layer = problem.layers[cost.layer].name
    where = f"layer {cost.layer} ({layer})" + ("" if cost.tile is None else f" of tile {cost.tile}")
    few = space(problem, max_groups)
    weights = f", {in_bytes(problem.weights_bytes)} of it weights" if problem.weights_bytes else ""
    least = (
        f"the least memory of any configuration{few} is {in_bytes(evaluation.peak_bytes)} for "
        f"{written(found.configuration)}{weights}; {where} binds"
    )
    limit = "" if problem.memory_bytes is None else in_bytes(problem.memory_bytes)
    if problem.memory_bytes is not None and evaluation.peak_bytes > problem.memory_bytes:
        return f"the limit is {limit}: {least}{_more(problem)}"
    if problem.memory_bytes is not None:
        both = f"no configuration{few} keeps {limit} and {problem.overhead:g} times the work"
        return f"{both}: {_each(problem, table, max_groups)}"
    return f"no configuration{few} computes as little as {problem.overhead:g} times the untiled network"


def _each(problem: Problem, table: Table | None, max_groups: int | None) -> str:
    """What can be had within either limit alone, where both together cannot be kept."""
    evaluator, parts = Evaluator(problem), []
    within_memory = exact(replace(problem, objective="macs", overhead=None), max_groups, table)
    if within_memory is not None:
        factor = evaluator(within_memory.configuration).mac_factor
        parts.append(f"in that memory the least work is {factor:.4g} x ({written(within_memory.configuration)})")
    within_work = exact(replace(problem, memory_bytes=None), max_groups, table)
    if within_work is not None:
        needed = in_bytes(evaluator(within_work.configuration).peak_bytes)
        parts.append(f"with that work the least memory is {needed} ({written(within_work.configuration)})")
    return ", ".join(parts) + _more(problem)


def _more(problem: Problem) -> str:
    """What to try where finer tiles can be searched; nothing where they cannot."""
    finer = min(2 * problem.max_tiles, MOST_TILES)
    if finer == problem.max_tiles:
        return ""
    try:
        check_budget(replace(problem, max_tiles=finer))
    except OptionError:
        return ""
    return f"; --max-tiles {finer} considers more"
