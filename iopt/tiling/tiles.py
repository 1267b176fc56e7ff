"""The tiles of a group, one by one and layer by layer: what each reads, pads, computes, keeps and takes over.

Plain geometry for whoever judges or runs a configuration; `regions.py` has the same for all tilings at once. The
recursion from output to input is DeepThings' (TCAD 2018), for any window; the checkerboard is their data reuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from iopt.tiling.grids import Grid, bounds
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Group


class Span(NamedTuple):
    """Cells `lo` ... `hi - 1` of one side of a map."""

    lo: int
    hi: int

    @property
    def size(self) -> int:
        return self.hi - self.lo


NOTHING = Span(0, 0)


class Region(NamedTuple):
    """A rectangle of a map, all channels."""

    rows: Span
    columns: Span

    @property
    def cells(self) -> int:
        return self.rows.size * self.columns.size


class Padding(NamedTuple):
    """Cells by which windows reach over the border of the map, at each side of a tile."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True)
class Strip:
    """Part of a layer's output that an even tile, `writer`, keeps for an odd one, `reader`; (row, column) of each."""

    region: Region
    writer: tuple[int, int]
    reader: tuple[int, int]


@dataclass(frozen=True)
class TileStep:
    """One layer of one tile.

    `reads`: region of the input map, or of each of several, `padding` around it; `computes`: region of the output map,
    empty where neighbours have it all; `holds`: region of the output that the tile has afterwards, `computes` with the
    strips `taken` over from even neighbours; `kept`: strips that it copies out of `computes` for odd ones.
    `origin`: what the tile holds of the (first) input map, `reads` and maybe more for other layers; None for the map
    that the group reads, which is whole.
    """

    layer: int
    reads: Region
    padding: Padding
    computes: Region
    holds: Region
    taken: tuple[Strip, ...] = ()
    kept: tuple[Strip, ...] = ()
    origin: Region | None = None

    def origin_columns(self, layer: Layer) -> int:
        """Columns of the map, or of the part of it, of which `layer`, the step's, reads a view."""
        return layer.input.width if self.origin is None else self.origin.columns.size


@dataclass(frozen=True)
class Tile:
    """`steps`: one per layer of the group, from the first to the last."""

    row: int
    column: int
    steps: tuple[TileStep, ...]


def group_tiles(layers: Sequence[Layer], group: Group, grid: Grid) -> tuple[Tile, ...]:
    """The tiles of a tiled group in the order in which they run: row by row, with reuse the even ones first.

    The group's layers must have windows and its tiling no empty tile. A group with a block has no reuse.
    """
    own = layers[group.first : group.last + 1]
    output = own[-1].output
    rows, columns = bounds(output.height, group.rows, grid), bounds(output.width, group.columns, grid)
    assert rows is not None
    assert columns is not None
    at = [(row, column) for row in range(group.rows) for column in range(group.columns)]
    wanted = {
        (row, column): Region(Span(rows[row], rows[row + 1]), Span(columns[column], columns[column + 1]))
        for row, column in at
    }
    if group.reuse == "none":
        return tuple(Tile(*place, recursion(own, wanted[place])) for place in at)
    even = {place: recursion(own, wanted[place]) for place in at if sum(place) % 2 == 0}
    odd = {place: _with_strips(own, wanted[place], place, even) for place in at if sum(place) % 2}
    kept: dict[tuple[int, tuple[int, int]], list[Strip]] = {}
    for steps in odd.values():
        for step in steps:
            for strip in step.taken:
                kept.setdefault((step.layer, strip.writer), []).append(strip)
    for place, steps in even.items():
        even[place] = tuple(replace(step, kept=tuple(kept.get((step.layer, place), ()))) for step in steps)
    return tuple(Tile(*place, steps) for part in (even, odd) for place, steps in part.items())


def needed(layer: Layer, region: Region) -> tuple[Region, Padding]:
    """What a region of a layer's output reads, clipped to the map, and the cells that were clipped."""
    (rows, top, bottom), (columns, left, right) = (_needed(layer, side, region[side]) for side in (0, 1))
    return Region(rows, columns), Padding(top, bottom, left, right)


