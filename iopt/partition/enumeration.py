"""Every plan of a tiny problem: the referee of the exact methods."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Costs, Evaluator
from iopt.partition.plan import Axis, Direct, Interval, Plan, Scatter, Split, intervals_from
from iopt.partition.problem import Problem


def splits(problem: Problem, index: int) -> list[Split]:
    """Every decision for one operator: mode, integer shares, combine."""
    operator = problem.operators[index]
    found = []
    for mode in problem.modes[index]:
        for intervals in _partitions(mode.size, mode.unit, len(problem.cluster)):
            if mode.axis is not Axis.IC:
                found.append(Split(operator.name, mode.axis, intervals))
                continue
            found.append(Split(operator.name, mode.axis, intervals, mode.along, Direct()))
            for scattered in _partitions(operator.output_shape.channels, 1, len(problem.cluster)):
                found.append(Split(operator.name, mode.axis, intervals, mode.along, Scatter(scattered)))
    return found


def _partitions(size: int, unit: int, devices: int) -> Iterator[tuple[Interval, ...]]:
    """All ways to cut `size` into one consecutive interval per device, on multiples of `unit`."""
    for cuts in itertools.combinations_with_replacement(range(size // unit + 1), devices - 1):
        bounds = [0, *cuts, size // unit]
        yield intervals_from([(hi - lo) * unit for lo, hi in itertools.pairwise(bounds)])


def every_plan(problem: Problem, limit: int = 5_000_000, chunk: int = 20_000) -> Iterator[Costs]:
    """The costs of every plan, `chunk` plans at a time, in the order of `plan_at`.

    Raises `ValueError` for a problem with more than `limit` plans.
    """
    choices = [splits(problem, index) for index in range(len(problem.operators))]
    shape = [len(options) for options in choices]
    count = math.prod(shape)
    if count > limit:
        raise ValueError(f"{count} plans are too many to enumerate; the limit is {limit}")
    evaluator = Evaluator(problem)
    tables = [Decisions.of_splits(options, len(problem.cluster)) for options in choices]
    for start in range(0, count, chunk):
        picks = np.stack(np.unravel_index(np.arange(start, min(start + chunk, count)), shape), axis=-1)
        yield evaluator.costs(_gathered(tables, picks))


def plan_at(problem: Problem, position: int) -> Plan:
    """The plan at a position of the enumeration."""
    choices = [splits(problem, index) for index in range(len(problem.operators))]
    picks = np.unravel_index(position, [len(options) for options in choices])
    return Plan(tuple(options[int(pick)] for options, pick in zip(choices, picks, strict=True)))


def best_plan(problem: Problem, limit: int = 5_000_000) -> tuple[Plan, float] | None:
    """The plan of least latency among all that keep the caps, and its latency in seconds; None if there is none.

    Raises `ValueError` for a problem with more than `limit` plans.
    """
    caps = np.array(
        [np.inf if device.memory_bytes is None else device.memory_bytes for device in problem.cluster.devices]
    )
    best, at, before = np.inf, -1, 0
    for costs in every_plan(problem, limit):
        latency = np.where((costs.memory_bytes <= caps).all(axis=-1), costs.latency_s, np.inf)
        if latency.min() < best:
            best, at = float(latency.min()), before + int(latency.argmin())
        before += len(latency)
    return None if at < 0 else (plan_at(problem, at), best)


def _gathered(tables: list[Decisions], picks: np.ndarray) -> Decisions:
    """Plans [b, n] that pick one option for every operator."""
    parts = []
    for name in Decisions.__dataclass_fields__:
        parts.append(np.stack([getattr(table, name)[picks[:, index]] for index, table in enumerate(tables)], axis=1))
    return Decisions(*parts)
