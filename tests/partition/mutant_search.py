"""The search for instances that show what each mutant of the partition formulations lacks; see `mutants.py`.

`python -m tests.partition.mutant_search` writes them to tests/data/partition_mutants.json, which `test_mutants.py`
replays.
"""

from __future__ import annotations

import json
from typing import Any

from tests.partition.mutants import (
    FORMULATIONS,
    IMPLIED,
    KINDS,
    LOOSENED,
    TABLE,
    Change,
    Instance,
    Undecided,
    cut_names,
    faster,
    is_right,
    judged,
    names,
    weaker,
)

MANY, MORE = range(60), range(60, 300)
"""Seeds of every kind: for all mutants, and for those that none of the former shows."""

Entry = dict[str, Any]


class Search:
    """The first instance that shows each mutant: by a point that is too fast, else by a weaker relaxation.

    What no instance shows too fast is looked for on all of `MANY`, but for valid inequalities, which cannot be.
    """

    def __init__(self, formulation: str) -> None:
        self.formulation = formulation
        self.defining: dict[str, Entry] = {}
        self.strengthening: dict[str, Entry] = {}
        self.loosened: dict[str, Entry] = {}
        self.implied: dict[str, Entry] = {}
        self._seen: set[str] = set()

    def run(self) -> dict[str, dict[str, Entry]]:
        for seeds in (MANY, MORE):
            for seed in seeds:
                for kind in KINDS:
                    if seeds is MANY or any(self._left()):
                        self._look(Instance(kind, seed), thorough=seeds is MANY)
        return {
            "dropped": _sorted(self.strengthening | self.defining),
            "loosened": _sorted(self.loosened),
            "implied": _sorted(self.implied),
        }

    def _look(self, where: Instance, thorough: bool) -> None:
        if judged(where).best == 0:
            return
        formulation, entry = self.formulation, {"kind": where.kind, "seed": where.seed}
        present = set(names(formulation, where))
        cuts = cut_names(formulation, where)
        weak = self.strengthening.keys() & cuts if thorough else self.strengthening.keys()
        implied = {name for which, name in IMPLIED if which == formulation}
        for name in sorted(present - self.defining.keys() - weak):
            if name not in cuts and self._faster(where, (name, "dropped")):
                self.defining[name] = {"class": "defining", **entry}
            elif name not in self.strengthening and (values := weaker(formulation, where, name)):
                self.strengthening[name] = {"class": "strengthening", **entry, "relaxation": values}
        for name in sorted(present & LOOSENED.keys() & self.defining.keys() - self.loosened.keys()):
            if self._faster(where, (name, "loosened")):
                self.loosened[name] = entry
        for name in sorted(present & implied - self.implied.keys()):
            by = IMPLIED[formulation, name][0]
            if not by or not present.issuperset(by):
                continue
            if not self._faster(where, *((other, "dropped") for other in by)) and self._faster(
                where, *((other, "dropped") for other in (name, *by))
            ):
                self.implied[name] = {"class": "defining", **entry}
            elif thorough and name not in self.implied and (values := weaker(formulation, where, name, by)):
                self.implied[name] = {"class": "strengthening", **entry, "relaxation": values}
        self._seen |= present
        print(formulation, where, *map(sorted, self._left()), flush=True)

    def _left(self) -> tuple[set[str], set[str], set[str]]:
        """What is not shown yet, of each part of the table."""
        implied = {name for (which, name), (by, _) in IMPLIED.items() if which == self.formulation and by}
        unnamed = {name for which, name in IMPLIED if which == self.formulation}
        neither = self._seen - self.defining.keys() - self.strengthening.keys() - unnamed
        loose = self.defining.keys() & LOOSENED.keys() - self.loosened.keys()
        return neither, loose, implied - self.implied.keys()

    def _faster(self, where: Instance, *changes: tuple[str, Change]) -> bool:
        try:
            if faster(self.formulation, where, changes) is None:
                return False
        except Undecided as undecided:
            print(undecided, flush=True)
            return False
        if not is_right(self.formulation, where):
            raise AssertionError(f"{self.formulation} is wrong on {where}")
        return True


def _sorted(entries: dict[str, Entry]) -> dict[str, Entry]:
    return dict(sorted(entries.items()))


if __name__ == "__main__":
    table = {formulation: Search(formulation).run() for formulation in FORMULATIONS}
    TABLE.write_text(json.dumps(table, indent=1) + "\n")
