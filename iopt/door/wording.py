"""Habits of error messages: the near match of a misspelt name, a value shown in few characters on one line, bytes."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr

_REPR = Repr()
_REPR.maxlevel = 2
_REPR.maxstring = 60


def hint(name: str, known: Iterable[str], count: int = 2) -> str:
    """`; did you mean 'a' or 'b'?` for the known names nearest to `name` (case aside), or nothing."""
    by_folded: dict[str, list[str]] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), []).append(candidate)
    same = [name.casefold()] if name.casefold() in by_folded else []
    folded = same or get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.6)
    near = [candidate for match in folded for candidate in by_folded[match]][:count]
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def shown(value: object) -> str:
    """`repr(value)` on one line, cut short."""
    try:
        return _REPR.repr(value).replace("\n", " ")
    except ValueError:  # Python does not write whole numbers of more than 4,300 digits
        return f"{type(value).__name__} too long to show"


def in_bytes(count: int) -> str:
    """`9437184 B (9.00 MiB)`; below a KiB bytes alone."""
    power = next((power for power in (3, 2, 1) if count >= 2 ** (10 * power)), 0)
    return f"{count} B ({count / 2 ** (10 * power):,.2f} {'KMG'[power - 1]}iB)" if power else f"{count} B"
