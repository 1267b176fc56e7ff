"""When memory is too small: which devices are short, and by how little more a plan would be possible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from formulations.partition import build_elastic
from formulations.partition_solution import choices
from iopt.exact import TOLERANCE, Solver
from iopt.partition.evaluation import Evaluator
from iopt.partition.milp_data import partition_data, plan_of
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem


@dataclass(frozen=True)
class Shortage:
    """`plan` needs the least extra memory found, `extra_bytes` by device name; every plan needs `at_least_bytes`.

    `plan` is None, and `extra_bytes` empty, where none was found in time; something may be proved all the same.
    """

    plan: Plan | None
    extra_bytes: dict[str, int]
    at_least_bytes: int

    @property
    def is_proved(self) -> bool:
        """Every plan breaks a cap."""
        return self.at_least_bytes > 0

    @property
    def message(self) -> str:
        """In words: who is short, of how much, and what would help."""
        return (
            f"no plan keeps every memory cap{self._amount}. "
            f"More memory{' there' if self.plan else ''}, a further device, or a smaller network or input would help"
        )

    @property
    def _amount(self) -> str:
        least = "; the least total of extra memory is"
        if self.plan is None:
            return f"{least} at least {self.at_least_bytes:,} bytes" if self.is_proved else ""
        short = {name: extra for name, extra in self.extra_bytes.items() if extra}
        total = sum(short.values())
        each = ", ".join(f"{name} {extra:,} bytes" for name, extra in short.items())
        exact = "" if self.at_least_bytes == total else f" between {self.at_least_bytes:,} and"
        return f"{least}{exact} {total:,} bytes ({each})"


def least_shortage(problem: Problem, time_limit_s: float = np.inf) -> Shortage:
    """Least total of extra bytes that makes a plan possible: the decision and the caps alone, elastic."""
    data = partition_data(problem, 1.0)
    caps = {j: problem.cluster.devices[j].memory_bytes or 0 for j in data.capped}
    unit = min(caps.values())
    model = build_elastic(data, {j: cap / unit for j, cap in caps.items()})
    solver = Solver(model)
    solution = solver.solve(time_limit_s)
    slack = TOLERANCE * sum(caps.values())
    at_least = max(0, math.ceil(solution.bound * unit - slack - 1e-3)) if np.isfinite(solution.bound) else 0
    if solution.values is None:
        return Shortage(None, {}, at_least)
    solver.load(solution.values)
    plan = plan_of(choices(model, data), problem, data)
    needed = Evaluator(problem)(plan).memory_bytes
    extra = {
        device.name: max(0, needed[device.name] - device.memory_bytes)
        for device in problem.cluster.devices
        if device.memory_bytes is not None
    }
    return Shortage(plan, extra, min(at_least, sum(extra.values())))
