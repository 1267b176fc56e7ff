"""Every constraint of the formulations matters: without it a test here is red."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.partition.mutants import FORMULATIONS, IMPLIED, TABLE, instance, names, scaled, shows

MUTANTS: dict[str, dict[str, dict[str, Any]]] = json.loads(TABLE.read_text())


@pytest.mark.parametrize(
    ("formulation", "name"), [(formulation, name) for formulation, table in MUTANTS.items() for name in table]
)
def test_the_mutant_without_a_constraint_dies(formulation: str, name: str) -> None:
    mutant = MUTANTS[formulation][name]
    assert shows(formulation, mutant["seed"], name, mutant["by"])


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_no_constraint_is_without_a_mutant(formulation: str) -> None:
    seen = {name for seed in range(40) for name in names(formulation, scaled(instance(seed)))}
    implied = {name for where, name in IMPLIED if where == formulation}
    assert seen == set(MUTANTS[formulation]) | implied
    assert not set(MUTANTS[formulation]) & implied


@pytest.mark.parametrize(("formulation", "name"), IMPLIED)
def test_what_one_formulation_could_do_without_the_other_needs(formulation: str, name: str) -> None:
    assert all(name in MUTANTS[other] for other in FORMULATIONS if other != formulation)
