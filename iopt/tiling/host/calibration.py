"""A latency model, and MAFAT's bias, fitted to runs of some configurations and judged on others.

MAFAT's own calibration is unknown; both fits here are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
from scipy.optimize import nnls

from iopt.door.given import check_kind
from iopt.door.numbers import is_number
from iopt.door.wording import shown
from iopt.errors import OptionError
from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.copies import step_copies
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import group_tiles


@dataclass(frozen=True)
class Run:
    """A configuration as it was measured. `peak_bytes`: what a bias is fitted to, without weights. Raises
    `OptionError` for a time that is not above zero."""

    configuration: Configuration
    time_s: float
    peak_bytes: int = 0

    def __post_init__(self) -> None:
        if not (is_number(self.time_s) and self.time_s > 0):
            raise OptionError(f"time_s of a run is {shown(self.time_s)}; expected a number of seconds above zero")


def fit(problem: Problem, host: HostModel, runs: Sequence[Run]) -> HostModel:
    """`host` with its times multiplied by one factor, and seconds added per byte that layers write and per byte that
    tiles copy, none below zero, by least squares of the relative error.

    A layer measured alone writes to memory that it has just given back; in a run that memory is new, and has to be
    mapped and fetched; and it reads its tile as it is, where a run may copy it. Raises `OptionError` without
    runs, `PlanError` for a run of another network.
    """
    _check(problem, runs)
    check_kind(host, HostModel, "host")
    if not runs:
        raise OptionError("a latency model is fitted to runs of configurations; there are none")
    judge = Evaluator(replace(problem, host=host, objective="macs"))
    terms = np.array([_terms(judge, run.configuration) for run in runs])
    seconds = np.array([run.time_s for run in runs])
    (factor, byte_s, copy_s), _ = nnls(terms / seconds[:, None], np.ones(len(runs)))
    layers = tuple(
        LayerTime(
            time.cells,
            tuple(
                float(factor * own + byte_s * cells * layer.output.channels * ELEMENT_BYTES)
                for cells, own in zip(time.cells, time.seconds, strict=True)
            ),
        )
        for layer, time in zip(problem.layers, host.layers, strict=True)
    )
    call_s, tile_s = float(factor * host.call_s), float(factor * host.tile_s)
    return HostModel(layers, call_s, tile_s, float(factor * host.copy_s + copy_s))


def errors(problem: Problem, host: HostModel, runs: Sequence[Run]) -> list[float]:
    """Predicted over measured seconds, less 1, of each run. Raises `OptionError` for what are no runs, `PlanError` for
    one of another network."""
    _check(problem, runs)
    judge = Evaluator(replace(problem, host=host, objective="macs"))
    predicted = [judge(run.configuration).latency_s for run in runs]
    return [(seconds or 0.0) / run.time_s - 1 for seconds, run in zip(predicted, runs, strict=True)]


def fitted_bias(problem: Problem, runs: Sequence[Run]) -> int:
    """MAFAT's bias in bytes: the median of what runs took beyond the predictor without one, at least 0. Raises
    `OptionError` without runs, `PlanError` for a run of another network."""
    _check(problem, runs)
    if not runs:
        raise OptionError("a bias is fitted to runs of configurations; there are none")
    judge = Evaluator(replace(problem, predictor="mafat", bias_bytes=0, weights="none"))
    return max(0, round(median(run.peak_bytes - judge(run.configuration).peak_bytes for run in runs)))


def _check(problem: Problem, runs: Sequence[Run]) -> None:
    check_kind(problem, Problem, "problem")
    if not isinstance(runs, Sequence) or not all(isinstance(run, Run) for run in runs):
        raise OptionError(f"runs are {shown(runs)}; expected a list of Run")


def _terms(judge: Evaluator, configuration: Configuration) -> tuple[float, int, int]:
    """Seconds by the model, bytes that layers write, and bytes that tiles copy."""
    layers, written, copied = judge.problem.layers, 0, 0
    seconds = judge(configuration).latency_s or 0.0
    for group in configuration.groups:
        if group.is_tiled:
            steps = [step for tile in group_tiles(layers, group, judge.problem.grid) for step in tile.steps]
            written += sum(step.computes.cells * layers[step.layer].output.channels * ELEMENT_BYTES for step in steps)
            copied += sum(step_copies(judge.problem, group, step) for step in steps)
        else:
            written += sum(layer.output.bytes for layer in layers[group.first : group.last + 1])
    return seconds, written, copied
