"""How large a search's tables are, and how large they may be: refused before anything is allocated."""

from __future__ import annotations

from iopt.errors import OptionError
from iopt.tiling.problem import Problem

MOST_BYTES = 2**30
"""Of all tables of a search at once; it is then done within about half a minute, or a few for a hundred layers."""

SWEEP_ARRAYS, TABLE_ARRAYS = 30, 14
"""Arrays that a sweep has per last layer and tile, and the shortest paths per group and tiling; measured, rounded up.
All are of eight bytes."""


def table_bytes(layers: int, max_tiles: int) -> int:
    """What the search allocates at most for all N x M up to `max_tiles`, with and without reuse: an estimate."""
    tiles = (max_tiles * (max_tiles + 1) // 2) ** 2
    return 8 * layers * (SWEEP_ARRAYS * tiles + TABLE_ARRAYS * 2 * layers * max_tiles**2)


def check_budget(problem: Problem) -> None:
    """Raise `OptionError` where the tables would be larger than `MOST_BYTES`."""
    layers, most = len(problem.layers), problem.max_tiles
    size = table_bytes(layers, most)
    if size <= MOST_BYTES:
        return
    fits = next((n for n in range(most - 1, 0, -1) if table_bytes(layers, n) <= MOST_BYTES), None)
    expected = f"{fits} or less" if fits else "a network of fewer layers"
    raise OptionError(
        f"max_tiles is {most}: all tilings of {layers} layers take {size / 2**30:.1f} GiB to search, "
        f"limit {MOST_BYTES / 2**30:g} GiB; expected {expected}"
    )
