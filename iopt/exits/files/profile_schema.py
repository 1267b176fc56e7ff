"""What a profile of an early-exit network may hold, as JSON or YAML. SI units: operations, bit, byte."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from iopt.door.strict import Strict

SCHEMA = "iopt/exits-profile/1"

Amount = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
GraphHash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
RuleName = Literal["entropy", "max-probability"]


class BlockData(Strict):
    """A block of the network, in order."""

    name: str
    ops: Amount = Field(description="operations of one inference", examples=[22620000])
    out_bits: Amount = Field(description="bits that it passes on to the next block; 0 for the last")
    weight_bytes: Count = Field(0, description="parameters that its node holds; default: 0")


class ExitData(Strict):
    """An exit of the network, in order of depth."""

    name: str
    after: int = Field(ge=1, description="the block that it comes after, counted from 1", examples=[1])
    fraction: Share = Field(description="of all samples that leave there, when all exits are deployed")
    accuracy: Share = Field(description="of the network when this is the deepest exit deployed")


class MeasuredData(Strict):
    """How fractions and accuracies were measured."""

    rule: RuleName
    thresholds: list[Share] = Field(description="one per exit but the last")
    samples: int = Field(ge=1)


class ObservationsData(Strict):
    """What every exit said of every sample, for choosing thresholds later."""

    rule: RuleName
    confidence: list[list[Share]] = Field(min_length=1, description="confidence[sample][exit]")
    correct: list[list[bool]] = Field(min_length=1, description="correct[sample][exit]")


class ProfileData(Strict):
    """Blocks and exits of an early-exit network: what a placement needs to know of it."""

    schema_: Literal["iopt/exits-profile/1"] = Field(alias="schema")
    name: Annotated[str, Field(min_length=1)]
    description: str = Field("", description="one line for people: what it is, and whose figures these are")
    reconstructed: list[str] = Field([], description="keys whose values are not published, but ours")
    input_bits: Amount = Field(description="of the raw input")
    blocks: list[BlockData] = Field(min_length=1)
    exits: list[ExitData] = Field(min_length=1)
    graph_hash: GraphHash | None = Field(
        None, description="SHA-256 of the canonical JSON of the graph that the blocks were cut from, without its name"
    )
    measured: MeasuredData | None = None
    observations: ObservationsData | None = None


def json_schema() -> dict[str, Any]:
    """The JSON schema of profiles."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ProfileData.model_json_schema()}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
