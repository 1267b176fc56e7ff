"""Drawn networks carried out: the same output, and memory and work to the byte as the evaluator says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from iopt.graph.layers import Conv2d, Window
from iopt.tiling.layers import Layer, layers_of
from iopt.tiling.segments import segments_of
from iopt.tiling.tiles import Tile, group_tiles
from tests.tiling.branches import executed_branches
from tests.tiling.executed import executed
from tests.tiling.execution import assert_as_predicted


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
