"""The method `dp`: fixed candidate shares, an exact shortest path, prices for memory, then local moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Floats
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.search.candidates import Candidates, candidates
from iopt.partition.search.chain import Chain
from iopt.partition.search.least_violation import LeastViolation
from iopt.partition.search.memory import RESERVES, fitting_plan, working_bytes
from iopt.partition.search.neighbours import neighbours
from iopt.partition.search.passing import passing_bytes
from iopt.partition.search.prices import price

_PARTS = (1 / 16, 1 / 64, 1 / 128, 1 / 256)
"""Shares of the whole that the moves of the local improvement hand over, in turn."""

_ROUNDS, _GAIN = 2, 1e-4
"""Rounds with moves of one size, and the relative gain that is worth another."""

_ITERATIONS, _FEW_ITERATIONS = 40, 5
"""Price iterations over the candidates, and in a round of the local improvement."""


def plan_dp(problem: Problem, seeds: Sequence[Plan] = (), *, improve: bool = True) -> Plan:
    """The best plan over candidate shares: axis, combine, shares and scattered channels jointly exact.

    `candidates.candidates` says which. `seeds`: plans whose share vectors become candidates too, so that the result is
    never slower than one of them that keeps the caps (plans with `via` lend their vectors only). `improve`:
    neighbourhood searches by the same dynamic programme, with moves of shares between two devices that get smaller.

    Memory caps: Lagrangian prices, then a beam search with the priced rest as its bound; the fastest plan found that
    keeps the caps, else the one of least violation. A heuristic, without a bound.
    """
    search = _Search(Evaluator(problem))
    for plan in seeds:
        if not any(split.via for split in plan.splits):
            search.incumbent.offer(plan)
    search.run(candidates(problem, search.evaluator.geometry, seeds), _ITERATIONS, RESERVES)
    if improve:
        search.improve()
    return search.plan


class _Search:
    """One call: the incumbent, and the memory prices to start the next run from."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.incumbent = LeastViolation(evaluator)
        self.prices: Floats = np.zeros(len(evaluator.problem.cluster))

    @property
    def plan(self) -> Plan:
        """The best plan so far; there is one after the first run."""
        assert self.incumbent.plan is not None
        return self.incumbent.plan

    def run(self, options: tuple[Candidates, ...], iterations: int, reserves: Sequence[float]) -> None:
        """Offer the incumbent the best plan over `options`, or under caps those that prices and beams lead to."""
        chain, caps = Chain.of(self.evaluator, options), self.incumbent.caps
        if not np.isfinite(caps).any():
            self.incumbent.offer(chain.shortest(chain.costs())[0])
            return
        working = [working_bytes(self.evaluator, index, stage) for index, stage in enumerate(chain.stages)]
        passing = passing_bytes(self.evaluator, chain)
        self.prices = price(chain, working, self.incumbent, self.prices, iterations)
        for reserve in reserves:
            plan = fitting_plan(chain, working, passing, caps, self.prices / caps, reserve)
            if plan is not None:
                self.incumbent.offer(plan)

    def improve(self) -> None:
        for part in _PARTS:
            for _ in range(_ROUNDS):
                violation, latency_s = self.incumbent.rank
                reserves = RESERVES[:1] if self.incumbent.is_feasible else RESERVES
                self.run(neighbours(self.evaluator.geometry, self.plan, part), _FEW_ITERATIONS, reserves)
                if self.incumbent.rank[0] >= violation and self.incumbent.rank[1] > latency_s * (1 - _GAIN):
                    break
