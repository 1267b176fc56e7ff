"""Poolings of maps and tiles: torch's own, and one that allocates nothing but its output."""

from __future__ import annotations

import torch
from torch.nn import functional

from iopt.graph.layers import Pool, Window
from iopt.tiling.executor import maps, positions
from iopt.tiling.layers import Layer
from iopt.tiling.tiles import Padding, Region, Span, TileStep


class Divisors:
    """1 / cells of the windows of an average pooling, as factors along rows and columns, by PyTorch's rules."""

    def __init__(self, layer: Layer) -> None:
        pool, window = layer.body, layer.window
        assert isinstance(pool, Pool)
        assert window is not None
        factors = [self._side(layer, pool, window, side) for side in (0, 1)]
        self.rows, self.columns = factors[0].reshape(1, 1, -1, 1), factors[1].reshape(1, 1, 1, -1)

    def divide(self, sums: torch.Tensor, region: Region) -> torch.Tensor:
        """Sums over the windows of a region of the output to averages, in place."""
        sums.mul_(self.rows[:, :, region.rows.lo : region.rows.hi])
        return sums.mul_(self.columns[:, :, :, region.columns.lo : region.columns.hi])

    def _side(self, layer: Layer, pool: Pool, window: Window, side: int) -> torch.Tensor:
        size, count = layer.input[side + 1], layer.output[side + 1]
        if pool.divisor_override is not None:
            return torch.full((count,), 1 / pool.divisor_override if side == 0 else 1.0)
        lo = torch.arange(count) * window.stride[side] - window.padding[side]
        hi = (lo + window.kernel[side]).clamp(max=size + window.padding[side])
        cells = hi - lo if pool.count_include_pad else hi.clamp(max=size) - lo.clamp(min=0)
        return 1 / cells.float()


class PlainPool:
    """torch's poolings: padding by a copy, and for the maximum an index (int64) per output element."""

    def __init__(self, layer: Layer) -> None:
        assert isinstance(layer.body, Pool)
        self.layer, self.pool = layer, layer.body
        self.divisors = Divisors(layer) if layer.kind == "average" and not layer.whole else None

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        return whole_pool(self.layer, tensor)

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        value = 0.0 if self.divisors else -torch.inf
        return maps.padded(tile, step.padding, value) if any(step.padding) else maps.dense(tile)

    def tile(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        window = self.layer.window
        assert window is not None
        if self.divisors is None:
            return functional.max_pool2d(tile, window.kernel, window.stride, 0, window.dilation)
        sums = functional.avg_pool2d(tile, window.kernel, window.stride, divisor_override=1)
        return self.divisors.divide(sums, step.computes)


class RunningPool:
    """The maximum or the sum over the views that a window's positions give; positions outside the map are skipped."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.window = layer, layer.window
        self.divisors = Divisors(layer) if layer.kind == "average" and not layer.whole else None
        _, rows, columns = layer.output
        self._whole = Region(Span(0, rows), Span(0, columns))
        padding = (0, 0) if self.window is None else self.window.padding
        self._padding = Padding(padding[0], 0, padding[1], 0)

    def whole(self, tensor: torch.Tensor) -> torch.Tensor:
        if self.layer.kind == "average" and self.layer.whole:
            return whole_pool(self.layer, tensor)
        if self.window is None:
            return _adaptive_maximum(tensor, self.layer.output.height, self.layer.output.width)
        return self._pooled(tensor, self._padding, self._whole)

    def ready(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        return tile

    def tile(self, tile: torch.Tensor, step: TileStep) -> torch.Tensor:
        return self._pooled(tile, step.padding, step.computes)

    def _pooled(self, tile: torch.Tensor, padding: Padding, region: Region) -> torch.Tensor:
        output = maps.empty(tile.shape[1], region.rows.size, region.columns.size)
        output.fill_(0.0 if self.divisors else -torch.inf)
        assert self.window is not None
        for _, _, written, read in positions.views(self.window, tile, output, (padding.top, padding.left)):
            if self.divisors is None:
                torch.maximum(written, read, out=written)
            else:
                written.add_(read)
        return output if self.divisors is None else self.divisors.divide(output, region)


def whole_pool(layer: Layer, tensor: torch.Tensor) -> torch.Tensor:
    """torch's pooling of a whole map."""
    pool, size = layer.body, (layer.output.height, layer.output.width)
    assert isinstance(pool, Pool)
    window = pool.window
    if window is None:
        if pool.reduce == "max":
            return functional.adaptive_max_pool2d(tensor, size)
        if size == (1, 1):  # where the adaptive one makes small tensors besides
            return functional.avg_pool2d(tensor, tensor.shape[2:])
        return functional.adaptive_avg_pool2d(tensor, size)
    if pool.reduce == "max":
        return functional.max_pool2d(
            tensor, window.kernel, window.stride, window.padding, window.dilation, pool.ceil_mode
        )
    return functional.avg_pool2d(
        tensor,
        window.kernel,
        window.stride,
        window.padding,
        pool.ceil_mode,
        pool.count_include_pad,
        pool.divisor_override,
    )


def _adaptive_maximum(tensor: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Cell (i, j) of the output is the maximum over rows floor(i H / h) ... ceil((i + 1) H / h), columns likewise."""
    output = maps.empty(tensor.shape[1], height, width)
    rows, columns = tensor.shape[2:]
    for i in range(height):
        band = tensor[:, :, i * rows // height : -(-(i + 1) * rows // height)]
        for j in range(width):
            cell = band[..., j * columns // width : -(-(j + 1) * columns // width)]
            torch.amax(cell, dim=(2, 3), out=output[:, :, i, j])
    return output
