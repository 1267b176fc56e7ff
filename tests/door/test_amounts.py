"""Numbers in sentences can be told apart, and given back."""

from __future__ import annotations

import math
from random import Random

import pytest

from iopt.door.amounts import apart, at_least


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (2.0, 1.0, ("2", "1")),
        (0.0050000001, 0.005, ("0.0050000001", "0.005")),
        (1e9 + 1, 1e9, ("1000000001", "1000000000")),
        (3.0, 3.0, ("3", "3")),
    ],
)
def test_two_that_differ_look_different(first: float, second: float, expected: tuple[str, str]) -> None:
    assert apart(first, second) == expected


def test_neighbouring_floats_look_different() -> None:
    draw = Random("amounts")
    for _ in range(500):
        value = draw.uniform(0.1, 1) * 10 ** draw.randint(-12, 12)
        first, second = apart(value, math.nextafter(value, math.inf))
        assert first != second


def test_a_least_amount_is_enough_and_hardly_more() -> None:
    draw = Random("amounts")
    for _ in range(500):
        value = draw.uniform(0.1, 1) * 10 ** draw.randint(-12, 12)
        assert value <= float(at_least(value)) <= value * (1 + 1e-6)
    assert at_least(2.5) == "2.5"
