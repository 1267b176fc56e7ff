"""The tight formulation against the plain one: linear relaxation, size, and what a minute of HiGHS proves."""

from __future__ import annotations

import argparse
import time
from typing import Any

import iopt
from experiments import page
from formulations import partition, partition_plain
from iopt.exact import Solver
from iopt.partition.methods import start_plans
from iopt.partition.milp import solve_milp
from iopt.partition.milp_data import partition_data
from iopt.partition.search import plan_dp

INSTANCES = (("lenet", "cal4"), ("alexnet", "cal4"), ("vgg11", "cal4"), ("alexnet", "mixed2"), ("vgg11", "mixed2"))
BUILDS = {"plain": partition_plain.build, "tight": partition.build}
HEADER = (
    "instance",
    "formulation",
    "columns",
    "rows",
    "build s",
    "relaxation ms",
    "relaxation s",
    "status",
    "latency ms",
    "gap %",
    "s",
)


def run(network: str, preset: str, time_limit_s: float) -> list[dict[str, Any]]:
    """Both formulations on one instance, from the same start."""
    problem = iopt.Problem(iopt.load(network), iopt.Cluster.load(preset))
    start = plan_dp(problem, seeds=start_plans(problem))
    rows = []
    for name, build in BUILDS.items():
        began = time.perf_counter()
        solver = Solver(build(partition_data(problem, 1e-3)))
        built = time.perf_counter()
        relaxation = solver.relaxation()
        relaxed = time.perf_counter()
        result = solve_milp(problem, time_limit_s, starts=[start], formulation=name)  # type: ignore[arg-type]
        columns, height = solver.size
        rows.append(
            {
                "instance": f"{network} on {preset}",
                "formulation": name,
                "columns": columns,
                "rows": height,
                "build_s": built - began,
                "relaxation_s": relaxation * 1e-3,
                "relaxation_runtime_s": relaxed - built,
                "status": result.status.value,
                "objective_s": result.objective,
                "bound_s": result.bound,
                "gap": result.gap,
                "runtime_s": result.runtime_s,
            }
        )
        print(network, preset, name, relaxation, result.status, result.gap, f"{result.runtime_s:.1f} s", flush=True)
    return rows


def cells(row: dict[str, Any]) -> list[str]:
    """One row as text."""
    return [
        row["instance"],
        row["formulation"],
        str(row["columns"]),
        str(row["rows"]),
        f"{row['build_s']:.2f}",
        f"{row['relaxation_s'] * 1e3:.4f}",
        f"{row['relaxation_runtime_s']:.3f}",
        row["status"],
        f"{row['objective_s'] * 1e3:.4f}",
        "" if row["gap"] is None else f"{row['gap'] * 100:.4f}",
        f"{row['runtime_s']:.1f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for each solve")
    limit_s = parser.parse_args().time_limit
    rows = [row for instance in INSTANCES for row in run(*instance, limit_s)]
    text = f"Both start from the plan of `dp` and stop at a gap of 1e-4 or after {limit_s:g} s.\n\n"
    text += page.table(HEADER, [cells(row) for row in rows])
    print(page.write("partition_formulations", "Partition: the formulations compared", text, rows))


if __name__ == "__main__":
    main()
