"""When a solve may stop."""

from __future__ import annotations

import math

import pytest

from iopt.door.stopping import check_stopping
from iopt.errors import OptionError


@pytest.mark.parametrize("seconds", [1e-9, 60, math.inf])
def test_limits_that_make_sense(seconds: float) -> None:
    check_stopping(seconds, 0)


@pytest.mark.parametrize("seconds", [0, -1, math.nan, True, None, "60", 10**400])
def test_a_time_limit_is_refused(seconds: object) -> None:
    with pytest.raises(OptionError, match=r"^time limit is .*; expected a number of seconds above zero$"):
        check_stopping(seconds, 0)


@pytest.mark.parametrize("gap", [1, -1e-9, math.nan, True, None, "0", 10**400])
def test_a_gap_is_refused(gap: object) -> None:
    with pytest.raises(OptionError, match=r"^gap is .*; expected a number from 0 to below 1$"):
        check_stopping(60, gap)
