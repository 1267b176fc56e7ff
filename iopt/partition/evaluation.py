"""The judge: latency, bytes and memory of a plan. Pure numpy; exact, heuristic, written and executed plans all pass
here.

Latency is bulk-synchronous (IOP, arXiv 2409.07693, equations (6)-(8)): per operator the phase into it, the slowest
device's compute, and the reduce-scatter where there is one; then the output phase. Memory is constraint (1).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iopt.door.given import check_kind
from iopt.partition.decisions import Decisions
from iopt.partition.footprint import compute_bytes, exchange_bytes, summing_bytes
from iopt.partition.geometry import IC, IC_ROWS, OC, Floats, Geometry, H, Ints
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.stacking import chosen, parted, put_after, put_before
from iopt.partition.transfer import CHANNELS, PARTIAL, ROWS, WHOLE, Boxes, box_bytes, moved, phase_time, whole_on

PhaseKind = Literal["input", "transfer", "scatter", "gather", "output"]


@dataclass(frozen=True)
class Phase:
    """One exchange. `bytes[k, j]` go from device k to device j. `operator` is the one it leads into, or out of."""

    operator: str
    kind: PhaseKind
    time_s: float
    bytes: Ints


@dataclass(frozen=True)
class Evaluation:
    """What a plan costs. `compute_by_operator_s` and `phases` add up to the latency; `phases` holds those with bytes,
    in time order."""

    latency_s: float
    compute_s: float
    transfer_s: float
    compute_by_operator_s: tuple[float, ...]
    phases: tuple[Phase, ...]
    memory_bytes: dict[str, int]
    violations: tuple[str, ...]

    @property
    def is_feasible(self) -> bool:
        return not self.violations

    @property
    def bytes(self) -> int:
        return sum(int(phase.bytes.sum()) for phase in self.phases)

    @property
    def connections(self) -> int:
        """Pairs of devices that exchange bytes, summed over the phases."""
        return sum(int(np.triu(phase.bytes + phase.bytes.T > 0).sum()) for phase in self.phases)


class Costs(NamedTuple):
    """Arrays of any number of plans [...]: seconds of compute [..., n]; bytes [..., n, m, m] and seconds [..., n] of
    each kind of phase, where `moves` counts n + 1 (the phase into each operator, then the output phase); bytes of
    memory [..., m]."""

    compute_s: Floats
    moves: Ints
    moves_s: Floats
    scatter: Ints
    scatter_s: Floats
    gather: Ints
    gather_s: Floats
    memory_bytes: Ints

    @property
    def latency_s(self) -> Floats:
        """Seconds [...]."""
        parts = (self.compute_s, self.moves_s, self.scatter_s, self.gather_s)
        total: Floats = np.sum([part.sum(axis=-1) for part in parts], axis=0)
        return total


class _States(NamedTuple):
    """How every tensor lies [..., n + 1 or n] and is needed: `held` and `need` in the phase into each operator and the
    output phase, `left` by each operator, `partial` and `spread` before and after its reduce-scatter."""

    held: Boxes
    need: Boxes
    left: Boxes
    partial: Boxes
    spread: Boxes


class Evaluator:
    """Judges plans of one problem; keeps the problem's tables between calls."""

    def __init__(self, problem: Problem) -> None:
        check_kind(problem, Problem, "problem")
        self.problem = problem
        self.geometry = Geometry.of(problem)
        devices = problem.cluster.devices
        self._rate = np.array([device.flops_per_s for device in devices])
        self._overhead = np.array([device.overhead_s for device in devices])
        self._source = whole_on(problem.cluster.source, len(devices))
        self._sink = whole_on(problem.cluster.sink, len(devices))
        self._index = np.arange(len(problem.operators))

    def __call__(self, plan: Plan) -> Evaluation:
        """Raises `PlanError` for a plan that does not fit; one that breaks a cap is judged, with its violations in
        words."""
        check_kind(plan, Plan, "plan")
        return self._summary(self.costs(Decisions.of(self.problem, self.geometry, plan)))

    def costs(self, plans: Decisions) -> Costs:
        """Every cost of any number of plans at once."""
        tensors, network = self.geometry.tensors, self.problem.cluster.network
        states = self._states(plans)
        moves = moved(tensors, states.held, states.need)
        scatter = moved(tensors[1:], states.partial, states.spread)
        gather = moved(tensors[1:], states.left, self._source) * plans.via[..., None, None]
        return Costs(
            self.compute_s(plans),
            moves,
            phase_time(moves, network),
            scatter,
            phase_time(scatter, network),
            gather,
            phase_time(gather, network),
            self._memory_bytes(plans, states, (moves, scatter, gather)),
        )

    def _states(self, plans: Decisions) -> _States:
        left, shape = self.left(plans), plans.mode.shape
        return _States(
            put_before(self._source, chosen(plans.via, self._source, left)),
            put_after(self.needs(plans), self._sink),
            left,
            Boxes(np.full(shape, PARTIAL), plans.lo, plans.hi),
            Boxes(np.full(shape, CHANNELS), plans.scatter_lo, plans.scatter_hi),
        )

    def needs(self, plans: Decisions) -> Boxes:
        """What each device needs of the input of each operator."""
        geometry, mode = self.geometry, plans.mode
        by_rows, some = (mode == H)[..., None], plans.hi > plans.lo
        in_lo = self._lookup(geometry.in_lo, by_rows, plans.lo)
        in_hi = self._lookup(geometry.in_hi, by_rows, plans.hi)
        own = (mode == OC)[..., None]
        channels_in, channels_out = geometry.in_channels[:, None], geometry.size[:, OC, None]
        lo = np.where(by_rows, in_lo, np.where(own, plans.lo * channels_in // channels_out, plans.lo))
        hi = np.where(by_rows, in_hi, np.where(own, plans.hi * channels_in // channels_out, plans.hi))
        oc_kind = np.where(geometry.oc_needs_all, WHOLE, CHANNELS)
        kind = np.where((mode == H) | (mode == IC_ROWS), ROWS, np.where(mode == OC, oc_kind, CHANNELS))
        whole = (kind == WHOLE)[..., None]
        return Boxes(kind, np.where(some & ~whole, lo, 0), np.where(whole, some, np.where(some, hi, 0)))

    def left(self, plans: Decisions) -> Boxes:
        """How the output of each operator is held after its compute and its reduce-scatter."""
        mode, scatter = plans.mode, plans.scatter[..., None]
        direct = ((mode == IC) | (mode == IC_ROWS)) & ~plans.scatter
        kind = np.where(mode == H, ROWS, np.where(direct, PARTIAL, CHANNELS))
        return Boxes(kind, np.where(scatter, plans.scatter_lo, plans.lo), np.where(scatter, plans.scatter_hi, plans.hi))

    def compute_s(self, plans: Decisions) -> Floats:
        """Seconds of compute [..., n]: the slowest device that takes part."""
        flops = self.geometry.flops[self._index, plans.mode][..., None] * self._amount(plans)
        seconds = self._overhead * (plans.hi > plans.lo) + flops / self._rate
        slowest: Floats = seconds.max(axis=-1)
        return slowest

    def _memory_bytes(self, plans: Decisions, states: _States, moves: tuple[Ints, Ints, Ints]) -> Ints:
        """Peak bytes per device [..., m] under the problem's memory model."""
        first, rest = parted(states.need)
        peak: Ints = self.working_bytes(plans, first).max(axis=-2)
        resident = self.resident_bytes(plans)
        if self.problem.memory == "runtime":
            resident = self._loaded_bytes(plans, rest)
            peak = np.maximum(peak, self._exchange_bytes(plans, states, moves))
        total: Ints = resident.sum(axis=-2) + peak
        return total

    def _exchange_bytes(self, plans: Decisions, states: _States, moves: tuple[Ints, Ints, Ints]) -> Ints:
        """The most that the executor has at once in any exchange [..., m]."""
        tensors, pools = self.geometry.tensors, self.geometry.pools
        known, given = np.zeros(len(pools), dtype=bool), np.arange(len(pools) + 1) == 0
        peaks = (
            exchange_bytes(tensors, states.held, states.need, moves[0], np.append(False, pools), given),
            exchange_bytes(tensors[1:], states.partial, states.spread, moves[1], pools, known)
            * plans.scatter[..., None],
            exchange_bytes(tensors[1:], states.left, self._source, moves[2], pools, known) * plans.via[..., None],
        )
        highest: Ints = np.max([peak.max(axis=-2) for peak in peaks], axis=0)
        return highest

    def resident_bytes(self, plans: Decisions) -> Ints:
        """Parameters that each device holds of each operator [..., n, m]."""
        share, some = plans.hi - plans.lo, plans.hi > plans.lo
        each, fixed = (
            table[self._index, plans.mode] for table in (self.geometry.weight_bytes, self.geometry.fixed_bytes)
        )
        resident: Ints = each[..., None] * share + fixed[..., None] * some
        return resident

    def loaded_bytes(self, plans: Decisions) -> Ints:
        """Parameters that the executor has on each device of each operator [..., n, m]: those that a device holds, and
        of batch norms behind an activation also what it needs to add up sums of others."""
        return self._loaded_bytes(plans, parted(put_after(self.needs(plans), self._sink))[1])

    def _loaded_bytes(self, plans: Decisions, after: Boxes) -> Ints:
        """`after`: what is needed of each operator's output."""
        return self.resident_bytes(plans) + summing_bytes(self.geometry, plans, after)

    def working_bytes(self, plans: Decisions, need: Boxes) -> Ints:
        """Bytes that each device works with in computing each operator [..., n, m], by the problem's memory model."""
        tensors, some = self.geometry.tensors[1:], plans.hi > plans.lo
        each = np.where(plans.mode == H, tensors.pre_row_bytes, tensors.pre_channel_bytes)[..., None]
        is_partial = ((plans.mode == IC) | (plans.mode == IC_ROWS))[..., None]
        written: Ints = np.where(is_partial, tensors.pre_bytes[:, None] * some, each * self._amount(plans))
        if self.problem.memory == "live":
            written = written + box_bytes(self.geometry.tensors[:-1], need)
        if self.problem.memory == "runtime":
            written = compute_bytes(self.geometry, plans, need, written)
        return written

    def _amount(self, plans: Decisions) -> Ints:
        """Length of each share, in pre rows for H [..., n, m]."""
        by_rows, some = (plans.mode == H)[..., None], plans.hi > plans.lo
        pre_lo = self._lookup(self.geometry.pre_lo, by_rows, plans.lo)
        pre_hi = self._lookup(self.geometry.pre_hi, by_rows, plans.hi)
        amount: Ints = np.where(by_rows, (pre_hi - pre_lo) * some, plans.hi - plans.lo)
        return amount

    def _lookup(self, table: Ints, by_rows: NDArray[np.bool_], row: Ints) -> Ints:
        found: Ints = table[self._index[:, None], np.where(by_rows, row, 0)]
        return found

    def _summary(self, costs: Costs) -> Evaluation:
        phases = tuple(_phases(self.problem, costs))
        names = [device.name for device in self.problem.cluster.devices]
        memory = dict(zip(names, map(int, costs.memory_bytes), strict=True))
        compute = tuple(map(float, costs.compute_s))
        transfer_s = float(costs.moves_s.sum() + costs.scatter_s.sum() + costs.gather_s.sum())
        violations = tuple(
            f"{device.name} needs {memory[device.name]} bytes of memory and has {device.memory_bytes}"
            for device in self.problem.cluster.devices
            if device.memory_bytes is not None and memory[device.name] > device.memory_bytes
        )
        return Evaluation(float(costs.latency_s), sum(compute), transfer_s, compute, phases, memory, violations)


def evaluate(problem: Problem, plan: Plan) -> Evaluation:
    """Judge one plan. Raises `PlanError` for a plan that does not fit the problem."""
    return Evaluator(problem)(plan)


def _phases(problem: Problem, costs: Costs) -> Iterator[Phase]:
    """Phases with bytes, in time order."""
    names = [operator.name for operator in problem.operators]
    for index, name in enumerate(names):
        first: PhaseKind = "transfer" if index else "input"
        for kind, moves, seconds in (
            (first, costs.moves, costs.moves_s),
            ("scatter", costs.scatter, costs.scatter_s),
            ("gather", costs.gather, costs.gather_s),
        ):
            if moves[index].any():
                yield Phase(name, kind, float(seconds[index]), moves[index])
    if costs.moves[-1].any():
        yield Phase(names[-1], "output", float(costs.moves_s[-1]), costs.moves[-1])
