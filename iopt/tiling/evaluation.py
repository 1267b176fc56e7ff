"""The judge: peak memory, multiply-accumulates and latency of a configuration, straight from the definitions.

Exact methods, heuristics, hand-written and executed configurations all pass through it. Equations: docs/tiling.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iopt.door.given import check_kind
from iopt.door.wording import in_bytes
from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.admissible import check
from iopt.tiling.copies import step_copies
from iopt.tiling.layers import Layer, map_shape
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.predictors import (
    assembly_bytes,
    copied_bytes,
    maps_bytes,
    scratch_bytes,
    tile_bytes,
    untiled_bytes,
    untiled_maps_bytes,
)
from iopt.tiling.problem import Problem
from iopt.tiling.rim import rim_cells
from iopt.tiling.tiles import TileStep, group_tiles

HeldBytes = dict[int, int]
"""Bytes that a tile holds of maps, by the layer of its group that wrote them."""


@dataclass(frozen=True)
class GroupCost:
    """Of one group. `peak_bytes` with all that is in memory besides, first reached at layer `layer` (its index) of the
    tile `tile` (row, column; None in an untiled group). `strips_bytes`: the most that strips take."""

    group: Group
    peak_bytes: int
    layer: int
    tile: tuple[int, int] | None
    macs: int
    latency_s: float | None
    strips_bytes: int = 0


@dataclass(frozen=True)
class Evaluation:
    """`mac_factor`: multiply-accumulates over those of the untiled network (1 for a network without any); `latency_s`:
    None without a host model. `violations`: a sentence for each limit that is broken."""

    peak_bytes: int
    macs: int
    mac_factor: float
    latency_s: float | None
    groups: tuple[GroupCost, ...]
    violations: tuple[str, ...]

    @property
    def is_feasible(self) -> bool:
        return not self.violations

    @property
    def binding(self) -> GroupCost:
        """The group of the peak, the first of several."""
        return max(self.groups, key=lambda cost: cost.peak_bytes)


class Evaluator:
    """Judges any number of configurations of one problem; a group that comes again is not computed again."""

    def __init__(self, problem: Problem) -> None:
        check_kind(problem, Problem, "problem")
        self.problem = problem
        self._known: dict[Group, GroupCost] = {}

    def __call__(self, configuration: Configuration) -> Evaluation:
        """Raises `PlanError` for a configuration that does not fit the network."""
        check(self.problem, configuration)
        groups = tuple(self._cost(group) for group in configuration.groups)
        peak, macs = max(cost.peak_bytes for cost in groups), sum(cost.macs for cost in groups)
        seconds = [cost.latency_s for cost in groups if cost.latency_s is not None]
        factor = macs / self.problem.macs if self.problem.macs else 1.0
        latency = sum(seconds) if self.problem.host is not None else None
        return Evaluation(peak, macs, factor, latency, groups, tuple(self._broken(peak, macs, factor)))

    def _broken(self, peak: int, macs: int, factor: float) -> Iterator[str]:
        problem = self.problem
        if problem.memory_bytes is not None and peak > problem.memory_bytes:
            yield f"needs {in_bytes(peak)}, limit {in_bytes(problem.memory_bytes)}"
        if macs > problem.most_macs:
            yield f"computes {factor:.6g} times the untiled network, limit {problem.overhead:g}"

    def _cost(self, group: Group) -> GroupCost:
        if group not in self._known:
            self._known[group] = self._tiled(group) if group.is_tiled else self._untiled(group)
        return self._known[group]

    def _untiled(self, group: Group) -> GroupCost:
        problem, layers = self.problem, self.problem.layers
        own = layers[group.first : group.last + 1]
        besides = problem.resident_bytes + untiled_maps_bytes(problem.predictor, layers, group.first, group.last)
        needs, seconds = zip(*(untiled_layer(problem, layer) for layer in own), strict=True)
        peak = max(needs)
        return GroupCost(
            group,
            besides + peak,
            group.first + needs.index(peak),
            None,
            sum(layer.macs for layer in own),
            None if problem.host is None else sum(seconds),
        )

    def _tiled(self, group: Group) -> GroupCost:
        problem, layers = self.problem, self.problem.layers
        besides = problem.resident_bytes + maps_bytes(problem.predictor, layers, group.first, group.last)
        peak, at, alive, most_alive, macs, latency_s = -1, (group.first, (0, 0)), 0, 0, 0, 0.0
        for tile in group_tiles(layers, group, problem.grid):
            latency_s += 0.0 if problem.host is None else problem.host.cut_s
            held: HeldBytes = {}
            for step in tile.steps:
                layer = layers[step.layer]
                needs = self._working(layer, step, held, alive)
                if needs > peak:
                    peak, at = needs, (step.layer, (tile.row, tile.column))
                for name in layer.frees:
                    held.pop(name, None)
                held[step.layer] = layer.output.channels * step.holds.cells * ELEMENT_BYTES
                alive += _strip_bytes(layer, step)
                most_alive = max(most_alive, alive)
                cells = self._computed(layer, step)
                macs += layer.cell_macs * cells
                latency_s += self._seconds(group, step, cells)
        seconds = None if problem.host is None else latency_s
        return GroupCost(group, besides + peak, *at, macs, seconds, most_alive)

    def _seconds(self, group: Group, step: TileStep, cells: int) -> float:
        """Of one layer of one tile, which computes so many cells; 0 without a host."""
        host = self.problem.host
        if host is None:
            return 0.0
        return float(host.seconds(step.layer, cells) + host.copying(step_copies(self.problem, group, step)))

    def _working(self, layer: Layer, step: TileStep, held: HeldBytes, alive: int) -> int:
        """The most that one layer of one tile needs, with the strips alive; 0 where there is nothing to do."""
        problem, needs = self.problem, 0
        out = layer.output.channels * ELEMENT_BYTES
        if cells := self._computed(layer, step):
            height, width = step.reads.rows.size, step.reads.columns.size
            d = sum([held.get(name, 0) for name in layer.frees])
            whole = {name for name in layer.inputs if name not in held}
            view = sum([map_shape(problem.layers, name).channels for name in whole]) * height * width * ELEMENT_BYTES
            columns = step.origin_columns(layer)
            q = copied_bytes(problem.predictor, problem.backend, layer, columns, height, width, step.padding)
            x = scratch_bytes(problem.predictor, problem.backend, layer, cells)
            needs = int(tile_bytes(problem.predictor, sum(held.values()), d, view, q, out * cells, x))
            needs += problem.streamed_bytes(layer)
        if step.taken:
            needs = max(needs, assembly_bytes(out * step.computes.cells, out * step.holds.cells))
        return needs + alive if needs else 0

    def _computed(self, layer: Layer, step: TileStep) -> int:
        """Output cells that the layer computes for the tile."""
        if self.problem.crop == "exact" or not step.computes.cells:
            return step.computes.cells
        return int(rim_cells(layer, step.reads.rows.size, step.reads.columns.size))


def untiled_layer(problem: Problem, layer: Layer) -> tuple[int, float]:
    """Bytes that a layer of an untiled group needs, without what is in memory besides, and its seconds, 0 without a
    host."""
    cells = layer.output.height * layer.output.width
    x = int(scratch_bytes(problem.predictor, problem.backend, layer, cells))
    maps = untiled_bytes(problem.predictor, problem.layers, layer.index, problem.alive[layer.index], x)
    seconds = 0.0 if problem.host is None else float(problem.host.seconds(layer.index, cells))
    return maps + problem.streamed_bytes(layer), seconds


def _strip_bytes(layer: Layer, step: TileStep) -> int:
    """Bytes of the strips that the step keeps, less those that it takes."""
    cells = sum(strip.region.cells for strip in step.kept) - sum(strip.region.cells for strip in step.taken)
    return cells * layer.output.channels * ELEMENT_BYTES


def evaluate(problem: Problem, configuration: Configuration) -> Evaluation:
    """The configuration's costs. Raises `PlanError` for one that does not fit the network."""
    return Evaluator(problem)(configuration)
