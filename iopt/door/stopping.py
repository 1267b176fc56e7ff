"""When a solve may stop, checked on the way in."""

from __future__ import annotations

import math
from numbers import Real

from iopt.door.wording import shown
from iopt.errors import OptionError


def check_stopping(time_limit_s: object, gap: object) -> None:
    """Raise `OptionError` unless the time limit is above zero (infinity: none) and the relative gap from 0 to below
    1."""
    if not (_is_real(time_limit_s) and time_limit_s > 0):  # type: ignore[operator]  # a number, as just seen
        raise OptionError(f"time limit is {shown(time_limit_s)}; expected a number of seconds above zero")
    check_gap(gap, "gap")


def check_gap(value: object, what: str) -> None:
    """Raise `OptionError` unless this relative gap, called `what`, is from 0 to below 1."""
    if not (_is_real(value) and 0 <= value < 1):  # type: ignore[operator]
        raise OptionError(f"{what} is {shown(value)}; expected a number from 0 to below 1")


def _is_real(value: object) -> bool:
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and not math.isnan(value)
    except OverflowError:  # a whole number beyond all floats
        return False
