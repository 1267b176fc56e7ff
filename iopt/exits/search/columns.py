"""Several applications by column generation (Dantzig and Wolfe 1960): whole placements are the columns.

A linear programme mixes the placements known of each application within the shared limits; its dual prices tell
`pareto` which placement of an application would help; what that finds is added. Since every placement keeps its own
latency limit, the bound is far above that of the flow relaxation, which mixes fast and slow half-placements. `routes`
then finds every column that a better plan may hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.ascent import ascend
from iopt.exits.search.each import Path
from iopt.exits.search.pareto import pareto
from iopt.exits.search.pool import Pool
from iopt.exits.search.prices import at_prices

LABELS = 20_000
"""For one application at one set of prices."""
ROUNDS = 60
STEPS = 300
"""Of the ascent that finds the first prices."""
INWARD = 0.5
"""Prices are taken between those of the programme and the best so far (Wentges 1997): they swing less."""
CLOSED = 1e-7
"""Relative gap between programme and bound at which no more columns are made."""

LeftS = Callable[[], float]


@dataclass(frozen=True)
class Priced:
    """Shared prices, the least priced energy of each application [H] at them, and the bound that follows."""

    shared: Limits
    least: Array
    bound: float


def generate(pool: Pool, limits: Limits, known: float = np.inf, left_s: LeftS = lambda: np.inf) -> Priced:
    """Fill the pool with columns that make good plans; the prices that prove most come back.

    `known`: energy of a whole plan, inf without one. A bound of inf: an application has no placement at all.
    """
    first = ascend(pool.geometries, limits, known, STEPS)
    best, found = _price(pool.geometries, limits, first.prices[0].shared, left_s)
    if best.bound == np.inf:
        return best
    pool.add(found)
    if not len(pool):
        return best
    for _ in range(ROUNDS):
        value, prices = pool.prices()
        if best.bound >= min(value, known) * (1 - CLOSED) or left_s() <= 0:
            break
        for shared in (_blend(prices, best.shared), prices):
            now, found = _price(pool.geometries, limits, shared, left_s)
            best = max(best, now, key=lambda priced: priced.bound)
            if is_new := pool.add(found):
                break
        if not is_new:
            break
    return best


def _price(
    geometries: Sequence[Geometry], limits: Limits, shared: Limits, left_s: LeftS
) -> tuple[Priced, list[Path | None]]:
    """What these prices prove, and the placement of each application that is best at them; the best that is found in
    time."""
    found = [pareto(at_prices(geometry, shared), limits, LABELS, left_s()) for geometry in geometries]
    least = np.array([answer.bound for answer in found])
    price = shared.flat
    worth = float(price[price > 0] @ limits.flat[price > 0]) * (1 + TOLERANCE)
    return Priced(shared, least, float(least.sum()) - worth), [answer.path for answer in found]


def _blend(prices: Limits, best: Limits) -> Limits:
    def mean(ours: Array, theirs: Array) -> Array:
        return INWARD * ours + (1 - INWARD) * theirs

    return Limits(mean(prices.compute, best.compute), mean(prices.memory, best.memory), mean(prices.links, best.links))
