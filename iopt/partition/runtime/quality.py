"""How far the rate and the overhead of a profile are to be believed, in words."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from iopt.partition.runtime.fitting import Fit, Sample

POOR = 0.3
"""Median error of a fit from which on it is doubted."""
MANY = 0.25
"""Part of the sizes whose times do not settle from which on a profile is doubted."""
SLOWER = 1.25
"""How much longer than predicted linear layers take where plans are said to be off."""


class Quality(NamedTuple):
    """`error`: median of the fit; of `sizes` that were measured, `unsettled` never settled; `linear`, `worst_linear`:
    measured over predicted time of linear layers, the median and the largest."""

    error: float
    unsettled: int
    sizes: int
    linear: float
    worst_linear: float

    @classmethod
    def of(cls, fit: Fit, samples: Sequence[Sample]) -> Quality:
        """Of a fit that predicts for all of the samples, some of them linear layers."""
        ratios = [sample.time_s / fit.predicted_s(sample) for sample in samples if sample.kind == "linear"]
        unsettled = sum(not sample.is_settled for sample in samples)
        return cls(fit.median_error, unsettled, len(samples), median(ratios), max(ratios))

    @property
    def is_doubtful(self) -> bool:
        return self.error >= POOR or self.unsettled >= MANY * self.sizes

    @property
    def figures(self) -> str:
        fit = f"rate and overhead are off by {100 * self.error:.0f} % at the median"
        return f"{fit}, times of {self.unsettled} of {self.sizes} sizes scatter"

    @property
    def about_linear(self) -> str:
        said = (
            f"linear layers take {self.linear:.1f} times as long as compute and overhead say "
            f"(median; {self.worst_linear:.1f} at most)"
        )
        return f"{said}: predictions of them are too low" if self.linear >= SLOWER else said


def doubt(figures: str, threads: int, one_thread: str) -> str:
    """What to think of doubtful figures, measured with so many threads, and what to do; `one_thread`: how to ask for
    one."""
    advice = f", or with {one_thread}" if threads > 1 else ""
    return f"{figures}: other programs were running? measure again{advice}"
