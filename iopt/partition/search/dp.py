"""The method `dp`: fixed candidate shares, an exact shortest path, prices for memory, then moves around the plan found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Floats
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.search.candidates import Candidates, candidates
from iopt.partition.search.chain import Chain
from iopt.partition.search.incumbent import Incumbent
from iopt.partition.search.memory import fitting_plan, working_bytes
from iopt.partition.search.neighbours import neighbours
from iopt.partition.search.prices import price

_PARTS = (1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256)
"""Shares of the whole that the moves of the local improvement hand over, in turn."""

_ROUNDS, _GAIN = 2, 1e-4
"""Rounds with moves of one size, and the relative gain that is worth another."""

_WIDTH = 200
"""Paths kept by the beam search under memory caps."""

_ITERATIONS, _FEW_ITERATIONS = 60, 8
"""Price iterations over the candidates, and in a round of the local improvement."""


def plan_dp(problem: Problem, seeds: Sequence[Plan] = (), *, improve: bool = True) -> Plan:
    """The best plan over candidate shares (`candidates.candidates`): axis, combine, shares and scattered channels jointly exact.

    `seeds`: plans whose share vectors become candidates too, so that the result is never slower than one of them that keeps
    the caps (plans with `via` lend their vectors only). `improve`: neighbourhood searches by the same dynamic programme, with
    moves of shares between two devices that get smaller. Memory caps: prices; the fastest plan found that keeps them, else the one
    of least violation.
    """
    search = _Search(Evaluator(problem))
    for plan in seeds:
        if not any(split.via for split in plan.splits):
            search.incumbent.offer(plan)
    search.run(candidates(problem, search.evaluator.geometry, seeds), _ITERATIONS)
    if improve:
        search.improve()
    assert search.incumbent.plan is not None
    return search.incumbent.plan


class _Search:
    """One call: the incumbent, and the memory prices to start the next run from."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.evaluator = evaluator
        self.incumbent = Incumbent(evaluator)
        self.prices: Floats = np.zeros(len(evaluator.problem.cluster))

    def run(self, options: tuple[Candidates, ...], iterations: int) -> None:
        """The best plan over `options`, or under caps those of a few prices, offered to the incumbent."""
        chain = Chain.of(self.evaluator, options)
        if np.isfinite(self.incumbent.caps).any():
            self.run_capped(chain, iterations)
        else:
            self.incumbent.offer(chain.shortest(chain.costs())[0])

    def run_capped(self, chain: Chain, iterations: int) -> None:
        caps = self.incumbent.caps
        working = [working_bytes(self.evaluator, index, stage) for index, stage in enumerate(chain.stages)]
        self.prices = price(chain, working, self.incumbent, self.prices, iterations)
        fitting = fitting_plan(chain, working, caps, self.prices / caps, _WIDTH)
        if fitting is not None:
            self.incumbent.offer(fitting)

    def improve(self) -> None:
        for part in _PARTS:
            for _ in range(_ROUNDS):
                before = self.incumbent.rank
                assert self.incumbent.plan is not None
                self.run(neighbours(self.evaluator.geometry, self.incumbent.plan, part), _FEW_ITERATIONS)
                violation, latency_s = self.incumbent.rank
                if violation >= before[0] and latency_s > before[1] * (1 - _GAIN):
                    break
