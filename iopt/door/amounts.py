"""Numbers in sentences: two that differ look different, and a least amount is not rounded below itself."""

from __future__ import annotations

from decimal import ROUND_CEILING, Context, Decimal

DIGITS = 6
MOST_DIGITS = 17
"""They tell any two floats apart."""


def apart(first: float, second: float, digits: int = DIGITS) -> tuple[str, str]:
    """Both with as many significant digits as it takes to see which is larger, and no fewer than `digits`."""
    for count in range(digits, MOST_DIGITS + 1):
        texts = f"{first:.{count}g}", f"{second:.{count}g}"
        if texts[0] != texts[1]:
            break
    return texts


def at_least(value: float, digits: int = DIGITS + 1) -> str:
    """Rounded up: whoever gives the number back gives enough."""
    rounded = Context(prec=digits, rounding=ROUND_CEILING).create_decimal(Decimal(value))
    return f"{float(rounded):.{digits}g}"
