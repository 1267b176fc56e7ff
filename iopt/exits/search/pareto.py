"""Exact placement of one application: labels, dominance and bounds.

A label is a partial placement. It is dropped where another on the same node is no worse in energy, time and every limit
that can still bind (`dominance`), and where its bound by Lagrangian potentials (`prices`) shows that it cannot become
better than the best placement known. The sweep over the blocks is repeated with growing width: the first ones find
good placements, the last one, which cuts nothing away, proves the best. Where the budget ends before, the least bound
of what was cut away is still a bound on everything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.limits import Limits
from iopt.exits.paths import path_weight
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.ascent import ascend
from iopt.exits.search.labels import CLEARLY, HasTime, sweep
from iopt.exits.search.prices import Prices, potentials
from iopt.exits.search.resources import resources

DEFAULT_LABELS = 2_000_000
WIDTHS = (32, 512, 4_096, 32_768, 10**9)
SLOPES = (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0)
"""Prices of time that bounds are taken at, over the one that proves most."""
STEPS = 120
"""Of the ascent, where shared limits bind."""

OnFound = Callable[[float, float], None]
"""Called with the energy of the best placement known and the bound."""


@dataclass(frozen=True)
class Found:
    """`path` None: none was found; with a `bound` of inf there is none. `energy` and `bound` in J/s, weighted with the
    application's rate."""

    path: tuple[int, ...] | None
    energy: float
    bound: float
    labels: int = 0
    was_interrupted: bool = False


def pareto(
    geometry: Geometry,
    limits: Limits,
    labels: int = DEFAULT_LABELS,
    time_limit_s: float = np.inf,
    gap: float = 0.0,
    on_found: OnFound | None = None,
    may_interrupt: bool = False,
) -> Found:
    """The least-energy placement within the limits, by sweeps of growing width.

    Within the relative `gap`, after about `labels` labels or `time_limit_s`, the best placement and the best bound so
    far are the answer; if it `may_interrupt`, an interrupt from the keyboard that finds a placement ends it likewise.
    """
    ends = time.perf_counter() + time_limit_s
    search = _Search(geometry.within(limits), limits)
    try:
        _widen(search, WIDTHS[0], labels, gap, ends, on_found)
    except KeyboardInterrupt:
        if search.path is None or not may_interrupt:
            raise
        return Found(search.path, search.energy, search.bound, search.labels, was_interrupted=True)
    return Found(search.path, search.energy, search.bound, search.labels)


def _widen(search: _Search, width: int, labels: int, gap: float, ends: float, on_found: OnFound | None) -> None:
    """Sweeps from `width` on until the search is closed, or labels or time end."""
    while not search.is_closed(gap):
        most = max(WIDTHS[0], (labels - search.labels) // search.geometry.depth)
        search.widen(min(width, most), lambda: time.perf_counter() < ends)
        if on_found is not None:
            on_found(search.energy, search.bound)
        if most < width or time.perf_counter() >= ends:
            break
        if width == WIDTHS[0]:
            search.price_limits()
        width = WIDTHS[min(WIDTHS.index(width) + 1, len(WIDTHS) - 1)]


class _Search:
    """What is known so far of one application."""

    def __init__(self, geometry: Geometry, limits: Limits) -> None:
        self.geometry, self.limits = geometry, limits
        self.path: tuple[int, ...] | None = None
        self.energy = self.bound = np.inf
        self.labels = 0
        self._columns = resources(geometry, limits)
        self._links: frozenset[tuple[int, int]] = frozenset()
        relaxed = larac(geometry)
        if relaxed.path is None:
            return
        self.bound = relaxed.bound
        if not self._exceeded(relaxed.path) and not self._overloads(relaxed.path):
            self._offer(relaxed.path)
        nothing = Limits.zero(geometry.nodes)
        self._prices = [Prices(slope * relaxed.price, nothing) for slope in (SLOPES if relaxed.price else (1.0,))]
        self._potentials = potentials(geometry, limits, self._prices)
        self._raise(self._potentials.bound(geometry.source))

    def is_closed(self, gap: float = 0.0) -> bool:
        """The best placement is proved to be the best, but for this gap, or it is proved that there is none."""
        return self.bound == np.inf or self.bound >= self.energy * (1 - gap - CLEARLY)

    def widen(self, width: int, has_time: HasTime = lambda: True) -> None:
        """Sweep, and again as long as what is found carries too much over a link that no label counts yet."""
        while True:
            found = sweep(self.geometry, self._columns, self._potentials, self.energy, width, has_time)
            self.labels += found.labels
            over = self._exceeded(found.path) if found.path is not None else set()
            if not over:
                break
            self._links |= over
            self._columns = resources(self.geometry, self.limits, self._links)
        if found.path is not None:
            self._offer(found.path)
        self._raise(min(found.dropped, self.energy))

    def price_limits(self) -> None:
        """Prices on the limits that bind, where the first sweep has left something open."""
        if self.is_closed() or not len(self._columns):
            return
        dual = ascend([self.geometry], self.limits, self.energy, STEPS)
        (best,) = dual.prices
        self._prices += [Prices(slope * best.time, best.shared) for slope in (0.5, 1.0, 2.0)]
        self._potentials = potentials(self.geometry, self.limits, self._prices)
        self._raise(min(self._potentials.bound(self.geometry.source), self.energy))

    def _offer(self, path: tuple[int, ...]) -> None:
        energy = path_weight(self.geometry.energy, self.geometry.source, path)
        if energy < self.energy:
            self.path, self.energy = path, energy

    def _raise(self, bound: float) -> None:
        self.bound = max(self.bound, bound)

    def _exceeded(self, path: tuple[int, ...]) -> set[tuple[int, int]]:
        """Links over which the path sends more than they carry."""
        over = self.geometry.used(path).links > self.limits.links * (1 + TOLERANCE)
        return {(int(n), int(m)) for n, m in np.argwhere(over)}

    def _overloads(self, path: tuple[int, ...]) -> bool:
        """Whether the path asks too much of a node."""
        used, room = self.geometry.used(path), 1 + TOLERANCE
        return bool(
            (used.compute > self.limits.compute * room).any() or (used.memory > self.limits.memory * room).any()
        )
