"""Why a run failed, from what its ranks left behind: who was lost where, who waits for whom, who refused what."""

from __future__ import annotations

import json
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from iopt.door.reason import raised
from iopt.errors import DeviceLostError, IoptError, RunError
from iopt.partition.runtime.board import Sign

UNGUARDED = (
    "a script that calls iopt.run needs `if __name__ == '__main__':` around it, since its processes import it: they "
    "ended before they began (where it has that, standard error says why)"
)


def leave_word(folder: Path, rank: int, error: Exception) -> None:
    """Of the error that ends a rank, for `failure`."""
    kind = type(error).__name__ if isinstance(error, IoptError) else None
    message = str(error) if isinstance(error, IoptError) else raised(error)
    beside = folder / f"error-{rank}.tmp"
    beside.write_text(json.dumps({"kind": kind, "message": message}))
    beside.replace(folder / f"error-{rank}.json")


def failure(names: Sequence[str], codes: Sequence[int | None], folder: Path, signs: Mapping[int, Sign]) -> IoptError:
    """Where processes have ended, in this order: who ended without a word, what a rank refused, who waited in vain.

    `names`: of the ranks; `codes`: of their processes, None where one still runs; `signs`: what they said last.
    """
    lost, said = {}, {}
    for rank, (name, code) in enumerate(zip(names, codes, strict=True)):
        path = folder / f"error-{rank}.json"
        if path.is_file():
            said[name] = json.loads(path.read_text())
        elif code:
            place = signs[rank].place
            lost[name] = f"{_process(name)} {_ended(code)} {f'in the {place}' if place else 'before its first step'}"
    waiting = [error["message"] for error in said.values() if error["kind"] == RunError.__name__]
    if lost and not said and set(codes) <= {1, None} and not any(sign.moves for sign in signs.values()):
        return RunError(UNGUARDED)
    if lost:
        return DeviceLostError("; ".join([*lost.values(), *waiting]), tuple(lost))
    for name, error in said.items():
        if error["kind"] in _REFUSALS:
            return _REFUSALS[error["kind"]](error["message"])
        if error["kind"] != RunError.__name__:
            return RunError("; ".join([f"device {name!r} failed: {error['message']}", *waiting]))
    return RunError("; ".join(waiting))


def hanging(names: Sequence[str], signs: Mapping[int, Sign], silent: Collection[int], timeout_s: float) -> str:
    """Who of the running ranks says nothing, or where there is nobody, that all wait; and who waits for what."""
    words = [f"{_process(names[rank])} does not answer {_since(signs[rank])}" for rank in silent]
    if not words:
        words = [f"all devices wait, and have got no further for {timeout_s:g} s"]
    words += [f"device {names[rank]!r} {sign.wait}" for rank, sign in signs.items() if rank not in silent and sign.wait]
    return "; ".join(words)


def _since(sign: Sign) -> str:
    if sign.wait:
        return f"while it {sign.wait}"
    return f"since it began the {sign.place}" if sign.place else "since it was started"


def _process(name: str) -> str:
    return f"the process of device {name!r}"


def _ended(code: int) -> str:
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


def _refusals(kind: type[IoptError] = IoptError) -> Iterator[tuple[str, type[IoptError]]]:
    """Every error by its name but those of runs, which are found out here."""
    if not issubclass(kind, RunError):
        yield kind.__name__, kind
        for each in kind.__subclasses__():
            yield from _refusals(each)


_REFUSALS = dict(_refusals())
