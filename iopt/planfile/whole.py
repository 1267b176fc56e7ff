"""Whether a file has all of its problem in it, as iopt writes it: only then is the stated hash one of what is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from iopt.door.wording import shown
from iopt.errors import PlanError


def check_whole(data: Any, instance: Mapping[str, Any], where: str) -> None:
    """Raise `PlanError` that begins with `where` and the key unless `data` has every key of `instance`, a problem as
    `to_dict` writes it, and nothing else there. Readers fill in defaults and take 1 for 1.0; hashes do not."""
    for key, written in instance.items():
        _check(data[key], written, f"{where}: {key}: ", "")


def _check(stated: Any, written: Any, where: str, path: str) -> None:
    if isinstance(written, dict) and isinstance(stated, dict):
        for key in {**written, **stated}:
            below = f"{path}.{key}" if path else str(key)
            if key not in stated:
                raise PlanError(f"{where}{below}: missing")
            if key not in written:
                raise PlanError(f"{where}{below}: expected only where it is set, got {shown(stated[key])}")
            _check(stated[key], written[key], where, below)
    elif isinstance(written, list) and isinstance(stated, list) and len(written) == len(stated):
        for index, pair in enumerate(zip(stated, written, strict=True)):
            _check(*pair, where, f"{path}[{index}]")
    elif type(stated) is not type(written) or stated != written:
        raise PlanError(f"{where}{path}: expected {shown(written)}, got {shown(stated)}")
