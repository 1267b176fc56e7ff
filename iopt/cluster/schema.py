"""What cluster files may hold: the YAML form that people write, and the SI form that plan files embed.

Quantities of the YAML form are texts with a unit and arrive here as numbers in byte, FLOP and second. The JSON schema
of the YAML form, for editors, is `iopt/cluster/cluster.schema.json`; `make schema` writes it from these models.
"""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from iopt.cluster import Charge, Medium
from iopt.door import units
from iopt.door.units import Kind

MAX_COUNT = 256


def _number(kind: Kind, value: object) -> float:
    return float(units.within(value, kind))


def _memory(value: object) -> int | None:
    if isinstance(value, str) and value.strip().casefold() == "none":
        return None
    return math.floor(units.within(value, units.SIZE))


def _text(kind: Kind, unit: str, otherwise: str = "") -> WithJsonSchema:
    """What an editor is told of a quantity; which units there are is for `iopt.door.units` to say."""
    number = r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?"
    return WithJsonSchema({"type": "string", "pattern": f"^{number} *{unit}${otherwise}", "examples": [kind.example]})


_UNIT = "[A-Za-zµ]+"
_RATE = f"{_UNIT}( */ *{_UNIT})?"
ComputeRate = Annotated[float, BeforeValidator(partial(_number, units.COMPUTE)), _text(units.COMPUTE, _RATE)]
Bandwidth = Annotated[float, BeforeValidator(partial(_number, units.BANDWIDTH)), _text(units.BANDWIDTH, _RATE)]
Duration = Annotated[float, BeforeValidator(partial(_number, units.TIME)), _text(units.TIME, _UNIT)]
Memory = Annotated[int | None, BeforeValidator(_memory), _text(units.SIZE, _UNIT, otherwise="|^none$")]
Name = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """No conversions (`"1"` is not 1, `true` is not 1.0), no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class DeviceEntry(_Strict):
    """A device of a cluster file, or `count` equal ones."""

    name: Name = Field(description="unique; with a count of 4, pi becomes pi-1 ... pi-4")
    compute: ComputeRate = Field(
        description="effective rate on convolutions, not the peak", examples=[units.COMPUTE.example]
    )
    memory: Memory = Field(None, description="what a plan may use; absent or none: no cap")
    overhead: Duration = Field(0.0, description="added for every operator the device works on; default: 0 s")
    up: Bandwidth | None = Field(None, description="overrides network.bandwidth")
    down: Bandwidth | None = Field(None, description="overrides network.bandwidth")
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = Field(None, description="so many devices like this one")


class NetworkEntry(_Strict):
    """The network between the devices."""

    medium: Annotated[Medium, Field(strict=False)] = Field(
        Medium.SWITCHED, description="switched (default): a full-duplex link per device; shared: one channel for all"
    )
    bandwidth: Bandwidth | None = Field(None, description="of every link, or of the shared channel")
    connection: Duration = Field(description="what opening connections costs", examples=[units.TIME.example])
    charge: Annotated[Charge, Field(strict=False)] = Field(
        Charge.PHASE, description="connection is paid once a phase (default), or once per peer of the busiest device"
    )


class ClusterFile(_Strict):
    """A cluster of devices for iopt."""

    name: Name | None = Field(None, description="default: the file's name")
    description: str | None = Field(None, description="one line for people")
    devices: list[DeviceEntry] = Field(min_length=1, description="in the order in which plans number them")
    network: NetworkEntry
    source: Name | None = Field(None, description="the device that holds the input; default: the first")
    sink: Name | None = Field(None, description="the device that must end up with the output; default: the first")


class DeviceData(_Strict):
    """`iopt.cluster.Device` as JSON."""

    name: str
    flops_per_s: float
    memory_bytes: int | None
    overhead_s: float


Rates = Annotated[tuple[float, ...], Field(strict=False)]  # a list in JSON


class NetworkData(_Strict):
    """`iopt.cluster.Network` as JSON."""

    connection_s: float
    up_bytes_per_s: Rates
    down_bytes_per_s: Rates
    bandwidth_bytes_per_s: float | None
    charge: Annotated[Charge, Field(strict=False)]
    medium: Annotated[Medium, Field(strict=False)]


class ClusterData(_Strict):
    """`iopt.cluster.Cluster` as JSON; `source` and `sink` are device names."""

    name: str
    devices: list[DeviceData] = Field(min_length=1)
    network: NetworkData
    source: str
    sink: str


class _EditorSchema(GenerateJsonSchema):
    """Optional keys are absent rather than null, and defaults, which are in SI, stay in the descriptions."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def json_schema() -> dict[str, Any]:
    """The JSON schema of the YAML form."""
    schema = ClusterFile.model_json_schema(schema_generator=_EditorSchema)
    return {"$schema": _EditorSchema.schema_dialect, **schema}


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
