"""The command line. Commands import what they need when they run, so that `iopt --help` is fast and needs no torch."""

from __future__ import annotations

import logging
import sys


def main() -> None:
    """The console script `iopt`."""
    from iopt.cli.run import DEBUG, run
    from iopt.cli.streams import open_closed

    open_closed()
    if DEBUG not in sys.argv:
        logging.disable(logging.CRITICAL)  # Pyomo logs an error of its own when it is interrupted
    sys.exit(run(sys.argv[1:]))
