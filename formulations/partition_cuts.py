"""Inequalities that no plan violates: they change no optimum, only how fast it is proved."""

from __future__ import annotations

from typing import Any

from formulations.partition_data import PartitionData


def add(m: Any, data: PartitionData) -> None:
    """Add them all."""
