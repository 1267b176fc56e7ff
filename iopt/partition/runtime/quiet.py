"""What torch's C++ would say on its own of ranks and stores that it lost; we say in one line who was lost where."""

from __future__ import annotations

import os

LEVEL = "TORCH_CPP_LOG_LEVEL"


def silence_warnings() -> None:
    """Of that, errors only, unless the variable says otherwise. It is read when torch is imported: call this before."""
    os.environ.setdefault(LEVEL, "ERROR")
