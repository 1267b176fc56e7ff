"""A plan that was carried out: what was counted and timed, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from iopt.errors import ContradictionError
from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluation, Evaluator, PhaseKind
from iopt.partition.geometry import Ints
from iopt.partition.plan import Plan
from iopt.partition.problem import MemoryModel, Problem
from iopt.partition.runtime.records import RankReport, Record
from iopt.partition.runtime.schedule import Exchange, Schedule, schedule

if TYPE_CHECKING:
    import torch


MODELS: tuple[MemoryModel, ...] = ("live", "runtime")
"""What a measured peak is held against."""

TOLERANCE = 1e-4
"""Largest difference of outputs, over their largest value: partial sums are added in another order."""


@dataclass(frozen=True)
class MeasuredPhase:
    """One exchange. `bytes[k, j]` were sent from device k to device j, counted in the messages.

    `time_s`: from when the last of those who exchange began to when the last ended.
    """

    operator: str
    kind: PhaseKind
    time_s: float
    bytes: Ints

    @property
    def connections(self) -> int:
        """Pairs of devices that exchanged bytes."""
        return int(np.triu(self.bytes + self.bytes.T > 0).sum())


@dataclass(frozen=True)
class Execution:
    """Outputs and measurements of a run; times are medians over its inferences, `latencies_s` has each.

    Latency is from the input on the source to the output on the sink. `outputs` is 1 x features, or 1 x channels x
    height x width. `phases` holds those with bytes, in time order; `compute_by_operator_s` the slowest device of each
    operator. `resident_bytes`: parameters that each device held; `peak_memory_bytes`: these and the most that
    PyTorch's allocator had given out besides, without the source's input. `predicted_memory_bytes`: the same by the
    memory models `live` and `runtime`, whichever the plan was decided under.
    `difference`: the largest one from the unsplit network over the largest output, None where it was not asked for.
    `predicted` and `predicted_resident_bytes` are the evaluator's. `problem` and `plan` are what was carried out in the
    end; `lost`: by its name, how each device was lost for which another plan was made. `records`: what each device
    measured, inference by inference. `is_lean`: whether `runtime` is the model of what was run; with buffers that are
    kept or rows computed ahead it is not.
    """

    problem: Problem
    plan: Plan
    outputs: torch.Tensor
    latency_s: float
    latencies_s: tuple[float, ...]
    phases: tuple[MeasuredPhase, ...]
    compute_by_operator_s: tuple[float, ...]
    resident_bytes: dict[str, int]
    peak_memory_bytes: dict[str, int]
    predicted: Evaluation
    predicted_resident_bytes: dict[str, int]
    predicted_memory_bytes: dict[MemoryModel, dict[str, int]]
    records: tuple[tuple[Record, ...], ...]
    difference: float | None = None
    lost: Mapping[str, str] = field(default_factory=dict)
    is_lean: bool = True

    @property
    def bytes(self) -> int:
        return sum(int(phase.bytes.sum()) for phase in self.phases)

    @property
    def is_correct(self) -> bool:
        """Whether the outputs are those of the unsplit network within `TOLERANCE`, where they were compared."""
        return self.difference is None or self.difference <= TOLERANCE

    @property
    def bytes_agree(self) -> bool:
        """Whether every phase moved what was predicted, from every device to every other, to the byte."""
        mine = [(phase.operator, phase.kind, phase.bytes.tolist()) for phase in self.phases]
        return mine == [(phase.operator, phase.kind, phase.bytes.tolist()) for phase in self.predicted.phases]


def execution_of(
    problem: Problem,
    plan: Plan,
    outputs: torch.Tensor,
    reports: Sequence[RankReport],
    difference: float | None = None,
    *,
    is_lean: bool = True,
    lost: Mapping[str, str] | None = None,
) -> Execution:
    """What the ranks measured, put together. Raises `ContradictionError` unless all inferences moved the same bytes,
    counted equally on both ends."""
    steps = schedule(problem, plan)
    runs = list(zip(*(report.records for report in reports), strict=True))
    latencies = tuple(run[steps.sink].times_s[-1][1] - run[steps.source].times_s[0][0] for run in runs)
    names = [device.name for device in problem.cluster.devices]
    return Execution(
        problem,
        plan,
        outputs,
        median(latencies),
        latencies,
        tuple(_phases(steps, runs)),
        tuple(
            median(_longest(run, index) for run in runs)
            for index, step in enumerate(steps.steps)
            if not isinstance(step, Exchange)
        ),
        {names[report.device]: report.resident_bytes for report in reports},
        {names[report.device]: report.peak_bytes for report in reports},
        (evaluator := Evaluator(problem))(plan),
        dict(zip(names, _resident(evaluator, plan), strict=True)),
        {model: Evaluator(replace(problem, memory=model))(plan).memory_bytes for model in MODELS},
        tuple(runs),
        difference,
        lost=dict(lost or {}),
        is_lean=is_lean,
    )


def relative_difference(output: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference over the largest expected value."""
    largest = float(expected.abs().max())
    found = float((output.flatten() - expected.flatten()).abs().max())
    return found / largest if largest else found


