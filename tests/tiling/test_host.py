"""A host is measured on configurations that its network allows; those left out judge the fit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import count

import pytest

from iopt.errors import OptionError
from iopt.tiling.executor import kernels
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.host import measurement as module
from iopt.tiling.host import profiling
from iopt.tiling.host.calibration import Run
from iopt.tiling.host.clock import Clock, clock
from iopt.tiling.host.measurement import MOST, Measurement, measured
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.layers import Layer
from iopt.tiling.problem import Problem
from tests.instances import chain, conv, linear, max_pool
from tests.tiling.executed import weights

torch = pytest.importorskip("torch")

GRAPH = chain(
    "net",
    (2, 12, 12),
    [conv(3, 3, padding=1, pooling=max_pool(2)), conv(4, 3, padding=1, pooling=max_pool(2)), linear(5)],
)


def test_what_is_run_is_fitted_and_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def run(runtime: Runtime, image: object, repeat: int, seconds: Clock) -> Run:
        found = Run(runtime.configuration, 1e-3 * (len(ran) + 1), 10_000 + len(ran))
        ran.append(found)
        return found

    monkeypatch.setattr(module, "_run", run)
    found = measured(GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 12, 12), repeat=1)
    assert 4 < len(ran) <= MOST
    assert len({run.configuration for run in ran}) == len(ran)
    assert (found.fitted, len(found.errors)) == (len(ran) - len(ran) // 2, len(ran) // 2)
    assert found.median_error <= found.worst_error == max(map(abs, found.errors))
    Problem(GRAPH, objective="latency", host=found.model)


def test_a_network_that_cannot_be_tiled_has_nothing_to_judge() -> None:
    graph = chain("flat", (3, 1, 1), [linear(4), linear(2)])
    found = measured(graph, weights(graph, 0), torch.zeros(1, 3, 1, 1), repeat=1)
    assert (found.fitted, found.errors, found.worst_error, found.median_error) == (1, (), 0.0, 0.0)


def test_errors_count_without_their_sign() -> None:
    model = HostModel((LayerTime((1.0,), (1.0,)),))
    found = Measurement(model, 0, 1, (-0.3, 0.1, 0.2))
    assert (found.median_error, found.worst_error) == (0.2, 0.3)


@pytest.mark.parametrize("repeat", [0, 1.5, True])
def test_how_often(repeat: object) -> None:
    with pytest.raises(OptionError, match="expected a whole number, 1 or more"):
        measured(GRAPH, {}, torch.zeros(1, 2, 12, 12), repeat=repeat)  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "expected"), [(1, time.process_time), (2, time.perf_counter)])
def test_one_clock_for_a_profile(count: int, expected: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processor time of two threads is the sum of both."""
    monkeypatch.setattr("iopt.tiling.host.clock.threads", lambda: count)
    assert clock() is expected
    used: list[object] = []

    def timed(graph: object, *_: object, seconds: Clock, **__: object) -> HostModel:
        used.append(seconds)
        return HostModel((LayerTime((1.0, 144.0), (1e-6, 1e-4)),) * len(Problem(GRAPH).layers))

    def run(runtime: Runtime, image: object, repeat: int, seconds: Clock) -> Run:
        used.append(seconds)
        return Run(runtime.configuration, 1e-3)

    monkeypatch.setattr(module, "profile", timed)
    monkeypatch.setattr(module, "_run", run)
    measured(GRAPH, weights(GRAPH, 0), torch.zeros(1, 2, 12, 12), repeat=1)
    assert len(used) > 5
    assert set(used) == {expected}


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
