"""`torchrun ... -m iopt.partition.runtime plan.json` starts a rank for each device of the plan."""

from __future__ import annotations

import os
import sys

from iopt.partition.runtime.quiet import silence_warnings

if __name__ == "__main__":
    silence_warnings()
    from iopt.partition.runtime.command import main

    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a process group that lost a rank may wait for it at exit
