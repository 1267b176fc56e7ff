"""The two figures of docs/tiling.md: `python -m experiments.tiling_figures`.

Both are of YOLOv2's first 16 layers: where the tiles of a fused group overlap, and the work of what the methods choose
under a limit of memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from iopt import zoo
from iopt.report.picture import COLOURS, picture
from iopt.tiling import Group, Problem, solve
from iopt.tiling.tiles import Span, group_tiles

DOCS = Path(__file__).parents[1] / "docs"
GRAPH = zoo.graph("yolov2-16")
FUSED = Group(0, 7, 5, 5)
LIMITS_MIB = np.arange(9.0, 60.1, 0.25)
METHODS = {
    "exact": "exact, any groups and tilings, with reuse",
    "mafat": "mafat, at most two groups of squares, bottom 2x2",
    "deepthings": "deepthings, one group, with reuse or without",
}


def spans(problem: Problem) -> list[tuple[str, int, list[Span]]]:
    """Of every map of the fused group, the last first: its name, columns, and what the tiles of the first row hold."""
    tiles = group_tiles(problem.layers, FUSED, problem.grid)[: FUSED.columns]
    found = [("input", GRAPH.input_shape[2], [tile.steps[0].reads.columns for tile in tiles])]
    for index, layer in enumerate(problem.layers[FUSED.first : FUSED.last + 1]):
        name = f"{layer.index} {'pool' if layer.kind == 'max' else 'conv'} {layer.body.window.kernel[0]}x"
        held = [tile.steps[index].holds.columns for tile in tiles]
        found.append((f"{name}{layer.body.window.kernel[1]}", layer.output.width, held))
    return found[::-1]


def draw_overlap(path: Path) -> None:
    maps = spans(Problem(GRAPH))
    with picture(path, "Columns that the tiles of 5x5 hold, layers 0 to 7 of yolov2-16 fused") as axes:
        for row, (_, width, held) in enumerate(maps):
            for tile, span in enumerate(held):
                bar = (span.lo / width, span.size / width)
                axes.broken_barh([bar], (row - 0.36, 0.72), facecolor=COLOURS[tile], alpha=0.55, linewidth=0)
        axes.set_yticks(range(len(maps)), [f"{name}, {width}" for name, width, _ in maps])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("part of the map's width; darker: held by two tiles")


def draw_methods(path: Path) -> None:
    """Steps between limits that lie close; where a method finds nothing, nothing is drawn."""
    with picture(path, "yolov2-16, without weights, predictor lean, up to 8x8 tiles") as axes:
        for (name, label), colour in zip(METHODS.items(), COLOURS, strict=False):
            chosen = [work(name, limit) for limit in LIMITS_MIB]
            axes.plot(LIMITS_MIB, chosen, drawstyle="steps-post", color=colour, linewidth=1.4, label=label)
        axes.set_yscale("log")
        axes.set_yticks([1, 1.1, 1.25, 1.5, 2, 3], ["1", "1.1", "1.25", "1.5", "2", "3"])
        axes.minorticks_off()
        axes.set_xlabel("limit of memory (MiB)")
        axes.set_ylabel("work, of the untiled network")
        axes.legend(loc="upper right")


def work(method: str, limit_mib: float) -> float:
    """Of what a method chooses, over that of the untiled network; nan where the method finds nothing."""
    problem = Problem(GRAPH, memory_bytes=int(limit_mib * 2**20), weights="none")
    result = solve(problem, method)
    return float("nan") if result.plan is None or result.objective is None else result.objective / problem.macs


def main() -> None:
    draw_overlap(DOCS / "tiling-overlap.svg")
    draw_methods(DOCS / "tiling-methods.svg")


if __name__ == "__main__":
    main()
