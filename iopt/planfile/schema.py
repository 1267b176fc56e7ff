"""What a plan file states of a result, checked by pydantic; each problem adds objective and bound in its own unit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from iopt.door.strict import Strict
from iopt.result import Status

Size = Annotated[int, Field(ge=0)]
Amount = Annotated[float, Field(ge=0)]


class StatedResult(Strict):
    """What the method says of its plan."""

    method: str
    status: Annotated[Status, Field(strict=False)]
    gap: Amount | None = Field(description="(objective - bound) / objective; null without either")
    gap_tolerance: Annotated[float, Field(ge=0, lt=1)] = Field(description="largest gap of a result that is OPTIMAL")
    runtime_s: Amount
    solver: str | None
    message: str = Field(description="why there is no plan, or what is wrong with it; may be empty")
