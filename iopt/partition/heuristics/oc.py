"""Every operator on its output channels, with a concatenation after each: the OC baseline of IOP (arXiv 2409.07693)."""

from __future__ import annotations

import numpy as np

from iopt.partition.heuristics.splits import weighted
from iopt.partition.plan import Axis, Plan
from iopt.partition.problem import Problem


def plan_oc(problem: Problem) -> Plan:
    """Shares of the output channels in proportion to FLOP/s, by largest remainder, on group boundaries."""
    rates = np.array([device.flops_per_s for device in problem.cluster.devices])
    return Plan(tuple(weighted(problem, index, Axis.OC, rates) for index in range(len(problem.operators))))
