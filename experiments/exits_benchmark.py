"""How fast placements are found and proved, against targets and beside HiGHS, and how that grows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from statistics import median
from typing import Any

from experiments import page
from experiments.clock import met, timed
from experiments.exits_instances import drawn
from iopt.exits import Problem, solve
from iopt.exits.geometry import geometry
from iopt.exits.heuristics.mcp import mcp_path
from iopt.exits.limits import Limits
from iopt.exits.milp import solve_milp
from iopt.exits.search.fin import fin_path
from iopt.result import Result

SEEDS = range(5)
HIGHS_LIMIT_S = 60.0
LABELS = 50_000
"""Budget of `pareto`."""
EXACT_LIMIT_S = 60.0
ONE = (
    (10, 10, None, 5.0),
    (20, 30, None, 50.0),
    (50, 30, None, 200.0),
    (20, 30, 0.6, None),
    (50, 30, 0.6, 1500.0),
    (50, 30, 0.4, 1500.0),
    (50, 30, 0.3, 1500.0),
    (50, 30, 0.2, 1500.0),
)
"""Blocks, nodes, memory of a node as a part of all weights (None: no caps), target in milliseconds."""
MANY = (
    (5, 20, 10, None, 30.0, None),
    (10, 20, 10, None, 30.0, 5.0),
    (10, 20, 10, 0.3, 30.0, 5.0),
    (20, 20, 10, 0.3, 20.0, None),
    (30, 20, 10, None, 15.0, 30.0),
    (30, 20, 10, 0.3, 15.0, 30.0),
)
"""Applications, blocks, nodes, memory, rate per second, target in seconds: 10 applications proved, 30 within 1 %."""
WITHIN = 0.01


def one_application(blocks: int, nodes: int, memory: float | None, target_ms: float | None) -> dict[str, Any]:
    """`pareto` and `exact` on seeded instances, and HiGHS on the first of them with nothing prepared."""
    problems = [drawn(blocks, nodes, seed, memory=memory) for seed in SEEDS]
    results = [solve(problem, "pareto", gap=0.0, labels=LABELS) for problem in problems]
    times = [
        1e3 * timed(lambda problem=problem: solve(problem, "pareto", gap=0.0, labels=LABELS), 3).wall
        for problem in problems
    ]
    exact = [solve(problem, "exact", EXACT_LIMIT_S) for problem in problems]
    plain = solve_milp(problems[0], HIGHS_LIMIT_S, reduce=False)
    row = {
        "blocks": blocks,
        "nodes": nodes,
        "memory": memory,
        "median_ms": median(times),
        "worst_ms": max(times),
        "proved": sum(result.status in ("OPTIMAL", "INFEASIBLE") for result in results),
        "unknown": sum(result.status == "UNKNOWN" for result in results),
        "worst_gap": _worst_gap(results),
        "exact_s": [result.runtime_s for result in exact],
        "exact_proved": sum(result.status in ("OPTIMAL", "INFEASIBLE") for result in exact),
        "target_ms": target_ms,
        "highs_s": plain.runtime_s,
        "highs_status": plain.status.value,
    }
    print(row, flush=True)
    return row


def _worst_gap(results: list[Result[Any]]) -> float | None:
    """None where a plan or a bound is missing, but for proved instances without a plan."""
    gaps = [0.0 if result.status == "INFEASIBLE" else result.gap for result in results]
    known = [gap for gap in gaps if gap is not None]
    return max(known) if len(known) == len(gaps) else None


def many(
    applications: int, blocks: int, nodes: int, memory: float | None, rate: float, target_s: float | None
) -> dict[str, Any]:
    """The joint optimum, and what `reroute` and `sequential` miss of it, on three seeded instances."""
    problems = [drawn(blocks, nodes, seed, applications, memory=memory, rate_per_s=rate) for seed in range(3)]
    joint = [solve(problem, "exact", 60.0) for problem in problems]
    row = {
        "applications": applications,
        "blocks": blocks,
        "nodes": nodes,
        "memory": memory,
        "seconds": [result.runtime_s for result in joint],
        "seconds_within": [_reached(result, WITHIN) for result in joint],
        "status": [result.status.value for result in joint],
        "gap": [result.gap for result in joint],
        "target_s": target_s,
    }
    for name in ("reroute", "sequential"):
        found = [solve(problem, name) for problem in problems]
        row[f"{name}_above"] = [_above(ours, best) for ours, best in zip(found, joint, strict=True)]
        row[f"{name}_s"] = [result.runtime_s for result in found]
    plain = solve_milp(problems[0], HIGHS_LIMIT_S, gap=1e-6, reduce=False)
    row |= {"highs_s": plain.runtime_s, "highs_gap": plain.gap, "highs_status": plain.status.value}
    print(row, flush=True)
    return row


def _reached(result: Result[Any], gap: float) -> float:
    """Seconds until plan and bound were this close, or the whole time."""
    return next(
        (
            seen.runtime_s
            for seen in result.history
            if seen.incumbent is not None and seen.bound is not None and seen.bound >= seen.incumbent * (1 - gap)
        ),
        result.runtime_s,
    )


def _above(ours: Result[Any], best: Result[Any]) -> float | None:
    """By what part a method's plan needs more energy than the best known; None without a plan."""
    if ours.status not in ("OPTIMAL", "FEASIBLE") or ours.objective is None or best.objective is None:
        return None
    return ours.objective / best.objective - 1


