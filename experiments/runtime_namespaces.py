"""The plans of the calibrated scenario over real TCP: four network namespaces on a switch of 100 Mbit/s, predicted
against measured. Linux, as root; skipped elsewhere.

`--quick` tries the smallest network only and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import iopt
from experiments import namespaces, page
from iopt.cluster.file import from_yaml
from iopt.partition.files.plan_file import save

NETWORKS, METHODS = ("lenet", "alexnet", "vgg11"), ("oc", "coedge", "iop", "dp")
BITS_PER_S, HOSTS, REPEAT, PATIENCE_S = 100_000_000, 4, 5, 300.0
HEADER = (
    "network",
    "method",
    "predicted ms",
    "measured ms",
    "error %",
    "phases predicted ms",
    "measured ms",
    "with measured links ms",
    "error %",
)

ABOVE = """\
Four network namespaces of one machine, each with a virtual cable to a bridge, every cable shaped to {mbit} Mbit/s each
way (`tc` tbf, {burst} bytes at once): the cluster `cal4` with its real TCP, started as on four hosts
(`python -m iopt.partition.runtime`), devices slowed to 1 GFLOP/s (`--emulate-compute`), messages as fast as the network
lets them. Medians of {repeat} inferences after one that is not timed. {circumstances}

*Phases*: sums over the transfers. *With measured links*: what the same plan is predicted to take where bandwidth and
connection time are those that `iopt profile --links` measured between the same namespaces: {rate:.2f} MB/s (the
contract's 12.5 would be without the headers of TCP and Ethernet) and {connection:.2f} ms. Bytes were as predicted in
every phase of every run.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    reason = namespaces.refusal()
    if reason is not None:
        print(f"skipped: {reason}")
        return
    try:
        with namespaces.switched_hosts(HOSTS, BITS_PER_S) as hosts, TemporaryDirectory() as folder:
            measured = links(hosts)
            cases = [(name, method) for name in (NETWORKS[:1] if is_quick else NETWORKS) for method in METHODS]
            rows = [carried_out(hosts, Path(folder), *case, measured) for case in cases]
    except KeyboardInterrupt:
        sys.exit("interrupted; the namespaces are gone")
    text = ABOVE.format(
        mbit=BITS_PER_S // 10**6,
        burst=namespaces.BURST_BYTES,
        repeat=REPEAT,
        circumstances=page.circumstances(),
        rate=measured.network.up_bytes_per_s[0] / 1e6,
        connection=measured.network.connection_s * 1e3,
    )
    text += page.table(HEADER, [line(row) for row in rows])
    print(text)
    if not is_quick:
        print(page.write("runtime_namespaces", "Run: over real TCP", text, rows))


def links(hosts: Sequence[str]) -> iopt.Cluster:
    """`cal4` with the links that are measured between the hosts: the slowest of them for all."""
    (said, *_) = together(hosts, ["-m", "iopt", "profile", "--links"])
    found, given = from_yaml(said, "cluster.yaml", "measured").network, iopt.Cluster.load("cal4")
    rate = min(*found.up_bytes_per_s, *found.down_bytes_per_s)
    rates = (rate,) * HOSTS
    network = replace(given.network, up_bytes_per_s=rates, down_bytes_per_s=rates, connection_s=found.connection_s)
    return replace(given, network=network)


def carried_out(
    hosts: Sequence[str], folder: Path, network: str, method: str, measured: iopt.Cluster
) -> dict[str, Any]:
    """One plan, on all hosts."""
    problem = iopt.Problem(iopt.load(network), iopt.Cluster.load("cal4"))
    result = iopt.solve(problem, method)
    assert result.plan is not None
    path = folder / f"{network}-{method}.json"
    save(path, problem, result, 1e-4)
    options = ["--emulate-compute", "--repeat", str(REPEAT), "--timeout", "60"]
    (said, *_) = together(hosts, ["-m", "iopt.partition.runtime", str(path), *options])
    found = json.loads(said)
    assert found["bytes_agree"]
    times = [phase["time_s"] for phase in found["phases"]]
    expected = iopt.evaluate(replace(problem, cluster=measured), result.plan).latency_s
    print(network, method, found["latency_s"], flush=True)
    return {
        "network": network,
        "method": method,
        "latency_s": found["latency_s"],
        "latencies_s": found["latencies_s"],
        "phases_s": {key: sum(each[key] for each in times) for key in ("predicted", "measured")},
        "with_measured_links_s": expected,
        "phases": found["phases"],
        "compute_s": found["compute_s"],
    }


def together(hosts: Sequence[str], words: Sequence[str]) -> list[str]:
    """What the ranks print, one on each host."""
    root = str(Path(iopt.__file__).parents[1])
    running = [
        namespaces.inside(host, [sys.executable, *words], {**variables, "PYTHONPATH": root})
        for host, variables in zip(hosts, _variables(len(hosts)), strict=True)
    ]
    said = [process.communicate(timeout=PATIENCE_S) for process in running]
    failed = [errors for process, (_, errors) in zip(running, said, strict=True) if process.returncode]
    if failed:
        raise RuntimeError("; ".join(failed))
    return [output for output, _ in said]


def _variables(count: int) -> Iterator[dict[str, str]]:
    for rank in range(count):
        yield {
            "RANK": str(rank),
            "WORLD_SIZE": str(count),
            "MASTER_ADDR": "10.77.0.1",
            "MASTER_PORT": "29500",
            "GLOO_SOCKET_IFNAME": "eth0",
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }


def line(row: dict[str, Any]) -> list[str]:
    predicted, measured = (row["latency_s"][key] for key in ("predicted", "measured"))
    expected = row["with_measured_links_s"]
    return [
        row["network"],
        row["method"],
        *(f"{value * 1e3:,.3f}" for value in (predicted, measured)),
        f"{(measured / predicted - 1) * 100:+.1f}",
        *(f"{row['phases_s'][key] * 1e3:,.3f}" for key in ("predicted", "measured")),
        f"{expected * 1e3:,.3f}",
        f"{(measured / expected - 1) * 100:+.1f}",
    ]


if __name__ == "__main__":
    main()
