"""A host is measured on configurations that are drawn; those left out judge the fit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

import pytest

from iopt.errors import OptionError
from iopt.tiling.admissible import check
from iopt.tiling.executor import kernels
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.heuristics.mafat import space
from iopt.tiling.host import measurement as module
from iopt.tiling.host import profiling
from iopt.tiling.host.calibration import Run, errors, fitted_bias
from iopt.tiling.host.clock import Clock, clock
from iopt.tiling.host.measurement import Measurement, for_bias, measured
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.executed import weights

torch = pytest.importorskip("torch")

GRAPH = chain(
    "net",
    (2, 12, 12),
    [conv(3, 3, padding=1, pooling=max_pool(2)), conv(4, 3, padding=1, pooling=max_pool(2)), linear(5)],
)
IMAGE = torch.zeros(1, 2, 12, 12)


def test_what_is_run_is_fitted_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Run] = []
    alone: list[Configuration] = []

    def runs(
        graph: object, state: object, image: object, configurations: Sequence[Configuration], *_: object
    ) -> list[Run]:
        if ran:  # for the bias
            alone.extend(configurations)
            return [Run(each, 1.0, 10_000) for each in configurations]
        ran.extend(Run(each, 1e-3 * (index + 1), 10_000 + index) for index, each in enumerate(configurations))
        return ran

    monkeypatch.setattr(module, "runs", runs)
    found = measured(GRAPH, weights(GRAPH, 0), IMAGE, repeat=1, configurations=12)
    assert (len(ran), found.fitted, len(found.errors)) == (12, 9, 3)
    problem = Problem(GRAPH, weights="none")
    assert found.errors == tuple(errors(problem, found.model, ran[9:]))
    worst, middle = found.worst_error, found.median_error
    assert worst is not None and middle is not None
    assert middle <= worst == max(map(abs, found.errors))
    assert alone == for_bias(problem)
    assert found.bias_bytes == fitted_bias(problem, [Run(each, 1.0, 10_000) for each in alone])
    Problem(GRAPH, objective="latency", host=found.model)


def test_a_network_that_cannot_be_tiled_has_nothing_to_judge() -> None:
    graph = chain("flat", (3, 1, 1), [linear(4), linear(2)])
    said: list[str] = []
    found = measured(graph, weights(graph, 0), torch.zeros(1, 3, 1, 1), repeat=3, on_step=said.append)
    assert (found.fitted, found.errors, found.worst_error, found.median_error) == (1, (), None, None)
    assert said == ["layer 1 of 2", "layer 2 of 2", "run 1 of 2", "run 2 of 2", "run 1 of 1"]


def test_half_of_mafats_space_is_for_the_bias() -> None:
    problem = Problem(GRAPH)
    allowed = space(problem)
    assert for_bias(problem)[:2] == [allowed[0], allowed[2]]
    for configuration in for_bias(problem):
        check(problem, configuration)


def test_errors_count_without_their_sign() -> None:
    model = HostModel((LayerTime((1.0,), (1.0,)),))
    found = Measurement(model, 0, 1, (-0.3, 0.1, 0.2))
    assert (found.median_error, found.worst_error) == (0.2, 0.3)


@pytest.mark.parametrize("key", ["repeat", "configurations"])
@pytest.mark.parametrize("value", [0, 1.5, True])
def test_how_often(key: str, value: object) -> None:
    with pytest.raises(OptionError, match=f"{key} (is|are) .*; expected a whole number, 1 or more"):
        measured(GRAPH, {}, IMAGE, **{key: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "expected"), [(1, time.process_time), (2, time.perf_counter)])
def test_one_clock_for_a_profile(count: int, expected: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor time of two threads is the sum of both. A fork computes with as many threads, see `test_host_runs`."""
    monkeypatch.setattr("iopt.tiling.host.clock.threads", lambda: count)
    assert clock() is expected
    used: list[object] = []

    def timed(graph: object, *_: object, seconds: Clock, **__: object) -> HostModel:
        used.append(seconds)
        return HostModel((LayerTime((1.0, 144.0), (1e-6, 1e-4)),) * len(Problem(GRAPH).layers))

    monkeypatch.setattr(module, "profile", timed)
    monkeypatch.setattr(module, "runs", lambda *given: [Run(each, 1e-3) for each in given[3]])
    measured(GRAPH, weights(GRAPH, 0), IMAGE, repeat=1)
    assert used == [expected]


def test_every_size_is_timed_by_the_clock_on_weights_packed_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    packed: list[tuple[str, tuple[int, int]]] = []
    ticks = count(0)

    def load(layers: Sequence[Layer], state: object, executor: Executor, sizes: Sequence[tuple[int, int]]) -> object:
        packed.append((layers[0].name, sizes[0]))
        return kernels.load(layers, state, executor, sizes)  # type: ignore[arg-type]

    monkeypatch.setattr(profiling, "load", load)
    graph = chain("net", (2, 16, 12), [conv(3, 3, padding=1), conv(4, 3, 2)])
    found = profiling.profile(graph, weights(graph, 0), parts=(1, 4), repeat=3, seconds=lambda: float(next(ticks)))
    assert packed == [("op1", (16, 12)), ("op1", (6, 5)), ("op2", (16, 12)), ("op2", (5, 5))]
    assert [layer.seconds for layer in found.layers] == [(1.0, 1.0), (1.0, 1.0)]
