"""Every configuration of a tiny problem, judged one by one: the referee of all other methods. It uses the evaluator
alone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from iopt.errors import OptionError, PlanError
from iopt.tiling.admissible import check
from iopt.tiling.evaluation import Evaluation, Evaluator
from iopt.tiling.objective import value
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.problem import Problem

MOST = 1_000_000
"""Configurations that are judged at most; this is for tests."""


def best(problem: Problem) -> tuple[Configuration, Evaluation] | None:
    """The feasible configuration of least objective with its costs; None if none is feasible."""
    found: tuple[Configuration, Evaluation] | None = None
    for configuration, evaluation in judged(problem):
        if evaluation.is_feasible and (found is None or value(problem, evaluation) < value(problem, found[1])):
            found = configuration, evaluation
    return found


def judged(problem: Problem) -> Iterator[tuple[Configuration, Evaluation]]:
    """Every admissible configuration with its costs. Raises `OptionError` for more than `MOST` of them."""
    if (count := most_configurations(problem)) > MOST:
        raise OptionError(f"the problem has up to {count:,} configurations; enumeration stops at {MOST:,}")
    judge = Evaluator(problem)
    for configuration in all_configurations(problem):
        try:
            check(problem, configuration)
        except PlanError:
            continue
        yield configuration, judge(configuration)


def most_configurations(problem: Problem) -> int:
    """How many there are where every segment may be tiled in every way."""
    options = len(list(_tilings(problem)))
    return int(options * (options + 1) ** (len(problem.segments) - 1))


def all_configurations(problem: Problem) -> Iterator[Configuration]:
    """All cuts between segments with all tilings, and with reuse where the problem allows it."""
    segments = problem.segments
    tilings = list(_tilings(problem))
    for is_cut in product((False, True), repeat=len(segments) - 1):
        cuts = [segment.first for segment, cut in zip(segments[1:], is_cut, strict=True) if cut]
        stops = [*cuts, len(problem.layers)]
        spans = list(zip([0, *stops[:-1]], stops, strict=True))
        for chosen in product(tilings, repeat=len(spans)):
            yield Configuration(
                tuple(Group(first, stop - 1, *tiling) for (first, stop), tiling in zip(spans, chosen, strict=True))
            )


def _tilings(problem: Problem) -> Iterator[tuple[int, int, Reuse]]:
    sizes = range(1, problem.max_tiles + 1)
    for rows, columns in product(sizes, sizes):
        yield rows, columns, "none"
        if problem.may_reuse and rows * columns > 1:
            yield rows, columns, "checkerboard"
