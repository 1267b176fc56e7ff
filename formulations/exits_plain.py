"""The reference variant of `exits.py`: which block runs where, and the products of neighbouring decisions linearised.

It has the same optimum and a weaker relaxation. Variables: x[h,b,n] and y[h,k] are binary, z[h,b,n,m] is at least
x[h,b-1,n] + x[h,b,m] - 1; where no step leads from n to m, both cannot hold.
"""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from formulations.exits import add_decision, add_limits, add_sets
from formulations.exits_data import ExitsData


def build(data: ExitsData) -> pyo.ConcreteModel:
    """The model; `energy` is minimised, in units of the reference energy."""
    m = pyo.ConcreteModel("exits_plain")
    add_sets(m, data)
    m.x = pyo.Var(m.PLACES, domain=pyo.Binary)
    m.y = pyo.Var(m.EXITS, domain=pyo.Binary)
    m.z = pyo.Var(m.STEPS, domain=pyo.Binary)
    pairs = [(h, b, n, to) for h, b, n in m.PLACES for to in range(data.nodes) if (h, b + 1, to) in m.PLACES]

    @m.Constraint(pairs)
    def product(m: Any, h: int, b: int, n: int, to: int) -> Any:
        """A step is taken if the blocks at both of its ends run there; a step that is none keeps them apart."""
        both = m.x[h, b, n] + m.x[h, b + 1, to] - 1
        return both <= (m.z[h, b + 1, n, to] if (h, b + 1, n, to) in m.STEPS else 0)

    @m.Constraint([(h, to) for h, b, to in m.PLACES if b == 1])
    def first(m: Any, h: int, to: int) -> Any:
        """The input comes from the source."""
        step = (h, 1, data.applications[h].source, to)
        return m.x[h, 1, to] <= (m.z[step] if step in m.STEPS else 0)

    add_decision(m, data)
    add_limits(m, data)
    return m
