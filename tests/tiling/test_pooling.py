"""Poolings and steps of both executors against torch's own functions."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from iopt.graph.layers import ACTIVATIONS as KNOWN
from iopt.graph.layers import Activation
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.steps import in_place
from iopt.tiling.executor.trial import difference
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from tests import instances
from tests.instances import adaptive_pool, avg_pool, conv, max_pool, pool
from tests.tiling.executed import ACTIVATIONS
from tests.tiling.execution import EXECUTORS, image


@pytest.mark.parametrize("text", ["1x1/NoCut", "3x2/NoCut"])
@pytest.mark.parametrize("divisor", [None, 5])
@pytest.mark.parametrize("counted", [True, False])
def test_average_poolings_divide_as_torch_does(text: str, divisor: int | None, counted: bool) -> None:
    made = avg_pool((3, 2), (2, 1), (1, 1))
    made = replace(made, layer=replace(made.layer, count_include_pad=counted, divisor_override=divisor))
    graph = instances.chain("pooled", (3, 9, 8), [pool(made)])
    tensor = image(graph)
    expected = functional.avg_pool2d(tensor, (3, 2), (2, 1), (1, 1), False, counted, divisor)
    for executor in EXECUTORS:
        assert difference(Runtime(graph, parse(text, 1), {}, executor)(tensor), expected) < 1e-6


@pytest.mark.parametrize("text", ["1x1/NoCut", "3x2/NoCut"])
def test_max_poolings_are_exact(text: str) -> None:
    graph = instances.chain("pooled", (3, 12, 10), [pool(max_pool((3, 2), (2, 3), (1, 1), True, (2, 1)))])
    tensor = image(graph)
    expected = functional.max_pool2d(tensor, (3, 2), (2, 3), (1, 1), (2, 1), True)
    for executor in EXECUTORS:
        assert torch.equal(Runtime(graph, parse(text, 1), {}, executor)(tensor), expected)


@pytest.mark.parametrize("size", [(1, 1), (4, 3), (5, 7)])
def test_adaptive_poolings(size: tuple[int, int]) -> None:
    for reduce, function in (("max", functional.adaptive_max_pool2d), ("average", functional.adaptive_avg_pool2d)):
        graph = instances.chain("adaptive", (3, 12, 9), [pool(adaptive_pool(size, reduce))])  # type: ignore[arg-type]
        tensor = image(graph)
        for executor in EXECUTORS:
            output = Runtime(graph, parse("1x1/NoCut", 1), {}, executor)(tensor)
            assert difference(output, function(tensor, size)) < 1e-6


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=str)
def test_activations_in_place(activation: Activation) -> None:
    (operator,) = instances.chain("net", (2, 5, 5), [conv(2, 1)])
    (layer,) = layers_of(replace(instances.chain("net", (2, 5, 5), [conv(2, 1)]), operators=(operator,)))
    (step,) = in_place(replace(layer, steps=(activation,)), {})
    tensor = torch.randn(1, 2, 5, 5)
    expected = getattr(functional, activation.function)(tensor.clone(), **activation.arguments)
    assert step(tensor) is not None
    assert torch.allclose(tensor, expected, rtol=1e-6, atol=1e-7)


def test_all_activations_are_tried() -> None:
    assert {activation.function for activation in ACTIVATIONS} == set(KNOWN)
