"""A rate and an overhead that say how long operators take, and how well they do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np

from iopt.door import units

Kind = Literal["convolution", "pointwise", "linear"]
KINDS: tuple[Kind, ...] = ("convolution", "pointwise", "linear")


@dataclass(frozen=True)
class Sample:
    """One operator: its FLOPs, its seconds, and whether its times settled."""

    kind: Kind
    flops: int
    time_s: float
    is_settled: bool = True


@dataclass(frozen=True)
class Fit:
    """`time = overhead_s + FLOPs / flops_per_s`; `errors`: predicted over measured time less 1, per sample."""

    flops_per_s: float
    overhead_s: float
    errors: tuple[float, ...]

    @property
    def median_error(self) -> float:
        return median(map(abs, self.errors))

    def predicted_s(self, sample: Sample) -> float:
        return self.overhead_s + sample.flops / self.flops_per_s


def fit(samples: Sequence[Sample]) -> Fit:
    """Rate and overhead of least squared relative errors, among those that samples bear out: no rate above the highest
    that one of them reached, no overhead above the shortest time, and both in the range of cluster files."""
    from scipy.optimize import lsq_linear

    flops, times = (np.array([getattr(sample, key) for sample in samples], dtype=float) for key in ("flops", "time_s"))
    lowest, highest = map(float, units.limits(units.COMPUTE))
    best = min(max(float((flops / times).max()), 2 * lowest), highest)
    least = times.min()
    rows = np.stack([least / times, flops / best / times], axis=1)
    overhead, slowness = lsq_linear(rows, np.ones_like(times), bounds=([0, 1], [1, best / lowest]), method="bvls").x
    rate, overhead_s = best / float(slowness), float(overhead * least)
    return Fit(rate, overhead_s, tuple(map(float, (overhead_s + flops / rate) / times - 1)))