def quantised() -> list[dict[str, Any]]:
    """FIN at 50 blocks and 3 nodes by gamma, beside MCP."""
    problem: Problem = drawn(50, 3, 0)
    shape, limits = geometry(problem, 0), Limits.of(problem)
    baseline = 1e3 * timed(lambda: mcp_path(shape), 50).wall
    rows = []
    for gamma in (10, 30, 100, 300, 1000):
        ms = 1e3 * timed(lambda gamma=gamma: fin_path(shape, limits, gamma), 50).wall
        rows.append({"gamma": gamma, "ms": ms, "over_mcp": ms / baseline, "target_ms": 2.0 if gamma == 1000 else None})
    return rows


PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "one": lambda: [one_application(*case) for case in ONE],
    "many": lambda: [many(*case) for case in MANY],
    "fin": quantised,
}


def main(parts: list[str]) -> None:
    """Measure these parts, by default all; the others stay as they were measured last."""
    known = {} if set(parts or PARTS) == set(PARTS) else page.read("exits_benchmark")
    data = {part: measure() if part in (parts or PARTS) else known[part] for part, measure in PARTS.items()}
    text = "\n\n".join((*_single_text(data["one"]), *_joint_text(data["many"]), *_fin_text(data["fin"])))
    print(text)
    print(page.write("exits_benchmark", "Exits: speed", text, data))


def _verdict(row: dict[str, Any]) -> str:
    """In time and proved; with memory limits a certified gap at the end of the budget of labels will do."""
    found = met(row["worst_ms"], row["target_ms"], "ms")
    if not found.endswith("met") or row["proved"] == len(SEEDS):
        return found
    has_gaps = row["memory"] is not None and row["worst_gap"] is not None
    return f"{found} (budget)" if has_gaps else f"{row['target_ms']:g} ms: missed"


def _single_text(rows: list[dict[str, Any]]) -> tuple[str, str]:
    lines = [
        [
            f"{row['blocks']} x {row['nodes']}",
            "none" if row["memory"] is None else f"{row['memory']:g} of all",
            f"{row['median_ms']:.1f}",
            f"{row['worst_ms']:.1f}",
            f"{row['proved']} of {len(SEEDS)}",
            ("none" if row["worst_gap"] is None else f"{100 * row['worst_gap']:.3f}")
            + (f", {row['unknown']} without a plan" if row["unknown"] else ""),
            _verdict(row),
            f"{row['exact_proved']} of {len(SEEDS)} in {median(row['exact_s']):.2f}, {max(row['exact_s']):.2f}",
            f"{row['highs_s']:.2f} {row['highs_status']}",
        ]
        for row in rows
    ]
    header = (
        "blocks x nodes",
        "memory of a node",
        "ms",
        "worst ms",
        "proved",
        "worst gap %",
        "target",
        "exact: proved in s (median, worst)",
        "HiGHS s",
    )
    return (
        f"One application, `pareto` with at most {LABELS:,} labels, gap 0, {len(SEEDS)} seeded instances, one thread.\n"
        "Targets: without memory limits proved; with them proved, or the best plan with a certified gap when the\n"
        "budget of labels ends: *budget*. *Worst gap*: of all instances; none where a plan or a bound is missing.\n"
        "*Exact*: the method of that name, up to 60 s. *HiGHS*: the flow formulation on the first instance with every\n"
        "step and every exit, up to 60 s.",
        page.table(header, lines),
    )


def _joint_text(rows: list[dict[str, Any]]) -> tuple[str, str]:
    def percents(values: list[float | None]) -> str:
        return " / ".join("-" if value is None else f"{100 * value:.2f}" for value in values)

    lines = [
        [
            f"{row['applications']} x {row['blocks']} x {row['nodes']}",
            "none" if row["memory"] is None else f"{row['memory']:g} of all",
            " / ".join(f"{value:.1f}" for value in row["seconds"]),
            " / ".join(row["status"]),
            percents(row["gap"]),
            " / ".join(f"{value:.1f}" for value in row["seconds_within"]),
            met(max(row["seconds_within" if row["applications"] == 30 else "seconds"]), row["target_s"], "s"),
            percents(row["reroute_above"]),
            " / ".join(f"{value:.1f}" for value in row["reroute_s"]),
            percents(row["sequential_above"]),
            f"{row['highs_s']:.1f} {row['highs_status']}"
            + ("" if row["highs_gap"] is None else f" {100 * row['highs_gap']:.2f} %"),
        ]
        for row in rows
    ]
    header = (
        "applications x blocks x nodes",
        "memory of a node",
        "exact s",
        "status",
        "gap %",
        "to 1 % s",
        "target",
        "reroute above %",
        "reroute s",
        "sequential above %",
        "HiGHS alone s",
    )
    text = (
        "Several applications, three seeded instances each, gap 1e-6, up to 60 s.\n"
        "Targets: 10 applications proved, 30 within 1 %."
    )
    return text, page.table(header, lines)


def _fin_text(rows: list[dict[str, Any]]) -> tuple[str, str]:
    lines = [
        [str(row["gamma"]), f"{row['ms']:.2f}", f"{row['over_mcp']:.1f}", met(row["ms"], row["target_ms"], "ms")]
        for row in rows
    ]
    return (
        "`fin` at 50 blocks x 3 nodes; the paper's run time is within 2.5 times its baseline's.",
        page.table(("gamma", "ms", "time / mcp's", "target"), lines),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
