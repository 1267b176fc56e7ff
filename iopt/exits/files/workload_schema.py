"""What a workload file may hold: the form that people write, with units. `make schema` writes its JSON schema."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from iopt.door import units
from iopt.door.numbers import share_hint
from iopt.door.quantities import Latency, Rate, editor_schema
from iopt.door.strict import Strict

MAX_COUNT = 256

Name = Annotated[str, Field(min_length=1)]


def _no_percentage(value: object) -> object:
    """The value itself. Raises `ValueError` for what seems to be a percentage."""
    if hint := share_hint(value):
        raise ValueError(f"expected a number from 0 to 1{hint}, got {value}")
    return value


class ApplicationEntry(Strict):
    """A network with what is asked of it, or `count` equal ones."""

    name: Name | None = Field(
        None, description="unique, default: the network's name; with a count of 3, camera becomes camera-1 ... camera-3"
    )
    network: Name = Field(description="a profile of `iopt exits networks`, or a file beside this one")
    accuracy: Annotated[float, Field(ge=0, le=1), BeforeValidator(_no_percentage)] = Field(
        description="at least, from 0 to 1", examples=[0.8]
    )
    latency: Latency = Field(description="at most", examples=[units.LATENCY.example])
    rate: Rate = Field(1.0, description="inferences a second; default: 1 Hz")
    source: Name | None = Field(None, description="the device that holds the input; default: the cluster's source")
    count: Annotated[int, Field(ge=1, le=MAX_COUNT)] | None = Field(None, description="so many applications like this")


class WorkloadFile(Strict):
    """Early-exit networks that share a cluster."""

    cluster: Name = Field(description="a preset of `iopt clusters`, or a file beside this one")
    energy: Literal["expected", "unconditional"] = Field(
        "expected", description="expected (default): samples that left early cost nothing more"
    )
    link_rate: Literal["min", "receiver"] | None = Field(
        None,
        description="of a link that the cluster does not list: min of up and down, or receiver's down alone; "
        "default: as the cluster says",
    )
    latency: Literal["worst", "expected"] = Field("worst", description="worst (default): of the deepest exit")
    pinned: bool = Field(True, description="block 1 runs on the source; default: true")
    tier_order: bool = Field(True, description="no block runs in a lower tier than the one before; default: true")
    max_load: Annotated[float, Field(gt=0)] = Field(
        1.0, description="load of a device at most, over its compute rate; default: 1"
    )
    applications: list[ApplicationEntry] = Field(min_length=1)


def json_schema() -> dict[str, Any]:
    """The JSON schema of workload files."""
    return editor_schema(WorkloadFile)


if __name__ == "__main__":
    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))  # stdout is data
