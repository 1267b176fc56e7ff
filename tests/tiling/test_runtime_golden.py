"""YOLOv2's first 16 layers on 608 x 608 carried out, as in the golden file."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from iopt.tiling.executor.allocator import measure
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.trial import difference
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from tests.tiling.executed import State, weights
from tests.tiling.execution import EXECUTORS, TOLERANCE, image, judged
from tests.tiling.networks import GOLDEN, yolov2_16

GOLDENS = [
    pytest.param(row["name"], grid, row if grid == "ceil" else row["balanced_grid"], id=f"{row['name']}-{grid}")
    for row in GOLDEN["configurations"]
    for grid in ("ceil", "balanced")
]


@cache
def golden() -> tuple[State, torch.Tensor, torch.Tensor]:
    """Weights, an input, and the output by `torch.nn.functional`."""
    graph = yolov2_16()
    state, tensor = weights(graph, 0), image(graph)
    current = tensor
    with torch.inference_mode():
        for layer, row in zip(layers_of(graph), GOLDEN["layers"], strict=True):
            if layer.kind == "conv":
                kernel = state[f"op{layer.index + 1}.weight"]
                current = torch.relu(nn.functional.conv2d(current, kernel, None, row["stride"], row["padding"]))
            else:
                current = nn.functional.max_pool2d(current, row["kernel"], row["stride"], row["padding"])
    return state, tensor, current


def assert_golden(name: str, grid: Any, row: dict[str, Any]) -> None:
    state, tensor, expected = golden()
    configuration = parse(name, 16)
    for executor in EXECUTORS:
        runtime = Runtime(yolov2_16(), configuration, state, executor, grid)
        assert difference(runtime(tensor), expected) < TOLERANCE
        assert runtime.macs == row["macs_exact_crop"]
        allocation = measure(lambda runtime=runtime: runtime(tensor))
        predicted = row["tensor_peak_bytes_torch"] if executor == "torch" else None
        assert allocation.peak_bytes == (predicted or judged(yolov2_16(), configuration, executor, grid).peak_bytes)
        packed = REPACKED_BYTES if name == "5x5/NoCut" else 0
        assert allocation.scratch_bytes <= 2**14 + packed


REPACKED_BYTES = 512 * 256 * 4
"""Of a 1x1 convolution of 512 to 256 channels, on tiles of 8 x 8 cells and less."""

FEW = [param for param in GOLDENS if param.id in ("5x5/8/2x2-ceil", "3x3/8/2x2-balanced")]


@pytest.mark.parametrize(("name", "grid", "row"), FEW)
def test_golden_configurations(name: str, grid: str, row: dict[str, Any]) -> None:
    assert_golden(name, grid, row)


@pytest.mark.full
@pytest.mark.parametrize(("name", "grid", "row"), GOLDENS)
def test_all_golden_configurations(name: str, grid: str, row: dict[str, Any]) -> None:
    assert_golden(name, grid, row)
