"""What all applications must at least use of a device, of the links out of it, and of all devices together.

Each of these is a sum of least paths, one per application: whatever the placement, no less is used. Where a sum is
above the limit, there is no placement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from iopt.door.amounts import apart
from iopt.exits.geometry import Geometry, geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.paths import completions, through
from iopt.exits.problem import TOLERANCE, Problem

WORDS = {"compute": ("compute", "op/s"), "memory": ("memory", "bytes of weights"), "links": ("links out", "bit/s")}
"""Of each kind of limit: what it is of a device, and its unit."""


@dataclass(frozen=True)
class Overrun:
    """`where`: a device, or all; `kind`: compute, memory or links; `needed` at least, with a `limit` below it."""

    where: str
    kind: str
    needed: float
    limit: float

    def __str__(self) -> str:
        (needed, limit), (what, unit) = self._amounts, WORDS[self.kind]
        return f"{self.where}: {what}: at least {needed} {unit} are needed, the limit is {limit}"

    @property
    def _amounts(self) -> tuple[str, str]:
        if self.kind == "memory":
            return f"{self.needed:,.0f}", f"{self.limit:,.0f}"
        return apart(self.needed, self.limit)


@dataclass(frozen=True)
class _Demand:
    """An application that is there `count` times; `allowed` [L, N, N]: the steps that a placement of it may take."""

    shape: Geometry
    allowed: np.typing.NDArray[np.bool_]
    count: int

    def least(self, weights: Array) -> float:
        """Of all its placements the least sum of `weights` [L, N, N] or what is broadcast to it."""
        steps = np.where(self.allowed, weights, np.inf)
        return self.count * float((steps[0, self.shape.source] + completions(steps)[0]).min())


def overruns(problem: Problem, has_time: Callable[[], bool] = lambda: True) -> Iterator[Overrun]:
    """Where what is needed at least is above a limit: of all devices together, of a device, of the links out of one.

    Each by itself proves that there is no placement. Ends early without time.
    """
    limits, names = Limits.of(problem), [device.name for device in problem.cluster.devices]
    demands = [demand for demand in _demands(problem, limits) if has_time()]
    if not has_time():
        return
    for kind in ("compute", "memory"):
        total = sum(demand.count * float(getattr(demand.shape, kind).sum()) for demand in demands)
        yield from _over("all devices together", kind, total, float(getattr(limits, kind).sum()))
    for node, name in enumerate(names):
        on_it = np.arange(len(names)) == node
        out = on_it[:, None] & ~on_it
        for kind in ("compute", "memory"):
            if np.isfinite(limit := float(getattr(limits, kind)[node])):
                needed = sum(d.least(getattr(d.shape, kind)[:, None, None] * on_it) for d in demands if has_time())
                yield from _over(name, kind, needed, limit)
        if np.isfinite(limit := float(limits.links[node][~on_it].sum())):
            needed = sum(demand.least(demand.shape.traffic[:, None, None] * out) for demand in demands if has_time())
            yield from _over(name, "links", needed, limit)


def _demands(problem: Problem, limits: Limits) -> Iterator[_Demand]:
    """One per different application: equal ones are counted. Without steps that alone exceed a limit, but for an
    application that has no placement without them."""
    counts = Counter(replace(application, name="-") for application in problem.applications)
    first = {replace(application, name="-"): index for index, application in enumerate(problem.applications)}
    for application, count in counts.items():
        shape = geometry(problem, first[application])
        within = _Demand(shape, _allowed(shape.within(limits)), count)
        yield within if np.isfinite(within.least(np.zeros(1))) else _Demand(shape, _allowed(shape), count)


def _allowed(shape: Geometry) -> np.typing.NDArray[np.bool_]:
    """[L, N, N]: steps of a path that is in time; sums of times may be taken in another order elsewhere."""
    in_time: np.typing.NDArray[np.bool_] = through(shape.time, shape.source) <= shape.longest_s * (1 + TOLERANCE)
    return in_time & np.isfinite(shape.energy)


def _over(where: str, kind: str, needed: float, limit: float) -> Iterator[Overrun]:
    if needed > limit * (1 + TOLERANCE):
        yield Overrun(where, kind, needed, limit)
