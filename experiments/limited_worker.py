"""The process that `limited` limits: it loads a network, says so, runs it once more, and says how long that took."""

from __future__ import annotations

import ctypes
import json
import resource
import sys
import time
from collections.abc import Callable

PYTORCH = "PyTorch"
"""PyTorch itself, untiled and channels last; all others are configurations."""
MCL_CURRENT = 1


def work(network: str, configuration: str) -> None:
    """It waits to be put into its group before it loads anything large."""
    sys.stdin.readline()
    call = _loaded(network, configuration)
    import torch

    system = ctypes.CDLL(None, use_errno=True)
    with torch.inference_mode():
        call()
        system.malloc_trim(0)
        if system.mlockall(MCL_CURRENT):
            raise OSError(ctypes.get_errno(), "mlockall")
        print("ready", flush=True)
        sys.stdin.readline()
        faults, start = resource.getrusage(resource.RUSAGE_SELF).ru_majflt, time.perf_counter()
        call()
        seconds = time.perf_counter() - start
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_majflt - faults
    print(json.dumps({"time_s": seconds, "major_faults": faults}), flush=True)


def _loaded(network: str, configuration: str) -> Callable[[], object]:
    import torch

    from experiments.tiling_host import Network
    from iopt.tiling import parse

    own = Network.of(network)
    if configuration != PYTORCH:
        return own.call(parse(configuration, len(own.problem().layers)))
    module = own.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch has no type
    image = own.image.contiguous(memory_format=torch.channels_last)
    return lambda: module(image)


if __name__ == "__main__":
    work(*sys.argv[1:])
