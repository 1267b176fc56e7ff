"""Workload files: what they say reaches the problem; a wrong one says where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from iopt.errors import IoptError
from iopt.exits import files
from iopt.exits.files import load_profile, load_workload, save_profile
from iopt.exits.files.workload_file import is_workload
from iopt.exits.files.workload_schema import json_schema
from iopt.exits.problem import Problem

CAMERA: dict[str, Any] = {"name": "camera", "network": "b-alexnet", "accuracy": 0.8, "latency": "5 ms", "count": 2}
DIGITS: dict[str, Any] = {"network": "nets/b-lenet.json", "accuracy": 0.9, "latency": "1 ms", "rate": "600 / min"}
FULL: dict[str, Any] = {
    "cluster": "mobile-edge-cloud",
    "energy": "unconditional",
    "link_rate": "min",
    "latency": "expected",
    "pinned": False,
    "tier_order": False,
    "max_load": 0.5,
    "applications": [CAMERA, {**DIGITS, "source": "edge"}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a profile in a folder of its own."""
    (tmp_path / "nets").mkdir()
    save_profile(load_profile("b-lenet"), tmp_path / "nets" / "b-lenet.json")
    return tmp_path


def written(folder: Path, data: object) -> Path:
    path = folder / "work.yaml"
    path.write_text(yaml.safe_dump(data))
    return path


def test_all_of_it_reaches_the_problem(folder: Path) -> None:
    workload = load_workload(written(folder, FULL))
    problem = workload.problem
    assert (problem.energy, problem.link_rate, problem.latency) == ("unconditional", "min", "expected")
    assert (problem.pinned, problem.tier_order, problem.max_load) == (False, False, 0.5)
    found = [(app.name, app.accuracy, app.latency_s, app.rate_per_s, app.source) for app in problem.applications]
    assert found == [
        ("camera-1", 0.8, 0.005, 1.0, None),
        ("camera-2", 0.8, 0.005, 1.0, None),
        ("b-lenet", 0.9, 0.001, 10.0, "edge"),
    ]
    assert [profile.network for profile in workload.profiles] == [app.network for app in problem.applications]


def test_defaults_are_those_of_a_problem(folder: Path) -> None:
    problem = load_workload(written(folder, {"cluster": "efficient-edge", "applications": [DIGITS]})).problem
    assert problem == Problem(problem.applications, problem.cluster)


def test_a_cluster_beside_the_workload(folder: Path) -> None:
    device = "{name: a, compute: 1 GFLOP/s, power: 1 W, energy: 1 nJ/bit}"
    text = f"{{devices: [{device}], network: {{bandwidth: 1 MB/s, connection: 0 s}}}}"
    (folder / "home.yaml").write_text(text)
    problem = load_workload(written(folder, {"cluster": "home.yaml", "applications": [DIGITS]})).problem
    assert problem.cluster.name == "home"


def test_what_is_a_workload(folder: Path) -> None:
    assert is_workload(written(folder, FULL))
    assert is_workload(written(folder, {"aplications": []}))
    assert not is_workload(written(folder, {"schema": "iopt/exits-profile/1"}))
    assert not is_workload(folder / "nets" / "b-lenet.json")
    assert not is_workload("b-alexnet")


def changed(key: str, value: object, application: int | None = None) -> dict[str, Any]:
    if application is None:
        return {**FULL, key: value}
    applications = [dict(entry) for entry in FULL["applications"]]
    applications[application][key] = value
    return {**FULL, "applications": applications}


WRONG: dict[str, object] = {
    "expected a mapping with the keys cluster, energy, ": [],
    "expected a mapping with the keys cluster, energy, link_rate": None,
    "aplications: unknown key; did you mean 'applications'?": changed("aplications", []),
    "applications: expected at least one entry": changed("applications", []),
    "energy: expected 'expected' or 'unconditional', got 'much'": changed("energy", "much"),
    "max_load: expected a number above 0.0, got 0": changed("max_load", 0),
    "cluster: mobile-edge: neither a preset nor a file; did you mean": changed("cluster", "mobile-edge"),
    "cluster: cal4: cluster 'cal4': device 'device-1': power: missing": changed("cluster", "cal4"),
    "applications[0].accuracy: expected a number from 0 to 1 (write 0.8 for 80 %), got 80": changed("accuracy", 80, 0),
    "applications[0].latency: missing unit: expected a latency such as '5 ms', got 5": changed("latency", 5, 0),
    "applications[1].rate: expected a rate that is not negative, got '-1 Hz'": changed("rate", "-1 Hz", 1),
    "applications[1].network: 'b-lenut': neither a profile nor a file; did you mean 'b-lenet'": (
        changed("network", "b-lenut", 1)
    ),
    "applications[1].network: ": changed("network", "nets/none.json", 1),
    "applications[0].count: expected 256 or less, got 1000": changed("count", 1000, 0),
    "application 'b-lenet': source: no device is named 'edg'; did you mean 'edge'?": changed("source", "edg", 1),
    "application names appear twice: camera-1": changed("name", "camera-1", 1),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_wrong_file_says_where(message: str, folder: Path) -> None:
    path = written(folder, WRONG[message])
    with pytest.raises(IoptError) as caught:
        load_workload(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: {message}")
    assert "\n" not in said


def test_not_yaml(folder: Path) -> None:
    (folder / "work.yaml").write_text("cluster: [")
    with pytest.raises(IoptError, match=r"work\.yaml: line 1: not valid YAML"):
        load_workload(folder / "work.yaml")


def test_the_schema_that_comes_with_iopt_is_that_of_the_code() -> None:
    shipped = Path(files.__file__).parent / "workload.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == json_schema()
