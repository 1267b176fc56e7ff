"""An execution, put together from what its ranks measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from iopt.errors import ContradictionError
from iopt.partition.decisions import Decisions
from iopt.partition.evaluation import Evaluator
from iopt.partition.geometry import Ints
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.partition.runtime.execution import MODELS, Execution, MeasuredPhase
from iopt.partition.runtime.records import RankReport, Record
from iopt.partition.runtime.schedule import Exchange, Schedule, schedule

if TYPE_CHECKING:
    import torch


def execution_of(
    problem: Problem,
    plan: Plan,
    outputs: torch.Tensor,
    reports: Sequence[RankReport],
    difference: float | None = None,
    *,
    is_lean: bool = True,
    emulated: tuple[str, ...] = (),
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
        emulated=emulated,
    )


def _resident(evaluator: Evaluator, plan: Plan) -> list[int]:
    decisions = Decisions.of(evaluator.problem, evaluator.geometry, plan)
    return [int(count) for count in evaluator.loaded_bytes(decisions).sum(axis=0)]


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
