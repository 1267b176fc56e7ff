"""A plan that was carried out: what was counted and timed, beside what was predicted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from iopt.errors import ContradictionError, ModelError
from iopt.partition.evaluation import Evaluation, Phase, PhaseKind
from iopt.partition.geometry import Ints
from iopt.partition.plan import Plan
from iopt.partition.problem import MemoryModel, Problem
from iopt.partition.runtime.records import Record

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
    `predicted` and `predicted_resident_bytes` are the evaluator's, the latter as of the model `runtime`, which counts
    what is there for adding up sums of others, too. `problem` and `plan` are what was carried out in the
    end; `lost`: by its name, how each device was lost for which another plan was made. `records`: what each device
    measured, inference by inference. `is_lean`: whether `runtime` is the model of what was run; with buffers that are
    kept or rows computed ahead it is not. `emulated`: what was as slow as that of the cluster, `compute` or `network`.
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
    emulated: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        return sum(int(phase.bytes.sum()) for phase in self.phases)

    @property
    def is_correct(self) -> bool:
        """Whether the outputs are those of the unsplit network within `TOLERANCE`, where they were compared."""
        return self.difference is None or self.difference <= TOLERANCE

    @property
    def is_finite(self) -> bool:
        """Whether all of the output is."""
        return bool(self.outputs.isfinite().all())

    @property
    def bytes_agree(self) -> bool:
        """Whether every phase moved what was predicted, from every device to every other, to the byte."""
        mine = [(phase.operator, phase.kind, phase.bytes.tolist()) for phase in self.phases]
        return mine == [(phase.operator, phase.kind, phase.bytes.tolist()) for phase in self.predicted.phases]


NOT_FINITE = "the output is not finite: it holds NaN or infinity; look at the weights and the input"
"""What a run says that was not compared with the unsplit network."""


def relative_difference(output: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference over the largest expected value, both finite. Raises `ModelError` where `expected` is not,
    `ContradictionError` where the output alone is not."""
    if not expected.isfinite().all():
        raise ModelError(
            "the output of the unsplit network is not finite, so there is nothing to compare with; expected weights "
            "and an input with which it is"
        )
    if not output.isfinite().all():
        raise ContradictionError("the output is not finite, and the unsplit network's is; this is a bug in iopt")
    largest = float(expected.abs().max())
    found = float((output.flatten() - expected.flatten()).abs().max())
    return found / largest if largest else found


def to_dict(execution: Execution) -> dict[str, Any]:
    """The measurements as JSON data, beside what was predicted; without the outputs. A phase that was measured or
    predicted alone has None for the other."""
    predicted = execution.predicted
    compute = zip(predicted.compute_by_operator_s, execution.compute_by_operator_s, strict=True)
    return {
        "devices": [device.name for device in execution.problem.cluster.devices],
        "lost": dict(execution.lost),
        "emulated": list(execution.emulated),
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
        "phases": _phases(execution),
    }


def _phases(execution: Execution) -> list[dict[str, Any]]:
    counted = {(phase.operator, phase.kind): phase for phase in execution.phases}
    predicted = {(phase.operator, phase.kind): phase for phase in execution.predicted.phases}
    return [_beside(*name, counted.get(name), predicted.get(name)) for name in {**counted, **predicted}]


def _beside(operator: str, kind: PhaseKind, counted: MeasuredPhase | None, predicted: Phase | None) -> dict[str, Any]:
    return {
        "operator": operator,
        "kind": kind,
        "bytes": {
            "predicted": None if predicted is None else predicted.bytes.tolist(),
            "counted": None if counted is None else counted.bytes.tolist(),
        },
        "connections": 0 if counted is None else counted.connections,
        "time_s": {
            "predicted": None if predicted is None else predicted.time_s,
            "measured": None if counted is None else counted.time_s,
        },
    }
