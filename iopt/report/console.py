"""Where tables go: wide enough for them where nobody's terminal sets the width."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

WIDTH = 120

READABLE = 100
"""Columns up to which a table keeps its own width on a narrower terminal, which then breaks lines but cuts nothing."""


def console(file: IO[str] | None = None) -> Console:
    """A console on `file` (default: stdout), 120 columns wide if that is no terminal and COLUMNS is not set."""
    from rich.console import Console

    file = sys.stdout if file is None else file
    fixed = None if file.isatty() or "COLUMNS" in os.environ else WIDTH
    return Console(file=file, width=fixed, highlight=False, markup=False, emoji=False)


def print_table(console: Console, table: Table) -> None:
    """The table, no narrower than what is in it: a number that is cut short is a wrong number."""
    given = console.width
    wanted = console.measure(table, options=console.options.update(max_width=READABLE)).maximum
    console.width = max(given, wanted)
    console.print(table, crop=False)
    console.width = given
