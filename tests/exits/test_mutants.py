"""Every constraint of the formulations of exits matters: without it a test here is red."""

from __future__ import annotations

import json

import pytest

from tests.exits.mutants import (
    FORMULATIONS,
    LOOSENED,
    SWAPPED,
    TABLE,
    candidates,
    differ,
    instance,
    names,
    right,
    scaled,
    shows,
    swapped,
    unit_of,
)
from tests.exits.reference import least_energy

MUTANTS: dict[str, dict[str, tuple[str, int, int]]] = {
    kind: {name: tuple(where) for name, where in table.items()} for kind, table in json.loads(TABLE.read_text()).items()
}
ROWS = [(kind, name) for kind, table in MUTANTS.items() for name in table if kind != "data"]


@pytest.mark.parametrize(("kind", "name"), ROWS)
def test_the_mutant_of_a_constraint_dies(kind: str, name: str) -> None:
    formulation, by = kind.split(", ")
    where = MUTANTS[kind][name]
    assert right(formulation, *where) * unit_of(instance(*where)) == pytest.approx(least_energy(instance(*where)), 1e-7)
    assert shows(formulation, where, name, by)


@pytest.mark.parametrize("name", SWAPPED)
def test_the_mutant_of_the_data_dies(name: str) -> None:
    where = MUTANTS["data"][name]
    best, wrong = swapped(name, where)
    assert best == pytest.approx(least_energy(instance(*where)), rel=1e-7)
    assert wrong == pytest.approx(least_energy(SWAPPED[name](instance(*where))), rel=1e-7)
    assert differ(best, wrong)


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_no_constraint_is_without_a_mutant(formulation: str) -> None:
    seen = {name for where in candidates(5) for name in names(formulation, scaled(instance(*where)))}
    assert seen == set(MUTANTS[f"{formulation}, dropped"])
    assert set(MUTANTS[f"{formulation}, loosened"]) == set(LOOSENED)
