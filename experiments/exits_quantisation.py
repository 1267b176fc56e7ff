"""What FIN's quantisation of time costs: energy above the optimum, targets missed and time, by gamma."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from experiments import page
from experiments.exits_instances import drawn
from iopt.exits.geometry import geometry
from iopt.exits.heuristics.mcp import mcp_path
from iopt.exits.limits import Limits
from iopt.exits.paths import path_weight
from iopt.exits.search.fin import fin_path
from iopt.exits.search.pareto import pareto

GAMMAS = (5, 10, 20, 30, 50, 100, 300, 1000)
SIZES = ((5, 3), (20, 10), (50, 10))
SEEDS = range(100)
TIGHT = (0.02, 0.1, 0.3, 0.7)
"""Where the latency limit lies between the least possible and that of the least energy."""

ABOVE = """\
{seeds} seeded instances per size, each with {limits} latency limits between the least possible and that of the least
energy; one application, no shared limits. *No placement*: part of the targets that can be met for which the method
finds nothing. *Above optimum*: over the placements found, so that a method which misses most targets is judged by the
few that it meets; *optimal* is of all targets. Time is the median, one thread; the paper's figure is within 2.5 times
its baseline's.

"""


def main() -> None:
    rows = [row for size in SIZES for row in _size(*size)]
    text = _text(rows)
    print(text)
    print(page.write("exits_quantisation", "Exits: what quantisation costs", text, rows))


def _text(rows: list[dict[str, Any]]) -> str:
    header = (
        "blocks",
        "nodes",
        "method",
        "no placement %",
        "above optimum: mean %",
        "p95 %",
        "worst %",
        "optimal %",
        "ms",
        "time / mcp's",
    )
    lines = [
        [
            str(row["blocks"]),
            str(row["nodes"]),
            row["method"],
            f"{100 * row['missed']:.1f}",
            *(f"{100 * row[key]:.3f}" if row[key] is not None else "-" for key in ("mean", "p95", "worst")),
            f"{100 * row['optimal']:.0f}",
            f"{row['ms']:.2f}",
            f"{row['over_mcp']:.1f}",
        ]
        for row in rows
    ]
    return ABOVE.format(seeds=len(SEEDS), limits=len(TIGHT)) + page.table(header, lines)


def _size(blocks: int, nodes: int) -> list[dict[str, Any]]:
    shapes = [
        (geometry(problem, 0), Limits.of(problem))
        for seed in SEEDS
        for tightness in TIGHT
        for problem in [drawn(blocks, nodes, seed, tightness=tightness)]
    ]
    optima, exact_ms = _timed(lambda shape, limits: pareto(shape, limits).path, shapes)
    _, mcp_ms = _timed(lambda shape, limits: mcp_path(shape), shapes)
    rows = [_row(blocks, nodes, "pareto (exact)", optima, optima, exact_ms, mcp_ms)]
    for gamma in GAMMAS:
        found, ms = _timed(lambda shape, limits, gamma=gamma: fin_path(shape, limits, gamma), shapes)
        rows.append(_row(blocks, nodes, f"fin, gamma {gamma}", found, optima, ms, mcp_ms))
    return rows


def _timed(find: Callable[..., Any], shapes: list[Any]) -> tuple[list[float], float]:
    """Energy of each answer (inf: none), and the median time of one in milliseconds."""
    energies, times = [], []
    for shape, limits in shapes:
        began = time.perf_counter()
        path = find(shape, limits)
        times.append(time.perf_counter() - began)
        energies.append(np.inf if path is None else path_weight(shape.energy, shape.source, path))
    return energies, 1e3 * float(np.median(times))


def _row(
    blocks: int, nodes: int, method: str, found: list[float], optima: list[float], ms: float, mcp_ms: float
) -> dict[str, Any]:
    ratios = np.array([ours / best - 1 for ours, best in zip(found, optima, strict=True) if np.isfinite(ours)])
    return {
        "blocks": blocks,
        "nodes": nodes,
        "method": method,
        "missed": float(np.mean(~np.isfinite(found))),
        "mean": float(ratios.mean()) if len(ratios) else None,
        "p95": float(np.percentile(ratios, 95)) if len(ratios) else None,
        "worst": float(ratios.max()) if len(ratios) else None,
        "optimal": float((ratios <= 1e-9).sum() / len(found)),
        "ms": ms,
        "over_mcp": ms / mcp_ms,
    }


if __name__ == "__main__":
    main()
