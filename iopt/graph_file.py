"""Graphs as JSON files, for planning without torch and for people to read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from iopt.errors import ModelError
from iopt.graph import Graph
from iopt.wording import shown

SCHEMA = "iopt/graph/1"

_WIDTH = 100


def save(graph: Graph, path: str | Path) -> None:
    """Write the graph; raises `ModelError` where the file cannot be written."""
    try:
        Path(path).write_text(_pretty(to_dict(graph)) + "\n", encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot write {path}: {error.strerror}") from error


def load(path: str | Path) -> Graph:
    """The graph that `save` wrote. Raises `ModelError` that names the file, the key and what was expected."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path} is no text in UTF-8") from error
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(f"{path} is no JSON: line {error.lineno} column {error.colno}: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise ModelError(f"{path} is no JSON that iopt reads: {error}") from error
    return from_dict(data, str(path))


def to_dict(graph: Graph) -> dict[str, Any]:
    """The graph as JSON data; shapes are `[channels, height, width]`."""
    from iopt.graph_schema import dump

    return {"schema": SCHEMA, **dump(graph)}


def from_dict(data: object, where: str = "graph") -> Graph:
    """The graph of `to_dict`. Raises `ModelError` that begins with `where` and names the key and what was expected."""
    if not isinstance(data, dict):
        raise ModelError(f"{where}: expected a mapping with schema {SCHEMA!r}, got {shown(data)}")
    if data.get("schema") != SCHEMA:
        got = shown(data["schema"]) if "schema" in data else "none"
        raise ModelError(f"{where}: schema: expected {SCHEMA!r}, got {got}")
    from iopt.graph_schema import validate

    try:
        return validate({key: value for key, value in data.items() if key != "schema"})
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error


def _pretty(value: Any, depth: int = 0) -> str:
    """JSON with an indent of one, where what fits on a line stays on it."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + depth <= _WIDTH or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {_pretty(entry, depth + 1)}" for key, entry in value.items()]
        opening, closing = "{", "}"
    else:
        entries = [_pretty(entry, depth + 1) for entry in value]
        opening, closing = "[", "]"
    margin = " " * depth
    return f"{opening}\n" + ",\n".join(f"{margin} {entry}" for entry in entries) + f"\n{margin}{closing}"
