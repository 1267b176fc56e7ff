"""Cluster files that are refused, each in one line that says where and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopt.cluster.file import load
from iopt.errors import ClusterError
from tests.cluster.files import HOME, SMALL, refusal


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("compute", "compuet", "devices[0].compuet: unknown key; did you mean 'compute' or 'count'?"),
        ("}]", ", memroy: 1 GB}]", "devices[0].memroy: unknown key; did you mean 'memory'?"),
        (
            "network",
            "qqqqq",
            "qqqqq: unknown key; expected one of name, description, tiers, devices, network, source, sink",
        ),
        (", compute: 1 GFLOP/s", "", "devices[0].compute: missing; expected for example '17.5 GFLOP/s'"),
        ("network: {", "#", "network: missing"),
        (", connection: 1 ms", "", "network.connection: missing; expected for example '0.2 ms'"),
        (
            "1 GFLOP/s",
            "17.5",
            "devices[0].compute: missing unit: expected a compute rate such as '17.5 GFLOP/s', got 17.5",
        ),
        (
            "1 GFLOP/s",
            "0 GFLOP/s",
            "devices[0].compute: expected a compute rate from 1 kFLOP/s to 1e6 TFLOP/s, got '0 GFLOP/s'",
        ),
        ("1 GFLOP/s", "-1 FLOP/s", "devices[0].compute: expected a compute rate that is not negative, got '-1 FLOP/s'"),
        ("1 GFLOP/s", "nan FLOP/s", "devices[0].compute: expected a finite compute rate, got 'nan FLOP/s'"),
        (
            "1 GFLOP/s",
            "1e308 TFLOP/s",
            "devices[0].compute: expected a compute rate from 1 kFLOP/s to 1e6 TFLOP/s, got '1e308 TFLOP/s'",
        ),
        (
            "1 GFLOP/s",
            "1e-330 FLOP/s",
            "devices[0].compute: expected a compute rate from 1 kFLOP/s to 1e6 TFLOP/s, got '1e-330 FLOP/s'",
        ),
        ("1 MB/s", "100 MHz", "network.bandwidth: expected a bandwidth such as '100 Mbit/s', got '100 MHz'"),
        ("}]", ", memory: 0 B}]", "devices[0].memory: expected a size from 1 B to 8192 TiB, got '0 B'"),
        ("}]", ", memory: 1 bit}]", "devices[0].memory: expected a size from 1 B to 8192 TiB, got '1 bit'"),
        ("}]", ", memory: }]", "devices[0].memory: expected a size such as '1 GiB', got None"),
        ("}]", ", memory: 1e308 TB}]", "devices[0].memory: expected a size from 1 B to 8192 TiB, got '1e308 TB'"),
        ("}]", ", up: 5 s}]", "devices[0].up: expected a bandwidth such as '100 Mbit/s', got '5 s'"),
        (
            "1 GFLOP/s",
            "999 FLOP/s",
            "devices[0].compute: expected a compute rate from 1 kFLOP/s to 1e6 TFLOP/s, got '999 FLOP/s'",
        ),
        ("1 MB/s", "1e-9 bit/s", "network.bandwidth: expected a bandwidth from 1 B/s to 1000 TB/s, got '1e-9 bit/s'"),
        ("}]", ", down: 1001 TB/s}]", "devices[0].down: expected a bandwidth from 1 B/s to 1000 TB/s, got '1001 TB/s'"),
        ("}]", ", overhead: 1e20 s}]", "devices[0].overhead: expected a time from 0 s to 1e6 s, got '1e20 s'"),
        ("1 ms", "1e20 s", "network.connection: expected a time from 0 s to 1e6 s, got '1e20 s'"),
        ("}]", ", memory: 8193 TiB}]", "devices[0].memory: expected a size from 1 B to 8192 TiB, got '8193 TiB'"),
        ("}]", ", count: 0}]", "devices[0].count: expected 1 or more, got 0"),
        ("}]", ", count: 1000}]", "devices[0].count: expected 256 or less, got 1000"),
        ("}]", ", count: two}]", "devices[0].count: expected a whole number, got 'two'"),
        ("1 ms", "1 ms, medium: radio", "network.medium: expected 'switched' or 'shared', got 'radio'"),
        ("1 ms", "1 ms, charge: [1]", "network.charge: expected 'phase' or 'peer', got [1]"),
        ("bandwidth: 1 MB/s, ", "", "devices[0].up: missing; expected it here or as network.bandwidth, for example"),
        ("bandwidth: 1 MB/s", "medium: shared", "network.bandwidth: missing; expected for example '100 Mbit/s'"),
        ("name: a", "name: 1", "devices[0].name: expected text, got 1"),
        ("name: a", "name: ''", "devices[0].name: expected text that is not empty, got ''"),
        ("}]", "}, {name: a, compute: 1 GFLOP/s}]", "devices[1].name: 'a' is also the name of devices[0]"),
        ("{name: a, compute: 1 GFLOP/s}", "", "devices: expected at least one entry, got an empty list"),
        ("{name: a, compute: 1 GFLOP/s}", "a", "devices[0]: expected a mapping, got 'a'"),
        ("[{name: a, compute: 1 GFLOP/s}]", "a", "devices: expected a list, got 'a'"),
        ("network", "source: b\nnetwork", "source: no device is named 'b' (devices: 'a')"),
        ("network", "name: [a]\nnetwork", "name: expected text, got ['a']"),
        ("network", "name: a\nname: b\nnetwork", "line 3: not valid YAML: key 'name' occurs twice"),
        ("}]", ", name: b}]", "line 1: not valid YAML: key 'name' occurs twice"),
        ("}]", "}", "line 2: not valid YAML: while parsing a flow sequence"),
        (
            "network",
            "name: !!python/name:os.system\nnetwork",
            "line 2: not valid YAML: could not determine a constructor",
        ),
        ("network", "? [1]\n: 1\nnetwork", "line 2: not valid YAML: while constructing a mapping found unhashable key"),
        ("network", "name: 2025-13-01\nnetwork", "not valid YAML: month must be in 1..12"),
        ("network", '"a\\nb": 1\nnetwork', "'a\\nb': unknown key"),
    ],
)
def test_one_line_names_file_key_and_what_was_expected(old: str, new: str, message: str) -> None:
    text = refusal(SMALL.replace(old, new, 1))
    assert text.startswith(f"home.yaml: {message}")
    assert "\n" not in text


def test_a_shared_medium_takes_no_links() -> None:
    text = SMALL.replace("1 ms", "1 ms, medium: shared").replace("}]", ", down: 1 MB/s}]")
    assert refusal(text) == "home.yaml: devices[0].down: a shared medium has no links; expected network.bandwidth only"


def test_a_misspelt_device_has_near_matches() -> None:
    assert refusal(HOME.replace("sink: pi-2", "sink: pi2")).startswith(
        "home.yaml: sink: no device is named 'pi2'; did you mean 'pi-2'? (devices: 'pi-1', 'pi-2')"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "got an empty file"),
        ("# only a comment", "got an empty file"),
        ("- 1", "got [1]"),
        ("cal4", "got 'cal4'"),
    ],
)
def test_not_a_mapping(text: str, message: str) -> None:
    keys = "name, description, tiers, devices, network, source, sink"
    assert refusal(text) == f"home.yaml: expected a mapping with the keys {keys}, {message}"


@pytest.mark.parametrize(
    "text", ["[" * 5000, "\0", "--- 1\n--- 2", "devices: &a {name: *a}", "a: &a [*a, *a]", "a: !!int x"]
)
def test_hostile_yaml_is_refused_in_one_line(text: str) -> None:
    assert "\n" not in refusal(text)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe")
    for source, message in {
        tmp_path / "absent.yaml": f"{tmp_path}/absent.yaml: cannot be read: there is no such file",
        str(tmp_path / "absent.yaml"): f"{tmp_path}/absent.yaml: cannot be read: there is no such file",
        tmp_path / "binary.yaml": f"{tmp_path}/binary.yaml: not a text file: byte 0 is not UTF-8",
        "a\0b": "'a\\x00b': cannot be read: embedded null byte",
    }.items():
        with pytest.raises(ClusterError) as caught:
            load(source)
        assert str(caught.value) == message
    with pytest.raises(ClusterError, match="cannot be read: it is a folder"):
        load(tmp_path)
