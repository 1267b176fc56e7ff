"""What counts as a number where Python code gives one, and what seems to be a percentage."""

from __future__ import annotations

import math
from numbers import Real
from typing import TypeGuard

from iopt.door.wording import shown
from iopt.errors import OptionError

MOST_BYTES = 2**53
"""Of a memory: 8192 TiB. Every whole number up to it is a float."""


def share_hint(value: object) -> str:
    """` (write 0.8 for 80 %)` for what seems to be a percentage where a share of 0 ... 1 is expected; else nothing."""
    return f" (write {value / 100:g} for {value:g} %)" if is_number(value) and 2 <= value <= 100 else ""


def is_number(value: object) -> TypeGuard[float]:
    """A finite one; true and false are none."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


def check_seconds(where: str, value: object) -> None:
    """Raise `OptionError`, beginning with `where`, unless this is a finite time above 0."""
    if not (is_number(value) and value > 0):
        raise OptionError(f"{where} is {shown(value)}; expected a positive number")
