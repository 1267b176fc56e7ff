"""Everything on one device."""

from __future__ import annotations

from iopt.partition.evaluation import Evaluator
from iopt.partition.heuristics.splits import whole
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem


def plan_single(problem: Problem) -> Plan:
    """The best single device, every operator on OC: one that keeps its memory cap before one that does not, then the
    one of least latency, then the first."""
    evaluator = Evaluator(problem)
    count = range(len(problem.operators))
    plans = [Plan(tuple(whole(problem, index, device) for index in count)) for device in range(len(problem.cluster))]
    return least(evaluator, plans)


def least(evaluator: Evaluator, plans: list[Plan]) -> Plan:
    """The plan of least latency among those that keep the caps, or among all if none does; the first of equals."""

    def rank(plan: Plan) -> tuple[bool, float]:
        evaluation = evaluator(plan)
        return not evaluation.is_feasible, evaluation.latency_s

    return min(plans, key=rank)
