"""What an exception of another library or of a user's module says, for a message of one line."""

from __future__ import annotations

_UNREADABLE = {FileNotFoundError: "there is no such file", IsADirectoryError: "it is a folder"}


def raised(error: BaseException) -> str:
    """Its type and its first line: `ValueError: too few`."""
    name = type(error).__name__
    return f"{name}: {reason(error)}" if str(error).strip() else name


def unreadable(error: OSError) -> str:
    """Why a file cannot be read, in the same words everywhere."""
    said = error.strerror.lower() if error.strerror else reason(error)
    return _UNREADABLE.get(type(error), said)


def reason(error: BaseException) -> str:
    """Its first line, or its type if it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".:") if lines else type(error).__name__
