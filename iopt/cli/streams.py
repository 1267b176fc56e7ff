"""Standard streams that are closed, as by `2>&-`: nobody reads them, as if they went to /dev/null."""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """In their order, so that each gets its own number back before another file does; for the programs that are started
    from here, too, which else would open something of their own under it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            number = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8"))
