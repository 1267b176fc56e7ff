"""Memory caps by Lagrangian prices: a resident byte of parameters costs seconds on the devices that are full."""

from __future__ import annotations

import numpy as np

from iopt.partition.geometry import Floats, Ints
from iopt.partition.search.chain import Chain
from iopt.partition.search.least_violation import LeastViolation
from iopt.partition.search.stage import Stage

_PATIENCE = 3
"""Halve the step after so many iterations without a higher value."""


def price(chain: Chain, working: list[Ints], incumbent: LeastViolation, start: Floats, iterations: int) -> Floats:
    """Offer the incumbent the plans of a subgradient search over prices [m]; returns the prices of the highest value.

    Options that break a cap alone, by `working` bytes [N, m] of each stage and their parameters, are left out. Prices
    are in seconds for a full cap. Polyak's step towards the latency of the incumbent (half as much again as the value
    while there is none that keeps the caps). Stops where the plan at prices zero keeps every cap. A heuristic: memory
    in use besides parameters counts in the subgradient, not in the price.
    """
    is_capped = np.isfinite(incumbent.caps)
    barred = [_barred(stage, used, incumbent.caps) for stage, used in zip(chain.stages, working, strict=True)]
    prices, best, highest, factor, stalled = start, start, -np.inf, 1.0, 0
    for _ in range(iterations):
        costs = [cost + bar for cost, bar in zip(chain.costs(prices / incumbent.caps), barred, strict=True)]
        plan, value = chain.shortest(costs)
        judged = incumbent.offer(plan)
        if judged.rank[0] == 0 and not prices.any():
            break
        value -= float(prices.sum())
        stalled += 1
        if value > highest:
            highest, best, stalled = value, prices, 0
        if stalled == _PATIENCE:
            factor, stalled = factor / 2, 0
        slope = np.where(is_capped & ((prices > 0) | (judged.excess > 0)), judged.excess, 0.0)
        goal = incumbent.rank[1] if incumbent.is_feasible else 1.5 * max(judged.latency_s, highest)
        if not slope.any() or goal <= value:
            break
        prices = np.maximum(prices + factor * (goal - value) / float(slope @ slope) * slope, 0.0)
    return best


def _barred(stage: Stage, working: Ints, caps: Floats) -> Floats:
    """Infinity for the options of a stage that break a cap alone (if some option does not), else zero [N]."""
    breaks = (stage.resident + working > caps).any(axis=-1)
    return np.where(breaks & ~breaks.all(), np.inf, 0.0)
