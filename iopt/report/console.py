"""Where tables go: wide enough for them where nobody's terminal sets the width."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 120


def console(file: IO[str] | None = None) -> Console:
    """A console on `file` (default: stdout), 120 columns wide if that is no terminal and COLUMNS is not set."""
    from rich.console import Console

    file = sys.stdout if file is None else file
    fixed = None if file.isatty() or "COLUMNS" in os.environ else WIDTH
    return Console(file=file, width=fixed, highlight=False, markup=False, emoji=False)
