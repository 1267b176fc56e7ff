"""Cluster files: what they mean, the presets, and the editor's schema."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from iopt.cluster import Charge, Cluster, Device, Medium, Network
from iopt.cluster.file import load, presets
from iopt.cluster.schema import ClusterFile, json_schema
from iopt.errors import ClusterError
from tests.cluster.files import HOME, SMALL, read


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
