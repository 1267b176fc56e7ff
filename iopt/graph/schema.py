"""What a saved graph may hold: pydantic checks JSON data against the dataclasses of `network` and `layers`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from iopt.door.validation import key_path
from iopt.door.wording import hint, shown
from iopt.errors import ModelError
from iopt.graph import Graph, Operator
from iopt.graph.layers import Body, Step, Window

_BODIES: dict[str, type] = {layer.kind: layer for layer in get_args(Body)}
_STEPS: dict[str, type] = {layer.kind: layer for layer in get_args(Step)}

Location = Sequence[int | str]


@cache
def _adapter() -> TypeAdapter[Graph]:
    return TypeAdapter(Graph)


def dump(graph: Graph) -> dict[str, Any]:
    """The graph as JSON data; `exits` only where there are any, so that other files keep their hash."""
    data: dict[str, Any] = _adapter().dump_python(graph, mode="json")
    return data if graph.exits else {key: value for key, value in data.items() if key != "exits"}


def validate(data: dict[str, Any]) -> Graph:
    """The graph of JSON data, without conversions (`true` is not 1). Raises `ModelError` with the key path."""
    layers = _layers(data)
    try:
        return _adapter().validate_json(json.dumps(data), strict=True)
    except ValidationError as error:
        raise ModelError(_explain(error, layers)) from error


def _layers(data: dict[str, Any]) -> dict[Location, type]:
    """The class of every layer by its place, which its `kind` tells; pydantic would try them all and report on each."""
    layers: dict[Location, type] = {}
    operators = data.get("operators")
    for index, operator in enumerate(operators if isinstance(operators, list) else []):
        if not isinstance(operator, dict):
            continue
        if "body" in operator:
            place: Location = ("operators", index, "body")
            layers[place] = _layer(operator["body"], _BODIES, place)
        steps = operator.get("epilogue")
        for position, step in enumerate(steps if isinstance(steps, list) else []):
            place = ("operators", index, "epilogue", position)
            layers[place] = _layer(step, _STEPS, place)
    return layers


def _layer(entry: object, known: dict[str, type], place: Location) -> type:
    expected = f"expected one of {', '.join(known)}"
    if not isinstance(entry, dict):
        raise ModelError(f"{key_path(place)}: expected a mapping with a kind, got {shown(entry)}")
    if "kind" not in entry:
        raise ModelError(f"{key_path(place)}.kind: missing; {expected}")
    kind = entry["kind"]
    if not isinstance(kind, str) or kind not in known:
        near = hint(kind, known) if isinstance(kind, str) else ""
        raise ModelError(f"{key_path(place)}.kind: {expected}, got {shown(kind)}{near}")
    return known[kind]


def _explain(error: ValidationError, layers: dict[Location, type]) -> str:
    """The most telling of the errors; a misspelt key goes before the missing one that it causes."""
    found: list[tuple[Location, type, ErrorDetails]] = []
    for detail in error.errors(include_url=False):
        place, holder, concerns = _placed(detail["loc"], layers)
        if concerns:
            found.append((place, holder, detail))
    place, holder, detail = min(found, key=lambda entry: entry[2]["type"] != "unexpected_keyword_argument")
    return f"{key_path(place)}: {_problem(place, holder, detail)}" if place else _problem(place, holder, detail)


def _placed(location: Location, layers: dict[Location, type]) -> tuple[Location, type, bool]:
    """Key path and class of what an error is about, and False where pydantic took a layer for one of another kind."""
    depth = 4 if location[2:3] == ("epilogue",) else 3
    layer = layers.get(location[:depth])
    if layer is None or len(location) == depth:
        return location, Operator if len(location) > 2 else Graph, True
    path = (*location[:depth], *location[depth + 1 :])
    if "arguments" in path:
        path = path[: path.index("arguments") + 2]
    return path, Window if "window" in path[:-1] else layer, location[depth] == layer.__name__


def _problem(place: Location, holder: type, detail: ErrorDetails) -> str:
    if detail["type"] == "unexpected_keyword_argument":
        known = [field.name for field in fields(holder)]
        return f"unknown key{hint(str(place[-1]), known) or '; expected one of ' + ', '.join(known)}"
    if detail["type"] == "missing":
        return "missing"
    message = detail["msg"]
    expected = message.removeprefix("Input should be ")
    return f"{message if expected == message else f'expected {expected}'}, got {shown(detail['input'])}"
