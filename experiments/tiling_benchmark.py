"""How fast tilings are planned, against what is aimed at. `--quick` runs everything once and writes nothing."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from experiments import page
from experiments.clock import met, timed
from iopt import zoo
from iopt.graph import INPUT, Graph, Operator
from iopt.graph.layers import Conv2d, Shape, Window
from iopt.tiling import Group, Problem, front, solve
from iopt.tiling.layers import layers_of
from iopt.tiling.tiles import group_tiles

MIB = 2**20
ABOVE = """\
One thread, medians of {repeat}, tilings up to 8 x 8, reuse included, weights resident. The load of the machine was
{load:.1f} when this began: targets are held against the processor time, which is the wall time of a machine that has
nothing else to do. *Deep*: convolutions 3x3 of 4 channels in a row.

"""
HEADER = ("what", "wall s", "processor s", "target")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    repeat, load = 1 if is_quick else 5, os.getloadavg()[0]
    rows = [row(what, target_s, call, repeat) for what, (target_s, call) in cases().items()]
    text = ABOVE.format(repeat=repeat, load=load) + page.table(HEADER, [line(row) for row in rows])
    print(text)
    if not is_quick:
        print(page.write("tiling_benchmark", "Tiling: speed", text, {"load": load, "rows": rows}))


def cases() -> dict[str, tuple[float, Callable[[], object]]]:
    """Target in seconds, and what is timed; networks are imported before."""
    yolov2_16, vgg19, yolov2 = (Problem(zoo.graph(name)) for name in ("yolov2-16", "vgg19", "yolov2"))
    small, many, wide = deep(16), deep(128), layers_of(deep(4, 256).graph)
    tight = Problem(yolov2_16.graph, 20 * MIB)
    return {
        "exact, yolov2-16 within 20 MiB": (0.2, lambda: solve(tight)),
        "the whole front, yolov2-16": (0.5, lambda: front(yolov2_16)),
        "exact, vgg19": (2.0, lambda: solve(vgg19)),
        "exact, yolov2, all of it": (2.0, lambda: solve(yolov2)),
        "exact, deep, 16 layers": (0.2, lambda: solve(small)),
        "exact, deep, 128 layers": (5.0, lambda: solve(many)),
        "strips of 64 x 64 tiles, deep, 4 layers": (
            *(2.0, lambda: group_tiles(wide, Group(0, 3, 64, 64, "checkerboard"), "balanced")),
        ),
    }


def deep(layers: int, size: int = 64) -> Problem:
    shape, body = Shape(4, size, size), Conv2d("weight", Window((3, 3), padding=(1, 1)))
    names = [INPUT, *(f"op{index}" for index in range(layers))]
    operators = [Operator(name, body, (before,), (shape,), shape, shape) for before, name in pairwise(names)]
    return Problem(Graph("deep", shape, tuple(operators)))


def row(what: str, target_s: float, call: Callable[[], object], repeat: int) -> dict[str, Any]:
    found = timed(call, repeat)
    return {"what": what, "seconds": found.wall, "processor_s": found.processor, "target_s": target_s}


def line(row: dict[str, Any]) -> list[str]:
    times = (f"{row[key]:.3f}" for key in ("seconds", "processor_s"))
    return [row["what"], *times, met(row["processor_s"], row["target_s"], "s")]


if __name__ == "__main__":
    main()
