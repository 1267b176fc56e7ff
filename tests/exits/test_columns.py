"""Prices and columns: they bracket the optimum, and close the gap."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import numpy as np
import pytest

from iopt.exits.geometry import Geometry
from iopt.exits.limits import Limits
from iopt.exits.milp import worthwhile
from iopt.exits.paths import path_weight
from iopt.exits.plan import Plan
from iopt.exits.search.ascent import ascend
from iopt.exits.search.columns import generate
from iopt.exits.search.each import Path
from iopt.exits.search.pool import Pool
from iopt.exits.search.reroute import energy_of
from iopt.exits.search.routes import close
from tests.exits.instances import Limited
from tests.exits.reference import feasible, judge
from tests.exits.solved import every_path, plan_of, shapes_of, solvable


def test_prices_prove_a_bound() -> None:
    near = 0
    for limited, count in (("none", 1), ("any", 1), ("all", 2)):
        for problem, best in solvable(12, limited, applications=count):
            shapes, limits = shapes_of(problem), Limits.of(problem)
            shapes = [shape.within(limits) for shape in shapes]
            for known in (inf, best):
                dual = ascend(shapes, limits, known, 60)
                assert dual.bound <= best * (1 + 1e-9)
            near += best < inf and dual.bound > 0.9 * best
            for pairs in pairwise(dual.prices):
                assert all(
                    (ours == theirs).all()
                    for ours, theirs in zip(*(vars(p.shared).values() for p in pairs), strict=True)
                )
    assert near > 10


@pytest.mark.parametrize("limited", ["any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
def test_columns_bracket_the_optimum(limited: Limited, applications: int) -> None:
    found = proved = 0
    for problem, best in solvable(12, limited, applications=applications):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        pool = Pool(shapes, limits)
        priced = generate(pool, limits)
        assert priced.bound <= best * (1 + 1e-9)
        if priced.bound == inf:
            continue
        assert pool.prices()[0] >= priced.bound * (1 - 1e-9)  # it mixes fewer columns than there are
        paths, chosen = pool.choice(5.0)
        if paths is None:
            assert chosen == inf
            continue
        energy = energy_of(shapes, paths)
        assert not judge(problem, plan_of(shapes, list(paths))).broken
        assert chosen <= energy * (1 + 1e-9)
        assert chosen >= energy * (1 - 1e-6)
        assert energy >= best * (1 - 1e-9)
        found += 1
        proved += priced.bound >= energy * (1 - 1e-6)
    assert found > 5
    assert proved > 3


@pytest.mark.parametrize("limited", ["any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
@pytest.mark.parametrize("is_known", [False, True])
def test_all_columns_that_matter_close_the_gap(limited: Limited, applications: int, is_known: bool) -> None:
    """Whatever is known at the start, what is chosen in the end is the best of all, and proved."""
    closed = 0
    for problem, best in solvable(10, limited, applications=applications):
        shapes, limits, plans = shapes_of(problem), Limits.of(problem), []
        pool = Pool(shapes, limits)
        known = best * 1.05 if is_known and best < inf else inf
        priced = generate(pool, limits, known)
        if priced.bound == inf:
            assert best == inf
            continue

        def found(paths: list[Path], shapes: list[Geometry] = shapes, plans: list[Plan] = plans) -> float:
            plans.append(plan_of(shapes, list(paths)))
            return energy_of(shapes, paths)

        bound = close(pool, limits, priced, known, lambda: 10.0, found)
        assert all(not judge(problem, plan).broken for plan in plans)
        if best == inf:
            assert (plans, bound) == ([], inf)
            continue
        closed += 1
        energies = [judge(problem, plan).energy_rate for plan in plans]
        assert min(energies) == pytest.approx(best, rel=1e-9)
        assert bound == pytest.approx(best, rel=1e-7)
        assert bound <= best * (1 + 1e-8)
    assert closed > 3


@pytest.mark.parametrize("width", [1, 2, 4])
def test_columns_cut_away_leave_a_bound(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iopt.exits.search.routes.WIDTHS", (width,))
    monkeypatch.setattr("iopt.exits.search.columns.ROUNDS", 0)
    opened = 0
    for problem, best in solvable(20, "all", applications=2):
        shapes, limits, energies = shapes_of(problem), Limits.of(problem), [inf]
        pool = Pool(shapes, limits)
        priced = generate(pool, limits)
        if priced.bound == inf:
            continue

        def found(paths: list[Path], shapes: list[Geometry] = shapes, energies: list[float] = energies) -> float:
            energies.append(energy_of(shapes, paths))
            return energies[-1]

        bound = close(pool, limits, priced, inf, lambda: 10.0, found)
        assert bound <= best * (1 + 1e-8)
        opened += bound < min(energies) * (1 - 1e-6)
    if width == 1:
        assert opened > 2


def test_the_choice_among_columns_that_are_known_is_the_best() -> None:
    """Handed every placement of every application, the pool chooses the optimum."""
    for problem, best in solvable(15, "all", applications=2):
        shapes, limits = shapes_of(problem), Limits.of(problem)
        pool = Pool(shapes, limits)
        for index, shape in enumerate(shapes):
            for path in every_path(shape):
                if path_weight(shape.time, shape.source, path) <= shape.longest_s:
                    assert pool.add_one(index, path)
                    assert not pool.add_one(index, path)
        if any(not any(True for path in every_path(shape)) for shape in shapes) or len(pool) < 2:
            continue
        paths, bound = pool.choice(10.0)
        assert (paths is None) == (best == inf)
        if paths is not None:
            assert energy_of(shapes, paths) == pytest.approx(best, rel=1e-9)
            assert bound == pytest.approx(best, rel=1e-7)
            assert pool.prices()[0] <= best * (1 + 1e-9)


@pytest.mark.parametrize("limited", ["none", "any", "all", "links"])
@pytest.mark.parametrize("applications", [1, 2])
def test_no_step_of_a_plan_that_is_as_good_is_taken_out(limited: Limited, applications: int) -> None:
    kept = dropped = 0
    for problem, best in solvable(8, limited, applications=applications):
        if best == inf:
            continue
        shapes, limits = shapes_of(problem), Limits.of(problem)
        plans = [(judged.energy_rate, plan) for judged, plan in feasible(problem)]
        priced = generate(Pool(shapes, limits), limits)
        for known in (best, best * 1.1, inf):
            left = worthwhile(shapes, limits, priced, known)
            dropped += sum(
                int(np.isfinite(shape.energy).sum() - np.isfinite(less.energy).sum())
                for shape, less in zip(shapes, left, strict=True)
            )
            for energy, plan in plans:
                if energy > known * (1 + 1e-9):
                    continue
                if any(place.exit != shape.exit for place, shape in zip(plan.placements, shapes, strict=True)):
                    continue
                kept += 1
                for shape, placement in zip(left, plan.placements, strict=True):
                    assert np.isfinite(path_weight(shape.energy, shape.source, placement.nodes))
                    assert np.isfinite(path_weight(shape.time, shape.source, placement.nodes))
    assert kept > 5
    assert dropped > 30