def to_dict(execution: Execution) -> dict[str, Any]:
    """The measurements as JSON data, beside what was predicted; without the outputs."""
    predicted = execution.predicted
    phases = [
        {
            "operator": phase.operator,
            "kind": phase.kind,
            "bytes": {"predicted": expected.bytes.tolist(), "counted": phase.bytes.tolist()},
            "connections": phase.connections,
            "time_s": {"predicted": expected.time_s, "measured": phase.time_s},
        }
        for phase, expected in zip(execution.phases, predicted.phases, strict=True)
    ]
    compute = zip(predicted.compute_by_operator_s, execution.compute_by_operator_s, strict=True)
    return {
        "devices": [device.name for device in execution.problem.cluster.devices],
        "lost": dict(execution.lost),
        "latency_s": {"predicted": predicted.latency_s, "measured": execution.latency_s},
        "latencies_s": list(execution.latencies_s),
        "bytes": {"predicted": predicted.bytes, "counted": execution.bytes},
        "bytes_agree": execution.bytes_agree,
        "difference": execution.difference,
        "memory_as_modelled": execution.is_lean,
        "resident_bytes": {
            name: {"predicted": execution.predicted_resident_bytes[name], "counted": count}
            for name, count in execution.resident_bytes.items()
        },
        "peak_memory_bytes": {
            name: {**{model: execution.predicted_memory_bytes[model][name] for model in MODELS}, "measured": count}
            for name, count in execution.peak_memory_bytes.items()
        },
        "compute_s": [{"predicted": expected, "measured": measured} for expected, measured in compute],
        "phases": phases,
    }


def _resident(evaluator: Evaluator, plan: Plan) -> list[int]:
    decisions = Decisions.of(evaluator.problem, evaluator.geometry, plan)
    return [int(count) for count in evaluator.resident_bytes(decisions).sum(axis=0)]


def _longest(run: Sequence[Record], index: int) -> float:
    return max(end - begin for begin, end in (record.times_s[index] for record in run))


def _phases(steps: Schedule, runs: Sequence[Sequence[Record]]) -> list[MeasuredPhase]:
    phases, devices = [], len(steps.devices)
    exchanges = [(index, step) for index, step in enumerate(steps.steps) if isinstance(step, Exchange)]
    for number, (index, step) in enumerate(exchanges):
        moved, *others = (_moved(run, number) for run in runs)
        if any((other != moved).any() for other in others):
            raise ContradictionError(f"exchange {number}: not all inferences moved {moved.tolist()}")
        if moved.any():
            who = [device for device in range(devices) if moved[device].any() or moved[:, device].any()]
            times = [[run[device].times_s[index] for device in who] for run in runs]
            spans = [max(end for _, end in each) - max(begin for begin, _ in each) for each in times]
            phases.append(MeasuredPhase(step.operator, step.kind, median(spans), moved))
    return phases


def _moved(run: Sequence[Record], number: int) -> Ints:
    """Bytes of an exchange [sender, receiver]. Raises `ContradictionError` unless both ends counted the same."""
    sent, received = (np.zeros((len(run), len(run)), dtype=np.int64) for _ in range(2))
    for device, record in enumerate(run):
        for peer, count in record.sent[number].items():
            sent[device, peer] = count
        for peer, count in record.received[number].items():
            received[peer, device] = count
    if (sent != received).any():
        raise ContradictionError(f"exchange {number}: sent {sent.tolist()}, received {received.tolist()}")
    return sent
