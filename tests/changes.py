"""Changes to the data of a file, for tests that look for one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from iopt.errors import PlanError

Data = dict[str, Any]
Change = Callable[[Data], object]


def put(*path: str | int, value: object) -> Change:
    def change(data: Data) -> None:
        for step in path[:-1]:
            data = data[step]  # type: ignore[index]
        assert data[path[-1]] != value  # type: ignore[index]
        data[path[-1]] = value  # type: ignore[index]

    return change


def together(*changes: Change) -> Change:
    return lambda data: [change(data) for change in changes]


def keys_dropped(data: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Change]]:
    """Every key of every mapping in the data, by its path, and the change that drops it. Of the entries of a list only
    the first and the last."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key), _dropped(path, key)
            yield from keys_dropped(value, (*path, key))
    elif isinstance(data, list):
        for index in sorted({0, len(data) - 1} if data else ()):
            yield from keys_dropped(data[index], (*path, index))


def _dropped(path: tuple[str | int, ...], key: str) -> Change:
    def change(data: Data) -> None:
        for step in path:
            data = data[step]  # type: ignore[index]
        del data[key]

    return change


def assert_seen(data: Data, path: tuple[str | int, ...], check: Callable[[Data], object]) -> None:
    """That a file without this key is refused, or that `check` finds something untrue in it: readers would fill in
    defaults, and the hash would be of what is not there."""
    dict(keys_dropped(data))[path](data)
    try:
        untrue = check(data)
    except PlanError:
        return
    assert untrue
