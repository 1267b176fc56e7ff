"""Several applications well: orders and prices to start from, rip up and reroute one at a time, then ejections."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from iopt.exits.geometry import Geometry
from iopt.exits.heuristics.larac import larac
from iopt.exits.limits import Limits
from iopt.exits.paths import path_weight
from iopt.exits.problem import TOLERANCE
from iopt.exits.search.ascent import ascend
from iopt.exits.search.each import Path, by_deadline, by_need, one_after_another
from iopt.exits.search.pareto import pareto
from iopt.exits.search.prices import at_prices

LABELS = 4_000
"""For one application among several; the answer is then the best placement found."""
STEPS = 150
"""Of the ascent that finds prices."""
SCALES = (1.0, 0.5, 2.0)
"""Of the prices that starts are found at."""
NOTABLE = 1e-9
"""A saving by less than this part of the energy is none."""

HasTime = Callable[[], bool]


def best_path(geometry: Geometry, limits: Limits) -> Path | None:
    """The least-energy path of one application within what is left."""
    return pareto(geometry, limits, LABELS).path


def sequential(geometries: Sequence[Geometry], limits: Limits, has_time: HasTime = lambda: True) -> list[Path | None]:
    """Each in turn, tightest latency first; those that find no room go first the next time."""
    return _retried(geometries, limits, by_deadline(geometries), has_time)


def reroute(geometries: Sequence[Geometry], limits: Limits, has_time: HasTime = lambda: True) -> list[Path | None]:
    """The best that several starts lead to."""
    best = _State(geometries, limits, [None] * len(geometries))
    for paths in _starts(geometries, limits, has_time):
        state = _State(geometries, limits, paths)
        _improve(state, has_time)
        if state.rank < best.rank:
            best = state
        if not has_time():
            break
    _eject(best, has_time)
    return best.paths


def priced_start(
    geometries: Sequence[Geometry], limits: Limits, shared: Limits, has_time: HasTime = lambda: True
) -> list[Path | None]:
    """Placed one after another with what is shared at these prices, largest need of energy first, then rerouted."""
    order = by_need(geometries, [larac(geometry).bound for geometry in geometries])
    paths = _retried([at_prices(geometry, shared) for geometry in geometries], limits, order, has_time)
    state = _State(geometries, limits, paths)
    _improve(state, has_time)
    return state.paths


def energy_of(geometries: Sequence[Geometry], paths: Sequence[Path | None]) -> float:
    """Energy of the applications that are placed."""
    return sum(
        path_weight(geometry.energy, geometry.source, path)
        for geometry, path in zip(geometries, paths, strict=True)
        if path is not None
    )


def _starts(geometries: Sequence[Geometry], limits: Limits, has_time: HasTime) -> Iterator[list[Path | None]]:
    order = by_need(geometries, [larac(geometry).bound for geometry in geometries])
    yield _retried(geometries, limits, order, has_time)
    yield sequential(geometries, limits, has_time)
    dual = ascend(geometries, limits, np.inf, STEPS)
    if np.isfinite(dual.bound):
        shared = dual.prices[0].shared
        for scale in SCALES:
            scaled = Limits(*(scale * price for price in (shared.compute, shared.memory, shared.links)))
            yield _retried([at_prices(geometry, scaled) for geometry in geometries], limits, order, has_time)


def _retried(geometries: Sequence[Geometry], limits: Limits, order: list[int], has_time: HasTime) -> list[Path | None]:
    """One after another; as long as some find no room, again with those first. None is placed once time is over."""

    def find(geometry: Geometry, left: Limits) -> Path | None:
        return best_path(geometry, left) if has_time() else None

    best: list[Path | None] = [None] * len(geometries)
    for _ in range(len(geometries)):
        paths = one_after_another(geometries, limits, find, order)
        if paths.count(None) < best.count(None):
            best = paths
        failed = [index for index in order if paths[index] is None]
        if not failed or not has_time():
            break
        order = failed + [index for index in order if index not in failed]
    return best


@dataclass
class _State:
    """Paths of all applications, and what they use."""

    geometries: Sequence[Geometry]
    limits: Limits
    paths: list[Path | None]

    def __post_init__(self) -> None:
        self.used = Limits.zero(self.geometries[0].nodes)
        for index, path in enumerate(self.paths):
            if path is not None:
                self.used = self.used + self.geometries[index].used(path)

    @property
    def rank(self) -> tuple[int, float]:
        """Fewest applications without a place, then least energy."""
        return self.paths.count(None), energy_of(self.geometries, self.paths)

    def take_out(self, index: int) -> Path | None:
        path, self.paths[index] = self.paths[index], None
        if path is not None:
            self.used = self.used - self.geometries[index].used(path)
        return path

    def put(self, index: int, path: Path | None) -> None:
        self.paths[index] = path
        if path is not None:
            self.used = self.used + self.geometries[index].used(path)

    def place(self, index: int) -> bool:
        """Place an application anew within what the others leave, if that is better; True if so."""
        old = self.take_out(index)
        path = best_path(self.geometries[index], self.limits - self.used)
        is_better = path is not None and (
            old is None or self._energy(index, path) < self._energy(index, old) * (1 - NOTABLE)
        )
        self.put(index, path if is_better else old)
        return is_better

    def overloaded(self) -> np.typing.NDArray[np.bool_]:
        return self.used.flat > self.limits.flat * (1 + TOLERANCE)

    def _energy(self, index: int, path: Path) -> float:
        geometry = self.geometries[index]
        return path_weight(geometry.energy, geometry.source, path)


def _improve(state: _State, has_time: HasTime) -> None:
    """Rip up and reroute until a whole round changes nothing."""
    unchanged, count = 0, len(state.paths)
    while True:
        for index in range(count):
            unchanged = 0 if state.place(index) else unchanged + 1
            if unchanged >= count or not has_time():
                return


def _eject(state: _State, has_time: HasTime) -> None:
    """Give one application after another its best place of all, put others out of the way and place them anew; keep it
    where that saves energy on the whole."""
    unchanged, count = 0, len(state.paths)
    while True:
        for index in range(count):
            trial = _ejected(state, index)
            if trial is not None:
                _improve(trial, has_time)
            if trial is not None and _is_better(trial.rank, state.rank):
                state.paths, state.used, unchanged = trial.paths, trial.used, 0
            else:
                unchanged += 1
            if unchanged >= count or not has_time():
                return


def _ejected(state: _State, index: int) -> _State | None:
    """With application `index` where it is best; None where it is there already, or where others find no room."""
    trial = _State(state.geometries, state.limits, list(state.paths))
    old = trial.take_out(index)
    path = best_path(state.geometries[index], state.limits)
    if path is None or path == old:
        return None
    trial.put(index, path)
    out = []
    while (over := trial.overloaded()).any():
        loads = [
            0.0 if other == index or nodes is None else _share(trial, other, nodes, over)
            for other, nodes in enumerate(trial.paths)
        ]
        if max(loads) <= 0:
            return None
        out.append(int(np.argmax(loads)))
        trial.take_out(out[-1])
    for other in out:
        trial.place(other)
    return trial


def _share(state: _State, index: int, path: Path, over: np.typing.NDArray[np.bool_]) -> float:
    """The application's part of the limits that are broken."""
    return float((state.geometries[index].used(path).flat[over] / state.limits.flat[over]).sum())


def _is_better(rank: tuple[int, float], old: tuple[int, float]) -> bool:
    return rank[0] < old[0] or (rank[0] == old[0] and rank[1] < old[1] * (1 - NOTABLE))
