"""What runs networks here: processor, threads, PyTorch."""

from __future__ import annotations

import platform
from pathlib import Path

import torch


def processor() -> str:
    """Its model, where the system says so."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def threads() -> int:
    """That PyTorch computes with."""
    return torch.get_num_threads()


def torch_version() -> str:
    return torch.__version__
