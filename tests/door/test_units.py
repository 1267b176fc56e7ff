"""Quantities: exact values, every unit, and what is refused with which words."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopt.door.units import (
    BANDWIDTH,
    COMPUTE,
    ENERGY_PER_BIT,
    LATENCY,
    POWER,
    RATE,
    SIZE,
    TIME,
    Kind,
    parse,
    unit_names,
    within,
)

KINDS = [COMPUTE, SIZE, TIME, BANDWIDTH, POWER, ENERGY_PER_BIT, LATENCY, RATE]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("17.5 GFLOP/s", COMPUTE, 17_500_000_000),
        ("3 GFLOPS", COMPUTE, 3_000_000_000),
        ("2TFLOP/s", COMPUTE, 2 * 10**12),
        ("94 Mbit/s", BANDWIDTH, 11_750_000),
        ("1 Gbps", BANDWIDTH, 125_000_000),
        ("12.5 MB/s", BANDWIDTH, 12_500_000),
        ("100 Mbit / s", BANDWIDTH, 12_500_000),
        ("60 MB/min", BANDWIDTH, 1_000_000),
        ("1 GiB", SIZE, 2**30),
        ("512 MiB", SIZE, 2**29),
        ("1.5 KiB", SIZE, 1536),
        ("0.3 GB", SIZE, 300_000_000),
        ("1 kB", SIZE, 1000),
        ("12 bit", SIZE, Fraction(3, 2)),
        ("0.2 ms", TIME, Fraction(1, 5000)),
        ("1e-3 s", TIME, Fraction(1, 1000)),
        ("3 us", TIME, Fraction(3, 10**6)),
        ("3 \u00b5s", TIME, Fraction(3, 10**6)),
        ("3 \u03bcs", TIME, Fraction(3, 10**6)),
        (" 2 min ", TIME, 120),
        ("0 ms", TIME, 0),
        ("5 ms", LATENCY, Fraction(1, 200)),
        ("10 Hz", RATE, 10),
        ("2 kHz", RATE, 2000),
        ("10 /s", RATE, 10),
        ("600/ min", RATE, 10),
        ("6 W", POWER, 6),
        ("250 mW", POWER, Fraction(1, 4)),
        ("1.5 kW", POWER, 1500),
        ("6 J/s", POWER, 6),
        ("0 W", POWER, 0),
        ("1 J/bit", ENERGY_PER_BIT, 1),
        ("2 mJ/bit", ENERGY_PER_BIT, Fraction(2, 10**3)),
        ("2 uJ/bit", ENERGY_PER_BIT, Fraction(2, 10**6)),
        ("2 \u00b5J/bit", ENERGY_PER_BIT, Fraction(2, 10**6)),
        ("2 \u03bcJ/bit", ENERGY_PER_BIT, Fraction(2, 10**6)),
        ("30 nJ/bit", ENERGY_PER_BIT, Fraction(30, 10**9)),
        ("12.6 pJ / bit", ENERGY_PER_BIT, Fraction(126, 10**13)),
        ("8 nJ/B", ENERGY_PER_BIT, Fraction(1, 10**9)),
        ("3 uJ/kbit", ENERGY_PER_BIT, Fraction(3, 10**9)),
        ("5 W/bps", ENERGY_PER_BIT, 5),
        ("1e-999999999 s", TIME, 0),
    ],
)
def test_values_are_exact(text: str, kind: Kind, value: int | Fraction) -> None:
    assert parse(text, kind) == value


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        ("10", RATE, "missing unit: expected a rate such as '10 Hz', got '10'"),
        ("10 s", RATE, "expected a rate such as '10 Hz', got '10 s'"),
        ("10 /nan", RATE, "unknown unit 'nan': expected a rate such as '10 Hz', got '10 /nan'"),
        ("/s", RATE, "expected a rate such as '10 Hz', got '/s'"),
        ("100 MHz", BANDWIDTH, "expected a bandwidth such as '100 Mbit/s', got '100 MHz'"),
        ("100 MHz", COMPUTE, "expected a compute rate such as '17.5 GFLOP/s', got '100 MHz'"),
        ("1 GB/s", COMPUTE, "expected a compute rate such as '17.5 GFLOP/s', got '1 GB/s'"),
        ("1 GFLOP/s", BANDWIDTH, "expected a bandwidth such as '100 Mbit/s', got '1 GFLOP/s'"),
        (
            "3 GFLOPs",
            COMPUTE,
            "unknown unit 'GFLOPs': expected a compute rate such as '17.5 GFLOP/s', got '3 GFLOPs'; "
            "did you mean 'GFLOPS'?",
        ),
        ("5 mss", TIME, "unknown unit 'mss': expected a time such as '0.2 ms', got '5 mss'; did you mean 'ms'?"),
        ("1 seconds", TIME, "unknown unit 'seconds': expected a time such as '0.2 ms', got '1 seconds'"),
        ("5 bytes", SIZE, "unknown unit 'bytes': expected a size such as '1 GiB', got '5 bytes'"),
        (
            "1 joule/bit",
            ENERGY_PER_BIT,
            "unknown unit 'joule': expected an energy per bit such as '30 nJ/bit', got '1 joule/bit'",
        ),
        (
            "1 Mbits/s",
            BANDWIDTH,
            "unknown unit 'Mbits': expected a bandwidth such as '100 Mbit/s', got '1 Mbits/s'; "
            "did you mean 'Mbit' or 'bit'?",
        ),
        ("3 GFLOPS/s", COMPUTE, "expected a compute rate such as '17.5 GFLOP/s', got '3 GFLOPS/s'"),
        ("3 s", SIZE, "expected a size such as '1 GiB', got '3 s'"),
        (17.5, COMPUTE, "missing unit: expected a compute rate such as '17.5 GFLOP/s', got 17.5"),
        ("17.5", COMPUTE, "missing unit: expected a compute rate such as '17.5 GFLOP/s', got '17.5'"),
        (math.nan, TIME, "missing unit: expected a time such as '0.2 ms', got nan"),
        ("1 Gib", SIZE, "unknown unit 'Gib': expected a size such as '1 GiB', got '1 Gib'; did you mean 'GiB'?"),
        ("94 parsec", TIME, "unknown unit 'parsec': expected a time such as '0.2 ms', got '94 parsec'"),
        (
            "94 Mb/s",
            BANDWIDTH,
            "unknown unit 'Mb': expected a bandwidth such as '100 Mbit/s', got '94 Mb/s'; did you mean 'Mbit' or 'MB'?",
        ),
        (
            "94 mbit/s",
            BANDWIDTH,
            "unknown unit 'mbit': expected a bandwidth such as '100 Mbit/s', got '94 mbit/s'; did you mean 'Mbit'?",
        ),
        ("1 nan", TIME, "unknown unit 'nan': expected a time such as '0.2 ms', got '1 nan'"),
        (
            "1 B/INF",
            BANDWIDTH,
            "unknown unit 'INF': expected a bandwidth such as '100 Mbit/s', got '1 B/INF'; did you mean 'min'?",
        ),
        ("6 MW", POWER, "unknown unit 'MW': expected a power such as '6 W', got '6 MW'; did you mean 'mW'?"),
        ("6 J", POWER, "expected a power such as '6 W', got '6 J'"),
        ("30 nJ", ENERGY_PER_BIT, "expected an energy per bit such as '30 nJ/bit', got '30 nJ'"),
        ("30 nJ/s", ENERGY_PER_BIT, "expected an energy per bit such as '30 nJ/bit', got '30 nJ/s'"),
        ("30 nJ/bit", POWER, "expected a power such as '6 W', got '30 nJ/bit'"),
        (30, ENERGY_PER_BIT, "missing unit: expected an energy per bit such as '30 nJ/bit', got 30"),
        ("-1 nJ/bit", ENERGY_PER_BIT, "expected an energy per bit that is not negative, got '-1 nJ/bit'"),
        ("-1 ms", TIME, "expected a time that is not negative, got '-1 ms'"),
        ("nan ms", TIME, "expected a finite time, got 'nan ms'"),
        ("inf B", SIZE, "expected a finite size, got 'inf B'"),
        ("1e999999999 B", SIZE, "expected a finite size, got '1e999999999 B'"),
        ("1,5 GB", SIZE, "expected a size such as '1 GiB', got '1,5 GB'"),
        ("2 B**2", SIZE, "expected a size such as '1 GiB', got '2 B**2'"),
        ("lots", SIZE, "expected a size such as '1 GiB', got 'lots'"),
        ("", SIZE, "expected a size such as '1 GiB', got ''"),
        (None, SIZE, "expected a size such as '1 GiB', got None"),
        (True, SIZE, "expected a size such as '1 GiB', got True"),
        (["1 B"], SIZE, "expected a size such as '1 GiB', got ['1 B']"),
    ],
)
def test_what_is_refused(value: object, kind: Kind, message: str) -> None:
    with pytest.raises(ValueError, match="expected a") as caught:
        parse(value, kind)
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.label)
def test_a_range_includes_its_ends(kind: Kind) -> None:
    assert within(kind.lowest, kind) == parse(kind.lowest, kind) < within(kind.highest, kind)
    number, unit = kind.highest.split()
    with pytest.raises(ValueError, match=f"expected {kind.named} from {kind.lowest} to {kind.highest}, got '1e60 "):
        within(f"1e60 {unit}", kind)
    assert float(number) > 0


@pytest.mark.parametrize("name", unit_names())
def test_every_unit_has_exactly_one_kind(name: str) -> None:
    """Latencies are times, in another range."""
    kinds = 0
    for kind in {kind.unit: kind for kind in KINDS}.values():
        try:
            parse(f"1 {name}", kind)
        except ValueError:
            continue
        kinds += 1
    assert kinds == (0 if name.endswith(("FLOP", "J")) else 1)


@given(st.text(max_size=12))
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    try:
        parse(f"1 {text}", TIME)
    except ValueError as error:
        assert "\n" not in str(error)
        assert "expected a" in str(error)


@given(st.decimals(min_value=0, max_value=10**9, places=6), st.sampled_from([("kB", 10**3), ("GiB", 2**30), ("B", 1)]))
def test_decimals_keep_every_digit(number: object, unit: tuple[str, int]) -> None:
    assert parse(f"{number:f} {unit[0]}", SIZE) == Fraction(str(number)) * unit[1]
