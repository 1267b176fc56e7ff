"""Changes to the data of a file, for tests that look for one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
