"""What is too large is refused in one line, before it is allocated, and the estimate of its size is true."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from iopt.errors import OptionError, PlanError
from iopt.result import Result, Status
from iopt.tiling import Configuration, Group, Problem, evaluate, files, front, parse, regions, solve
from iopt.tiling.fitting import MOST_STEPS
from iopt.tiling.grids import Grid, bounds, finest
from iopt.tiling.layers import layers_of
from iopt.tiling.search.budget import MOST_BYTES, table_bytes
from iopt.tiling.search.exact import exact
from iopt.tiling.tiles import group_tiles
from tests import instances
from tests.instances import conv
from tests.tiling.networks import yolov2_16

DEEP = instances.chain("deep", (3, 512, 512), [conv(4, 3, padding=1)] * 4)


@pytest.mark.parametrize(("layers", "most"), [(16, 8), (16, 12), (60, 6)])
def test_the_estimate_of_the_tables(layers: int, most: int) -> None:
    graph = yolov2_16() if layers == 16 else instances.chain("many", (3, 40, 40), [conv(4, 3, padding=1)] * layers)
    problem = Problem(graph, max_tiles=most)
    regions.order.cache_clear()
    tracemalloc.start()
    exact(problem)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 0.3 < peak / table_bytes(layers, most) < 1


@pytest.mark.parametrize("method", ["exact", "milp", "deepthings"])
def test_more_tilings_than_can_be_searched(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def allocated(*_: object) -> None:
        raise AssertionError("nothing may be allocated")

    monkeypatch.setattr(np, "full", allocated)
    with pytest.raises(OptionError) as caught:
        solve(Problem(yolov2_16(), max_tiles=64), method)
    assert str(caught.value) == (
        "max_tiles is 64: all tilings of 16 layers take 15.7 GiB to search, limit 1 GiB; expected 31 or less"
    )
    with pytest.raises(OptionError, match="expected 31 or less"):
        front(Problem(yolov2_16(), max_tiles=33))


def test_the_largest_that_is_taken() -> None:
    assert table_bytes(16, 31) <= MOST_BYTES < table_bytes(16, 32)
    assert table_bytes(128, 14) <= MOST_BYTES < table_bytes(128, 15)


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
    for cached in (regions.cut, regions.order, regions.side_neighbours):
        assert cached.cache_info().maxsize is not None
    assert MOST_STEPS > 64 * 64 * 4
