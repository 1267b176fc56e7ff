"""`-o` writes over nothing that the command reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Iopt

TIERS = """
tiers: [low, high]
devices:
  - {name: a, compute: 1 GFLOP/s, tier: low, power: 1 W, energy: 1 nJ/bit}
  - {name: b, compute: 9 GFLOP/s, tier: high, power: 9 W, energy: 1 nJ/bit}
network: {bandwidth: 1 MB/s, connection: 0 s}
"""
PROFILE = """{
  "schema": "iopt/exits-profile/1", "name": "own", "input_bits": 8,
  "blocks": [{"name": "all", "ops": 1000, "out_bits": 0}],
  "exits": [{"name": "last", "after": 1, "fraction": 1, "accuracy": 0.9}]
}"""
WORKLOAD = """
cluster: tiers.yaml
applications: [{network: own.json, accuracy: 0.5, latency: 1 s}]
"""
ASKED = ("exits", "plan", "own.json", "--accuracy", "0.5", "--latency", "1 s")


@pytest.fixture
def here(iopt: Iopt) -> Iopt:
    """With a workload and the files that it names, in a folder that is not the current one, and some Python code."""
    Path("work").mkdir()
    for name, text in (("tiers.yaml", TIERS), ("own.json", PROFILE), ("workload.yaml", WORKLOAD)):
        (Path("work") / name).write_text(text)
        Path(name).write_text(text)
    Path("code.py").write_text("secret = 1\n")
    Path("seems.json").symlink_to("code.py")
    Path("w.pt").write_bytes(b"weights")
    return iopt


READ = {
    "net.json: MODEL": ("plan", "net.json", "--cluster", "small.yaml"),
    "small.yaml: --cluster": ("plan", "net.json", "--cluster", "small.yaml"),
    "workload.yaml: NETWORK": ("exits", "plan", "workload.yaml"),
    "tiers.yaml: cluster in workload.yaml": ("exits", "plan", "workload.yaml"),
    "own.json: applications[0].network in workload.yaml": ("exits", "plan", "workload.yaml"),
    "work/tiers.yaml: cluster in work/workload.yaml": ("exits", "plan", "work/workload.yaml"),
    "own.json: NETWORK": (*ASKED, "--tiers", "tiers.yaml"),
    "tiers.yaml: --tiers": (*ASKED, "--tiers", "tiers.yaml"),
    "w.pt: --weights-file": ("tile", "profile", "yolov2-16", "--weights-file", "w.pt"),
}


@pytest.mark.parametrize("read", READ)
def test_not_over_a_file_that_is_read(here: Iopt, read: str) -> None:
    path, named = read.split(": ")
    before = Path(path).read_bytes()
    message = f"iopt: {path}: cannot be written: it is the file that {named} names; choose another for -o\n"
    assert here(*READ[read], "-o", path) == (2, "", message)
    assert Path(path).read_bytes() == before


CODE = {
    "plan": ("plan", "code:secret", "--cluster", "small.yaml"),
    "graph": ("graph", "code:secret"),
    "profile": ("profile",),
    "exits plan": (*ASKED, "--tiers", "tiers.yaml"),
    "exits profile": ("exits", "profile", "code:secret", "--data", "code:secret"),
    "tile plan": ("tile", "plan", "code:secret", "--memory", "1 MiB"),
    "tile profile": ("tile", "profile", "code:secret"),
}


@pytest.mark.parametrize("path", ["code.py", "seems.json"])
@pytest.mark.parametrize("command", CODE)
def test_not_over_python_code(here: Iopt, command: str, path: str) -> None:
    message = f"iopt: {path}: cannot be written: it is Python code; choose another for -o\n"
    assert here(*CODE[command], "-o", path) == (2, "", message)
    assert Path("code.py").read_text() == "secret = 1\n"


def test_a_file_without_a_name(here: Iopt) -> None:
    message = "iopt: .: cannot be written: it is a folder; expected the name of a file\n"
    assert here(*CODE["plan"], "-o", "") == (2, "", message)


def test_a_workload_may_be_planned_into_a_new_file(here: Iopt) -> None:
    assert here("exits", "plan", "work/workload.yaml", "-o", "placement.json").code == 0
