"""Place the blocks of early-exit networks on nodes at least energy: mixed-integer linear programme, exact.

Source: FIN (INFOCOM 2024, arXiv 2404.08060) and its journal version; the problem is a reconstruction, docs/exits.md has
its equations. This is the flow form: a placement is a path of steps through the extended graph. `exits_plain.py` is
the same problem with products of decisions linearised one by one: the reference.

Sets
    h              applications
    b in 1..L_h    blocks of an application
    n, m           nodes
    k              exits of an application, after block beta(k)
    (b, n, m)      steps of an application: block b on m, its input from n

Parameters (`ExitsData`, dimensionless): energy and time of every step, accuracies, amounts and capacities.

Variables
    z[h,b,n,m]     1 if block b of h runs on m and its input comes from n      binary
    y[h,k]         1 if k is the deepest exit of h that is deployed            binary

Expressions
    x[h,b,n]       1 if block b of h runs on n: the steps that lead there

Constraints: one_exit, placed, onward (flow), source, accuracy, latency of each application; compute, bandwidth, memory
of what they share; excluded, empty at first, takes plans out. Tiers and absent links are steps that do not exist.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_variables

from formulations.exits_data import ExitsData

LIMITS = ("latency", "compute", "memory", "bandwidth")
"""Constraints that say what plans may use, in units of what there is."""


def build(data: ExitsData) -> pyo.ConcreteModel:
    """The model; `energy` is minimised, in units of the reference energy."""
    m = pyo.ConcreteModel("exits")
    add_sets(m, data)
    m.z = pyo.Var(m.STEPS, domain=pyo.Binary)
    m.y = pyo.Var(m.EXITS, domain=pyo.Binary)
    into: dict[tuple[int, int, int], list[Any]] = {place: [] for place in m.PLACES}
    out: dict[tuple[int, int, int], list[Any]] = {place: [] for place in m.PLACES}
    for h, b, n, to in m.STEPS:
        into[h, b, to].append(m.z[h, b, n, to])
        if b > 1:
            out[h, b - 1, n].append(m.z[h, b, n, to])
    m.x = pyo.Expression(m.PLACES, rule=lambda m, *place: pyo.quicksum(into[place]))

    @m.Constraint(m.PLACES)
    def onward(m: Any, h: int, b: int, n: int) -> Any:
        """Steps go on only from where the block before runs; the last one deployed needs none."""
        return pyo.quicksum(out[h, b, n]) <= m.x[h, b, n] if out[h, b, n] else pyo.Constraint.Skip

    add_decision(m, data)
    add_limits(m, data)
    return m


def add_sets(m: Any, data: ExitsData) -> None:
    """Applications, blocks, exits, steps, and the places (h, b, n) where steps begin or end."""
    applications = list(enumerate(data.applications))
    m.H = pyo.Set(initialize=range(len(applications)))
    m.BLOCKS = pyo.Set(dimen=2, initialize=[(h, b) for h, app in applications for b in range(1, app.blocks + 1)])
    m.EXITS = pyo.Set(dimen=2, initialize=[(h, k) for h, app in applications for k in range(len(app.exits))])
    m.STEPS = pyo.Set(dimen=4, initialize=[(h, *step) for h, app in applications for step in app.steps])
    ends = {(h, b, to) for h, b, _, to in m.STEPS} | {(h, b - 1, n) for h, b, n, _ in m.STEPS if b > 1}
    m.PLACES = pyo.Set(dimen=3, initialize=sorted(ends))


def add_decision(m: Any, data: ExitsData) -> None:
    """Which exit, and that every block up to it runs once; block 1 on the source where it must."""
    nodes: dict[tuple[int, int], list[int]] = {block: [] for block in m.BLOCKS}
    for h, b, n in m.PLACES:
        nodes[h, b].append(n)

    @m.Constraint(m.H)
    def one_exit(m: Any, h: int) -> Any:
        """One exit is the deepest."""
        return pyo.quicksum(m.y[h, k] for k in range(len(data.applications[h].exits))) == 1

    @m.Constraint(m.BLOCKS)
    def placed(m: Any, h: int, b: int) -> Any:
        """A block up to the deepest exit runs on one node, those after it on none."""
        deployed = [m.y[h, k] for k, (after, _) in enumerate(data.applications[h].exits) if after >= b]
        return pyo.quicksum(m.x[h, b, n] for n in nodes[h, b]) == pyo.quicksum(deployed)

    @m.Constraint([h for h in m.H if data.applications[h].pinned])
    def source(m: Any, h: int) -> Any:
        """Block 1 runs where the input is."""
        place = (h, 1, data.applications[h].source)
        return m.x[place] == 1 if place in m.PLACES else pyo.Constraint.Infeasible

    @m.Constraint(m.H)
    def accuracy(m: Any, h: int) -> Any:
        """The deepest exit is accurate enough."""
        app = data.applications[h]
        return pyo.quicksum(a * m.y[h, k] for k, (_, a) in enumerate(app.exits)) >= app.accuracy


def add_limits(m: Any, data: ExitsData) -> None:
    """Energy, latency, and what applications share. Needs `m.z`, and `m.x` for blocks on nodes."""
    cost = {(h, *step): cost for h, app in enumerate(data.applications) for step, cost in app.steps.items()}
    m.excluded = pyo.ConstraintList()
    m.energy = pyo.Objective(expr=pyo.quicksum(cost[step].energy * m.z[step] for step in m.STEPS))
    steps: dict[int, list[Any]] = {h: [] for h in m.H}
    for step in m.STEPS:
        steps[step[0]].append(step)

    @m.Constraint(m.H)
    def latency(m: Any, h: int) -> Any:
        """In units of the limit."""
        return _within((cost[step].time, m.z[step]) for step in steps[h])

    @m.Constraint(sorted(data.compute))
    def compute(m: Any, n: int) -> Any:
        """The rate of a node, in units of its capacity."""
        return _within(_taken(m, data, "compute", n))

    @m.Constraint(sorted(data.memory))
    def memory(m: Any, n: int) -> Any:
        """The weights that a node holds, in units of its capacity."""
        return _within(_taken(m, data, "memory", n))

    @m.Constraint(sorted(data.links))
    def bandwidth(m: Any, n: int, to: int) -> Any:
        """What a link carries, in units of its capacity."""
        return _within(
            (data.applications[h].traffic[b - 1] / data.links[n, to], m.z[h, b, n, to])
            for h, b in m.BLOCKS
            if (h, b, n, to) in m.STEPS
        )


def _taken(m: Any, data: ExitsData, kind: str, n: int) -> Iterator[tuple[float, Any]]:
    """What every block would take of node n, in units of its capacity, with its decision."""
    capacity = getattr(data, kind)[n]
    for h, b in m.BLOCKS:
        if (h, b, n) in m.PLACES:
            yield getattr(data.applications[h], kind)[b - 1] / capacity, m.x[h, b, n]


def _within(terms: Iterator[tuple[float, Any]]) -> Any:
    """What is taken is no more than there is; nothing to say where nothing is taken."""
    taken = [amount * decision for amount, decision in terms if amount]
    return pyo.quicksum(taken) <= 1 if taken else pyo.Constraint.Skip


def exclude(m: Any) -> None:
    """No plan takes all that the solved one takes of the limit that it uses most."""
    rows = [row for name in LIMITS for row in getattr(m, name).values()]
    most = max(rows, key=lambda row: pyo.value(row.body), default=None)
    if most is None or pyo.value(most.body) < 0.999:
        raise ValueError("the solved plan keeps every limit")
    taken = [variable for variable in identify_variables(most.body) if pyo.value(variable) > 0.5]
    m.excluded.add(pyo.quicksum(taken) <= len(taken) - 1)


def paths(m: Any, data: ExitsData) -> list[tuple[int, tuple[int, ...]]]:
    """Per application the exit and the nodes of its blocks, from the values of a solved model."""
    taken = {(h, b): n for h, b, n in m.PLACES if pyo.value(m.x[h, b, n]) > 0.5}
    answer = []
    for h, app in enumerate(data.applications):
        exit = next(k for k in range(len(app.exits)) if pyo.value(m.y[h, k]) > 0.5)
        answer.append((exit, tuple(taken[h, b] for b in range(1, app.exits[exit][0] + 1))))
    return answer
