"""Quantities with units, as people write them, to exact numbers in byte, FLOP, second and joule.

Bytes (of 8 bits) and FLOP are dimensions of their own: `100 MHz` is neither a bandwidth nor a compute rate. The
registry holds only the units below, for two reasons: pint's own file of a thousand units takes 0.1 s to read, and its
free prefixes would read `94 mbit/s` as millibits.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING

from iopt.door.wording import hint, shown

if TYPE_CHECKING:
    import pint

_DECIMAL = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_BASES = {
    "s": "second = [time] = s",
    "B": "byte = [information] = B",
    "bit": "bit = 0.125 * byte",
    "FLOP": "FLOP = [operation]",
    "FLOPS": "FLOPS = FLOP / second",
    "bps": "bps = bit / second",
    "Hz": "Hz = 1 / second",
    "ms": "ms = 0.001 * second",
    "us": "us = 0.000001 * second",
    "ns": "ns = 0.000000001 * second",
    "min": "min = 60 * second",
    "J": "joule = [energy] = J",
    "mJ": "mJ = 0.001 * joule",
    "uJ": "uJ = 0.000001 * joule",
    "nJ": "nJ = 0.000000001 * joule",
    "pJ": "pJ = 0.000000000001 * joule",
    "W": "watt = joule / second = W",
    "mW": "mW = 0.001 * watt",
    "kW": "kW = 1000 * watt",
}
_SCALED = dict.fromkeys(("bit", "FLOP", "FLOPS", "bps", "Hz"), _DECIMAL) | {"B": _DECIMAL | _BINARY}
_FACTORS = {f"{prefix}{base}": (factor, base) for base, scale in _SCALED.items() for prefix, factor in scale.items()}

_MICRO = {f"{micro}{base}": f"u{base}" for micro in "\u00b5\u03bc" for base in "sJ"}
"""Both the micro sign and the Greek letter are typed."""

_NUMBER = r"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|nan|inf(?:inity)?)"
_WORD = "[a-zµμ]+"
_UNIT = rf"{_WORD}(?:\s*/\s*{_WORD})?|/\s*{_WORD}"
_QUANTITY = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Kind:
    """What a key holds: its name and an example for messages, the unit of the number that `parse` returns, and the
    range that `within` keeps to."""

    label: str
    example: str
    unit: str
    lowest: str
    highest: str

    @property
    def named(self) -> str:
        return f"{'an' if self.label[0] in 'aeiou' else 'a'} {self.label}"

    @property
    def expected(self) -> str:
        return f"expected {self.named} such as '{self.example}'"


COMPUTE = Kind("compute rate", "17.5 GFLOP/s", "FLOP / second", lowest="1 kFLOP/s", highest="1e6 TFLOP/s")
SIZE = Kind("size", "1 GiB", "byte", lowest="1 B", highest="8192 TiB")  # 2**53 bytes
TIME = Kind("time", "0.2 ms", "second", lowest="0 s", highest="1e6 s")
LATENCY = Kind("latency", "5 ms", "second", lowest="1 ns", highest="1e6 s")
RATE = Kind("rate", "10 Hz", "1 / second", lowest="1e-6 Hz", highest="1000 MHz")
BANDWIDTH = Kind("bandwidth", "100 Mbit/s", "byte / second", lowest="1 B/s", highest="1000 TB/s")
POWER = Kind("power", "6 W", "watt", lowest="0 W", highest="1000 kW")
ENERGY_PER_BIT = Kind("energy per bit", "30 nJ/bit", "joule / bit", lowest="0 J/bit", highest="1 J/bit")


def unit_names() -> tuple[str, ...]:
    """Every unit that `parse` knows; rates are two of them with a slash, or one after a slash (`10 /s`)."""
    return (*_BASES, *_FACTORS)


def parse(value: object, kind: Kind) -> Fraction:
    """The exact value of a text like `94 Mbit/s` in `kind.unit`; zero or more.

    Raises `ValueError` with one line that says what was expected: no unit, an unknown unit, a unit of another
    dimension, a number that is negative or not finite, or no quantity at all.
    """
    got = f"got {shown(value)}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"missing unit: {kind.expected}, {got}")
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{kind.expected}, {got}")
    if match["unit"] is None:
        raise ValueError(f"missing unit: {kind.expected}, {got}")
    factor = _factor(match["unit"], kind, got)
    number = float(match["number"])
    if not math.isfinite(number):
        raise ValueError(f"expected a finite {kind.label}, {got}")
    if number < 0:
        raise ValueError(f"expected {kind.named} that is not negative, {got}")
    return Fraction(match["number"]) * factor if number else Fraction(0)


def within(value: object, kind: Kind) -> Fraction:
    """`parse`, and a `ValueError` for what lies outside the range of the kind: no device is like that, and solvers
    cannot compute with it."""
    number = parse(value, kind)
    lowest, highest = limits(kind)
    if not lowest <= number <= highest:
        raise ValueError(f"expected {kind.named} from {kind.lowest} to {kind.highest}, got {shown(value)}")
    return number


@cache
def limits(kind: Kind) -> tuple[Fraction, Fraction]:
    """The range of the kind in its unit, both ends included."""
    return parse(kind.lowest, kind), parse(kind.highest, kind)


def _factor(unit: str, kind: Kind, got: str) -> Fraction:
    """How many `kind.unit` one `unit` is. pint would also read plurals, long names and numbers (`inf`): only those of
    the table are units here."""
    words = [_MICRO.get(word, word) for word in re.split(r"\s*/\s*", unit)]
    for word in words:
        if word and word not in unit_names():
            raise ValueError(f"unknown unit {word!r}: {kind.expected}, {got}{_near(word)}")
    quantity = registry().Quantity(Fraction(1), registry().parse_units("/".join([words[0] or "1", *words[1:]])))
    if not quantity.is_compatible_with(kind.unit):
        raise ValueError(f"{kind.expected}, {got}")
    return Fraction(quantity.to(kind.unit).magnitude)


def _near(unknown: str) -> str:
    """`Mb` gets both readings, bits and bytes: case alone would make it a byte."""
    if unknown.endswith("b"):
        readings = [name for name in (f"{unknown[:-1]}bit", f"{unknown[:-1]}B") if name in unit_names()]
        return f"; did you mean {' or '.join(map(repr, readings))}?" if readings else ""
    return hint(unknown, unit_names())


@cache
def registry() -> pint.UnitRegistry[Fraction]:
    """The pint registry with the units of this module; arithmetic is exact. Building it takes about 10 ms, once."""
    import pint

    units: pint.UnitRegistry[Fraction] = pint.UnitRegistry(None, non_int_type=Fraction)
    for definition in _BASES.values():
        units.define(definition)
    for name, (factor, base) in _FACTORS.items():
        units.define(f"{name} = {factor} * {base}")
    return units
