"""A configuration, really carried out: group after group, tile after tile, layer after layer.

The order of allocations is that whose peak `iopt.tiling.predictors` states: a layer copies its tile where it must,
drops the tile unless a later layer reads it, computes and drops what no later one reads; strips are cut out of the
result, and freed once they are put together. Weights and the caller's own input are not counted; the executor works on
a copy of that input, with channels last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import torch

from iopt.door.given import check_choice, check_kind
from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.importer.precision import in_full_precision
from iopt.tiling.admissible import check
from iopt.tiling.executor import maps
from iopt.tiling.executor.kernels import Executor, Kernel, load
from iopt.tiling.executor.weights import check_state
from iopt.tiling.grids import Grid
from iopt.tiling.layers import SOURCE, Layer
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem
from iopt.tiling.tiles import Region, Strip, Tile, TileStep, group_tiles

Strips = dict[tuple[int, Strip], torch.Tensor]
"""The strips alive, by the layer that wrote them."""
Maps = dict[int, torch.Tensor]
"""The whole maps alive, by the layer that wrote them."""
HeldMaps = dict[int, tuple[torch.Tensor, Region]]
"""The same of a tile: of each map a region."""


class Runtime:
    """A network with its weights, ready to run as a configuration says.

    `state`: weights by the names in the graph, as of `module.state_dict()`; `executor`: `lean` or `torch`. `like`: of
    the same network, to share the weights of linear layers with. Raises `PlanError` for a configuration of another
    network, `ModelError` where a weight is missing, or has another shape or type, `OptionError` for another executor or
    grid.
    """

    def __init__(
        self,
        graph: Graph,
        configuration: Configuration,
        state: Mapping[str, torch.Tensor],
        executor: Executor = "lean",
        grid: Grid = "balanced",
        like: Runtime | None = None,
    ) -> None:
        check_choice(executor, get_args(Executor), "executor")
        problem = Problem(graph, predictor=executor, grid=grid)
        check(problem, configuration)
        self.graph, self.configuration, self.executor = graph, configuration, executor
        self.layers = problem.layers
        check_state(graph, state)
        if like is not None:
            check_kind(like, Runtime, "like")
            if like.layers != self.layers:
                raise ModelError(f"like is a runtime of {like.graph.name!r}; expected one of {graph.name!r}")
        self._tiles = {group: group_tiles(self.layers, group, grid) for group in configuration.groups if group.is_tiled}
        loaded = () if like is None else like.kernels
        with torch.inference_mode(), in_full_precision():
            self.kernels: tuple[Kernel, ...] = load(self.layers, state, executor, self._sizes(), loaded)

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        """The output, 1 x channels x height x width (a vector of F features is 1 x F x 1 x 1), channels last.

        `image`: 1 x channels x height x width in fp32, in any memory format. Raises `ModelError` for another shape.
        """
        check_input(self.graph, image)
        with torch.inference_mode(), in_full_precision():
            whole = {SOURCE: maps.copied(image)}
            held = whole[SOURCE] if self.executor == "torch" else None
            for group in self.configuration.groups:
                if group.is_tiled:
                    whole = {group.last: self._tiled(group, whole[group.first - 1])}
                else:
                    self._untiled(group, whole)
            del held
            return whole[len(self.layers) - 1]

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all calls so far, by the shapes of what was computed."""
        return sum(kernel.macs for kernel in self.kernels)

    def _sizes(self) -> list[tuple[int, int]]:
        """Rows and columns of the largest input of each layer."""
        sizes = [(layer.input.height, layer.input.width) for layer in self.layers]
        for group, tiles in self._tiles.items():
            for index in range(group.first, group.last + 1):
                steps = [tile.steps[index - group.first] for tile in tiles]
                padded = [
                    (step.reads.rows.size + sum(step.padding[:2]), step.reads.columns.size + sum(step.padding[2:]))
                    for step in steps
                    if step.computes.cells
                ]
                sizes[index] = max(padded, key=lambda size: size[0] * size[1], default=sizes[index])
        return sizes

    def _untiled(self, group: Group, whole: Maps) -> None:
        """Layer by layer; each frees the maps that no later one reads."""
        for kernel in self.kernels[group.first : group.last + 1]:
            layer = kernel.layer
            whole[layer.index] = kernel.whole([whole[name] for name in layer.inputs])
            for name in layer.frees:
                del whole[name]

    def _tiled(self, group: Group, source: torch.Tensor) -> torch.Tensor:
        """The output map of a tiled group."""
        target = maps.empty(*self.layers[group.last].output)
        strips: Strips = {}
        kernels = self.kernels[group.first : group.last + 1]
        for tile in self._tiles[group]:
            maps.part(target, tile.steps[-1].computes).copy_(_run(tile, kernels, source, strips))
        return target


def check_input(graph: Graph, image: torch.Tensor) -> None:
    """Raise `ModelError` for a tensor of another shape or type than the network reads."""
    check_kind(image, torch.Tensor, "input")
    if image.shape != (1, *graph.input_shape) or image.dtype != torch.float32:
        size = "x".join(map(str, image.shape))
        raise ModelError(f"the input is {size} in {image.dtype}; expected 1x{graph.input_shape} in fp32")


def _run(tile: Tile, kernels: tuple[Kernel, ...], source: torch.Tensor, strips: Strips) -> torch.Tensor:
    """What a tile computes at its last layer."""
    held: HeldMaps = {}
    for step, kernel in zip(tile.steps, kernels, strict=True):
        _advance(step, kernel, source, held, strips)
    return held[tile.steps[-1].layer][0]


def _advance(step: TileStep, kernel: Kernel, source: torch.Tensor, held: HeldMaps, strips: Strips) -> None:
    """One layer of a tile. When it computes, `held` has what later layers read, and its views what it reads itself."""
    views = [_view(name, step, kernel.layer, source, held) for name in kernel.layer.inputs]
    for name in kernel.layer.frees:
        held.pop(name, None)
    current = kernel.tile(views, step) if step.computes.cells else None
    views.clear()
    for strip in step.kept:
        assert current is not None
        strips[step.layer, strip] = maps.copied(maps.part(current, strip.region, step.computes))
    if step.taken:
        current = _assembled(step, current, strips)
    if current is not None:
        held[step.layer] = current, step.holds


def _view(name: int, step: TileStep, layer: Layer, source: torch.Tensor, held: HeldMaps) -> torch.Tensor:
    """What a step reads of a map, of which the tile holds a part, or which its group reads."""
    if not step.reads.cells:
        return maps.empty(layer.input.channels, step.reads.rows.size, step.reads.columns.size)
    if name not in held:
        return maps.part(source, step.reads)
    tensor, region = held[name]
    return maps.part(tensor, step.reads, region)


def _assembled(step: TileStep, own: torch.Tensor | None, strips: Strips) -> torch.Tensor:
    """What the tile holds: its own part and the strips of its neighbours, which are freed."""
    parts = [(strip.region, strips.pop((step.layer, strip))) for strip in step.taken]
    if own is not None:
        parts.append((step.computes, own))
    held = maps.empty(parts[0][1].shape[1], step.holds.rows.size, step.holds.columns.size)
    for region, part in parts:
        maps.part(held, region, step.holds).copy_(part)
    return held
