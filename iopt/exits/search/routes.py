"""All columns that can matter (Baldacci, Christofides, Mingozzi 2008): with a plan and a bound known, a placement whose
priced energy exceeds the least by more than what lies between them is part of no better plan."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.limits import Limits
from iopt.exits.search import labels
from iopt.exits.search.columns import Priced
from iopt.exits.search.each import Path
from iopt.exits.search.pool import Pool
from iopt.exits.search.prices import Prices, at_prices, potentials
from iopt.exits.search.resources import resources
from iopt.result import ACCURACY

SLOPES = (0.5, 0.8, 1.0, 1.25, 2.0)
"""Prices of time that bounds are taken at, over the one that proves most."""
WIDTHS = (100, 3_000, 20_000)
"""Columns of each application at most, one attempt after the other."""
BLIND = 3_000
"""Without a plan no placement can be ruled out: more columns than these would hardly help."""

OnFound = Callable[[list[Path]], float]
"""Told of a plan; says the energy of the best plan known."""


def close(
    pool: Pool, limits: Limits, priced: Priced, known: float, left_s: Callable[[], float], found: OnFound
) -> float:
    """Add the columns that may matter and choose; the bound that is then proved.

    `known`: energy of the best plan known, inf without one.
    """
    best, plan = priced.bound, None
    for width in WIDTHS:
        reached = _fill(pool, limits, priced, known, width)
        if plan is not None and reached < known and width < WIDTHS[-1]:  # proves too little, and rarely a better plan
            continue
        paths, bound = pool.choice(max(left_s(), 0.0), plan)
        if paths is not None:
            energy = found(paths)
            known, plan = min(known, energy), paths
        best = max(best, min(bound, reached, known))
        blind = known == np.inf and width >= BLIND
        if best >= known * (1 - ACCURACY) or left_s() <= 0 or blind or pool.was_interrupted:
            break
    return best


def _fill(pool: Pool, limits: Limits, priced: Priced, known: float, width: int) -> float:
    """Add, and return what every plan costs at least that holds a column which was not added."""
    reached = np.inf
    for index, (geometry, least) in enumerate(zip(pool.geometries, priced.least, strict=True)):
        others = priced.bound - float(least)
        paths, cut = _cheapest(geometry, limits, priced.shared, known * (1 + ACCURACY) - others, width)
        for path in paths:
            pool.add_one(index, path)
        reached = min(reached, others + cut)
    return reached


def _cheapest(geometry: Geometry, limits: Limits, shared: Limits, worth: float, width: int) -> tuple[list[Path], float]:
    """Placements whose priced energy is below `worth`, and what those cut away by `width` have at least."""
    dear = at_prices(geometry.within(limits), shared)
    price = larac(dear).price
    nothing = Limits.zero(geometry.nodes)
    prices = [Prices(slope * price, nothing) for slope in (SLOPES if 0 < price < np.inf else (0.0,))]
    return labels.all_below(dear, resources(dear, limits), potentials(dear, limits, prices), worth, width)
