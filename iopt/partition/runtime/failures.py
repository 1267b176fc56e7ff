"""Why a launch failed, from what its ranks left behind: who was lost where, who waited for whom, who refused what."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from iopt.door.reason import raised
from iopt.errors import DeviceLostError, IoptError, RunError


def leave_word(folder: Path, rank: int, error: Exception) -> None:
    """Of the error that ends a rank, for `failure`."""
    kind = type(error).__name__ if isinstance(error, IoptError) else None
    message = str(error) if isinstance(error, IoptError) else raised(error)
    beside = folder / f"error-{rank}.tmp"
    beside.write_text(json.dumps({"kind": kind, "message": message}))
    beside.replace(folder / f"error-{rank}.json")


def failure(names: Sequence[str], codes: Sequence[int | None], folder: Path, where: Callable[[int], str]) -> IoptError:
    """In this order: who ended without a word, who does not answer, what a rank refused, who waited in vain.

    `names`: of the ranks; `codes`: of their processes, None where one still runs; `where`: what a rank is at, empty
    before its first step.
    """
    lost, stuck, said = {}, {}, {}
    for rank, (name, code) in enumerate(zip(names, codes, strict=True)):
        path = folder / f"error-{rank}.json"
        if path.is_file():
            said[name] = json.loads(path.read_text())
        elif code is None:
            stuck[name] = f"the process of device {name!r} does not answer{_at(' since it began the ', where(rank))}"
        elif code:
            at = _at(" in the ", where(rank)) or " before its first step"
            lost[name] = f"the process of device {name!r} {_ended(code)}{at}"
    waiting = [error["message"] for error in said.values() if error["kind"] == RunError.__name__]
    if lost or (stuck and len(waiting) == len(said)):
        hint = "" if said or stuck else "; a script that calls iopt.run needs `if __name__ == '__main__':` around it"
        message = "; ".join([*lost.values(), *stuck.values(), *waiting]) + hint
        return DeviceLostError(message, tuple(lost or stuck))
    known = {kind.__name__: kind for kind in IoptError.__subclasses__()}
    for name, error in said.items():
        if error["kind"] in known and error["kind"] != RunError.__name__:
            return known[error["kind"]](error["message"])
        if error["kind"] is None:
            return RunError("; ".join([f"device {name!r} failed: {error['message']}", *waiting]))
    return RunError("; ".join(waiting))


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _at(words: str, place: str) -> str:
    return f"{words}{place}" if place else ""
