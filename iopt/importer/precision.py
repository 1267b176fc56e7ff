"""Networks are in fp32, whatever the caller's autocast is."""

from __future__ import annotations

import torch


def in_full_precision() -> torch.autocast:
    """A context in which nothing is cast to fewer bits."""
    return torch.autocast("cpu", enabled=False)
