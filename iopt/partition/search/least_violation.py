"""The best plan so far: least violation of the memory caps first, then least latency."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Floats
from iopt.partition.plan import Plan


class Judged(NamedTuple):
    """`excess` [m]: bytes over the cap as a share of it, negative where there is room, -1 without a cap."""

    latency_s: float
    excess: Floats

    @property
    def rank(self) -> tuple[float, float]:
        return float(np.maximum(self.excess, 0.0).sum()), self.latency_s


class LeastViolation:
    """Judges plans and keeps the first of the best ones."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        caps = [device.memory_bytes for device in evaluator.problem.cluster.devices]
        self.caps = np.array([np.inf if cap is None else cap for cap in caps])
        self.plan: Plan | None = None
        self.rank = (np.inf, np.inf)

    @property
    def is_feasible(self) -> bool:
        return self.rank[0] == 0

    def offer(self, plan: Plan) -> Judged:
        """Judge a plan, and keep it if it is better."""
        costs = self._evaluator.costs(Decisions.of_splits(plan.splits, len(self.caps)))
        judged = Judged(float(costs.latency_s), costs.memory_bytes / self.caps - 1)
        if judged.rank < self.rank:
            self.plan, self.rank = plan, judged.rank
        return judged
