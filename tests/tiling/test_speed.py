"""How fast the search is, with room: three times what is aimed at, in processor time, in the best of three runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache

import pytest

from iopt import zoo
from iopt.tiling import Group, Problem, front, solve
from iopt.tiling.layers import layers_of
from iopt.tiling.tiles import group_tiles
from tests import instances
from tests.instances import conv
from tests.tiling.networks import MIB, yolov2_16

ROOM, RUNS = 3, 3


def deep(layers: int, size: int = 64) -> Problem:
    return Problem(instances.chain("deep", (3, size, size), [conv(4, 3, padding=1)] * layers))


@cache
def imported(name: str) -> Problem:
    return Problem(zoo.graph(name))


CASES: dict[str, tuple[float, Callable[[], object]]] = {
    "an exact query with its table": (0.2, lambda: solve(Problem(yolov2_16(), 20 * MIB))),
    "the whole front": (0.5, lambda: front(Problem(yolov2_16()))),
    "vgg19": (2, lambda: solve(imported("vgg19"))),
    "yolov2, all of it": (2, lambda: solve(imported("yolov2"))),
    "128 layers": (5, lambda: solve(deep(128))),
    "strips of 64 x 64 tiles": (
        *(2, lambda: group_tiles(layers_of(deep(4, 256).graph), Group(0, 3, 64, 64, "checkerboard"), "balanced")),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_seconds(name: str) -> None:
    aim_s, call = CASES[name]
    if name.partition(",")[0] in zoo.ENTRIES:
        imported(name.partition(",")[0])  # does not count
    taken: list[float] = []
    while len(taken) < RUNS and not (taken and min(taken) < ROOM * aim_s):
        began = time.process_time()
        call()
        taken.append(time.process_time() - began)
    assert min(taken) < ROOM * aim_s, f"{taken} s"
