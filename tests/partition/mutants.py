"""Mutants of the partition formulations: each constraint dropped in turn.

A mutant of a defining constraint must let a wrong optimum through on some tiny instance; a mutant of an inequality that
only helps the solver must weaken the relaxation of some. `python -m tests.partition.mutants` finds instances that show
it and writes them to tests/data/partition_mutants.json, which `test_mutants.py` replays.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pyomo.environ as pyo

from formulations import partition, partition_plain
from formulations.partition_data import PartitionData
from iopt.exact import Solver
from iopt.partition.milp_data import partition_data
from iopt.partition.problem import Problem
from tests.instances import tiny_problem

TABLE = Path(__file__).parents[1] / "data" / "partition_mutants.json"
FORMULATIONS = {"tight": partition.build, "plain": partition_plain.build}
RELATIVE = 1e-6

IMPLIED = {
    ("tight", "combined_directly"): "sums_of_pair and pair_of_state say the same of the copies",
    ("tight", "spread_sum"): "held_sum_of_pair says the same of the copies",
    ("plain", "combined_by_scatter"): "spread_from_all charges such sums with a broadcast of everything",
    ("plain", "part_needs_share"): "a part without a share costs time and gains nothing",
}
"""Constraints of the shared decision that one formulation could do without, and why; the other one needs them."""

TIGHTENING = {
    "combined_by_scatter": "spread_from_all charges such sums with a broadcast of everything",
    "starts_once": "a correction without a share would make a length negative, which need_is_met excludes",
    "ends_once": "the same at the other end",
    "first_of_part": "the same in a copy",
    "last_of_part": "the same in a copy, at the other end",
    "sums_exist": "follows from the sum of the shares, over all pairs",
    "sums_of_pair": "follows from the marginals, once the pairs are integral",
}
"""Constraints of the tight formulation that follow from others in whole numbers; their loss weakens the relaxation."""


def instance(seed: int) -> Problem:
    return tiny_problem(seed, plan_limit=3_000)


def scaled(problem: Problem) -> PartitionData:
    """Times in units of what one device would take, roughly."""
    work = sum(operator.flops for operator in problem.operators) / problem.cluster.devices[0].flops_per_s
    return partition_data(problem, max(work, 1e-9) / 100)


def names(formulation: str, data: PartitionData) -> list[str]:
    model = FORMULATIONS[formulation](data)
    return [component.name for component in model.component_objects(pyo.Constraint) if len(component)]


def optimum(formulation: str, data: PartitionData, dropped: str | None = None) -> float:
    """Optimum in the model's units; inf where infeasible, -inf where the mutant is unbounded."""
    solution = _solver(formulation, data, dropped).solve(time_limit_s=20.0)
    if solution.objective is None:
        return float("inf") if solution.is_infeasible else float("-inf")
    return solution.objective


def relaxation(formulation: str, data: PartitionData, dropped: str | None = None) -> float:
    return _solver(formulation, data, dropped).relaxation()


def _solver(formulation: str, data: PartitionData, dropped: str | None) -> Solver:
    model: Any = FORMULATIONS[formulation](data)
    if dropped is not None:
        getattr(model, dropped).deactivate()
    return Solver(model)


def shows(formulation: str, seed: int, dropped: str, by: str) -> bool:
    """Whether the mutant differs from the formulation on this instance, by its optimum or by its relaxation."""
    right = _right(formulation, seed, by)
    wrong = VALUES[by](formulation, scaled(instance(seed)), dropped)
    return right != wrong and not abs(right - wrong) <= RELATIVE * max(abs(right), 1e-9)


VALUES = {"optimum": optimum, "relaxation": relaxation}


@cache
def _right(formulation: str, seed: int, by: str) -> float:
    return VALUES[by](formulation, scaled(instance(seed)))


def find(seeds: range, formulation: str) -> dict[str, dict[str, Any]]:
    """For every constraint the first instance whose optimum shows the mutant, else the first whose relaxation does."""
    found: dict[str, dict[str, Any]] = {}
    weaker: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for seed in seeds:
        for name in names(formulation, scaled(instance(seed))):
            seen.add(name)
            if name in found:
                continue
            if shows(formulation, seed, name, "optimum"):
                found[name] = {"seed": seed, "by": "optimum"}
            elif name not in weaker and shows(formulation, seed, name, "relaxation"):
                weaker[name] = {"seed": seed, "by": "relaxation"}
        print(formulation, seed, "alive by optimum:", sorted(seen - set(found)), flush=True)
    return dict(sorted((weaker | found).items()))


if __name__ == "__main__":
    table = {formulation: find(range(400), formulation) for formulation in FORMULATIONS}
    TABLE.write_text(json.dumps(table, indent=1) + "\n")
