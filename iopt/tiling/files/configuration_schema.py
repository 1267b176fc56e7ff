"""What a configuration file may hold: every key of `docs/tiling.md`, checked by pydantic."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from iopt.door.strict import Strict
from iopt.planfile.schema import Amount, Size, StatedResult
from iopt.tiling.files.host_schema import HostModelData

SCHEMA = "iopt/tiling-configuration/1"

Count = Annotated[int, Field(ge=1)]


class OptionsData(Strict):
    """Limits, objective, and the conventions under which configurations of the problem are judged."""

    memory_bytes: Count | None = Field(description="limit of the peak; null: none")
    objective: Literal["macs", "latency", "memory"] = Field(description="what is to be small")
    overhead: Annotated[float, Field(gt=0)] | None = Field(
        description="multiply-accumulates at most so many times those of the untiled network; null: no limit"
    )
    predictor: Literal["lean", "torch", "bound", "plain11", "mafat"] = Field(description="how memory is counted")
    bias_bytes: Size | None = Field(description="of the predictor mafat, and of it alone")
    weights: Literal["resident", "streamed", "none"] = Field(description="which of them are in memory")
    backend: Literal["implicit", "im2col"] = Field(description="whether convolutions write columns")
    grid: Literal["balanced", "ceil"] = Field(description="where tiles are cut")
    crop: Literal["exact", "rim"] = Field(description="tiles compute what is wanted, or all that darknet does")
    max_tiles: Count = Field(description="rows, and columns, of tiles that are considered")
    reuse: bool = Field(description="whether checkerboard reuse is considered")


class GroupData(Strict):
    """Layers that run fused, tile by tile."""

    first: Size = Field(description="its first layer, counted from 0")
    last: Size = Field(description="its last layer, included")
    rows: Count = Field(description="of tiles of the last layer's output")
    columns: Count
    reuse: Literal["none", "checkerboard"]


class ResultData(StatedResult):
    """What the method says of its configuration. The objective is in multiply-accumulates, seconds or bytes."""

    objective_value: Amount | None = Field(description="of the configuration; null without one")
    bound_value: Amount | None = Field(description="proved lower bound on every configuration that keeps all limits")
    max_groups: Count | None = Field(description="bound and INFEASIBLE are of at most so many groups; null: of any")


class GroupCostData(Strict):
    """What one group needs."""

    peak_bytes: Size = Field(description="with all that is in memory besides")
    layer: str = Field(description="the layer where the peak is first reached")
    tile: list[Size] | None = Field(description="the tile, [row, column]; null in an untiled group")
    macs: Size
    latency_s: Amount | None = Field(description="null without a host")
    strips_bytes: Size = Field(description="the most that strips for reuse take")


class EvaluationData(Strict):
    """What the evaluator says of the configuration."""

    peak_bytes: Size
    macs: Size
    mac_factor: Amount = Field(description="macs over those of the untiled network")
    latency_s: Amount | None = Field(description="null without a host")
    groups: list[GroupCostData]
    violations: list[str] = Field(description="limits that the configuration breaks, in words")


class ConfigurationData(Strict):
    """A configuration of iopt: network, limits, groups of layers with their tilings, and what that costs. SI units."""

    schema_: Literal["iopt/tiling-configuration/1"] = Field(alias="schema")
    model: str = Field(description="name of the network")
    instance_hash: str = Field(description="SHA-256 of the canonical JSON of network, host and options")
    input_shape: Annotated[tuple[Size, Size, Size], Field(strict=False)] = Field(description="channels, height, width")
    options: OptionsData
    host: HostModelData | None = Field(description="times of the layers, for the latency; null: not known")
    notation: str | None = Field(description="the groups as MAFAT writes them, such as 5x5/8/2x2; null without any")
    groups: list[GroupData] | None = Field(description="in order, every layer once; null without a configuration")
    result: ResultData
    evaluation: EvaluationData | None = Field(description="null without a configuration")
    network: dict[str, Any] = Field(description="the graph, as `iopt graph` writes it")

    @model_validator(mode="after")
    def _what_belongs_together(self) -> Self:
        if len({self.notation is None, self.groups is None, self.evaluation is None}) > 1:
            raise ValueError("notation, groups and evaluation: expected all or none to be null")
        return self


def json_schema() -> dict[str, Any]:
    """The JSON schema of configuration files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ConfigurationData.model_json_schema()}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
