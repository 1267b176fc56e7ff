"""Thresholds and placement chosen together on digits, and what comes of the choice on data that nobody has seen."""

from __future__ import annotations

from typing import Any

from experiments import digits, page
from iopt.cluster import Cluster
from iopt.exits import Application, Problem, execute, grid, observe, profile, threshold_front, variants
from iopt.exits.fronts import Point
from iopt.exits.network import ExitNetwork

CLUSTER = "efficient-edge"
LATENCY_S = 100e-6
GRID = 41
RULE = "entropy"

MEASURED = ("energy uJ", "accuracy", "leave early %")

ABOVE = """\
B-LeNet trained in seconds on 897 of scikit-learn's 8x8 digits, on the cluster `{cluster}`, latency at most
{latency:g} us. On {calibration} digits it was measured how confident each exit is; {vectors} thresholds that no other
dominates were then placed exactly, each with each of its exits. The points that no other beats in energy and accuracy
are below. *Held out*: the same thresholds and placement executed block by block on {held_out} other digits."""

BELOW = """\
Accuracies of a few hundred digits have a standard error of about one percentage point: what looks like a better choice
on one split by less than that is none. Energies are means over samples; on other digits they move with the part that
leaves early."""


def main() -> None:
    training, calibration, held_out = digits.splits()
    module = digits.train(digits.network(), training)
    seen = observe(module, calibration, RULE)
    network = profile(module, calibration, RULE, [0.0], digits.EXAMPLE, "b-lenet on digits", "exit").network
    given = Problem((Application(network, 0.0, LATENCY_S),), Cluster.load(CLUSTER))
    offered = variants(network, seen, grid(seen, GRID))
    rows = []
    networks = {variant.thresholds: variant.network for variant in offered}
    for point in threshold_front(given, offered).points:
        rows.append(_held_out(given, module, held_out, point, networks[point.thresholds or ()]))
        print(rows[-1], flush=True)
    header = (
        "threshold",
        "deepest exit",
        "blocks on",
        *(f"{what}{where}" for what in MEASURED for where in ("", ", held out")),
    )
    lines = [
        [
            ", ".join(f"{value:.3g}" for value in row["thresholds"]),
            row["exit"],
            row["placement"],
            *(f"{1e6 * row[key]:.2f}" for key in ("energy_j", "held_out_energy_j")),
            *(f"{row[key]:.3f}" for key in ("accuracy", "held_out_accuracy")),
            *(f"{100 * row[key]:.1f}" for key in ("early", "held_out_early")),
        ]
        for row in rows
    ]
    above = ABOVE.format(
        cluster=CLUSTER,
        latency=1e6 * LATENCY_S,
        calibration=len(calibration),
        vectors=len(offered),
        held_out=len(held_out),
    )
    table = page.table(header, lines)
    text = f"{above}\n\n{table}\n\n{BELOW}"
    print(page.write("exits_thresholds", "Exits: thresholds and placement together", text, rows))


def _held_out(given: Problem, module: Any, split: digits.Split, point: Point, network: ExitNetwork) -> dict[str, Any]:
    """A point of the front beside what its execution on other data gives."""
    (placement,), devices = point.plan.placements, given.cluster.devices
    ran = execute(module, network, placement, split, RULE, point.thresholds or (), digits.EXAMPLE)
    return {
        "thresholds": list(point.thresholds or ()),
        "exit": point.exit,
        "placement": ", ".join(devices[node].name for node in placement.nodes),
        "latency_s": point.latency_s,
        "energy_j": point.energy_j,
        "held_out_energy_j": ran.energy_j(devices),
        "accuracy": point.accuracy,
        "held_out_accuracy": ran.accuracy,
        "early": sum(leave.fraction for leave in network.exits[: placement.exit]),
        "held_out_early": sum(ran.fractions[: placement.exit]),
    }


if __name__ == "__main__":
    main()
