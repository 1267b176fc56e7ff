"""The arithmetic under the inequalities, against brute force over windows of every kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from formulations.partition_data import AffineMap, Mode, PartitionData
from formulations.partition_windows import always_overlap, interval, makespan, union
from iopt.graph.layers import Window
from iopt.partition.milp_data import affine

Rows = tuple[tuple[int, int], ...]
"""What each output row needs, as half-open intervals."""


def windows(height: int) -> Iterator[tuple[Window, bool]]:
    """Windows that fit a map of `height` rows, with and without ceil mode."""
    for kernel, stride, dilation in itertools.product((1, 2, 3, 5), (1, 2, 3), (1, 2)):
        reach = dilation * (kernel - 1) + 1
        for padding in range(min(reach, 3)):
            if height + 2 * padding >= reach:
                window = Window((kernel, 1), (stride, 1), (padding, 0), (dilation, 1))
                yield window, False
                yield window, True


def maps() -> dict[Rows, int]:
    """Row maps of a window, of an adaptive pooling and of a window behind either, with the height of what they read."""
    found: dict[Rows, int] = {}
    for height in range(1, 9):
        singles = [
            tuple(window.cells(0, row, row + 1, height) for row in range(window.positions(0, height, ceil_mode)))
            for window, ceil_mode in windows(height)
        ]
        singles += [
            tuple((row * height // outputs, -(-(row + 1) * height // outputs)) for row in range(outputs))
            for outputs in range(1, 2 * height)
        ]
        for first in set(singles):
            found[first] = height
            for window, ceil_mode in windows(len(first)):
                cells = [
                    window.cells(0, row, row + 1, len(first))
                    for row in range(window.positions(0, len(first), ceil_mode))
                ]
                found[tuple((first[lo][0], first[hi - 1][1]) for lo, hi in cells)] = height
    return {rows: height for rows, height in found.items() if rows and all(lo < hi for lo, hi in rows)}


MAPS = maps()


def shares(size: int, devices: int) -> Iterator[list[tuple[int, int]]]:
    for cuts in itertools.combinations(range(1, size), devices - 1):
        yield list(itertools.pairwise((0, *cuts, size)))


def test_there_are_many_maps_with_gaps_and_with_uneven_corrections() -> None:
    gaps = [rows for rows in MAPS if any(one[1] < two[0] for one, two in itertools.pairwise(rows))]
    assert len(MAPS) > 1_000
    assert len(gaps) > 50


def test_affine_maps_are_exact() -> None:
    for rows in MAPS:
        fitted = affine(np.array([lo for lo, _ in rows]), np.array([hi for _, hi in rows]))
        for lo, hi in itertools.combinations(range(len(rows) + 1), 2):
            assert interval(fitted, lo, hi) == (rows[lo][0], rows[hi - 1][1])
        assert min([*fitted.start.values(), *fitted.end.values()], default=0) >= 0


def test_union_is_what_every_way_to_share_needs_at_least() -> None:
    for rows in MAPS:
        fitted = affine(np.array([lo for lo, _ in rows]), np.array([hi for _, hi in rows]))
        least = min(
            sum(rows[hi - 1][1] - rows[lo][0] for lo, hi in split)
            for devices in range(1, min(len(rows), 4) + 1)
            for split in shares(len(rows), devices)
        )
        assert union(fitted, len(rows)) <= least


def test_always_overlap_is_exact() -> None:
    for rows in MAPS:
        fitted = affine(np.array([lo for lo, _ in rows]), np.array([hi for _, hi in rows]))
        overlapping = all(one[1] > two[0] for one, two in itertools.pairwise(rows))
        assert always_overlap(fitted, len(rows)) is overlapping


@pytest.mark.parametrize("overhead", [(0.0, 0.0, 0.0), (0.5, 0.0, 2.0)])
def test_makespan_is_that_of_the_best_devices(overhead: tuple[float, ...]) -> None:
    speeds = (1.0, 0.4, 0.25)
    zeros = (0.0,) * 3
    for size, work in itertools.product(range(1, 7), (AffineMap(1), AffineMap(2, 1, 1, {0: 1}, {6: 1}))):
        mode = Mode(size, speeds, work, zeros, zeros, zeros, zeros, "rows", work, work)
        data = PartitionData((), (), overhead, zeros, zeros, None, 0.0, False, 0, 0, (), ())
        for count in range(1, 4):
            times = [
                max(
                    overhead[device] + speeds[device] * (interval(work, lo, hi)[1] - interval(work, lo, hi)[0])
                    for device, (lo, hi) in zip(chosen, split, strict=True)
                )
                for chosen in itertools.combinations(range(3), count)
                for split in shares(size, count)
            ]
            bound = makespan(data, mode, count)
            assert (bound is None) is (not times)
            if bound is not None:
                assert bound <= min(times) + 1e-9
                if not work.start:
                    assert bound == pytest.approx(min(times), rel=1e-7)
