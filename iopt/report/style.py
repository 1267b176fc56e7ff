"""One look for every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopt.result import Status

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_COLOURS = {Status.OPTIMAL: "green", Status.FEASIBLE: "cyan", Status.INFEASIBLE: "red", Status.UNKNOWN: "yellow"}


def table(title: str | None = None) -> Table:
    """A table with a rule below its header and nothing else, without columns yet."""
    from rich import box
    from rich.table import Table

    look = box.SIMPLE_HEAD
    return Table(title=title, title_justify="left", title_style="bold", box=look, pad_edge=False, padding=(0, 1, 0, 0))


def status_text(status: Status) -> Text:
    from rich.text import Text

    return Text(status.value, style=f"bold {_COLOURS[status]}")
