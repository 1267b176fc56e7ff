"""Every constraint of the formulations matters: without it, or with a looser one, a test here is red."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.partition.mutants import (
    FORMULATIONS,
    IMPLIED,
    LOOSENED,
    TABLE,
    TIGHTENING,
    Change,
    Instance,
    cut_names,
    faster,
    is_right,
    names,
    relaxation,
    weaker,
)

Entry = dict[str, Any]
MUTANTS: dict[str, dict[str, dict[str, Entry]]] = json.loads(TABLE.read_text())
SEEDS = range(30)


def entries(part: str, kind: str | None = None) -> list[tuple[str, str]]:
    """Formulation and name of what is in one part of the table, of one class if that is named."""
    found = [(formulation, name) for formulation in FORMULATIONS for name in MUTANTS[formulation][part]]
    return [at for at in found if kind is None or MUTANTS[at[0]][part][at[1]]["class"] == kind]


def place(formulation: str, part: str, name: str) -> tuple[Instance, Entry]:
    entry = MUTANTS[formulation][part][name]
    return Instance(entry["kind"], entry["seed"]), entry


def beaten(formulation: str, where: Instance, *changes: tuple[str, Change]) -> bool:
    """Whether a mutant of a formulation that is right here has a point that is too fast."""
    assert is_right(formulation, where)
    return faster(formulation, where, changes) is not None


def weakened(formulation: str, where: Instance, entry: Entry, name: str, without: tuple[str, ...] = ()) -> bool:
    """Whether the relaxation falls as it is written down."""
    found = weaker(formulation, where, name, without)
    return found is not None and found == pytest.approx(tuple(entry["relaxation"]), rel=1e-6)


@pytest.mark.parametrize(("formulation", "name"), entries("dropped", "defining"))
def test_without_a_defining_constraint_there_is_a_point_faster_than_every_plan(formulation: str, name: str) -> None:
    where, _ = place(formulation, "dropped", name)
    assert beaten(formulation, where, (name, "dropped"))


@pytest.mark.parametrize(("formulation", "name"), entries("loosened"))
def test_a_loosened_constraint_lets_such_a_point_through(formulation: str, name: str) -> None:
    where, _ = place(formulation, "loosened", name)
    assert beaten(formulation, where, (name, "loosened"))


@pytest.mark.parametrize(("formulation", "name"), entries("dropped", "strengthening"))
def test_without_a_strengthening_constraint_only_the_relaxation_is_weaker(formulation: str, name: str) -> None:
    where, entry = place(formulation, "dropped", name)
    assert weakened(formulation, where, entry, name)
    assert not beaten(formulation, where, (name, "dropped"))


@pytest.mark.parametrize(("formulation", "name"), entries("implied"))
def test_what_is_implied_is_needed_without_what_implies_it(formulation: str, name: str) -> None:
    where, entry = place(formulation, "implied", name)
    by = IMPLIED[formulation, name][0]
    if entry["class"] == "strengthening":
        assert weakened(formulation, where, entry, name, by)
        return
    assert not beaten(formulation, where, *((other, "dropped") for other in by))
    assert beaten(formulation, where, *((other, "dropped") for other in (name, *by)))


@pytest.mark.parametrize(("formulation", "name"), IMPLIED)
def test_what_one_formulation_could_do_without_the_other_needs(formulation: str, name: str) -> None:
    assert all(name in MUTANTS[other]["dropped"] for other in FORMULATIONS if other != formulation)
    for seed in range(6):
        where = Instance("any", seed)
        if name in names(formulation, where):
            assert not beaten(formulation, where, (name, "dropped"))
            assert relaxation(formulation, where, (name,)) == pytest.approx(relaxation(formulation, where), rel=1e-9)


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_every_constraint_is_in_the_table(formulation: str) -> None:
    seen = {name for seed in SEEDS for name in names(formulation, Instance("any", seed))}
    table, implied = MUTANTS[formulation], {name: by for (at, name), (by, _) in IMPLIED.items() if at == formulation}
    assert seen == table["dropped"].keys() | implied.keys()
    assert not table["dropped"].keys() & implied.keys()
    assert table["implied"].keys() == {name for name, by in implied.items() if by}


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_inequalities_only_strengthen_and_what_else_does_is_known(formulation: str) -> None:
    cuts = {name for seed in SEEDS for name in cut_names(formulation, Instance("any", seed))}
    weak = {name for at, name in entries("dropped", "strengthening") if at == formulation}
    assert weak == cuts | TIGHTENING[formulation].keys()
    assert not cuts & TIGHTENING[formulation].keys()


@pytest.mark.parametrize("formulation", FORMULATIONS)
def test_what_counts_is_loosened_too(formulation: str) -> None:
    defining = {name for at, name in entries("dropped", "defining") if at == formulation}
    assert MUTANTS[formulation]["loosened"].keys() == defining & LOOSENED.keys()
