"""Objects that Python code gives, checked on the way in: what is there, what is expected, and the way from one to the
other."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TypeVar

from iopt.door.wording import hint, shown
from iopt.errors import OptionError

Kind = TypeVar("Kind")

_WINGS = ("iopt.exits", "iopt.tiling")
_PARTS = ("network", "problem", "graph", "plan", "cluster")
"""Under these names objects of iopt hold others."""


def check_kind(value: object, kind: type, what: str, loader: str = "", how: str = "") -> None:
    """Raise `OptionError` unless `value`, called `what`, is a `kind`.

    `loader` makes one of a name, `how` says in words where one comes from.
    """
    if isinstance(value, kind):
        return
    expected = _article(_name_of(kind, type(value)))
    raise OptionError(f"{what} is {_described(value, kind)}; expected {expected}{_way(value, kind, loader, how)}")


def check_count(value: object, what: str) -> None:
    """Raise `OptionError` unless `value`, called `what`, is a whole number of 1 or more."""
    if type(value) is not int or value < 1:
        raise OptionError(f"{what} is {shown(value)}; expected a whole number, 1 or more")


def check_choice(value: object, names: Collection[str], what: str) -> None:
    """Raise `OptionError` unless `value`, called `what`, is one of these names."""
    if not isinstance(value, str) or value not in names:
        near = hint(value, names) if isinstance(value, str) else ""
        raise OptionError(f"{what} is {shown(value)}; expected {' or '.join(map(repr, names))}{near}")


def as_tuple(values: object, kind: type[Kind], what: str, single: str = "", how: str = "") -> tuple[Kind, ...]:
    """Raise `OptionError` unless these are all a `kind`, in a tuple or a list.

    `single` says how one alone is given, `how` where one comes from.
    """
    if not isinstance(values, tuple | list):
        check_kind(values, tuple, what, how=f"{single} for a single one" if single else "")
    found = tuple(values)  # type: ignore[arg-type,var-annotated]  # a tuple or a list, as just seen
    for index, value in enumerate(found):
        check_kind(value, kind, f"{what}[{index}]", how=how)
    return found


def _described(value: object, kind: type) -> str:
    if value is None or isinstance(value, str | int | float | Path):
        return shown(value)
    return _article(_name_of(type(value), kind))


def _way(value: object, kind: type, loader: str, how: str) -> str:
    found = next((part for part in _PARTS if isinstance(getattr(value, part, None), kind)), None)
    if found is not None:
        return f": its .{found} is one"
    if type(value).__name__ == kind.__name__:
        return f"; that one is for {_home(type(value))}.solve and the like"
    if loader and isinstance(value, str | Path):
        return f": {loader}({shown(str(value))}) gives one"
    return f": {how}" if how else ""


def _name_of(kind: type, other: type) -> str:
    """With its home where the other one has the same name: both problems are a `Problem`."""
    return f"{_home(kind)}.{kind.__name__}" if kind.__name__ == other.__name__ else kind.__name__


def _home(kind: type) -> str:
    return next((wing for wing in _WINGS if kind.__module__.startswith(f"{wing}.")), "iopt")


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
