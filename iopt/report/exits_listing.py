"""Profiles of early-exit networks as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iopt.exits.observations import Profile
from iopt.report.console import print_table
from iopt.report.exits_units import rule_text
from iopt.report.style import table
from iopt.report.units import percent, rate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


def profiles_table(profiles: Sequence[Profile], names: Sequence[str]) -> Table:
    """A line per profile, under the name that it is found by."""
    grid = table()
    grid.add_column("network", no_wrap=True)
    for name in ("blocks", "operations", "exits after", "accuracy"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("description")
    for name, profile in zip(names, profiles, strict=True):
        network = profile.network
        grid.add_row(
            name,
            str(len(network.blocks)),
            rate(sum(block.ops for block in network.blocks), "op"),
            " ".join(str(leave.after) for leave in network.exits),
            " ".join(f"{leave.accuracy:.3g}" for leave in network.exits),
            profile.description,
        )
    return grid


def print_profile(console: Console, profile: Profile, note: str = "") -> None:
    """The exits of one network, and how they were measured; `note` ends that line."""
    network = profile.network
    console.print(f"{network.name}: {len(network.blocks)} blocks, {len(network.exits)} exits", style="bold")
    grid = table()
    grid.add_column("exit", no_wrap=True)
    for name in ("after block", "leave there", "accuracy as the deepest"):
        grid.add_column(name, justify="right", no_wrap=True)
    for leave in network.exits:
        grid.add_row(leave.name, str(leave.after), percent(leave.fraction), f"{leave.accuracy:.4g}")
    print_table(console, grid)
    if profile.measured is not None:
        console.print(f"{measured_text(profile)}{note}")


def measured_text(profile: Profile) -> str:
    """`measured on 400 samples by entropy, thresholds 0.05`; empty for a profile that was not measured."""
    if (measured := profile.measured) is None:
        return ""
    return f"measured on {measured.samples} samples by {rule_text(measured.rule, measured.thresholds)}"
