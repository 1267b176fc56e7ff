"""What a plan file may hold: every key of `docs/plan-file.md`, checked by pydantic."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from iopt.door.strict import Strict
from iopt.partition.plan import Axis
from iopt.planfile.schema import Amount, Size, StatedResult

SCHEMA = "iopt/partition-plan/1"

Interval = Annotated[tuple[Size, Size], Field(strict=False)]  # a list in JSON


class OptionsData(Strict):
    """The conventions under which plans of the problem are judged."""

    along_rows: bool = Field(description="whether a linear operator may be split along the rows before its flatten")
    memory: Literal["live", "runtime", "paper"] = Field(description="the memory model")
    relayout: Literal["concatenation"] = Field(description="what moves where the axes before and after do not match")


class CombineData(Strict):
    """How the partial sums of an IC split meet."""

    how: Literal["direct", "scatter"]
    intervals: list[Interval] | None = Field(None, description="scatter only: output channels [lo, hi) per device")

    @model_validator(mode="after")
    def _intervals_of_scatter(self) -> Self:
        if (self.intervals is None) == (self.how == "scatter"):
            raise ValueError(f"{self.how} {'needs' if self.how == 'scatter' else 'has no'} intervals")
        return self


class OperatorData(Strict):
    """How one operator is split."""

    name: str
    axis: Annotated[Axis, Field(strict=False)] = Field(description="output rows, output channels or input channels")
    along: Literal["rows"] | None = Field(description="rows: intervals of IC count rows of the tensor before a flatten")
    intervals: list[Interval] = Field(description="[lo, hi) per device, in device order; empty: [x, x]")
    combine: CombineData | None = Field(description="of IC, and of it alone")
    via: Literal["source"] | None = Field(
        None, description="the output is gathered on the source, and sent on from there"
    )


class ResultData(StatedResult):
    """What the method says of its plan."""

    objective_s: Amount | None = Field(description="latency of the plan; null without one")
    bound_s: float | None = Field(
        description="proved lower bound on plans that keep the caps and have no via; null where there is none"
    )


class PhaseData(Strict):
    """One exchange between the devices."""

    operator: str = Field(description="the one it leads into (input, transfer) or out of (scatter, gather, output)")
    kind: Literal["input", "transfer", "scatter", "gather", "output"]
    time_s: Amount
    bytes: list[list[Size]] = Field(description="bytes[from][to], in device order")


class EvaluationData(Strict):
    """What the evaluator says of the plan."""

    latency_s: Amount
    compute_s: Amount
    transfer_s: Amount
    memory_bytes: dict[str, Size] = Field(description="peak per device")
    violations: list[str] = Field(description="caps that the plan breaks, in words")
    phases: list[PhaseData] = Field(description="those with bytes, in time order")


class PlanData(Strict):
    """A plan of iopt: network, cluster, how every operator is split, and what that costs. SI units (s, byte, FLOP)."""

    schema_: Literal["iopt/partition-plan/1"] = Field(alias="schema")
    model: str = Field(description="name of the network")
    instance_hash: str = Field(description="SHA-256 of the canonical JSON of network, cluster and options")
    input_shape: Annotated[tuple[Size, Size, Size], Field(strict=False)] = Field(description="channels, height, width")
    options: OptionsData
    cluster: dict[str, Any] = Field(description="see docs/clusters.md")
    operators: list[OperatorData] | None = Field(description="in topological order; null without a plan")
    result: ResultData
    evaluation: EvaluationData | None = Field(description="null without a plan")
    network: dict[str, Any] = Field(description="the graph, as `iopt graph` writes it")

    @model_validator(mode="after")
    def _plan_with_evaluation(self) -> Self:
        if (self.operators is None) != (self.evaluation is None):
            raise ValueError("operators and evaluation: expected both or neither to be null")
        return self


def json_schema() -> dict[str, Any]:
    """The JSON schema of plan files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanData.model_json_schema()}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
