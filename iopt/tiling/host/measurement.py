"""This host, measured: its layers one by one, then whole configurations, to which overheads and a bias are fitted.

Every other configuration is left out of the fit, and judges it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

from iopt.door.given import check_count
from iopt.errors import PlanError
from iopt.graph import Graph
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.fitting import check
from iopt.tiling.heuristics.mafat import space
from iopt.tiling.host.calibration import Run, errors, fit, fitted_bias
from iopt.tiling.host.clock import Clock, clock
from iopt.tiling.host.profiling import profile
from iopt.tiling.latency import HostModel
from iopt.tiling.plan import Configuration
from iopt.tiling.predictors import Predictor
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    import torch

    from iopt.tiling.executor.kernels import Executor

MOST = 10
"""Configurations that are run at most."""


@dataclass(frozen=True)
class Measurement:
    """`model`: for latencies; `bias_bytes`: of the predictor `mafat`. `fitted`: configurations that they were fitted
    to; `errors`: predicted over measured latency, less 1, of those that they were not fitted to."""

    model: HostModel
    bias_bytes: int
    fitted: int
    errors: tuple[float, ...]

    @property
    def median_error(self) -> float:
        """Without its sign; 0 where there was nothing to judge by."""
        return median(map(abs, self.errors)) if self.errors else 0.0

    @property
    def worst_error(self) -> float:
        return max(map(abs, self.errors), default=0.0)


def measured(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    image: torch.Tensor,
    executor: Executor = "lean",
    repeat: int = 5,
) -> Measurement:
    """Times of all layers by size of tile, and what configurations of MAFAT's space take besides; `repeat` runs each.

    `state`: weights by the names in the graph. Raises `ModelError` for a network with early exits.
    """
    check_count(repeat, "repeat")
    predictor: Predictor = executor
    problem = Problem(graph, predictor=predictor, weights="none")
    seconds = clock()
    model = profile(graph, state, executor, repeat=repeat, seconds=seconds)
    runs = [
        _run(Runtime(graph, configuration, state, executor), image, repeat, seconds)
        for configuration in _spread(list(_fitting(problem)))
    ]
    known, others = runs[::2], runs[1::2]
    model = fit(problem, model, known)
    return Measurement(model, fitted_bias(problem, known), len(known), tuple(errors(problem, model, others)))


def _run(runtime: Runtime, image: torch.Tensor, repeat: int, seconds: Clock) -> Run:
    """After a first call, which counts memory. The least time, since others' load only adds to it; with one thread in
    processor time, which that load leaves alone but for the caches."""
    peak_bytes, times = measure(partial(runtime, image)).total_peak_bytes, []
    for _ in range(repeat):
        start = seconds()
        runtime(image)
        times.append(seconds() - start)
    return Run(runtime.configuration, min(times), peak_bytes)


def _fitting(problem: Problem) -> Iterator[Configuration]:
    """Those of MAFAT's space that the network allows."""
    for configuration in space(problem):
        try:
            check(problem, configuration)
        except PlanError:
            continue
        yield configuration


def _spread(found: Sequence[Configuration]) -> Sequence[Configuration]:
    """At most `MOST`, evenly from the first to the last."""
    if len(found) <= MOST:
        return found
    return [found[index * (len(found) - 1) // (MOST - 1)] for index in range(MOST)]
