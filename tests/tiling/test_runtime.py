"""Configurations carried out: the same output, and memory and work to the byte as the evaluator says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import pytest
import torch
from torch import nn

from iopt.errors import ModelError, OptionError, PlanError
from iopt.graph import Graph
from iopt.graph.layers import Conv2d, Window
from iopt.tiling.evaluation import Evaluation, evaluate
from iopt.tiling.executor.allocator import Allocation, measure
from iopt.tiling.executor.runtime import Runtime
from iopt.tiling.executor.scratch import USUAL_BYTES, packed_bytes, scratch_limit_bytes
from iopt.tiling.executor.trial import difference
from iopt.tiling.layers import Layer, layers_of
from iopt.tiling.notation import parse
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem
from iopt.tiling.segments import segments_of
from iopt.tiling.tiles import Tile, group_tiles
from tests import instances
from tests.importer import interpreter
from tests.instances import conv, linear
from tests.tiling.branches import executed_branches
from tests.tiling.executed import State, executed, weights
from tests.tiling.networks import GOLDEN, yolov2_16

EXECUTORS = ("lean", "torch")
TOLERANCE = 1e-5
"""Of a difference over the largest value."""


def image(graph: Graph, seed: int = 0) -> torch.Tensor:
    return torch.randn(1, *graph.input_shape, generator=torch.Generator().manual_seed(seed))


def untiled(graph: Graph) -> Configuration:
    return Configuration((Group(0, len(layers_of(graph)) - 1),))


def judged(graph: Graph, configuration: Configuration, executor: str, grid: str = "balanced") -> Evaluation:
    options: dict[str, Any] = {"predictor": executor, "grid": grid}
    return evaluate(Problem(graph, weights="none", **options), configuration)


def measured(runtime: Runtime, tensor: torch.Tensor) -> Allocation:
    """After a run, so that what a library allocates once is there."""
    runtime(tensor)
    return measure(lambda: runtime(tensor))


def assert_as_predicted(seed: int, draw: Callable[[int], tuple[Graph, State, Configuration]] = executed) -> None:
    graph, state, configuration = draw(seed)
    tensor = image(graph, seed)
    with torch.inference_mode():
        expected = interpreter.run(graph, {name: value.double() for name, value in state.items()}, tensor.double())
    for executor in EXECUTORS:
        runtime, evaluation = Runtime(graph, configuration, state, executor), judged(graph, configuration, executor)
        assert difference(runtime(tensor).double(), expected) < TOLERANCE
        assert runtime.macs == evaluation.macs
        allocation = measured(runtime, tensor)
        assert allocation.peak_bytes == evaluation.peak_bytes
        assert allocation.scratch_bytes <= scratch_limit_bytes(runtime.layers)


@pytest.mark.parametrize("seed", range(60))
def test_output_work_and_peak_of_chains(seed: int) -> None:
    assert_as_predicted(seed)


@pytest.mark.parametrize("seed", range(20))
def test_chains_with_outputs_of_padding_alone(seed: int) -> None:
    assert_as_predicted(seed, partial(executed, surplus=4))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(60, 460))
def test_output_work_and_peak_of_many_chains(seed: int) -> None:
    assert_as_predicted(seed)
    assert_as_predicted(seed, partial(executed, surplus=4))


@pytest.mark.parametrize("seed", range(40))
def test_output_work_and_peak_of_branches(seed: int) -> None:
    assert_as_predicted(seed, executed_branches)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(40, 500))
def test_output_work_and_peak_of_many_branches(seed: int) -> None:
    assert_as_predicted(seed, executed_branches)


def reads_less(block: Sequence[Layer], tile: Tile) -> bool:
    """Whether a layer reads fewer columns of a map than the tile holds of it, for another layer."""
    steps = {step.layer: step for step in tile.steps}
    return any(
        steps[layer.index].reads.columns.size < steps[name].holds.columns.size
        for layer in block
        for name in layer.inputs
        if name in steps
    )


def test_the_branches_are_of_every_kind() -> None:
    kinds, blocks, nested, narrow = set(), list[bool](), 0, 0
    for graph, _, configuration in map(executed_branches, range(100)):
        layers = layers_of(graph)
        kinds |= {layer.kind for layer in layers}
        for segment in (segment for segment in segments_of(layers) if segment.is_block):
            group = next(group for group in configuration.groups if group.last >= segment.last)
            blocks.append(group.is_tiled)
            own = layers[segment.first : segment.last + 1]
            nested += any(layer.kind in ("add", "concat") for layer in own[:-1])
            tiles = group_tiles(layers, group, "balanced") if group.is_tiled else ()
            narrow += any(reads_less(own, tile) for tile in tiles)
    assert kinds == {"conv", "max", "average", "linear", "elementwise", "add", "concat"}
    assert 20 < sum(blocks) < len(blocks) - 20
    assert nested > 20
    assert narrow > 15, "readers that want less than the hull"


def test_the_chains_are_of_every_kind() -> None:
    drawn = [executed(seed) for seed in range(60)]
    layers = [layer for graph, _, _ in drawn for layer in layers_of(graph)]
    groups = [group for _, _, configuration in drawn for group in configuration.groups if group.is_tiled]
    assert {layer.kind for layer in layers} == {"conv", "max", "average", "linear", "elementwise"}
    assert len(groups) > 60
    assert 0.3 < sum(group.reuse == "checkerboard" for group in groups) / len(groups) < 0.7
    assert any(isinstance(layer.body, Conv2d) and layer.body.groups > 1 for layer in layers)
    windows = [layer.window or Window((1, 1)) for layer in layers]
    assert any(max(window.dilation) > 1 for window in windows)
    assert any(min(window.kernel) == 4 for window in windows)


# YOLOv2's first 16 layers on 608 x 608, as in the golden file

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


@pytest.mark.parametrize(
    ("size", "layer", "tiling"),
    [
        ((256, 14, 14), conv(128, 5, 3, (3, 2)), "5x5"),
        ((64, 28, 41), conv(128, 7, 1, 6, 2), "3x7"),
        ((100, 14, 14), conv(33, 7, padding=3), "3x7"),
        ((100, 7, 96), conv(66, 3, padding=1, groups=2), "5x5"),
        ((100, 56, 14), conv(8, (3, 1), 3, (1, 0)), "1x5"),
    ],
    ids=["repacked", "dilated", "rounded up", "in groups", "narrow"],
)
def test_scratch_is_bounded_where_weights_are_packed_anew(
    size: tuple[int, int, int], layer: instances.Layer, tiling: str
) -> None:
    graph = instances.chain("net", size, [layer])
    runtime = Runtime(graph, parse(f"{tiling}/NoCut", 1), weights(graph, 0))
    assert measured(runtime, image(graph)).scratch_bytes <= scratch_limit_bytes(runtime.layers)


def test_the_bound_of_scratch() -> None:
    layers = layers_of(
        instances.chain("net", (48, 8, 8), [conv(66, 3, groups=2), instances.pool(instances.max_pool(2))])
    )
    assert packed_bytes(layers[0]) == 2 * 64 * 32 * 9 * 4
    assert scratch_limit_bytes(layers) == USUAL_BYTES + 2 * 64 * 32 * 9 * 4
    assert scratch_limit_bytes(layers[1:]) == USUAL_BYTES


# Details


def test_reuse_computes_less() -> None:
    graph = instances.chain("deep", (3, 24, 24), [conv(4, 3, padding=1)] * 4)
    state, tensor = weights(graph, 1), image(graph)
    work = {}
    for text in ("4x4/NoCut", "4x4c/NoCut"):
        runtime = Runtime(graph, parse(text, 4), state)
        runtime(tensor)
        work[text] = runtime.macs
        assert runtime.macs == judged(graph, parse(text, 4), "lean").macs
    assert work["4x4c/NoCut"] < 0.8 * work["4x4/NoCut"]


def test_the_input_stays_as_it_is() -> None:
    graph = instances.chain("net", (2, 8, 8), [instances.norm(), conv(2, 1)])
    tensor = image(graph)
    before = tensor.clone()
    for text in ("1x1/NoCut", "2x2/NoCut"):
        Runtime(graph, parse(text, 2), weights(graph, 0))(tensor)
        assert torch.equal(tensor, before)
        Runtime(graph, parse(text, 2), weights(graph, 0))(tensor.contiguous(memory_format=torch.channels_last))
        assert torch.equal(tensor, before)


def test_one_channel_narrow_tiles() -> None:
    """oneDNN reads what it has not written where a convolution of one channel gives few columns."""
    graph = instances.chain("narrow", (1, 12, 11), [conv(3, (3, 4), (1, 3), (2, 0), (2, 1))])
    state, tensor = weights(graph, 0), image(graph)
    bias, window = state["op1.bias"], ((1, 3), (2, 0), (2, 1))
    expected = torch.relu(nn.functional.conv2d(tensor.double(), state["op1.weight"].double(), bias.double(), *window))
    for text in ("1x1/NoCut", "2x3/NoCut", "4x2c/NoCut"):
        assert difference(Runtime(graph, parse(text, 1), state)(tensor), expected.float()) < TOLERANCE


def test_runtimes_of_one_network_share_linear_weights() -> None:
    graph = instances.chain("net", (2, 8, 8), [conv(2, 3), linear(5)])
    state, tensor = weights(graph, 0), image(graph)
    first = Runtime(graph, parse("1x1/NoCut", 2), state)
    second = Runtime(graph, parse("2x2/1/1x1", 2), state, like=first)
    assert difference(second(tensor), first(tensor)) < TOLERANCE
    assert first.kernels[1].body is second.kernels[1].body
    assert first.kernels[0].body is not second.kernels[0].body
    assert first.macs == second.macs == sum(layer.macs for layer in layers_of(graph))


def test_what_is_refused() -> None:
    graph = instances.chain("net", (2, 8, 8), [conv(2, 3)])
    state = weights(graph, 0)
    plan = parse("2x2/NoCut", 1)
    for wrong, message in (
        ({"op1.weight": state["op1.weight"]}, "the state dict: op1.bias: missing; expected 2 in fp32, as net has it"),
        (
            {**state, "op1.weight": state["op1.weight"].double()},
            "the state dict: op1.weight is 2x2x3x3 in torch.float64; expected 2x2x3x3 in fp32, as net has it",
        ),
        (
            {**state, "op1.weight": state["op1.weight"][:1]},
            "the state dict: op1.weight is 1x2x3x3 in F32; expected 2x2x3x3 in fp32, as net has it",
        ),
    ):
        with pytest.raises(ModelError) as caught:
            Runtime(graph, plan, wrong)
        assert str(caught.value) == message
    with pytest.raises(OptionError, match=r"op1.weight of the state dict is 5; expected a Tensor"):
        Runtime(graph, plan, {**state, "op1.weight": 5})  # type: ignore[dict-item]
    other = instances.chain("other", (2, 8, 8), [conv(2, 1)])
    with pytest.raises(ModelError, match="like is a runtime of 'other'; expected one of 'net'"):
        Runtime(graph, plan, state, like=Runtime(other, plan, weights(other, 0)))
    with pytest.raises(PlanError, match="expected groups that follow each other"):
        Runtime(graph, parse("2x2/1/1x1", 2), state)
    with pytest.raises(OptionError, match=r"executor is 'fat'; expected 'lean' or 'torch'"):
        Runtime(graph, parse("2x2/NoCut", 1), state, "fat")  # type: ignore[arg-type]
    runtime = Runtime(graph, parse("2x2/NoCut", 1), state)
    with pytest.raises(ModelError, match=r"the input is 1x2x8x9 in torch.float32; expected 1x2x8x8 in fp32"):
        runtime(torch.zeros(1, 2, 8, 9))
    with pytest.raises(ModelError, match=r"in torch.float64; expected 1x2x8x8 in fp32"):
        runtime(torch.zeros(1, 2, 8, 8, dtype=torch.float64))
