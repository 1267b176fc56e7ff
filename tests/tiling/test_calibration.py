"""A latency model fitted to runs, and one measured on this host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from iopt.errors import OptionError
from iopt.tiling.evaluation import evaluate
from iopt.tiling.host.calibration import Run, errors, fit, fitted_bias
from iopt.tiling.host.profiling import profile
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem
from tests import instances
from tests.instances import conv, linear, max_pool, pool
from tests.tiling.executed import weights

GRAPH = instances.chain(
    "net", (2, 16, 16), [conv(3, 3, padding=1), pool(max_pool(2)), conv(4, 3, padding=1), conv(4, 1)]
)
PROBLEM = Problem(GRAPH, weights="none")
TEXTS = ("1x1/NoCut", "2x2/NoCut", "2x2/2/1x1", "4x3/1/2x1", "1x4/3/3x3", "2x3c/2/1x2")


def host(factor: float, call_s: float, tile_s: float, copy_s: float = 0.0) -> HostModel:
    times = [LayerTime((1.0, 64.0, 256.0), (2e-6 * factor, 5e-5 * factor * n, 4e-4 * factor * n)) for n in (1, 2, 3, 4)]
    return HostModel(tuple(times), call_s, tile_s, copy_s)


def seconds(model: HostModel, configuration: Configuration) -> float:
    found = evaluate(replace(PROBLEM, host=model), configuration).latency_s
    assert found is not None
    return found


def runs(model: HostModel) -> list[Run]:
    configurations = [parse(text, 4) for text in TEXTS]
    return [Run(configuration, seconds(model, configuration)) for configuration in configurations]


def test_a_fit_finds_factor_and_seconds_per_byte_again() -> None:
    profiled = host(1.0, 1e-5, 2e-5, 3e-9)
    layers = []
    for layer, time in zip(PROBLEM.layers, profiled.layers, strict=True):
        per_cell = 2e-8 * 4 * layer.output.channels
        points = zip(time.cells, time.seconds, strict=True)
        layers.append(replace(time, seconds=tuple(1.3 * own + per_cell * cells for cells, own in points)))
    true = HostModel(tuple(layers), 1.3e-5, 2.6e-5, 5e-8)
    found = fit(PROBLEM, profiled, runs(true))
    assert (found.call_s, found.tile_s, found.copy_s) == pytest.approx((1.3e-5, 2.6e-5, 5e-8), rel=0.02)
    assert found.layers[2].seconds == pytest.approx(true.layers[2].seconds, rel=0.02)
    assert max(map(abs, errors(PROBLEM, found, runs(true)))) < 0.02
    assert max(map(abs, errors(PROBLEM, profiled, runs(true)))) > 0.2


def test_errors_are_predicted_over_measured() -> None:
    doubled = [replace(run, time_s=2 * run.time_s) for run in runs(host(1.0, 1e-5, 0.0))]
    assert errors(PROBLEM, host(1.0, 1e-5, 0.0), doubled) == pytest.approx([-0.5] * len(TEXTS))


def test_seconds_per_byte_are_never_negative() -> None:
    fast = [replace(run, time_s=0.1 * run.time_s) for run in runs(host(1.0, 0.0, 0.0))]
    found = fit(PROBLEM, host(1.0, 0.0, 0.0), fast)
    assert found.call_s == pytest.approx(0, abs=1e-9)
    assert found.layers[0].seconds[-1] == pytest.approx(4e-5, rel=1e-3)


def test_the_bias_is_what_runs_took_beyond_the_predictor() -> None:
    bare = replace(PROBLEM, predictor="mafat", bias_bytes=0)
    configurations = [parse(text, 4) for text in TEXTS]
    measured = [Run(each, 1.0, evaluate(bare, each).peak_bytes + 500) for each in configurations]
    assert fitted_bias(PROBLEM, measured) == 500
    assert fitted_bias(PROBLEM, [replace(run, peak_bytes=1) for run in measured]) == 0


def test_nothing_can_be_fitted_to_nothing() -> None:
    with pytest.raises(OptionError, match="there are none"):
        fit(PROBLEM, host(1, 0, 0), [])
    with pytest.raises(OptionError, match="there are none"):
        fitted_bias(PROBLEM, [])


SIZES = [(12.0, 48.0, 88.0, 192.0), (4.0, 12.0, 24.0, 48.0), (1.0, 4.0, 6.0, 12.0), (1.0,)]
"""Cells at 1, 1/1.5 (rounded up), 1/2 and 1/4 of both sides; a linear layer is whole."""


def test_a_profile_has_a_time_for_every_layer_and_size() -> None:
    graph = instances.chain("net", (2, 16, 12), [conv(3, 3, padding=1), pool(max_pool(2)), conv(4, 3, 2, 1), linear(3)])
    model = profile(graph, weights(graph, 0), parts=(1, 1.5, 2, 4), repeat=1)
    assert [time.cells for time in model.layers] == SIZES
    assert all(value > 0 for time in model.layers for value in time.seconds)
    configuration = parse("4x4/2/1x1", len(layers_of(graph)))
    assert (evaluate(Problem(graph, host=model), configuration).latency_s or 0) > 0
    assert len(profile(graph, weights(graph, 0), "torch", (1,), 1).layers) == 4
