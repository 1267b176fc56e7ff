"""Every constraint of the formulations matters: without it a test here is red."""

from __future__ import annotations

import json
from typing import Any

import pyomo.environ as pyo
import pytest

from formulations import partition
from tests.partition.mutants import FORMULATIONS, IMPLIED, TABLE, TIGHTENING, instance, names, scaled, shows

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


def test_only_inequalities_that_help_the_solver_die_by_their_relaxation() -> None:
    defining: set[str] = set()
    for seed in range(40):
        model = partition.build(scaled(instance(seed)), cuts=False)
        defining |= {component.name for component in model.component_objects(pyo.Constraint)}
    weak = {name for name, mutant in MUTANTS["tight"].items() if mutant["by"] == "relaxation" and name in defining}
    assert weak == set(TIGHTENING)
    assert all(mutant["by"] == "optimum" for mutant in MUTANTS["plain"].values())
