"""The greedy of IOP (arXiv 2409.07693): pairs of operators on OC, then IC, where that beats CoEdge."""

from __future__ import annotations

from typing import Literal

from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator
from iopt.partition.heuristics.coedge import FullyConnected, RatioRule, RowPlan, split_by_rows
from iopt.partition.heuristics.splits import mode_along, partial, weighted
from iopt.partition.plan import Axis, Plan, Split
from iopt.partition.problem import Problem

Combine = Literal["direct", "scatter"]


def plan_iop(
    problem: Problem,
    *,
    combine: Combine = "direct",
    ratio: RatioRule = "lp",
    fc: FullyConnected = "one",
) -> Plan:
    """From the first operator on, make (i, i + 1) an OC -> IC pair if strictly faster than CoEdge's splits of the two.

    Compared from the phase into i through the phase into i + 2 (or the output), earlier operators as decided, later
    ones as in CoEdge. Shares of a pair in proportion to CoEdge's ratio; `combine` is how the partial sums of each pair
    meet (scattered channels in the same proportion); `ratio` and `fc` are CoEdge's.
    """
    evaluator = Evaluator(problem)
    return paired(problem, evaluator, split_by_rows(problem, evaluator, ratio, fc), combine)


def paired(problem: Problem, evaluator: Evaluator, start: RowPlan, combine: Combine) -> Plan:
    """The greedy from a plan of CoEdge on; see `plan_iop`."""
    splits = list(start.plan.splits)
    index = 0
    while index + 1 < len(splits):
        if mode_along(problem, index, Axis.OC) and mode_along(problem, index + 1, Axis.IC):
            pair = list(splits)
            pair[index] = weighted(problem, index, Axis.OC, start.ratio)
            pair[index + 1] = partial(problem, index + 1, start.ratio, scattered=combine == "scatter")
            if _seconds(evaluator, pair, index) < _seconds(evaluator, splits, index):
                splits = pair
                index += 1
        index += 1
    return Plan(tuple(splits))


def _seconds(evaluator: Evaluator, splits: list[Split], index: int) -> float:
    """From the phase into operator `index` through the phase into `index` + 2."""
    costs = evaluator.costs(Decisions.of_splits(splits, len(evaluator.problem.cluster)))
    pair = slice(index, index + 2)
    return float(costs.moves_s[index : index + 3].sum() + costs.compute_s[pair].sum() + costs.scatter_s[pair].sum())
