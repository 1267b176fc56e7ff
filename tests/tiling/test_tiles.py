"""Regions of tiles, against the cells that windows really read, one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from iopt.graph.layers import Window
from iopt.tiling.grids import bounds
from iopt.tiling.layers import Layer, layers_of
from iopt.tiling.plan import Group
from iopt.tiling.tiles import Region, Span, Tile, group_tiles, needed
from tests import instances
from tests.instances import conv
from tests.tiling.networks import GOLDEN, drawn, yolov2_16

Cells = set[tuple[int, int]]


def cells(region: Region) -> Cells:
    return {(row, column) for row in range(*region.rows) for column in range(*region.columns)}


def read(layer: Layer, written: Cells) -> Cells:
    """Cells of the map that the windows of output cells read."""
    window = layer.window
    assert window is not None
    found = set()
    for row, column in written:
        for y in range(window.kernel[0]):
            for x in range(window.kernel[1]):
                at = (
                    row * window.stride[0] - window.padding[0] + y * window.dilation[0],
                    column * window.stride[1] - window.padding[1] + x * window.dilation[1],
                )
                if 0 <= at[0] < layer.input.height and 0 <= at[1] < layer.input.width:
                    found.add(at)
    return found


def groups_of(layers: tuple[Layer, ...], reuse: str) -> list[Group]:
    """Tiled groups over every run of layers that may be tiled."""
    found = []
    for last in range(len(layers)):
        for first in range(last + 1):
            if any(layer.whole for layer in layers[first : last + 1]):
                continue
            for rows, columns in ((1, 2), (2, 1), (2, 2), (3, 2), (3, 4)):
                if rows <= layers[last].output.height and columns <= layers[last].output.width:
                    found.append(Group(first, last, rows, columns, reuse))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_every_tile_has_what_its_windows_read_and_the_tiles_cover_the_output(seed: int) -> None:
    layers = layers_of(drawn(seed))
    for group in groups_of(layers, "none"):
        covered: list[tuple[int, int]] = []
        for tile in group_tiles(layers, group, "balanced"):
            steps = tile.steps
            for step, after in pairwise(steps):
                assert step.computes == step.holds == after.reads
            for step in steps:
                wants, has = read(layers[step.layer], cells(step.computes)), cells(step.reads)
                assert wants <= has
                assert wants or not has or max(layers[step.layer].window.dilation) > 1
            covered += cells(steps[-1].computes)
        output = layers[group.last].output
        assert len(covered) == len(set(covered)) == output.height * output.width


@pytest.mark.parametrize("surplus", [0, 5])
@pytest.mark.parametrize("seed", range(30))
def test_padding_makes_up_exactly_what_the_windows_reach_over(seed: int, surplus: int) -> None:
    layers = layers_of(drawn(seed, surplus=surplus))
    for group in groups_of(layers, "none"):
        for tile in group_tiles(layers, group, "balanced"):
            for step in tile.steps:
                if not step.computes.cells:
                    assert step.reads.cells == 0
                    continue
                window = layers[step.layer].window
                padding = (step.padding[:2], step.padding[2:])
                for side in (0, 1):
                    count = step.computes[side].size
                    reach = (count - 1) * window.stride[side] + window.reach(side)
                    assert step.reads[side].size + sum(padding[side]) == reach


@pytest.mark.parametrize("surplus", [0, 5])
@pytest.mark.parametrize("seed", range(40))
def test_checkerboard_tiles_have_all_they_read_and_take_only_what_was_kept(seed: int, surplus: int) -> None:
    layers = layers_of(drawn(seed, most=18, surplus=surplus))
    for group in groups_of(layers, "checkerboard"):
        alive: dict[tuple[int, object], int] = {}
        covered: list[tuple[int, int]] = []
        for tile in group_tiles(layers, group, "balanced"):
            _check_tile(layers, group, tile)
            for step in tile.steps:
                for strip in step.kept:
                    alive[step.layer, strip] = 1
                for strip in step.taken:
                    assert alive.pop((step.layer, strip)) == 1
            covered += cells(tile.steps[-1].computes)
        assert not alive
        output = layers[group.last].output
        assert len(covered) == len(set(covered)) == output.height * output.width


def _check_tile(layers: tuple[Layer, ...], group: Group, tile: Tile) -> None:
    here = (tile.row, tile.column)
    is_even = sum(here) % 2 == 0
    for step, after in pairwise(tile.steps):
        assert step.holds == after.reads
    for step in tile.steps:
        assert read(layers[step.layer], cells(step.computes)) <= cells(step.reads)
        parts = [cells(step.computes), *(cells(strip.region) for strip in step.taken)]
        assert sum(map(len, parts)) == len(set().union(*parts))
        assert set().union(*parts) == cells(step.holds)
        assert all(cells(strip.region) <= cells(step.computes) for strip in step.kept)
        assert all(strip.writer == here and is_even for strip in step.kept)
        assert all(strip.reader == here and not is_even for strip in step.taken)
        for strip in (*step.kept, *step.taken):
            distance = sum(abs(a - b) for a, b in zip(strip.writer, strip.reader, strict=True))
            assert distance == 1
    assert not tile.steps[-1].kept
    assert not tile.steps[-1].taken


def test_reuse_computes_no_cell_of_an_odd_tile_that_a_neighbour_has() -> None:
    layers = layers_of(instances.chain("net", (1, 12, 12), [conv(1, 3, padding=1)] * 3))
    tiles = group_tiles(layers, Group(0, 2, 3, 3, "checkerboard"), "balanced")
    assert [(tile.row, tile.column) for tile in tiles] == [
        (0, 0), (0, 2), (1, 1), (2, 0), (2, 2), (0, 1), (1, 0), (1, 2), (2, 1)
    ]  # fmt: skip
    odd = tiles[5].steps
    assert odd[2].computes == Region(Span(0, 4), Span(4, 8))
    assert odd[1].holds == Region(Span(0, 5), Span(3, 9))
    assert odd[1].computes == Region(Span(0, 3), Span(5, 7))
    assert odd[0].holds == Region(Span(0, 4), Span(4, 8))
    assert odd[0].computes.cells == 0
    assert odd[0].reads.cells == 0
    assert {strip.writer: strip.region for strip in odd[1].taken} == {
        (0, 0): Region(Span(0, 5), Span(3, 5)),
        (0, 2): Region(Span(0, 5), Span(7, 9)),
        (1, 1): Region(Span(3, 5), Span(5, 7)),
    }


@pytest.mark.parametrize("chain_of", GOLDEN["tile_chains"], ids=lambda row: f"{row['group']}-{row['n']}x{row['m']}")
def test_the_golden_tile_chains(chain_of: dict[str, Any]) -> None:
    layers = layers_of(yolov2_16())
    group = Group(*chain_of["group"], chain_of["n"], chain_of["m"])
    (tile,) = [tile for tile in group_tiles(layers, group, "ceil") if [tile.row, tile.column] == chain_of["tile"]]
    for step, row in zip(tile.steps, chain_of["layers"], strict=True):
        assert step.layer == row["layer"]
        assert (list(step.reads.rows), list(step.reads.columns)) == (row["in_y"], row["in_x"])
        assert (list(step.computes.rows), list(step.computes.columns)) == (row["out_y"], row["out_x"])
        assert (step.reads.rows.size, step.reads.columns.size) == (row["in_h"], row["in_w"])
        assert (step.computes.rows.size, step.computes.columns.size) == (row["out_h"], row["out_w"])
        assert list(step.padding) == row["pad_top_bottom_left_right"]


def test_the_figure_of_deepthings() -> None:
    layers = layers_of(instances.chain("toy", (1, 6, 6), [conv(1, 3, padding=1)]))
    tiles = {(tile.row, tile.column): tile.steps[0] for tile in group_tiles(layers, Group(0, 0, 2, 2), "ceil")}
    for place, key in (((0, 1), "tile_0_1"), ((1, 0), "tile_1_0")):
        row = GOLDEN["toy"][key]
        assert (list(tiles[place].computes.rows), list(tiles[place].computes.columns)) == (row["out_y"], row["out_x"])
        assert (list(tiles[place].reads.rows), list(tiles[place].reads.columns)) == (row["in_y"], row["in_x"])


def test_grids() -> None:
    assert bounds(7, 3, "balanced") == [0, 2, 4, 7]
    assert bounds(7, 3, "ceil") == [0, 3, 6, 7]
    assert bounds(6, 4, "ceil") is None
    assert bounds(6, 4, "balanced") == [0, 1, 3, 4, 6]
    assert bounds(3, 4, "balanced") is bounds(3, 4, "ceil") is None
    assert bounds(5, 1, "ceil") == [0, 5]


def test_a_region_wholly_in_the_padding_reads_nothing_and_keeps_its_padding() -> None:
    (layer,) = layers_of(instances.chain("net", (1, 3, 4), [conv(1, 3, padding=2)]))
    wide = replace(layer, window=Window((2, 1), (1, 1), (4, 0)))
    region, padding = needed(wide, Region(Span(0, 2), Span(0, 4)))
    assert region.cells == 0
    assert padding.top == 3
    assert padding.bottom == 0
