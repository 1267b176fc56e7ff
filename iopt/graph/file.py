"""Graphs as JSON files, for planning without torch and for people to read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from iopt.door import json_file
from iopt.errors import ModelError
from iopt.graph import Graph

SCHEMA = "iopt/graph/1"


def save(graph: Graph, path: str | Path) -> None:
    """Write the graph; raises `IoptError` where the file cannot be written."""
    json_file.write(path, to_dict(graph))


def load(path: str | Path) -> Graph:
    """The graph that `save` wrote. Raises `ModelError` that names the file, the key and what was expected."""
    return from_dict(json_file.read(path, ModelError), str(path))


def to_dict(graph: Graph) -> dict[str, Any]:
    """The graph as JSON data; shapes are `[channels, height, width]`."""
    from iopt.graph.schema import dump

    return {"schema": SCHEMA, **dump(graph)}


def graph_hash(graph: Graph) -> str:
    """SHA-256 (hexadecimal) of the graph's canonical JSON without its name: a network by another name is the same."""
    return json_file.canonical_hash({key: value for key, value in to_dict(graph).items() if key != "name"})


def from_dict(data: object, where: str = "graph") -> Graph:
    """The graph of `to_dict`. Raises `ModelError` that begins with `where` and names the key and what was expected."""
    checked = json_file.checked_schema(data, SCHEMA, where, ModelError)
    from iopt.graph.schema import validate

    try:
        return validate({key: value for key, value in checked.items() if key != "schema"})
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from error
