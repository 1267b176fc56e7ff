"""Every method of the partition on the calibrated and the mixed clusters: latency, bytes, memory, gap to the proved
bound."""

from __future__ import annotations

import argparse
from typing import Any

import iopt
from experiments import page
from iopt.partition.caps import tight_caps
from iopt.report.comparison import rows, to_list

NETWORKS = ("lenet", "alexnet", "vgg11", "vgg16", "vgg19")
CLUSTERS = ("cal4", "mixed4")
HEADER = (
    "network",
    "cluster",
    "method",
    "status",
    "latency ms",
    "compute ms",
    "transfer ms",
    "MB moved",
    "most MiB",
    "gap %",
    "s",
)


def run(network: str, cluster: iopt.Cluster, label: str, time_limit_s: float) -> list[dict[str, Any]]:
    """One network on one cluster by every method."""
    problem = iopt.Problem(iopt.load(network), cluster)
    found = rows(problem, list(iopt.compare(problem, time_limit_s=time_limit_s)))
    print(network, label, *(f"{row.result.method} {row.result.status}" for row in found), flush=True)
    return [{"network": network, "cluster": label, **row} for row in to_list(found)]


def cells(row: dict[str, Any]) -> list[str]:
    """One row as text; what a method without a plan does not have is empty."""
    peaks = row["memory_bytes"]
    return [
        row["network"],
        row["cluster"],
        row["method"],
        row["status"],
        *(scaled(row[key], 1e3, 3) for key in ("latency_s", "compute_s", "transfer_s")),
        scaled(row["bytes"], 1e-6, 3),
        scaled(None if peaks is None else max(peaks.values()), 2**-20, 2),
        scaled(row["gap"], 100, 3),
        scaled(row["runtime_s"], 1, 2),
    ]


def scaled(value: float | None, factor: float, digits: int) -> str:
    """A number in another unit, or nothing."""
    return "" if value is None else f"{value * factor:.{digits}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for the exact method on each instance")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    arguments = parser.parse_args()
    results = []
    for network in arguments.networks:
        graph = iopt.load(network)
        for name in CLUSTERS:
            cluster = iopt.Cluster.load(name)
            capped = cluster.with_memory((tight_caps(graph, len(cluster)),) * len(cluster))
            for label, given in ((name, cluster), (f"{name} tight", capped)):
                results += run(network, given, label, arguments.time_limit)
    text = (
        f"The exact method had {arguments.time_limit:g} s per instance. Gaps are to its bound; MoDNN relays\n"
        "everything over the source, which lies outside the decision space, so it has none. UNKNOWN: the plan\n"
        "breaks a memory cap, and has no gap either. *Tight*: the memory of every device is 1.1 x an equal share\n"
        "of the parameters plus the largest input and pre tensor of one operator; the plan of `oc` with equal\n"
        "shares fits it, `oc` itself shares by speed.\n\n"
    )
    text += page.table(HEADER, [cells(row) for row in results])
    print(page.write("partition_comparison", "Partition: all methods compared", text, results))


if __name__ == "__main__":
    main()
