"""Where `-o` may write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def check_output(output: Path, model: str, cluster: str | None = None) -> None:
    """Raise `IoptError` with one line unless the file can be written and is none of those that the command reads."""
    from iopt.cluster.file import preset_names
    from iopt.zoo import ENTRIES

    read = {} if model in ENTRIES else {"MODEL": model}
    if cluster is not None and cluster not in preset_names():
        read["--cluster"] = cluster
    check_writable_beside(output, read)


def check_writable_beside(output: Path, read: Mapping[str, str], option: str = "-o") -> None:
    """Raise `IoptError` with one line unless the file can be written, is none of these, given by what names them, and
    no Python code: a command that runs somebody's module reads all that it imports. `option`: what names the output."""
    from importlib.machinery import all_suffixes

    from iopt.door.json_file import check_writable
    from iopt.errors import OptionError

    if output == Path():
        raise OptionError(f"{output}: cannot be written: it is a folder; expected the name of a file")
    check_writable(output)
    if output.is_file() and output.resolve().name.endswith(tuple(all_suffixes())):
        raise OptionError(f"{output}: cannot be written: it is Python code; choose another for {option}")
    for what, source in read.items():
        if _is_same(output, source):
            raise OptionError(
                f"{output}: cannot be written: it is the file that {what} names; choose another for {option}"
            )


def _is_same(output: Path, source: str) -> bool:
    """Both are the same file; pipes and terminals may well be."""
    try:
        return output.is_file() and output.samefile(source)
    except (OSError, ValueError):  # there is no such source, or it cannot be a path
        return False
