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
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import iopt
from experiments import namespaces, page
from experiments.cgroups import Unavailable
from iopt.cluster.file import from_yaml
from iopt.partition.files.plan_file import save

NETWORKS, METHODS = ("lenet", "alexnet", "vgg11"), ("oc", "coedge", "iop", "dp")
BITS_PER_S, HOSTS, REPEAT, ROUNDS, PATIENCE_S = 100_000_000, 4, 5, 5, 300.0
GAIN_HEADER = ("network", "without ms", "with ms", "gain %", "least and most without", "with")
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

GAIN = f"""


## Overlap

`--overlap` computes the rows that need no halo while halos are on their way. Plans of `coedge` (rows of convolutions),
on the same network, devices as fast as this machine is with four processes on its cores: medians over {ROUNDS} starts
of each, in turns, of the medians of {REPEAT} inferences.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    try:
        if (reason := namespaces.refusal()) is not None:
            raise Unavailable(reason)
        with namespaces.switched_hosts(HOSTS, BITS_PER_S) as hosts, TemporaryDirectory() as folder:
            measured = links(hosts)
            cases = [(name, method) for name in (NETWORKS[:1] if is_quick else NETWORKS) for method in METHODS]
            rows = [carried_out(hosts, Path(folder), *case, measured) for case in cases]
            gains = [overlapped(hosts, Path(folder), name) for name in (NETWORKS[:1] if is_quick else NETWORKS)]
    except Unavailable as error:
        print(f"skipped: {error}")
        return
    except KeyboardInterrupt:
        sys.exit(f"interrupted; {namespaces.what_is_left()}")
    text = ABOVE.format(
        mbit=BITS_PER_S // 10**6,
        burst=namespaces.BURST_BYTES,
        repeat=REPEAT,
        circumstances=page.circumstances(),
        rate=measured.network.up_bytes_per_s[0] / 1e6,
        connection=measured.network.connection_s * 1e3,
    )
    text += page.table(HEADER, [line(row) for row in rows])
    text += GAIN + page.table(GAIN_HEADER, [gain_line(gain) for gain in gains])
    print(text)
    if not is_quick:
        print(page.write("runtime_namespaces", "Run: over real TCP", text, {"plans": rows, "overlap": gains}))
    if namespaces.left():
        sys.exit(f"done; {namespaces.what_is_left()}")


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


def overlapped(hosts: Sequence[str], folder: Path, network: str) -> dict[str, Any]:
    """A plan that splits rows, without and with overlap."""
    found: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(ROUNDS):
        for key, times in found.items():
            words = [str(folder / f"{network}-coedge.json"), "--repeat", str(REPEAT), "--timeout", "60"]
            more = ["--overlap"] if key == "with" else []
            (said, *_) = together(hosts, ["-m", "iopt.partition.runtime", *words, *more])
            times.append(json.loads(said)["latency_s"]["measured"])
    return {"network": network, **found}


def gain_line(gain: dict[str, Any]) -> list[str]:
    without, with_it = (median(gain[key]) for key in ("without", "with"))
    return [
        gain["network"],
        *(f"{value * 1e3:.2f}" for value in (without, with_it)),
        f"{(1 - with_it / without) * 100:+.1f}",
        *(f"{min(gain[key]) * 1e3:.2f} ... {max(gain[key]) * 1e3:.2f}" for key in ("without", "with")),
    ]


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
