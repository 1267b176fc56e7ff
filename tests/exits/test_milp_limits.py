"""`milp` where limits are kept by a hair, where nothing is found, and where it is interrupted."""

from __future__ import annotations

from math import inf

import pytest

from experiments.exits_instances import drawn
from iopt.cluster import Cluster, Device, Network
from iopt.exits import Application, Block, Exit, ExitNetwork, Problem, milp, solve
from iopt.exits.enumeration import best_plan
from iopt.exits.geometry import geometry
from iopt.exits.limits import Limits
from iopt.exits.milp import solve_milp
from iopt.exits.search import columns
from iopt.exits.search.pareto import Found
from iopt.exits.search.pool import Pool
from iopt.incumbent import Incumbent
from iopt.result import Progress, Status


def hair(part: float, speeds: tuple[float, ...] = (1e9, 1.0002685e9, 1.0005369e9)) -> Problem:
    """Three nodes that are nearly as fast, the slowest by far the cheapest; all on it takes `part` more than the
    limit."""
    blocks = (Block("a", 3e6, 10.0), Block("b", 5e6, 0.0))
    network = ExitNetwork("net", 10.0, blocks, (Exit("exit", 2, 1.0, 0.9),))
    devices = tuple(
        Device(f"node-{index}", speed, power_w=10.0**index, energy_per_bit_j=1e-9) for index, speed in enumerate(speeds)
    )
    cluster = Cluster("hair", devices, Network(0.0, (1e12,) * 3, (1e12,) * 3))
    return Problem((Application(network, 0.5, 8e6 / speeds[0] / (1 + part)),), cluster, pinned=False)


@pytest.mark.parametrize("part", [-1e-6, -3e-7, -1e-8, 0.0, 1e-10, 2.5e-10, 9e-10])
def test_plans_that_just_keep_a_limit_count(part: float) -> None:
    """The tolerance of comparisons is the solver's, too: what it proves is below them."""
    problem = hair(part)
    found = best_plan(problem)
    assert found is not None
    for result in (solve_milp(problem, reduce=False), solve_milp(problem), solve(problem, "pareto")):
        assert result.status is not Status.INFEASIBLE
        assert result.bound is not None
        assert result.bound <= found[1] * (1 + 1e-8)


def test_no_column_at_all_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A label search that ends before it has found anything leaves the pool empty."""
    monkeypatch.setattr(columns, "pareto", lambda *_: Found(None, inf, 0.0))
    for problem in (drawn(5, 4, 1), drawn(4, 4, 1, applications=2)):
        result, best = solve_milp(problem), solve_milp(problem, reduce=False)
        assert result.status is Status.OPTIMAL
        assert result.objective == pytest.approx(best.objective)
    shapes = [geometry(problem, index) for index in range(2)]
    pool = Pool(shapes, Limits.of(problem))
    pool.add_one(0, (0,) * shapes[0].depth)
    assert pool.choice(1.0) == (None, inf)


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("is_noted", [False, True])
def test_an_interrupt_ends_it(is_known: bool, is_noted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raised in Python, or noted by the solver that chooses columns: with the best plan so far, where there is one."""
    problem = drawn(8, 5, 2, applications=3, memory=0.5)
    plan = solve(problem, "reroute").plan
    assert plan is not None
    asked = []

    def choice(pool: Pool, *_: object) -> tuple[None, float]:
        asked.append(pool)
        if not is_noted:
            raise KeyboardInterrupt
        pool.was_interrupted = True
        return None, -inf

    monkeypatch.setattr(Pool, "choice", choice)
    monkeypatch.setattr(milp, "priced_start", lambda shapes, *_: [None] * len(shapes))
    monkeypatch.setattr(Incumbent, "is_closed", lambda *_: False)
    if not is_known:
        with pytest.raises(KeyboardInterrupt):
            solve_milp(problem)
    else:
        result = solve_milp(problem, starts=[plan])
        assert (result.plan, result.message) == (plan, "interrupted: the best plan so far")
    assert len(asked) == 1


def test_a_plan_is_known_before_columns_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where `sequential` finds none: so the gap is known early."""
    problem = drawn(8, 5, 9, applications=6, memory=0.3, rate_per_s=15.0)
    assert solve(problem, "sequential").plan is None
    best = solve(problem)
    assert best.status is Status.OPTIMAL
    assert best.objective is not None
    known: list[float] = []

    def choice(*_: object) -> tuple[None, float]:
        known.append(seen[-1].incumbent or inf)
        return None, -inf

    seen: list[Progress] = []
    monkeypatch.setattr(Pool, "choice", choice)
    solve_milp(problem, on_progress=seen.append)
    assert best.objective * (1 - 1e-9) <= known[0] <= best.objective * 1.01
