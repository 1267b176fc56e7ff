"""Split every operator of a chain across devices at least latency: mixed-integer linear programme, exact.

Source: IOP (arXiv 2409.07693), constraints (1)-(8); what the paper leaves open follows docs/partition.md. The parts:

    partition_decision.py    (1)-(6): memory; one dimension per operator and shares that sum to it; compute
    partition_transfer.py    what is moved between two operators, by the axes before and after
    partition_phases.py      (7), (8): the time of bytes and of connections
    partition_footprint.py   (1) for an executor: what it has at once in its exchanges and poolings
    partition_cuts.py        inequalities that no plan violates; they only help the solver
    partition_windows.py     the arithmetic of windows and whole units under them
    partition_plain.py       the same problem with big-M and no cuts: the reference

Sets
    i in 0..n-1    operators, in the order of the chain; transition i leads into operator i, transition n to the sink
    j, k in 0..m-1 devices
    a in A_i       modes of operator i: H, OC, IC, IC_ROWS (input rows of a linear operator after a flatten)

Parameters (`PartitionData`, dimensionless): sizes D_ia, times t_iaj per unit of work, overheads o_j, parameters and
boxes per unit over the device's cap, connection time tau.

Variables
    x[i,a]           1 if operator i takes mode a                                                    binary
    share[i,a,j]     units of it on device j                                                         integer
    part[i,a,j]      1 if device j has a share                                                       binary
    first[i,a,t,j]   1 if the rows of j start at t, for the t where a window is clipped              binary
    last[i,a,t,j]    1 if they end there                                                             binary
    scatter[i]       1 if partial sums are combined by reduce-scatter, 0 if directly by who needs    binary
    spread[i,j]      output channels that j receives in the reduce-scatter                           integer
    direct_part[i,j], scatter_part[i,j]   1 if j has partial sums, by how they are combined                binary
    T[i,a]           time of compute

Times are real; everything else is whole in every plan and declared so, also where it follows. HiGHS (up to 1.15.1)
infers that a column is whole and may then tighten coefficients with bounds of it that are not, which removes plans
(ERGO-Code/HiGHS issue 3274).
"""

from __future__ import annotations

import pyomo.environ as pyo

from formulations import partition_cuts, partition_transfer
from formulations.partition_data import PartitionData
from formulations.partition_decision import add_compute, add_corrections, add_decision, add_memory, add_sets
from formulations.partition_phases import phase_time


def build(data: PartitionData, cuts: bool = True) -> pyo.ConcreteModel:
    """The model; `latency` is minimised, in units of the reference time. `cuts`: with what only helps the solver."""
    m = pyo.ConcreteModel("partition")
    add_sets(m, data)
    add_decision(m, data)
    add_corrections(m, data)
    add_compute(m, data)
    add_memory(m, data)
    partition_transfer.add(m, data)
    if cuts:
        partition_cuts.add(m, data)
    m.latency = pyo.Objective(expr=sum(m.T.values()) + phase_time(m, data))
    return m


def build_elastic(data: PartitionData, caps: dict[int, float]) -> pyo.ConcreteModel:
    """The decision and the caps alone, with the transitions where an executor's memory depends on them; minimise
    `shortage`, the total by which memory is exceeded, in the unit of `caps`."""
    m = pyo.ConcreteModel("partition_elastic")
    add_sets(m, data)
    add_decision(m, data)
    add_corrections(m, data)
    add_memory(m, data, elastic=True)
    if data.footprint is not None:
        partition_transfer.add(m, data)
    m.shortage = pyo.Objective(expr=sum(caps[j] * m.extra[j] for j in m.CAPPED))
    return m
