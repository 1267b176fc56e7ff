"""Quantities with units as pydantic fields, and the JSON schema that editors get of files that hold them."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from iopt.door import units
from iopt.door.units import Kind

UNIT = "[A-Za-zµ]+"
PER_UNIT = f"{UNIT}( */ *{UNIT})?"


def number(kind: Kind, value: object) -> float:
    """The quantity in the unit of its kind, as a float."""
    return float(units.within(value, kind))


def text(kind: Kind, unit: str, otherwise: str = "") -> WithJsonSchema:
    """What an editor is told of a quantity; which units there are is for `iopt.door.units` to say."""
    digits = r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?"
    return WithJsonSchema({"type": "string", "pattern": f"^{digits} *{unit}${otherwise}", "examples": [kind.example]})


ComputeRate = Annotated[float, BeforeValidator(partial(number, units.COMPUTE)), text(units.COMPUTE, PER_UNIT)]
Bandwidth = Annotated[float, BeforeValidator(partial(number, units.BANDWIDTH)), text(units.BANDWIDTH, PER_UNIT)]
Duration = Annotated[float, BeforeValidator(partial(number, units.TIME)), text(units.TIME, UNIT)]
Latency = Annotated[float, BeforeValidator(partial(number, units.LATENCY)), text(units.LATENCY, UNIT)]
Rate = Annotated[float, BeforeValidator(partial(number, units.RATE)), text(units.RATE, f"({UNIT}|/ *{UNIT})")]
Power = Annotated[float, BeforeValidator(partial(number, units.POWER)), text(units.POWER, UNIT)]
EnergyPerBit = Annotated[
    float, BeforeValidator(partial(number, units.ENERGY_PER_BIT)), text(units.ENERGY_PER_BIT, PER_UNIT)
]


class _EditorSchema(GenerateJsonSchema):
    """Optional keys are absent rather than null, and defaults, which are in SI, stay in the descriptions."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def editor_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a YAML form that people write."""
    schema = model.model_json_schema(schema_generator=_EditorSchema)
    return {"$schema": _EditorSchema.schema_dialect, **schema}
