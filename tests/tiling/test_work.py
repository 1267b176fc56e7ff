"""How much work a search does, counted: tables that are built, and Python calls by size. Seconds against their targets
are in `experiments/tiling_benchmark.py`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from iopt.graph import Graph
from iopt.tiling import Group, Problem, fronts, methods, solve
from iopt.tiling.layers import layers_of
from iopt.tiling.search import exact
from iopt.tiling.search.paths import Paths
from iopt.tiling.tiles import group_tiles
from tests.instances import chain, conv
from tests.tiling.networks import MIB, yolov2_16


def chain_of(layers: int, size: int = 32) -> Graph:
    return chain("deep", (3, size, size), [conv(4, 3, padding=1)] * layers)


def calls(work: Callable[[], object]) -> int:
    """Calls of Python functions, the same each time."""
    found = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal found
        found += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def test_a_front_of_any_length_is_one_table_and_a_path_per_point(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Problem] = []
    build = fronts.build

    def counted(problem: Problem) -> object:
        built.append(problem)
        return build(problem)

    paths: list[int] = []
    path = Paths.path

    def sought(self: Paths, limit: int) -> object:
        paths.append(limit)
        return path(self, limit)

    for module in (fronts, exact, methods):
        monkeypatch.setattr(module, "build", counted)
    monkeypatch.setattr(Paths, "path", sought)
    found = fronts.front(Problem(yolov2_16()))
    assert (len(built), len(paths)) == (1, len(found.points) + 1)
    assert len(found.points) > 20
    built.clear()
    solve(Problem(yolov2_16(), 20 * MIB))
    assert len(built) == 1


@pytest.mark.parametrize("reuse", [False, True])
def test_a_search_takes_steps_by_layer_whatever_the_tilings(reuse: bool) -> None:
    """All groups that end anywhere, under all tilings, are passed at once."""

    def count(layers: int, tiles: int) -> int:
        problem = Problem(chain_of(layers), max_tiles=tiles, reuse=reuse)
        solve(problem)
        return calls(lambda: solve(problem))

    short = count(16, 4)
    assert count(32, 4) < 2.5 * short
    assert count(16, 8) < 1.5 * short


def test_strips_take_work_by_tile() -> None:
    layers = layers_of(chain_of(4, 64))

    def count(side: int) -> int:
        return calls(lambda: group_tiles(layers, Group(0, 3, side, side, "checkerboard"), "balanced"))

    count(4)
    few = count(8)
    assert few > 64
    assert count(16) < 4.5 * few
    assert count(32) < 18 * few
