"""Cut a network into fused groups of layers and tile each: mixed-integer linear programme, exact.

Source: the problem is MAFAT's (arXiv 2107.06960) with any number of groups and any tilings; the formulation is ours.

Sets
    l              layers, from 0; layers that may not be cut apart, as those of a residual block, count as one
    (a, b, k)      layers a ... b as one group, under its tiling k

Parameters (`TilingData`, dimensionless): work and peak of every (a, b, k), limits.

Variables
    y[a,b,k]       1 if the configuration has this group with this tiling      binary
    peak           of the configuration                                        >= 0

Constraints: once, each layer is in one group (so the groups are a path over cuts: the matrix of intervals is totally
unimodular); holds, the peak is no less than that of the group of any layer; memory; overhead; excluded, empty at first,
takes configurations out.

Objective: least work, or least peak. With least work and groups within the memory limit only, the relaxation is a
shortest path and has no gap; with least peak under an overhead it has one, as groups may be mixed.
"""

from __future__ import annotations

from typing import Any, Literal

import pyomo.environ as pyo

from formulations.tiling_data import Choice, TilingData

Objective = Literal["work", "peak"]


def build(data: TilingData, objective: Objective) -> pyo.ConcreteModel:
    """The model; it minimises `objective`, in the units of the data."""
    m = pyo.ConcreteModel("tiling")
    m.LAYERS = pyo.RangeSet(0, data.layers - 1)
    m.CHOICES = pyo.Set(dimen=3, initialize=list(data.choices))
    m.y = pyo.Var(m.CHOICES, domain=pyo.Binary)
    m.peak = pyo.Var(domain=pyo.NonNegativeReals)
    over: dict[int, list[Choice]] = {layer: [] for layer in m.LAYERS}
    for a, b, k in data.choices:
        for layer in range(a, b + 1):
            over[layer].append((a, b, k))
    work = pyo.quicksum(cost.work * m.y[choice] for choice, cost in data.choices.items())
    m.objective = pyo.Objective(expr=work if objective == "work" else m.peak)
    m.excluded = pyo.ConstraintList()

    @m.Constraint(m.LAYERS)
    def once(m: Any, layer: int) -> Any:
        """Every layer is in one group."""
        return pyo.quicksum(m.y[choice] for choice in over[layer]) == 1 if over[layer] else pyo.Constraint.Infeasible

    @m.Constraint(m.LAYERS)
    def holds(m: Any, layer: int) -> Any:
        """The peak is no less than that of the layer's group."""
        return pyo.quicksum(data.choices[choice].peak * m.y[choice] for choice in over[layer]) <= m.peak

    if data.memory is not None:
        m.memory = pyo.Constraint(expr=m.peak <= data.memory)
    if data.overhead is not None:
        m.overhead = pyo.Constraint(expr=work <= data.overhead)
    return m


def chosen(m: Any) -> list[Choice]:
    """The groups of a solved model, in order."""
    return sorted(choice for choice in m.CHOICES if pyo.value(m.y[choice]) > 0.5)


def exclude(m: Any, choices: list[Choice]) -> None:
    """No configuration has all of these groups."""
    m.excluded.add(pyo.quicksum(m.y[choice] for choice in choices) <= len(choices) - 1)
