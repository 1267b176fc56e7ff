"""Standard streams that are closed, as by `2>&-`: nobody reads them, as if they went to /dev/null."""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """In their order, so that each gets its own number back before another file does."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
