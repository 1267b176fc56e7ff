"""The JSON files of iopt by the `schema` that they name, and which commands read each."""

from __future__ import annotations

READERS = {
    "iopt/graph/1": "a graph, read by `iopt plan`, `iopt compare` and `iopt tile plan`",
    "iopt/partition-plan/1": "a plan, read by `iopt show` and `iopt check`",
    "iopt/exits-profile/1": "a profile, read by `iopt exits plan` and `iopt exits front`",
    "iopt/exits-placement/1": "a placement, read by `iopt exits show` and `iopt exits check`",
    "iopt/tiling-configuration/1": "a configuration, read by `iopt tile show`, `iopt tile check` and `iopt tile run`",
    "iopt/tiling-host/1": "times of a host, read by `iopt tile plan --host`",
}


def what_it_is(schema: object) -> str:
    """`, a plan, read by ...` for a file of this schema; nothing for one that iopt does not write."""
    return f", {READERS[schema]}" if isinstance(schema, str) and schema in READERS else ""
