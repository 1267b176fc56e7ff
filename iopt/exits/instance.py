"""A problem as JSON data in SI units, and the hash by which files say which problem they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from iopt.cluster import file as cluster_file
from iopt.door import json_file
from iopt.errors import IoptError, PlanError
from iopt.exits.network import Block, Exit, ExitNetwork
from iopt.exits.problem import Application, Problem

OPTIONS = ("energy", "link_rate", "latency", "pinned", "tier_order", "max_load")


def to_dict(problem: Problem) -> dict[str, Any]:
    """`networks`, `applications`, `cluster` and `options` of a problem; `from_dict` gives it back, equal.

    Applications name their network by its index: equal networks appear once.
    """
    networks = networks_of(problem)
    return {
        "networks": [_network_to_dict(network) for network in networks],
        "applications": [
            {
                "name": application.name,
                "network": networks.index(application.network),
                "accuracy": float(application.accuracy),
                "latency_s": float(application.latency_s),
                "rate_per_s": float(application.rate_per_s),
                "source": application.source,
            }
            for application in problem.applications
        ],
        "cluster": cluster_file.normal_dict(problem.cluster),
        "options": {key: _plain(getattr(problem, key)) for key in OPTIONS},
    }


def from_dict(data: Mapping[str, Any], where: str) -> Problem:
    """The problem of `to_dict`'s data, which has the right keys and types. Raises `IoptError` that begins with `where`
    and the key."""
    networks = []
    for index, network in enumerate(data["networks"]):
        try:
            networks.append(_network_of(network))
        except IoptError as error:
            raise PlanError(f"{where}: networks[{index}]: {error}") from None
    cluster = cluster_file.from_dict(data["cluster"], f"{where}: cluster")
    try:
        applications = tuple(_application_of(entry, networks) for entry in data["applications"])
        return Problem(applications, cluster, **data["options"])
    except IoptError as error:
        raise PlanError(f"{where}: {error}") from None


def instance_hash(problem: Problem) -> str:
    """SHA-256 (hexadecimal) of the canonical JSON of `to_dict`: keys sorted, no spaces, ASCII only."""
    return json_file.canonical_hash(to_dict(problem))


def networks_of(problem: Problem) -> list[ExitNetwork]:
    """The networks of the applications, each once, in order of appearance."""
    return list(dict.fromkeys(application.network for application in problem.applications))


def _plain(option: str | float | bool) -> str | float | bool:
    """A choice as text, a number as a float."""
    return option if isinstance(option, bool) else str(option) if isinstance(option, str) else float(option)


def _network_to_dict(network: ExitNetwork) -> dict[str, Any]:
    """Amounts as floats, also where Python code gave whole numbers: equal networks, equal hashes."""
    return {
        "name": network.name,
        "input_bits": float(network.input_bits),
        "blocks": [
            {**asdict(block), "ops": float(block.ops), "out_bits": float(block.out_bits)} for block in network.blocks
        ],
        "exits": [
            {**asdict(leave), "fraction": float(leave.fraction), "accuracy": float(leave.accuracy)}
            for leave in network.exits
        ],
    }


def _network_of(data: Mapping[str, Any]) -> ExitNetwork:
    return ExitNetwork(
        data["name"],
        data["input_bits"],
        tuple(Block(**block) for block in data["blocks"]),
        tuple(Exit(**leave) for leave in data["exits"]),
    )


def _application_of(data: Mapping[str, Any], networks: Sequence[ExitNetwork]) -> Application:
    if data["network"] >= len(networks):
        got = f"network is {data['network']}"
        raise PlanError(f"application {data['name']!r}: {got}; expected 0 ... {len(networks) - 1}")
    return Application(**{**data, "network": networks[data["network"]]})
