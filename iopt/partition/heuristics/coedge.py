"""CoEdge (arXiv 2012.03257): feature maps cut into rows by one ratio for all layers."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Floats
from iopt.partition.heuristics.ratio import equal_ratio, lp_ratio
from iopt.partition.heuristics.shares import round_shares
from iopt.partition.heuristics.single import least
from iopt.partition.heuristics.splits import goes_by_rows, weighted, whole
from iopt.partition.plan import Axis, Plan, Split
from iopt.partition.problem import Problem

RatioRule = Literal["lp", "equal"]
FullyConnected = Literal["one", "oc"]


class RowPlan(NamedTuple):
    """A plan of CoEdge and the ratio [m] behind it."""

    plan: Plan
    ratio: Floats


def plan_coedge(problem: Problem, *, ratio: RatioRule = "lp", fc: FullyConnected = "one") -> Plan:
    """Convolutions by rows with one ratio for all layers; what may not take H, and what follows it, as `fc` says.

    `ratio`: `lp` (the linear programme of `ratio.lp_ratio`) or `equal`. `fc`: `one`, the device of least resulting
    latency (for each the ratio is solved anew: the gather goes there), or `oc`, output channels by the ratio.
    Weightless operators after rows go with the rows where they may take H.

    Padding rule: a device has no row of a map that is read by rows, or at least as many as the largest halo that any
    device needs there beyond its own rows; the offender of least ratio is dropped and the ratio found again. [choice]
    The halo is that of the rounded shares, map by map; of equal offenders the slowest is dropped, then the last; a
    device without any share leaves the programme too; the rule holds for `equal` as well.
    """
    return split_by_rows(problem, Evaluator(problem), ratio, fc).plan


def split_by_rows(problem: Problem, evaluator: Evaluator, ratio: RatioRule, fc: FullyConnected) -> RowPlan:
    """CoEdge's plan with its ratio; see `plan_coedge`."""
    by_rows = goes_by_rows(problem)
    if all(by_rows):
        targets: list[int | None] = [problem.cluster.sink]
    else:
        targets = list(range(len(problem.cluster))) if fc == "one" else [None]
    ratios = [_padded_ratio(problem, evaluator, by_rows, ratio, target) for target in targets]
    plans = [_plan(problem, by_rows, found, target) for found, target in zip(ratios, targets, strict=True)]
    best = least(evaluator, plans)
    return RowPlan(best, ratios[plans.index(best)])


def _plan(problem: Problem, by_rows: tuple[bool, ...], ratio: Floats, target: int | None) -> Plan:
    def split(index: int) -> Split:
        if by_rows[index]:
            return weighted(problem, index, Axis.H, ratio)
        return weighted(problem, index, Axis.OC, ratio) if target is None else whole(problem, index, target)

    return Plan(tuple(split(index) for index in range(len(by_rows))))


def _padded_ratio(
    problem: Problem, evaluator: Evaluator, by_rows: tuple[bool, ...], rule: RatioRule, target: int | None
) -> Floats:
    """The ratio among the devices that remain when the padding rule holds."""
    devices = list(range(len(problem.cluster)))
    while True:
        if rule == "equal":
            ratio = equal_ratio(devices, len(problem.cluster))
        else:
            ratio = lp_ratio(problem, by_rows, devices, target)
        idle = [device for device in devices if ratio[device] < 1e-9]
        offenders = idle or _offenders(problem, evaluator, by_rows, ratio)
        if not offenders:
            return ratio
        rates = [device.flops_per_s for device in problem.cluster.devices]
        devices.remove(min(offenders, key=lambda device: (round(float(ratio[device]), 9), rates[device], -device)))


def _offenders(problem: Problem, evaluator: Evaluator, by_rows: tuple[bool, ...], ratio: Floats) -> list[int]:
    """Devices that have fewer rows of some map than the largest halo there, but not none."""
    geometry = evaluator.geometry
    found: set[int] = set()
    for index in range(1, len(by_rows)):
        if not (by_rows[index - 1] and by_rows[index]):
            continue
        have, make = (round_shares(problem.operators[at].output_shape.height, ratio) for at in (index - 1, index))
        have_hi, make_hi = np.cumsum(have), np.cumsum(make)
        above = have_hi - have - geometry.in_lo[index, make_hi - make]
        below = geometry.in_hi[index, make_hi] - have_hi
        halo = int((np.maximum(above, below) * (make > 0)).max())
        found.update(int(device) for device in np.flatnonzero((have > 0) & (have < halo)))
    return sorted(found)
