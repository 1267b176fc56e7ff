"""The golden values: YOLOv2's first 16 layers, configuration by configuration, and the least work under limits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from iopt.graph.layers import ELEMENT_BYTES
from iopt.tiling.evaluation import Evaluation, Evaluator
from iopt.tiling.heuristics.mafat import mafat, space
from iopt.tiling.heuristics.spaces import candidates
from iopt.tiling.layers import layers_of
from iopt.tiling.notation import parse
from iopt.tiling.plan import Group
from iopt.tiling.problem import Problem
from iopt.tiling.rim import rim_cells
from iopt.tiling.search.exact import exact, least_memory
from iopt.tiling.search.table import build
from iopt.tiling.tiles import group_tiles
from tests.tiling.networks import GOLDEN, MIB, yolov2_16

CONFIGURATIONS = [
    pytest.param(row["name"], grid, row if grid == "ceil" else row["balanced_grid"], id=f"{row['name']}-{grid}")
    for row in GOLDEN["configurations"]
    for grid in ("ceil", "balanced")
]
BACKENDS = {"im2col": "im2col", "implicit": "no_im2col"}
CROPS = {"rim": "rim", "exact": "exact_crop"}


@cache
def judge(
    predictor: str, grid: str, backend: str = "implicit", crop: str = "exact", weights: str = "none"
) -> Evaluator:
    bias = 0 if predictor == "mafat" else None
    options: dict[str, Any] = {"grid": grid, "backend": backend, "crop": crop, "weights": weights}
    return Evaluator(Problem(yolov2_16(), predictor=predictor, bias_bytes=bias, **options))


def costs(name: str, *options: str) -> Evaluation:
    return judge(*options)(parse(name, 16))


@pytest.mark.parametrize(("name", "grid", "row"), CONFIGURATIONS)
def test_peaks_and_work_without_maps(name: str, grid: str, row: dict[str, Any]) -> None:
    for backend, in_key in BACKENDS.items():
        for crop, crop_key in CROPS.items():
            evaluation = costs(name, "mafat", grid, backend, crop)
            assert evaluation.peak_bytes == row[f"peak_bytes_{in_key}_{crop_key}"]
            assert evaluation.macs == row[f"macs_{crop_key}"]
            assert round(evaluation.mac_factor, 6) == row[f"mac_factor_{crop_key}"]
            for cost, group in zip(evaluation.groups, row["groups"], strict=True):
                assert cost.group == Group(group["first"], group["last"], group["n"], group["m"])
                assert cost.peak_bytes == group[f"{crop}_{backend}"]


@pytest.mark.parametrize(("name", "grid", "row"), CONFIGURATIONS)
def test_peaks_with_maps_and_of_the_plain_executor(name: str, grid: str, row: dict[str, Any]) -> None:
    for backend, key in BACKENDS.items():
        assert costs(name, "bound", grid, backend).peak_bytes == row[f"live_bound_bytes_{key}"]
    assert costs(name, "torch", grid).peak_bytes == row["tensor_peak_bytes_torch"]


def test_there_are_thirteen_configurations_on_two_grids() -> None:
    assert len(CONFIGURATIONS) == 26
    assert GOLDEN["grid"].startswith("ceil")


@pytest.mark.parametrize("row", GOLDEN["tile_chains"], ids=lambda row: f"{row['group']}-{row['n']}x{row['m']}")
def test_bytes_of_the_tile_chains(row: dict[str, Any]) -> None:
    problem = judge("mafat", "ceil", "im2col").problem
    group = Group(*row["group"], row["n"], row["m"])
    (tile,) = [
        tile for tile in group_tiles(problem.layers, group, problem.grid) if [tile.row, tile.column] == row["tile"]
    ]
    rims = []
    for step, expected in zip(tile.steps, row["layers"], strict=True):
        layer = problem.layers[step.layer]
        inside = layer.input.channels * ELEMENT_BYTES * step.reads.cells
        per_cell = layer.output.channels * ELEMENT_BYTES + layer.column_bytes
        rim = rim_cells(layer, step.reads.rows.size, step.reads.columns.size)
        assert inside + per_cell * step.computes.cells == expected["exact_in_out_im2col_bytes"]
        rims.append(inside + per_cell * rim)
        assert rims[-1] == expected["rim_in_out_im2col_bytes"]
    assert max(rims) == row["max_rim_in_out_im2col_bytes"]


# What DeepThings published

PUBLISHED = [row["bytes"] if "bytes" in row else row["percent"] for row in GOLDEN["deepthings_published"]]


def test_published_footprints() -> None:
    untiled, three, five = (
        costs(name, "mafat", "ceil", "implicit", "rim", "resident").peak_bytes
        for name in ("1x1/NoCut", "3x3/NoCut", "5x5/NoCut")
    )
    assert [untiled, three, five] == PUBLISHED[:3]
    for peak, row in zip((three, five), GOLDEN["deepthings_published"][1:3], strict=True):
        assert round(100 * (1 - peak / untiled), 1) == row["reduction_percent"]
    for row in GOLDEN["deepthings_published"]:
        assert "mib" not in row or row["mib"] == round(row["bytes"] / MIB, 3)


@pytest.mark.parametrize(("count", "percent"), [(3, PUBLISHED[3]), (5, PUBLISHED[4])])
def test_published_mean_reduction_per_layer(count: int, percent: float) -> None:
    problem = judge("mafat", "ceil", "implicit", "rim").problem
    own = group_tiles(problem.layers, Group(0, 15, count, count), problem.grid)
    reductions = []
    for layer in problem.layers:
        steps = [tile.steps[layer.index] for tile in own]
        largest = max(
            ELEMENT_BYTES
            * (
                layer.input.channels * step.reads.cells
                + layer.output.channels * rim_cells(layer, step.reads.rows.size, step.reads.columns.size)
            )
            for step in steps
        )
        whole = layer.input.bytes + layer.output.bytes + layer.weight_bytes
        reductions.append(1 - (largest + layer.weight_bytes) / whole)
    assert round(100 * float(np.mean(reductions)), 1) == percent


@pytest.mark.parametrize(("count", "sent"), [(3, PUBLISHED[5]), (4, PUBLISHED[6]), (5, PUBLISHED[7])])
def test_published_communication(count: int, sent: int) -> None:
    problem = judge("mafat", "ceil").problem
    first, last = problem.layers[0], problem.layers[-1]
    inputs = sum(
        tile.steps[0].reads.cells for tile in group_tiles(problem.layers, Group(0, 15, count, count), problem.grid)
    )
    assert first.input.bytes + inputs * first.input.channels * ELEMENT_BYTES + last.output.bytes == sent


def test_published_workspace() -> None:
    layer = layers_of(yolov2_16())[8]
    assert layer.column_bytes * layer.output.height * layer.output.width == PUBLISHED[8]
    assert len(PUBLISHED) == 9


# Least work under limits

TABLES = GOLDEN["least_mac_factor_under_limit"]["tables"]


def table_id(table: dict[str, Any]) -> str:
    return f"{table['reading']}-{table['grid']}-{table['backend']}"


def limited(table: dict[str, Any], limit: int | None) -> Problem:
    return Problem(
        yolov2_16(),
        memory_bytes=limit,
        predictor=table["reading"],
        grid=table["grid"],
        backend=table["backend"],
        weights="none",
        reuse=False,
    )


def factor(macs: float | None) -> float | None:
    return None if macs is None else round(macs / GOLDEN["totals"]["macs"], 6)


@pytest.mark.parametrize("table", TABLES, ids=table_id)
def test_least_work_of_any_configuration(table: dict[str, Any]) -> None:
    every = build(limited(table, None))
    assert least_memory(limited(table, None), every).peak == table["least_live_bytes"]
    for row in table["rows"]:
        problem = limited(table, row["limit_mib"] * MIB)
        for most, key in ((None, "any_groups_any"), (6, "six_groups_any")):
            found = exact(problem, most, every)
            assert factor(None if found is None else found.weight) == row[key], (row["limit_mib"], key)
            assert found is None or most is None or len(found.configuration.groups) <= most


@pytest.mark.parametrize("table", TABLES, ids=table_id)
def test_least_work_of_two_groups_of_squares(table: dict[str, Any]) -> None:
    keys = {"free": "two_groups_squares_to_5_cuts_after_pools_bottom_free", "2x2": "two_groups_squares_bottom_2x2"}
    for bottom, key in keys.items():
        found = candidates(limited(table, None), space(limited(table, None), bottom), 5)
        for row in table["rows"]:
            within = [candidate.macs for candidate in found if candidate.peak_bytes <= row["limit_mib"] * MIB]
            assert factor(min(within, default=None)) == row[key], (row["limit_mib"], key)
            chosen = mafat(limited(table, row["limit_mib"] * MIB), bottom)
            assert (chosen is None) == (row[key] is None)


def test_the_tables_are_all_there() -> None:
    assert {table_id(table) for table in TABLES} == {
        f"{reading}-{grid}-{backend}"
        for reading in ("bound", "plain11", "torch")
        for grid in ("ceil", "balanced")
        for backend in ("im2col", "implicit")
    }
    assert all(len(table["rows"]) == 11 for table in TABLES)


def test_marks() -> None:
    """Plain executor, no weights: 16 MiB at 1.002 x the work at most, where squares need more; 10 MiB at 1.088."""
    problems = {
        limit: Problem(yolov2_16(), memory_bytes=limit * MIB, predictor="torch", weights="none", reuse=False)
        for limit in (10, 16)
    }
    found = {limit: exact(problem) for limit, problem in problems.items()}
    assert all(path is not None for path in found.values())
    assert found[16].weight / problems[16].macs <= 1.002
    assert found[10].weight / problems[10].macs <= 1.088
    assert mafat(problems[10], "free") is None
    bound = Problem(yolov2_16(), memory_bytes=16 * MIB, predictor="torch", weights="none")
    assert exact(bound).weight < found[16].weight
