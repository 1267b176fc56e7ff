"""How fast the partition is planned: proofs against their targets, heuristics, the evaluator, and start-up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import iopt
from experiments import page
from experiments.clock import met, timed
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


def fast_methods() -> list[dict[str, Any]]:
    """Heuristics and dp on VGG19 over 8 devices; plans that the evaluator judges in a second; start-up."""
    given = problem("vgg19", "mixed8", False)
    rows = [_row(f"{name}, vgg19 on mixed8", lambda name=name: iopt.solve(given, name)) for name in FAST]
    for preset in ("mixed4", "mixed8"):
        evaluate = Evaluator(problem("vgg19", preset, False))
        plan = iopt.solve(evaluate.problem, "oc").plan
        assert plan is not None
        rows.append(
            _row(
                f"judge 1,000 plans one by one, vgg19 on {preset}",
                lambda evaluate=evaluate, plan=plan: [evaluate(plan) for _ in range(1000)],
            )
        )
    for what, command in (("import iopt", ["-c", "import iopt"]), ("iopt --help", ["-m", "iopt", "--help"])):
        call = [sys.executable, *command]
        rows.append(_row(what, lambda call=call: subprocess.run(call, check=True, capture_output=True), 0.5))
    return rows


def _row(what: str, call: Callable[[], object], target_s: float = 1.0) -> dict[str, Any]:
    found = timed(call)
    return {"what": what, "seconds": found.wall, "processor_s": found.processor, "target_s": target_s}


PARTS: dict[str, Callable[[], Any]] = {
    "proofs": lambda: [proof(*case) for case in PROOFS],
    "fast": lambda: {"load": os.getloadavg()[0], "rows": fast_methods()},
}


def main(parts: list[str]) -> None:
    """Measure these parts, by default all; the others stay as they were measured last."""
    known = {} if set(parts or PARTS) == set(PARTS) else page.read("partition_benchmark")
    data = {part: measure() if part in (parts or PARTS) else known[part] for part, measure in PARTS.items()}
    text = "\n\n".join((*_proof_text(data["proofs"]), *_fast_text(**data["fast"])))
    print(text)
    print(page.write("partition_benchmark", "Partition: speed", text, data))


def _proof_text(rows: list[dict[str, Any]]) -> tuple[str, str]:
    lines = [
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
        for row in rows
    ]
    return (
        "Exact method, gap 1e-4, at most 60 s; heuristics and `dp` that it starts from are included.",
        page.table(("instance", "status", "latency ms", "gap %", "s", "target"), lines),
    )


def _fast_text(load: float, rows: list[dict[str, Any]]) -> tuple[str, str]:
    lines = [
        [
            row["what"],
            f"{row['seconds']:.3f}",
            f"{row['processor_s']:.3f}",
            met(row["processor_s"], row["target_s"], "s"),
        ]
        for row in rows
    ]
    return (
        f"One thread, medians. The load of the machine was {load:.1f} when this began: targets are held against the\n"
        "processor time, which is the wall time of a machine that has nothing else to do.",
        page.table(("what", "wall s", "processor s", "target"), lines),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
