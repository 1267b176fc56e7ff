"""A problem as JSON data, and the hash by which files say which problem they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iopt.door import json_file
from iopt.errors import IoptError, ModelError, PlanError
from iopt.graph import file as graph_file
from iopt.tiling.latency import HostModel, LayerTime
from iopt.tiling.problem import Problem

OPTIONS = (
    "memory_bytes",
    "objective",
    "overhead",
    "predictor",
    "bias_bytes",
    "weights",
    "backend",
    "grid",
    "crop",
    "max_tiles",
    "reuse",
)


def to_dict(problem: Problem) -> dict[str, Any]:
    """`network`, `host` and `options` of a problem; `from_dict` gives it back, equal."""
    options = {key: getattr(problem, key) for key in OPTIONS}
    if problem.overhead is not None:
        options["overhead"] = float(problem.overhead)
    return {
        "network": graph_file.to_dict(problem.graph),
        "host": None if problem.host is None else host_to_dict(problem.host),
        "options": options,
    }


def from_dict(data: Mapping[str, Any], where: str) -> Problem:
    """The problem of `to_dict`'s data, which has the right keys and types. Raises `PlanError` that begins with `where`
    and the key."""
    try:
        graph = graph_file.from_dict(data["network"], f"{where}: network")
    except ModelError as error:
        raise PlanError(str(error)) from None
    try:
        host = None if data["host"] is None else host_of(data["host"])
    except IoptError as error:
        raise PlanError(f"{where}: host: {error}") from None
    try:
        return Problem(graph, **data["options"], host=host)
    except ModelError as error:
        raise PlanError(f"{where}: network: {error}") from None
    except IoptError as error:
        raise PlanError(f"{where}: options: {error}") from None


def instance_hash(problem: Problem) -> str:
    """SHA-256 (hexadecimal) of the canonical JSON of `to_dict`: keys sorted, no spaces, ASCII only."""
    return json_file.canonical_hash(to_dict(problem))


def host_to_dict(host: HostModel) -> dict[str, Any]:
    """The model as JSON data; `host_of` gives it back, equal."""
    return {
        "call_s": float(host.call_s),
        "tile_s": float(host.tile_s),
        "copy_s": float(host.copy_s),
        "layers": [
            {"cells": list(map(float, layer.cells)), "seconds": list(map(float, layer.seconds))}
            for layer in host.layers
        ],
    }


def host_of(data: Mapping[str, Any]) -> HostModel:
    """Raises `PlanError` that names the layer whose times make no sense, `OptionError` for overheads that make none."""
    layers = []
    for index, layer in enumerate(data["layers"]):
        try:
            layers.append(LayerTime(tuple(layer["cells"]), tuple(layer["seconds"])))
        except IoptError as error:
            raise PlanError(f"layers[{index}]: {error}") from None
    return HostModel(tuple(layers), data["call_s"], data["tile_s"], data["copy_s"])
