"""How far MAFAT's and DeepThings' configurations are from the best: `python -m experiments.tiling_gap`.

YOLOv2's first 16 layers, no weights, both executors' predictors; work over that of the untiled network.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from iopt import zoo
from iopt.tiling import Problem, solve
from iopt.tiling.predictors import Predictor

PAGE = Path(__file__).parents[1] / "docs" / "results" / "tiling_gap.md"
LIMITS_MIB = (64, 48, 32, 24, 20, 16, 14, 12, 10, 9)


def factors(problem: Problem) -> list[str]:
    """Of every method, `-` where it finds nothing."""
    plain = replace(problem, reuse=False)
    results = [
        solve(plain, "deepthings"),
        solve(problem, "deepthings"),
        solve(problem, "mafat"),
        solve(problem, "mafat", bottom="free"),
        solve(plain),
        solve(problem),
    ]
    return [
        "-" if result.plan is None or result.objective is None else f"{result.objective / problem.macs:.4f}"
        for result in results
    ]


def table(predictor: Predictor) -> list[str]:
    graph = zoo.graph("yolov2-16")
    head = "| limit, MiB | deepthings, no reuse | deepthings | mafat | mafat, bottom free | exact, no reuse | exact |"
    lines = [f"\n## Predictor `{predictor}`\n", head, "|---|---|---|---|---|---|---|"]
    for limit in LIMITS_MIB:
        problem = Problem(graph, memory_bytes=limit * 2**20, predictor=predictor, weights="none")
        lines.append(f"| {limit} | {' | '.join(factors(problem))} |")
    return lines


def main() -> None:
    head = [
        "# Work of tilings under a memory limit",
        "",
        "Written by `python -m experiments.tiling_gap`: YOLOv2's first 16 layers, 608 x 608, no weights, tilings up to",
        "8 x 8. Multiply-accumulates over those of the untiled network, `-` where the method finds nothing. `mafat`",
        "takes the fewest tiles that fit, as reconstructed; its greedy order is not always its least work.",
    ]
    PAGE.write_text("\n".join([*head, *table("lean"), *table("torch")]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
