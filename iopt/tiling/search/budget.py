"""How large a search's tables are, and how large they may be: refused before anything is allocated."""

from __future__ import annotations

from iopt.errors import OptionError
from iopt.tiling.problem import Problem

MOST_BYTES = 2**30
"""Of all tables of a search at once; it is then done within about half a minute, or a few for a hundred layers."""

SWEEP_ARRAYS, TABLE_ARRAYS = 29, 14
"""Arrays that a sweep has per last segment and tile, besides one for every layer of the segment that it goes over, and
that shortest paths have per group and tiling; measured, rounded up. All are of eight bytes."""

ORDER_ARRAYS = 15
"""Arrays that the orders of the tiles with and without reuse have per tile, once for all segments."""

SIDE_ARRAYS = 10
"""Arrays for every layer of a segment per last segment and interval: both sides of a map, and what is read of it."""


def table_bytes(segments: int, widest: int, max_tiles: int) -> int:
    """What the search allocates at most for all N x M up to `max_tiles`, with and without reuse: an estimate. `widest`:
    layers of the segment that has most."""
    intervals = max_tiles * (max_tiles + 1) // 2
    sweep = (SWEEP_ARRAYS + widest) * intervals**2 + SIDE_ARRAYS * widest * intervals
    return 8 * (segments * (sweep + TABLE_ARRAYS * 2 * segments * max_tiles**2) + ORDER_ARRAYS * intervals**2)


def check_budget(problem: Problem) -> None:
    """Raise `OptionError` where the tables would be larger than `MOST_BYTES`."""
    segments, most = len(problem.segments), problem.max_tiles
    widest = max(segment.last - segment.first + 1 for segment in problem.segments)
    size = table_bytes(segments, widest, most)
    if size <= MOST_BYTES:
        return
    fits = next((n for n in range(most - 1, 0, -1) if table_bytes(segments, widest, n) <= MOST_BYTES), None)
    expected = f"{fits} or less" if fits else "a network of fewer layers"
    raise OptionError(
        f"max_tiles is {most}: all tilings of {len(problem.layers)} layers take {size / 2**30:.1f} GiB to search, "
        f"limit {MOST_BYTES / 2**30:g} GiB; expected {expected}"
    )
