"""A problem as JSON data, and the hash by which files say which problem they belong to."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from iopt.cluster import file as cluster_file
from iopt.graph import file as graph_file
from iopt.partition.problem import MemoryModel, Problem, Relayout


def to_dict(problem: Problem) -> dict[str, Any]:
    """`network`, `cluster` and `options` of a problem; `from_dict` gives it back, equal."""
    return {
        "network": graph_file.to_dict(problem.graph),
        "cluster": _in_floats(cluster_file.to_dict(problem.cluster)),
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
    text = json.dumps(to_dict(problem), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _in_floats(cluster: dict[str, Any]) -> dict[str, Any]:
    """Rates and times as floats, also where Python code gave `flops_per_s=10**9`: equal clusters, equal hashes."""
    return cluster_file.to_dict(cluster_file.from_dict(cluster, "cluster"))
