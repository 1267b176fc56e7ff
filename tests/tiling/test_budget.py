"""What is too large is refused in one line, before it is allocated, and the estimate of its size is true."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from iopt.errors import OptionError, PlanError
from iopt.graph import Graph
from iopt.graph.layers import Concat
from iopt.result import Result, Status
from iopt.tiling import Configuration, Group, Problem, evaluate, files, front, parse, regions, solve
from iopt.tiling.admissible import MOST_STEPS
from iopt.tiling.grids import Grid, bounds, finest
from iopt.tiling.layers import layers_of
from iopt.tiling.search.budget import MOST_BYTES, check_budget, table_bytes
from iopt.tiling.search.exact import exact
from iopt.tiling.tiles import group_tiles
from tests import instances
from tests.instances import conv
from tests.tiling.branches import Drawing
from tests.tiling.networks import with_host, yolov2_16

DEEP = instances.chain("deep", (3, 512, 512), [conv(4, 3, padding=1)] * 4)

SHALLOW = instances.chain("shallow", (3, 64, 64), [conv(4, 3, padding=1)])


def dense(width: int, blocks: int) -> Graph:
    """Blocks in a row, in each of which every map stays alive until all are joined."""
    drawing = Drawing(Random(0), (4, 40, 40))
    value = drawing.input
    for _ in range(blocks):
        maps = [value]
        for _ in range(width):
            maps.append(drawing.add(conv(4, 3, padding=1), maps[-1]))
        value = drawing.add(conv(4, 1), drawing.join(Concat(), maps))
    return drawing.graph("dense")


SEARCHED = {
    "one layer": (SHALLOW, 12),
    "one layer, finer tiles": (SHALLOW, 20),
    "two layers": (instances.chain("two", (3, 64, 64), [conv(4, 3, padding=1)] * 2), 12),
    "chain": (yolov2_16(), 8),
    "finer tiles": (yolov2_16(), 12),
    "long chain": (instances.chain("long", (3, 40, 40), [conv(4, 3, padding=1)] * 60), 6),
    "small blocks": (dense(4, 12), 8),
    "large blocks": (dense(10, 4), 10),
    "one wide block": (dense(100, 1), 12),
}


@pytest.mark.parametrize("name", SEARCHED)
@pytest.mark.parametrize("has_host", [False, True])
def test_the_estimate_of_the_tables(name: str, has_host: bool) -> None:
    problem = Problem(SEARCHED[name][0], max_tiles=SEARCHED[name][1])
    problem = with_host(problem, 0) if has_host else problem
    regions.tile_order.cache_clear()
    tracemalloc.start()
    exact(problem)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    widest = max(segment.last - segment.first + 1 for segment in problem.segments)
    assert 0.3 < peak / table_bytes(len(problem.segments), widest, problem.max_tiles) < 1


def test_a_block_counts_with_all_its_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = Problem(dense(100, 1))
    size = table_bytes(2, 101, 8)
    monkeypatch.setattr("iopt.tiling.search.budget.MOST_BYTES", size)
    check_budget(wide)
    monkeypatch.setattr("iopt.tiling.search.budget.MOST_BYTES", size - 1)
    with pytest.raises(OptionError, match=r"all tilings of 102 layers take .* expected 7 or less"):
        check_budget(wide)


@pytest.mark.parametrize("method", ["exact", "milp", "deepthings"])
def test_more_tilings_than_can_be_searched(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocated(*_: object) -> None:
        raise AssertionError("nothing may be allocated")

    monkeypatch.setattr(np, "full", allocated)
    with pytest.raises(OptionError) as caught:
        solve(Problem(yolov2_16(), max_tiles=64), method)
    assert str(caught.value) == (
        "max_tiles is 64: all tilings of 16 layers take 16.2 GiB to search, limit 1 GiB; expected 31 or less"
    )
    with pytest.raises(OptionError, match="expected 31 or less"):
        front(Problem(yolov2_16(), max_tiles=33))


def test_the_largest_that_is_taken() -> None:
    assert table_bytes(16, 1, 31) <= MOST_BYTES < table_bytes(16, 1, 32)
    assert table_bytes(128, 1, 14) <= MOST_BYTES < table_bytes(128, 1, 15)


def test_a_network_of_too_many_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.tiling.search.budget.MOST_BYTES", 100)
    with pytest.raises(OptionError, match="expected a network of fewer layers"):
        solve(Problem(DEEP, max_tiles=1))


def test_a_configuration_of_too_many_tiles() -> None:
    problem, huge = Problem(instances.chain("big", (1, 6000, 6000), [conv(1, 3)] * 2)), parse("5000x5000/NoCut", 2)
    with pytest.raises(PlanError) as caught:
        evaluate(problem, huge)
    assert str(caught.value) == "the configuration has 50,000,000 layers times tiles; expected 250,000 or fewer"
    most = Configuration((Group(0, 0, 500, 500), Group(1, 1)))
    with pytest.raises(PlanError, match="has 250,001 layers times tiles"):
        evaluate(problem, most)


def test_files_of_too_many_tiles(tmp_path: Path) -> None:
    problem = Problem(DEEP)
    good = solve(replace(problem, max_tiles=2))
    path = tmp_path / "config.json"
    data = files.to_dict(problem, good)
    data["groups"] = [{"first": 0, "last": 3, "rows": 500, "columns": 500, "reuse": "checkerboard"}]
    with pytest.raises(PlanError, match=r"config\.json: groups: the configuration has 1,000,000 layers times tiles; "):
        files.from_data(data, "config.json")
    wide = Problem(yolov2_16(), max_tiles=64)
    plan = parse("1x1/NoCut", 16)
    macs = float(evaluate(wide, plan).macs)
    files.save(path, wide, Result("exact", Status.OPTIMAL, plan, macs, macs, 0.0))
    with pytest.raises(PlanError, match=r"config\.json: options: max_tiles is 64: all tilings of 16 layers take "):
        files.load(path)


def test_strips_cost_as_much_as_there_are_tiles() -> None:
    """16 times the tiles of a checkerboard took 250 times as long."""
    layers, seconds = layers_of(DEEP), []
    for count in (20, 80):
        began = time.process_time()
        tiles = group_tiles(layers, Group(0, 3, count, count, "checkerboard"), "balanced")
        seconds.append(time.process_time() - began)
        assert len(tiles) == count**2
    assert seconds[1] < 80 * seconds[0]


@pytest.mark.parametrize("grid", ["balanced", "ceil"])
def test_the_finest_grid(grid: Grid) -> None:
    for size in range(1, 25):
        for count in range(1, 30):
            admissible = [n for n in range(1, min(size, count) + 1) if bounds(size, n, grid) is not None]
            assert finest(size, count, grid) == max(admissible)


def test_no_cache_grows_without_end() -> None:
    for cached in (regions.cut, regions.tile_order, regions.side_neighbours):
        assert cached.cache_info().maxsize is not None
    assert MOST_STEPS > 64 * 64 * 4
