"""A module and a configuration of it, run side by side: outputs compared, memory counted, times paired."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from statistics import median

import torch
from torch import nn

from iopt.door.given import check_count
from iopt.graph import Graph
from iopt.importer.export import in_eval_mode, read_module
from iopt.importer.precision import in_full_precision
from iopt.tiling.evaluation import evaluate
from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.execution import Execution
from iopt.tiling.executor.kernels import Executor
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.scratch import scratch_limit_bytes
from iopt.tiling.grids import Grid
from iopt.tiling.notation import written
from iopt.tiling.plan import Configuration
from iopt.tiling.problem import Problem

Call = Callable[[torch.Tensor], torch.Tensor]


def execute(
    module: nn.Module,
    image: torch.Tensor,
    configuration: Configuration,
    executor: Executor = "lean",
    grid: Grid = "balanced",
    repeat: int = 5,
    name: str = "network",
) -> Execution:
    """Run the module's network as the configuration says, and the module itself, `repeat` times each.

    `image`: 1 x channels x height x width in fp32. Module and image are left as they were, also where the module's
    first layer works in place, and the caller's autocast does not count. Raises `ModelError` for a module with early
    exits, `PlanError` for a configuration of another network.
    """
    check_count(repeat, "repeat")
    graph, state = network(module, image, name)
    runtime = Runtime(graph, configuration, state, executor, grid)
    evaluation = evaluate(Problem(graph, predictor=executor, weights="none", grid=grid), configuration)
    output = runtime(image)
    macs = runtime.macs
    allocation = measure(lambda: runtime(image))
    with in_eval_mode(module), torch.inference_mode(), in_full_precision():
        expected = module(image.clone())
        own = image.clone()
        untiled = measure(lambda: module(own))
        laid = image.contiguous(memory_format=torch.channels_last)
        times = paired([(runtime, image), (module, image), (_channels_last(module), laid)], repeat)
    return Execution(
        configuration=written(configuration),
        executor=executor,
        output_shape=tuple(expected.shape),
        times_s=tuple(times[0]),
        time_s=median(times[0]),
        untiled_s=median(times[1]),
        channels_last_s=median(times[2]),
        peak_bytes=allocation.peak_bytes,
        predicted_bytes=evaluation.peak_bytes,
        scratch_bytes=allocation.scratch_bytes,
        scratch_limit_bytes=scratch_limit_bytes(runtime.layers),
        untiled_bytes=untiled.total_peak_bytes,
        macs=macs,
        predicted_macs=evaluation.macs,
        difference=difference(output, expected),
    )


def network(module: nn.Module, image: torch.Tensor, name: str) -> tuple[Graph, Mapping[str, torch.Tensor]]:
    """The graph of a module, and its weights by the names that the graph uses."""
    imported = read_module(module, image, name)
    return imported.graph, {**imported.exported.constants, **imported.exported.state_dict}


def difference(output: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest, over the largest value expected. `output` may be the map of which `expected` is the vector."""
    scale = max(float(expected.abs().max()), torch.finfo(torch.float32).tiny)
    return float((output.reshape(expected.shape) - expected).abs().max()) / scale


def paired(calls: Sequence[tuple[Call, torch.Tensor]], repeat: int) -> list[list[float]]:
    """Seconds of each call on a copy of its input, `repeat` times in turn, so that all see the same moods of the
    machine."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeat + 1):
        for (call, given), own in zip(calls, times, strict=True):
            copy = given.clone()
            start = time.perf_counter()
            call(copy)
            if turn:
                own.append(time.perf_counter() - start)
    return times


def _channels_last(module: nn.Module) -> nn.Module:
    """The module for maps with the channels last."""
    copy: nn.Module = deepcopy(module).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has no type for it
    return copy
