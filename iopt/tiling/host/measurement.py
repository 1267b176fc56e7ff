"""This host, measured: its layers one by one, then whole configurations, to which latencies and a bias are fitted.

Latencies are fitted to configurations drawn at random; a part of them is left out of the fit, and judges it. The bias
is fitted to half of MAFAT's space. A script that calls this needs `if __name__ == "__main__":`, since a process that it
starts imports it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from iopt.door.given import check_count
from iopt.errors import PlanError
from iopt.graph import Graph
from iopt.tiling.admissible import check
from iopt.tiling.executor.runtime import check_input
from iopt.tiling.heuristics.mafat import space
from iopt.tiling.host.calibration import errors, fit, fitted_bias
from iopt.tiling.host.clock import clock
from iopt.tiling.host.draw import divided, drawn
from iopt.tiling.host.profiling import OnStep, profile, silent
from iopt.tiling.host.runs import runs
from iopt.tiling.latency import HostModel
from iopt.tiling.plan import Configuration
from iopt.tiling.predictors import Predictor
from iopt.tiling.problem import Problem

if TYPE_CHECKING:
    import torch

    from iopt.tiling.executor.kernels import Executor

CONFIGURATIONS = 32


@dataclass(frozen=True)
class Measurement:
    """`model`: for latencies; `bias_bytes`: of the predictor `mafat`. `fitted`: configurations that the model was
    fitted to; `errors`: predicted over measured latency, less 1, of those that it was not fitted to."""

    model: HostModel
    bias_bytes: int
    fitted: int
    errors: tuple[float, ...]

    @property
    def median_error(self) -> float | None:
        """Without its sign; None where there was nothing to judge by."""
        return median(map(abs, self.errors)) if self.errors else None

    @property
    def worst_error(self) -> float | None:
        return max(map(abs, self.errors), default=None)


def measured(
    graph: Graph,
    state: Mapping[str, torch.Tensor],
    image: torch.Tensor,
    executor: Executor = "lean",
    repeat: int = 5,
    configurations: int = CONFIGURATIONS,
    on_step: OnStep = silent,
) -> Measurement:
    """Times of all layers by size of tile, and what so many configurations take besides; everything `repeat` times.

    `state`: weights by the names in the graph. A small network has fewer configurations; of four, one judges. Raises
    `ModelError` for a network with early exits, `OptionError`, `RunError`.
    """
    check_count(repeat, "repeat")
    predictor: Predictor = executor
    problem = Problem(graph, predictor=predictor, weights="none")
    check_input(graph, image)
    fitted, judging = divided(drawn(problem, configurations))
    model = profile(graph, state, executor, repeat=repeat, seconds=clock(), on_step=on_step)
    found = runs(graph, state, image, [*fitted, *judging], executor, repeat, on_step)
    known, others = found[: len(fitted)], found[len(fitted) :]
    model = fit(problem, model, known)
    bias_bytes = fitted_bias(problem, runs(graph, state, image, for_bias(problem), executor, 1, on_step))
    return Measurement(model, bias_bytes, len(known), tuple(errors(problem, model, others)))


def for_bias(problem: Problem) -> list[Configuration]:
    """The first, third, ... configuration of MAFAT's space that the network allows."""
    found = []
    for configuration in space(problem):
        with suppress(PlanError):
            check(problem, configuration)
            found.append(configuration)
    return found[::2]
