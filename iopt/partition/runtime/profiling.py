"""This device: how fast it computes operators of each kind, measured with the kernels of a run, and how well a rate and
an overhead say so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Activation, Conv2d, Linear, Shape, Window
from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.fitting import KINDS, Fit, Kind, Sample, fit
from iopt.partition.runtime.kernels import epilogue, pre_tensor
from iopt.partition.runtime.parameters import Parameters, by_kernel_rows
from iopt.partition.runtime.quality import Quality
from iopt.partition.runtime.random_weights import RandomWeights
from iopt.partition.runtime.schedule import Share
from iopt.partition.runtime.threads import threads_of_rank
from iopt.partition.runtime.timing import timed

_CONVOLUTIONS = ((3, 64, 112), (64, 64, 56), (64, 128, 56), (128, 128, 28), (128, 256, 28), (256, 256, 14), (8, 16, 28))
"""Input channels, output channels, rows and columns: from a LeNet's to those of the papers' networks."""
_LINEARS = ((400, 120), (800, 500), (2048, 1024), (4096, 1024), (9216, 1024), (4096, 4096))


@dataclass(frozen=True)
class DeviceProfile:
    """With so many threads of torch; `memory_bytes`: all that the machine has. `overall` is fitted to convolutions and
    pointwise ones, which plans are mostly about; `by_kind` to one kind each; `quality` is of `overall`."""

    threads: int
    memory_bytes: int
    samples: tuple[Sample, ...]
    overall: Fit
    by_kind: dict[Kind, Fit]
    quality: Quality


def profile_device(
    threads: int | None = None, repeat: int = 7, on_sample: Callable[[], None] = lambda: None
) -> DeviceProfile:
    """Measure this machine; takes seconds. `threads` of torch from now on, None: as many as a run with one rank on this
    host has. `repeat`: times that go into a sample, see `timed`. `on_sample` is called before each time that is
    taken, and while weights are drawn."""
    torch.set_num_threads(threads or threads_of_rank(1))
    operators = list(_operators())
    with torch.inference_mode():
        found = timed([_action(operator, on_sample) for _, operator in operators], repeat, on_sample)
    samples = tuple(
        Sample(kind, operator.flops, each.time_s, each.is_settled)
        for (kind, operator), each in zip(operators, found, strict=True)
    )
    return profile_of(samples, torch.get_num_threads(), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def profile_of(samples: tuple[Sample, ...], threads: int, memory_bytes: int) -> DeviceProfile:
    """The fits to samples of every kind."""
    by_kind = {kind: fit([sample for sample in samples if sample.kind == kind]) for kind in KINDS}
    overall = fit([sample for sample in samples if sample.kind != "linear"])
    return DeviceProfile(threads, memory_bytes, samples, overall, by_kind, Quality.of(overall, samples))


def _operators() -> Iterator[tuple[Kind, Operator]]:
    for inputs, outputs, size in _CONVOLUTIONS:
        shape = Shape(outputs, size, size)
        for kind, kernel in (("convolution", 3), ("pointwise", 1)):
            window = Window((kernel, kernel), padding=(kernel // 2, kernel // 2))
            body = Conv2d("weight", window, bias="bias")
            yield kind, _operator(body, Shape(inputs, size, size), shape)  # type: ignore[misc]  # of the pairs above
    for inputs, outputs in _LINEARS:
        yield "linear", _operator(Linear("weight", "bias"), Shape(inputs, 1, 1), Shape(outputs, 1, 1))


def _operator(body: Conv2d | Linear, before: Shape, after: Shape) -> Operator:
    return Operator("sample", body, (INPUT,), (before,), after, after, (Activation("relu"),))


def _action(operator: Operator, on_block: Callable[[], None]) -> Callable[[], object]:
    """Compute it once, with random weights on a random input."""
    weights = RandomWeights(Graph("sample", operator.input_shape, (operator,)), 0, on_block)
    weight = weights.whole("weight") if isinstance(operator.body, Linear) else by_kernel_rows(weights.whole("weight"))
    parameters = Parameters((0, operator.output_shape.channels), weight, weights.whole("bias"))
    whole = Box.all_of(operator.output_shape)
    share = Share(Box.all_of(operator.input_shape), whole, whole)
    tensor = torch.randn(tuple(operator.input_shape))
    return lambda: epilogue(operator, parameters, pre_tensor(operator, share, parameters, tensor), whole, whole)
