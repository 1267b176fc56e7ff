"""A latency model, and MAFAT's bias, fitted to runs of some configurations and judged on others.

MAFAT's own calibration is unknown; both fits here are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from scipy.optimize import nnls

from iopt.errors import OptionError
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import group_tiles


@dataclass(frozen=True)
class Run:
    """A configuration as it was measured. `peak_bytes`: what a bias is fitted to, without weights."""

    configuration: Configuration
    time_s: float
    peak_bytes: int = 0


def fit(problem: Problem, host: HostModel, runs: Sequence[Run]) -> HostModel:
    """`host` with one factor for all its layer times, and overheads per call and per tile, by least squares of the
    relative error; none is negative. The overheads that `host` has are replaced. Raises `OptionError` without runs."""
    if not runs:
        raise OptionError("a latency model is fitted to runs of configurations; there are none")
    bare = replace(problem, host=replace(host, call_s=0.0, tile_s=0.0), objective="macs")
    judge = Evaluator(bare)
    terms = np.array([_terms(judge, run.configuration) for run in runs])
    seconds = np.array([run.time_s for run in runs])
    (factor, call_s, tile_s), _ = nnls(terms / seconds[:, None], np.ones(len(runs)))
    layers = tuple(LayerTime(time.cells, tuple(factor * value for value in time.seconds)) for time in host.layers)
    return HostModel(layers, float(call_s), float(tile_s))


def errors(problem: Problem, host: HostModel, runs: Sequence[Run]) -> list[float]:
    """Predicted over measured seconds, less 1, of each run."""
    judge = Evaluator(replace(problem, host=host, objective="macs"))
    predicted = [judge(run.configuration).latency_s for run in runs]
    return [(seconds or 0.0) / run.time_s - 1 for seconds, run in zip(predicted, runs, strict=True)]


def fitted_bias(problem: Problem, runs: Sequence[Run]) -> int:
    """MAFAT's bias in bytes: the median of what runs took beyond the predictor without one, at least 0."""
    if not runs:
        raise OptionError("a bias is fitted to runs of configurations; there are none")
    judge = Evaluator(replace(problem, predictor="mafat", bias_bytes=0, weights="none"))
    return max(0, round(median(run.peak_bytes - judge(run.configuration).peak_bytes for run in runs)))


def _terms(judge: Evaluator, configuration: Configuration) -> tuple[float, int, int]:
    """Seconds of the layers alone, calls of layers, tiles of tiled groups."""
    problem, calls, tiles = judge.problem, 0, 0
    for group in configuration.groups:
        if not group.is_tiled:
            calls += group.last - group.first + 1
            continue
        own = group_tiles(problem.layers, group, problem.grid)
        tiles += len(own)
        calls += sum(step.computes.cells > 0 for tile in own for step in tile.steps)
    return judge(configuration).latency_s or 0.0, calls, tiles
