"""JSON files: read without surprises, written whole or not at all, laid out for people."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from iopt.door.file_kinds import what_it_is
from iopt.door.text_file import read_text
from iopt.door.wording import shown
from iopt.errors import IoptError

WIDTH = 120


def read(path: str | Path, error: type[IoptError]) -> object:
    """The data of a file. Raises `error` with one line; a key that occurs twice in a mapping is refused."""
    text = read_text(path, error)
    try:
        return json.loads(text, object_pairs_hook=_mapping)
    except json.JSONDecodeError as problem:
        raise error(f"{path}: not JSON: line {problem.lineno} column {problem.colno}: {problem.msg}") from None
    except RecursionError:
        raise error(f"{path}: not JSON that iopt reads: nested too deeply") from None
    except ValueError as problem:
        raise error(f"{path}: not JSON that iopt reads: {problem}") from None


def checked_schema(data: object, schema: str, where: str, error: type[IoptError]) -> dict[str, Any]:
    """The data, where it is a mapping that names this schema. Raises `error` that begins with `where` for any other,
    and says what reads it instead."""
    if not isinstance(data, dict):
        raise error(f"{where}: expected a mapping with schema {schema!r}, got {shown(data)}")
    if data.get("schema") != schema:
        got = f"{shown(data['schema'])}{what_it_is(data['schema'])}" if "schema" in data else "none"
        raise error(f"{where}: schema: expected {schema!r}, got {got}")
    return data


def write(path: str | Path, data: object) -> None:
    """Write the data, so that readers see the old file or the whole new one. Raises `IoptError` where it cannot be."""
    text = pretty(data) + "\n"
    try:
        encoded = text.encode()
    except ValueError as problem:
        raise IoptError(f"{shown(str(path))}: cannot be written: {problem}") from None
    write_whole(path, encoded)


def write_whole(path: str | Path, data: bytes) -> None:
    """Write a file of any kind like that."""
    try:
        target = Path(path).resolve()
        if target.exists() and not target.is_file():  # a pipe, /dev/stdout
            target.write_bytes(data)
            return
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            beside.write_bytes(data)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as problem:
        raise IoptError(f"{path}: cannot be written: {problem.strerror}") from None
    except TypeError:
        raise IoptError(f"{shown(path)}: cannot be written: expected the name of a file") from None
    except ValueError as problem:
        raise IoptError(f"{shown(str(path))}: cannot be written: {problem}") from None


def check_writable(path: str | Path) -> None:
    """Raise `IoptError` with one line if `write` would: before hours of work, not after them."""
    try:
        target = Path(path).resolve()
        if target.is_dir():
            raise IoptError(f"{path}: cannot be written: it is a folder")
        if target.exists():
            if not os.access(target, os.W_OK):
                raise IoptError(f"{path}: cannot be written: permission denied")
            if not target.is_file():
                return
        if not target.parent.is_dir():
            raise IoptError(f"{path}: cannot be written: there is no folder {target.parent}")
        beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        beside.touch()
        beside.unlink()
    except OSError as problem:
        raise IoptError(f"{path}: cannot be written: {problem.strerror}") from None
    except ValueError as problem:
        raise IoptError(f"{shown(str(path))}: cannot be written: {problem}") from None


def pretty(value: Any, depth: int = 0) -> str:
    """JSON with an indent of one, where what fits on a line stays on it. Raises `ValueError` for NaN and infinity."""
    line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(line) + depth <= WIDTH or not isinstance(value, dict | list):
        return line
    if isinstance(value, dict):
        entries = [f"{json.dumps(key)}: {pretty(entry, depth + 1)}" for key, entry in value.items()]
        opening, closing = "{", "}"
    else:
        entries = [pretty(entry, depth + 1) for entry in value]
        opening, closing = "[", "]"
    margin = " " * depth
    return f"{opening}\n" + ",\n".join(f"{margin} {entry}" for entry in entries) + f"\n{margin}{closing}"


def canonical_hash(data: object) -> str:
    """SHA-256 (hexadecimal) of the data as canonical JSON: keys sorted, no spaces, ASCII only.

    Raises `ValueError` for NaN and infinity.
    """
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {shown(twice)} occurs twice")
    return mapping