def recursion(layers: Sequence[Layer], region: Region) -> tuple[TileStep, ...]:
    """The steps that compute a region of the last layer's output from the first one's input, all of it anew.

    Of a map with several readers a tile holds the hull of what they read.
    """
    wanted, reads = {layers[-1].index: region}, dict[int, tuple[Region, Padding]]()
    for layer in reversed(layers):
        part, _ = reads[layer.index] = needed(layer, wanted[layer.index])
        for name in layer.inputs:
            wanted[name] = part if name not in wanted else _hull(wanted[name], part)
    del wanted[layers[0].index - 1]
    return tuple(
        TileStep(layer.index, *reads[layer.index], own := wanted[layer.index], own, origin=wanted.get(layer.inputs[0]))
        for layer in layers
    )


def _hull(first: Region, second: Region) -> Region:
    """Of each side the smallest span that holds both; an empty one holds nothing."""
    rows, columns = (
        Span(min(a.lo, b.lo), max(a.hi, b.hi)) if a.size and b.size else (a if a.size else b)
        for a, b in zip(first, second, strict=True)
    )
    return Region(rows, columns)


def _needed(layer: Layer, side: int, span: Span) -> tuple[Span, int, int]:
    """Cells that positions `span` read, and how many are clipped before and after."""
    assert layer.window is not None
    if span.hi <= span.lo:
        return NOTHING, 0, 0
    window, size = layer.window, layer.input[side + 1]
    lo = span.lo * window.stride[side] - window.padding[side]
    hi = (span.hi - 1) * window.stride[side] - window.padding[side] + window.reach(side)
    inside = Span(min(max(lo, 0), size), min(max(hi, 0), size))
    return inside, min(max(-lo, 0), hi - lo), min(max(hi - size, 0), hi - lo)


Steps = dict[tuple[int, int], tuple[TileStep, ...]]


def _with_strips(layers: Sequence[Layer], region: Region, place: tuple[int, int], even: Steps) -> tuple[TileStep, ...]:
    """The steps of an odd tile, which computes what none of its four neighbours has."""
    steps: list[TileStep] = []
    for index, layer in reversed(list(enumerate(layers))):
        core, taken = region, tuple[Strip, ...]()
        if index < len(layers) - 1 and region.cells:
            core, taken = _core(region, place, even, index)
        reads, padding = needed(layer, core) if core.cells else (Region(NOTHING, NOTHING), Padding())
        steps.append(TileStep(layer.index, reads, padding, core, region, taken, origin=reads if index else None))
        region = reads
    return tuple(reversed(steps))


def _core(region: Region, place: tuple[int, int], even: Steps, index: int) -> tuple[Region, tuple[Strip, ...]]:
    """What is left of a region when the neighbours' parts are taken off, and those parts: left and right ones over all
    rows, those above and below over the columns in between."""
    row, column = place
    (top, rows, bottom), (left, columns, right) = (
        _divided(region[side], even.get(before), even.get(after), index, side)
        for side, before, after in (
            (0, (row - 1, column), (row + 1, column)),
            (1, (row, column - 1), (row, column + 1)),
        )
    )
    parts = (
        (Region(region.rows, left), (row, column - 1)),
        (Region(region.rows, right), (row, column + 1)),
        (Region(top, columns), (row - 1, column)),
        (Region(bottom, columns), (row + 1, column)),
    )
    core = Region(rows, columns)
    strips = tuple(Strip(part, writer, place) for part, writer in parts if part.cells)
    return core if core.cells else Region(NOTHING, NOTHING), strips


def _divided(
    span: Span, before: tuple[TileStep, ...] | None, after: tuple[TileStep, ...] | None, index: int, side: int
) -> tuple[Span, Span, Span]:
    """Cells of the neighbour before, own ones, cells of the neighbour after. One that computes nothing has none."""
    lower, upper = (NOTHING if steps is None else steps[index].computes[side] for steps in (before, after))
    lo = min(max(span.lo, lower.hi), span.hi) if lower.size else span.lo
    hi = max(min(span.hi, upper.lo), lo) if upper.size else span.hi
    return Span(span.lo, lo), Span(lo, hi), Span(hi, span.hi)
