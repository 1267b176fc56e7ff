"""A plan for the devices that are left when some are lost."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from iopt.cluster import Cluster, Medium
from iopt.errors import RunError
from iopt.partition.methods import METHODS, solve
from iopt.partition.plan import Plan
from iopt.partition.problem import Problem
from iopt.result import Status

FAST = "dp"
"""Plans where no heuristic is named, or its plan breaks a memory cap: in a run nobody waits for a proof."""


def replan(problem: Problem, lost: Collection[str], method: str) -> tuple[Problem, Plan]:
    """Of `problem` without the devices of these names, by the same method if it is a heuristic, else by `dp`.

    Raises `RunError` where nobody is left, or no plan keeps the memory caps of those who are.
    """
    if len(lost) >= len(problem.cluster):
        raise RunError("no device is left to plan for")
    rest = replace(problem, cluster=without(problem.cluster, lost))
    for name in dict.fromkeys((method, FAST)):
        if name in METHODS and METHODS[name].plan is not None:
            result = solve(rest, name)
            if result.plan is not None and result.status is Status.FEASIBLE:
                return rest, result.plan
    raise RunError(f"no plan for the {len(rest.cluster)} devices that are left: {result.message}")


def without(cluster: Cluster, lost: Collection[str]) -> Cluster:
    """The cluster of the devices that are left, in their order.

    A lost source is replaced by the sink, a lost sink by the source, and where both are lost the first device that is
    left takes their place: who runs the inference holds the input, and can give it to anybody.
    """
    left = [index for index, device in enumerate(cluster.devices) if device.name not in lost]
    network = cluster.network
    if network.medium is Medium.SWITCHED:
        network = replace(
            network,
            up_bytes_per_s=tuple(network.up_bytes_per_s[index] for index in left),
            down_bytes_per_s=tuple(network.down_bytes_per_s[index] for index in left),
        )
    ends = [
        next(left.index(index) for index in (wanted, other, *left) if index in left)
        for wanted, other in ((cluster.source, cluster.sink), (cluster.sink, cluster.source))
    ]
    names = ", ".join(device.name for device in cluster.devices if device.name in lost)
    devices = tuple(cluster.devices[index] for index in left)
    return replace(
        cluster, name=f"{cluster.name} without {names}", devices=devices, network=network, source=ends[0], sink=ends[1]
    )
