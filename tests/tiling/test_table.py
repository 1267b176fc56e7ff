"""The table of all groups against the evaluator, group by group: two computations of the same values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from iopt.errors import PlanError
from iopt.tiling.admissible import check_tiling
from iopt.tiling.evaluation import Evaluator
from iopt.tiling.plan import Configuration, Group
from iopt.tiling.problem import Problem
from iopt.tiling.search.sweep import NEVER
from iopt.tiling.search.table import build
from tests.tiling.branches import branched
from tests.tiling.networks import drawn, with_host, yolov2_16

CONVENTIONS: list[dict[str, Any]] = [
    {"predictor": "lean", "weights": "none", "reuse": True},
    {"predictor": "lean", "weights": "resident", "backend": "im2col", "grid": "ceil"},
    {"predictor": "torch", "weights": "streamed", "backend": "im2col", "grid": "ceil", "reuse": True},
    {"predictor": "bound", "backend": "im2col", "crop": "rim"},
    {"predictor": "mafat", "bias_bytes": 1000, "weights": "streamed", "grid": "ceil", "reuse": True},
    {"predictor": "plain11", "weights": "none", "crop": "rim"},
]


def assert_equal(problem: Problem) -> tuple[int, int]:
    """Groups compared, and among them those with strips."""
    table, judge = build(problem), Evaluator(problem)
    seconds = table.seconds
    assert seconds is not None
    seen = strips = 0
    for first in range(len(table.segments)):
        for last in range(first, len(table.segments)):
            for option in range(len(table.options)):
                group, at = table.group(first, last, option), (first, last, option)
                try:
                    if group.is_tiled:
                        check_tiling(problem, group, "")
                except PlanError:
                    assert table.peak[at] == NEVER
                    continue
                cost = judge._cost(group)
                assert (table.peak[at], table.macs[at], seconds[at]) == (cost.peak_bytes, cost.macs, cost.latency_s)
                seen, strips = seen + 1, strips + (cost.strips_bytes > 0)
    return seen, strips


@pytest.mark.parametrize("options", CONVENTIONS, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("has_branches", [False, True])
def test_table_and_evaluator_agree_on_every_group(options: dict[str, Any], has_branches: bool) -> None:
    seen = strips = 0
    for seed in range(12 if has_branches else 8):
        graph = branched(seed, most=16) if has_branches else drawn(seed, most=16)
        problem = with_host(Problem(graph, max_tiles=4, **options), seed)
        counts = assert_equal(problem)
        seen, strips = seen + counts[0], strips + counts[1]
    assert seen > (50 if has_branches else 200)
    assert (strips > 20) == (options.get("crop") != "rim" and not has_branches)


@pytest.mark.parametrize("options", CONVENTIONS, ids=lambda options: "-".join(map(str, options.values())))
def test_table_and_evaluator_agree_where_outputs_are_of_padding_alone(options: dict[str, Any]) -> None:
    for seed in range(6):
        assert_equal(with_host(Problem(drawn(seed, most=16, surplus=5), max_tiles=4, **options), seed))


@pytest.mark.full
@pytest.mark.parametrize("options", CONVENTIONS, ids=lambda options: "-".join(map(str, options.values())))
@pytest.mark.parametrize("draw", [drawn, branched])
@pytest.mark.parametrize("start", range(100, 400, 50))
def test_table_and_evaluator_agree_on_many_groups(options: dict[str, Any], start: int, draw: Any) -> None:
    for seed in range(start, start + 50):
        assert_equal(with_host(Problem(draw(seed, most=20), max_tiles=6, **options), seed))


def test_no_group_ends_before_it_begins() -> None:
    table = build(Problem(drawn(0, most_layers=4)))
    below = np.tril_indices(len(table.segments), -1)
    assert (table.peak[below] == NEVER).all()


def test_options_come_by_their_number_of_tiles() -> None:
    table = build(Problem(yolov2_16(), max_tiles=3, reuse=True))
    counts = [rows * columns for rows, columns, _ in table.options]
    assert counts == sorted(counts)
    assert len(table.options) == 9 + 8
    assert table.options[0] == (1, 1, "none")


def test_costs_of_a_configuration() -> None:
    problem = Problem(yolov2_16(), reuse=True)
    table, judge = build(problem), Evaluator(problem)
    configuration = Configuration((Group(0, 3, 2, 5, "checkerboard"), Group(4, 11, 1, 4), Group(12, 15)))
    cost = judge(configuration)
    assert table.costs(configuration) == (cost.peak_bytes, cost.macs, None)
    finer = replace(problem, graph=drawn(1))
    too_fine = Configuration((Group(0, len(finer.layers) - 1, 8, 8),))
    assert build(finer).costs(too_fine)[0] == NEVER
