"""How fast the partition is planned: proofs against their targets, heuristics, the evaluator, and start-up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import iopt
from experiments import page
from iopt.partition.caps import tight_caps
from iopt.partition.evaluation import Evaluator

PROOFS = (
    ("alexnet", "mixed2", False, 60.0, 1e-4),
    ("vgg11", "mixed2", False, 60.0, 1e-4),
    ("lenet", "cal4", False, 60.0, 1e-4),
    ("alexnet", "cal4", False, 60.0, None),
    ("vgg11", "cal4", False, 60.0, None),
    ("alexnet", "mixed2", True, 60.0, None),
    ("vgg11", "mixed2", True, 60.0, None),
    ("alexnet", "mixed4", False, 60.0, None),
    ("vgg11", "mixed4", False, 60.0, None),
    ("vgg19", "mixed4", False, 60.0, None),
    ("alexnet", "mixed4", True, 60.0, None),
    ("alexnet", "mixed8", False, 60.0, None),
    ("vgg19", "mixed8", False, 60.0, None),
)
"""Network, preset, tight caps, time limit in seconds, and the gap that is the target within it (None: only a plan and a
bound)."""

FAST = ("single", "oc", "coedge", "modnn", "iop", "dp")


def problem(network: str, preset: str, tight: bool) -> iopt.Problem:
    graph, cluster = iopt.load(network), iopt.Cluster.load(preset)
    if tight:
        cluster = cluster.with_memory((tight_caps(graph, len(cluster)),) * len(cluster))
    return iopt.Problem(graph, cluster)


def proof(network: str, preset: str, tight: bool, limit_s: float, target: float | None) -> dict[str, Any]:
    """One exact solve with everything that `iopt plan` does after start-up."""
    given = problem(network, preset, tight)
    result = iopt.solve(given, time_limit_s=limit_s)
    label = f"{network} on {preset}{' tight' if tight else ''}"
    print(label, result.status, result.gap, f"{result.runtime_s:.1f} s", flush=True)
    return {
        "instance": label,
        "status": result.status.value,
        "objective_s": result.objective,
        "bound_s": result.bound,
        "gap": result.gap,
        "runtime_s": result.runtime_s,
        "limit_s": limit_s,
        "target_gap": target,
        "met": None if target is None else result.gap is not None and result.gap <= target + 1e-8,
    }


def seconds(call: Callable[[], object], repeat: int = 5) -> float:
    """Median wall time of a call, after one that is not counted."""
    call()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return median(times)


def fast_methods() -> list[dict[str, Any]]:
    """Heuristics and dp on VGG19 over 8 devices; plans that the evaluator judges in a second; start-up."""
    given = problem("vgg19", "mixed8", False)
    rows: list[dict[str, Any]] = []
    for name in FAST:
        rows.append(
            {
                "what": f"{name}, vgg19 on mixed8",
                "seconds": seconds(lambda name=name: iopt.solve(given, name)),
                "target_s": 1.0,
            }
        )
    for preset in ("mixed4", "mixed8"):
        evaluate = Evaluator(problem("vgg19", preset, False))
        plan = iopt.solve(evaluate.problem, "oc").plan
        assert plan is not None
        rows.append(
            {
                "what": f"judge 1,000 plans one by one, vgg19 on {preset}",
                "seconds": seconds(lambda evaluate=evaluate, plan=plan: [evaluate(plan) for _ in range(1000)], 3),
                "target_s": 1.0,
            }
        )
    for what, command in (("import iopt", ["-c", "import iopt"]), ("iopt --help", ["-m", "iopt", "--help"])):
        call = [sys.executable, *command]
        run = lambda call=call: subprocess.run(call, check=True, capture_output=True)  # noqa: E731
        rows.append({"what": what, "seconds": seconds(run), "target_s": 0.5})
    return rows


def main() -> None:
    proofs = [proof(*case) for case in PROOFS]
    fast = fast_methods()
    proof_rows = [
        [
            row["instance"],
            row["status"],
            "" if row["objective_s"] is None else f"{row['objective_s'] * 1e3:.3f}",
            "" if row["gap"] is None else f"{row['gap'] * 100:.4f}",
            f"{row['runtime_s']:.1f}",
            ""
            if row["target_gap"] is None
            else f"{row['target_gap'] * 100:g} % in {row['limit_s']:g} s: {'met' if row['met'] else 'missed'}",
        ]
        for row in proofs
    ]
    fast_rows = [[row["what"], f"{row['seconds']:.3f}", f"{row['target_s']:g}"] for row in fast]
    text = "\n\n".join(
        (
            "Exact method, gap 1e-4, at most 60 s; heuristics and `dp` that it starts from are included.",
            page.table(("instance", "status", "latency ms", "gap %", "s", "target"), proof_rows),
            "Wall time, median.",
            page.table(("what", "s", "target s"), fast_rows),
        )
    )
    print(page.table(("instance", "status", "latency ms", "gap %", "s", "target"), proof_rows))
    print(page.table(("what", "s", "target s"), fast_rows))
    print(page.write("partition_benchmark", "Partition: speed", text, {"proofs": proofs, "fast": fast}))


if __name__ == "__main__":
    main()
