"""How many bytes tiles copy: time that a configuration takes besides computing. `search/sweep.py` has the same for all
tilings at once."""

from __future__ import annotations

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.layers import Layer
from iopt.tiling.plan import Group
from iopt.tiling.predictors import copied_bytes, copier
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import TileStep


def step_copies(problem: Problem, group: Group, step: TileStep) -> int:
    """Bytes that a tile of a tiled group copies at one layer: its input where that is padded or made dense, strips that
    it keeps, the map that it puts together of strips and its own part, and at the last layer its part of the group's
    output map."""
    layer = problem.layers[step.layer]
    cells = sum(strip.region.cells for strip in step.kept)
    if step.taken:
        cells += step.holds.cells
    if step.layer == group.last:
        cells += step.computes.cells
    return cells * layer.output.channels * ELEMENT_BYTES + _ready_bytes(problem, layer, step)


def _ready_bytes(problem: Problem, layer: Layer, step: TileStep) -> int:
    """Of the copy that the layer reads, 0 where it reads the tile as it is."""
    if not step.computes.cells:
        return 0
    size = step.origin_columns(layer), step.reads.rows.size, step.reads.columns.size
    return int(copied_bytes(copier(problem.predictor), problem.backend, layer, *size, step.padding))
