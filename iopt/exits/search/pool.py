"""Columns: whole placements, from which one per application is to be chosen within the shared limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, vstack

from iopt.exact import Program
from iopt.exits.dominance import undominated
from iopt.exits.geometry import Geometry
from iopt.exits.limits import Array, Limits
from iopt.exits.paths import path_weight
from iopt.exits.problem import ROOM, TOLERANCE
from iopt.exits.search.each import Path
from iopt.exits.search.resources import Ints

DEAR = 10.0
"""An application without a placement costs this many times all columns together."""
PARTS = 100
"""The dearest columns together are so many units of the solver's energy."""


class Pool:
    """Placements of each application, with their energy and their use of all limits."""

    def __init__(self, geometries: Sequence[Geometry], limits: Limits) -> None:
        self.geometries = geometries
        self._capacity = limits.flat * (1 + TOLERANCE)
        self._known: list[set[Path]] = [set() for _ in geometries]
        self._columns: list[tuple[int, Path]] = []
        self._energy: list[float] = []
        self._use: list[Array] = []
        self.was_interrupted = False

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, paths: Sequence[Path | None]) -> bool:
        """A placement of each application; True if one is new."""
        return sum(self.add_one(index, path) for index, path in enumerate(paths)) > 0

    def add_one(self, index: int, path: Path | None) -> bool:
        """True if it is new."""
        if path is None or path in self._known[index]:
            return False
        geometry = self.geometries[index]
        self._known[index].add(path)
        self._columns.append((index, path))
        self._energy.append(path_weight(geometry.energy, geometry.source, path))
        self._use.append(geometry.used(path).flat)
        return True

    def prices(self) -> tuple[float, Limits]:
        """Value of the linear programme that mixes the columns, and its prices of the limits."""
        rows, use, one = self._rows()
        energy, count = np.array(self._energy), len(self.geometries)
        dear = DEAR * max(float(energy.sum()), 1e-300)
        answer = linprog(
            np.concatenate((energy, np.full(count, dear))),
            A_ub=np.column_stack((use.toarray(), np.zeros((len(rows), count)))) if len(rows) else None,
            b_ub=np.ones(len(rows)) if len(rows) else None,
            A_eq=np.column_stack((one.toarray(), np.eye(count))),
            b_eq=np.ones(count),
            method="highs",
        )
        prices = np.zeros(len(self._capacity))
        if len(rows):
            prices[rows] = np.maximum(-answer.ineqlin.marginals, 0.0) / self._capacity[rows]
        assert answer.fun is not None  # an application without a placement is dear, not impossible
        return float(answer.fun), _limits(prices, self.geometries[0].nodes)

    def choice(self, time_limit_s: float, known: Sequence[Path] | None = None) -> tuple[list[Path] | None, float]:
        """The best plan that the columns make up, and a bound on all that they make up (inf: none).

        `known`: a plan to start from. The plan that is found may exceed a limit by the room that solvers are given. An
        interrupt from the keyboard ends it like the time limit and is noted in `was_interrupted`. HiGHS does without
        presolve, which takes longer here than what it saves.
        """
        if not all(self._known):
            return None, np.inf
        rows, use, one = self._rows()
        stay = self._undominated(use)
        use, one, count, columns = use[:, stay], one[:, stay], len(self.geometries), len(stay)
        energy = np.array(self._energy)[stay]
        unit = float(energy.max()) * count / PARTS or 1.0
        program = Program(
            energy / unit,
            vstack((one, use)),
            np.concatenate((np.ones(count), np.full(len(rows), -np.inf))),
            np.concatenate((np.ones(count), np.full(len(rows), ROOM))),
            np.zeros(columns),
            np.ones(columns),
            np.ones(columns, dtype=bool),
        )
        start = None if known is None else self._start(known, stay)
        solution = program.solve(time_limit_s, start=start, presolve=False)
        self.was_interrupted |= solution.was_interrupted
        if solution.values is None:
            return None, np.inf if solution.is_infeasible else solution.bound * unit
        chosen = dict(self._columns[column] for column in stay[solution.values > 0.5])
        return [chosen[index] for index in range(count)], solution.bound * unit

    def _start(self, known: Sequence[Path], stay: Ints) -> Array | None:
        """Of these columns those of a plan; None where another has taken the place of one."""
        chosen = np.array([float(known[index] == path) for index, path in (self._columns[column] for column in stay)])
        return chosen if chosen.sum() == len(known) else None

    def _undominated(self, use: csr_array) -> Ints:
        """Columns that no other of the same application equals or undercuts in energy and in all that it takes."""
        values = np.column_stack((self._energy, use.toarray().T))
        owner, stay = np.array([index for index, _ in self._columns]), []
        for index in range(len(self.geometries)):
            group = np.flatnonzero(owner == index)
            stay.append(group[undominated(values[group])])
        return np.concatenate(stay)

    def _rows(self) -> tuple[Ints, csr_array, csr_array]:
        """The limits that some choice of columns breaks, with [rows, columns] what each takes of them, and [H, columns]
        whose it is."""
        owner, use = np.array([index for index, _ in self._columns]), np.array(self._use)
        most = np.zeros((len(self.geometries), len(self._capacity)))
        np.maximum.at(most, owner, use)
        rows = np.flatnonzero(most.sum(axis=0) > self._capacity)
        one = csr_array((np.ones(len(self)), (owner, np.arange(len(self)))), (len(self.geometries), len(self)))
        return rows, csr_array(use[:, rows].T / self._capacity[rows, None]), one


def _limits(flat: Array, nodes: int) -> Limits:
    compute, memory, links = np.split(flat, (nodes, 2 * nodes))
    return Limits(compute, memory, links.reshape(nodes, nodes))
