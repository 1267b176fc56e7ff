"""Values of the linear relaxation, pinned: a weaker formulation is a regression even while its optimum stays right."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from formulations import tiling
from iopt.exact import Solver
from iopt.tiling.methods import solve
from iopt.tiling.milp_data import tiling_data
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import build
from tests.tiling.mutants import data_of, optimum
from tests.tiling.networks import MIB, yolov2_16

PLAIN: dict[str, Any] = {"predictor": "torch", "weights": "none", "max_tiles": 5, "reuse": False}
INSTANCES = {
    "least work, 16 MiB": Problem(yolov2_16(), memory_bytes=16 * MIB, **PLAIN),
    "least memory, 1.02": Problem(yolov2_16(), objective="memory", overhead=1.02, **PLAIN),
    "least memory, 1.3": Problem(yolov2_16(), objective="memory", overhead=1.3, **PLAIN),
}


@cache
def relaxed(name: str, reduce: bool) -> float:
    """In multiply-accumulates or bytes."""
    problem = INSTANCES[name]
    data, scale = tiling_data(problem, build(problem), reduce)
    is_memory = problem.objective == "memory"
    value = Solver(tiling.build(data, "peak" if is_memory else "work")).relaxation()
    return value * (scale.peak if is_memory else scale.work)


PINNED = [
    ("least work, 16 MiB", 13_027_742_412.635, 13_113_659_392, 13_113_659_392),
    ("least memory, 1.02", 14_013_769.4238, 14_013_769.4238, 14_225_408),
    ("least memory, 1.3", 11_783_680, 11_783_680, 11_783_680),
]


@pytest.mark.parametrize(("name", "every", "reduced", "best"), PINNED)
def test_relaxation(name: str, every: float, reduced: float, best: float) -> None:
    assert relaxed(name, False) == pytest.approx(every, rel=1e-6)
    assert relaxed(name, True) == pytest.approx(reduced, rel=1e-6)
    assert solve(INSTANCES[name]).objective == best
    assert every <= reduced * (1 + 1e-9) <= best * (1 + 2e-9)


def test_after_the_memory_filter_least_work_has_no_gap() -> None:
    assert relaxed("least work, 16 MiB", True) == pytest.approx(solve(INSTANCES["least work, 16 MiB"]).objective, 1e-9)


def test_no_relaxation_passes_the_optimum() -> None:
    below = 0
    for seed in range(16):
        data, _, objective = data_of(seed)
        value, best = Solver(tiling.build(data, objective)).relaxation(), optimum(data, objective)
        assert value <= best * (1 + 1e-8)
        below += value < best * (1 - 1e-6)
    assert below > 2
