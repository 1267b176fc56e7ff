"""SI numbers as people read them."""

from __future__ import annotations

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB")
_DECIMAL = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}


def milliseconds(seconds: float) -> str:
    """`4,014.038` (ms): three decimals, so that a column of them compares at a glance."""
    return f"{seconds * 1e3:,.3f}"


def seconds(value: float) -> str:
    """A run time, without its unit: `0.02`, `61.3`."""
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}"


def size(count: int) -> str:
    """Bytes: `312 B`, `588.0 KiB`, `1.0 MiB` (1000 KiB)."""
    value, unit = float(count), _BINARY[0]
    for unit in _BINARY:
        if value < 1000 or unit == _BINARY[-1]:
            break
        value /= 1024
    return f"{count} B" if unit == "B" else f"{value:,.1f} {unit}"


def rate(value: float, unit: str) -> str:
    """A decimal rate, or another quantity: `17.5 GFLOP/s` for `rate(17.5e9, "FLOP/s")`, `30 nJ/bit`."""
    prefix = next((prefix for prefix, factor in _DECIMAL.items() if abs(value) >= factor), "p" if value else "")
    return f"{value / _DECIMAL[prefix]:.4g} {prefix}{unit}"


def percent(fraction: float) -> str:
    """`0.0088 %`, `3.1 %`, `73.6 %`, `0 %`: two digits that count."""
    value = fraction * 100
    if value == 0:
        return "0 %"
    return f"{value:.1f} %" if abs(value) >= 1 else f"{value:.2g} %" if abs(value) >= 1e-4 else "< 0.0001 %"


def prefix(largest: float) -> tuple[str, float]:
    """The decimal prefix in which a column with this largest value is written with three decimals, and what to multiply
    by: `("m", 1e3)` for 0.1 J. Not above the unit itself."""
    for name in ("", "m", "u", "n", "p"):
        if largest >= _DECIMAL[name]:
            return name, 1 / _DECIMAL[name]
    return ("", 1.0) if largest <= 0 else ("p", 1 / _DECIMAL["p"])


def binary_prefix(largest: int) -> tuple[str, int]:
    """The unit in which a column of bytes with this largest value is written, and how many bytes it is."""
    power = next((power for power in (3, 2, 1) if largest >= 2 ** (10 * power)), 0)
    return _BINARY[power], 2 ** (10 * power)
