"""Every constraint of the formulation of tiling matters: without it a test here is red."""

from __future__ import annotations

import json

import pytest

from tests.tiling.instances import tiny_problem
from tests.tiling.mutants import (
    LOOSENED,
    SWAPPED,
    TABLE,
    data_of,
    differ,
    is_swap_seen,
    least,
    names,
    optimum,
    shows,
)

MUTANTS: dict[str, dict[str, int]] = json.loads(TABLE.read_text(encoding="utf-8"))
ROWS = [(by, name) for by in ("dropped", "loosened") for name in MUTANTS[by]]


@pytest.mark.parametrize(("by", "name"), ROWS)
def test_the_mutant_of_a_constraint_dies(by: str, name: str) -> None:
    seed = MUTANTS[by][name]
    data, unit, objective = data_of(seed)
    assert optimum(data, objective) * unit == pytest.approx(least(tiny_problem(seed)), rel=1e-9)
    assert shows(seed, name, by)


@pytest.mark.parametrize("name", SWAPPED)
def test_the_mutant_of_the_data_dies(name: str) -> None:
    """The programme follows the problem: its optimum changes as that of enumeration does."""
    seed = MUTANTS["data"][name]
    assert is_swap_seen(name, seed)
    data, unit, objective = data_of(seed)
    assert optimum(data, objective) * unit == pytest.approx(least(tiny_problem(seed)), rel=1e-9)
    assert differ(optimum(data, objective) * unit, least(SWAPPED[name](tiny_problem(seed))))


def test_no_constraint_is_without_a_mutant() -> None:
    seen = {name for seed in range(40) for name in names(data_of(seed)[0], data_of(seed)[2])}
    assert seen == set(MUTANTS["dropped"])
    assert set(MUTANTS["loosened"]) == set(LOOSENED)
