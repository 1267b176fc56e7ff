"""YAML text to plain data: the safe loader, which besides refuses a key that occurs twice."""

from __future__ import annotations

from pathlib import Path

import yaml

from iopt.door.text_file import read_text
from iopt.door.wording import shown
from iopt.errors import IoptError


class _Loader(yaml.SafeLoader):
    """PyYAML keeps the last of two equal keys, silently."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                raise yaml.MarkedYAMLError(problem=f"key {shown(key)} occurs twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(text: str, where: str, error: type[IoptError]) -> object:
    """The data of a YAML document. Raises `error` with the line of what cannot be read."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as problem:
        said = " ".join(filter(None, (problem.context, problem.problem)))
        raise error(f"{where}: {_line(problem)}not valid YAML: {said}") from None
    except (yaml.YAMLError, ValueError) as problem:  # ValueError: a date of month 13, a number of 5,000 digits
        raise error(f"{where}: not valid YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise error(f"{where}: not valid YAML: nested too deeply") from None


def read_file(path: str | Path, error: type[IoptError]) -> object:
    """The data of a YAML file. Raises `error` with one line."""
    text = read_text(path, error)
    return read_yaml(text, str(path), error)


def _line(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}: " if mark else ""
