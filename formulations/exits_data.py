"""What the formulations of exits are given: applications and nodes, dimensionless."""

from __future__ import annotations

from dataclasses import dataclass

Step = tuple[int, int, int]
"""(b, n, m): block b, counted from 1, runs on node m; what it reads comes from node n. For b = 1 that is the source."""


@dataclass(frozen=True)
class Cost:
    """Of a step, its transfer and its block together. `energy` in units of a reference energy, weighted with the
    application's rate; `time` in units of the application's latency limit."""

    energy: float
    time: float


@dataclass(frozen=True)
class Application:
    """`steps`: every step that may be taken; what is not in it lacks a link or returns to a lower tier.

    `exits`: (block, accuracy) of every exit, in order; `accuracy`: what is asked for. `source`: where the input is;
    `pinned`: whether block 1 must run there. `compute`, `memory`, `traffic`: what block b takes of its node and, if it
    comes from another, of the link to it, in the units of the capacities; index 0 is block 1.
    """

    exits: tuple[tuple[int, float], ...]
    accuracy: float
    source: int
    pinned: bool
    steps: dict[Step, Cost]
    compute: tuple[float, ...]
    memory: tuple[float, ...]
    traffic: tuple[float, ...]

    @property
    def blocks(self) -> int:
        return len(self.compute)


@dataclass(frozen=True)
class ExitsData:
    """Capacities of nodes, and of links by (n, m); one that cannot bind may be left out."""

    applications: tuple[Application, ...]
    nodes: int
    compute: dict[int, float]
    memory: dict[int, float]
    links: dict[tuple[int, int], float]
