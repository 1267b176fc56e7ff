"""A plan: for every application the exit it is deployed up to and the node of each block. No cost in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """`exit`: index of the deepest exit deployed; `nodes`: index of the device of each block up to that exit, in the
    order of the cluster."""

    application: str
    exit: int
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """One `Placement` per application, in the order of the problem."""

    placements: tuple[Placement, ...]
