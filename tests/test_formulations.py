"""formulations/README.md names every constraint of every model, and nothing that is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

import formulations
from experiments.exits_instances import drawn
from formulations import exits, exits_plain, partition, partition_plain, tiling
from iopt.exits.geometry import geometry
from iopt.exits.milp_data import exits_data
from iopt.partition.milp_data import partition_data
from tests.partition import footprint_mutants
from tests.partition.mutants import KINDS, Instance, judged
from tests.tiling.mutants import data_of

README = (Path(formulations.__file__).parent / "README.md").read_text(encoding="utf-8")


def partition_models() -> Iterator[pyo.ConcreteModel]:
    for kind in KINDS:
        for seed in range(8):
            data = judged(Instance(kind, seed)).data
            yield from (partition.build(data), partition_plain.build(data))
            yield partition.build_elastic(data, dict.fromkeys(data.capped, 1.0))
    for kind in footprint_mutants.KINDS:
        for seed in range(8):
            problem, _ = footprint_mutants.lacking(footprint_mutants.Instance(kind, seed, 0))
            data = partition_data(problem, 1.0)
            yield from (partition.build(data), partition_plain.build(data))


def exits_models() -> Iterator[pyo.ConcreteModel]:
    for seed in range(4):
        problem = drawn(4, 4, seed, applications=2, memory=0.6)
        data = exits_data(problem, [geometry(problem, index) for index in range(2)], 1.0)
        yield from (exits.build(data), exits_plain.build(data))


def tiling_models() -> Iterator[pyo.ConcreteModel]:
    for seed in range(40):
        data, _, objective = data_of(seed)
        yield tiling.build(data, objective)


@pytest.mark.parametrize(
    ("section", "models"), [("Partition", partition_models), ("Exits", exits_models), ("Tiling", tiling_models)]
)
def test_every_constraint_is_named(section: str, models: Callable[[], Iterator[Any]]) -> None:
    text = README.split(f"## {section}\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z_]+)`", text))
    found = {constraint.name for model in models() for constraint in model.component_objects(pyo.Constraint)}
    assert found <= named
    rows = [row.split("|") for row in text.splitlines() if row.startswith("|")]
    in_tables = {name for row in rows for name in re.findall(r"`([a-z_]+)`", "".join(row[1:3]))}
    assert in_tables <= found
