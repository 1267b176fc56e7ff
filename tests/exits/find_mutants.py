"""`python -m tests.exits.find_mutants` finds an instance for every mutant and writes them to
tests/data/exits_mutants.json."""

from __future__ import annotations

import json
from math import inf

from tests.exits.mutants import (
    FORMULATIONS,
    LOOSENED,
    SWAPPED,
    TABLE,
    Instance,
    candidates,
    differ,
    instance,
    names,
    scaled,
    shows,
)
from tests.exits.reference import least_energy


def find(count: int) -> dict[str, dict[str, Instance]]:
    """For every mutant the first instance that shows it."""
    table: dict[str, dict[str, Instance]] = {}
    for formulation in FORMULATIONS:
        wanted = {
            (name, by)
            for where in candidates(3)
            for name in names(formulation, scaled(instance(*where)))
            for by in ("dropped", *(["loosened"] if name in LOOSENED else []))
        }
        for name, by in sorted(wanted):
            found = next((where for where in candidates(count) if shows(formulation, where, name, by)), None)
            print(formulation, name, by, found, flush=True)
            if found is not None:
                table.setdefault(f"{formulation}, {by}", {})[name] = found
    for name in SWAPPED:
        found = next((where for where in candidates(count) if is_swap_seen(name, where)), None)
        print(name, found, flush=True)
        if found is not None:
            table.setdefault("data", {})[name] = found
    return table


def is_swap_seen(name: str, where: Instance) -> bool:
    """By the second enumeration, which is fast."""
    problem = instance(*where)
    best, wrong = least_energy(problem), least_energy(SWAPPED[name](problem))
    return best < inf and wrong < inf and differ(best, wrong)


if __name__ == "__main__":
    TABLE.write_text(json.dumps(find(300), indent=1) + "\n")
