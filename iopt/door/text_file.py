"""Text files, with one line for what cannot be read."""

from __future__ import annotations

from pathlib import Path

from iopt.door.reason import unreadable
from iopt.door.wording import shown
from iopt.errors import IoptError


def read_text(path: str | Path, error: type[IoptError]) -> str:
    """The text of a file in UTF-8. Raises `error` that names the file and the reason."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as problem:
        raise error(f"{path}: cannot be read: {unreadable(problem)}") from None
    except UnicodeDecodeError as problem:
        raise error(f"{path}: not a text file: byte {problem.start} is not UTF-8") from None
    except TypeError:
        raise error(f"{shown(path)}: cannot be read: expected the name of a file") from None
    except ValueError as problem:
        raise error(f"{shown(str(path))}: cannot be read: {problem}") from None
