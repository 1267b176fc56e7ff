"""What a placement file may hold: every key of `docs/placement-file.md`, checked by pydantic."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from iopt.door.strict import Strict
from iopt.exits.files.profile_schema import BlockData, ExitData, GraphHash, MeasuredData
from iopt.planfile.schema import Amount, Size, StatedResult

SCHEMA = "iopt/exits-placement/1"

Share = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]


class OptionsData(Strict):
    """The conventions under which placements of the problem are judged."""

    energy: Literal["expected", "unconditional"] = Field(
        description="whether samples that left early cost nothing more"
    )
    link_rate: Literal["min", "receiver"] = Field(description="rate of a link that the cluster does not list")
    latency: Literal["worst", "expected"] = Field(description="of the deepest exit, or on average")
    pinned: bool = Field(description="whether block 1 runs on the source")
    tier_order: bool = Field(description="whether no block runs in a lower tier than the one before it")
    max_load: Annotated[float, Field(gt=0)] = Field(description="load of a device at most, over its compute rate")


class WholeBlockData(BlockData):
    """A block, as in a profile; here nothing is left out."""

    weight_bytes: Size = Field(description="parameters that its node holds")


class NetworkData(Strict):
    """Blocks and exits, as in a profile."""

    name: Name
    input_bits: Amount
    blocks: list[WholeBlockData] = Field(min_length=1)
    exits: list[ExitData] = Field(min_length=1)


class OriginData(Strict):
    """Where a network comes from, as far as its profile says."""

    graph_hash: GraphHash | None = Field(description="of the graph that the blocks were cut from")
    measured: MeasuredData | None


class ApplicationData(Strict):
    """A network with what is asked of it."""

    name: Name
    network: Size = Field(description="index into networks")
    accuracy: Share = Field(description="at least")
    latency_s: Annotated[float, Field(gt=0)] = Field(description="at most")
    rate_per_s: Annotated[float, Field(gt=0)] = Field(description="inferences a second")
    source: str | None = Field(description="the device that holds the input; null: the cluster's source")


class PlacementEntry(Strict):
    """Where the blocks of one application run."""

    application: str
    exit: str = Field(description="the deepest exit deployed")
    nodes: list[str] = Field(description="the device of each block up to that exit")


class ResultData(StatedResult):
    """What the method says of its plan. J/s; joule per inference where one application has a rate of 1."""

    objective_j: Amount | None = Field(description="energy of all applications, weighted with their rates")
    bound_j: Amount | None = Field(description="proved lower bound on the energy of every plan that keeps all limits")


class BlockCostData(Strict):
    """A block on its node, per inference, weighted with the share of samples where the options say so."""

    block: str
    node: str
    compute_j: Amount
    transfer_j: Amount = Field(description="of the data that comes to it from the node before")
    compute_s: Amount
    transfer_s: Amount | None = Field(description="null: forever, there is no link")


class ApplicationCostData(Strict):
    """Per inference."""

    name: str
    energy_j: Amount
    latency_s: Amount | None = Field(description="null: forever, over a link that does not exist")
    accuracy: Share
    blocks: list[BlockCostData]


class LinkUseData(Strict):
    sender: str
    receiver: str
    bit_per_s: Amount


class UsedData(Strict):
    """What is used of the shared limits."""

    compute_ops_per_s: dict[str, Amount] = Field(description="by device")
    weight_bytes: dict[str, Amount] = Field(description="by device")
    links: list[LinkUseData] = Field(description="those that carry anything")


class EvaluationData(Strict):
    """What the evaluator says of the plan."""

    energy_j: Amount = Field(description="of all applications, weighted with their rates")
    applications: list[ApplicationCostData]
    used: UsedData
    violations: list[str] = Field(description="limits that the plan breaks, in words")


class PlacementData(Strict):
    """A placement of iopt: networks, cluster, where every block runs, what that costs. SI units (s, J, bit, byte)."""

    schema_: Literal["iopt/exits-placement/1"] = Field(alias="schema")
    instance_hash: str = Field(description="SHA-256 of the canonical JSON of networks, applications, cluster, options")
    options: OptionsData
    applications: list[ApplicationData] = Field(min_length=1)
    cluster: dict[str, Any] = Field(description="see docs/clusters.md")
    placements: list[PlacementEntry] | None = Field(description="in the order of applications; null without a plan")
    result: ResultData
    evaluation: EvaluationData | None = Field(description="null without a plan")
    networks: list[NetworkData] = Field(min_length=1)
    origins: list[OriginData] = Field(description="of each network")

    @model_validator(mode="after")
    def _what_belongs_together(self) -> Self:
        if (self.placements is None) != (self.evaluation is None):
            raise ValueError("placements and evaluation: expected both or neither to be null")
        if len(self.origins) != len(self.networks):
            raise ValueError(f"origins: {len(self.origins)} entries; expected {len(self.networks)}, one per network")
        return self


def json_schema() -> dict[str, Any]:
    """The JSON schema of placement files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlacementData.model_json_schema()}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
