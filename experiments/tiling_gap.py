"""How far MAFAT's and DeepThings' configurations are from the best. `--quick`: two limits, nothing written."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experiments import page
from iopt import zoo
from iopt.tiling import Problem, solve, written
from iopt.tiling.predictors import Predictor

MIB = 2**20
NETWORK = "yolov2-16"
LIMITS = (64, 48, 32, 24, 20, 16, 14, 12, 10, 9)
"""MiB."""
PREDICTORS: tuple[Predictor, ...] = ("lean", "torch")
METHODS = ("deepthings, no reuse", "deepthings", "mafat", "mafat, bottom free", "exact, no reuse", "exact")

ABOVE = """\
{network} on 608x608, no weights, tilings up to 8 x 8: least multiply-accumulates over those of the untiled network
under a limit in MiB, by the predictors of both executors; `-` where the method finds nothing. `mafat` takes the fewest
tiles that fit, as reconstructed; its greedy order is not always its least work. The largest gaps named are those under
the limits of the tables; between them they can be larger, as [the picture](../tiling-methods.svg) shows.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    rows = [row(predictor, limit) for predictor in PREDICTORS for limit in LIMITS[:: 5 if is_quick else 1]]
    parts = [ABOVE.format(network=NETWORK), conclusion(rows)]
    for predictor in PREDICTORS:
        lines = [line(row) for row in rows if row["predictor"] == predictor]
        parts += [f"\n## Predictor `{predictor}`\n", page.table(("limit", *METHODS), lines)]
    text = "\n".join(parts)
    print(text)
    if not is_quick:
        print(page.write("tiling_gap", "Tiling: work under a memory limit", text, rows))


def row(predictor: Predictor, limit: int) -> dict[str, Any]:
    """Work of every method over the untiled network's, None where it finds nothing."""
    problem = Problem(zoo.graph(NETWORK), limit * MIB, predictor=predictor, weights="none")
    plain = replace(problem, reuse=False)
    results = (
        solve(plain, "deepthings"),
        solve(problem, "deepthings"),
        solve(problem, "mafat"),
        solve(problem, "mafat", bottom="free"),
        solve(plain),
        solve(problem),
    )
    found: dict[str, Any] = {"predictor": predictor, "limit_mib": limit}
    for name, result in zip(METHODS, results, strict=True):
        has_plan = result.plan is not None and result.objective is not None
        found[name] = result.objective / problem.macs if has_plan else None
        found[f"{name}: plan"] = written(result.plan) if result.plan is not None else None
    return found


def conclusion(rows: Sequence[dict[str, Any]]) -> str:
    """The largest gap of the published methods, and where they find nothing that exists."""
    lines = []
    for name in ("deepthings", "mafat"):
        both = [row for row in rows if row[name] is not None]
        most = max(both, key=lambda row: row[name] / row["exact"])
        missed = [row for row in rows if row[name] is None and row["exact"] is not None]
        lines.append(
            f"* `{name}` does up to {most[name] / most['exact'] - 1:.0%} more work than the best (at "
            f"{most['limit_mib']} MiB, `{most['predictor']}`), and finds nothing under {len(missed)} of "
            f"{len(missed) + len(both)} limits that can be kept ({kept(missed + both)})."
        )
    return "\n".join(lines)


def kept(rows: Sequence[dict[str, Any]]) -> str:
    """`10 of lean and 9 of torch`."""
    counts = {predictor: sum(row["predictor"] == predictor for row in rows) for predictor in PREDICTORS}
    return " and ".join(f"{count} of `{predictor}`" for predictor, count in counts.items() if count)


def line(row: dict[str, Any]) -> list[str]:
    return [str(row["limit_mib"]), *("-" if row[name] is None else f"{row[name]:.4f}" for name in METHODS)]


if __name__ == "__main__":
    main()
