"""Plans and evaluations as JSON data, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopt.partition.evaluation import Evaluation
from iopt.partition.plan import Direct, Plan, Scatter, Split

if TYPE_CHECKING:
    from iopt.partition.files.schema import CombineData, OperatorData, PlanData


def operators_to_list(plan: Plan) -> list[dict[str, Any]]:
    """The splits; `via` appears where there is one."""
    return [_split_to_dict(split) for split in plan.splits]


def evaluation_to_dict(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "latency_s": evaluation.latency_s,
        "compute_s": evaluation.compute_s,
        "transfer_s": evaluation.transfer_s,
        "memory_bytes": evaluation.memory_bytes,
        "violations": list(evaluation.violations),
        "phases": [
            {"operator": phase.operator, "kind": phase.kind, "time_s": phase.time_s, "bytes": phase.bytes.tolist()}
            for phase in evaluation.phases
        ],
    }


def plan_of(data: PlanData) -> Plan | None:
    """The plan that a file states, if any."""
    return None if data.operators is None else Plan(tuple(map(_split_of, data.operators)))


def _split_to_dict(split: Split) -> dict[str, Any]:
    combine: dict[str, Any] | None = None
    if isinstance(split.combine, Scatter):
        combine = {"how": "scatter", "intervals": [list(interval) for interval in split.combine.intervals]}
    elif split.combine is not None:
        combine = {"how": "direct"}
    data = {
        "name": split.operator,
        "axis": split.axis.value,
        "along": split.along,
        "intervals": [list(interval) for interval in split.intervals],
        "combine": combine,
    }
    return data if split.via is None else {**data, "via": split.via}


def _split_of(data: OperatorData) -> Split:
    return Split(data.name, data.axis, tuple(data.intervals), data.along, _combine_of(data.combine), data.via)


def _combine_of(data: CombineData | None) -> Direct | Scatter | None:
    if data is None:
        return None
    return Direct() if data.intervals is None else Scatter(tuple(data.intervals))
