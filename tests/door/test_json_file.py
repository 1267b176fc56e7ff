"""JSON files are written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iopt.door import json_file
from iopt.door.file_kinds import READERS
from iopt.errors import IoptError
from iopt.exits.files import placement_schema, profile_schema
from iopt.graph import file as graph_file
from iopt.partition.files import schema as plan_schema
from iopt.tiling.files import configuration_schema, host_schema

DATA = {"short": [1, 2, {"a": None}], "long": [list(range(60)) for _ in range(3)], "ü": "ü" * 200, "empty": []}


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    json_file.check_writable(path)
    assert not path.exists()
    json_file.write(path, DATA)
    assert json_file.read(path, IoptError) == DATA
    text = path.read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert '\n "short": [1, 2, {"a": null}],\n' in text


def test_a_file_stays_where_the_new_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("before")
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_file.write(path, float("nan"))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "a.json")
    json_file.check_writable(tmp_path / "link.json")
    json_file.write(tmp_path / "link.json", DATA)
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == DATA


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (".", "it is a folder"),
        ("missing/a.json", "there is no folder"),
        ("a\0b", "embedded null"),
        ("x" * 300, "File name"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(IoptError, match=f"cannot be written: {reason}") as caught:
        json_file.check_writable(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_device_is_written_in_place() -> None:
    json_file.check_writable("/dev/null")
    json_file.write("/dev/null", DATA)
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "a.json: expected a mapping with schema 'iopt/a/1', got []"),
        ({}, "a.json: schema: expected 'iopt/a/1', got none"),
        ({"schema": 1}, "a.json: schema: expected 'iopt/a/1', got 1"),
        ({"schema": [1]}, "a.json: schema: expected 'iopt/a/1', got [1]"),
        (
            {"schema": "iopt/graph/1"},
            "a.json: schema: expected 'iopt/a/1', got 'iopt/graph/1', a graph, read by `iopt plan`, `iopt compare` and "
            "`iopt tile plan`",
        ),
    ],
)
def test_another_schema(data: object, said: str) -> None:
    with pytest.raises(IoptError) as caught:
        json_file.checked_schema(data, "iopt/a/1", "a.json", IoptError)
    assert str(caught.value) == said
    assert json_file.checked_schema({"schema": "iopt/a/1"}, "iopt/a/1", "a.json", IoptError) == {"schema": "iopt/a/1"}


def test_every_kind_of_file_is_known() -> None:
    kinds = (graph_file, plan_schema, profile_schema, placement_schema, configuration_schema, host_schema)
    assert sorted(kind.SCHEMA for kind in kinds) == sorted(READERS)
