"""Predicted against measured, operator by operator and phase by phase: with the cluster played by this machine, and on
a cluster file that was measured on this machine.

`--quick` tries the smallest network only and writes nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import iopt
from experiments import page
from iopt.partition.runtime.cluster_profile import profile_here

NETWORKS = ("lenet", "alexnet", "vgg11")
CLUSTERS = ("cal4", "mixed4")
HERE = "this machine"
METHOD, REPEAT, RANKS = "dp", 5, 2
WITHIN = 0.10
HEADER = (
    "network",
    "cluster",
    "predicted ms",
    "measured ms",
    "error %",
    "of it in compute ms",
    "in phases ms",
    "largest difference",
)
STEPS = ("network", "cluster", "step", "predicted ms", "measured ms", "error %", "ms more")

ABOVE = """\
Plans of `{method}`, medians of {repeat} inferences after one that is not timed, random weights. `cal4` and `mixed4` are
emulated: four processes compute and send as slowly as the cluster, by waiting. *{here}*: not emulated, two processes
on a cluster file that `iopt profile --links --ranks {ranks}` had just written. Bytes were as predicted in every phase
of every run. {circumstances}

"""
NOTE = """\


## Steps that are off by more than {within:.0%}

Emulated, {off} of {count} steps take more than {within:.0%} longer or shorter than predicted; {short} of these are
predicted to take less than {short_ms:g} ms. Every phase, and every wait for the end of a share, needs processes to be
woken, and what that takes does not depend on what is sent: over all steps, the median of what they take above the
prediction is {more:.2f} ms. A phase is measured from when the last of its devices is ready, so what faster ones sent
before is not in it: on a mixed cluster it can be shorter than predicted, and the whole inference, too. Steps on the
cluster file made for this machine are off for another reason: one rate for all operators is fitted to convolutions
([why](../running.md#profile-of-a-device)), fully connected layers are bound by memory, and the two processes share the
memory's bandwidth, which a profile of one after the other does not see.

"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    is_quick = parser.parse_args(arguments).quick
    runs = [carried_out(*case) for case in cases(NETWORKS[:1] if is_quick else NETWORKS)]
    text = ABOVE.format(method=METHOD, repeat=REPEAT, here=HERE, ranks=RANKS, circumstances=page.circumstances())
    text += page.table(HEADER, [line(run) for run in runs])
    text += note(runs)
    text += page.table(STEPS, [step_line(run, step) for run in runs for step in run["steps"] if is_off(step)])
    print(text)
    if not is_quick:
        print(page.write("runtime_latency", "Run: predicted and measured latency", text, runs))


def cases(networks: Sequence[str]) -> Iterator[tuple[str, str, iopt.Cluster]]:
    for name in networks:
        for cluster in CLUSTERS:
            yield name, cluster, iopt.Cluster.load(cluster)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "cluster.yaml"
        path.write_text(profile_here(RANKS).as_yaml())
        here = iopt.Cluster.load(path)
    for name in networks:
        yield name, HERE, here


def carried_out(network: str, label: str, cluster: iopt.Cluster) -> dict[str, Any]:
    """One network on one cluster."""
    problem = iopt.Problem(iopt.load(network), cluster)
    plan = iopt.solve(problem, METHOD).plan
    assert plan is not None
    found = iopt.run(plan, problem=problem, repeat=REPEAT, emulate=label != HERE, verify=True, timeout_s=120.0)
    assert found.bytes_agree
    print(network, label, f"{found.predicted.latency_s * 1e3:.3f}", f"{found.latency_s * 1e3:.3f}", flush=True)
    return {
        "network": network,
        "cluster": label,
        "predicted_s": found.predicted.latency_s,
        "measured_s": found.latency_s,
        "latencies_s": list(found.latencies_s),
        "difference": found.difference,
        "steps": list(steps(problem, found)),
    }


def steps(problem: iopt.Problem, found: iopt.Execution) -> Iterator[dict[str, Any]]:
    """Every operator's compute, and every phase."""
    times = zip(found.predicted.compute_by_operator_s, found.compute_by_operator_s, strict=True)
    for operator, (predicted, measured) in zip(problem.operators, times, strict=True):
        yield {"step": f"compute of {operator.name}", "predicted_s": predicted, "measured_s": measured}
    for expected, phase in zip(found.predicted.phases, found.phases, strict=True):
        direction = "into" if phase.kind in ("input", "transfer") else "of"
        name = f"{phase.kind} {direction} {phase.operator}"
        yield {"step": name, "predicted_s": expected.time_s, "measured_s": phase.time_s}


def note(runs: Sequence[dict[str, Any]]) -> str:
    """Counts over the emulated runs."""
    emulated = [step for run in runs if run["cluster"] != HERE for step in run["steps"]]
    off = [step for step in emulated if is_off(step)]
    more = sorted(step["measured_s"] - step["predicted_s"] for step in emulated)
    short_ms = 10.0
    return NOTE.format(
        within=WITHIN,
        off=len(off),
        count=len(emulated),
        short=sum(step["predicted_s"] < short_ms / 1e3 for step in off),
        short_ms=short_ms,
        more=more[len(more) // 2] * 1e3,
    )


def is_off(step: dict[str, Any]) -> bool:
    return abs(step["measured_s"] / step["predicted_s"] - 1) > WITHIN


def line(run: dict[str, Any]) -> list[str]:
    more = dict.fromkeys(("compute", "phases"), 0.0)
    for step in run["steps"]:
        more["compute" if step["step"].startswith("compute") else "phases"] += step["measured_s"] - step["predicted_s"]
    return [
        run["network"],
        run["cluster"],
        *(f"{run[key] * 1e3:,.3f}" for key in ("predicted_s", "measured_s")),
        f"{(run['measured_s'] / run['predicted_s'] - 1) * 100:+.1f}",
        *(f"{value * 1e3:+.2f}" for value in more.values()),
        f"{run['difference']:.0e}",
    ]


def step_line(run: dict[str, Any], step: dict[str, Any]) -> list[str]:
    predicted, measured = step["predicted_s"], step["measured_s"]
    return [
        run["network"],
        run["cluster"],
        step["step"],
        f"{predicted * 1e3:.3f}",
        f"{measured * 1e3:.3f}",
        f"{(measured / predicted - 1) * 100:+.0f}",
        f"{(measured - predicted) * 1e3:+.2f}",
    ]


if __name__ == "__main__":
    main()
