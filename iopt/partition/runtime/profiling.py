"""This device: how fast it computes operators of each kind, measured with the kernels of a run, and how well a rate and
an overhead say so."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

import numpy as np
import torch

from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Activation, Conv2d, Linear, Shape, Window
from iopt.partition.runtime.boxes import Box
from iopt.partition.runtime.kernels import epilogue, pre_tensor
from iopt.partition.runtime.parameters import Parameters, by_kernel_rows
from iopt.partition.runtime.random_weights import RandomWeights
from iopt.partition.runtime.schedule import Share
from iopt.partition.runtime.threads import threads_of_rank

Kind = Literal["convolution", "pointwise", "linear"]
KINDS: tuple[Kind, ...] = ("convolution", "pointwise", "linear")

_CONVOLUTIONS = ((3, 64, 112), (64, 64, 56), (64, 128, 56), (128, 128, 28), (128, 256, 28), (256, 256, 14), (8, 16, 28))
"""Input channels, output channels, rows and columns: from a LeNet's to those of the papers' networks."""
_LINEARS = ((400, 120), (800, 500), (2048, 1024), (4096, 1024), (9216, 1024), (4096, 4096))


@dataclass(frozen=True)
class Sample:
    """One operator: its FLOPs, and the median of its times."""

    kind: Kind
    flops: int
    time_s: float


@dataclass(frozen=True)
class Fit:
    """`time = overhead_s + FLOPs / flops_per_s`; `errors`: predicted over measured time less 1, per sample."""

    flops_per_s: float
    overhead_s: float
    errors: tuple[float, ...]

    @property
    def median_error(self) -> float:
        return median(map(abs, self.errors))


@dataclass(frozen=True)
class DeviceProfile:
    """With so many threads of torch; `memory_bytes`: all that the machine has. `overall` is fitted to convolutions and
    pointwise ones, which plans are mostly about; `by_kind` to one kind each."""

    threads: int
    memory_bytes: int
    samples: tuple[Sample, ...]
    overall: Fit
    by_kind: dict[Kind, Fit]


def profile_device(
    threads: int | None = None, repeat: int = 7, on_sample: Callable[[], None] = lambda: None
) -> DeviceProfile:
    """Measure this machine; takes seconds. `threads` of torch from now on, None: as many as a run with one rank on this
    host has. `on_sample` is called before each time that is
    taken."""
    torch.set_num_threads(threads or threads_of_rank(1))
    with torch.inference_mode():
        samples = tuple(
            Sample(kind, operator.flops, _time(operator, repeat, on_sample)) for kind, operator in _operators()
        )
    by_kind = {kind: fit([sample for sample in samples if sample.kind == kind]) for kind in KINDS}
    overall = fit([sample for sample in samples if sample.kind != "linear"])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return DeviceProfile(torch.get_num_threads(), memory, samples, overall, by_kind)


def fit(samples: Sequence[Sample]) -> Fit:
    """Rate and overhead, neither negative, of least squared relative errors."""
    from scipy.optimize import nnls

    flops, times = (np.array([getattr(sample, key) for sample in samples], dtype=float) for key in ("flops", "time_s"))
    unit = flops.max() / times.max()
    rows = np.stack([np.ones_like(times) * times.max(), flops / unit], axis=1) / times[:, None]
    (overhead, slowness), _ = nnls(rows, np.ones_like(times))
    predicted = overhead * times.max() + slowness * flops / unit
    return Fit(
        float(unit / max(slowness, 1e-12)), float(overhead * times.max()), tuple(map(float, predicted / times - 1))
    )


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


def _time(operator: Operator, repeat: int, on_repetition: Callable[[], None]) -> float:
    weights = RandomWeights(Graph("sample", operator.input_shape, (operator,)), 0)
    weight = weights.whole("weight") if isinstance(operator.body, Linear) else by_kernel_rows(weights.whole("weight"))
    parameters = Parameters((0, operator.output_shape.channels), weight, weights.whole("bias"))
    whole = Box.all_of(operator.output_shape)
    share = Share(Box.all_of(operator.input_shape), whole, whole)
    tensor = torch.randn(tuple(operator.input_shape))
    times = []
    for _ in range(repeat + 2):
        on_repetition()
        began = time.perf_counter()
        epilogue(operator, parameters, pre_tensor(operator, share, parameters, tensor), whole, whole)
        times.append(time.perf_counter() - began)
    return median(times[2:])
