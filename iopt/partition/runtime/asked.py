"""What must hold of the options of a run, in the words of the command line: of `iopt run` and under torchrun."""

from __future__ import annotations

from pathlib import Path

from iopt.door.numbers import check_seconds
from iopt.errors import OptionError


def check_asked(
    repeat: int, timeout_s: float, weights: str | Path | None, weights_hash: str | None, *, overlap: bool, emulate: bool
) -> None:
    """Raise `OptionError`, which names the option."""
    if repeat < 1:
        raise OptionError(f"--repeat is {repeat}; expected a positive whole number")
    check_seconds("--timeout", timeout_s)
    if weights_hash is not None and weights is None:
        raise OptionError("--weights-hash is given without --weights; it is the hash of their file")
    if overlap and emulate:
        raise OptionError("--overlap: the model of the cluster that is emulated has none; leave out one of the two")
