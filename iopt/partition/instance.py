"""A problem as JSON data, and the hash by which files say which problem they belong to."""

from __future__ import annotations

from typing import Any

from iopt.cluster import file as cluster_file
from iopt.door import json_file
from iopt.graph import file as graph_file
from iopt.partition.problem import MemoryModel, Problem, Relayout


def to_dict(problem: Problem) -> dict[str, Any]:
    """`network`, `cluster` and `options` of a problem; `from_dict` gives it back, equal."""
    return {
        "network": graph_file.to_dict(problem.graph),
        "cluster": cluster_file.normal_dict(problem.cluster),
        "options": {"along_rows": problem.along_rows, "memory": problem.memory, "relayout": problem.relayout},
    }


def from_dict(
    network: object, cluster: object, along_rows: bool, memory: MemoryModel, relayout: Relayout, where: str
) -> Problem:
    """The problem of `to_dict`'s data. Raises `IoptError` that begins with `where` and the key."""
    return Problem(
        graph_file.from_dict(network, f"{where}: network"),
        cluster_file.from_dict(cluster, f"{where}: cluster"),
        along_rows,
        memory,
        relayout,
    )


def instance_hash(problem: Problem) -> str:
    """SHA-256 (hexadecimal) of the canonical JSON of `to_dict`: keys sorted, no spaces, ASCII only."""
    return json_file.canonical_hash(to_dict(problem))
