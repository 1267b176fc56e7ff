"""What a host file may hold, checked by pydantic: times of the layers of one network on one machine."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from iopt.door.strict import Strict
from iopt.planfile.schema import Amount, Size

SCHEMA = "iopt/tiling-host/1"

Name = Annotated[str, Field(min_length=1)]


class LayerTimeData(Strict):
    """Seconds of one call over the output cells (rows x columns) that it computes, straight between the points."""

    cells: list[Amount] = Field(min_length=1, description="rising")
    seconds: list[Amount] = Field(min_length=1, description="as many")


class HostModelData(Strict):
    """How long tiles take."""

    call_s: Amount = Field(description="of every call: of each layer of each tile")
    tile_s: Amount = Field(description="of each tile of a tiled group")
    copy_s: Amount = Field(description="of each byte that a tile copies")
    layers: list[LayerTimeData] = Field(min_length=1, description="of every layer of the network, in order")


class MachineData(Strict):
    """What was measured, and how."""

    machine: str = Field(description="the processor, in words")
    torch: str = Field(description="version of PyTorch")
    threads: int = Field(ge=1)
    executor: Literal["lean", "torch"]
    repeat: int = Field(ge=1, description="times that everything was measured; the least counts")
    fitted: Size = Field(description="configurations that latencies were fitted to")
    median_error: Amount | None = Field(
        description="of latencies of other configurations, over what was measured; null: not judged"
    )
    worst_error: Amount | None = Field(description="of the same")


class HostData(Strict):
    """Times of tiles by size on one host, of one network."""

    schema_: Literal["iopt/tiling-host/1"] = Field(alias="schema")
    network: Name = Field(description="its name")
    graph_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] = Field(
        description="SHA-256 of the canonical JSON of its graph, without the name"
    )
    model: HostModelData
    bias_bytes: Size | None = Field(description="bytes besides tensors, for the predictor mafat; null: not measured")
    measured: MachineData | None = Field(description="null: not measured by iopt")


def json_schema() -> dict[str, Any]:
    """The JSON schema of host files."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **HostData.model_json_schema()}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
