"""Every method of the partition on the calibrated and the mixed clusters: latency, bytes, memory, gap to the proved
bound."""

from __future__ import annotations

import argparse
from typing import Any

import iopt
from experiments import page
from iopt.partition.caps import tight_caps

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
    results = list(iopt.compare(problem, time_limit_s=time_limit_s))
    bound = results[-1].bound
    rows = []
    for result in results:
        if result.plan is None or result.objective is None:
            continue
        evaluation = iopt.evaluate(problem, result.plan)
        gap = None if bound is None or result.method == "modnn" else (result.objective - bound) / result.objective
        rows.append(
            {
                "network": network,
                "cluster": label,
                "method": result.method,
                "status": result.status.value,
                "latency_s": result.objective,
                "compute_s": evaluation.compute_s,
                "transfer_s": evaluation.transfer_s,
                "bytes": evaluation.bytes,
                "peak_memory_bytes": max(evaluation.memory_bytes.values()),
                "gap": gap,
                "bound_s": bound,
                "runtime_s": result.runtime_s,
            }
        )
        print(network, label, result.method, f"{result.objective * 1e3:.3f} ms", flush=True)
    return rows


def cells(row: dict[str, Any]) -> list[str]:
    """One row as text."""
    return [
        row["network"],
        row["cluster"],
        row["method"],
        row["status"],
        *(f"{row[key] * 1e3:.3f}" for key in ("latency_s", "compute_s", "transfer_s")),
        f"{row['bytes'] / 1e6:.3f}",
        f"{row['peak_memory_bytes'] / 2**20:.2f}",
        "" if row["gap"] is None else f"{row['gap'] * 100:.3f}",
        f"{row['runtime_s']:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds for the exact method on each instance")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    arguments = parser.parse_args()
    rows = []
    for network in arguments.networks:
        graph = iopt.load(network)
        for name in CLUSTERS:
            cluster = iopt.Cluster.load(name)
            capped = cluster.with_memory((tight_caps(graph, len(cluster)),) * len(cluster))
            for label, given in ((name, cluster), (f"{name} tight", capped)):
                rows += run(network, given, label, arguments.time_limit)
    text = (
        f"The exact method had {arguments.time_limit:g} s per instance. Gaps are to its bound; MoDNN relays\n"
        "everything over the source, which lies outside the decision space, so it has none. UNKNOWN: the plan\n"
        "breaks a memory cap. *Tight*: the memory of every device is 1.1 x an equal share of the parameters plus\n"
        "the largest input and pre tensor of one operator; the plan of `oc` with equal shares fits it, `oc` itself\n"
        "shares by speed.\n\n"
    )
    text += page.table(HEADER, [cells(row) for row in rows])
    print(page.write("partition_comparison", "Partition: all methods compared", text, rows))


if __name__ == "__main__":
    main()
