"""MAFAT's predictor on this host: its bias fitted to some configurations, its error on others, beside our predictors.

`--quick` tries the experiment on one network and a part of the configurations, and writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from experiments import page
from experiments.tiling_host import Network
from iopt.tiling import Evaluator, Problem
from iopt.tiling.heuristics.mafat import space
from iopt.tiling.host.calibration import Run, fitted_bias
from iopt.tiling.host.measurement import for_bias
from iopt.tiling.predictors import Predictor

MIB = 2**20
NETWORKS = ("yolov2-16", "vgg16")
OTHERS: tuple[Predictor, ...] = ("plain11", "bound", "lean")

ABOVE = """\
The configurations of MAFAT's space (one group of 1x1 ... 5x5 tiles, or such a group, a cut behind a pooling, and 2x2),
each run by the executor `lean`, without weights. What a run took is the peak at torch's allocator, with the scratch of
the library. The bias of `mafat` is that of `iopt tile profile`: the median of what the first, third, ... configuration
took beyond the predictor without one. All predictors are judged on the second, fourth, ... The
bias is ours: that of the paper is unknown, and is of another program on another host. An error is predicted over
measured, less 1; *lowest* and *highest* have their sign.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    rows = [
        row for name in NETWORKS[: 1 if is_quick else None] for row in rows_of(Network.of(name), 4 if is_quick else 1)
    ]
    lines = [
        [
            row["network"],
            f"`{row['predictor']}`",
            "-" if row["bias_bytes"] is None else f"{row['bias_bytes'] / MIB:.1f}",
            str(row["fitted"]),
            str(len(row["errors"])),
            f"{100 * median(map(abs, row['errors'])):.1f}",
            f"{100 * max(map(abs, row['errors'])):.1f}",
            f"{100 * min(row['errors']):+.1f}",
            f"{100 * max(row['errors']):+.1f}",
        ]
        for row in rows
    ]
    header = (
        "network",
        "predictor",
        "bias MiB",
        "fitted to",
        "judged on",
        "median %",
        "worst %",
        "lowest %",
        "highest %",
    )
    text = ABOVE + page.table(header, lines)
    print(text)
    if not is_quick:
        print(page.write("tiling_bias", "Tiling: MAFAT's predictor on this host", text, rows))


def rows_of(own: Network, every: int) -> list[dict[str, Any]]:
    """One per predictor. `every`: takes one of so many configurations."""
    problem = own.problem()
    fitted = for_bias(problem)
    known = own.runs(fitted[::every], repeat=1)
    others = own.runs([each for each in space(problem) if each not in fitted][::every], repeat=1)
    bias_bytes = fitted_bias(problem, known)
    judges = {"mafat": replace(problem, predictor="mafat", bias_bytes=bias_bytes)}
    judges |= {predictor: replace(problem, predictor=predictor) for predictor in OTHERS}
    return [
        {
            "network": own.name,
            "predictor": name,
            "bias_bytes": judge.bias_bytes,
            "fitted": len(known) if judge.bias_bytes is not None else 0,
            "errors": errors(judge, others),
        }
        for name, judge in judges.items()
    ]


def errors(problem: Problem, runs: Sequence[Run]) -> list[float]:
    """Predicted over measured bytes, less 1."""
    judge = Evaluator(problem)
    return [judge(run.configuration).peak_bytes / run.peak_bytes - 1 for run in runs]


if __name__ == "__main__":
    main()
