"""Every constraint on the executor's memory matters: without it a plan fits that lacks a byte."""

from __future__ import annotations

import json

import pytest

from tests.partition.footprint_mutants import FORMULATIONS, TABLE, Instance, fits, instances, names

MUTANTS: dict[str, dict[str, tuple[str, int, int]]] = json.loads(TABLE.read_text())


@pytest.mark.parametrize(("formulation", "name"), [(at, name) for at in FORMULATIONS for name in MUTANTS[at]])
def test_without_it_a_plan_fits_that_does_not(formulation: str, name: str) -> None:
    where = Instance(*MUTANTS[formulation][name])
    assert not fits(formulation, where)
    assert fits(formulation, where, name)


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_every_constraint_is_in_the_table(formulation: str) -> None:
    seen = {name for seed in range(6) for where in instances(seed) for name in names(formulation, where)}
    assert seen == MUTANTS[formulation].keys()
