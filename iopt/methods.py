"""Ways to decide, by name: what the methods of every problem have in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from iopt.door.wording import hint, shown
from iopt.errors import OptionError


@dataclass(frozen=True)
class Method:
    """`summary` in one line."""

    name: str
    summary: str


def check_name(method: object, names: Collection[str]) -> None:
    """Raise `OptionError` unless this is one of the names."""
    if not isinstance(method, str) or method not in names:
        near = hint(method, names) if isinstance(method, str) else ""
        raise OptionError(f"unknown method {shown(method)}{near} (methods: {', '.join(names)})")
