"""Mutants of the formulation of tiling: each constraint dropped or loosened in turn, and data that say something else.

A mutant must have another optimum than the formulation on some tiny instance. `python -m tests.tiling.mutants` finds
instances that show it and writes them to tests/data/tiling_mutants.json, which `test_mutants.py` replays.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import inf
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from formulations import tiling
from formulations.tiling_data import TilingData
from iopt.exact import Solver
from iopt.tiling.enumeration import best
from iopt.tiling.milp_data import tiling_data
from iopt.tiling.objective import value
from iopt.tiling.problem import Problem
from iopt.tiling.search.table import build
from tests.tiling.instances import tiny_problem

TABLE = Path(__file__).parents[1] / "data" / "tiling_mutants.json"
RELATIVE = 1e-6
LOOSER = 0.25

LOOSENED = ("memory", "overhead", "once")
"""Also loosened: limits by a quarter, and layers may then be in no group."""


@cache
def data_of(seed: int) -> tuple[TilingData, float, str]:
    """Every group and every tiling, the unit of the objective, and which it is."""
    problem = tiny_problem(seed)
    data, scale = tiling_data(problem, build(problem), reduce=False)
    is_memory = problem.objective == "memory"
    return data, scale.peak if is_memory else scale.work, "peak" if is_memory else "work"


def optimum(data: TilingData, objective: Any, mutant: str = "", by: str = "dropped") -> float:
    """In the model's units, inf where infeasible."""
    model: Any = tiling.build(data, objective)
    if mutant and by == "dropped":
        getattr(model, mutant).deactivate()
    elif mutant:
        loosen(getattr(model, mutant))
    solution = Solver(model).solve(time_limit_s=20.0)
    if solution.objective is None:
        assert solution.is_infeasible
        return inf
    return solution.objective


def loosen(component: Any) -> None:
    for constraint in component.values():
        lower, body, upper = constraint.to_bounded_expression(evaluate_bounds=True)
        constraint.set_value((None, body, upper) if lower == upper else (lower, body, upper * (1 + LOOSER)))


def names(data: TilingData, objective: Any) -> list[str]:
    model = tiling.build(data, objective)
    return [component.name for component in model.component_objects(pyo.Constraint) if len(component)]


def differ(right: float, wrong: float) -> bool:
    return right != wrong and not abs(right - wrong) <= RELATIVE * max(abs(right), 1e-9)


def shows(seed: int, mutant: str, by: str) -> bool:
    """Whether the mutant has another optimum on this instance."""
    data, _, objective = data_of(seed)
    if mutant not in names(data, objective):
        return False
    return differ(optimum(data, objective), optimum(data, objective, mutant, by))


def least(problem: Problem) -> float:
    found = best(problem)
    return inf if found is None else value(problem, found[1])


SWAPPED: dict[str, Callable[[Problem], Problem]] = {
    "memory ignored": lambda p: replace(p, memory_bytes=None),
    "overhead ignored": lambda p: replace(p, overhead=None),
    "predictor swapped": lambda p: replace(
        p, crop="exact", bias_bytes=None, predictor="torch" if p.predictor != "torch" else "lean"
    ),
    "weights swapped": lambda p: replace(p, weights="none" if p.weights != "none" else "resident"),
    "backend swapped": lambda p: replace(p, backend="im2col" if p.backend == "implicit" else "implicit"),
    "grid swapped": lambda p: replace(p, grid="ceil" if p.grid == "balanced" else "balanced"),
    "reuse swapped": lambda p: replace(p, crop="exact", reuse=not p.reuse),
    "rim ignored": lambda p: replace(p, crop="exact"),
    "bias ignored": lambda p: replace(p, bias_bytes=None if p.bias_bytes is None else 0),
    "copies ignored": lambda p: replace(p, host=None if p.host is None else replace(p.host, copy_s=0.0)),
    "one tile fewer": lambda p: replace(p, max_tiles=p.max_tiles - 1),
}


def is_swap_seen(name: str, seed: int) -> bool:
    problem = tiny_problem(seed)
    right, wrong = least(problem), least(SWAPPED[name](problem))
    return right < inf and wrong < inf and differ(right, wrong)


def find(count: int) -> dict[str, dict[str, int]]:
    """For every mutant the first instance that shows it."""
    table: dict[str, dict[str, int]] = {"dropped": {}, "loosened": {}, "data": {}}
    wanted = {name for seed in range(60) for name in names(data_of(seed)[0], data_of(seed)[2])}
    for by, chosen in (("dropped", sorted(wanted)), ("loosened", sorted(wanted & set(LOOSENED)))):
        for name in chosen:
            found = next((seed for seed in range(count) if shows(seed, name, by)), None)
            print(by, name, found, flush=True)
            if found is not None:
                table[by][name] = found
    for name in SWAPPED:
        found = next((seed for seed in range(count) if is_swap_seen(name, seed)), None)
        print(name, found, flush=True)
        if found is not None:
            table["data"][name] = found
    return table


if __name__ == "__main__":
    TABLE.write_text(json.dumps(find(400), indent=1) + "\n", encoding="utf-8")
