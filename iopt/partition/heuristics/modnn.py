"""MoDNN (Mao et al., DATE 2017): the source hands out rows of every layer and collects them again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from iopt.partition.heuristics.splits import goes_by_rows, weighted, whole
from iopt.partition.plan import Axis, Plan
from iopt.partition.problem import Problem


def plan_modnn(problem: Problem) -> Plan:
    """Rows in proportion to FLOP/s, sent from the source before each operator and gathered on it after each.

    Linear operators, and others that CoEdge would not split by rows either, stay on the source. [choice] Every split
    carries `via = "source"`, also those on the source alone, where it moves nothing.
    """
    rates = np.array([device.flops_per_s for device in problem.cluster.devices])
    splits = [
        weighted(problem, index, Axis.H, rates) if by_rows else whole(problem, index, problem.cluster.source)
        for index, by_rows in enumerate(goes_by_rows(problem))
    ]
    return Plan(tuple(replace(split, via="source") for split in splits))
