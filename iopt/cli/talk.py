"""What the command line says besides its data: lines on standard error."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    print(line, file=sys.stderr)


def complain(line: str) -> None:
    """An error, in one line whatever the message holds."""
    say(f"iopt: {' '.join(line.split())}")
