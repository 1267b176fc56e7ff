"""How a map is cut into tiles along one side."""

from __future__ import annotations

from typing import Literal

Grid = Literal["balanced", "ceil"]


def bounds(size: int, count: int, grid: Grid) -> list[int] | None:
    """`count + 1` borders of the tiles of `size` cells; tile j is [j, j + 1). None where a tile would be empty.

    `balanced`: border j at `size * j // count`; `ceil`: tiles of `ceil(size / count)` and a smaller last one, as the
    code of DeepThings' authors cuts.
    """
    if count > size:
        return None
    if grid == "balanced":
        return [size * j // count for j in range(count + 1)]
    step = -(-size // count)
    borders = [min(step * j, size) for j in range(count + 1)]
    return borders if borders[-2] < size else None


def finest(size: int, count: int, grid: Grid) -> int:
    """The largest number of tiles, `count` at most, that leaves none of them empty."""
    most = min(size, count)
    return most if grid == "balanced" else -(-size // -(-size // most))
