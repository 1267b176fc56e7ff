"""Placements and their energy in words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from iopt.exits.plan import Placement
from iopt.exits.problem import TOLERANCE, Application, Problem
from iopt.report.units import percent, prefix


def title(problem: Problem) -> str:
    """`b-alexnet on mobile-edge-cloud`, `3 applications on campus`."""
    count = len(problem.applications)
    what = problem.applications[0].network.name if count == 1 else f"{count} applications"
    return f"{what} on {problem.cluster.name}"


def per_inference(problem: Problem) -> bool:
    """Whether the objective is the energy of one inference: one application at a rate of 1."""
    return len(problem.applications) == 1 and problem.applications[0].rate_per_s == 1


def energy_unit(problem: Problem) -> str:
    return "J" if per_inference(problem) else "J/s"


def total_energy(problem: Problem, joule: float, like: float | None = None) -> str:
    """`100.141 mJ`, or `201.676 mJ/s` where rates weigh it; with the prefix of the energy `like`, if one is given."""
    return quantity(joule, energy_unit(problem), like)


def quantity(value: float, unit: str, like: float | None = None) -> str:
    """`100.141 mJ`: three decimals."""
    name, factor = prefix(abs(value if like is None else like))
    return f"{value * factor:,.3f} {name}{unit}"


def gap_text(gap: float) -> str:
    """In percent; what is within the tolerance of all comparisons is none."""
    return percent(gap if gap > TOLERANCE else 0.0)


def path(problem: Problem, placement: Placement) -> str:
    """`device 1-3, edge 4-5`: the blocks on each node, in order."""
    names = [device.name for device in problem.cluster.devices]
    parts, block = [], 1
    for node, run in itertools.groupby(placement.nodes):
        last = block + len(list(run)) - 1
        parts.append(f"{names[node]} {block}" if last == block else f"{names[node]} {block}-{last}")
        block = last + 1
    return ", ".join(parts)


def leaving(application: Application, exit: int) -> list[float]:
    """Fractions of all samples that leave at each deployed exit; `exit`, the deepest, takes the rest."""
    network = application.network
    before = [leave.fraction for leave in network.exits[:exit]]
    return [*before, network.reach[network.exits[exit].after - 1]]


def rule_text(rule: str, thresholds: Sequence[float]) -> str:
    """`entropy, thresholds 0.05, 0.2`: every digit, so that they can be given back."""
    word = "threshold" if len(thresholds) == 1 else "thresholds"
    return f"{rule}, {word} {thresholds_text(thresholds, ', ')}"


def thresholds_text(thresholds: Sequence[float], between: str = ",") -> str:
    """`0.05,0.2`, as `--threshold` reads them: every digit."""
    return between.join(repr(float(value)) if value not in (0, 1) else f"{value:g}" for value in thresholds)


def longest(values: Sequence[float]) -> float:
    """The largest finite value; 0 without one."""
    return max((value for value in values if value < float("inf")), default=0.0)
