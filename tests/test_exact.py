"""The solver adapter: arrays, starts, bounds, limits."""

from __future__ import annotations

import logging
from typing import Any, NoReturn

import pyomo.environ as pyo
import pytest

from iopt.exact import Solver, built


def knapsack(items: int = 12) -> Any:
    """Least cost to reach a weight; the relaxation is not integral."""
    m: Any = pyo.ConcreteModel()
    m.I = pyo.RangeSet(1, items)
    m.take = pyo.Var(m.I, domain=pyo.NonNegativeIntegers, bounds=(0, 3))
    m.reach = pyo.Constraint(expr=sum((3 + 2 * i) * m.take[i] for i in m.I) >= 97)
    m.cost = pyo.Objective(expr=sum((5 + 3 * i + i % 4) * m.take[i] for i in m.I) + 7)
    return m


def mixed_rows() -> Any:
    """Rows of every kind, bounds of every kind, a constant in the objective."""
    m: Any = pyo.ConcreteModel()
    m.a = pyo.Var(bounds=(-2, None))
    m.b = pyo.Var(bounds=(None, 4))
    m.c = pyo.Var(domain=pyo.Binary)
    m.equal = pyo.Constraint(expr=m.a + m.b == 3)
    m.least = pyo.Constraint(expr=m.a - m.c >= 0.5)
    m.most = pyo.Constraint(expr=m.b + 2 * m.c <= 5)
    m.between = pyo.Constraint(expr=(-10, m.a - m.b, 10))
    m.cost = pyo.Objective(expr=2 * m.a + m.b - 3 * m.c + 1)
    return m


def test_optimum_bound_and_values() -> None:
    m = mixed_rows()
    solver = Solver(m)
    solution = solver.solve()
    assert solution.objective == pytest.approx(2.5)
    assert solution.bound == pytest.approx(2.5)
    assert solution.values is not None
    solver.load(solution.values)
    assert (m.a.value, m.b.value, m.c.value) == pytest.approx((1.5, 1.5, 1))


def test_relaxation_is_a_bound_and_leaves_the_model_alone() -> None:
    solver = Solver(knapsack())
    relaxed = solver.relaxation()
    solution = solver.solve()
    assert solution.objective is not None
    assert relaxed < solution.objective
    assert solution.bound == pytest.approx(solution.objective)


def test_infeasible_is_said() -> None:
    m = mixed_rows()
    m.never = pyo.Constraint(expr=m.a + m.b >= 4)
    solution = Solver(m).solve()
    assert solution.is_infeasible and solution.values is None and solution.objective is None
    assert solution.bound == float("inf")
    assert Solver(m).relaxation() == float("inf")


def test_completed_keeps_what_is_fixed() -> None:
    m = knapsack()
    solver = Solver(m)
    values = solver.completed([(m.take[1], 2), (m.take[2], 3)])
    assert values is not None
    solver.load(values)
    assert (m.take[1].value, m.take[2].value) == (2, 3)
    assert solver.completed([(take, 0) for take in m.take.values()]) is None


def test_a_start_is_the_first_incumbent() -> None:
    m = knapsack(40)
    solver = Solver(m)
    start = solver.completed([(m.take[i], 3 if i <= 5 else 0) for i in range(1, 20)])
    assert start is not None
    solver.load(start)
    worth = pyo.value(m.cost)
    seen: list[tuple[float, float]] = []
    solution = solver.solve(start=start, on_bound=lambda _, incumbent, bound: seen.append((incumbent, bound)))
    assert seen
    assert all(incumbent <= worth + 1e-9 for incumbent, _ in seen)
    assert solution.objective is not None and solution.objective <= worth


def test_no_time_leaves_the_start() -> None:
    m = knapsack(40)
    solver = Solver(m)
    start = solver.completed([])
    solution = solver.solve(time_limit_s=1e-3, start=start)
    assert solution.values is not None


def test_what_ends_a_construction_is_raised_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An interrupt, say, in the middle of it."""
    level = logging.getLogger("pyomo").level

    def build(items: int) -> Any:
        m: Any = pyo.ConcreteModel()

        def rule(_: Any, i: int) -> NoReturn:
            raise KeyboardInterrupt

        m.rows = pyo.Constraint(pyo.RangeSet(items), rule=rule)
        return m

    with pytest.raises(KeyboardInterrupt):
        build(3)
    assert "Constructing component" in caplog.text
    caplog.clear()
    with pytest.raises(KeyboardInterrupt):
        built(build, 3)
    assert not caplog.records
    assert logging.getLogger("pyomo").level == level


def test_a_run_ends_once_it_is_enough() -> None:
    solver = Solver(knapsack(40))
    start = solver.completed([(solver.model.take[i], 3) for i in range(1, 30)])
    solution = solver.solve(start=start, enough=lambda incumbent, bound: True)
    assert solution.values is not None and not solution.was_interrupted
    assert solution.objective is not None and solution.bound < solution.objective - 1
