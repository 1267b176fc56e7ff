"""Cluster files: what they mean, the presets, the SI form, the editor's schema, and every way to get them wrong."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from iopt.cluster import Charge, Cluster, Device, Link, Medium, Network
from iopt.cluster.file import from_dict, from_yaml, load, presets, to_dict
from iopt.cluster.schema import ClusterFile, json_schema
from iopt.errors import ClusterError

HOME = """
name: home
description: two boards on one switch
devices:
  - name: pi-1
    compute: 17.5 GFLOP/s
    memory: 1 GiB
    overhead: 0.1 ms
    up: 94 Mbit/s
  - name: pi-2
    compute: 2 GFLOPS
    memory: none
network:
  bandwidth: 100 Mbit/s
  connection: 0.2 ms
sink: pi-2
"""

SMALL = "devices: [{name: a, compute: 1 GFLOP/s}]\nnetwork: {bandwidth: 1 MB/s, connection: 1 ms}\n"


def read(text: str) -> Cluster:
    return from_yaml(text, "home.yaml", "home")


def refusal(text: str) -> str:
    with pytest.raises(ClusterError) as caught:
        read(text)
    return str(caught.value)


def test_what_a_file_means() -> None:
    assert read(HOME) == Cluster(
        name="home",
        devices=(
            Device("pi-1", 17.5e9, memory_bytes=2**30, overhead_s=1e-4),
            Device("pi-2", 2e9),
        ),
        network=Network(2e-4, up_bytes_per_s=(11.75e6, 12.5e6), down_bytes_per_s=(12.5e6, 12.5e6)),
        source=0,
        sink=1,
    )


def test_defaults() -> None:
    assert read(SMALL) == Cluster(
        name="home",
        devices=(Device("a", 1e9),),
        network=Network(1e-3, (1e6,), (1e6,), charge=Charge.PHASE, medium=Medium.SWITCHED),
    )


def test_a_shared_channel() -> None:
    network = read(SMALL.replace("1 ms", "1 ms, medium: shared, charge: peer")).network
    assert network == Network(1e-3, bandwidth_bytes_per_s=1e6, charge=Charge.PEER, medium=Medium.SHARED)


def test_links_without_a_common_bandwidth() -> None:
    text = SMALL.replace("bandwidth: 1 MB/s, ", "").replace("}]", ", up: 2 MB/s, down: 3 MB/s}]")
    assert (read(text).network.up_bytes_per_s, read(text).network.down_bytes_per_s) == ((2e6,), (3e6,))


def test_a_count_makes_numbered_devices() -> None:
    cluster = read(SMALL.replace("}]", ", count: 2}, {name: b, compute: 2 GFLOP/s}]") + "source: a-2\n")
    assert [device.name for device in cluster.devices] == ["a-1", "a-2", "b"]
    assert (cluster.source, cluster.sink) == (1, 0)


def test_yaml_merge_keys_repeat_a_device() -> None:
    text = SMALL.replace("[{name: a,", "[&a {name: a,").replace("}]", "}, {<<: *a, name: b}]")
    assert [device.flops_per_s for device in read(text).devices] == [1e9, 1e9]


def test_memory_is_rounded_down_to_whole_bytes() -> None:
    assert read(SMALL.replace("}]", ", memory: 1.9999 B}]")).devices[0].memory_bytes == 1


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
        tmp_path / "absent.yaml": f"{tmp_path}/absent.yaml: no such file",
        str(tmp_path / "absent.yaml"): f"{tmp_path}/absent.yaml: no such file",
        tmp_path / "binary.yaml": f"{tmp_path}/binary.yaml: not a text file: byte 0 is not UTF-8",
        "a\0b": "'a\\x00b': cannot be read: embedded null byte",
    }.items():
        with pytest.raises(ClusterError) as caught:
            load(source)
        assert str(caught.value) == message
    with pytest.raises(ClusterError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_unknown_preset() -> None:
    names = ", ".join(presets())
    with pytest.raises(ClusterError) as caught:
        load("cal5")
    assert str(caught.value) == f"cal5: neither a preset nor a file; did you mean 'cal4'? (presets: {names})"


def test_presets_go_before_files_and_paths_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cal4").write_text(SMALL)
    Path("den.yaml").write_text(SMALL)
    assert load("cal4").name == "cal4"
    assert len(load("./cal4")) == len(load(Path("cal4"))) == 1
    assert load("den.yaml").name == "den"


def test_cal4() -> None:
    cluster = load("cal4")
    assert [device.flops_per_s for device in cluster.devices] == [1e9] * 4
    assert {device.memory_bytes for device in cluster.devices} == {None}
    assert cluster.network == Network(2e-4, (12.5e6,) * 4, (12.5e6,) * 4)


@pytest.mark.parametrize("count", [2, 4, 8])
def test_mixed_presets(count: int) -> None:
    cluster = load(f"mixed{count}")
    speeds = [1, 2, 1.5, 4, 1.2, 2.5, 3, 1.7]
    links = [1, 1, 0.8, 1, 0.5, 1, 0.7, 1]
    rates = tuple(pytest.approx(12.5e6 * share, rel=1e-15) for share in links[:count])
    assert [device.flops_per_s for device in cluster.devices] == [speed * 1e9 for speed in speeds[:count]]
    assert {device.memory_bytes for device in cluster.devices} == {None}
    assert cluster.network.up_bytes_per_s == cluster.network.down_bytes_per_s == rates
    assert (cluster.network.connection_s, cluster.network.charge) == (2e-4, Charge.PHASE)
    assert (cluster.source, cluster.sink) == (0, 0)


def test_every_preset_loads_and_says_what_it_is() -> None:
    invented, measured = ["mixed2", "mixed4", "mixed8"], ["mobile-edge-cloud", "pi3x4", "pi4x4"]
    assert list(presets()) == ["cal4", "campus", "efficient-edge", *invented, *measured]
    for name, description in presets().items():
        assert load(name).name == name
        assert description


def test_editors_find_the_schema_of_every_preset() -> None:
    folder = files("iopt.cluster") / "presets"
    for name in presets():
        first = (folder / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
        with as_file(folder) as path:
            assert (path / first.removeprefix("# yaml-language-server: $schema=")).is_file()


def test_the_schema_is_current() -> None:
    stored = json.loads((files("iopt.cluster") / "cluster.schema.json").read_text(encoding="utf-8"))
    assert stored == json_schema(), "run `make schema`"
    assert set(stored["properties"]) == set(ClusterFile.model_fields)
    assert stored["additionalProperties"] is False


def test_importing_iopt_reads_no_heavy_library() -> None:
    heavy = "{'pint', 'pydantic', 'yaml', 'torch', 'pyomo'}"
    code = f"import iopt, iopt.cluster.file, sys; sys.exit(', '.join({heavy} & set(sys.modules)) or None)"
    subprocess.run([sys.executable, "-c", code], check=True)


POSITIVE = st.floats(min_value=1e-300, max_value=1e300)
NOT_NEGATIVE = st.floats(min_value=0, max_value=1e300)


@st.composite
def clusters(
    draw: st.DrawFn,
    compute: st.SearchStrategy[float] = POSITIVE,
    rate: st.SearchStrategy[float] = POSITIVE,
    time: st.SearchStrategy[float] = NOT_NEGATIVE,
    most_memory: int = 2**53,
    power: st.SearchStrategy[float] = NOT_NEGATIVE,
    energy: st.SearchStrategy[float] = NOT_NEGATIVE,
) -> Cluster:
    """Any cluster; the arguments keep it to a range. Names of tiers are longer than those of devices."""
    names = draw(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True))
    count = len(names)
    tiers = tuple(draw(st.lists(st.text(min_size=9, max_size=12), max_size=3, unique=True)))
    tier = st.sampled_from(tiers) if tiers else st.none()
    memory = st.none() | st.integers(1, most_memory)
    devices = tuple(
        Device(
            name, draw(compute), draw(memory), draw(time), draw(tier), draw(st.none() | power), draw(st.none() | energy)
        )
        for name in names
    )
    medium = draw(st.sampled_from(Medium))
    links = st.tuples(*[rate] * (count if medium is Medium.SWITCHED else 0))
    channel = draw(rate) if medium is Medium.SHARED else None
    charge = draw(st.sampled_from(Charge))
    pairs = [(a, b) for a in range(count) for b in range(count) if a != b and medium is Medium.SWITCHED]
    given_pairs = sorted(draw(st.sets(st.sampled_from(pairs)))) if pairs else []
    own = tuple(Link(*pair, draw(st.none() | rate)) for pair in given_pairs)
    network = Network(draw(time), draw(links), draw(links), channel, charge, medium, own)
    ends = st.integers(0, count - 1)
    return Cluster(draw(st.text(max_size=8)), devices, network, draw(ends), draw(ends), tiers)


def assert_si_round_trip(cluster: Cluster) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(cluster))), "plan.json") == cluster


@given(clusters())
def test_the_si_form_gives_the_cluster_back(cluster: Cluster) -> None:
    assert_si_round_trip(cluster)


@pytest.mark.full
@settings(max_examples=3000, deadline=None)
@given(clusters())
def test_the_si_form_gives_every_cluster_back(cluster: Cluster) -> None:
    assert_si_round_trip(cluster)


@given(
    clusters(
        st.floats(1e3, 1e18), st.floats(1.0, 1e15), st.floats(0.0, 1e6), 2**53, st.floats(0.0, 1e6), st.floats(0.0, 1.0)
    )
)
@settings(deadline=None)
def test_the_yaml_form_in_base_units_gives_the_cluster_back(cluster: Cluster) -> None:
    network = cluster.network
    devices: list[dict[str, Any]] = [
        {
            "name": device.name,
            "compute": f"{device.flops_per_s!r} FLOP/s",
            "memory": "none" if device.memory_bytes is None else f"{device.memory_bytes} B",
            "overhead": f"{device.overhead_s!r} s",
        }
        for device in cluster.devices
    ]
    for entry, device in zip(devices, cluster.devices, strict=True):
        optional = {"tier": (device.tier, ""), "power": (device.power_w, " W")}
        optional["energy"] = (device.energy_per_bit_j, " J/bit")
        entry.update({key: f"{value}{unit}" for key, (value, unit) in optional.items() if value is not None})
    names = [device.name for device in cluster.devices]
    links = [
        {
            "from": names[link.sender],
            "to": names[link.receiver],
            "bandwidth": "none" if link.bytes_per_s is None else f"{link.bytes_per_s!r} B/s",
        }
        for link in network.links
    ]
    for key, rates in (("up", network.up_bytes_per_s), ("down", network.down_bytes_per_s)):
        for entry, rate in zip(devices, rates, strict=False):
            entry[key] = f"{rate!r} B/s"
    file = {
        "name": cluster.name or "unnamed",
        "tiers": list(cluster.tiers),
        "devices": devices,
        "network": {
            "links": links,
            "medium": network.medium.value,
            "charge": network.charge.value,
            "connection": f"{network.connection_s!r} s",
        },
        "source": cluster.devices[cluster.source].name,
        "sink": cluster.devices[cluster.sink].name,
    }
    if network.bandwidth_bytes_per_s is not None:
        file["network"]["bandwidth"] = f"{network.bandwidth_bytes_per_s!r} B/s"  # type: ignore[index]
    again = read(yaml.safe_dump(file))
    assert to_dict(again) == to_dict(cluster) | {"name": file["name"]}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("devices", 1, "memory_bytes"), 1.5, "devices[1].memory_bytes: expected a whole number, got 1.5"),
        (("devices", 0, "flops_per_s"), "1", "devices[0].flops_per_s: expected a number, got '1'"),
        (("devices", 0, "flops_per_s"), math.nan, "devices[0].flops_per_s: expected a finite number, got nan"),
        (("devices", 0, "flops_per_s"), 10**400, "devices[0].flops_per_s: expected a number, got 1000"),
        (("devices", 0, "flops_per_s"), 0, "device 'device-1': flops_per_s is 0.0; expected a positive number"),
        (("devices", 0, "speed"), 1, "devices[0].speed: unknown key; expected one of name, flops_per_s"),
        (("network", "up_bytes_per_s"), [1.0], "cluster 'mixed2': network.up_bytes_per_s has 1 entries for 2 devices"),
        (("network", "up_bytes_per_s", 1), True, "network.up_bytes_per_s[1]: expected a number, got True"),
        (("network", "medium"), "air", "network.medium: expected 'switched' or 'shared', got 'air'"),
        (("source",), "device-9", "source: no device is named 'device-9'; did you mean 'device-2' or 'device-1'?"),
        (("devices",), [], "devices: expected at least one entry, got an empty list"),
        (("devices",), {}, "devices: expected a list, got {}"),
    ],
)
def test_a_changed_si_form_is_refused(path: tuple[str | int, ...], value: object, message: str) -> None:
    data: Any = to_dict(load("mixed2"))
    holder = data
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    with pytest.raises(ClusterError) as caught:
        from_dict(data, "plan.json: cluster")
    assert str(caught.value).startswith(f"plan.json: cluster: {message}")


def test_a_missing_key_of_the_si_form() -> None:
    data = to_dict(load("mixed2"))
    del data["network"]
    with pytest.raises(ClusterError, match=r"plan\.json: network: missing"):
        from_dict(data, "plan.json")
    with pytest.raises(ClusterError, match=r"plan\.json: expected a mapping, got \[\]"):
        from_dict([], "plan.json")
