"""What every group costs under every tiling, as arrays: the memory, multiply-accumulates and seconds of all of them.

Groups are runs of segments: layers, and blocks of branches. One sweep from the last segment to the first. At segment a
it holds, for every last segment b and every tiling, the regions that a computes; the peak of the group a ... b is then
the maximum of its first segment, read from the whole map, and of the segments after it, which the sweep has seen. So
all groups cost one step per layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from iopt.tiling.evaluation import untiled_layer
from iopt.tiling.plan import Configuration, Group, Reuse
from iopt.tiling.predictors import maps_bytes, untiled_maps_bytes
from iopt.tiling.problem import Problem
from iopt.tiling.regions import Array
from iopt.tiling.search.budget import check_budget
from iopt.tiling.search.sweep import NEVER, Sweep
from iopt.tiling.segments import Segment


@dataclass(frozen=True)
class Table:
    """Arrays [first segment, last segment, option]; `peak` is `NEVER` where first > last or for a tiling that is not
    admissible.

    `options`: rows, columns and reuse of each, by the number of tiles; the first is untiled. `seconds` is None without
    a host model.
    """

    segments: tuple[Segment, ...]
    options: tuple[tuple[int, int, Reuse], ...]
    peak: Array
    macs: Array
    seconds: NDArray[np.float64] | None

    def group(self, first: int, last: int, option: int) -> Group:
        """`first`, `last`: segments."""
        return Group(self.segments[first].first, self.segments[last].last, *self.options[option])

    def costs(self, configuration: Configuration) -> tuple[int, int, float | None]:
        """Peak, multiply-accumulates and seconds of a configuration with tilings of the table and cuts of segments;
        `NEVER` as the peak of one that is not admissible."""
        at = [
            (self._segment[group.first], self._segment[group.last], self._option[_tiling(group)])
            for group in configuration.groups
        ]
        seconds = None if self.seconds is None else float(sum(self.seconds[where] for where in at))
        return max(int(self.peak[where]) for where in at), sum(int(self.macs[where]) for where in at), seconds

    @cached_property
    def _segment(self) -> dict[int, int]:
        """By first or last layer."""
        return {layer: index for index, segment in enumerate(self.segments) for layer in segment}

    @cached_property
    def _option(self) -> dict[tuple[int, int, Reuse], int]:
        return {option: index for index, option in enumerate(self.options)}


def _tiling(group: Group) -> tuple[int, int, Reuse]:
    return group.rows, group.columns, group.reuse if group.is_tiled else "none"


def build(problem: Problem) -> Table:
    """The table of all groups of a problem, with tilings up to `max_tiles` in both directions, and reuse if allowed.

    Raises `OptionError` where it would be too large, see `budget.py`.
    """
    check_budget(problem)
    segments, most = problem.segments, problem.max_tiles
    count = len(segments)
    kinds: list[Reuse] = ["none", "checkerboard"] if problem.may_reuse and most > 1 else ["none"]
    tilings = [(n, m) for n in range(1, most + 1) for m in range(1, most + 1)]
    shape = (count, count, len(kinds) * len(tilings))
    peak, macs = np.full(shape, NEVER), np.zeros(shape, dtype=np.int64)
    seconds = None if problem.host is None else np.zeros(shape)
    for index, reuse in enumerate(kinds):
        own = slice(index * len(tilings), (index + 1) * len(tilings))
        sweep = Sweep(problem, reuse)
        for first in reversed(range(count)):
            if not sweep.can_tile(segments[first]):
                sweep.restart()
                continue
            step = sweep.to(segments[first])
            last = slice(first, first + len(step.peak))
            peak[first, last, own], macs[first, last, own] = step.peak, step.macs
            if seconds is not None and step.seconds is not None:
                seconds[first, last, own] = step.seconds
    _add_maps(problem, peak)
    options = [(n, m, reuse) for reuse in kinds for n, m in tilings]
    _add_untiled(problem, peak, macs, seconds)
    keep = [k for k, (n, m, reuse) in enumerate(options) if n * m > 1 or reuse == "none"]
    keep.sort(key=lambda k: (options[k][0] * options[k][1], options[k][2] == "checkerboard", options[k]))
    return Table(
        segments,
        tuple(options[k] for k in keep),
        peak[..., keep],
        macs[..., keep],
        None if seconds is None else seconds[..., keep],
    )


def _add_maps(problem: Problem, peak: Array) -> None:
    """What exists besides the tiles of tiled groups, in place."""
    maps = np.array(
        [
            [maps_bytes(problem.predictor, problem.layers, a.first, b.last) if a <= b else 0 for b in problem.segments]
            for a in problem.segments
        ]
    )
    peak += np.where(peak < NEVER, maps[:, :, None] + problem.resident_bytes, 0)


def _add_untiled(problem: Problem, peak: Array, macs: Array, seconds: NDArray[np.float64] | None) -> None:
    """Option 0, in place: a group that runs untiled, layer by layer over whole maps."""
    layers, segments = problem.layers, problem.segments
    alone = [[untiled_layer(problem, layer) for layer in layers[part.first : part.last + 1]] for part in segments]
    needs = [max(needed for needed, _ in part) for part in alone]
    work = [sum(layer.macs for layer in layers[part.first : part.last + 1]) for part in segments]
    times = [sum(spent for _, spent in part) for part in alone]
    for a, first in enumerate(segments):
        maps = [untiled_maps_bytes(problem.predictor, layers, first.first, last.last) for last in segments[a:]]
        peak[a, a:, 0] = np.maximum.accumulate(needs[a:]) + maps + problem.resident_bytes
        macs[a, a:, 0] = np.cumsum(work[a:])
        if seconds is not None:
            seconds[a, a:, 0] = np.cumsum(times[a:])
