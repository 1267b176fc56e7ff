"""SI numbers as people read them."""

from __future__ import annotations

import pytest

from iopt.report.units import milliseconds, percent, rate, seconds, size


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (milliseconds(4.014037504), "4,014.038"),
        (milliseconds(0), "0.000"),
        (seconds(0.0164), "0.02"),
        (seconds(61.26), "61.3"),
        (size(0), "0 B"),
        (size(999), "999 B"),
        (size(1000), "1.0 KiB"),
        (size(1024), "1.0 KiB"),
        (size(602_112), "588.0 KiB"),
        (size(5 * 2**40), "5.0 TiB"),
        (size(5_000 * 2**40), "5,000.0 TiB"),
        (rate(17.5e9, "FLOP/s"), "17.5 GFLOP/s"),
        (rate(999, "FLOP/s"), "999 FLOP/s"),
        (rate(12.5e6 * 8, "bit/s"), "100 Mbit/s"),
        (rate(1e18, "FLOP/s"), "1e+06 TFLOP/s"),
        (rate(0, "W"), "0 W"),
        (rate(0.5, "W"), "500 mW"),
        (rate(1.26e-8, "J/bit"), "12.6 nJ/bit"),
        (rate(5e-16, "J/bit"), "0.0005 pJ/bit"),
        (percent(0), "0 %"),
        (percent(8.834e-5), "0.0088 %"),
        (percent(0.0309), "3.1 %"),
        (percent(1), "100.0 %"),
        (percent(1e-9), "< 0.0001 %"),
    ],
)
def test_units(found: str, expected: str) -> None:
    assert found == expected
